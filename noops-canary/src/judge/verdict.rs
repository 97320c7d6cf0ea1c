use std::fmt;

use serde::{Deserialize, Serialize};

use super::budget::BudgetKind;
use super::needs::Needs;
use crate::rollout::{OnInconclusive, RolloutVerdict};

/// What the evidence allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The candidate is proven no worse than the margin on every guardrail, better on a goal if there is one, and nothing speaks against
    /// it.
    Promote,
    /// Go on observing.
    Continue {
        /// What a promotion is about to need.
        needs: Needs,
    },
    /// The candidate is proven to do harm, or has used up a budget.
    RollBack {
        /// What proved it.
        because: Cause,
    },
    /// There is too little to say anything in favour of the candidate.
    Insufficient {
        /// What is lacking.
        because: Shortfall,
    },
    /// Nothing can be concluded: the requests allowed are used up, or the comparison is not sound.
    Inconclusive {
        /// Why.
        because: Cause,
        /// What is to become of the candidate.
        then: OnInconclusive,
    },
}

/// What a rollout needs to know of it. What is to become of an inconclusive candidate is then the business of the stage's gate.
impl From<&Verdict> for RolloutVerdict {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Promote => Self::Promote,
            Verdict::Continue { .. } => Self::Continue,
            Verdict::RollBack { because } => Self::RollBack {
                because: because.to_string(),
            },
            Verdict::Insufficient { .. } => Self::Insufficient,
            Verdict::Inconclusive { .. } => Self::Inconclusive,
        }
    }
}

/// What a rollback, or an end without a conclusion, rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The candidate is worse on a metric.
    Metric(String),
    /// The candidate is worse on a group of metrics taken together.
    Group(String),
    /// The candidate is worse in a slice.
    Slice {
        /// The metric.
        metric: String,
        /// The column.
        column: String,
        /// Its value.
        value: String,
    },
    /// A budget is used up.
    Budget(BudgetKind),
    /// The arms did not get their shares, so they are not comparable.
    SampleRatioMismatch,
    /// The requests allowed are used up before all that has to be proven is.
    RequestsUsedUp,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(name) => write!(f, "the candidate is worse on `{name}`"),
            Self::Group(name) => {
                write!(
                    f,
                    "the candidate is worse on the metrics of group `{name}` together"
                )
            }
            Self::Slice {
                metric,
                column,
                value,
            } => write!(
                f,
                "the candidate is worse on `{metric}` where `{column}` is `{value}`"
            ),
            Self::Budget(BudgetKind::Requests) => {
                write!(
                    f,
                    "the candidate has served more requests than its budget allows"
                )
            }
            Self::Budget(BudgetKind::BadEvents(name)) => {
                write!(
                    f,
                    "the candidate has used up its budget of bad events of `{name}`"
                )
            }
            Self::Budget(BudgetKind::Cost(name)) => {
                write!(f, "the candidate has used up its budget of `{name}`")
            }
            Self::SampleRatioMismatch => {
                write!(
                    f,
                    "the arms did not get the shares they should have, so they cannot be compared"
                )
            }
            Self::RequestsUsedUp => {
                write!(
                    f,
                    "the requests allowed are used up before all that has to be proven is"
                )
            }
        }
    }
}

/// What is lacking before anything can be said for the candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortfall {
    /// An arm has too few outcomes of a metric.
    TooFew {
        /// The metric.
        metric: String,
        /// The champion's outcomes.
        champion: u64,
        /// The candidate's outcomes.
        candidate: u64,
        /// The outcomes each needs.
        needed: u64,
    },
    /// All values of a metric are one and the same.
    Constant {
        /// The metric.
        metric: String,
    },
    /// Too many values of a metric are missing.
    Missing {
        /// The metric.
        metric: String,
        /// The larger of the two arms' shares of missing values.
        share: f64,
    },
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew {
                metric,
                champion,
                candidate,
                needed,
            } => write!(
                f,
                "`{metric}` has {champion} outcomes of the champion and {candidate} of the candidate, and needs {needed} of each"
            ),
            Self::Constant { metric } => {
                write!(
                    f,
                    "all values of `{metric}` are one and the same, as those of a broken sensor are"
                )
            }
            Self::Missing { metric, share } => {
                write!(
                    f,
                    "{:.1} % of the values of `{metric}` are missing in one arm",
                    100.0 * share
                )
            }
        }
    }
}
