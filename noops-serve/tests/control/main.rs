//! The control loop, lived through: a world, a service and its controller, through the public interface only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod fencing;
mod foreign;
mod host;
mod inputs;
mod learning;
mod model;
mod policies;
mod recovery;
mod refusal;
mod verify;
mod world;
