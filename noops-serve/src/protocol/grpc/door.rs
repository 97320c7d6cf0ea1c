//! What happens to a call before its message is read.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Service as TowerService};

use super::{arrival, convert};
use crate::protocol::access::Verb;
use crate::protocol::error::{Code, ProtocolError};
use crate::protocol::service::Service;

/// Turns away who may not call at all, names what is not served, and bounds the time of a unary call.
#[derive(Clone, Debug)]
pub(super) struct Door<S> {
    inner: S,
    service: Arc<Service>,
}

impl<S> Door<S> {
    pub(super) fn new(inner: S, service: Arc<Service>) -> Self {
        Self { inner, service }
    }

    /// How long the call may take; `None` for one that lasts as long as the client wants.
    fn admit<B>(&self, request: &Request<B>) -> Result<Option<Duration>, ProtocolError> {
        let path = request.uri().path();
        let call = path.rsplit('/').next().unwrap_or_default();
        let verb = match call {
            "ServerLive" | "ServerReady" | "Check" => None,
            "ModelInfer" | "ModelStreamInfer" => Some(Verb::Infer),
            "RepositoryModelLoad" | "RepositoryModelUnload" => Some(Verb::Manage),
            "ServerMetadata" | "ModelReady" | "ModelMetadata" | "ModelConfig"
            | "ModelStatistics" | "RepositoryIndex" => Some(Verb::Read),
            _ => {
                return Err(ProtocolError::new(
                    Code::Unimplemented,
                    format!("this server does not do `{path}`"),
                ));
            }
        };
        if let Some(verb) = verb {
            let credentials = arrival::credentials(request.headers(), request.extensions());
            self.service.authorise(&credentials, verb, None)?;
        }
        Ok((call != "ModelStreamInfer").then(|| self.service.limits().request_timeout()))
    }
}

impl<S, B> TowerService<Request<B>> for Door<S>
where
    S: TowerService<
            Request<B>,
            Response = Response<Body>,
            Error = Infallible,
            Future = BoxFuture<Response<Body>, Infallible>,
        >,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.admit(&request) {
            Err(error) => answer(convert::status(error)),
            Ok(None) => self.inner.call(request),
            Ok(Some(limit)) => {
                let call = self.inner.call(request);
                Box::pin(async move {
                    match tokio::time::timeout(limit, call).await {
                        Ok(answered) => answered,
                        Err(_) => Ok(Status::deadline_exceeded(format!(
                            "the call took longer than the `{limit:?}` that this server allows"
                        ))
                        .into_http()),
                    }
                })
            }
        }
    }
}

fn answer(status: Status) -> BoxFuture<Response<Body>, Infallible> {
    Box::pin(std::future::ready(Ok(status.into_http())))
}
