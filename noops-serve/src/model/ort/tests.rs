use noops_core::{Column, conformance};

use super::*;

const OPEN: &[u8] = include_bytes!("../../../testdata/neural/mlp_open.onnx");
const FIXED: &[u8] = include_bytes!("../../../testdata/neural/mlp_fixed.onnx");

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

/// The library of this machine, where it has one.
fn library() -> Option<OrtLibrary> {
    if std::env::var_os(OrtLibrary::VARIABLE).is_none() {
        #[expect(
            clippy::print_stderr,
            reason = "who runs the tests should know what did not run"
        )]
        {
            eprintln!("skipped: `{}` names no ONNX Runtime", OrtLibrary::VARIABLE);
        }
        return None;
    }
    Some(OrtLibrary::from_environment().unwrap())
}

#[test]
fn scores_are_those_of_the_runtime_and_the_contract_is_kept() {
    let Some(library) = library() else { return };
    // `onnxruntime.InferenceSession("mlp_open.onnx").run(["p"], {"x": rows})`, by `testdata/neural/make.py`.
    let expected = [
        0.786_109_7,
        0.213_890_34,
        0.313_300_46,
        0.686_699_57,
        0.559_524_06,
        0.440_475_94,
        0.202_697_71,
        0.797_302_3,
    ];
    for bytes in [OPEN, FIXED] {
        let mut model = OrtModel::from_bytes(&library, bytes).unwrap();
        let scores = model.run(&batch()).unwrap();
        for (found, expected) in scores.values().iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-6,
                "{model:?}: {found} {expected}"
            );
        }
        conformance::executor::all(&mut model, &batch());
        let mut replica = model.replica().unwrap();
        conformance::executor::all(replica.as_mut(), &batch());
        assert_eq!(replica.run(&batch()).unwrap(), scores);
    }
}

#[test]
fn malformed_bytes_and_other_columns_are_refused() {
    let Some(library) = library() else { return };
    for bytes in [&[][..], b"this is not a model", &[0xff; 1_000]] {
        let error = OrtModel::from_bytes(&library, bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
    let mut model = OrtModel::from_bytes(&library, OPEN).unwrap();
    let narrow = Batch::new(vec![Column::Number(vec![1.0])]).unwrap();
    assert_eq!(model.run(&narrow).unwrap_err().kind(), ErrorKind::Invalid);
    assert!(model.run(&batch()).is_ok());
}

#[test]
fn a_library_that_is_not_there_is_named() {
    let error = OrtLibrary::load("/nowhere/libonnxruntime.so").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().contains("/nowhere/libonnxruntime.so"),
        "{error}"
    );
}

#[test]
fn the_library_of_a_process_is_loaded_once() {
    let Some(library) = library() else { return };
    assert_eq!(
        OrtLibrary::load(library.path()).unwrap().path(),
        library.path()
    );
    let other = OrtLibrary::load(std::env::current_exe().unwrap());
    assert_eq!(other.unwrap_err().kind(), ErrorKind::Conflict);
}
