//! Stores that are killed while they write: whatever they acknowledged is there afterwards, and nothing is there by half.
//!
//! Each test runs this program again as a child that writes without end and prints a line for every write that was
//! acknowledged. The child is killed at a random moment, what it left is checked, and the next child goes on in the same
//! folder, so that what one recovery left is what the next begins with.
//!
//! `NOOPS_CRASHES` is how many children are killed over all tests, 90 without it. A kill takes away what the process had not
//! handed to the operating system yet. What a power cut takes away besides is the matter of the tests inside the crate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod artifacts;
mod audit;
mod harness;
mod lines;
mod random;
mod registry;

use harness::survives_kills;

#[test]
fn a_database_keeps_versions_aliases_states_and_leases() {
    let test = "a_database_keeps_versions_aliases_states_and_leases";
    survives_kills::<registry::Registry>(test, 1);
}

#[test]
fn a_directory_keeps_artifacts() {
    survives_kills::<artifacts::Artifacts>("a_directory_keeps_artifacts", 2);
}

#[test]
fn a_tile_log_keeps_audit_entries() {
    survives_kills::<audit::Tiles>("a_tile_log_keeps_audit_entries", 3);
}

#[test]
fn a_database_keeps_audit_entries() {
    survives_kills::<audit::Database>("a_database_keeps_audit_entries", 4);
}

/// How many tests share the kills.
const TESTS: u64 = 4;
