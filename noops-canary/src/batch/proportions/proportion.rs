use noops_core::Alpha;
use noops_stats::special::normal_upper_quantile;
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;
use crate::interval::Interval;

/// How many of some trials succeeded.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::Proportion;
/// use noops_core::Alpha;
///
/// let errors = Proportion::new(3, 1_000)?;
/// assert_eq!(errors.rate(), 0.003);
/// assert!(errors.wilson(Alpha::FIVE_PERCENT).contains(0.005));
/// assert!(Proportion::new(4, 3).is_err());
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawProportion", into = "RawProportion")]
pub struct Proportion {
    successes: u64,
    trials: u64,
}

impl Proportion {
    /// The most trials that can be compared: 2⁵², so that the sum of two arms is still exact as a number.
    pub const MAX_TRIALS: u64 = 1 << 52;

    /// `successes` of `trials`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without trials, [`CanaryError::Input`] for more successes than trials and for more than
    /// [`MAX_TRIALS`](Self::MAX_TRIALS).
    pub fn new(successes: u64, trials: u64) -> Result<Self, CanaryError> {
        if trials == 0 {
            return Err(CanaryError::Empty);
        }
        if successes > trials {
            return Err(CanaryError::Input {
                input: "successes",
                reason: "is above the number of trials; count each success as a trial too",
            });
        }
        if trials > Self::MAX_TRIALS {
            return Err(CanaryError::Input {
                input: "trials",
                reason: "is above 2^52; pass a sample of them",
            });
        }
        Ok(Self { successes, trials })
    }

    /// The successes.
    #[must_use]
    pub fn successes(&self) -> u64 {
        self.successes
    }

    /// The trials that did not succeed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.trials.saturating_sub(self.successes)
    }

    /// The trials.
    #[must_use]
    pub fn trials(&self) -> u64 {
        self.trials
    }

    /// Successes over trials.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.successes as f64 / self.trials as f64
    }

    /// The two-sided score interval of the rate (Wilson 1927) at level 1 − `alpha`.
    ///
    /// # Formula
    ///
    /// (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n): the rates that a score test does not reject. It lies inside
    /// \[0, 1\] and has a width at rates of 0 and 1 too. It covers the rate with about the promised probability, in small samples
    /// sometimes with a little less.
    #[must_use]
    pub fn wilson(&self, alpha: Alpha) -> Interval {
        self.wilson_at(normal_upper_quantile(alpha.get() / 2.0))
    }

    pub(in crate::batch) fn wilson_at(&self, z: f64) -> Interval {
        let n = self.trials as f64;
        let p = self.rate();
        let square = z * z;
        let half = z * (p * (self.failures() as f64 / n) / n + square / (4.0 * n * n)).sqrt();
        let middle = p + square / (2.0 * n);
        let scale = 1.0 + square / n;
        // Where the formula gives the ends of the scale it need not hit them after rounding.
        let lower = if self.successes == 0 {
            0.0
        } else {
            ((middle - half) / scale).clamp(0.0, 1.0)
        };
        let upper = if self.failures() == 0 {
            1.0
        } else {
            ((middle + half) / scale).clamp(0.0, 1.0)
        };
        Interval::between(lower, upper)
    }
}

#[derive(Serialize, Deserialize)]
struct RawProportion {
    successes: u64,
    trials: u64,
}

impl TryFrom<RawProportion> for Proportion {
    type Error = CanaryError;

    fn try_from(raw: RawProportion) -> Result<Self, CanaryError> {
        Self::new(raw.successes, raw.trials)
    }
}

impl From<Proportion> for RawProportion {
    fn from(proportion: Proportion) -> Self {
        Self {
            successes: proportion.successes,
            trials: proportion.trials,
        }
    }
}
