use noops_core::{Digest, Share};
use serde::{Deserialize, Serialize};

/// What the evidence allows, as the rollout needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutVerdict {
    /// The candidate is proven no worse than the margins allow.
    Promote,
    /// Neither harm nor non-inferiority is proven yet.
    Continue,
    /// The candidate is proven to do harm.
    RollBack {
        /// The guardrail that proved it, in a few words.
        because: String,
    },
    /// There is too little data, or data too poor, to say anything in favour of the candidate.
    Insufficient,
    /// The looks allowed are used up before all that has to be proven is.
    Inconclusive,
}

/// What a verdict rests on: which judge, and how many events of each arm it has seen since it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EvidenceSummary {
    judge: Digest,
    n_champion: u64,
    n_candidate: u64,
}

impl EvidenceSummary {
    /// The evidence of the judge whose specification has the digest `judge`, after `n_champion` and `n_candidate` events altogether.
    ///
    /// Totals, not increments: a total that is delivered twice counts once.
    #[must_use]
    pub fn new(judge: Digest, n_champion: u64, n_candidate: u64) -> Self {
        Self {
            judge,
            n_champion,
            n_candidate,
        }
    }

    /// The digest of the judge's specification, margins included.
    #[must_use]
    pub fn judge(&self) -> Digest {
        self.judge
    }

    /// The champion's events.
    #[must_use]
    pub fn n_champion(&self) -> u64 {
        self.n_champion
    }

    /// The candidate's events.
    #[must_use]
    pub fn n_candidate(&self) -> u64 {
        self.n_candidate
    }
}

/// Something that happened to a rollout.
///
/// Events may be lost, doubled and reordered. What lowers the candidate's exposure (a proof of harm, [`Pause`](Self::Pause),
/// [`Abort`](Self::Abort)) works whenever it arrives and has nothing left to do the second time. What may raise it is fenced: a verdict
/// by the counts it rests on, and a person's word by the generation that person saw.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutEvent {
    /// The judge gave a verdict.
    Judged {
        /// The verdict.
        verdict: RolloutVerdict,
        /// What it rests on.
        evidence: EvidenceSummary,
    },
    /// Time passed.
    Tick,
    /// A person stops every advance, promotion and deadline. Proven harm still rolls back.
    Pause,
    /// A person ends a pause, or a hold after an inconclusive end, or both at once. A hold begins again when the judge is out of looks.
    Resume {
        /// The generation the person saw; another one makes the word stale.
        generation: u64,
    },
    /// A person takes all traffic from the candidate.
    Abort {
        /// Why.
        reason: String,
    },
    /// A person promotes without waiting for evidence.
    PromoteNow {
        /// The generation the person saw; another one makes the word stale.
        generation: u64,
        /// Who.
        by: String,
    },
    /// The margins or metrics of the judge changed: a new test begins, in the first stage and without the evidence so far.
    ///
    /// Judges are told apart by digest alone. Back at a specification that this rollout had before, late verdicts of its former judge
    /// count again: abort and start another rollout instead.
    SpecChanged {
        /// The generation for which the change was decided; another one makes it stale.
        generation: u64,
        /// The digest of the new judge's specification.
        judge: Digest,
    },
    /// A command was carried out: the router serves this share on behalf of this generation.
    ShareApplied {
        /// The generation of the command.
        generation: u64,
        /// The share in force.
        share: Share,
    },
    /// A look at the router, for example after a restart.
    ShareObserved {
        /// The generation the router follows.
        generation: u64,
        /// The share it serves.
        share: Share,
    },
    /// The router could not be asked, or does not know.
    ShareUnknown,
    /// The quarantine of the candidate was written down.
    QuarantineRecorded {
        /// The candidate.
        candidate: Digest,
    },
}
