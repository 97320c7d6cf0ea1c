//! Responses and their bodies.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use crate::protocol::binary::EncodedResponse;
use crate::protocol::{Code, ProtocolError};

/// A value as JSON, or the error.
pub(super) fn json(value: Result<impl Serialize, ProtocolError>) -> Response {
    let body = value.and_then(|value| {
        serde_json::to_vec(&value).map_err(|error| {
            ProtocolError::new(Code::Internal, format!("the answer is no JSON: {error}"))
        })
    });
    match body {
        Ok(body) => typed(StatusCode::OK, JSON, body),
        Err(wrong) => error(&wrong),
    }
}

/// Nothing, or the error.
pub(super) fn empty(done: Result<(), ProtocolError>) -> Response {
    match done {
        Ok(()) => Response::new(Body::empty()),
        Err(wrong) => error(&wrong),
    }
}

/// An answer of a model, or the error.
pub(super) fn inference(answer: Result<EncodedResponse, ProtocolError>) -> Response {
    let answer = match answer {
        Ok(answer) => answer,
        Err(wrong) => return error(&wrong),
    };
    match answer.header_length() {
        None => typed(StatusCode::OK, JSON, answer.into_body()),
        Some(length) => {
            let mut response = typed(StatusCode::OK, BYTES, answer.into_body());
            let headers = response.headers_mut();
            headers.insert(HEADER_LENGTH, HeaderValue::from(length));
            response
        }
    }
}

/// 200 where all is well, 503 otherwise.
pub(super) fn health(well: bool, yes: &'static [u8], no: &'static [u8]) -> Response {
    match well {
        true => typed(StatusCode::OK, JSON, yes),
        false => typed(StatusCode::SERVICE_UNAVAILABLE, JSON, no),
    }
}

/// The protocol's error body, with the status of the error's code.
pub(super) fn error(error: &ProtocolError) -> Response {
    let status = StatusCode::from_u16(error.code().http_status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = error_with_status(status, error.message());
    let headers = response.headers_mut();
    match error.code() {
        Code::Unauthenticated => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The rest of the body is not read: the connection ends with the response.
        Code::PayloadTooLarge => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// The protocol's error body.
pub(super) fn error_with_status(status: StatusCode, message: &str) -> Response {
    #[derive(Serialize)]
    struct Failure<'a> {
        error: &'a str,
    }

    let body = serde_json::to_vec(&Failure { error: message }).unwrap_or_default();
    typed(status, JSON, body)
}

fn typed(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// The header of the binary tensor extension.
pub(super) const HEADER_LENGTH: HeaderName =
    HeaderName::from_static("inference-header-content-length");
