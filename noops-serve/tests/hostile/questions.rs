//! Questions to a model, over each transport.

use noops_serve::protocol::binary::{self, OutputForms};
use noops_serve::protocol::{
    InferRequest, InferResponse, InputTensor, ProtocolError, Tensor, grpc, json,
};
use proptest::prelude::*;

use crate::cases;
use crate::change::{changed, changes};

const JSON: &[&str] = &[
    r#"{"id":"42","inputs":[{"name":"input","shape":[2,2],"datatype":"FP32","data":[[1,2.5],[-3e-3,0]]}]}"#,
    r#"{"parameters":{"timeout":1000,"priority":1,"unit":"u"},"inputs":[{"name":"a","shape":[2],"datatype":"BYTES","data":["x","\u00e9"]},{"name":"b","shape":[2,1],"datatype":"INT64","data":[9007199254740993,-1]}],"outputs":[{"name":"output","parameters":{"binary_data":true}}]}"#,
    r#"{"inputs":[{"name":"t","shape":[3],"datatype":"BOOL","data":[true,false,true]},{"name":"u","shape":[0,5],"datatype":"UINT8","data":[]}]}"#,
];

fn read_json(body: &[u8]) -> Result<InferRequest, ProtocolError> {
    json::decode_request(body, "m", None)
}

/// A body with bytes behind its JSON, and how long the JSON is.
fn with_bytes() -> (Vec<u8>, usize) {
    let header = r#"{"inputs":[{"name":"n","shape":[1,3],"datatype":"FP32","parameters":{"binary_data_size":12}},{"name":"s","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":11}}],"parameters":{"binary_data_output":true}}"#;
    let mut body = header.as_bytes().to_vec();
    for number in [1.5_f32, -0.0, f32::NAN] {
        body.extend(number.to_le_bytes());
    }
    body.extend(b"\x01\0\0\0a\x02\0\0\0bc");
    (body, header.len())
}

/// A field of a protocol buffer that has a length.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len())
        .ok()
        .filter(|length| *length < 128);
    let mut bytes = vec![number << 3 | 2, length.expect("fields here are short")];
    bytes.extend(value);
    bytes
}

/// A `ModelInferRequest` with raw contents, and one with typed ones.
fn messages() -> [Vec<u8>; 2] {
    let head = [field(1, b"churn"), field(3, b"42")].concat();
    let priority = [field(1, b"priority"), field(2, &[0x10, 1])].concat();
    let tensor = |name: &[u8], datatype: &[u8], shape: &[u8], contents: &[u8]| {
        let named = [field(1, name), field(2, datatype), field(3, shape)].concat();
        field(5, &[named, contents.to_vec()].concat())
    };
    let floats: Vec<u8> = [1.5_f32, f32::NAN]
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let raw = [
        tensor(b"n", b"FP32", &[1, 2], &[]),
        tensor(b"s", b"BYTES", &[1], &[]),
        field(6, &field(1, b"output")),
        field(7, &floats),
        field(7, b"\x02\0\0\0bc"),
    ];
    let typed = [
        tensor(b"n", b"FP32", &[1, 2], &field(5, &field(6, &floats))),
        tensor(b"s", b"BYTES", &[1], &field(5, &field(8, b"bc"))),
    ];
    let begun = [head, field(4, &priority)].concat();
    [
        [begun.clone(), raw.concat()].concat(),
        [begun, typed.concat()].concat(),
    ]
}

/// What was read has as many elements as its shapes say, and can be answered.
fn holds_together(request: InferRequest) {
    let forms = OutputForms::of(&request);
    let tensors: Vec<Tensor> = request
        .into_inputs()
        .into_iter()
        .map(InputTensor::into_tensor)
        .collect();
    for tensor in &tensors {
        let (name, shape, raw) = (tensor.name(), tensor.shape().to_vec(), tensor.raw());
        assert_eq!(raw.len(), tensor.raw_len());
        let again = Tensor::from_raw(name, tensor.datatype(), shape, &raw).unwrap();
        // As bytes: a number that is none is not equal to itself.
        assert_eq!(again.raw(), raw);
    }
    let Ok(forms) = forms else {
        return;
    };
    let response = InferResponse::new("m", "1", tensors);
    if let Ok(encoded) = binary::encode_response(&response, &forms) {
        let json = encoded.header_length().unwrap_or(encoded.body().len());
        serde_json::from_slice::<serde_json::Value>(&encoded.body()[..json]).unwrap();
    }
}

#[test]
fn every_seed_is_read() {
    for body in JSON {
        holds_together(read_json(body.as_bytes()).unwrap());
    }
    let (body, header) = with_bytes();
    let request = binary::decode_request(&body, header, "m", None).unwrap();
    assert_eq!(request.inputs().len(), 2);
    holds_together(request);
    for message in messages() {
        let request = grpc::decode_infer_request(&message).unwrap();
        assert_eq!(
            (request.model(), request.id(), request.inputs().len()),
            ("churn", Some("42"), 2)
        );
        holds_together(request);
    }
}

#[test]
fn what_is_cut_short_is_refused() {
    for body in JSON {
        for end in 0..body.len() {
            assert!(read_json(&body.as_bytes()[..end]).is_err(), "{end}");
        }
    }
    let (body, header) = with_bytes();
    for end in 0..body.len() {
        assert!(
            binary::decode_request(&body[..end], header, "m", None).is_err(),
            "{end}"
        );
    }
    for message in messages() {
        for end in 0..message.len() {
            grpc::decode_infer_request(&message[..end])
                .map(holds_together)
                .ok();
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn broken_json_is_refused_or_read_for_good(which in 0..JSON.len(), changes in changes()) {
        let body = changed(JSON[which].as_bytes(), &changes);
        read_json(&body).map(holds_together).ok();
    }

    #[test]
    fn broken_bytes_behind_json_are_refused_or_read_for_good(
        changes in changes(),
        other in any::<Option<u16>>(),
    ) {
        let (body, header) = with_bytes();
        let header = other.map_or(header, usize::from);
        let body = changed(&body, &changes);
        binary::decode_request(&body, header, "m", Some("1")).map(holds_together).ok();
    }

    #[test]
    fn broken_messages_are_refused_or_read_for_good(typed in 0..2_usize, changes in changes()) {
        let message = changed(&messages()[typed], &changes);
        grpc::decode_infer_request(&message).map(holds_together).ok();
    }
}
