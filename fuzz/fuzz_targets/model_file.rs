//! Model files: XGBoost as JSON and UBJSON, LightGBM, ONNX by the classical operators, safetensors and burnpack. What is read runs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noops_core::{Rows, Scores};
use noops_serve::model::file::load_file;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = load_file(bytes) else {
        return;
    };
    let Some(contract) = file.contract().cloned() else {
        return;
    };
    let width = contract.rules().len();
    let rows = Rows::new(2, [vec![0.0; width], vec![1.5; width]].concat(), Vec::new());
    // Of no features there are no rows.
    let Ok(rows) = rows else {
        return;
    };
    let encoded = contract.encode_rows(&rows).expect("numbers alone");
    let mut executor = file.into_executor();
    // An error is an answer; one row of scores for every row is the other.
    if let Ok(scores) = executor.run(encoded.batch()) {
        assert_eq!(scores.rows(), encoded.batch().rows());
        assert_eq!(scores.width(), contract.output().width());
        let again = executor.run(encoded.batch()).expect("it ran before");
        let bits = |scores: &Scores| {
            let values = scores.values().iter().map(|value| value.to_bits());
            values.collect::<Vec<_>>()
        };
        assert_eq!(bits(&scores), bits(&again));
    }
});
