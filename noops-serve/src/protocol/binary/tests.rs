use proptest::prelude::*;

use super::*;
use crate::protocol::tensor::tests::any_tensor;
use crate::protocol::{Code, InputTensor, RequestedOutput, TensorData};

fn header(tensors: &[(&str, &Tensor)]) -> String {
    let inputs = tensors.iter().map(|(name, tensor)| {
        format!(
            r#"{{"name":"{name}","shape":{:?},"datatype":"{}","parameters":{{"binary_data_size":{}}}}}"#,
            tensor.shape(),
            tensor.datatype(),
            tensor.raw_len()
        )
    });
    format!(r#"{{"inputs":[{}]}}"#, inputs.collect::<Vec<_>>().join(","))
}

fn decode(header: &str, blobs: &[u8]) -> Result<InferRequest, ProtocolError> {
    let body = [header.as_bytes(), blobs].concat();
    decode_request(&body, header.len(), "m", None)
}

proptest! {
    #[test]
    fn tensors_arrive_in_order(first in any_tensor(), second in any_tensor()) {
        let header = header(&[("a", &first), ("b", &second)]);
        let blobs = [first.raw(), second.raw()].concat();
        let request = decode(&header, &blobs).unwrap();
        prop_assert_eq!(request.inputs()[0].tensor().data(), first.data());
        prop_assert_eq!(request.inputs()[1].tensor().data(), second.data());

        let more = [blobs.clone(), vec![0]].concat();
        prop_assert!(decode(&header, &more).is_err());
        if let Some((_, fewer)) = blobs.split_first() {
            prop_assert!(decode(&header, fewer).is_err());
        }
    }

    #[test]
    fn an_answer_in_bytes_reads_back_as_a_request(tensor in any_tensor()) {
        let response = InferResponse::new("m", "1", vec![tensor.clone()]);
        let forms = OutputForms { others: Form::Binary, named: vec![] };
        let encoded = encode_response(&response, &forms).unwrap();
        let length = encoded.header_length().unwrap();
        let (header, blobs) = encoded.body().split_at(length);
        let header = std::str::from_utf8(header).unwrap().replace("\"outputs\"", "\"inputs\"");
        let request = decode(&header, blobs).unwrap();
        prop_assert_eq!(request.inputs()[0].tensor(), &tensor);
    }

    #[test]
    fn no_header_length_panics(body in prop::collection::vec(any::<u8>(), 0..80), length in any::<usize>()) {
        let _ = decode_request(&body, length, "m", None);
        let _ = decode_request(&body, length % 81, "m", None);
    }
}

#[test]
fn sizes_that_do_not_add_up_are_refused_by_name() {
    let input = |size: &str| {
        format!(
            r#"{{"inputs":[{{"name":"x","shape":[1],"datatype":"FP32","parameters":{{"binary_data_size":{size}}}}}]}}"#
        )
    };
    for size in [
        "3",
        "5",
        "-4",
        "18446744073709551615",
        "\"4\"",
        "4.0",
        "true",
    ] {
        let error = decode(&input(size), &[0; 4]).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.message().contains("`x`"), "{size}: {error}");
    }
    assert!(decode(&input("4"), &[0; 4]).is_ok());
    let error = decode_request(b"{}", 3, "m", None).unwrap_err();
    assert!(
        error.message().contains("Inference-Header-Content-Length"),
        "{error}"
    );
}

#[test]
fn data_and_bytes_for_one_tensor_are_refused() {
    let header = r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1],"parameters":{"binary_data_size":4}}]}"#;
    let error = decode(header, &[0; 4]).unwrap_err();
    assert!(error.message().contains("send one"), "{error}");
}

#[test]
fn a_request_may_mix_json_and_bytes() {
    let header = r#"{"inputs":[{"name":"a","shape":[1],"datatype":"INT8","data":[5]},
        {"name":"b","shape":[1],"datatype":"INT8","parameters":{"binary_data_size":1}}]}"#;
    let request = decode(header, &[7]).unwrap();
    assert_eq!(
        request.inputs()[0].tensor().data(),
        &TensorData::Int8(vec![5])
    );
    assert_eq!(
        request.inputs()[1].tensor().data(),
        &TensorData::Int8(vec![7])
    );
}

#[test]
fn the_output_decides_before_the_request() {
    let flag = |name: &str, value| Parameters::from([(name.to_owned(), Parameter::Bool(value))]);
    let tensor = |name: &str| Tensor::new(name, vec![1], TensorData::Fp32(vec![1.0])).unwrap();
    let request = InferRequest::new("m", vec![InputTensor::new(tensor("x"))])
        .with_parameters(flag("binary_data_output", true))
        .with_outputs(vec![
            RequestedOutput::new("json").with_parameters(flag("binary_data", false)),
            RequestedOutput::new("bytes"),
        ]);
    let forms = OutputForms::of(&request).unwrap();
    let response = InferResponse::new("m", "1", vec![tensor("json"), tensor("bytes")]);
    let encoded = encode_response(&response, &forms).unwrap();
    let (header, blobs) = encoded.body().split_at(encoded.header_length().unwrap());
    assert_eq!(blobs, 1.0_f32.to_le_bytes());
    assert!(String::from_utf8_lossy(header).contains(r#""data":[1.0]"#));

    let plain = OutputForms::of(&InferRequest::new("m", vec![])).unwrap();
    assert_eq!(
        encode_response(&response, &plain).unwrap().header_length(),
        None
    );

    let wrong = Parameters::from([("binary_data_output".to_owned(), Parameter::Int64(1))]);
    assert!(OutputForms::of(&InferRequest::new("m", vec![]).with_parameters(wrong)).is_err());
}

#[test]
fn what_is_not_finite_may_leave_as_bytes_only() {
    let output = Tensor::new("y", vec![1], TensorData::Fp32(vec![f32::NAN])).unwrap();
    let response = InferResponse::new("m", "1", vec![output]);
    let forms = |others| OutputForms {
        others,
        named: vec![],
    };
    assert!(encode_response(&response, &forms(Form::Binary)).is_ok());
    assert!(encode_response(&response, &forms(Form::Json)).is_err());
}
