//! When a failed call is made again.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use noops_core::Share;

use super::budget::Budget;
use super::elapsed::nanoseconds;
use super::random::SplitMix64;

/// How often and how fast failed calls are made again.
///
/// The default: at most three attempts, the first pause up to 10 ms and no pause longer than 1 s before what the server asks for;
/// retries are at most 10 % of the requests plus one a second, with a burst of ten.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetrySettings {
    attempts: NonZeroU32,
    base: Duration,
    most: Duration,
    share: Share,
    per_second: u32,
    burst: u32,
}

impl RetrySettings {
    /// How often a call is sent at most, the first time included; one turns retries off.
    #[must_use]
    pub fn with_attempts(mut self, attempts: NonZeroU32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The longest first pause, which doubles with every attempt, and the longest pause of all.
    #[must_use]
    pub fn with_backoff(mut self, base: Duration, most: Duration) -> Self {
        self.base = base;
        self.most = most;
        self
    }

    /// How many retries there may be: a share of the requests, so many a second on top, and at most `burst` at once.
    #[must_use]
    pub fn with_budget(mut self, share: Share, per_second: u32, burst: u32) -> Self {
        self.share = share;
        self.per_second = per_second;
        self.burst = burst;
        self
    }
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            attempts: NonZeroU32::MIN.saturating_add(2),
            base: Duration::from_millis(10),
            most: Duration::from_secs(1),
            // In range: the fallback is never taken.
            share: Share::from_ppm(100_000).unwrap_or(Share::ZERO),
            per_second: 1,
            burst: 10,
        }
    }
}

/// Whether a failure may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retryable {
    /// It may: the connection failed, or the server is overloaded or away. With what the server asked to wait, if it did.
    Yes {
        /// The pause that the server asks for (`Retry-After`).
        after: Option<Duration>,
    },
    /// The same call will fail again.
    No,
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum RetryDecision {
    /// Send it again after this pause.
    After(Duration),
    /// Give the failure to the caller.
    GiveUp(RetryStop),
}

/// Why a call is not made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetryStop {
    /// The failure will not pass by itself.
    NotRetryable,
    /// It was sent as often as the settings allow.
    Attempts,
    /// Too many calls fail: more requests would keep the server down.
    Budget,
    /// The pause would not leave time for an answer.
    Deadline,
}

/// Decides whether failed calls are made again: exponential backoff with full jitter, under a budget.
///
/// The pause after attempt `i` is uniform between 0 and `min(most, base · 2^(i-1))`, after what the server asked for (M. Brooker,
/// *Exponential Backoff And Jitter*, 2015). However many calls fail, the server sees at most
/// `1 + share` times the requests, plus the burst and the ones that time grants.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_serve::remote::{Retries, Retryable, RetryDecision, RetrySettings, RetryStop};
///
/// let mut retries = Retries::new(RetrySettings::default(), 7);
/// let (now, second) = (Timestamp::UNIX_EPOCH, Duration::from_secs(1));
/// (0..10).for_each(|_| retries.request());
/// let lost = Retryable::Yes { after: None };
/// assert!(matches!(retries.failed(now, lost, 1, second), RetryDecision::After(pause) if pause <= Duration::from_millis(10)));
/// assert_eq!(retries.failed(now, lost, 1, second), RetryDecision::GiveUp(RetryStop::Budget));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries {
    settings: RetrySettings,
    budget: Budget,
    random: SplitMix64,
}

impl Retries {
    /// Nothing has failed yet. Clients of one server should have different seeds.
    #[must_use]
    pub fn new(settings: RetrySettings, seed: u64) -> Self {
        let budget = Budget::new(settings.share, settings.per_second, settings.burst);
        Self {
            settings,
            budget,
            random: SplitMix64::new(seed),
        }
    }

    /// A caller asks something; its retries are not counted here.
    pub fn request(&mut self) {
        self.budget.deposit();
    }

    /// The `attempt`th sending of a call (the first is 1) failed, and its caller still waits for `left`.
    pub fn failed(
        &mut self,
        at: Timestamp,
        retryable: Retryable,
        attempt: u32,
        left: Duration,
    ) -> RetryDecision {
        let Retryable::Yes { after } = retryable else {
            return RetryDecision::GiveUp(RetryStop::NotRetryable);
        };
        if attempt >= self.settings.attempts.get() {
            return RetryDecision::GiveUp(RetryStop::Attempts);
        }
        let pause = after
            .unwrap_or_default()
            .saturating_add(self.pause(attempt));
        if pause >= left {
            return RetryDecision::GiveUp(RetryStop::Deadline);
        }
        // Last, so that a call which gives up anyway takes nothing from the others.
        if self.budget.take(at) {
            RetryDecision::After(pause)
        } else {
            RetryDecision::GiveUp(RetryStop::Budget)
        }
    }

    fn pause(&mut self, attempt: u32) -> Duration {
        let factor = 1_u32
            .checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let most = self
            .settings
            .base
            .saturating_mul(factor)
            .min(self.settings.most);
        Duration::from_nanos(self.random.draw_up_to(nanoseconds(most)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOST: Retryable = Retryable::Yes { after: None };
    const HOUR: Duration = Duration::from_secs(3_600);

    fn generous() -> RetrySettings {
        RetrySettings::default()
            .with_attempts(NonZeroU32::MAX)
            .with_budget(Share::FULL, u32::MAX, u32::MAX)
    }

    #[test]
    fn an_outage_is_amplified_by_a_tenth_at_most() {
        // A thousand requests a second for a hundred seconds, all of which fail as often as they are sent.
        let mut retries = Retries::new(
            RetrySettings::default().with_attempts(NonZeroU32::new(10).unwrap()),
            3,
        );
        let (mut sent, mut asked) = (0_u32, 0_u32);
        for millisecond in 0..100_000 {
            let at = Timestamp::from_millisecond(millisecond).unwrap();
            retries.request();
            asked += 1;
            sent += 1;
            for attempt in 1..=10 {
                match retries.failed(at, LOST, attempt, HOUR) {
                    RetryDecision::After(_) => sent += 1,
                    RetryDecision::GiveUp(_) => break,
                }
            }
        }
        // One a second is the part that does not depend on the traffic.
        assert!(sent <= asked + asked / 10 + 100, "{sent} for {asked}");
        assert!(sent > asked + asked / 11, "{sent} for {asked}");
    }

    #[test]
    fn what_the_server_asks_for_is_waited_for() {
        let mut retries = Retries::new(generous(), 1);
        retries.request();
        let after = Duration::from_secs(2);
        let asked = Retryable::Yes { after: Some(after) };
        let RetryDecision::After(pause) = retries.failed(Timestamp::UNIX_EPOCH, asked, 1, HOUR)
        else {
            panic!("the budget is full");
        };
        assert!(pause >= after && pause <= after + Duration::from_millis(10));
        assert_eq!(
            retries.failed(Timestamp::UNIX_EPOCH, asked, 1, after),
            RetryDecision::GiveUp(RetryStop::Deadline)
        );
    }

    #[test]
    fn a_call_that_gives_up_for_another_reason_takes_nothing_from_the_budget() {
        let mut retries = Retries::new(RetrySettings::default().with_budget(Share::FULL, 0, 1), 1);
        retries.request();
        let at = Timestamp::UNIX_EPOCH;
        for (retryable, attempt, left, stop) in [
            (Retryable::No, 1, HOUR, RetryStop::NotRetryable),
            (LOST, 3, HOUR, RetryStop::Attempts),
            (LOST, 1, Duration::ZERO, RetryStop::Deadline),
        ] {
            let decision = retries.failed(at, retryable, attempt, left);
            assert_eq!(decision, RetryDecision::GiveUp(stop));
        }
        assert!(matches!(
            retries.failed(at, LOST, 1, HOUR),
            RetryDecision::After(_)
        ));
    }

    #[test]
    fn the_jitter_is_full() {
        // Uniform on 0 to 10 ms: the mean of a thousand lies within five standard errors (2.89 ms / sqrt 1000) of 5 ms.
        let mut retries = Retries::new(generous(), 5);
        let pauses: Vec<f64> = (0..1_000)
            .map(|_| retries.pause(1).as_secs_f64() * 1e3)
            .collect();
        let mean = pauses.iter().sum::<f64>() / 1e3;
        assert!((mean - 5.0).abs() < 0.46, "{mean}");
        assert!(pauses.iter().any(|&pause| pause < 0.5));
        assert!(pauses.iter().any(|&pause| pause > 9.5));
    }

    proptest! {
        #[test]
        fn no_pause_passes_the_bound_or_the_deadline(
            attempt in any::<u32>(), base in any::<u64>(), most in any::<u64>(), left in any::<u64>(), seed in any::<u64>()
        ) {
            let (base, most, left) =
                (Duration::from_nanos(base), Duration::from_nanos(most), Duration::from_nanos(left));
            let mut retries = Retries::new(generous().with_backoff(base, most), seed);
            retries.request();
            if let RetryDecision::After(pause) = retries.failed(Timestamp::UNIX_EPOCH, LOST, attempt, left) {
                prop_assert!(pause <= most && pause < left);
            }
        }
    }
}
