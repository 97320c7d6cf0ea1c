//! The protocol over HTTP: routes to mount, and a server to run.
//!
//! [`router`] serves `/v2/…` and `/metrics` inside a host's own axum application. [`Server`] runs it on a port of its own, with
//! gRPC beside it where a router for that is given, and guards against clients that are slow, large or many.
//!
//! Bodies may be compressed with `gzip` or `deflate`; answers are not compressed. `Content-Type` is not looked at, as in Triton.
//! Headers that this crate adds: `noops-arm` asks for an arm, and `noops-timeout-ms` says how long the client waits.

mod body;
mod head;
mod infer;
mod models;
mod reply;
mod repository;
mod routes;
mod server;
#[cfg(feature = "tls")]
mod tls;

pub use routes::router;
pub use server::{Drained, Server};
#[cfg(feature = "tls")]
pub use tls::Tls;

#[cfg(test)]
mod tests;
