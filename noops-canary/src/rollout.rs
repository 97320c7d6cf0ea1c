//! A rollout as a pure state machine: state, time and event in; state and commands out.

mod command;
mod event;
mod gate;
mod journal;
mod planned;
mod quarantine;
mod spec;
mod stage;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod transition;

use std::time::Duration;

use noops_core::{Digest, Share, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::command::{Command, Notice};
pub use self::event::{EvidenceSummary, RolloutEvent, RolloutVerdict};
pub use self::gate::{AdvanceOn, OnInconclusive, StageGate};
pub use self::journal::{JournalEntry, JournalRecord, replay};
pub use self::planned::{PlannedStage, RampStage, Ring};
pub use self::quarantine::{Quarantine, Quarantining, StartRefused, Until};
pub use self::spec::{RolloutForm, RolloutSpec};
pub use self::stage::Stage;
use self::state::RawRollout;
pub use self::step::{Decision, Ignored, Step};

/// A rollout as a pure state machine: state, time and event in; state and commands out.
///
/// [`step`](Self::step) changes nothing: it returns the state that would follow, and a host that does not like the
/// [`decision`](Step::decision) throws it away. The state is serialisable at every point.
///
/// - A stage is left upwards only by a verdict, never by time: the verdict must be fresh, its judge the one of this rollout, the share
///   of the stage acknowledged, baked for the minimum duration, and the minimum events of each arm judged meanwhile.
/// - A promotion, and a step to the full share, need [`RolloutVerdict::Promote`] or a person ([`RolloutEvent::PromoteNow`]).
/// - [`RolloutVerdict::RollBack`] ends the rollout from any stage at once, while it is paused or held too.
/// - A stage without a conclusion ends as its [`OnInconclusive`] says, never in favour of the candidate.
/// - Final stages absorb every event. What may still follow is the repetition of commands that are not acknowledged.
///
/// # Lost, doubled, reordered events, and clocks
///
/// No event identifiers are kept. Doubling is harmless because each event is idempotent by construction: evidence is given as totals, a
/// stage that was just entered has neither an acknowledged share nor events, and a person's word that may raise exposure names the
/// [`generation`](Self::generation) it was given for. An acknowledgement counts for the generation of its command, and a router that was
/// moved, or cannot be asked, is given its command anew under another one. Reordering is harmless because a verdict in favour that rests on fewer events than
/// one before is ignored, while harm, pause and abort count whenever they arrive. Losing is harmless because commands are repeated on
/// [`RolloutEvent::Tick`] and the next verdict says what the last one said. A clock that goes backwards makes a stage look younger,
/// never older. One that is ahead cannot be told from the truth, and a pause that ends before it began has no length.
///
/// A state that finds the router following a later generation than its own is an old copy. It cannot know how the later one ended, so it
/// takes the candidate's traffic away, even from a candidate that the later one promoted, and asks for its quarantine as after any failure.
///
/// # When the state is lost
///
/// A stored state that cannot be read is refused by its deserialiser. The host should then serve [`Share::ZERO`], or
/// [`replay`] the journal.
///
/// # Assumptions
///
/// The router refuses generations below the highest it has followed; one host steps a rollout at a time (take a lease). The verdicts are
/// as good as the judge: looking at every event is safe only with an anytime-valid one.
///
/// # Complexity
///
/// A step copies the state: linear in the number of stages.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use noops_canary::rollout::{
///     Command, Decision, EvidenceSummary, RampStage, Rollout, RolloutEvent, RolloutSpec, RolloutVerdict, Stage, StageGate,
/// };
/// use noops_core::{Digest, Share, Timestamp};
///
/// let gate = StageGate::new(Duration::from_secs(60), Duration::from_secs(3600), 100);
/// let tenth = Share::from_ratio(0.1)?;
/// let spec = RolloutSpec::canary(None, vec![RampStage::new(tenth, gate)])?;
/// let (candidate, judge) = (Digest::of(b"fraud-7"), Digest::of(b"margins"));
/// let at = |second| Timestamp::from_second(second);
/// let rollout = Rollout::start("fraud-7".to_owned(), spec, candidate, judge, at(0)?);
///
/// // The first command, repeated until it is acknowledged.
/// let step = rollout.step(at(1)?, &RolloutEvent::Tick);
/// let generation = rollout.generation();
/// assert_eq!(step.commands(), [Command::SetShare { share: tenth, generation }]);
/// let applied = RolloutEvent::ShareApplied { generation, share: tenth };
/// let rollout = step.state().step(at(2)?, &applied).into_state();
///
/// let judged = |n| RolloutEvent::Judged {
///     verdict: RolloutVerdict::Promote,
///     evidence: EvidenceSummary::new(judge, n, n),
/// };
/// assert_eq!(rollout.step(at(90)?, &judged(99)).decision(), None);
/// let step = rollout.step(at(90)?, &judged(100));
/// assert_eq!(step.decision(), Some(&Decision::Promote));
/// assert_eq!(step.state().stage(), Stage::Promoted);
///
/// // An hour without data is not a pass.
/// let late = rollout.step(at(3600)?, &RolloutEvent::Tick);
/// assert_eq!(late.state().stage(), Stage::RolledBack);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawRollout", into = "RawRollout")]
pub struct Rollout {
    id: String,
    spec: RolloutSpec,
    candidate: Digest,
    judge: Digest,
    stage: Stage,
    since: Timestamp,
    // The two clocks of a stage. A pause moves both on, so they are not times at which something happened.
    deadline_from: Timestamp,
    bake_from: Option<Timestamp>,
    seen: Counts,
    // What was seen when the stage's share came into force.
    baseline: Counts,
    generation: u64,
    acknowledged: bool,
    quarantine_pending: bool,
    extended: bool,
    held: bool,
    paused_at: Option<Timestamp>,
    because: Option<String>,
    promoted_by: Option<String>,
}

/// Events of each arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    champion: u64,
    candidate: u64,
}

impl Rollout {
    /// Starts in the first stage of `spec`; the first tick commands its share.
    ///
    /// `judge` is the digest of the judge's specification, margins included. Ask the [`Quarantine`] book first.
    #[must_use]
    pub fn start(
        id: String,
        spec: RolloutSpec,
        candidate: Digest,
        judge: Digest,
        now: Timestamp,
    ) -> Self {
        // A checked specification has a first stage.
        let stage = spec
            .stage_at(0)
            .map_or(Stage::Shadow, |first| first.stage());
        Self {
            id,
            spec,
            candidate,
            judge,
            stage,
            since: now,
            deadline_from: now,
            bake_from: None,
            seen: Counts::default(),
            baseline: Counts::default(),
            generation: FIRST_GENERATION,
            acknowledged: false,
            quarantine_pending: false,
            extended: false,
            held: false,
            paused_at: None,
            because: None,
            promoted_by: None,
        }
    }

    /// Says what follows from an event, without doing it.
    pub fn step(&self, now: Timestamp, event: &RolloutEvent) -> Step {
        let mut step = Step::unchanged(self.clone());
        step.take(now, event);
        step
    }

    /// The name of the rollout; also a good [`Salt`](crate::Salt), without the [`generation`](Self::generation), which changes during it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The specification.
    #[must_use]
    pub fn spec(&self) -> &RolloutSpec {
        &self.spec
    }

    /// The artifact on its way.
    #[must_use]
    pub fn candidate(&self) -> Digest {
        self.candidate
    }

    /// The digest of the specification of the judge whose verdicts count.
    #[must_use]
    pub fn judge(&self) -> Digest {
        self.judge
    }

    /// The present stage.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The share of live traffic the candidate is meant to serve now.
    #[must_use]
    pub fn share(&self) -> Share {
        self.stage.share()
    }

    /// When the present stage was entered.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// A number that only grows, with every change of stage, pause, resumption and hold, and when a router that had obeyed was moved or
    /// cannot be asked: it fences off late commands, acknowledgements and words.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the rollout is over.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.stage.is_final()
    }

    /// Whether a person paused it.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused_at.is_some()
    }

    /// Whether it waits for a person after an inconclusive end.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Whether the stage was given more time after an inconclusive end.
    #[must_use]
    pub fn is_extended(&self) -> bool {
        self.extended
    }

    /// Whether the command of the present generation was acknowledged.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// Why the candidate failed; `None` unless it did.
    #[must_use]
    pub fn because(&self) -> Option<&str> {
        self.because.as_deref()
    }

    /// Who promoted without waiting for evidence; `None` if the evidence promoted, or nothing did.
    #[must_use]
    pub fn promoted_by(&self) -> Option<&str> {
        self.promoted_by.as_deref()
    }

    /// The champion's events judged while the present stage's share was in force.
    #[must_use]
    pub fn n_champion_in_stage(&self) -> u64 {
        self.seen.champion.saturating_sub(self.baseline.champion)
    }

    /// The candidate's events judged while the present stage's share was in force.
    #[must_use]
    pub fn n_candidate_in_stage(&self) -> u64 {
        self.seen.candidate.saturating_sub(self.baseline.candidate)
    }

    /// How long the stage's share has been in force, pauses left out.
    #[must_use]
    pub fn baked(&self, now: Timestamp) -> Duration {
        self.bake_from
            .map_or(Duration::ZERO, |from| elapsed(from, self.clock(now)))
    }

    /// The present stage's gate; `None` in a final stage.
    #[must_use]
    pub fn gate(&self) -> Option<StageGate> {
        let position = self.spec.position_of(self.stage)?;
        Some(*self.spec.stage_at(position)?.gate())
    }

    /// The time the stage's clocks show: they stand still during a pause.
    fn clock(&self, now: Timestamp) -> Timestamp {
        self.paused_at.map_or(now, |paused| paused.min(now))
    }
}

/// From `from` to `now`; nothing if the clock went backwards.
fn elapsed(from: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(from)).unwrap_or(Duration::ZERO)
}

/// `time` moved on, as far as there is time.
fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Above what a router that never heard of the rollout follows.
const FIRST_GENERATION: u64 = 1;
