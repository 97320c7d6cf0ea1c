//! Questions to a model, as JSON with bytes behind it. The first two bytes say how long the JSON is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noops_serve::protocol::binary::{OutputForms, decode_request, encode_response};
use noops_serve::protocol::{InferResponse, InputTensor};

fuzz_target!(|bytes: &[u8]| {
    let Some((length, body)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    let Ok(request) = decode_request(body, length, "m", Some("1")) else {
        return;
    };
    assert!(length <= body.len());
    let Ok(forms) = OutputForms::of(&request) else {
        return;
    };
    // Numbers that are not finite are no JSON; all else is written, and says where its bytes begin.
    let tensors = request.into_inputs().into_iter();
    let tensors = tensors.map(InputTensor::into_tensor).collect();
    let response = InferResponse::new("m", "1", tensors);
    if let Ok(encoded) = encode_response(&response, &forms) {
        let begins = encoded.header_length();
        assert!(begins.is_none_or(|begins| begins <= encoded.body().len()));
    }
});
