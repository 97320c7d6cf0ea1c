//! A server of its own.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use noops_core::{Error, ErrorKind};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::routes;
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::protocol::{Limits, Service};

mod connection;
mod guard;

use connection::{Connections, Phase};

/// REST, and gRPC where a router for it is given, on one port: HTTP/1.1 and HTTP/2, the latter without negotiation too.
///
/// Clients are kept within the [`Limits`] of the service: the head of a request must arrive in time, so must its body, a client
/// that does not read what it asked for is cut off, and no more connections are open than allowed. A connection of HTTP/1.1 that is
/// idle for longer than the header timeout is closed; one of HTTP/2 may be idle as long as it answers pings.
///
/// # Examples
///
/// ```no_run
/// # async fn run(service: std::sync::Arc<noops_serve::protocol::Service>) -> Result<(), noops_core::Error> {
/// use noops_serve::protocol::http::Server;
///
/// let server = Server::bind("127.0.0.1:8000".parse().expect("an address"), service).await?;
/// let drained = server.serve_until(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await;
/// assert_eq!(drained.aborted(), 0);
/// # Ok(())
/// # }
/// ```
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
    rest: Router,
    grpc: Option<Router>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

impl Server {
    /// Takes the port. Requests wait until [`serve_until`](Self::serve_until) is called.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the address is in use or not this machine's.
    pub async fn bind(address: SocketAddr, service: Arc<Service>) -> Result<Self, Error> {
        let failed = |error: std::io::Error| {
            Error::new(
                ErrorKind::Unavailable,
                "listen on a port",
                format!("{error}; choose another address, or stop what has this one"),
            )
            .with("address", address)
            .caused_by(error)
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        Ok(Self {
            address: listener.local_addr().map_err(failed)?,
            listener,
            limits: service.limits().clone(),
            rest: routes::router(service).fallback(routes::nothing_there),
            grpc: None,
            #[cfg(feature = "tls")]
            tls: None,
        })
    }

    /// Answers requests of type `application/grpc` with this router.
    #[must_use]
    pub fn with_grpc(mut self, router: Router) -> Self {
        self.grpc = Some(router);
        self
    }

    /// Speaks TLS only.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The address that was taken, with the port that the system chose where 0 was asked.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the future ends, then accepts nothing more, finishes what was accepted, and returns.
    ///
    /// What has not finished within the drain timeout is cut off.
    pub async fn serve_until(self, shutdown: impl Future<Output = ()>) -> Drained {
        let connections = usize::from(self.limits.max_connections()).min(Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(connections));
        let (phase, watched) = watch::channel(Phase::Serving);
        let connections = Connections {
            #[cfg(feature = "tls")]
            tls: self.tls,
            limits: self.limits.clone(),
            rest: self.rest,
            grpc: self.grpc,
        };
        let connections = Arc::new(connections);
        let mut open = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        let serve = |open: &mut JoinSet<()>, (stream, permit)| {
            while open.try_join_next().is_some() {}
            let connections = connections.clone();
            let watched = watched.clone();
            open.spawn(async move {
                connections.serve(stream, watched).await;
                drop(permit);
            });
        };
        loop {
            let accepted = accept(&self.listener, &permits);
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accepted => accepted,
            };
            serve(&mut open, accepted);
        }
        for accepted in backlog(self.listener, &permits) {
            serve(&mut open, accepted);
        }
        while open.try_join_next().is_some() {}
        // Every receiver may be gone, and then there is nobody to tell.
        let _ = phase.send(Phase::Draining);
        drain(open, self.limits.drain_timeout()).await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What became of the connections that were open when a server was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Drained {
    finished: usize,
    aborted: usize,
}

impl Drained {
    /// Connections whose requests were all answered.
    #[must_use]
    pub fn finished(&self) -> usize {
        self.finished
    }

    /// Connections cut off because the time to drain was over.
    #[must_use]
    pub fn aborted(&self) -> usize {
        self.aborted
    }
}

/// A connection, and the permission for it to be open.
type Accepted = (TcpStream, Option<OwnedSemaphorePermit>);

/// The next connection, once one more may be open.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> Accepted {
    // The semaphore is never closed.
    let permit = permits.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            // The client gave up, or the process has no file left: neither ends the server.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The connections that the system has made and nobody has accepted: their clients may have asked already. Takes no more than one
/// queue of the system's, lest clients who come all the time keep the port open.
fn backlog(listener: TcpListener, permits: &Arc<Semaphore>) -> Vec<Accepted> {
    // Past the runtime, which may not have heard of them yet. The listener stays as it is, and waits for nobody.
    let Ok(listener) = listener.into_std() else {
        return Vec::new();
    };
    let next = || {
        let permit = permits.clone().try_acquire_owned().ok()?;
        let (stream, _) = listener.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, Some(permit)))
    };
    std::iter::from_fn(next).take(BACKLOG).collect()
}

async fn drain(mut open: JoinSet<()>, longest: Duration) -> Drained {
    let before = open.len();
    let finished = async { while open.join_next().await.is_some() {} };
    // Whether the time was over shows in what is left.
    let _ = tokio::time::timeout(longest, finished).await;
    let aborted = open.len();
    open.shutdown().await;
    Drained {
        finished: before.saturating_sub(aborted),
        aborted,
    }
}

/// How long to wait after a failed accept.
const PAUSE: Duration = Duration::from_millis(20);

/// As many connections as the runtime lets the system make ahead.
const BACKLOG: usize = 1024;

#[cfg(test)]
mod tests;
