use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::secret::{SecretName, Secrets};
use crate::state::StateStore;

/// Where the Feast servers are, and what a view is called there.
///
/// The feature view, the push source and the data source are called as our view is unless told.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use noops_core::{FeastSettings, InMemoryStates};
///
/// let states = Arc::new(InMemoryStates::new());
/// let settings = FeastSettings::new("http://feast:6566", "grpc://feast:8815", states)
///     .with_feature_view("driver_hourly")
///     .with_data_source("driver_stats");
/// assert_eq!(settings.online(), "http://feast:6566");
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct FeastSettings {
    online: String,
    offline: String,
    pub(super) states: Arc<dyn StateStore>,
    pub(super) secret: Option<(Arc<dyn Secrets>, SecretName)>,
    pub(super) feature_view: Option<String>,
    pub(super) push_source: Option<String>,
    pub(super) data_source: Option<String>,
    pub(super) columns: Columns,
    pub(super) timeout: Duration,
    pub(super) offline_timeout: Duration,
    pub(super) offline_limit: usize,
}

/// What the columns of the sources are called.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) event: String,
    /// None when every row was known when it happened.
    pub(super) known: Option<String>,
}

impl FeastSettings {
    /// The address of `feast serve` (`http://…`), that of `feast serve_offline` (`grpc://…` or `grpc+tls://…`), and where to keep the
    /// watermark, since Feast keeps none that can be asked for.
    #[must_use]
    pub fn new(
        online: impl Into<String>,
        offline: impl Into<String>,
        states: Arc<dyn StateStore>,
    ) -> Self {
        Self {
            online: online.into(),
            offline: offline.into(),
            states,
            secret: None,
            feature_view: None,
            push_source: None,
            data_source: None,
            columns: Columns {
                event: EVENT_COLUMN.to_owned(),
                known: Some(KNOWN_COLUMN.to_owned()),
            },
            timeout: TIMEOUT,
            offline_timeout: OFFLINE_TIMEOUT,
            offline_limit: OFFLINE_LIMIT,
        }
    }

    /// The name of the feature view in Feast.
    #[must_use]
    pub fn with_feature_view(mut self, name: impl Into<String>) -> Self {
        self.feature_view = Some(name.into());
        self
    }

    /// The name of the push source of the feature view. It must feed this feature view alone: a row is pushed after looking at what this view
    /// holds, and at no other.
    #[must_use]
    pub fn with_push_source(mut self, name: impl Into<String>) -> Self {
        self.push_source = Some(name.into());
        self
    }

    /// The name of the batch source behind the feature view: for a push source, that of its `batch_source`.
    #[must_use]
    pub fn with_data_source(mut self, name: impl Into<String>) -> Self {
        self.data_source = Some(name.into());
        self
    }

    /// The column of the sources that says when something happened, their `timestamp_field`; `event_timestamp` unless told.
    #[must_use]
    pub fn with_event_column(mut self, name: impl Into<String>) -> Self {
        self.columns.event = name.into();
        self
    }

    /// The column of the sources that says when something became known, their `created_timestamp_column`; `created` unless told.
    #[must_use]
    pub fn with_known_column(mut self, name: impl Into<String>) -> Self {
        self.columns.known = Some(name.into());
        self
    }

    /// Asserts that every row was known when it happened, for sources without a `created_timestamp_column`. Where that is wrong, what was
    /// backfilled leaks into training, and nothing can tell.
    #[must_use]
    pub fn with_never_backfilled(mut self) -> Self {
        self.columns.known = None;
        self
    }

    /// Sends a secret as bearer token to both servers, and a fresh one when it was not accepted.
    #[must_use]
    pub fn with_secret(mut self, secrets: Arc<dyn Secrets>, name: SecretName) -> Self {
        self.secret = Some((secrets, name));
        self
    }

    /// How long one call to the online server may take, also where a deadline allows more; 10 seconds unless told.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long reading from the offline server may take from beginning to end; 10 minutes unless told.
    #[must_use]
    pub fn with_offline_timeout(mut self, timeout: Duration) -> Self {
        self.offline_timeout = timeout;
        self
    }

    /// The most bytes that are taken from the offline server in one call: of each batch as it is sent, mostly everything as one, and of the
    /// rows that are kept of all. 1 GiB unless told.
    #[must_use]
    pub fn with_offline_limit(mut self, bytes: usize) -> Self {
        self.offline_limit = bytes;
        self
    }

    /// The address of the online server.
    #[must_use]
    pub fn online(&self) -> &str {
        &self.online
    }

    /// The address of the offline server.
    #[must_use]
    pub fn offline(&self) -> &str {
        &self.offline
    }
}

impl fmt::Debug for FeastSettings {
    /// Without the addresses, which may hold a password before they are checked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeastSettings")
            .field("feature_view", &self.feature_view)
            .field("push_source", &self.push_source)
            .field("data_source", &self.data_source)
            .field("columns", &self.columns)
            .field("states", &self.states)
            .field("secret", &self.secret.as_ref().map(|(_, name)| name))
            .field("timeout", &self.timeout)
            .field("offline_timeout", &self.offline_timeout)
            .field("offline_limit", &self.offline_limit)
            .finish_non_exhaustive()
    }
}

const EVENT_COLUMN: &str = "event_timestamp";
const KNOWN_COLUMN: &str = "created";
const TIMEOUT: Duration = Duration::from_secs(10);
const OFFLINE_TIMEOUT: Duration = Duration::from_secs(600);
const OFFLINE_LIMIT: usize = 1 << 30;
