//! Bodies of requests, never larger nor slower than allowed.

use std::borrow::Cow;
use std::io::Read;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use flate2::read::{GzDecoder, ZlibDecoder};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::reply;
use crate::protocol::{Code, Limits, ProtocolError};

/// Why there is no body.
#[derive(Debug)]
pub(super) enum Unread {
    /// What the protocol has a code for.
    Refused(ProtocolError),
    /// An encoding that is not known.
    Encoding(String),
}

impl Unread {
    pub(super) fn into_response(self) -> Response {
        match self {
            Self::Refused(error) => reply::error(&error),
            Self::Encoding(name) => reply::error_with_status(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                &format!(
                    "the content encoding `{name}` is not known; send `gzip`, `deflate` or none"
                ),
            ),
        }
    }
}

/// The whole body, inflated.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
) -> Result<Bytes, Unread> {
    let encoding = encoding(headers)?;
    let bytes = collect(body, limits).await?;
    let limit = limits.max_body_bytes();
    match encoding {
        Encoding::Identity => Ok(bytes),
        Encoding::Gzip => inflate(GzDecoder::new(bytes.as_ref()), limit),
        Encoding::Deflate => inflate(ZlibDecoder::new(bytes.as_ref()), limit),
    }
}

async fn collect(body: Body, limits: &Limits) -> Result<Bytes, Unread> {
    let limit = limits.max_body_bytes();
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let collected = Limited::new(body, limit).collect();
    match tokio::time::timeout(limits.body_timeout(), collected).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(_)) => Err(refused(Code::Cancelled, "the body ended before its end")),
        Err(_) => Err(refused(
            Code::DeadlineExceeded,
            "the body took longer than this server waits",
        )),
    }
}

enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Unread> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(Encoding::Identity);
    };
    let name = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
    match name.trim() {
        "" | "identity" => Ok(Encoding::Identity),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        "deflate" => Ok(Encoding::Deflate),
        other => Err(Unread::Encoding(other.chars().take(40).collect())),
    }
}

/// Everything that a decoder gives, stopping at one byte too many.
fn inflate(decoder: impl Read, limit: usize) -> Result<Bytes, Unread> {
    let mut inflated = Vec::new();
    let most = (limit as u64).saturating_add(1);
    match decoder.take(most).read_to_end(&mut inflated) {
        Ok(_) if inflated.len() > limit => Err(too_large(limit)),
        Ok(_) => Ok(inflated.into()),
        Err(error) => Err(refused(
            Code::InvalidArgument,
            format!("the body cannot be decompressed: {error}"),
        )),
    }
}

fn too_large(limit: usize) -> Unread {
    refused(
        Code::PayloadTooLarge,
        format!("the body is larger than `{limit}` bytes"),
    )
}

fn refused(code: Code, message: impl Into<Cow<'static, str>>) -> Unread {
    Unread::Refused(ProtocolError::new(code, message.into()))
}
