use noops_core::{Column, conformance};

use super::*;

const OPEN: &[u8] = include_bytes!("../../../testdata/neural/mlp_open.onnx");
const FIXED: &[u8] = include_bytes!("../../../testdata/neural/mlp_fixed.onnx");
const UNNAMED: &[u8] = include_bytes!("../../../testdata/neural/mlp_unnamed.onnx");

fn batch() -> Batch {
    let columns = [
        [0.5, 1.0, 0.0, 3.0],
        [-1.0, 0.25, 0.0, -2.0],
        [2.0, -0.75, 0.0, 1.0],
    ];
    Batch::new(
        columns
            .map(|column| Column::Number(column.to_vec()))
            .to_vec(),
    )
    .unwrap()
}

/// `onnxruntime.InferenceSession("mlp_open.onnx").run(["p"], {"x": rows})`, by `testdata/neural/make.py`.
const EXPECTED: [f32; 8] = [
    0.786_109_7,
    0.213_890_34,
    0.313_300_46,
    0.686_699_57,
    0.559_524_06,
    0.440_475_94,
    0.202_697_71,
    0.797_302_3,
];

#[test]
fn scores_are_those_of_onnx_runtime() {
    for bytes in [OPEN, FIXED, UNNAMED] {
        let mut model = TractModel::from_bytes(bytes).unwrap();
        assert_eq!(model.columns(), 3);
        let scores = model.run(&batch()).unwrap();
        assert_eq!(scores.width(), 2);
        for (found, expected) in scores.values().iter().zip(EXPECTED) {
            assert!(
                (found - expected).abs() < 1e-6,
                "{model:?}: {found} {expected}"
            );
        }
    }
}

#[test]
fn the_contract_of_an_executor_is_kept() {
    for bytes in [OPEN, FIXED, UNNAMED] {
        let mut model = TractModel::from_bytes(bytes).unwrap();
        conformance::executor::all(&mut model, &batch());
        let mut replica = model.replica().unwrap();
        conformance::executor::all(replica.as_mut(), &batch());
        assert_eq!(replica.run(&batch()).unwrap(), model.run(&batch()).unwrap());
    }
}

#[test]
fn no_batch_size_changes_a_bit() {
    for bytes in [OPEN, FIXED] {
        let mut model = TractModel::from_bytes(bytes).unwrap();
        let numbers =
            |step: f32| Column::Number((0..150).map(|row| (row as f32 * step).sin()).collect());
        let rows = Batch::new(vec![numbers(0.7), numbers(1.3), numbers(2.9)]).unwrap();
        let together = model.run(&rows).unwrap();
        for row in 0..150 {
            let alone = model.run(&rows.take(&[row])).unwrap();
            assert_eq!(alone.row(0), together.row(row), "row {row}");
        }
    }
}

#[test]
fn other_columns_are_refused_and_the_model_goes_on() {
    let mut model = TractModel::from_bytes(OPEN).unwrap();
    let narrow = Batch::new(vec![Column::Number(vec![1.0])]).unwrap();
    assert_eq!(model.run(&narrow).unwrap_err().kind(), ErrorKind::Invalid);
    assert!(model.run(&batch()).is_ok());
}

#[test]
fn malformed_bytes_are_no_reason_to_panic() {
    let kind = |bytes: &[u8]| TractModel::from_bytes(bytes).unwrap_err().kind();
    for bytes in [&[][..], b"this is not a model", &[0xff; 1_000], &[0; 64]] {
        assert_eq!(kind(bytes), ErrorKind::Corrupt, "{bytes:?}");
    }
    for length in (0..OPEN.len()).step_by(7) {
        // Some parts of a graph are a graph, only not one that makes sense.
        assert!(
            TractModel::from_bytes(&OPEN[..length]).is_err(),
            "{length} bytes"
        );
    }
    for place in (0..OPEN.len()).step_by(5) {
        let mut bytes = OPEN.to_vec();
        bytes[place] ^= 0x55;
        let _ = TractModel::from_bytes(&bytes);
    }
}
