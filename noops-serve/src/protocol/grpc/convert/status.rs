//! Failures as gRPC tells them.

use tonic::Status;

use crate::protocol::error::{Code, ProtocolError};

/// The status of a failed call.
pub(in super::super) fn status(error: ProtocolError) -> Status {
    Status::new(code(error.code()), brief(error.message()))
}

/// As much of a message as a header can carry: it may repeat a name that the client made up.
pub(in super::super) fn brief(message: &str) -> String {
    let end = message.floor_char_boundary(MESSAGE_BYTES_MAX);
    match message.get(..end) {
        Some(start) if end < message.len() => format!("{start}…"),
        _ => message.to_owned(),
    }
}

fn code(code: Code) -> tonic::Code {
    match code {
        Code::InvalidArgument => tonic::Code::InvalidArgument,
        Code::NotFound => tonic::Code::NotFound,
        Code::AlreadyExists => tonic::Code::AlreadyExists,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::DeadlineExceeded => tonic::Code::DeadlineExceeded,
        Code::ResourceExhausted | Code::PayloadTooLarge => tonic::Code::ResourceExhausted,
        Code::Cancelled => tonic::Code::Cancelled,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
        Code::PermissionDenied => tonic::Code::PermissionDenied,
        Code::Unimplemented => tonic::Code::Unimplemented,
        Code::Internal => tonic::Code::Internal,
    }
}

const MESSAGE_BYTES_MAX: usize = 1024;
