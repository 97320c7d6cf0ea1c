//! What models say of themselves.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;

use super::{head, reply};
use crate::protocol::{ModelStatistics, ProtocolError, Service, Verb};

/// The model, and perhaps its version, that a path names; percent-encoding undone.
pub(super) struct Target {
    model: String,
    version: Option<String>,
}

impl Target {
    pub(super) fn model(&self) -> &str {
        &self.model
    }

    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Target {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let wrong = || {
            reply::error(&ProtocolError::invalid(
                "the path names no model in percent-encoded UTF-8",
            ))
        };
        let params = params.map_err(|_| wrong())?;
        let value = |wanted: &str| {
            let found = params.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.to_owned())
        };
        Ok(Self {
            model: value("model").ok_or_else(wrong)?,
            version: value("version"),
        })
    }
}

pub(super) async fn metadata(
    State(service): State<Arc<Service>>,
    target: Target,
    request: Request,
) -> Response {
    let allowed = head::authorise(&service, &request, Verb::Read, Some(target.model()));
    reply::json(allowed.and_then(|()| service.model_metadata(target.model(), target.version())))
}

pub(super) async fn ready(
    State(service): State<Arc<Service>>,
    target: Target,
    request: Request,
) -> Response {
    #[derive(Serialize)]
    struct Readiness<'a> {
        name: &'a str,
        ready: bool,
    }

    let name = target.model();
    let allowed = head::authorise(&service, &request, Verb::Read, Some(name));
    match allowed.and_then(|()| service.model_ready(name, target.version())) {
        Ok(true) => reply::json(Ok(Readiness { name, ready: true })),
        Ok(false) => reply::health(false, b"", br#"{"ready":false}"#),
        Err(error) => reply::error(&error),
    }
}

pub(super) async fn config(
    State(service): State<Arc<Service>>,
    target: Target,
    request: Request,
) -> Response {
    let allowed = head::authorise(&service, &request, Verb::Read, Some(target.model()));
    reply::json(allowed.and_then(|()| service.model_config(target.model(), target.version())))
}

pub(super) async fn statistics(
    State(service): State<Arc<Service>>,
    target: Target,
    request: Request,
) -> Response {
    let allowed = head::authorise(&service, &request, Verb::Read, Some(target.model()));
    let found =
        allowed.and_then(|()| service.model_statistics(Some(target.model()), target.version()));
    reply::json(found.map(|model_stats| Statistics { model_stats }))
}

pub(super) async fn all_statistics(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Response {
    let allowed = head::authorise(&service, &request, Verb::Read, None);
    let found = allowed.and_then(|()| service.model_statistics(None, None));
    reply::json(found.map(|model_stats| Statistics { model_stats }))
}

#[derive(Serialize)]
struct Statistics {
    model_stats: Vec<ModelStatistics>,
}
