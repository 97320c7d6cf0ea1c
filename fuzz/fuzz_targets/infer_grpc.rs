//! Questions to a model, as the bytes of a `ModelInferRequest`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noops_serve::protocol::{Tensor, grpc};

fuzz_target!(|bytes: &[u8]| {
    let Ok(request) = grpc::decode_infer_request(bytes) else {
        return;
    };
    assert!(!request.model().is_empty());
    for input in request.inputs() {
        let tensor = input.tensor();
        let (name, shape) = (tensor.name(), tensor.shape().to_vec());
        let raw = tensor.raw();
        let again = Tensor::from_raw(name, tensor.datatype(), shape, &raw);
        // Compared as bytes: a number that is none is not equal to itself.
        assert_eq!(again.map(|again| again.raw()), Ok(raw));
    }
});
