use proptest::prelude::*;

use super::*;
use crate::protocol::{Parameter, TensorData};

fn decode(body: &str) -> Result<InferRequest, String> {
    decode_request(body.as_bytes(), "m", None).map_err(|error| error.to_string())
}

fn refused(body: &str, naming: &str) {
    let error = decode(body).unwrap_err();
    assert!(error.contains(naming), "{body}: {error}");
}

const INPUT: &str = r#"{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]}"#;

#[test]
fn everything_of_a_request_arrives() {
    let body = r#"{"id":"7","parameters":{"timeout":1000,"deep":true,"big":18446744073709551615,"f":0.5,"s":"é"},
        "inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"a":-1},"data":[1,2]}],
        "outputs":[{"name":"y","parameters":{"binary_data":false}}]}"#;
    let request = decode_request(body.as_bytes(), "m", Some("3")).unwrap();
    assert_eq!(
        (request.model(), request.version(), request.id()),
        ("m", Some("3"), Some("7"))
    );
    let value = |name: &str| request.parameters().get(name).cloned();
    assert_eq!(value("timeout"), Some(Parameter::Int64(1000)));
    assert_eq!(value("deep"), Some(Parameter::Bool(true)));
    assert_eq!(value("big"), Some(Parameter::Uint64(u64::MAX)));
    assert_eq!(value("f"), Some(Parameter::Double(0.5)));
    assert_eq!(value("s"), Some(Parameter::Text("é".into())));
    assert_eq!(
        request.inputs()[0].tensor().data(),
        &TensorData::Fp32(vec![1.0, 2.0])
    );
    assert_eq!(
        request.inputs()[0].parameters().get("a"),
        Some(&Parameter::Int64(-1))
    );
    assert_eq!(request.outputs()[0].name(), "y");
}

#[test]
fn keys_come_in_any_order_and_unknown_ones_are_passed_over() {
    let body = r#"{"x":{"y":[{}]},"inputs":[{"data":[[1],[2]],"zzz":[[[]]],"shape":[2,1],"datatype":"INT64","name":"\u0078"}]}"#;
    let request = decode(body).unwrap();
    assert_eq!(request.inputs()[0].tensor().name(), "x");
    assert_eq!(
        request.inputs()[0].tensor().data(),
        &TensorData::Int64(vec![1, 2])
    );
}

#[test]
fn a_key_twice_is_refused() {
    refused(
        &format!(r#"{{"inputs":[{INPUT}],"inputs":[{INPUT}]}}"#),
        "duplicate field `inputs`",
    );
    refused(
        &format!(r#"{{"inputs":[{INPUT}],"parameters":{{"a":1,"a":2}}}}"#),
        "duplicate parameter `a`",
    );
    refused(&format!(r#"{{"inputs":[{INPUT},{INPUT}]}}"#), "`x` twice");
}

#[test]
fn what_is_missing_or_of_another_kind_is_named() {
    refused("{}", "inputs");
    refused("[]", "an object");
    refused("", "JSON");
    refused(r#"{"inputs":[["x","FP32",[1],{},[1]]]}"#, "an object");
    refused(
        r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32"}]}"#,
        "tensor `x` has no `data`",
    );
    refused(
        r#"{"inputs":[{"name":"x","shape":[-1],"datatype":"FP32","data":[1]}]}"#,
        "tensor `x` has a negative",
    );
    refused(
        r#"{"inputs":[{"name":"x","shape":[1],"datatype":"F32","data":[1]}]}"#,
        "tensor `x`: there is no datatype `F32`",
    );
    refused(
        r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[null]}]}"#,
        "tensor `x` holds `null`",
    );
    refused(
        r#"{"inputs":[],"parameters":{"a":[1]}}"#,
        "a truth value, a number or a string",
    );
    refused(
        r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}"#,
        "Inference-Header-Content-Length",
    );
    refused(
        r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"shared_memory_region":"r"},"data":[1]}]}"#,
        "shared_memory_region",
    );
    refused(&format!(r#"{{"inputs":[{INPUT}]}} x"#), "trailing");
}

#[test]
fn nan_and_infinity_are_explained() {
    for word in ["NaN", "Infinity", "-Infinity"] {
        let body = format!(
            "{{\"inputs\":[{{\"name\":\"x\",\n\"shape\":[2],\"datatype\":\"FP32\",\"data\":[1,{word}]}}]}}"
        );
        refused(&body, "no NaN and no Infinity");
    }
}

#[test]
fn nesting_bombs_are_refused_without_recursion() {
    let deep = "[".repeat(200_000);
    refused(&format!(r#"{{"inputs":{deep}"#), "JSON");
    refused(&format!(r#"{{"unknown":{deep}"#), "JSON");
    let closed = format!("{deep}{}", "]".repeat(200_000));
    refused(
        &format!(r#"{{"inputs":[{{"name":"x","shape":[1],"datatype":"FP32","data":{closed}}}]}}"#),
        "`x`",
    );
    refused(
        &format!(r#"{{"inputs":[],"parameters":{{"a":{closed}}}}}"#),
        "a truth value",
    );
}

#[test]
fn a_crowd_of_tensors_is_refused() {
    let inputs: Vec<String> = (0..2000)
        .map(|index| INPUT.replace("\"x\"", &format!("\"{index}\"")))
        .collect();
    refused(
        &format!(r#"{{"inputs":[{}]}}"#, inputs.join(",")),
        "at most `1024`",
    );
}

proptest! {
    #[test]
    fn every_truncation_is_an_error(length in 0_usize..200) {
        let body = format!(r#"{{"id":"é","inputs":[{INPUT}],"outputs":[{{"name":"y"}}]}}"#);
        if let Some(cut) = body.as_bytes().get(..length).filter(|cut| cut.len() < body.len()) {
            prop_assert!(decode_request(cut, "m", None).is_err());
        }
    }

    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..100), at in 0_usize..100, byte in any::<u8>()) {
        let _ = decode_request(&body, "m", None);
        let mut near = format!(r#"{{"inputs":[{INPUT}]}}"#).into_bytes();
        if let Some(place) = near.get_mut(at) {
            *place = byte;
        }
        let _ = decode_request(&near, "m", None);
    }
}
