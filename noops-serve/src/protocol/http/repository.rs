//! The model repository.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::body::{self, Unread};
use super::models::Target;
use super::{head, reply};
use crate::protocol::json::Object;
use crate::protocol::{Code, ProtocolError, ReadyOnly, Service, Verb};

pub(super) async fn index(State(service): State<Arc<Service>>, request: Request) -> Response {
    #[derive(Default, Deserialize)]
    struct Filter {
        #[serde(default)]
        ready: bool,
    }

    if let Err(error) = head::authorise(&service, &request, Verb::Read, None) {
        return reply::error(&error);
    }
    match question::<Filter>(&service, request).await {
        Ok(Filter { ready: true }) => reply::json(Ok(service.repository_index(ReadyOnly::Yes))),
        Ok(Filter { ready: false }) => reply::json(Ok(service.repository_index(ReadyOnly::No))),
        Err(unread) => unread.into_response(),
    }
}

pub(super) async fn load(
    State(service): State<Arc<Service>>,
    target: Target,
    request: Request,
) -> Response {
    match manage(&service, &target, request).await {
        Ok(order) if order.overrides() => reply::error(&ProtocolError::new(
            Code::Unimplemented,
            "a model is loaded as it is stored; send no `config` and no `file:`",
        )),
        Ok(_) => reply::empty(service.load(target.model()).await),
        Err(unread) => unread.into_response(),
    }
}

pub(super) async fn unload(
    State(service): State<Arc<Service>>,
    target: Target,
    request: Request,
) -> Response {
    match manage(&service, &target, request).await {
        Ok(_) => reply::empty(service.unload(target.model()).await),
        Err(unread) => unread.into_response(),
    }
}

#[derive(Default, Deserialize)]
struct Order {
    #[serde(default)]
    parameters: BTreeMap<String, IgnoredAny>,
}

impl Order {
    fn overrides(&self) -> bool {
        let mut names = self.parameters.keys();
        names.any(|name| name == "config" || name.starts_with("file:"))
    }
}

async fn manage(service: &Service, target: &Target, request: Request) -> Result<Order, Unread> {
    head::authorise(service, &request, Verb::Manage, Some(target.model()))
        .map_err(Unread::Refused)?;
    question(service, request).await
}

/// The body as JSON; the default where there is none.
async fn question<T: Default + for<'de> Deserialize<'de>>(
    service: &Service,
    request: Request,
) -> Result<T, Unread> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(&parts.headers, body, service.limits()).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    let object: Result<Object<T>, _> = serde_json::from_slice(&bytes);
    object.map(|Object(question)| question).map_err(|error| {
        Unread::Refused(ProtocolError::invalid(format!(
            "the body is no valid JSON of a repository request: {error}"
        )))
    })
}
