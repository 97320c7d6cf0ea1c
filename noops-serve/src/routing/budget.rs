//! How many rows may be given on.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use noops_core::Share;

/// How many rows a cascade may give to a later stage; all of them, unless told otherwise. Where there are two limits, both hold.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroU32;
/// use noops_core::Share;
/// use noops_serve::routing::EscalationBudget;
///
/// let hundred = NonZeroU32::new(100).unwrap_or(NonZeroU32::MIN);
/// // A tenth of the rows, and no more than a hundred in a second.
/// let budget = EscalationBudget::default()
///     .with_share(Share::from_ratio(0.1)?, hundred)
///     .with_rate(hundred, hundred);
/// assert_ne!(budget, EscalationBudget::default());
/// # Ok::<(), noops_core::UnitError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EscalationBudget {
    share: Option<ShareLimit>,
    rate: Option<RateLimit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ShareLimit {
    share: Share,
    burst: NonZeroU32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RateLimit {
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

impl EscalationBudget {
    /// At most a share of the rows: of the first `n` rows no more than `share · n` are given on, whatever `n`. What calm times leave
    /// is saved up to `burst` rows, beside what a request brings itself.
    #[must_use]
    pub fn with_share(mut self, share: Share, burst: NonZeroU32) -> Self {
        self.share = Some(ShareLimit { share, burst });
        self
    }

    /// At most so many rows a second on the cascade's clock: in `t` seconds no more than `per_second · t + burst`.
    #[must_use]
    pub fn with_rate(mut self, per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        self.rate = Some(RateLimit { per_second, burst });
        self
    }
}

/// What is left of a budget: a bucket of tokens for each limit, counted in parts that lose nothing to rounding.
#[derive(Debug)]
pub(super) struct Ledger {
    budget: EscalationBudget,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// In parts of [`SHARE_TOKEN`].
    share: u64,
    /// In parts of [`RATE_TOKEN`].
    rate: u64,
    filled_at: Duration,
}

impl Ledger {
    /// The share begins with nothing saved, the rate with its burst.
    pub(super) fn new(budget: EscalationBudget, now: Duration) -> Self {
        let held = Held {
            share: 0,
            rate: budget.rate.map_or(0, RateLimit::capacity),
            filled_at: now,
        };
        Self {
            budget,
            held: Mutex::new(held),
        }
    }

    /// Takes in that `asked` rows came, and takes out as many of `wanted` tokens as there are.
    pub(super) fn take(&self, asked: usize, wanted: usize, now: Duration) -> usize {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut granted = wanted as u64;
        if let Some(limit) = self.budget.share {
            let brought = (asked as u64).saturating_mul(u64::from(limit.share.ppm()));
            held.share = held.share.saturating_add(brought);
            granted = granted.min(held.share / SHARE_TOKEN);
        }
        if let Some(limit) = self.budget.rate {
            // A clock that went back fills nothing, and not twice when it comes forward again.
            if let Some(span) = now.checked_sub(held.filled_at) {
                held.filled_at = now;
                held.rate = limit.filled(held.rate, span);
            }
            granted = granted.min(held.rate / RATE_TOKEN);
        }
        if let Some(limit) = self.budget.share {
            let rest = held.share.saturating_sub(granted * SHARE_TOKEN);
            held.share = rest.min(limit.capacity());
        }
        if self.budget.rate.is_some() {
            held.rate = held.rate.saturating_sub(granted * RATE_TOKEN);
        }
        usize::try_from(granted).unwrap_or(wanted)
    }

    /// Puts tokens back for which nothing was run.
    pub(super) fn put_back(&self, tokens: usize) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = tokens as u64;
        if let Some(limit) = self.budget.share {
            let put = tokens.saturating_mul(SHARE_TOKEN);
            held.share = held.share.saturating_add(put).min(limit.capacity());
        }
        if let Some(limit) = self.budget.rate {
            let put = tokens.saturating_mul(RATE_TOKEN);
            held.rate = held.rate.saturating_add(put).min(limit.capacity());
        }
    }
}

impl ShareLimit {
    fn capacity(self) -> u64 {
        u64::from(self.burst.get()) * SHARE_TOKEN
    }
}

impl RateLimit {
    fn capacity(self) -> u64 {
        u64::from(self.burst.get()) * RATE_TOKEN
    }

    fn filled(self, held: u64, span: Duration) -> u64 {
        let brought = span
            .as_nanos()
            .saturating_mul(u128::from(self.per_second.get()));
        let brought = u64::try_from(brought).unwrap_or(u64::MAX);
        held.saturating_add(brought).min(self.capacity())
    }
}

/// A row brings as many parts as its share has parts per million.
const SHARE_TOKEN: u64 = 1_000_000;
/// A nanosecond brings as many parts as there are tokens in a second.
const RATE_TOKEN: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn many(burst: u32) -> NonZeroU32 {
        NonZeroU32::new(burst).unwrap()
    }

    fn ledger(budget: EscalationBudget) -> Ledger {
        Ledger::new(budget, Duration::ZERO)
    }

    #[test]
    fn without_limits_everything_is_granted() {
        let ledger = ledger(EscalationBudget::default());
        assert_eq!(ledger.take(1, usize::MAX, Duration::ZERO), usize::MAX);
    }

    #[test]
    fn ten_rows_pay_for_one_and_what_is_saved_has_a_bound() {
        let share = Share::from_ratio(0.1).unwrap();
        let ledger = ledger(EscalationBudget::default().with_share(share, many(2)));
        assert_eq!(ledger.take(9, 1, Duration::ZERO), 0);
        assert_eq!(ledger.take(1, 1, Duration::ZERO), 1);
        // A request brings its own share whatever the burst, and leaves no more than the burst.
        assert_eq!(ledger.take(100, 50, Duration::ZERO), 10);
        assert_eq!(ledger.take(1_000, 0, Duration::ZERO), 0);
        assert_eq!(ledger.take(0, 50, Duration::ZERO), 2);
    }

    #[test]
    fn a_clock_that_swings_gives_no_token_twice() {
        let ledger = ledger(EscalationBudget::default().with_rate(many(1), many(5)));
        assert_eq!(ledger.take(0, 9, Duration::ZERO), 5);
        let taken = [0, 1, 0, 1, 0, 1].map(|second| ledger.take(0, 9, Duration::from_secs(second)));
        assert_eq!(taken.iter().sum::<usize>(), 1);
    }

    #[test]
    fn short_spans_lose_nothing_to_rounding() {
        let ledger = ledger(EscalationBudget::default().with_rate(many(1_000), many(2)));
        let spans = (0..3_000_u64).map(|step| Duration::from_nanos(step * 1_001));
        let taken: usize = spans.map(|now| ledger.take(0, 1, now)).sum();
        // The burst, and one for each whole millisecond of 2,999 spans of 1,001 ns.
        assert_eq!(taken, 2 + 3);
    }

    #[test]
    fn what_was_put_back_can_be_taken_again() {
        let full = EscalationBudget::default().with_share(Share::FULL, many(8));
        let ledger = ledger(full.with_rate(many(1), many(3)));
        assert_eq!(ledger.take(8, 8, Duration::ZERO), 3);
        ledger.put_back(2);
        assert_eq!(ledger.take(0, 8, Duration::ZERO), 2);
        ledger.put_back(usize::MAX);
        assert_eq!(ledger.take(0, 8, Duration::MAX), 3);
    }

    proptest! {
        #[test]
        fn no_prefix_of_the_rows_gets_more_than_its_share(
            ppm in 0_u32..=1_000_000,
            burst in 1_u32..50,
            requests in prop::collection::vec((0_usize..40, 0_usize..60), 1..100),
        ) {
            let share = Share::from_ppm(ppm).unwrap();
            let ledger = ledger(EscalationBudget::default().with_share(share, many(burst)));
            let (mut asked, mut granted) = (0_u64, 0_u64);
            for (rows, wanted) in requests {
                asked += rows as u64;
                granted += ledger.take(rows, wanted, Duration::ZERO) as u64;
                prop_assert!(granted <= asked * u64::from(ppm) / 1_000_000);
            }
        }

        #[test]
        fn rows_that_are_always_unsure_use_the_share_to_the_last_row(
            ppm in 0_u32..=1_000_000,
            requests in prop::collection::vec(0_usize..40, 1..100),
        ) {
            let share = Share::from_ppm(ppm).unwrap();
            let ledger = ledger(EscalationBudget::default().with_share(share, NonZeroU32::MIN));
            let (mut asked, mut granted) = (0_u64, 0_u64);
            for rows in requests {
                asked += rows as u64;
                granted += ledger.take(rows, rows, Duration::ZERO) as u64;
                prop_assert_eq!(granted, asked * u64::from(ppm) / 1_000_000);
            }
        }
    }
}
