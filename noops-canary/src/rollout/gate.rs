use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What happens when a stage ends without a conclusion: its maximum duration is over, or the judge ran out of looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInconclusive {
    /// The candidate loses its traffic.
    #[default]
    RollBack,
    /// The stage stays as it is until a person resumes, promotes or aborts; proven harm still rolls back.
    Hold,
    /// The stage may last one maximum duration longer, counted from the inconclusive end; then the candidate is rolled back.
    ExtendOnce,
}

/// What the judge must say for a stage to be left for the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvanceOn {
    /// The candidate is proven no worse than the margins allow: the verdict `Promote`.
    #[default]
    NonInferiority,
    /// There is enough data and none of it proves harm: `Continue` suffices. Only between stages of partial share: a promotion, and
    /// a step to the full share, always need evidence.
    NoHarm,
}

/// What a stage must have seen before it is left.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use noops_canary::rollout::{AdvanceOn, OnInconclusive, StageGate};
///
/// let hour = Duration::from_secs(3600);
/// let gate = StageGate::new(hour, 48 * hour, 500)
///     .with_on_inconclusive(OnInconclusive::Hold)
///     .with_advance_on(AdvanceOn::NoHarm);
/// assert_eq!(gate.min_events(), 500);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageGate {
    min_duration: Duration,
    max_duration: Duration,
    min_events: u64,
    #[serde(default)]
    on_inconclusive: OnInconclusive,
    #[serde(default)]
    advance_on: AdvanceOn,
}

impl StageGate {
    /// Stays at least `min_duration` and for `min_events` judged events of each arm, and gives up after `max_duration`.
    ///
    /// It is checked when it becomes part of a [`RolloutSpec`](super::RolloutSpec).
    #[must_use]
    pub fn new(min_duration: Duration, max_duration: Duration, min_events: u64) -> Self {
        Self {
            min_duration,
            max_duration,
            min_events,
            on_inconclusive: OnInconclusive::default(),
            advance_on: AdvanceOn::default(),
        }
    }

    /// Sets what an inconclusive end does.
    #[must_use]
    pub fn with_on_inconclusive(mut self, on_inconclusive: OnInconclusive) -> Self {
        self.on_inconclusive = on_inconclusive;
        self
    }

    /// Sets what the judge must say for the stage to be left for the next one.
    #[must_use]
    pub fn with_advance_on(mut self, advance_on: AdvanceOn) -> Self {
        self.advance_on = advance_on;
        self
    }

    /// The bake time, counted from the moment the stage's share is in force: long enough for a warm-up and one full delay of the
    /// labels.
    #[must_use]
    pub fn min_duration(&self) -> Duration {
        self.min_duration
    }

    /// The longest stay, counted from the decision to enter the stage, after which it ends without a conclusion. Leave room above
    /// the bake time for the share to be put in force.
    #[must_use]
    pub fn max_duration(&self) -> Duration {
        self.max_duration
    }

    /// The events of each arm judged while the stage's share was in force. At the full share, where the champion serves nothing,
    /// only those of the candidate count.
    #[must_use]
    pub fn min_events(&self) -> u64 {
        self.min_events
    }

    /// What an inconclusive end does.
    #[must_use]
    pub fn on_inconclusive(&self) -> OnInconclusive {
        self.on_inconclusive
    }

    /// What the judge must say for the stage to be left for the next one.
    #[must_use]
    pub fn advance_on(&self) -> AdvanceOn {
        self.advance_on
    }
}
