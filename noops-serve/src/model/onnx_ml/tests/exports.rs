use std::collections::BTreeMap;
use std::path::PathBuf;

use noops_core::conformance::executor;
use noops_core::{Batch, Column, Executor};
use serde::Deserialize;

use crate::model::onnx_ml::OnnxMlModel;

/// What `testdata/onnx/make.py` wrote of one model: the rows, and every output of ONNX Runtime 1.32.
#[derive(Deserialize)]
struct Fixture {
    name: String,
    inputs: BTreeMap<String, Values>,
    outputs: BTreeMap<String, Values>,
}

#[derive(Deserialize)]
struct Values {
    shape: Vec<usize>,
    values: Vec<Option<serde_json::Value>>,
}

impl Values {
    fn numbers(&self) -> Option<Vec<f32>> {
        let number = |value: &Option<serde_json::Value>| match value {
            None => Some(f32::NAN),
            Some(serde_json::Value::Bool(value)) => Some(f32::from(u8::from(*value))),
            Some(value) => value.as_f64().map(|value| value as f32),
        };
        self.values.iter().map(number).collect()
    }

    fn texts(&self) -> Vec<String> {
        let text = |value: &Option<serde_json::Value>| value.as_ref()?.as_str().map(str::to_owned);
        self.values.iter().filter_map(text).collect()
    }
}

pub(super) fn path(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("testdata/onnx").join(name)
}

/// The fixtures of one file of the index.
fn group(name: &str) -> Vec<Fixture> {
    let index = std::fs::read(path(&format!("{name}.json"))).unwrap();
    serde_json::from_slice(&index).unwrap()
}

fn fixtures() -> Vec<Fixture> {
    ["exports", "further", "text", "operators"]
        .into_iter()
        .flat_map(group)
        .collect()
}

fn load(name: &str) -> OnnxMlModel {
    let bytes = std::fs::read(path(&format!("{name}.onnx"))).unwrap();
    OnnxMlModel::from_bytes(&bytes)
        .unwrap_or_else(|error| panic!("{name}: {error} ({:?})", std::error::Error::source(&error)))
}

/// The model with its categories, and the rows it is asked.
fn asked(fixture: &Fixture) -> (OnnxMlModel, Batch) {
    let model = load(&fixture.name);
    let (mut columns, mut categories) = (Vec::new(), Vec::new());
    for input in model.inputs() {
        let given = &fixture.inputs[input.name()];
        let width = given.shape.get(1).copied().unwrap_or(1);
        for column in 0..width {
            if let Some(numbers) = given.numbers() {
                columns.push(Column::Number(
                    numbers.into_iter().skip(column).step_by(width).collect(),
                ));
            } else {
                let texts: Vec<String> = given
                    .texts()
                    .into_iter()
                    .skip(column)
                    .step_by(width)
                    .collect();
                let mut known = texts.clone();
                known.sort();
                known.dedup();
                let code = |text| known.binary_search(text).unwrap() as u32 + 1;
                columns.push(Column::Category(texts.iter().map(code).collect()));
                categories.push(known);
            }
        }
    }
    (
        model.with_categories(categories).unwrap(),
        Batch::new(columns).unwrap(),
    )
}

/// The largest difference, relative to numbers above one.
fn difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let pairs = ours.iter().zip(theirs);
    let off = pairs.map(|(ours, theirs)| match (ours.is_nan(), theirs.is_nan()) {
        (true, true) => 0.0,
        (false, false) => (ours - theirs).abs() / theirs.abs().max(1.0),
        _ => f32::INFINITY,
    });
    off.fold(0.0, f32::max)
}

/// Compares every number of every output of a group of fixtures, and answers with how many fixtures there were.
fn compare(name: &str, tolerance: impl Fn(&str) -> f32) -> usize {
    let fixtures = group(name);
    for fixture in &fixtures {
        let (model, batch) = asked(fixture);
        for (output, theirs) in &fixture.outputs {
            // The labels of some classifiers are text, which is no score.
            let Some(theirs) = theirs.numbers() else {
                continue;
            };
            let mut model = model.clone().with_output(output).unwrap();
            let ours = model.run(&batch);
            let ours = ours.unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
            let off = difference(ours.values(), &theirs);
            assert!(
                off <= tolerance(&fixture.name),
                "`{output}` of `{}` is off by {off:e}",
                fixture.name
            );
        }
    }
    fixtures.len()
}

#[test]
fn every_one_of_the_fourteen_exports_answers_as_onnx_runtime() {
    assert_eq!(compare("exports", |_| 1e-6), 28);
}

#[test]
fn further_estimators_answer_as_onnx_runtime() {
    assert_eq!(compare("further", |_| 2e-6), 23);
}

#[test]
fn text_and_several_inputs_answer_as_onnx_runtime() {
    assert_eq!(compare("text", |_| 1e-6), 4);
}

#[test]
fn single_operators_answer_as_onnx_runtime() {
    // The approximation of the normal quantile cancels near one half, where the last bit of a logarithm is amplified.
    let tolerance = |name: &str| if name.ends_with("probit") { 2e-5 } else { 1e-6 };
    assert_eq!(compare("operators", tolerance), 39);
}

#[test]
fn every_export_keeps_the_contract_of_an_executor() {
    for fixture in fixtures() {
        let (mut model, batch) = asked(&fixture);
        executor::all(&mut model, &batch);
        let replica = model.replica().unwrap().run(&batch).unwrap();
        let bits = |scores: &noops_core::Scores| {
            scores
                .values()
                .iter()
                .map(|v| v.to_bits())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            bits(&replica),
            bits(&model.run(&batch).unwrap()),
            "{}",
            fixture.name
        );
    }
}

#[test]
fn a_batch_of_more_rows_than_run_at_once_answers_alike() {
    for fixture in fixtures()
        .iter()
        .filter(|fixture| ["rf", "svc", "t_mixed"].contains(&fixture.name.as_str()))
    {
        let (mut model, batch) = asked(fixture);
        assert_eq!(
            model.chunk,
            super::super::CHUNK,
            "{} keeps rows apart",
            fixture.name
        );
        let many: Vec<usize> = (0..batch.rows()).cycle().take(150).collect();
        let alone = model.run(&batch).unwrap();
        let together = model.run(&batch.take(&many)).unwrap();
        for (row, scores) in many.iter().zip(together.iter()) {
            assert_eq!(Some(scores), alone.row(*row));
        }
    }
}

#[test]
fn a_model_that_wants_text_says_so() {
    let model = load("t_hot");
    let batch = Batch::new(vec![Column::Category(vec![1]), Column::Category(vec![1])]).unwrap();
    let error = model.clone().run(&batch).unwrap_err();
    assert!(
        error.to_string().contains("texts of the categories"),
        "{error}"
    );
    assert!(
        model.clone().with_categories(vec![vec![]]).is_err(),
        "one list, two columns"
    );
    let numbers = Batch::new(vec![Column::Number(vec![1.0]), Column::Number(vec![1.0])]).unwrap();
    let mut model = model
        .with_categories(vec![vec!["red".into()], vec!["s".into()]])
        .unwrap();
    let error = model.run(&numbers).unwrap_err();
    assert!(error.to_string().contains("wants text"), "{error}");
}

#[test]
fn a_batch_of_another_width_is_refused() {
    let mut model = load("linreg");
    let batch = Batch::new(vec![Column::Number(vec![1.0])]).unwrap();
    let error = model.run(&batch).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot run an ONNX model: the batch has other columns than the model has inputs (columns `1`, wanted `6`)"
    );
    assert!(model.with_output("nothing").is_err());
}
