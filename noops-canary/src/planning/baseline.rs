use noops_core::Probability;
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;
use crate::judge::{MetricKind, MetricSpec};

/// What is known of the champion on one metric before the rollout.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Baseline {
    /// How often it happens, per request: for a rate, for events, and for values above a threshold. A tail quantile needs no baseline: it
    /// is exceeded as often as it says.
    Rate(Probability),
    /// The mean of a number and how much single requests spread around it.
    Mean {
        /// The champion's mean.
        mean: f64,
        /// The standard deviation of one request's value.
        standard_deviation: f64,
    },
    /// Differences of two models' losses on the same requests.
    Paired {
        /// The standard deviation of the mean difference of one block.
        standard_deviation: f64,
        /// The pairs in a block.
        pairs_per_block: f64,
    },
}

impl Baseline {
    /// The baseline of a metric, where it fits.
    pub(super) fn of(metric: &MetricSpec, given: Option<&Self>) -> Result<Self, CanaryError> {
        let refuse = |reason: &str| {
            Err(CanaryError::Specification {
                part: format!("the baseline of metric `{}`", metric.name()),
                reason: reason.to_owned(),
            })
        };
        if let MetricKind::Tail { quantile, .. } = metric.kind() {
            return Ok(Self::Rate(quantile.complement()));
        }
        let Some(given) = given else {
            return refuse("is missing; give one under the metric's name");
        };
        match (metric.kind(), given) {
            (
                MetricKind::Rate | MetricKind::Events | MetricKind::Above { .. },
                Self::Rate(rate),
            ) => {
                if rate.get() > 0.0 && rate.get() < 1.0 {
                    return Ok(*given);
                }
                refuse("is a rate of 0 or 1, of which no ratio can be found; give one between")
            }
            (
                MetricKind::Mean { lower, upper },
                Self::Mean {
                    mean,
                    standard_deviation,
                },
            ) => {
                let spread = *standard_deviation;
                // The widest spread that a range allows is half of it, with the mean in its middle.
                if lower < mean && mean < upper && spread > 0.0 && spread <= 0.5 * (upper - lower) {
                    return Ok(*given);
                }
                refuse(
                    "does not fit the range; give a mean inside and a standard deviation above 0 and at most half the range",
                )
            }
            (
                MetricKind::Paired(settings),
                Self::Paired {
                    standard_deviation,
                    pairs_per_block,
                },
            ) => {
                let fits =
                    *standard_deviation > 0.0 && *standard_deviation <= settings.block_range();
                if fits && *pairs_per_block >= 1.0 && pairs_per_block.is_finite() {
                    return Ok(*given);
                }
                refuse(
                    "does not fit; give a standard deviation above 0 and at most the block range, and one pair a block or more",
                )
            }
            (MetricKind::Mean { .. }, _) => {
                refuse("is of another kind; give a mean and a standard deviation")
            }
            (MetricKind::Paired(_), _) => {
                refuse("is of another kind; give the standard deviation of block means")
            }
            _ => refuse("is of another kind; give a rate"),
        }
    }
}
