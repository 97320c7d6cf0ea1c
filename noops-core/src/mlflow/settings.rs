use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::secret::{SecretName, Secrets};

/// Where the MLflow server is, and how to deal with it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::MlflowSettings;
///
/// let settings = MlflowSettings::new("http://mlflow.internal:5000")
///     .with_namespace("team-a.")
///     .with_timeout(Duration::from_secs(2));
/// assert_eq!(settings.namespace(), "team-a.");
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct MlflowSettings {
    url: String,
    namespace: String,
    timeout: Duration,
    lease_time: Duration,
    patience: Duration,
    secret: Option<(Arc<dyn Secrets>, SecretName)>,
}

impl Default for MlflowSettings {
    /// A server on this machine, where `mlflow server` listens unless told otherwise.
    fn default() -> Self {
        Self::new("http://127.0.0.1:5000")
    }
}

impl MlflowSettings {
    /// A server at an address: no namespace, no secret, 5 seconds per call, leases of 30 seconds and as much patience.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            namespace: String::new(),
            timeout: Duration::from_secs(5),
            lease_time: Duration::from_secs(30),
            patience: Duration::from_secs(30),
            secret: None,
        }
    }

    /// Puts this text before the name of every registered model, so that teams share a server: lower-case letters, digits,
    /// `-`, `_` and `.`, at most 100 of them.
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// How long one call to the server may take.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long the lease is taken for under which a model is changed; at least four timeouts.
    #[must_use]
    pub fn with_lease_time(mut self, time: Duration) -> Self {
        self.lease_time = time;
        self
    }

    /// How long to wait for others who change the same model.
    #[must_use]
    pub fn with_patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// Sends a secret as bearer token, and a fresh one when it was not accepted.
    #[must_use]
    pub fn with_secret(mut self, secrets: Arc<dyn Secrets>, name: SecretName) -> Self {
        self.secret = Some((secrets, name));
        self
    }

    /// The address of the server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What stands before the name of every registered model.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// How long one call to the server may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long the lease is taken for under which a model is changed.
    #[must_use]
    pub fn lease_time(&self) -> Duration {
        self.lease_time
    }

    /// How long to wait for others who change the same model.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience
    }

    pub(super) fn secret(&self) -> Option<(Arc<dyn Secrets>, SecretName)> {
        self.secret.clone()
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let refuse = |message: &str| Error::new(ErrorKind::Invalid, OPEN, message);
        let legal =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        let begins = |c: char| c.is_ascii_lowercase();
        if !self.namespace.chars().all(legal)
            || self.namespace.len() > LONGEST_NAMESPACE
            || !(self.namespace.is_empty() || self.namespace.starts_with(begins))
        {
            let message = "a namespace starts with a lower-case letter and holds only lower-case letters, digits, `-`, `_` and `.`, at most 100 of them";
            let shown: String = self.namespace.chars().take(LONGEST_NAMESPACE).collect();
            return Err(refuse(message).with("namespace", shown.escape_debug()));
        }
        let least = self.timeout.saturating_mul(4);
        if self.timeout.is_zero() || self.lease_time < least {
            let message = "the timeout must be positive and a lease must last at least four of them, or it would end in the middle of an act";
            return Err(refuse(message)
                .with("timeout", format!("{:?}", self.timeout))
                .with("lease_time", format!("{:?}", self.lease_time)));
        }
        Ok(())
    }
}

impl fmt::Debug for MlflowSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address is shown by the client, which refuses one that carries a password.
        f.debug_struct("MlflowSettings")
            .field("namespace", &self.namespace)
            .field("timeout", &self.timeout)
            .field("lease_time", &self.lease_time)
            .field("patience", &self.patience)
            .field("secret", &self.secret.as_ref().map(|(_, name)| name))
            .finish_non_exhaustive()
    }
}

pub(super) const OPEN: &str = "open an MLflow registry";
const LONGEST_NAMESPACE: usize = 100;
