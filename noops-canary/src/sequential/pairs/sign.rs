use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use super::settings::PairSettings;
use crate::error::CanaryError;
use crate::interval::Interval;
use crate::sequential::counts::binomial::BinomialEvidence;

/// The sign test of paired differences, valid at every look.
///
/// Asks whether the candidate's value (a latency, a cost, a loss) is above the champion's on more than half of the requests on which they
/// differ. It needs nothing of the values but their order: no moments, no bounds.
///
/// # Formula
///
/// The beta-binomial mixture of [`CountMixture`](crate::sequential::CountMixture) for the share of differences above zero among those that are
/// not zero, against ½ or the null share of the settings.
///
/// # Error rates
///
/// P(the evidence ever reaches 1/alpha) <= alpha at any number of looks, if the pairs are independent. Ties are left out, which keeps that
/// promise; they are reported, since with many of them "more often above" says little about the whole.
///
/// # Numerical notes
///
/// The test is about the median of the differences, not about their mean: a candidate that is a little faster on most
/// requests and very much slower on a few passes it.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::{PairSettings, SequentialSign};
/// use noops_core::Alpha;
///
/// let mut latency = SequentialSign::new(PairSettings::default())?;
/// for _ in 0..40 {
///     latency.observe(20.0, 21.5)?;
/// }
/// latency.observe(20.0, 20.0)?;
/// assert_eq!((latency.above(), latency.ties()), (40, 1));
/// assert!(latency.max_log_e().rejects(Alpha::ONE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawSign", into = "RawSign")]
pub struct SequentialSign {
    settings: PairSettings,
    evidence: BinomialEvidence,
    ties: u64,
}

impl SequentialSign {
    /// Starts without pairs.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] for a null share outside \[0.001, 0.999\].
    pub fn new(settings: PairSettings) -> Result<Self, CanaryError> {
        Ok(Self {
            evidence: settings.evidence()?,
            settings,
            ties: 0,
        })
    }

    /// Takes the two values of one request. They may be infinite: an infinite latency is above every finite one.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] if one is NaN, which has no place in an order; nothing is counted then.
    pub fn observe(&mut self, champion: f64, candidate: f64) -> Result<(), CanaryError> {
        match candidate.partial_cmp(&champion) {
            Some(std::cmp::Ordering::Greater) => self.evidence.observe(1, 0),
            Some(std::cmp::Ordering::Less) => self.evidence.observe(0, 1),
            Some(std::cmp::Ordering::Equal) => self.ties = self.ties.saturating_add(1),
            None => {
                return Err(CanaryError::Input {
                    input: "pair",
                    reason: "holds NaN; leave out requests without a value",
                });
            }
        }
        Ok(())
    }

    /// Takes a batch of signs and then looks once: pairs with the candidate below, and above.
    pub fn observe_counts(&mut self, below: u64, above: u64) {
        self.evidence.observe(above, below);
    }

    /// The evidence as it stands.
    #[must_use]
    pub fn log_e(&self) -> LogE {
        self.evidence.log_e()
    }

    /// The largest evidence of all looks.
    #[must_use]
    pub fn max_log_e(&self) -> LogE {
        self.evidence.max_log_e()
    }

    /// The anytime-valid p-value: 1 over the largest evidence, at most 1.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        self.evidence.p_value()
    }

    /// The pairs in which the candidate's value was above the champion's.
    #[must_use]
    pub fn above(&self) -> u64 {
        self.evidence.successes()
    }

    /// The pairs in which the candidate's value was below the champion's.
    #[must_use]
    pub fn below(&self) -> u64 {
        self.evidence.failures()
    }

    /// The pairs with equal values, which are not tested.
    #[must_use]
    pub fn ties(&self) -> u64 {
        self.ties
    }

    /// The confidence sequence of P(candidate above | they differ), from the two-sided mixture.
    #[must_use]
    pub fn above_share_interval(&self, alpha: Alpha) -> Interval {
        let odds = self.evidence.odds_interval(alpha);
        Interval::between(odds.lower.p(), odds.upper.p())
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &PairSettings {
        &self.settings
    }
}

#[derive(Serialize, Deserialize)]
struct RawSign {
    settings: PairSettings,
    below: u64,
    ties: u64,
    above: u64,
    max_log_e: LogE,
}

impl TryFrom<RawSign> for SequentialSign {
    type Error = CanaryError;

    fn try_from(raw: RawSign) -> Result<Self, CanaryError> {
        let mut test = Self::new(raw.settings)?;
        test.evidence = test
            .evidence
            .restored(raw.above, raw.below, raw.max_log_e)
            .map_err(|reason| CanaryError::State {
                state: "SequentialSign",
                reason,
            })?;
        test.ties = raw.ties;
        Ok(test)
    }
}

impl From<SequentialSign> for RawSign {
    fn from(test: SequentialSign) -> Self {
        Self {
            below: test.evidence.failures(),
            ties: test.ties,
            above: test.evidence.successes(),
            max_log_e: test.evidence.max_log_e(),
            settings: test.settings,
        }
    }
}
