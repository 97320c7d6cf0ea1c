use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::GovernorError;

/// A cooldown that grows each time the same remediation is repeated on the same target.
///
/// # Formula
///
/// The `n`-th run in a row is followed by a pause of `min(cap, base * factor^(n-1))`. A run belongs to the row unless the pause
/// after the one before it, and then the quiet time, have passed; after that the row starts again.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_policy::governor::Backoff;
///
/// let minutes = |count: u64| Duration::from_secs(60 * count);
/// let backoff = Backoff::new(minutes(10), 2, minutes(30))?;
/// assert_eq!(backoff.pause(0), minutes(10));
/// assert_eq!(backoff.pause(1), minutes(20));
/// assert_eq!(backoff.pause(2), minutes(30));
/// assert_eq!(backoff.quiet(), minutes(30));
/// # Ok::<(), noops_policy::governor::GovernorError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawBackoff")]
pub struct Backoff {
    base: Duration,
    factor: u32,
    cap: Duration,
    quiet: Duration,
}

impl Backoff {
    /// Pauses for `base` first, and `factor` times as long each time after, up to `cap`, which is also the quiet time.
    ///
    /// # Errors
    ///
    /// Refuses a factor of zero and a cap below the base.
    pub fn new(base: Duration, factor: u32, cap: Duration) -> Result<Self, GovernorError> {
        if factor == 0 {
            return Err(GovernorError::BackoffFactor);
        }
        if cap < base {
            return Err(GovernorError::BackoffCap { base, cap });
        }
        Ok(Self {
            base,
            factor,
            cap,
            quiet: cap,
        })
    }

    /// Sets how long after a pause nothing must happen for the row to end.
    #[must_use]
    pub fn with_quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// The first pause.
    pub fn base(&self) -> Duration {
        self.base
    }

    /// What each pause is of the one before it.
    pub fn factor(&self) -> u32 {
        self.factor
    }

    /// The longest pause.
    pub fn cap(&self) -> Duration {
        self.cap
    }

    /// How long after a pause nothing must happen for the row to end.
    pub fn quiet(&self) -> Duration {
        self.quiet
    }

    /// The pause after a run that repeats the first one for the `repeats`-th time.
    pub fn pause(&self, repeats: u32) -> Duration {
        if self.factor == 1 || self.base.is_zero() {
            return self.base;
        }
        let mut pause = self.base;
        // Doubling reaches any cap in fewer steps than a duration has bits.
        for _ in 0..repeats.min(DURATION_BITS) {
            if pause >= self.cap {
                break;
            }
            pause = pause.saturating_mul(self.factor);
        }
        pause.min(self.cap)
    }

    /// How long after a run the next one still belongs to the same row.
    pub(super) fn row(&self, repeats: u32) -> Duration {
        self.pause(repeats).saturating_add(self.quiet)
    }

    pub(super) fn memory(&self) -> Duration {
        self.cap.saturating_add(self.quiet)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBackoff {
    base: Duration,
    factor: u32,
    cap: Duration,
    quiet: Duration,
}

impl TryFrom<RawBackoff> for Backoff {
    type Error = GovernorError;

    fn try_from(raw: RawBackoff) -> Result<Self, GovernorError> {
        Ok(Self::new(raw.base, raw.factor, raw.cap)?.with_quiet(raw.quiet))
    }
}

const DURATION_BITS: u32 = 96;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_shorten_a_pause_is_refused_also_when_read() {
        let second = Duration::from_secs(1);
        assert!(Backoff::new(second, 0, second).is_err());
        assert!(Backoff::new(second, 2, Duration::ZERO).is_err());
        let good = serde_json::to_string(&Backoff::new(second, 2, second).unwrap()).unwrap();
        assert!(serde_json::from_str::<Backoff>(&good).is_ok());
        let bad = good.replace("\"factor\":2", "\"factor\":0");
        assert!(serde_json::from_str::<Backoff>(&bad).is_err());
    }

    proptest! {
        #[test]
        fn pauses_grow_to_the_cap_and_equal_the_formula(
            base in 0_u64..1000, factor in 1_u32..6, more in 0_u64..100_000, repeats in 0_u32..40
        ) {
            let cap = base + more;
            let backoff =
                Backoff::new(Duration::from_secs(base), factor, Duration::from_secs(cap)).unwrap();
            let naive = u128::from(base)
                .saturating_mul(u128::from(factor).saturating_pow(repeats))
                .min(u128::from(cap));
            prop_assert_eq!(u128::from(backoff.pause(repeats).as_secs()), naive);
            prop_assert!(backoff.pause(repeats + 1) >= backoff.pause(repeats));
            prop_assert!(backoff.pause(u32::MAX) <= Duration::from_secs(cap));
        }
    }
}
