//! Who may do what, within which limits.

use std::fmt;
use std::time::Duration;

use noops_core::Digest;

mod limits;
mod rules;

pub use limits::Limits;
pub use rules::{AccessRules, Grant};

/// What the transport knows of a request besides its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// How long the client waits, from now.
    pub deadline_in: Option<Duration>,
    /// The arm that the client asks for.
    pub arm: Option<String>,
    /// The W3C trace context of the caller.
    pub traceparent: Option<String>,
}

/// What a client showed of itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The bearer token.
    pub bearer: Option<String>,
    /// The verified certificate: `sha256:` and the hex digest of its DER bytes.
    pub certificate_subject: Option<String>,
}

/// Never shows the token.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("bearer", &self.bearer.as_ref().map(|_| "…"))
            .field("certificate_subject", &self.certificate_subject)
            .finish()
    }
}

/// The certificate that a client has proved to hold, as an extension of an HTTP request.
///
/// The server of this crate puts it there; a host that ends TLS itself may do so too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    subject: String,
}

impl ClientCertificate {
    /// A certificate that has been verified, by its DER bytes.
    #[must_use]
    pub fn of_der(der: &[u8]) -> Self {
        Self {
            subject: format!("sha256:{}", Digest::of(der)),
        }
    }

    /// `sha256:` and the hex digest of the DER bytes, as `openssl x509 -outform der | sha256sum` shows it.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

/// What a client wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Ask a model.
    Infer,
    /// Read metadata, configuration, statistics and the index of the repository.
    Read,
    /// Load and unload models.
    Manage,
    /// Read the metrics.
    Metrics,
}
