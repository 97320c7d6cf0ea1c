use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// How an error rate is split between the reference and the stream.
///
/// With probability at least 1 − `reference` the law of the undrifted stream is within the bounds that the reference
/// gives, and then the probability that the evidence ever reaches 1 / `alarm` is at most `alarm`. The bounds depend on
/// the logarithm of their part, so the alarm gets the larger one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawBudget")]
pub(super) struct ErrorBudget {
    reference: f64,
    alarm: f64,
}

impl ErrorBudget {
    pub(super) fn of(alpha: Alpha) -> Self {
        Self::shared(alpha, 1)
    }

    /// The budget of each of `columns` columns: the bounds of all hold at once, and the alarm is about all of them.
    pub(super) fn shared(alpha: Alpha, columns: usize) -> Self {
        let parts = columns.max(1) as f64;
        let part = |share: f64| (alpha.get() * share).max(f64::MIN_POSITIVE);
        Self {
            reference: (part(REFERENCE_PART) / parts).max(f64::MIN_POSITIVE),
            alarm: part(1.0 - REFERENCE_PART),
        }
    }

    /// The probability that the bounds from the reference may fail with.
    pub(super) fn reference(self) -> f64 {
        self.reference
    }

    /// The error rate that is left for the stream.
    pub(super) fn alarm(self) -> Alpha {
        Alpha::new(self.alarm).unwrap_or(Alpha::ONE_PERCENT)
    }

    /// The e-value at which the alarm is raised.
    pub(super) fn needed(self) -> f64 {
        1.0 / self.alarm
    }
}

#[derive(Deserialize)]
struct RawBudget {
    reference: f64,
    alarm: f64,
}

impl TryFrom<RawBudget> for ErrorBudget {
    type Error = DriftError;

    fn try_from(raw: RawBudget) -> Result<Self, DriftError> {
        for rate in [raw.reference, raw.alarm] {
            if Alpha::new(rate).is_err() {
                return Err(DriftError::InvalidState {
                    state: "error budget",
                    reason: format!("the error rate `{rate}` is not strictly between 0 and 1"),
                });
            }
        }
        Ok(Self {
            reference: raw.reference,
            alarm: raw.alarm,
        })
    }
}

const REFERENCE_PART: f64 = 0.25;
