//! The contracts of the traits as functions that panic where an implementation breaks one.
//!
//! One function per clause, and per trait one that runs them all. Run them from your own tests against a fresh, empty instance.
//! Not covered by semver: a clause may be added at any time.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "these are assertions for tests"
)]

pub mod artifacts;
pub mod audit_log;
pub mod executor;
pub mod features;
pub mod leases;
pub mod notifier;
pub mod registry;
pub mod secrets;
pub mod states;
pub mod training;

use jiff::Timestamp;

use crate::{Error, ErrorKind};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[track_caller]
fn kind<T>(result: Result<T, Error>) -> ErrorKind {
    match result {
        Ok(_) => panic!("this call must fail"),
        Err(error) => error.kind(),
    }
}
