//! The Open Inference Protocol over REST, as a client sees it: a server on a port, and plain bytes on plain sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod access;
mod binary;
mod client;
mod connection;
mod counts;
mod draining;
mod errors;
mod hostile;
mod infer;
mod metadata;
mod model;
mod neighbours;
mod question;
mod repository;
mod routes;
mod scheduling;
mod server;
mod slow;
