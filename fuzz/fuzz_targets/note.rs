//! Signed notes, checkpoints, keys and proof files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noops_core::merkle::{Checkpoint, CosignatureVerifier, LogProof, NoteVerifier, SignedNote};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = SignedNote::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
    }
    LogProof::parse(bytes).ok();
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.to_text(), text);
        }
        if let Ok(key) = NoteVerifier::parse(text) {
            assert_eq!(key.to_string(), text);
        }
        CosignatureVerifier::parse(text).ok();
    }
});
