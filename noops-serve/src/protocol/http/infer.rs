//! Asking a model.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::body::{self, Unread};
use super::models::Target;
use super::{head, reply};
use crate::protocol::binary::{self, EncodedResponse, OutputForms};
use crate::protocol::{Code, InferRequest, ProtocolError, Service, Verb, json};

pub(super) async fn infer(
    State(service): State<Arc<Service>>,
    target: Target,
    request: Request,
) -> Response {
    let allowed = head::authorise(&service, &request, Verb::Infer, Some(target.model()));
    if let Err(error) = allowed {
        return reply::error(&error);
    }
    match answer(&service, &target, request).await {
        Ok(answer) => reply::inference(Ok(answer)),
        Err(unread) => unread.into_response(),
    }
}

async fn answer(
    service: &Service,
    target: &Target,
    request: Request,
) -> Result<EncodedResponse, Unread> {
    let limits = service.limits();
    let (parts, body) = request.into_parts();
    let longest = limits.request_timeout();
    let arrival = head::arrival(&parts.headers, longest).map_err(Unread::Refused)?;
    let header_length = head::header_length(&parts.headers).map_err(Unread::Refused)?;
    let bytes = body::read(&parts.headers, body, limits).await?;
    let question = decode(&bytes, header_length, target).map_err(Unread::Refused)?;
    let forms = OutputForms::of(&question).map_err(Unread::Refused)?;
    let answer = match tokio::time::timeout(longest, service.infer(question, arrival)).await {
        Ok(answer) => answer,
        Err(_) => Err(ProtocolError::new(
            Code::DeadlineExceeded,
            "the request took longer than this server allows",
        )),
    };
    let encoded = answer.and_then(|answer| binary::encode_response(&answer, &forms));
    encoded.map_err(Unread::Refused)
}

fn decode(
    body: &[u8],
    header_length: Option<usize>,
    target: &Target,
) -> Result<InferRequest, ProtocolError> {
    match header_length {
        Some(length) => binary::decode_request(body, length, target.model(), target.version()),
        None => json::decode_request(body, target.model(), target.version()),
    }
}
