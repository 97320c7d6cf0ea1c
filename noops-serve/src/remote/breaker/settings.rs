//! When a breaker opens and closes.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use noops_core::Share;

/// When a breaker opens and how it closes again.
///
/// The default: it opens when half of the last 100 calls failed, or four in five took a second or longer, from 20 calls on; stays open
/// for 5 s, doubling up to a minute; and closes after three good answers in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerSettings {
    pub(super) window: NonZeroUsize,
    pub(super) minimum: NonZeroUsize,
    pub(super) failed: Share,
    pub(super) slow: Share,
    pub(super) slow_after: Duration,
    pub(super) open_for: Duration,
    pub(super) open_at_most: Duration,
    pub(super) probes: NonZeroU32,
}

impl BreakerSettings {
    /// How many of the last calls are looked at (at most 65 536), and how many there must be.
    #[must_use]
    pub fn with_window(mut self, window: NonZeroUsize, minimum: NonZeroUsize) -> Self {
        self.window = window.min(LONGEST);
        self.minimum = minimum.min(self.window);
        self
    }

    /// The share of the calls that opens it when so many failed.
    #[must_use]
    pub fn with_failed(mut self, failed: Share) -> Self {
        self.failed = failed;
        self
    }

    /// The share of the calls that opens it when so many took `after` or longer; failed ones count as slow as well.
    #[must_use]
    pub fn with_slow(mut self, slow: Share, after: Duration) -> Self {
        self.slow = slow;
        self.slow_after = after;
        self
    }

    /// How long it stays open at first, and at most when probe after probe fails.
    #[must_use]
    pub fn with_open_for(mut self, first: Duration, at_most: Duration) -> Self {
        self.open_for = first;
        self.open_at_most = at_most;
        self
    }

    /// How many calls pass at a time while it is half open, and how many good answers close it.
    #[must_use]
    pub fn with_probes(mut self, probes: NonZeroU32) -> Self {
        self.probes = probes;
        self
    }

    /// From when on an answer counts as slow.
    #[must_use]
    pub fn slow_after(&self) -> Duration {
        self.slow_after
    }
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            window: NonZeroUsize::MIN.saturating_add(99),
            minimum: NonZeroUsize::MIN.saturating_add(19),
            // Both in range: the fallbacks are never taken.
            failed: Share::from_ppm(500_000).unwrap_or(Share::FULL),
            slow: Share::from_ppm(800_000).unwrap_or(Share::FULL),
            slow_after: Duration::from_secs(1),
            open_for: Duration::from_secs(5),
            open_at_most: Duration::from_secs(60),
            probes: NonZeroU32::MIN.saturating_add(2),
        }
    }
}

const LONGEST: NonZeroUsize = NonZeroUsize::MIN.saturating_add((1 << 16) - 1);
