use serde::{Deserialize, Serialize};

use super::Rollout;
use super::command::Command;
use super::stage::Stage;

/// What one event leads to: the state that follows, and the commands to carry out.
///
/// It is a proposal. Nothing has happened until the host keeps the state: a step that is thrown away has no effect, so a host may ask
/// a policy about the [`decision`](Self::decision) first and keep the old state if the policy denies it.
///
/// Keep the state (and its journal entry) on disk before carrying out the commands. After a crash in between, the commands are repeated by
/// the next tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use]
pub struct Step {
    pub(super) state: Rollout,
    pub(super) commands: Vec<Command>,
    pub(super) decision: Option<Decision>,
    pub(super) ignored: Option<Ignored>,
}

impl Step {
    pub(super) fn unchanged(state: Rollout) -> Self {
        Self {
            state,
            commands: Vec::new(),
            decision: None,
            ignored: None,
        }
    }

    /// The state that follows.
    #[must_use]
    pub fn state(&self) -> &Rollout {
        &self.state
    }

    /// The state that follows, to keep.
    #[must_use]
    pub fn into_state(self) -> Rollout {
        self.state
    }

    /// The commands, in the order in which to carry them out.
    #[must_use]
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The single decision this step takes; `None` if it only keeps books or repeats commands.
    #[must_use]
    pub fn decision(&self) -> Option<&Decision> {
        self.decision.as_ref()
    }

    /// Why the event had no say; `None` if it had one.
    #[must_use]
    pub fn ignored(&self) -> Option<Ignored> {
        self.ignored
    }
}

/// The decision of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Go to the next stage.
    Advance {
        /// That stage.
        to: Stage,
    },
    /// Make the candidate the champion.
    Promote,
    /// Take all traffic from the candidate, on evidence or on a person's word.
    RollBack {
        /// Why.
        because: String,
    },
    /// End a shadow-only rollout with a finding.
    Conclude {
        /// [`Stage::Proven`] or [`Stage::NotProven`].
        finding: Stage,
    },
    /// Wait for a person after an inconclusive end.
    Hold,
    /// Give the stage more time after an inconclusive end.
    Extend,
    /// Stop advances, promotion and deadlines, as a person asked.
    Pause,
    /// Go on, as a person asked.
    Resume,
    /// Begin a new test in the first stage.
    Restart,
}

/// Why an event had no say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// The rollout is over.
    Ended,
    /// The verdict comes from a judge with another specification than this rollout's.
    ForeignEvidence,
    /// The verdict rests on fewer events than one that was seen before.
    StaleEvidence,
    /// The event is about another generation.
    StaleGeneration,
    /// The rollout is paused.
    Paused,
    /// The rollout waits for a person.
    Held,
    /// A shadow-only rollout cannot promote.
    NeverMovesTraffic,
    /// The acknowledged share, or the quarantined candidate, is not the one that was commanded.
    NotCommanded,
    /// What the event asks for, or reports, is already so.
    AlreadySo,
}

impl Ignored {
    /// The reason in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "the rollout is over",
            Self::ForeignEvidence => "the verdict comes from a judge with another specification",
            Self::StaleEvidence => "the verdict rests on fewer events than an earlier one",
            Self::StaleGeneration => "the event is about another generation",
            Self::Paused => "the rollout is paused",
            Self::Held => "the rollout waits for a person",
            Self::NeverMovesTraffic => "a shadow-only rollout cannot promote",
            Self::NotCommanded => "the acknowledgement does not match the command",
            Self::AlreadySo => "it is already so",
        }
    }
}
