//! How much one client may take.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// How much of the server one client, and all of them together, may take.
///
/// # Examples
///
/// ```
/// use noops_serve::protocol::Limits;
///
/// let limits = Limits::default().with_max_body_bytes(1 << 20);
/// assert_eq!(limits.max_body_bytes(), 1 << 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    max_body_bytes: usize,
    header_timeout: Duration,
    body_timeout: Duration,
    request_timeout: Duration,
    drain_timeout: Duration,
    max_connections: NonZeroUsize,
    max_concurrent_streams: NonZeroU32,
}

impl Limits {
    /// The largest body, after decompression.
    #[must_use]
    pub fn with_max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// How long the head of a request, and a TLS handshake, may take to arrive.
    #[must_use]
    pub fn with_header_timeout(mut self, timeout: Duration) -> Self {
        self.header_timeout = timeout;
        self
    }

    /// How long a body may take to arrive.
    #[must_use]
    pub fn with_body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// How long a request may take in all; a client's own deadline may only be shorter.
    #[must_use]
    pub fn with_request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How long a server that shuts down waits for the requests it has accepted.
    #[must_use]
    pub fn with_drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// How many connections are open at once; the next waits until one closes.
    #[must_use]
    pub fn with_max_connections(mut self, connections: NonZeroUsize) -> Self {
        self.max_connections = connections;
        self
    }

    /// How many requests one HTTP/2 connection has in flight at once.
    #[must_use]
    pub fn with_max_concurrent_streams(mut self, streams: NonZeroU32) -> Self {
        self.max_concurrent_streams = streams;
        self
    }

    /// The largest body, after decompression.
    #[must_use]
    pub fn max_body_bytes(&self) -> usize {
        self.max_body_bytes
    }

    /// How long the head of a request, and a TLS handshake, may take to arrive.
    #[must_use]
    pub fn header_timeout(&self) -> Duration {
        self.header_timeout
    }

    /// How long a body may take to arrive.
    #[must_use]
    pub fn body_timeout(&self) -> Duration {
        self.body_timeout
    }

    /// How long a request may take in all.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// How long a server that shuts down waits for the requests it has accepted.
    #[must_use]
    pub fn drain_timeout(&self) -> Duration {
        self.drain_timeout
    }

    /// How many connections are open at once.
    #[must_use]
    pub fn max_connections(&self) -> NonZeroUsize {
        self.max_connections
    }

    /// How many requests one HTTP/2 connection has in flight at once.
    #[must_use]
    pub fn max_concurrent_streams(&self) -> NonZeroU32 {
        self.max_concurrent_streams
    }
}

/// 64 MiB, 10 s for a head, 30 s for a body, 60 s in all, 30 s to drain, 4096 connections, 256 streams on each.
impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 64 << 20,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
            max_connections: NonZeroUsize::MIN.saturating_add(4095),
            max_concurrent_streams: NonZeroU32::MIN.saturating_add(255),
        }
    }
}
