//! Whatever a client or a file says is read or refused: nothing panics, and what is read holds together.
//!
//! Each property begins with something honest and breaks it at random. The randomness is the same in every run;
//! `NOOPS_FUZZ_CASES` is how many cases a property of weight 1 tries, 32 without it, and `PROPTEST_CASES` overrides the number of
//! all of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../../../noops-core/tests/hostile/change.rs"]
mod change;
mod contracts;
mod files;
mod questions;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// A deterministic run of `weight` times as many cases as usual.
fn cases(weight: u32) -> ProptestConfig {
    let base = std::env::var("NOOPS_FUZZ_CASES").map_or(32, |text| {
        text.parse::<u32>().expect("NOOPS_FUZZ_CASES is a number")
    });
    ProptestConfig {
        cases: base.saturating_mul(weight).max(1),
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x6e6f_6f70_7300),
        ..ProptestConfig::default()
    }
}

/// A file of `testdata`.
fn testdata(path: &str) -> std::path::PathBuf {
    let crate_root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_root.join("testdata").join(path)
}
