use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message;
use prost::bytes::Bytes;
use serde_json::json;

use super::super::decode_infer_request;
use super::super::generated::inference::infer_parameter::ParameterChoice;
use super::super::generated::inference::model_infer_request::InferInputTensor;
use super::super::generated::inference::{
    DataType as ConfigType, InferParameter, InferTensorContents, ModelInferRequest,
};
use super::*;
use crate::protocol::error::{Code, ProtocolError};
use crate::protocol::infer::{InferRequest, InferResponse, InputTensor};
use crate::protocol::parameter::{Parameter, Parameters};
use crate::protocol::tensor::{Tensor, TensorData};

fn input(datatype: &str, shape: &[i64]) -> InferInputTensor {
    InferInputTensor {
        name: "x".to_owned(),
        datatype: datatype.to_owned(),
        shape: shape.to_vec(),
        ..InferInputTensor::default()
    }
}

fn with_raw(input: InferInputTensor, raw: &[&[u8]]) -> ModelInferRequest {
    ModelInferRequest {
        model_name: "m".to_owned(),
        inputs: vec![input],
        raw_input_contents: raw
            .iter()
            .map(|bytes| Bytes::copy_from_slice(bytes))
            .collect(),
        ..ModelInferRequest::default()
    }
}

fn typed(datatype: &str, shape: &[i64], contents: InferTensorContents) -> ModelInferRequest {
    let mut input = input(datatype, shape);
    input.contents = Some(contents);
    with_raw(input, &[])
}

fn refusal(message: ModelInferRequest) -> String {
    let error = infer_request(message).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    error.message().to_owned()
}

fn only_data(request: &InferRequest) -> &TensorData {
    request.inputs()[0].tensor().data()
}

/// Lists of every type, as the typed contents carry them.
fn typed_data() -> impl Strategy<Value = (TensorData, InferTensorContents)> {
    fn of<T: std::fmt::Debug + Clone>(
        element: impl Strategy<Value = T>,
        data: impl Fn(Vec<T>) -> TensorData,
        contents: impl Fn(Vec<T>) -> InferTensorContents,
    ) -> impl Strategy<Value = (TensorData, InferTensorContents)> {
        prop::collection::vec(element, 0..8)
            .prop_map(move |values| (data(values.clone()), contents(values)))
    }
    let empty = InferTensorContents::default;
    let ints = move |int_contents| InferTensorContents {
        int_contents,
        ..empty()
    };
    let uints = move |uint_contents| InferTensorContents {
        uint_contents,
        ..empty()
    };
    prop_oneof![
        of(any::<bool>(), TensorData::Bool, move |bool_contents| {
            InferTensorContents {
                bool_contents,
                ..empty()
            }
        }),
        of(any::<i8>(), TensorData::Int8, move |values| ints(
            values.into_iter().map(i32::from).collect()
        )),
        of(any::<i16>(), TensorData::Int16, move |values| ints(
            values.into_iter().map(i32::from).collect()
        )),
        of(any::<i32>(), TensorData::Int32, ints),
        of(any::<i64>(), TensorData::Int64, move |int64_contents| {
            InferTensorContents {
                int64_contents,
                ..empty()
            }
        }),
        of(any::<u8>(), TensorData::Uint8, move |values| uints(
            values.into_iter().map(u32::from).collect()
        )),
        of(any::<u16>(), TensorData::Uint16, move |values| uints(
            values.into_iter().map(u32::from).collect()
        )),
        of(any::<u32>(), TensorData::Uint32, uints),
        of(any::<u64>(), TensorData::Uint64, move |uint64_contents| {
            InferTensorContents {
                uint64_contents,
                ..empty()
            }
        }),
        of(any::<f32>(), TensorData::Fp32, move |fp32_contents| {
            InferTensorContents {
                fp32_contents,
                ..empty()
            }
        }),
        of(any::<f64>(), TensorData::Fp64, move |fp64_contents| {
            InferTensorContents {
                fp64_contents,
                ..empty()
            }
        }),
        of(
            prop::collection::vec(any::<u8>(), 0..5),
            TensorData::Bytes,
            move |values| InferTensorContents {
                bytes_contents: values.into_iter().map(Bytes::from).collect(),
                ..empty()
            }
        ),
    ]
}

proptest! {
    #[test]
    fn raw_and_typed_contents_are_the_same_request((data, contents) in typed_data()) {
        let len = data.len();
        let tensor = Tensor::new("x", vec![len as u64], data).unwrap();
        let name = tensor.datatype().name();
        let expected = InferRequest::new("m", vec![InputTensor::new(tensor.clone())]);
        let raw = with_raw(input(name, &[len as i64]), &[&tensor.raw()]);
        prop_assert_eq!(decode_infer_request(&raw.encode_to_vec()), Ok(expected.clone()));
        let typed = typed(name, &[len as i64], contents);
        prop_assert_eq!(decode_infer_request(&typed.encode_to_vec()), Ok(expected));
    }

    #[test]
    fn an_answer_carries_each_output_raw_and_in_order((data, _) in typed_data()) {
        let len = data.len() as u64;
        let tensor = Tensor::new("y", vec![1, len], data).unwrap();
        let response = InferResponse::new("m", "3", vec![tensor.clone(), tensor.clone()]).with_id("7");
        let message = infer_response(&response).unwrap();
        prop_assert_eq!((message.model_version.as_str(), message.id.as_str()), ("3", "7"));
        prop_assert_eq!(message.outputs.len(), 2);
        for (output, raw) in message.outputs.iter().zip(&message.raw_output_contents) {
            prop_assert_eq!(&output.shape, &[1, len as i64]);
            let datatype = output.datatype.parse().unwrap();
            let read = Tensor::from_raw("y", datatype, vec![1, len], raw).unwrap();
            prop_assert_eq!(&read, &tensor);
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = decode_infer_request(&bytes) {
            prop_assert!(matches!(error.code(), Code::InvalidArgument | Code::Unimplemented));
        }
    }

    #[test]
    fn a_damaged_message_is_answered(at in 0_usize..60, byte in any::<u8>(), cut in 0_usize..60) {
        let raw = [1_u8; 16];
        let mut bytes = with_raw(input("FP32", &[2, 2]), &[&raw]).encode_to_vec();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut));
        if let Ok(request) = decode_infer_request(&bytes) {
            for input in request.inputs() {
                let elements: u64 = input.tensor().shape().iter().product();
                prop_assert_eq!(elements, input.tensor().data().len() as u64);
            }
        }
    }
}

#[test]
fn names_ids_versions_and_parameters_come_through() {
    let parameter = |choice| InferParameter {
        parameter_choice: Some(choice),
    };
    let message = ModelInferRequest {
        model_version: "2".to_owned(),
        id: "a".to_owned(),
        parameters: BTreeMap::from([
            (
                "priority".to_owned(),
                parameter(ParameterChoice::Uint64Param(1)),
            ),
            (
                "timeout".to_owned(),
                parameter(ParameterChoice::Int64Param(500)),
            ),
        ]),
        ..with_raw(input("FP32", &[1]), &[&1.5_f32.to_le_bytes()])
    };
    let request = infer_request(message).unwrap();
    assert_eq!(
        (request.model(), request.version(), request.id()),
        ("m", Some("2"), Some("a"))
    );
    let expected: Parameters = [
        ("priority".to_owned(), Parameter::Uint64(1)),
        ("timeout".to_owned(), Parameter::Int64(500)),
    ]
    .into();
    assert_eq!(request.parameters(), &expected);
    assert_eq!(only_data(&request), &TensorData::Fp32(vec![1.5]));
}

#[test]
fn raw_bytes_that_do_not_fill_the_shape_are_refused() {
    for len in [0, 4, 15, 17, 20] {
        let message = refusal(with_raw(input("FP32", &[2, 2]), &[&vec![0; len]]));
        assert!(message.contains("`x`"), "{message}");
    }
    let huge = refusal(with_raw(input("FP32", &[i64::MAX, i64::MAX]), &[&[0; 4]]));
    assert!(huge.contains("`x`"), "{huge}");
}

#[test]
fn strings_of_wrong_lengths_are_refused() {
    for raw in [
        &[2, 0, 0, 0, b'a'][..],
        &[1, 0, 0],
        &[255; 4],
        &[1, 0, 0, 0, b'a', 0],
    ] {
        refusal(with_raw(input("BYTES", &[1]), &[raw]));
    }
    let request = infer_request(with_raw(input("BYTES", &[1]), &[&[1, 0, 0, 0, b'a']])).unwrap();
    assert_eq!(only_data(&request), &TensorData::Bytes(vec![b"a".to_vec()]));
}

#[test]
fn raw_and_typed_contents_do_not_mix() {
    let contents = InferTensorContents {
        fp32_contents: vec![1.0],
        ..InferTensorContents::default()
    };
    let mut both = typed("FP32", &[1], contents);
    both.raw_input_contents = vec![Bytes::from_static(&[0; 4])];
    assert!(refusal(both).contains("send either"));
}

#[test]
fn there_is_one_raw_content_for_each_input() {
    let two = with_raw(input("FP32", &[1]), &[&[0; 4], &[0; 4]]);
    assert!(refusal(two).contains("`2` entries for `1` inputs"));
}

#[test]
fn an_absent_shape_is_that_of_one_element() {
    let one = infer_request(with_raw(input("FP32", &[]), &[&[0; 4]])).unwrap();
    assert!(one.inputs()[0].tensor().shape().is_empty());
    refusal(with_raw(input("FP32", &[]), &[&[0; 8]]));
}

#[test]
fn a_dimension_is_never_negative_and_dimensions_are_few() {
    assert!(refusal(with_raw(input("FP32", &[-1, 2]), &[&[0; 8]])).contains("`-1`"));
    assert!(refusal(with_raw(input("FP32", &[1; 65]), &[&[0; 4]])).contains("`65` dimensions"));
}

#[test]
fn typed_contents_are_in_the_list_of_their_type_and_in_its_range() {
    let ints = |values: &[i32]| InferTensorContents {
        int_contents: values.to_vec(),
        ..InferTensorContents::default()
    };
    assert!(
        refusal(typed("FP32", &[1], ints(&[1]))).contains("`fp32_contents`, not `int_contents`")
    );
    assert!(refusal(typed("INT8", &[2], ints(&[1, 128]))).contains("`128`"));
    assert!(refusal(typed("INT32", &[2], ints(&[1]))).contains("`2` elements"));
    assert!(refusal(typed("FP16", &[1], ints(&[]))).contains("raw_input_contents"));
    assert!(refusal(typed("FLOAT", &[1], ints(&[1]))).contains("`FLOAT`"));
}

#[test]
fn a_parameter_without_a_value_and_a_message_without_a_model_are_refused() {
    let mut message = with_raw(input("FP32", &[1]), &[&[0; 4]]);
    message.parameters = BTreeMap::from([("p".to_owned(), InferParameter::default())]);
    assert!(refusal(message).contains("`p`"));
    assert!(refusal(ModelInferRequest::default()).contains("model_name"));
}

#[test]
fn an_input_in_shared_memory_is_refused_by_name() {
    let mut message = with_raw(input("FP32", &[1]), &[]);
    let region = InferParameter {
        parameter_choice: Some(ParameterChoice::StringParam("r".to_owned())),
    };
    message.inputs[0]
        .parameters
        .insert("shared_memory_region".to_owned(), region);
    let error = infer_request(message).unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    assert!(error.message().contains("`x`"), "{error}");
}

#[test]
fn every_failure_has_the_status_that_grpc_gives_it() {
    let of = |code| status(ProtocolError::new(code, "why")).code();
    assert_eq!(of(Code::NotFound), tonic::Code::NotFound);
    assert_eq!(of(Code::DeadlineExceeded), tonic::Code::DeadlineExceeded);
    assert_eq!(of(Code::PayloadTooLarge), tonic::Code::ResourceExhausted);
    assert_eq!(of(Code::Internal), tonic::Code::Internal);
}

#[test]
fn a_message_that_repeats_a_long_name_fits_a_header() {
    assert_eq!(brief("short"), "short");
    let long = brief(&"é".repeat(100_000));
    assert!(long.len() < 1100 && long.ends_with('…'), "{}", long.len());
}

#[test]
fn a_configuration_keeps_what_the_message_has_room_for() {
    let config = model_config(&json!({
        "name": "m", "platform": "p", "backend": "b", "max_batch_size": 64, "surprise": [1],
        "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": ["32"]}],
        "output": [{"name": "y", "data_type": "TYPE_UNHEARD_OF", "dims": [1, -1]}],
        "instance_group": [{"count": 2, "kind": "KIND_CPU"}],
        "dynamic_batching": {"max_queue_delay_microseconds": 100, "preferred_batch_size": [8]},
        "parameters": {"k": {"string_value": "v"}},
    }));
    assert_eq!((config.name.as_str(), config.max_batch_size), ("m", 64));
    assert_eq!(config.input[0].data_type(), ConfigType::TypeFp32);
    assert_eq!(config.input[0].dims, [32]);
    assert_eq!(config.output[0].data_type(), ConfigType::TypeInvalid);
    assert_eq!(config.output[0].dims, [1, -1]);
    assert_eq!(config.instance_group[0].count, 2);
    assert_eq!(
        config
            .dynamic_batching
            .unwrap()
            .max_queue_delay_microseconds,
        100
    );
    assert_eq!(config.parameters["k"].string_value, "v");
    assert_eq!(model_config(&json!("nonsense")).name, "");
}
