use proptest::prelude::*;

use super::*;
use crate::protocol::tensor::tests::any_tensor;

fn read(datatype: DataType, shape: &[u64], text: &str) -> Result<TensorData, String> {
    tensor("x".into(), datatype, shape.to_vec(), text)
        .map(Tensor::into_data)
        .map_err(|error| error.to_string())
}

#[test]
fn flat_and_nested_arrays_hold_the_same() {
    let expected = Ok(TensorData::Fp32(vec![1.0, -2.5, 3e2, 0.0]));
    assert_eq!(read(DataType::Fp32, &[2, 2], "[1, -2.5,\n3e2,0]"), expected);
    assert_eq!(
        read(DataType::Fp32, &[2, 2], "[[1, -2.5],[3e2 ,0]]"),
        expected
    );
    assert_eq!(
        read(DataType::Fp32, &[2, 1, 2], " [[[1,-2.5]],[[3e2,0]] ]"),
        expected
    );
}

#[test]
fn a_nesting_that_is_not_the_shape_is_refused() {
    for text in [
        "[[1,2,3],[4]]",
        "[[1],[2],[3],[4]]",
        "[[[1,2]],[[3,4]]]",
        "[[1,2],3,4]",
        "[1,2,[3,4]]",
        "[[1,2],[3,4],[]]",
        "[[1,2,3,4]]",
        "[[[[[[[[[[1,2,3,4]]]]]]]]]]",
    ] {
        let error = read(DataType::Fp32, &[2, 2], text).unwrap_err();
        assert!(error.contains("`x`"), "{text}: {error}");
    }
    let deep = format!("{}1{}", "[".repeat(9), "]".repeat(9));
    assert!(read(DataType::Fp32, &[1; 9], &deep).is_err());
    assert!(read(DataType::Fp32, &[1; 9], "[1]").is_ok());
}

#[test]
fn a_wrong_number_of_elements_is_refused() {
    for text in ["[]", "[1]", "[1,2,3]"] {
        let error = read(DataType::Int32, &[2], text).unwrap_err();
        assert!(error.contains("`2` elements"), "{error}");
    }
}

#[test]
fn nothing_but_the_datatype_is_taken() {
    for (datatype, text) in [
        (DataType::Fp32, "[null]"),
        (DataType::Fp32, "[\"1\"]"),
        (DataType::Fp32, "[true]"),
        (DataType::Fp32, "[{\"a\":[1]}]"),
        (DataType::Fp32, "[1e40]"),
        (DataType::Fp64, "[1e400]"),
        (DataType::Int8, "[128]"),
        (DataType::Int8, "[1.0]"),
        (DataType::Uint8, "[-1]"),
        (DataType::Uint64, "[18446744073709551616]"),
        (DataType::Bool, "[1]"),
        (DataType::Bytes, "[1]"),
        (DataType::Fp16, "[1]"),
        (DataType::Fp32, "1"),
        (DataType::Fp32, "{}"),
        (DataType::Fp32, "null"),
    ] {
        let error = read(datatype, &[1], text).unwrap_err();
        assert!(error.contains("`x`"), "{datatype} {text}: {error}");
    }
}

#[test]
fn the_ends_of_the_ranges_are_taken() {
    let largest = "[18446744073709551615]";
    assert_eq!(
        read(DataType::Uint64, &[1], largest),
        Ok(TensorData::Uint64(vec![u64::MAX]))
    );
    assert_eq!(
        read(DataType::Int8, &[2], "[-128,127]"),
        Ok(TensorData::Int8(vec![-128, 127]))
    );
    // `f32::MAX` as Python's `float(numpy.finfo("f4").max)` prints it.
    let expected = Ok(TensorData::Fp32(vec![f32::MAX]));
    assert_eq!(
        read(DataType::Fp32, &[1], "[3.4028234663852886e+38]"),
        expected
    );
}

#[test]
fn strings_keep_their_escapes_brackets_and_commas() {
    let text = r#"["a,]\"b", "\\", "ü\u00e9", ""]"#;
    let expected = ["a,]\"b", "\\", "üé", ""].map(|text| text.as_bytes().to_vec());
    assert_eq!(
        read(DataType::Bytes, &[4], text),
        Ok(TensorData::Bytes(expected.to_vec()))
    );
}

#[test]
fn a_shape_larger_than_the_text_reserves_nothing() {
    assert!(read(DataType::Fp64, &[1 << 60], "[1]").is_err());
    assert!(read(DataType::Fp64, &[1 << 40, 1 << 40], "[1]").is_err());
}

#[test]
fn a_long_wrong_value_is_shown_in_part() {
    let error = read(DataType::Fp32, &[1], &format!("[{}]", "9".repeat(1000))).unwrap_err();
    assert!(error.len() < 300, "{error}");
}

proptest! {
    #[test]
    fn what_serde_writes_reads_back(values in prop::collection::vec(any::<f32>(), 0..40)) {
        let values: Vec<f32> = values.into_iter().filter(|value| value.is_finite()).collect();
        let text = serde_json::to_string(&values).unwrap();
        let read = read(DataType::Fp32, &[values.len() as u64], &text);
        prop_assert_eq!(read, Ok(TensorData::Fp32(values)));
    }

    #[test]
    fn any_text_is_an_error_or_a_tensor(text in ".{0,40}", tensor in any_tensor()) {
        let _ = read(tensor.datatype(), tensor.shape(), &text);
    }
}
