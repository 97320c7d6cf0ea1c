//! Which path leads where.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};

use super::{head, infer, models, reply, repository};
use crate::protocol::{Code, ProtocolError, Service, Verb};

/// The routes of the protocol and `/metrics`, for a host to merge or nest into its own router.
///
/// A wrong method gets the protocol's error body. Paths that are not there are left to the host's fallback; [`Server`] answers
/// them with the protocol's error body.
///
/// Client certificates are read from a [`ClientCertificate`](crate::protocol::ClientCertificate) among the request's extensions:
/// a host that ends TLS itself puts it there. Bodies are limited by [`Limits`](crate::protocol::Limits), not by axum's default.
///
/// [`Server`]: super::Server
pub fn router(service: Arc<Service>) -> Router {
    let model = |suffix: &str, route: MethodRouter<Arc<Service>>| {
        Router::new()
            .route(&format!("/v2/models/{{model}}{suffix}"), route.clone())
            .route(
                &format!("/v2/models/{{model}}/versions/{{version}}{suffix}"),
                route,
            )
    };
    Router::new()
        .route("/v2", get(server_metadata))
        .route("/v2/", get(server_metadata))
        .route("/v2/health/live", get(live))
        .route("/v2/health/ready", get(ready))
        .route("/v2/models/stats", get(models::all_statistics))
        .merge(model("", get(models::metadata)))
        .merge(model("/ready", get(models::ready)))
        .merge(model("/config", get(models::config)))
        .merge(model("/stats", get(models::statistics)))
        .merge(model("/infer", post(infer::infer)))
        .route("/v2/repository/index", post(repository::index))
        .route("/v2/repository/models/{model}/load", post(repository::load))
        .route(
            "/v2/repository/models/{model}/unload",
            post(repository::unload),
        )
        .route("/v2/trace/setting", any(no_settings))
        .route("/v2/logging", any(no_settings))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(wrong_method)
        .with_state(service)
}

/// What a server of its own answers where there is nothing.
pub(super) async fn nothing_there(request: Request) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    let message = format!("there is nothing at `{path}`; the protocol is at `/v2`");
    reply::error(&ProtocolError::new(Code::NotFound, message))
}

async fn wrong_method(request: Request) -> Response {
    let message = format!(
        "this path does not take `{}`; see the header `allow`",
        request.method()
    );
    reply::error_with_status(StatusCode::METHOD_NOT_ALLOWED, &message)
}

async fn no_settings() -> Response {
    let message = "this server has no trace or log settings to read or change over the protocol";
    reply::error(&ProtocolError::new(Code::Unimplemented, message))
}

async fn live(State(service): State<Arc<Service>>) -> Response {
    reply::health(service.live(), br#"{"live":true}"#, br#"{"live":false}"#)
}

async fn ready(State(service): State<Arc<Service>>) -> Response {
    reply::health(service.ready(), br#"{"ready":true}"#, br#"{"ready":false}"#)
}

async fn server_metadata(State(service): State<Arc<Service>>, request: Request) -> Response {
    reply::json(
        head::authorise(&service, &request, Verb::Read, None).map(|()| service.server_metadata()),
    )
}

async fn metrics(State(service): State<Arc<Service>>, request: Request) -> Response {
    if let Err(error) = head::authorise(&service, &request, Verb::Metrics, None) {
        return reply::error(&error);
    }
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], service.metrics()).into_response()
}
