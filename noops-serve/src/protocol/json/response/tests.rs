use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::protocol::tensor::tests::any_tensor;
use crate::protocol::{DataType, json};

fn answer(data: TensorData) -> Result<String, ProtocolError> {
    let shape = vec![data.len() as u64];
    let response = InferResponse::new("m", "1", vec![Tensor::new("y", shape, data)?]);
    encode_response(&response).map(|body| String::from_utf8(body).unwrap())
}

#[test]
fn the_answer_has_tritons_order_of_keys() {
    let output = Tensor::new("y", vec![1], TensorData::Int32(vec![5])).unwrap();
    let parameters = Parameters::from([("a\"".to_owned(), Parameter::Text("\n".into()))]);
    let response = InferResponse::new("m", "1", vec![output])
        .with_id("q")
        .with_parameters(parameters);
    let body = String::from_utf8(encode_response(&response).unwrap()).unwrap();
    assert_eq!(
        body,
        r#"{"id":"q","model_name":"m","model_version":"1","parameters":{"a\"":"\n"},"outputs":[{"name":"y","datatype":"INT32","shape":[1],"data":[5]}]}"#
    );
}

#[test]
fn a_number_that_is_not_finite_is_an_error_and_never_null() {
    for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = answer(TensorData::Fp32(vec![1.0, wrong])).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        let error = answer(TensorData::Fp64(vec![f64::from(wrong)])).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
    }
}

#[test]
fn what_json_cannot_hold_is_offered_as_binary() {
    for data in [
        TensorData::Fp16(vec![0]),
        TensorData::Bytes(vec![vec![0xff]]),
    ] {
        let error = answer(data).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.message().contains("binary_data"), "{error}");
    }
    assert!(
        answer(TensorData::Bytes(vec!["ü\"".into()]))
            .unwrap()
            .ends_with(r#""data":["ü\""]}]}"#)
    );
}

proptest! {
    #[test]
    fn an_answer_reads_back_as_a_request_would(tensor in any_tensor()) {
        let response = InferResponse::new("m", "1", vec![tensor.clone()]);
        let Ok(body) = encode_response(&response) else {
            prop_assert!(matches!(tensor.datatype(), DataType::Fp16 | DataType::Bytes));
            return Ok(());
        };
        let answer: Value = serde_json::from_slice(&body).unwrap();
        prop_assert_eq!(answer["model_name"].as_str(), Some("m"));
        let question = String::from_utf8(body).unwrap().replace("\"outputs\"", "\"inputs\"");
        let read = json::decode_request(question.as_bytes(), "m", None).unwrap();
        prop_assert_eq!(read.inputs()[0].tensor(), &tensor);
    }
}
