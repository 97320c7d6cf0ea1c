//! Questions to a model, as JSON. A question that is read has as many elements as its shapes say, and travels on as bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noops_serve::protocol::binary::OutputForms;
use noops_serve::protocol::{Tensor, json};

fuzz_target!(|body: &[u8]| {
    let Ok(request) = json::decode_request(body, "m", None) else {
        return;
    };
    OutputForms::of(&request).ok();
    for input in request.inputs() {
        let tensor = input.tensor();
        let (name, shape) = (tensor.name(), tensor.shape().to_vec());
        let again = Tensor::from_raw(name, tensor.datatype(), shape, &tensor.raw());
        assert_eq!(again.as_ref(), Ok(tensor));
    }
});
