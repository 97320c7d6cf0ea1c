use std::time::Duration;

use noops_core::Share;
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// What a stage must have seen before it is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageGate {
    min_duration: Duration,
    max_duration: Duration,
    min_pairs: u64,
}

impl StageGate {
    /// Stays at least `min_duration` and for `min_pairs` judged pairs, and gives up after `max_duration`.
    #[must_use]
    pub fn new(min_duration: Duration, max_duration: Duration, min_pairs: u64) -> Self {
        Self {
            min_duration,
            max_duration,
            min_pairs,
        }
    }

    /// The shortest stay: long enough for a warm-up and one full delay of the labels.
    #[must_use]
    pub fn min_duration(&self) -> Duration {
        self.min_duration
    }

    /// The longest stay, after which the rollout is rolled back as inconclusive.
    #[must_use]
    pub fn max_duration(&self) -> Duration {
        self.max_duration
    }

    /// The pairs judged during the stage.
    #[must_use]
    pub fn min_pairs(&self) -> u64 {
        self.min_pairs
    }
}

/// One stage of the ramp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RampStage {
    share: Share,
    gate: StageGate,
}

impl RampStage {
    /// Serves `share` of the traffic until `gate` opens.
    #[must_use]
    pub fn new(share: Share, gate: StageGate) -> Self {
        Self { share, gate }
    }

    /// The share of the candidate.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// What the stage must have seen before it is left.
    #[must_use]
    pub fn gate(&self) -> &StageGate {
        &self.gate
    }
}

/// A checked plan: a shadow stage, then a ramp of rising shares.
///
/// A plan without a ramp promotes straight from the shadow stage.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use noops_canary::{RampStage, RolloutPlan, StageGate};
/// use noops_core::Share;
///
/// let hour = Duration::from_secs(3600);
/// let gate = StageGate::new(hour, 48 * hour, 500);
/// let ramp = [0.01, 0.10, 0.50]
///     .into_iter()
///     .map(|ratio| Ok(RampStage::new(Share::from_ratio(ratio)?, gate)))
///     .collect::<Result<Vec<_>, noops_core::UnitError>>()?;
/// let plan = RolloutPlan::new(gate, ramp)?;
/// assert_eq!(plan.ramp().len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawPlan", into = "RawPlan")]
pub struct RolloutPlan {
    shadow: StageGate,
    ramp: Vec<RampStage>,
}

impl RolloutPlan {
    /// Checks and takes a plan.
    ///
    /// # Errors
    ///
    /// [`CanaryError::GateDurations`] if a minimum duration is above its maximum (stage `0` is the shadow stage), and
    /// [`CanaryError::ShareNotRaised`] unless each share is above the one before, the first above zero.
    pub fn new(shadow: StageGate, ramp: Vec<RampStage>) -> Result<Self, CanaryError> {
        let gates = std::iter::once(&shadow).chain(ramp.iter().map(RampStage::gate));
        for (stage, gate) in gates.enumerate() {
            if gate.min_duration > gate.max_duration {
                return Err(CanaryError::GateDurations { stage });
            }
        }
        let mut previous = Share::ZERO;
        for (index, stage) in ramp.iter().enumerate() {
            if stage.share <= previous {
                return Err(CanaryError::ShareNotRaised {
                    index,
                    share: stage.share,
                    previous,
                });
            }
            previous = stage.share;
        }
        Ok(Self { shadow, ramp })
    }

    /// The gate of the shadow stage.
    #[must_use]
    pub fn shadow(&self) -> &StageGate {
        &self.shadow
    }

    /// The stages of the ramp, in order.
    #[must_use]
    pub fn ramp(&self) -> &[RampStage] {
        &self.ramp
    }
}

#[derive(Serialize, Deserialize)]
struct RawPlan {
    shadow: StageGate,
    ramp: Vec<RampStage>,
}

impl TryFrom<RawPlan> for RolloutPlan {
    type Error = CanaryError;

    fn try_from(raw: RawPlan) -> Result<Self, CanaryError> {
        Self::new(raw.shadow, raw.ramp)
    }
}

impl From<RolloutPlan> for RawPlan {
    fn from(plan: RolloutPlan) -> Self {
        Self {
            shadow: plan.shadow,
            ramp: plan.ramp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATE: StageGate = StageGate {
        min_duration: Duration::from_secs(60),
        max_duration: Duration::from_secs(600),
        min_pairs: 10,
    };

    fn ramp(shares: &[u32]) -> Vec<RampStage> {
        shares
            .iter()
            .map(|&ppm| RampStage::new(Share::from_ppm(ppm).unwrap(), GATE))
            .collect()
    }

    #[test]
    fn shares_that_do_not_rise_are_refused() {
        for shares in [&[0][..], &[10_000, 10_000], &[50_000, 10_000]] {
            let refused = RolloutPlan::new(GATE, ramp(shares)).unwrap_err();
            assert!(
                matches!(refused, CanaryError::ShareNotRaised { .. }),
                "{refused}"
            );
        }
        assert!(RolloutPlan::new(GATE, ramp(&[1, 2, 1_000_000])).is_ok());
    }

    #[test]
    fn a_gate_that_cannot_open_is_refused_also_when_read_from_json() {
        let shut = StageGate::new(Duration::from_secs(2), Duration::from_secs(1), 0);
        assert_eq!(
            RolloutPlan::new(shut, Vec::new()),
            Err(CanaryError::GateDurations { stage: 0 })
        );
        let mut json = serde_json::to_value(RolloutPlan::new(GATE, ramp(&[1])).unwrap()).unwrap();
        assert!(serde_json::from_value::<RolloutPlan>(json.clone()).is_ok());
        json["shadow"]["min_duration"]["secs"] = 1_000_000.into();
        assert!(serde_json::from_value::<RolloutPlan>(json).is_err());
    }
}
