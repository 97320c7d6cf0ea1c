//! Signature bundles and keys of models.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use noops_core::model_signing::{Bundle, SigningKey, VerifyingKey};

static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate().expect("the system gives random bytes"));

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = Bundle::from_bytes(bytes) {
        // Nobody but the key can make a signature of it.
        assert!(bundle.verify(KEY.public_key()).is_err());
    }
    let text = String::from_utf8_lossy(bytes);
    SigningKey::from_pem(&text).ok();
    VerifyingKey::from_pem(&text).ok();
});
