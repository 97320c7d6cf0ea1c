//! Models that the libraries wrote, with rows and what the libraries predicted for them; `testdata/tree/make.py` made all of it.

use std::path::PathBuf;

use super::TreeModel;

/// Rows and what the library predicted for them.
#[derive(Debug, serde::Deserialize)]
struct Expected {
    rows: Vec<Vec<Option<f32>>>,
    scores: Vec<Vec<f64>>,
}

/// A file of the fixtures.
pub(super) fn bytes(file: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/tree");
    std::fs::read(folder.join(file)).unwrap()
}

/// The rows of a fixture, one behind the other, and their number of values.
pub(super) fn rows(name: &str) -> (Vec<f32>, usize) {
    let expected = expected(name);
    let width = expected.rows[0].len();
    let rows = expected.rows.iter().flatten();
    (rows.map(|value| value.unwrap_or(f32::NAN)).collect(), width)
}

/// The largest difference from the library, relative to scores above one.
pub(super) fn difference(name: &str, model: &TreeModel) -> f64 {
    let (rows, width) = rows(name);
    let expected = expected(name);
    let mut scores = Vec::new();
    model.forest().score(&rows, width, &mut scores).unwrap();
    let outputs = expected.scores[0].len();
    assert_eq!(model.outputs(), outputs, "{name}");
    assert_eq!(scores.len(), expected.scores.len() * outputs, "{name}");
    let pairs = scores.iter().zip(expected.scores.iter().flatten());
    pairs
        .map(|(&score, &expected)| (f64::from(score) - expected).abs() / expected.abs().max(1.0))
        .fold(0.0, f64::max)
}

fn expected(name: &str) -> Expected {
    serde_json::from_slice(&bytes(&format!("{name}.expected.json"))).unwrap()
}

/// How close the scores must come.
pub(super) const TOLERANCE: f64 = 1e-6;
