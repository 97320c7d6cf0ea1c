//! Exports of an audit log.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use noops_core::merkle::NoteSigner;
use noops_core::verify_export;

static KEY: LazyLock<NoteSigner> = LazyLock::new(|| {
    NoteSigner::generate("example.com/audit").expect("the system gives random bytes")
});

fuzz_target!(|bytes: &[u8]| {
    let mut reader = bytes;
    // Nobody but the key can make a checkpoint of it.
    assert!(verify_export(&mut reader, &KEY.verifier()).is_err());
});
