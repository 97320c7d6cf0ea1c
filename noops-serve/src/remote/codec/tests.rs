//! What the client writes and reads.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::protocol::{
    InferRequest, InputTensor, Parameter, Parameters, RequestedOutput, Tensor, TensorData,
};

fn tensor(data: TensorData) -> Tensor {
    Tensor::new("x", vec![data.len() as u64], data).unwrap()
}

fn request(data: TensorData) -> InferRequest {
    InferRequest::new("m", vec![InputTensor::new(tensor(data))])
        .with_id("7")
        .with_parameters(Parameters::from([(
            "timeout".to_owned(),
            Parameter::Uint64(1_500),
        )]))
        .with_outputs(vec![RequestedOutput::new("y")])
}

/// An answer in JSON with one output.
fn answer(datatype: &str, shape: &[u64], data: &str) -> String {
    format!(
        r#"{{"model_name":"m","model_version":"1","outputs":[{{"name":"y","data":{data},"shape":{shape:?},"datatype":"{datatype}"}}]}}"#
    )
}

#[test]
fn a_json_request_is_the_one_of_the_specification() {
    let encoded = encode(&request(TensorData::Fp32(vec![0.1, f32::NAN])), Wire::Json);
    assert_eq!(encoded.header, None);
    let mut body: Value = serde_json::from_slice(&encoded.body).unwrap();
    // The nearest single precision number of 0.1 is written so that it reads back as itself.
    let data = body["inputs"][0]["data"].take();
    assert_eq!(data[0].as_f64().unwrap() as f32, 0.1);
    assert_eq!(data[1], Value::Null);
    assert_eq!(
        body,
        json!({
            "id": "7",
            "parameters": {"timeout": 1500},
            "inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": null}],
            "outputs": [{"name": "y"}],
        })
    );
}

#[test]
fn a_binary_request_has_its_tensors_behind_the_json() {
    let encoded = encode(&request(TensorData::Fp32(vec![1.0, -2.0])), Wire::Binary);
    let (json, rest) = encoded.body.split_at(encoded.header.unwrap());
    assert_eq!(
        serde_json::from_slice::<Value>(json).unwrap(),
        json!({
            "id": "7",
            "parameters": {"timeout": 1500},
            "inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}],
            "outputs": [{"name": "y", "parameters": {"binary_data": true}}],
        })
    );
    assert_eq!(rest, [0, 0, 128, 63, 0, 0, 0, 192]);
}

#[test]
fn lists_in_lists_are_read_row_by_row() {
    let flat = decode(answer("FP32", &[2, 2], "[1,2.5,-3,4]").as_bytes(), None).unwrap();
    let nested = decode(answer("FP32", &[2, 2], "[[1,2.5],[-3,4]]").as_bytes(), None).unwrap();
    assert_eq!(flat, nested);
    assert_eq!(
        flat.outputs()[0].data(),
        &TensorData::Fp32(vec![1.0, 2.5, -3.0, 4.0])
    );
}

#[test]
fn a_null_is_a_missing_number() {
    let read = decode(answer("FP64", &[1], "[null]").as_bytes(), None).unwrap();
    let TensorData::Fp64(values) = read.outputs()[0].data() else {
        panic!("the datatype is kept");
    };
    assert!(values[0].is_nan());
}

#[test]
fn elements_of_another_type_are_refused() {
    for (datatype, data) in [
        ("FP32", r#"["1"]"#),
        ("FP32", "[true]"),
        ("INT32", "[1.5]"),
        ("INT32", "[2147483648]"),
        ("UINT8", "[-1]"),
        ("INT64", "[null]"),
        ("BOOL", "[1]"),
        ("BYTES", "[1]"),
        ("FP32", "[{}]"),
        ("FP32", "7"),
        ("FP128", "[1]"),
    ] {
        let body = answer(datatype, &[1], data);
        assert!(decode(body.as_bytes(), None).is_err(), "{body}");
    }
}

#[test]
fn a_shape_that_the_elements_do_not_fill_is_refused() {
    for shape in [&[3][..], &[1, 3], &[], &[u64::MAX, u64::MAX], &[0]] {
        let body = answer("FP32", shape, "[1,2]");
        assert!(decode(body.as_bytes(), None).is_err(), "{body}");
    }
}

#[test]
fn binary_outputs_take_exactly_the_bytes_behind_the_json() {
    let json = |size: &str| {
        format!(
            r#"{{"outputs":[{{"name":"y","datatype":"FP32","shape":[1],"parameters":{{"binary_data_size":{size}}}}}]}}"#
        )
    };
    let read = |size: &str, bytes: &[u8]| {
        let head = json(size);
        decode(&[head.as_bytes(), bytes].concat(), Some(head.len()))
    };
    let good = read("4", &2.5_f32.to_le_bytes()).unwrap();
    assert_eq!(good.outputs()[0].data(), &TensorData::Fp32(vec![2.5]));
    for (size, bytes) in [
        ("4", &[0; 3][..]),
        ("4", &[0; 5]),
        ("3", &[0; 3]),
        ("-1", &[]),
        ("18446744073709551615", &[0; 4]),
        ("\"4\"", &[0; 4]),
    ] {
        assert!(read(size, bytes).is_err(), "{size} {bytes:?}");
    }
    assert!(decode(json("4").as_bytes(), Some(usize::MAX)).is_err());
}

#[test]
fn a_text_of_nothing_but_brackets_is_refused() {
    let body = answer("FP32", &[1], &"[".repeat(1 << 20));
    assert!(decode(body.as_bytes(), None).is_err());
}

#[test]
fn half_precision_is_read_exactly() {
    // Values of the table in IEEE 754: one, the largest, the smallest normal and subnormal, and the special ones.
    for (bits, value) in [
        (0x3c00, 1.0),
        (0xc000, -2.0),
        (0x7bff, 65_504.0),
        (0x0400, 2_f32.powi(-14)),
        (0x0001, 2_f32.powi(-24)),
        (0x3555, 0.333_251_95),
        (0x7c00, f32::INFINITY),
        (0xfc00, f32::NEG_INFINITY),
    ] {
        assert_eq!(elements::half(bits), value);
    }
    assert!(elements::half(0x7e00).is_nan());
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer_or_an_error(body in proptest::collection::vec(any::<u8>(), 0..200), header in proptest::option::of(0..300_usize)) {
        let _ = decode(&body, header);
    }

    #[test]
    fn a_broken_answer_is_an_error(cut in 0..100_usize) {
        let body = answer("FP32", &[2], "[1,2]");
        prop_assert!(decode(&body.as_bytes()[..cut.min(body.len() - 1)], None).is_err());
    }

    #[test]
    fn single_precision_survives_json(values in proptest::collection::vec(any::<f32>().prop_filter("finite", |v| v.is_finite()), 0..20)) {
        let encoded = encode(&request(TensorData::Fp32(values.clone())), Wire::Json);
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        let text = answer("FP32", &[values.len() as u64], &body["inputs"][0]["data"].to_string());
        let read = decode(text.as_bytes(), None).unwrap();
        prop_assert_eq!(read.outputs()[0].data(), &TensorData::Fp32(values));
    }
}
