//! Messages and services as `scripts/grpc-codegen` writes them from `proto/`.

#[allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    reason = "generated code, whole messages of which a part is read"
)]
pub(super) mod inference;

#[allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    reason = "generated code, whole messages of which a part is read"
)]
pub(super) mod health;
