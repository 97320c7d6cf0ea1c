//! Which metadata fits which contract.

use noops_core::{Feature, FeatureRule, OutputRule, Remedy};
use serde_json::{Value, json};

use super::*;

fn contract() -> Contract {
    Contract::new(
        [
            FeatureRule::strict(Feature::number("age")),
            FeatureRule::strict(Feature::category("country", ["de".into(), "se".into()]))
                .with_outside(Remedy::Allow),
        ],
        OutputRule::numbers(2).unwrap(),
    )
    .unwrap()
}

fn batch() -> Batch {
    Batch::new(vec![
        Column::Number(vec![1.0, 2.0]),
        Column::Category(vec![2, 0]),
    ])
    .unwrap()
}

fn tensor(name: &str, datatype: &str, shape: &[i64]) -> Value {
    json!({"name": name, "datatype": datatype, "shape": shape})
}

fn bind(inputs: &[Value], outputs: &[Value], output: Option<&str>) -> Result<Binding, Error> {
    let text = json!({"name": "m", "inputs": inputs, "outputs": outputs}).to_string();
    Binding::new(&model(text.as_bytes())?, &contract(), output)
}

fn good_output() -> Vec<Value> {
    vec![tensor("y", "FP32", &[-1, 2])]
}

#[test]
fn a_matrix_has_categories_as_numbers() {
    let binding = bind(&[tensor("x", "FP64", &[-1, 2])], &good_output(), None).unwrap();
    let inputs = binding.inputs(&batch()).unwrap();
    assert_eq!(inputs[0].tensor().shape(), [2, 2]);
    let TensorData::Fp64(values) = inputs[0].tensor().data() else {
        panic!("the datatype of the metadata is used");
    };
    assert_eq!(values[..3], [1.0, 1.0, 2.0]);
    assert!(values[3].is_nan());
}

#[test]
fn a_tensor_per_feature_has_the_form_that_the_server_describes() {
    for (datatype, expected) in [
        ("BYTES", TensorData::Bytes(vec![b"se".to_vec(), vec![]])),
        ("INT32", TensorData::Int32(vec![1, -1])),
        ("INT64", TensorData::Int64(vec![1, -1])),
    ] {
        // In another order than the contract's.
        let inputs = [
            tensor("country", datatype, &[-1, 1]),
            tensor("age", "FP32", &[-1]),
        ];
        let sent = bind(&inputs, &good_output(), None)
            .unwrap()
            .inputs(&batch())
            .unwrap();
        assert_eq!(sent[0].tensor().name(), "age");
        assert_eq!(sent[0].tensor().shape(), [2]);
        assert_eq!(sent[1].tensor().shape(), [2, 1]);
        assert_eq!(sent[1].tensor().data(), &expected);
    }
}

#[test]
fn inputs_that_do_not_fit_are_refused_by_name() {
    let age = || tensor("age", "FP32", &[-1]);
    for (inputs, said) in [
        (vec![], "feature `age`"),
        (
            vec![tensor("x", "FP32", &[-1, 3])],
            "another number of features",
        ),
        (vec![tensor("x", "INT32", &[-1, 2])], "must be FP32 or FP64"),
        (vec![tensor("x", "FP32", &[8, 2])], "first dimension"),
        (vec![age()], "feature `country`"),
        (
            vec![age(), tensor("country", "BOOL", &[-1])],
            "a category must be",
        ),
        (
            vec![age(), tensor("country", "BYTES", &[-1, 2])],
            "one value for each row",
        ),
        (
            vec![age(), tensor("country", "BYTES", &[])],
            "first dimension",
        ),
        (vec![age(), tensor("city", "BYTES", &[-1])], "tensor `city`"),
        (
            vec![
                tensor("age", "INT64", &[-1]),
                tensor("country", "BYTES", &[-1]),
            ],
            "a number must be FP32 or FP64",
        ),
    ] {
        let error = bind(&inputs, &good_output(), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(said), "{error} lacks {said}");
    }
}

#[test]
fn outputs_that_do_not_fit_are_refused() {
    let inputs = [tensor("x", "FP32", &[-1, 2])];
    let named = |name| tensor(name, "FP32", &[-1, 2]);
    for (outputs, output, said) in [
        (vec![], None, "describes no output"),
        (vec![named("a"), named("b")], None, "`a, b`"),
        (vec![named("a")], Some("b"), "no such output"),
        (vec![tensor("y", "FP32", &[-1, 3])], None, "another width"),
        (vec![tensor("y", "FP32", &[-1])], None, "another width"),
        (
            vec![tensor("y", "FP32", &[-1, 2, 1])],
            None,
            "another width",
        ),
        (
            vec![tensor("y", "BYTES", &[-1, 2])],
            None,
            "must be numbers",
        ),
        (vec![tensor("y", "FP32", &[4, 2])], None, "first dimension"),
    ] {
        let error = bind(&inputs, &outputs, output).unwrap_err();
        assert!(error.to_string().contains(said), "{error} lacks {said}");
    }
    let both = [named("a"), named("b")];
    assert_eq!(bind(&inputs, &both, Some("b")).unwrap().output(), "b");
}

#[test]
fn metadata_of_something_else_is_refused() {
    for text in [
        "",
        "7",
        "<html>",
        r#"{"inputs": [{"name": "x"}]}"#,
        r#"{"inputs": 7}"#,
    ] {
        assert!(model(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_batch_of_other_columns_is_refused() {
    let inputs = [
        tensor("age", "FP32", &[-1]),
        tensor("country", "BYTES", &[-1]),
    ];
    let binding = bind(&inputs, &good_output(), None).unwrap();
    let foreign = Batch::new(vec![Column::Number(vec![1.0])]).unwrap();
    assert!(binding.inputs(&foreign).is_err());
}
