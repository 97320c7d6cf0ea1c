//! Whatever comes from outside is read or refused: nothing panics, nothing changed passes for the original, no name leaves its
//! directory.
//!
//! Each property begins with something honest and breaks it at random, which reaches further than noise does. The randomness
//! is the same in every run; `NOOPS_FUZZ_CASES` is how many cases a property of weight 1 tries, 32 without it, and
//! `PROPTEST_CASES` overrides the number of all of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod change;
mod columns;
mod folder;
mod json;
mod log_directory;
mod rows;
mod samples;
mod signing;
mod text;
mod transparency;
mod tree;

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
