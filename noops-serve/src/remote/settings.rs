//! Where a remote model is and how it is called.

use std::num::NonZeroUsize;

use noops_core::Secret;

use super::breaker::BreakerSettings;
use super::hedge::HedgeSettings;
use super::retry::RetrySettings;

/// How tensors travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Binary when the server announces the extension `binary_tensor_data`, JSON otherwise.
    #[default]
    Automatic,
    /// Binary, whatever the server announces.
    Binary,
    /// JSON, whatever the server announces.
    Json,
}

/// Where a remote model is and how it is called.
///
/// # Examples
///
/// ```
/// use noops_serve::remote::{Encoding, RemoteSettings};
///
/// let settings = RemoteSettings::new("http://models.internal:8000", "churn").with_version("3").with_encoding(Encoding::Json);
/// assert_eq!(settings.model(), "churn");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RemoteSettings {
    pub(super) url: String,
    pub(super) model: String,
    pub(super) version: Option<String>,
    pub(super) output: Option<String>,
    pub(super) bearer: Option<Secret>,
    pub(super) encoding: Encoding,
    pub(super) rows: Option<NonZeroUsize>,
    pub(super) answer_bytes: usize,
    pub(super) retries: RetrySettings,
    pub(super) hedges: HedgeSettings,
    pub(super) breaker: BreakerSettings,
    pub(super) seed: u64,
}

impl RemoteSettings {
    /// A model of the server at `url`, such as `http://models.internal:8000` or `https://gateway/prefix`.
    #[must_use]
    pub fn new(url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            model: model.into(),
            version: None,
            output: None,
            bearer: None,
            encoding: Encoding::default(),
            rows: None,
            answer_bytes: 16 << 20,
            retries: RetrySettings::default(),
            hedges: HedgeSettings::default(),
            breaker: BreakerSettings::default(),
            seed: 0,
        }
    }

    /// One version of the model; whichever the server chooses unless told.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The output with the scores; needed when the model has several.
    #[must_use]
    pub fn with_output(mut self, output: impl Into<String>) -> Self {
        self.output = Some(output.into());
        self
    }

    /// Sends a bearer token with every request.
    #[must_use]
    pub fn with_bearer(mut self, bearer: Secret) -> Self {
        self.bearer = Some(bearer);
        self
    }

    /// How tensors travel.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// The most rows of one request; a larger batch is sent in parts, one after the other. With one, no row can depend on the others of its
    /// batch.
    #[must_use]
    pub fn with_rows(mut self, most: NonZeroUsize) -> Self {
        self.rows = Some(most);
        self
    }

    /// The most bytes of an answer that are read, 16 MiB unless told.
    #[must_use]
    pub fn with_answer_bytes(mut self, most: NonZeroUsize) -> Self {
        self.answer_bytes = most.get();
        self
    }

    /// When failed calls are made again.
    #[must_use]
    pub fn with_retries(mut self, retries: RetrySettings) -> Self {
        self.retries = retries;
        self
    }

    /// When slow calls get a second one beside them.
    #[must_use]
    pub fn with_hedges(mut self, hedges: HedgeSettings) -> Self {
        self.hedges = hedges;
        self
    }

    /// When the server is left alone.
    #[must_use]
    pub fn with_breaker(mut self, breaker: BreakerSettings) -> Self {
        self.breaker = breaker;
        self
    }

    /// The seed of the pauses before retries; each client of a server should have its own.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The model's name on the server.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The version that is asked for.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}
