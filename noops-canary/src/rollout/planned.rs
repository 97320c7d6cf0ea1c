use noops_core::Share;
use serde::{Deserialize, Serialize};

use super::gate::StageGate;
use super::stage::Stage;

/// One stage of a ramp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

/// One ring of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    name: String,
    share: Share,
    gate: StageGate,
}

impl Ring {
    /// A ring; `share` is the share of the fleet in this ring and all rings before it.
    #[must_use]
    pub fn new(name: impl Into<String>, share: Share, gate: StageGate) -> Self {
        Self {
            name: name.into(),
            share,
            gate,
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The share of the fleet in this ring and all rings before it.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// What the ring must have seen before the next one follows.
    #[must_use]
    pub fn gate(&self) -> &StageGate {
        &self.gate
    }
}

/// A stage of a specification with its gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlannedStage {
    pub(super) stage: Stage,
    pub(super) gate: StageGate,
}

impl PlannedStage {
    /// The stage.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What it must have seen before it is left.
    #[must_use]
    pub fn gate(&self) -> &StageGate {
        &self.gate
    }
}
