//! When a second request is sent beside a slow one.

use std::num::NonZeroUsize;
use std::time::Duration;

use jiff::Timestamp;
use noops_core::{Probability, Share};

use super::budget::Budget;
use super::elapsed::nanoseconds;

/// When a second request is sent beside one that takes long.
///
/// The default: after the 95th percentile of the last 256 latencies, from 32 of them on and not before 1 ms, for at most 5 % of the
/// requests.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HedgeSettings {
    quantile: Probability,
    share: Share,
    minimum: NonZeroUsize,
    earliest: Duration,
}

impl HedgeSettings {
    /// The quantile of the recent latencies after which a request counts as slow.
    #[must_use]
    pub fn with_quantile(mut self, quantile: Probability) -> Self {
        self.quantile = quantile;
        self
    }

    /// The share of the requests that may be sent twice; [`Share::ZERO`] turns hedging off.
    #[must_use]
    pub fn with_share(mut self, share: Share) -> Self {
        self.share = share;
        self
    }

    /// How many latencies must be known first, at most the 256 that are kept.
    #[must_use]
    pub fn with_minimum(mut self, minimum: NonZeroUsize) -> Self {
        self.minimum = minimum;
        self
    }

    /// How long every request is waited for, however fast the server is.
    #[must_use]
    pub fn with_earliest(mut self, earliest: Duration) -> Self {
        self.earliest = earliest;
        self
    }
}

impl Default for HedgeSettings {
    fn default() -> Self {
        Self {
            // Both in range: the fallbacks are never taken.
            quantile: Probability::new(0.95).unwrap_or(Probability::ONE),
            share: Share::from_ppm(50_000).unwrap_or(Share::ZERO),
            minimum: NonZeroUsize::MIN.saturating_add(31),
            earliest: Duration::from_millis(1),
        }
    }
}

/// Decides when a slow request gets a second one beside it.
///
/// It learns from how long callers waited for an answer, hedged or not. An answer of a hedge came after the delay in force then,
/// so that counting it instead of the slow answer nobody waited for cannot pull the quantile below that delay.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_serve::remote::{HedgeSettings, Hedges};
///
/// let mut hedges = Hedges::new(HedgeSettings::default());
/// assert_eq!(hedges.delay(), None);
/// for milliseconds in 1..=100 {
///     hedges.request();
///     hedges.answered(Duration::from_millis(milliseconds));
/// }
/// assert_eq!(hedges.delay(), Some(Duration::from_millis(95)));
/// assert!(hedges.take(Timestamp::UNIX_EPOCH));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Hedges {
    settings: HedgeSettings,
    budget: Budget,
    /// The last latencies in nanoseconds, the oldest at `next` once there are as many as are kept.
    latencies: Vec<u64>,
    next: usize,
    /// The latencies since the quantile was looked up.
    fresh: usize,
    delay: Option<Duration>,
}

impl Hedges {
    /// No latency is known yet.
    #[must_use]
    pub fn new(settings: HedgeSettings) -> Self {
        let budget = Budget::new(settings.share, 0, BURST);
        Self {
            settings,
            budget,
            latencies: Vec::new(),
            next: 0,
            fresh: 0,
            delay: None,
        }
    }

    /// A caller asks something.
    pub fn request(&mut self) {
        self.budget.deposit();
    }

    /// How long to wait before a request counts as slow; `None` while too few latencies are known.
    #[must_use]
    pub fn delay(&self) -> Option<Duration> {
        self.delay
    }

    /// Whether a second request may be sent now; takes it from the budget when it may.
    #[must_use]
    pub fn take(&mut self, at: Timestamp) -> bool {
        self.budget.take(at)
    }

    /// A caller got an answer after this time.
    pub fn answered(&mut self, took: Duration) {
        let latency = nanoseconds(took);
        match self.latencies.get_mut(self.next) {
            Some(oldest) => *oldest = latency,
            None => self.latencies.push(latency),
        }
        self.next = (self.next + 1) % KEPT;
        self.fresh += 1;
        let known = self.latencies.len();
        if known >= self.settings.minimum.get().min(KEPT)
            && (self.delay.is_none() || self.fresh >= LOOK_UP || known < LOOK_UP * 8)
        {
            self.fresh = 0;
            self.delay = Some(self.quantile().max(self.settings.earliest));
        }
    }

    /// The smallest latency that at least the share `quantile` of the known ones does not exceed.
    fn quantile(&self) -> Duration {
        let mut sorted = self.latencies.clone();
        // The rank of an empty list is never looked up: there is at least one latency.
        let rank = (self.settings.quantile.get() * sorted.len() as f64).ceil() as usize;
        let index = rank.saturating_sub(1).min(sorted.len().saturating_sub(1));
        sorted.sort_unstable();
        Duration::from_nanos(sorted.get(index).copied().unwrap_or_default())
    }
}

/// How many latencies are kept.
const KEPT: usize = 256;
/// After how many latencies the quantile is looked up again once there are many.
const LOOK_UP: usize = 16;
/// How many hedges may follow one another after a quiet time.
const BURST: u32 = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::remote::random::SplitMix64;

    #[test]
    fn too_few_latencies_are_no_reason_to_hedge() {
        let mut hedges = Hedges::new(HedgeSettings::default());
        (0..31).for_each(|_| hedges.answered(Duration::from_millis(5)));
        assert_eq!(hedges.delay(), None);
        hedges.answered(Duration::from_millis(5));
        assert_eq!(hedges.delay(), Some(Duration::from_millis(5)));
    }

    #[test]
    fn a_server_that_turned_slow_is_not_sent_twice_as_much() {
        // Every request is slower than what was known: all of them want a hedge.
        let mut hedges = Hedges::new(HedgeSettings::default());
        (0..256).for_each(|_| hedges.answered(Duration::from_millis(2)));
        let mut sent = 0;
        for _ in 0..10_000 {
            hedges.request();
            sent += usize::from(hedges.take(Timestamp::UNIX_EPOCH));
        }
        assert_eq!(sent, 500);
    }

    #[test]
    fn the_delay_follows_the_last_latencies_only() {
        let mut hedges = Hedges::new(HedgeSettings::default());
        (0..1_000).for_each(|_| hedges.answered(Duration::from_secs(1)));
        (0..KEPT).for_each(|_| hedges.answered(Duration::from_millis(3)));
        assert_eq!(hedges.delay(), Some(Duration::from_millis(3)));
    }

    #[test]
    fn hedging_cuts_the_tail_and_does_not_feed_on_itself() {
        // One answer in twenty-five takes a second, the others one to ten milliseconds.
        let mut random = SplitMix64::new(11);
        let mut latency = move || match random.draw_up_to(24) {
            0 => Duration::from_secs(1),
            _ => Duration::from_micros(1_000 + random.draw_up_to(9_000)),
        };
        let mut hedges = Hedges::new(HedgeSettings::default());
        let (mut waited, mut sent) = (Vec::new(), 0);
        for _ in 0..20_000 {
            hedges.request();
            let mut took = latency();
            if let Some(delay) = hedges.delay()
                && took > delay
                && hedges.take(Timestamp::UNIX_EPOCH)
            {
                sent += 1;
                took = took.min(delay + latency());
            }
            hedges.answered(took);
            waited.push(took);
        }
        waited.sort();
        assert!(waited[waited.len() * 99 / 100] < Duration::from_millis(50));
        assert!(sent <= 1_000, "{sent}");
        let delay = hedges.delay().unwrap();
        assert!(delay > Duration::from_millis(8), "{delay:?}");
    }

    proptest! {
        #[test]
        fn the_delay_is_the_quantile_of_a_sorted_copy(
            quantile in 0.0..=1.0_f64, latencies in proptest::collection::vec(any::<u64>(), 32..128)
        ) {
            let settings = HedgeSettings::default()
                .with_quantile(Probability::new(quantile).unwrap())
                .with_earliest(Duration::ZERO);
            let mut hedges = Hedges::new(settings);
            latencies.iter().for_each(|&latency| hedges.answered(Duration::from_nanos(latency)));
            let delay = hedges.delay().unwrap();
            let below = latencies.iter().filter(|&&latency| Duration::from_nanos(latency) <= delay).count();
            let strictly = latencies.iter().filter(|&&latency| Duration::from_nanos(latency) < delay).count();
            prop_assert!(below as f64 >= quantile * latencies.len() as f64);
            prop_assert!(strictly == 0 || (strictly as f64) < quantile * latencies.len() as f64);
        }
    }
}
