//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower_service::Service as _;

use super::guard::{Guarded, Version, sniff};
#[cfg(feature = "tls")]
use crate::protocol::http::tls::Tls;
use crate::protocol::{ClientCertificate, Limits};

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It takes requests.
    Serving,
    /// It finishes those that it has.
    Draining,
}

/// What all connections share.
pub(super) struct Connections {
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Tls>,
    pub(super) limits: Limits,
    pub(super) rest: Router,
    pub(super) grpc: Option<Router>,
}

impl Connections {
    /// Serves one client until it leaves, breaks the rules, or the server has drained. A client's faults end its connection, and
    /// are nobody else's business.
    pub(super) async fn serve(&self, stream: TcpStream, phase: watch::Receiver<Phase>) {
        // Without it answers wait for acknowledgements; where it fails the connection is slower, and no worse.
        let _ = stream.set_nodelay(true);
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let handshake = tokio::time::timeout(self.limits.header_timeout(), tls.accept(stream));
            if let Ok(Ok((stream, certificate))) = handshake.await {
                self.speak(stream, certificate, phase).await;
            }
            return;
        }
        self.speak(stream, None, phase).await;
    }

    async fn speak<S>(
        &self,
        mut stream: S,
        certificate: Option<ClientCertificate>,
        mut phase: watch::Receiver<Phase>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // What a client sent before the order to stop may reach this task after it.
        let silent = async {
            let _ = phase.wait_for(|phase| *phase == Phase::Draining).await;
            tokio::time::sleep(GRACE.min(self.limits.drain_timeout() / 2)).await;
        };
        let first = tokio::select! {
            biased;
            first = tokio::time::timeout(self.limits.header_timeout(), sniff(&mut stream)) => first,
            () = silent => return,
        };
        let Ok(Ok(first)) = first else {
            return;
        };
        let version = first.version();
        let io = TokioIo::new(Guarded::new(stream, first, self.limits.body_timeout()));
        let service = service_fn(|request| {
            answer(&self.rest, self.grpc.as_ref(), request, certificate.clone())
        });
        match version {
            Version::Http1 => {
                let mut builder = http1::Builder::new();
                let builder = builder
                    .timer(TokioTimer::new())
                    .header_read_timeout(self.limits.header_timeout())
                    .pipeline_flush(true);
                let connection = std::pin::pin!(builder.serve_connection(io, service));
                drive(connection, phase, |connection| {
                    connection.graceful_shutdown()
                })
                .await;
            }
            Version::Http2 => {
                let builder = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .max_concurrent_streams(u32::from(self.limits.max_concurrent_streams()))
                    .keep_alive_interval(self.limits.header_timeout())
                    .keep_alive_timeout(self.limits.header_timeout())
                    .initial_stream_window_size(WINDOW)
                    .initial_connection_window_size(WINDOW)
                    .clone();
                let connection = std::pin::pin!(builder.serve_connection(io, service));
                drive(connection, phase, |connection| {
                    connection.graceful_shutdown()
                })
                .await;
            }
        }
    }
}

fn answer(
    rest: &Router,
    grpc: Option<&Router>,
    mut request: Request<Incoming>,
    certificate: Option<ClientCertificate>,
) -> impl Future<Output = Result<axum::response::Response, Infallible>> + use<> {
    if let Some(certificate) = certificate {
        request.extensions_mut().insert(certificate);
    }
    let router = grpc.filter(|_| is_grpc(request.headers())).unwrap_or(rest);
    router.clone().call(request.map(Body::new))
}

/// Runs a connection to its end, asking it to come to one when the server drains.
async fn drive<C: Future>(
    mut connection: std::pin::Pin<&mut C>,
    mut phase: watch::Receiver<Phase>,
    finish: impl FnOnce(std::pin::Pin<&mut C>),
) {
    tokio::select! {
        // The connection first: what has arrived is a request to finish.
        biased;
        _ = connection.as_mut() => return,
        _ = phase.wait_for(|phase| *phase == Phase::Draining) => {}
    }
    finish(connection.as_mut());
    connection.await;
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// How long a connection that has said nothing is listened to after the order to stop.
const GRACE: Duration = Duration::from_millis(100);

/// Large enough that a tensor of common size arrives without waiting for permission.
const WINDOW: u32 = 1 << 20;
