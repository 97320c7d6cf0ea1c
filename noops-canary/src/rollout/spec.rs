use std::collections::BTreeSet;
use std::time::Duration;

use noops_core::{Digest, Share};
use serde::{Deserialize, Serialize};

use super::gate::{AdvanceOn, StageGate};
use super::planned::{PlannedStage, RampStage, Ring};
use super::quarantine::Quarantining;
use super::stage::Stage;
use crate::error::CanaryError;

/// The kind of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutForm {
    /// An optional shadow stage, then rising shares of the traffic.
    Canary,
    /// A check at no traffic, one switch to all of it, and a bake time during which the switch can be undone at once.
    BlueGreen,
    /// A comparison on copied traffic that ends in a finding and moves no traffic.
    ShadowOnly,
    /// A fleet, ring after ring.
    Rings,
}

/// A checked specification of a rollout: its stages, and what follows a failure.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use noops_canary::rollout::{RampStage, RolloutForm, RolloutSpec, StageGate};
/// use noops_core::Share;
///
/// let hour = Duration::from_secs(3600);
/// let gate = StageGate::new(hour, 48 * hour, 500);
/// let ramp = [0.01, 0.10, 0.50]
///     .into_iter()
///     .map(|ratio| Ok(RampStage::new(Share::from_ratio(ratio)?, gate)))
///     .collect::<Result<Vec<_>, noops_core::UnitError>>()?;
/// let spec = RolloutSpec::canary(Some(gate), ramp)?.with_cool_down(hour);
/// assert_eq!(spec.form(), RolloutForm::Canary);
/// assert_eq!(spec.stages().count(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawSpec", into = "RawSpec")]
pub struct RolloutSpec {
    plan: Plan,
    cool_down: Duration,
    quarantine: Quarantining,
}

impl RolloutSpec {
    /// An optional shadow stage, then a ramp of rising shares, then promotion. Without a ramp it promotes straight from shadow.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Specification`] without any stage, or if [`AdvanceOn::NoHarm`] would lead to the full share or to promotion;
    /// [`CanaryError::ShareNotRaised`] unless each share is above the one before, the first above zero;
    /// [`CanaryError::GateDurations`] if a minimum duration is above its maximum (stages are counted from zero, the shadow stage
    /// included); [`CanaryError::Setting`] if `min_events` or `max_duration` is zero.
    pub fn canary(shadow: Option<StageGate>, ramp: Vec<RampStage>) -> Result<Self, CanaryError> {
        Self::checked(Plan::Canary { shadow, ramp })
    }

    /// Green is verified at no traffic, then takes all of it, and bakes before it is promoted. Until then the way back is one
    /// command.
    ///
    /// # Errors
    ///
    /// As for [`canary`](Self::canary), of the gates.
    pub fn blue_green(verify: StageGate, bake: StageGate) -> Result<Self, CanaryError> {
        Self::checked(Plan::BlueGreen { verify, bake })
    }

    /// A comparison on copied traffic; ends [`Stage::Proven`] or [`Stage::NotProven`].
    ///
    /// # Errors
    ///
    /// As for [`canary`](Self::canary), of the gate.
    pub fn shadow_only(gate: StageGate) -> Result<Self, CanaryError> {
        Self::checked(Plan::ShadowOnly { gate })
    }

    /// Rings, innermost first; each is left by its own gate, the last one for promotion.
    ///
    /// # Errors
    ///
    /// As for [`canary`](Self::canary), and [`CanaryError::Specification`] if a name is empty or used twice.
    pub fn rings(rings: Vec<Ring>) -> Result<Self, CanaryError> {
        Self::checked(Plan::Rings { rings })
    }

    /// Sets how long no rollout at all may start after a failed one; zero by default.
    #[must_use]
    pub fn with_cool_down(mut self, cool_down: Duration) -> Self {
        self.cool_down = cool_down;
        self
    }

    /// Sets how long the failed candidate itself may not start again; by default never.
    #[must_use]
    pub fn with_quarantine(mut self, quarantine: Quarantining) -> Self {
        self.quarantine = quarantine;
        self
    }

    /// The kind of rollout.
    #[must_use]
    pub fn form(&self) -> RolloutForm {
        match self.plan {
            Plan::Canary { .. } => RolloutForm::Canary,
            Plan::BlueGreen { .. } => RolloutForm::BlueGreen,
            Plan::ShadowOnly { .. } => RolloutForm::ShadowOnly,
            Plan::Rings { .. } => RolloutForm::Rings,
        }
    }

    /// The stages in order, final ones left out.
    pub fn stages(&self) -> impl Iterator<Item = PlannedStage> + '_ {
        (0..).map_while(|position| self.stage_at(position))
    }

    /// The ring at a position; `None` for other forms and past the last.
    #[must_use]
    pub fn ring(&self, index: usize) -> Option<&Ring> {
        match &self.plan {
            Plan::Rings { rings } => rings.get(index),
            _ => None,
        }
    }

    /// How long no rollout at all may start after a failed one.
    #[must_use]
    pub fn cool_down(&self) -> Duration {
        self.cool_down
    }

    /// How long the failed candidate itself may not start again.
    #[must_use]
    pub fn quarantine(&self) -> Quarantining {
        self.quarantine
    }

    /// The digest of the specification, which every journal entry carries.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// The position of a stage that is not final; `None` if the specification has no such stage.
    pub(super) fn position_of(&self, stage: Stage) -> Option<usize> {
        self.stages().position(|planned| planned.stage == stage)
    }

    pub(super) fn stage_at(&self, position: usize) -> Option<PlannedStage> {
        let ramp_stage = |index: usize, ramp: &[RampStage]| {
            ramp.get(index).map(|found| PlannedStage {
                stage: Stage::Ramp {
                    index,
                    share: found.share(),
                },
                gate: *found.gate(),
            })
        };
        match (&self.plan, position) {
            (
                Plan::Canary {
                    shadow: Some(gate), ..
                }
                | Plan::ShadowOnly { gate },
                0,
            ) => Some(PlannedStage {
                stage: Stage::Shadow,
                gate: *gate,
            }),
            (
                Plan::Canary {
                    shadow: Some(_),
                    ramp,
                },
                _,
            ) => ramp_stage(position.checked_sub(1)?, ramp),
            (Plan::Canary { shadow: None, ramp }, index) => ramp_stage(index, ramp),
            (Plan::BlueGreen { verify, .. }, 0) => Some(PlannedStage {
                stage: Stage::Verify,
                gate: *verify,
            }),
            (Plan::BlueGreen { bake, .. }, 1) => Some(PlannedStage {
                stage: Stage::Bake,
                gate: *bake,
            }),
            (Plan::Rings { rings }, index) => rings.get(index).map(|ring| PlannedStage {
                stage: Stage::Ring {
                    index,
                    share: ring.share(),
                },
                gate: *ring.gate(),
            }),
            (Plan::BlueGreen { .. } | Plan::ShadowOnly { .. }, _) => None,
        }
    }

    fn checked(plan: Plan) -> Result<Self, CanaryError> {
        let spec = Self {
            plan,
            cool_down: Duration::ZERO,
            quarantine: Quarantining::default(),
        };
        if spec.stage_at(0).is_none() {
            return Err(refused("the rollout", "has no stage; give it at least one"));
        }
        for (position, planned) in spec.stages().enumerate() {
            spec.check_gate(position, &planned.gate)?;
        }
        spec.check_shares()?;
        if let Plan::Rings { rings } = &spec.plan {
            check_names(rings)?;
        }
        Ok(spec)
    }

    fn check_gate(&self, position: usize, gate: &StageGate) -> Result<(), CanaryError> {
        if gate.min_duration() > gate.max_duration() {
            return Err(CanaryError::GateDurations { stage: position });
        }
        if gate.max_duration().is_zero() {
            return Err(setting("max_duration"));
        }
        if gate.min_events() == 0 {
            return Err(setting("min_events"));
        }
        let next = self.stage_at(position.saturating_add(1));
        let partial = next.is_some_and(|next| next.stage.share() < Share::FULL);
        if gate.advance_on() == AdvanceOn::NoHarm && !partial {
            let part = format!("stage `{position}`");
            let reason = "leads to the full share without evidence of non-inferiority; set `advance_on` to `non_inferiority`";
            return Err(refused(&part, reason));
        }
        Ok(())
    }

    fn check_shares(&self) -> Result<(), CanaryError> {
        let mut previous = Share::ZERO;
        for planned in self.stages() {
            let (Stage::Ramp { index, share } | Stage::Ring { index, share }) = planned.stage
            else {
                continue;
            };
            if share <= previous {
                return Err(CanaryError::ShareNotRaised {
                    index,
                    share,
                    previous,
                });
            }
            previous = share;
        }
        Ok(())
    }
}

fn check_names(rings: &[Ring]) -> Result<(), CanaryError> {
    let mut seen = BTreeSet::new();
    for (index, ring) in rings.iter().enumerate() {
        if ring.name().is_empty() {
            return Err(refused(
                &format!("ring `{index}`"),
                "has no name; give it one",
            ));
        }
        if !seen.insert(ring.name()) {
            return Err(refused(
                &format!("ring `{}`", ring.name()),
                "is listed twice; give each ring its own name",
            ));
        }
    }
    Ok(())
}

fn refused(part: &str, reason: &str) -> CanaryError {
    CanaryError::Specification {
        part: part.to_owned(),
        reason: reason.to_owned(),
    }
}

fn setting(name: &'static str) -> CanaryError {
    CanaryError::Setting {
        name,
        value: 0.0,
        allowed: "above zero",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Plan {
    Canary {
        #[serde(default)]
        shadow: Option<StageGate>,
        ramp: Vec<RampStage>,
    },
    BlueGreen {
        verify: StageGate,
        bake: StageGate,
    },
    ShadowOnly {
        gate: StageGate,
    },
    Rings {
        rings: Vec<Ring>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpec {
    plan: Plan,
    #[serde(default)]
    cool_down: Duration,
    #[serde(default)]
    quarantine: Quarantining,
}

impl TryFrom<RawSpec> for RolloutSpec {
    type Error = CanaryError;

    fn try_from(raw: RawSpec) -> Result<Self, CanaryError> {
        Ok(Self::checked(raw.plan)?
            .with_cool_down(raw.cool_down)
            .with_quarantine(raw.quarantine))
    }
}

impl From<RolloutSpec> for RawSpec {
    fn from(spec: RolloutSpec) -> Self {
        Self {
            plan: spec.plan,
            cool_down: spec.cool_down,
            quarantine: spec.quarantine,
        }
    }
}
