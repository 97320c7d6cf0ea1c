//! How a model is served.

use std::num::NonZeroUsize;
use std::time::Duration;

/// Limits of one served model.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroUsize;
/// use noops_serve::ServingSettings;
///
/// let settings = ServingSettings::default().with_replicas(NonZeroUsize::MIN).with_queued_rows(10_000);
/// assert_eq!(settings.queued_rows, 10_000);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServingSettings {
    /// How many replicas answer at the same time; as many as the machine runs threads, unless set.
    pub replicas: Option<NonZeroUsize>,
    /// How many rows are run at once, at most. The model may be found to allow less, see
    /// [`ServedModel::batch_invariant_up_to`](crate::ServedModel::batch_invariant_up_to).
    pub batch_rows: NonZeroUsize,
    /// How many rows may wait.
    pub queued_rows: usize,
    /// How many bytes of values may wait.
    pub queued_bytes: usize,
    /// Rows that are expected to take longer than this are run on a thread for blocking work, where there is a tokio runtime.
    /// Handing over costs tens of microseconds itself.
    pub offload_above: Duration,
}

impl Default for ServingSettings {
    fn default() -> Self {
        Self {
            replicas: None,
            batch_rows: NonZeroUsize::new(256).unwrap_or(NonZeroUsize::MIN),
            queued_rows: 65_536,
            queued_bytes: 256 << 20,
            offload_above: Duration::from_micros(200),
        }
    }
}

impl ServingSettings {
    /// Sets how many replicas answer at the same time.
    #[must_use]
    pub fn with_replicas(mut self, replicas: NonZeroUsize) -> Self {
        self.replicas = Some(replicas);
        self
    }

    /// Sets how many rows are run at once, at most. With one there are no batches.
    #[must_use]
    pub fn with_batch_rows(mut self, rows: NonZeroUsize) -> Self {
        self.batch_rows = rows;
        self
    }

    /// Sets how many rows may wait.
    #[must_use]
    pub fn with_queued_rows(mut self, rows: usize) -> Self {
        self.queued_rows = rows;
        self
    }

    /// Sets how many bytes of values may wait.
    #[must_use]
    pub fn with_queued_bytes(mut self, bytes: usize) -> Self {
        self.queued_bytes = bytes;
        self
    }

    /// Sets the expected time above which rows are run on a thread for blocking work.
    #[must_use]
    pub fn with_offload_above(mut self, expected: Duration) -> Self {
        self.offload_above = expected;
        self
    }

    pub(super) fn replica_count(&self) -> usize {
        let threads = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.replicas.unwrap_or_else(threads).get()
    }
}
