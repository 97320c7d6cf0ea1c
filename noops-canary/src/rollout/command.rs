use noops_core::{Digest, Share, Timestamp};
use serde::{Deserialize, Serialize};

use super::quarantine::Until;
use super::stage::Stage;

/// What the host is asked to do.
///
/// All but [`Notify`](Self::Notify) are idempotent and are repeated on every tick until they are acknowledged, so losing one, or
/// carrying one out twice, is safe. A host must refuse a command whose generation is below the highest it has seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Give the candidate this share. Acknowledged by [`ShareApplied`](super::RolloutEvent::ShareApplied).
    SetShare {
        /// The share.
        share: Share,
        /// The fencing generation.
        generation: u64,
    },
    /// Make the candidate the champion, at the full share. Acknowledged as the full share.
    Promote {
        /// The fencing generation.
        generation: u64,
    },
    /// Take all traffic from the candidate. Acknowledged as the share zero.
    RollBack {
        /// The fencing generation.
        generation: u64,
        /// Why.
        because: String,
    },
    /// Tell people. A courtesy, given once: nothing depends on it, and the state says the same.
    Notify {
        /// The generation it is about.
        generation: u64,
        /// What happened.
        notice: Notice,
    },
    /// Write into the [`Quarantine`](super::Quarantine) book. Acknowledged by
    /// [`QuarantineRecorded`](super::RolloutEvent::QuarantineRecorded).
    Quarantine {
        /// The artifact that failed.
        candidate: Digest,
        /// How long it may not start again.
        until: Until,
        /// Until when no candidate may start.
        cool_down_until: Timestamp,
    },
}

/// What people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The rollout went on to another stage, or ended in one.
    Entered {
        /// The stage.
        stage: Stage,
    },
    /// A stage ended without a conclusion and waits for a person.
    Held,
    /// A stage ended without a conclusion and was given more time, once.
    Extended,
    /// A person paused.
    Paused,
    /// A person resumed.
    Resumed,
    /// The judge's specification changed, and a new test began.
    Restarted,
}
