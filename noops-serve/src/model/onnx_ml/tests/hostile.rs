use noops_core::{Batch, Column, ErrorKind, Executor};

use super::exports::path;
use crate::model::onnx_ml::OnnxMlModel;

/// A field that holds a message, a text or packed numbers.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = varint(number << 3 | 2);
    out.extend(varint(bytes.len() as u64));
    out.extend(bytes);
    out
}

fn number(number: u64, value: i64) -> Vec<u8> {
    let mut out = varint(number << 3);
    out.extend(varint(value.cast_unsigned()));
    out
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push((value & 0x7f | 0x80) as u8);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A node of the default domain, or of another where the kind has one before a colon.
fn node(kind: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let (domain, kind) = kind.split_once(':').unwrap_or(("", kind));
    let mut out = Vec::new();
    inputs
        .iter()
        .for_each(|name| out.extend(field(1, name.as_bytes())));
    outputs
        .iter()
        .for_each(|name| out.extend(field(2, name.as_bytes())));
    out.extend(field(4, kind.as_bytes()));
    attributes
        .iter()
        .for_each(|attribute| out.extend(field(5, attribute)));
    out.extend(field(7, domain.as_bytes()));
    field(1, &out)
}

fn ints(name: &str, values: &[i64]) -> Vec<u8> {
    let packed: Vec<u8> = values
        .iter()
        .flat_map(|value| varint(value.cast_unsigned()))
        .collect();
    [field(1, name.as_bytes()), field(8, &packed), number(20, 7)].concat()
}

fn floats(name: &str, values: &[f32]) -> Vec<u8> {
    let packed: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    [field(1, name.as_bytes()), field(7, &packed), number(20, 6)].concat()
}

fn texts(name: &str, values: &[&str]) -> Vec<u8> {
    let values: Vec<u8> = values
        .iter()
        .flat_map(|value| field(9, value.as_bytes()))
        .collect();
    [field(1, name.as_bytes()), values, number(20, 8)].concat()
}

/// A value of singles with two columns.
fn info(field_number: u64, name: &str) -> Vec<u8> {
    let dims = [field(1, &field(2, b"N")), field(1, &number(1, 2))].concat();
    let tensor = [number(1, 1), field(2, &dims)].concat();
    field(
        field_number,
        &[field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat(),
    )
}

/// A model of `X`, with two columns, to `Y`.
fn model(nodes: &[Vec<u8>]) -> Vec<u8> {
    let graph = [nodes.concat(), info(11, "X"), info(12, "Y")].concat();
    let opset = |domain: &str, version| {
        field(
            8,
            &[field(1, domain.as_bytes()), number(2, version)].concat(),
        )
    };
    [
        number(1, 8),
        field(7, &graph),
        opset("", 17),
        opset("ai.onnx.ml", 3),
    ]
    .concat()
}

fn refused(bytes: &[u8], kind: ErrorKind, says: &str) {
    let error = OnnxMlModel::from_bytes(bytes).unwrap_err();
    let text = format!("{error}");
    assert_eq!(error.kind(), kind, "{text}");
    assert!(text.contains(says), "{text}");
}

fn rows(numbers: &[f32]) -> Batch {
    let column = |index| Column::Number(numbers.iter().skip(index).step_by(2).copied().collect());
    Batch::new(vec![column(0), column(1)]).unwrap()
}

#[test]
fn a_small_model_of_hand_made_bytes_runs() {
    let mut exp = OnnxMlModel::from_bytes(&model(&[node("Neg", &["X"], &["Y"], &[])])).unwrap();
    assert_eq!(exp.run(&rows(&[1.0, -2.0])).unwrap().values(), [-1.0, 2.0]);
}

#[test]
fn part_of_a_file_is_corrupt_or_a_model() {
    for name in [
        "rf",
        "scaler_logreg",
        "svc",
        "t_mixed_zipmap",
        "o_tree5_member",
        "o_shapes",
    ] {
        let bytes = std::fs::read(path(&format!("{name}.onnx"))).unwrap();
        let step = (bytes.len() / 300).max(1);
        for cut in (0..bytes.len().min(200)).chain((200..bytes.len()).step_by(step)) {
            if let Err(error) = OnnxMlModel::from_bytes(&bytes[..cut]) {
                assert_eq!(
                    error.kind(),
                    ErrorKind::Corrupt,
                    "{name} cut at {cut}: {error}"
                );
            }
        }
    }
}

#[test]
fn a_changed_byte_is_no_reason_to_panic() {
    let batch = Batch::new(
        (0..6)
            .map(|_| Column::Number(vec![0.5, f32::NAN]))
            .collect(),
    )
    .unwrap();
    for name in [
        "imputer_rf",
        "svc",
        "mlp",
        "o_reduce",
        "o_shapes",
        "o_linear_softmax_zero",
    ] {
        let bytes = std::fs::read(path(&format!("{name}.onnx"))).unwrap();
        let step = (bytes.len() / 150).max(1);
        for place in (0..bytes.len()).step_by(step) {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[place] ^= change;
                if let Ok(mut model) = OnnxMlModel::from_bytes(&changed) {
                    // It may answer anything, or nothing.
                    let answered = model.run(&batch).map(|scores| scores.rows());
                    assert!(answered.is_err() || answered.is_ok_and(|rows| rows == 2));
                }
            }
        }
    }
}

#[test]
fn what_is_no_model_is_corrupt() {
    for bytes in [
        &[0xff; 1000][..],
        &[0; 64],
        b"this is not a model",
        b"{\"a\":",
        b"",
    ] {
        assert_eq!(
            OnnxMlModel::from_bytes(bytes).unwrap_err().kind(),
            ErrorKind::Corrupt
        );
    }
    // A message in a message in a message, as deep as it goes: what is not known is skipped, and nothing recurses.
    let mut bomb = vec![];
    for _ in 0..2_000 {
        bomb = field(7, &bomb);
    }
    refused(&bomb, ErrorKind::Corrupt, "");
}

#[test]
fn a_graph_that_contradicts_itself_is_corrupt() {
    let corrupt = |nodes: &[Vec<u8>], says: &str| refused(&model(nodes), ErrorKind::Corrupt, says);
    let add = |a: &str, b: &str, out: &str| node("Add", &[a, b], &[out], &[]);
    corrupt(
        &[add("X", "B", "A"), add("X", "A", "B"), add("A", "B", "Y")],
        "cycle",
    );
    corrupt(&[add("Y", "X", "Y")], "cycle");
    corrupt(&[add("X", "nobody", "Y")], "nobody");
    corrupt(&[add("X", "X", "Z")], "made by no node");
    corrupt(&[add("X", "X", "Y"), add("X", "X", "Y")], "one name");
    corrupt(
        &[node("other:Add", &["X", "X"], &["Y"], &[])],
        "does not import",
    );
}

#[test]
fn every_operator_that_is_missing_is_named() {
    let nodes = [
        node("Conv", &["X"], &["A"], &[]),
        node("ai.onnx.ml:DictVectorizer", &["A"], &["B"], &[]),
        node("Loop", &["B"], &["Y"], &[]),
    ];
    refused(
        &model(&nodes),
        ErrorKind::Invalid,
        "`ai.onnx.Conv`, `ai.onnx.Loop`, `ai.onnx.ml.DictVectorizer`",
    );
}

#[test]
fn nodes_may_come_in_any_order() {
    let nodes = [
        node("Neg", &["A"], &["Y"], &[]),
        node("Abs", &["X"], &["A"], &[]),
    ];
    let mut loaded = OnnxMlModel::from_bytes(&model(&nodes)).unwrap();
    assert_eq!(
        loaded.run(&rows(&[1.0, -2.0])).unwrap().values(),
        [-1.0, -2.0]
    );
}

#[test]
fn attributes_of_the_wrong_type_or_length_are_corrupt() {
    let corrupt = |kind: &str, attributes: &[Vec<u8>], says: &str| {
        refused(
            &model(&[node(kind, &["X"], &["Y"], attributes)]),
            ErrorKind::Corrupt,
            says,
        );
    };
    corrupt("ai.onnx.ml:Scaler", &[ints("offset", &[1])], "wrong type");
    corrupt("ai.onnx.ml:Scaler", &[floats("offset", &[1.0])], "scale");
    corrupt(
        "ai.onnx.ml:Normalizer",
        &[[field(1, b"norm"), field(4, b"L7"), number(20, 3)].concat()],
        "norm",
    );
    corrupt(
        "ai.onnx.ml:LinearRegressor",
        &[
            floats("coefficients", &[1.0; 3]),
            [field(1, b"targets"), number(3, 2), number(20, 2)].concat(),
        ],
        "whole rows",
    );
    corrupt(
        "ai.onnx.ml:LinearRegressor",
        &[[field(1, b"targets"), number(3, -2), number(20, 2)].concat()],
        "negative",
    );
    let huge = ints("vectors_per_class", &[i64::MAX, i64::MAX, 3]);
    corrupt(
        "ai.onnx.ml:SVMClassifier",
        &[huge, ints("classlabels_ints", &[0, 1, 2])],
        "more vectors",
    );
    corrupt("Cast", &[], "`to`");
}

#[test]
fn trees_that_are_none_are_corrupt() {
    let build = |yes: &[i64], no: &[i64], feature: i64| {
        let attributes = [
            ints("nodes_treeids", &[0, 0, 0]),
            ints("nodes_nodeids", &[0, 1, 2]),
            ints("nodes_featureids", &[feature, 0, 0]),
            floats("nodes_values", &[0.5, 0.0, 0.0]),
            texts("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"]),
            ints("nodes_truenodeids", yes),
            ints("nodes_falsenodeids", no),
            ints("target_treeids", &[0, 0]),
            ints("target_nodeids", &[1, 2]),
            ints("target_ids", &[0, 0]),
            floats("target_weights", &[1.0, 2.0]),
        ];
        model(&[node(
            "ai.onnx.ml:TreeEnsembleRegressor",
            &["X"],
            &["Y"],
            &attributes,
        )])
    };
    let mut good = OnnxMlModel::from_bytes(&build(&[1, 0, 0], &[2, 0, 0], 1)).unwrap();
    assert_eq!(
        good.run(&rows(&[9.0, 0.5, 9.0, 0.6])).unwrap().values(),
        [1.0, 2.0]
    );
    refused(&build(&[0, 0, 0], &[2, 0, 0], 0), ErrorKind::Corrupt, "");
    refused(
        &build(&[7, 0, 0], &[2, 0, 0], 0),
        ErrorKind::Corrupt,
        "not there",
    );
    refused(&build(&[1, 0, 0], &[1, 0, 0], 0), ErrorKind::Corrupt, "");
    refused(
        &build(&[1, 0, 0], &[2, 0, 0], i64::MAX),
        ErrorKind::Corrupt,
        "column",
    );
    refused(&build(&[1, 0], &[2, 0, 0], 0), ErrorKind::Corrupt, "length");
    // A column that the input does not have shows when it is run.
    let mut wide = OnnxMlModel::from_bytes(&build(&[1, 0, 0], &[2, 0, 0], 5)).unwrap();
    assert!(wide.run(&rows(&[1.0, 2.0])).is_err());
}

#[test]
fn a_graph_that_mixes_rows_runs_row_by_row() {
    let keep = [field(1, b"keepdims"), number(3, 1), number(20, 2)].concat();
    let sum = node("ReduceMax", &["X"], &["S"], &[ints("axes", &[0]), keep]);
    let mut mixing =
        OnnxMlModel::from_bytes(&model(&[sum, node("Add", &["X", "S"], &["Y"], &[])])).unwrap();
    assert_eq!(mixing.chunk, 1);
    let scores = mixing.run(&rows(&[1.0, 2.0, 10.0, 20.0])).unwrap();
    assert_eq!(scores.values(), [2.0, 4.0, 20.0, 40.0]);
}

/// The value of a constant that holds a shape.
fn shape(dims: &[u64]) -> Vec<u8> {
    let packed: Vec<u8> = dims.iter().flat_map(|dim| varint(*dim)).collect();
    let tensor = [
        number(1, dims.len() as i64),
        number(2, 7),
        field(7, &packed),
    ]
    .concat();
    [field(1, b"value"), field(5, &tensor), number(20, 4)].concat()
}

#[test]
fn many_values_that_are_huge_together_are_refused() {
    let nodes = [
        node("Constant", &[], &["S"], &[shape(&[1 << 24])]),
        node("ConstantOfShape", &["S"], &["A"], &[]),
        node("Identity", &["A"], &["B"], &[]),
        node("Identity", &["B"], &["C"], &[]),
        node("Identity", &["C"], &["D"], &[]),
        node("Identity", &["D"], &["E"], &[]),
        node("ReduceMax", &["E"], &["F"], &[]),
        node("Add", &["X", "F"], &["Y"], &[]),
    ];
    let mut huge = OnnxMlModel::from_bytes(&model(&nodes)).unwrap();
    let error = huge.run(&rows(&[1.0, 2.0])).unwrap_err();
    assert!(error.to_string().contains("too much memory"), "{error}");
}

#[test]
fn a_value_that_would_be_huge_is_refused() {
    let nodes = [
        node("Constant", &[], &["S"], &[shape(&[1 << 40, 1 << 40])]),
        node("ConstantOfShape", &["S"], &["F"], &[]),
        node("Add", &["X", "F"], &["Y"], &[]),
    ];
    let mut huge = OnnxMlModel::from_bytes(&model(&nodes)).unwrap();
    let error = huge.run(&rows(&[1.0, 2.0])).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
}

#[test]
fn of_two_classes_that_both_have_weights_the_larger_wins() {
    let attributes = [
        ints("nodes_treeids", &[0, 0, 0]),
        ints("nodes_nodeids", &[0, 1, 2]),
        ints("nodes_featureids", &[0, 0, 0]),
        floats("nodes_values", &[0.5, 0.0, 0.0]),
        texts("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"]),
        ints("nodes_truenodeids", &[1, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 0]),
        ints("class_treeids", &[0, 0, 0, 0]),
        ints("class_nodeids", &[1, 1, 2, 2]),
        ints("class_ids", &[0, 1, 0, 1]),
        floats("class_weights", &[0.75, 0.25, 0.25, 0.75]),
        ints("classlabels_int64s", &[10, 11]),
    ];
    let vote = |outputs: &[&str]| {
        let bytes = model(&[node(
            "ai.onnx.ml:TreeEnsembleClassifier",
            &["X"],
            outputs,
            &attributes,
        )]);
        let mut model = OnnxMlModel::from_bytes(&bytes).unwrap();
        model
            .run(&rows(&[0.0, 0.0, 1.0, 0.0]))
            .unwrap()
            .into_values()
    };
    assert_eq!(vote(&["Y"]), [10.0, 11.0]);
    assert_eq!(vote(&["labels", "Y"]), [0.75, 0.25, 0.25, 0.75]);
}
