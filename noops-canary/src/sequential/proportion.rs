use libm::log;
use noops_core::{Alpha, LogE, Probability};
use serde::{Deserialize, Serialize};

use super::counts::binomial::TruncatedBeta;
use super::counts::odds::{Odds, crossing};
use crate::batch::Alternative;
use crate::error::CanaryError;
use crate::interval::Interval;

/// A confidence sequence for one proportion: an interval that holds the truth at all looks at once.
///
/// # Formula
///
/// All p with B(k p + S, k q + F) / B(k p, k q) / (p^S q^F) < 1/alpha, where q = 1 − p: the beta-binomial mixture of Howard, Ramdas,
/// McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences" (2021), proposition 7, as `confseq`'s
/// `bernoulli_confidence_interval` has it. The concentration k = n* / (2 ln(1/a) + ln(1 + 2 ln(1/a))) − 1 makes the interval narrowest after n*
/// trials at error rate a. One-sided bounds cut the beta law off at p and use 2a in k.
///
/// # Error rates
///
/// P(the interval ever misses the truth) <= alpha, whatever the number of looks; also when the probability of each trial only has mean p
/// given the past. Several alphas may be asked of one sequence, each with its own guarantee.
///
/// # Numerical notes
///
/// Unlike [`CountMixture`](super::CountMixture)'s interval the prior moves with p, which is what makes it narrow for proportions near 0 and 1.
///
/// # Complexity
///
/// `observe` counts; an interval takes some hundred evaluations of the mixture.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::BernoulliSequence;
/// use noops_core::Alpha;
///
/// let mut agreement = BernoulliSequence::new(100, Alpha::FIVE_PERCENT)?;
/// agreement.observe_counts(700, 300);
/// let interval = agreement.interval(Alpha::FIVE_PERCENT);
/// assert!((interval.lower() - 0.651_629).abs() < 1e-6);
/// assert!((interval.upper() - 0.745_949).abs() < 1e-6);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawBernoulliSequence", into = "RawBernoulliSequence")]
pub struct BernoulliSequence {
    optimal_trials: u64,
    optimal_alpha: Alpha,
    two_sided: f64,
    one_sided: f64,
    successes: u64,
    failures: u64,
}

impl BernoulliSequence {
    /// An interval that is narrowest after `optimal_trials` trials at error rate `optimal_alpha`. A plan ten times too
    /// short costs 7 to 9 % of the width, one ten times too long 27 to 31 %: when in doubt, plan for fewer.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] for no trials and for more than 1e12.
    pub fn new(optimal_trials: u64, optimal_alpha: Alpha) -> Result<Self, CanaryError> {
        if !(1..=MOST_TRIALS).contains(&optimal_trials) {
            return Err(CanaryError::Setting {
                name: "optimal_trials",
                value: optimal_trials as f64,
                allowed: "from 1 to 1000000000000",
            });
        }
        let trials = optimal_trials as f64;
        Ok(Self {
            optimal_trials,
            optimal_alpha,
            two_sided: concentration(trials, optimal_alpha.get()),
            one_sided: concentration(trials, (2.0 * optimal_alpha.get()).min(MOST_ALPHA)),
            successes: 0,
            failures: 0,
        })
    }

    /// Takes one trial that succeeded.
    pub fn observe_success(&mut self) {
        self.observe_counts(1, 0);
    }

    /// Takes one trial that failed.
    pub fn observe_failure(&mut self) {
        self.observe_counts(0, 1);
    }

    /// Takes the trials of a batch.
    pub fn observe_counts(&mut self, successes: u64, failures: u64) {
        self.successes = self.successes.saturating_add(successes);
        self.failures = self.failures.saturating_add(failures);
    }

    /// The successes so far.
    #[must_use]
    pub fn successes(&self) -> u64 {
        self.successes
    }

    /// The failures so far.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// The share of successes; `None` before the first trial.
    #[must_use]
    pub fn proportion(&self) -> Option<f64> {
        (self.successes > 0 || self.failures > 0).then(|| self.estimate().p())
    }

    /// The confidence sequence at this moment.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Interval {
        Interval::between(
            self.end(Alternative::TwoSided, Odds::NEVER, alpha),
            self.end(Alternative::TwoSided, Odds::ALWAYS, alpha),
        )
    }

    /// The bound below which the proportion lies at no look, with probability `1 - alpha`.
    #[must_use]
    pub fn lower_bound(&self, alpha: Alpha) -> f64 {
        self.end(Alternative::Greater, Odds::NEVER, alpha)
    }

    /// The bound above which the proportion lies at no look, with probability `1 - alpha`.
    #[must_use]
    pub fn upper_bound(&self, alpha: Alpha) -> f64 {
        self.end(Alternative::Less, Odds::ALWAYS, alpha)
    }

    /// The evidence against the proportion being `null` (at most, for [`Greater`](Alternative::Greater), or at least, for
    /// [`Less`](Alternative::Less)).
    ///
    /// An impossible outcome, a success where none can happen, is the largest evidence there is.
    #[must_use]
    pub fn log_e(&self, null: Probability, alternative: Alternative) -> LogE {
        let p = null.get();
        if p > 0.0 && p < 1.0 {
            return LogE::new(self.evidence(alternative, Odds::of_counts(p, 1.0 - p)));
        }
        let (impossible, refutes) = if p > 0.0 {
            (self.failures, alternative != Alternative::Greater)
        } else {
            (self.successes, alternative != Alternative::Less)
        };
        if impossible > 0 && refutes {
            LogE::new(f64::INFINITY)
        } else {
            LogE::default()
        }
    }

    fn end(&self, alternative: Alternative, end: Odds, alpha: Alpha) -> f64 {
        if self.successes == 0 && self.failures == 0 {
            return end.p();
        }
        let threshold = -log(alpha.get());
        crossing(self.estimate(), end, |odds| {
            self.evidence(alternative, odds) >= threshold
        })
        .p()
    }

    fn evidence(&self, alternative: Alternative, null: Odds) -> f64 {
        let concentration = match alternative {
            Alternative::TwoSided => self.two_sided,
            Alternative::Greater | Alternative::Less => self.one_sided,
        };
        TruncatedBeta::new(concentration, null, alternative).log_e(
            null,
            self.successes as f64,
            self.failures as f64,
        )
    }

    fn estimate(&self) -> Odds {
        Odds::of_counts(self.successes as f64, self.failures as f64)
    }
}

/// The concentration whose boundary is lowest after `trials`, for a normal mixture and so nearly for this one.
fn concentration(trials: f64, alpha: f64) -> f64 {
    let doubled = -2.0 * log(alpha);
    (trials / (doubled + libm::log1p(doubled)) - 1.0).max(SMALLEST_CONCENTRATION)
}

#[derive(Serialize, Deserialize)]
struct RawBernoulliSequence {
    optimal_trials: u64,
    optimal_alpha: Alpha,
    successes: u64,
    failures: u64,
}

impl TryFrom<RawBernoulliSequence> for BernoulliSequence {
    type Error = CanaryError;

    fn try_from(raw: RawBernoulliSequence) -> Result<Self, CanaryError> {
        let mut sequence = Self::new(raw.optimal_trials, raw.optimal_alpha)?;
        sequence.observe_counts(raw.successes, raw.failures);
        Ok(sequence)
    }
}

impl From<BernoulliSequence> for RawBernoulliSequence {
    fn from(sequence: BernoulliSequence) -> Self {
        Self {
            optimal_trials: sequence.optimal_trials,
            optimal_alpha: sequence.optimal_alpha,
            successes: sequence.successes,
            failures: sequence.failures,
        }
    }
}

const MOST_TRIALS: u64 = 1_000_000_000_000;
/// An error rate of one half or more has no boundary of one side to make narrow.
const MOST_ALPHA: f64 = 0.99;
const SMALLEST_CONCENTRATION: f64 = 1e-3;

#[cfg(test)]
mod tests;
