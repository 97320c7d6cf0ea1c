use noops_core::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::event::RolloutEvent;
use super::spec::RolloutSpec;
use super::{Rollout, Step};
use crate::error::CanaryError;

/// What a journal entry records.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalRecord {
    /// The rollout was started. The first entry of every journal, and of no other place.
    Started {
        /// Its name.
        id: String,
        /// Its candidate.
        candidate: Digest,
        /// The digest of its judge's specification.
        judge: Digest,
    },
    /// An event was taken, and the state it led to was kept.
    Event {
        /// The event.
        event: RolloutEvent,
    },
}

/// One entry of an append-only journal.
///
/// Write the entry before carrying out the commands of its step. A step that a policy denied is not entered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalEntry {
    sequence: u64,
    at: Timestamp,
    spec: Digest,
    record: JournalRecord,
}

impl JournalEntry {
    /// The first entry, for a rollout that was just started.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] if the rollout has taken an event already.
    pub fn started(rollout: &Rollout) -> Result<Self, CanaryError> {
        let fresh = Rollout::start(
            rollout.id.clone(),
            rollout.spec.clone(),
            rollout.candidate,
            rollout.judge,
            rollout.since,
        );
        if fresh != *rollout {
            return Err(CanaryError::Input {
                input: "rollout",
                reason: "has taken an event already; begin its journal when it starts",
            });
        }
        Ok(Self {
            sequence: 0,
            at: rollout.since,
            spec: rollout.spec.digest(),
            record: JournalRecord::Started {
                id: rollout.id.clone(),
                candidate: rollout.candidate,
                judge: rollout.judge,
            },
        })
    }

    /// The entry after this one.
    #[must_use]
    pub fn next(&self, at: Timestamp, event: RolloutEvent) -> Self {
        Self {
            sequence: self.sequence.saturating_add(1),
            at,
            spec: self.spec,
            record: JournalRecord::Event { event },
        }
    }

    /// The position in the journal, from zero.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The time at which the step was taken.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The digest of the rollout's specification.
    #[must_use]
    pub fn spec(&self) -> Digest {
        self.spec
    }

    /// What happened.
    #[must_use]
    pub fn record(&self) -> &JournalRecord {
        &self.record
    }
}

/// Rebuilds a rollout from its journal: the same state as the live one, bit for bit.
///
/// An entry that is there twice is taken once.
///
/// # Errors
///
/// [`CanaryError::Empty`] without entries; [`CanaryError::State`] if an entry is missing, comes too early, differs from another of the
/// same sequence number, belongs to another specification, or if the first is not the start.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use noops_canary::rollout::{JournalEntry, Rollout, RolloutEvent, RolloutSpec, StageGate, replay};
/// use noops_core::{Digest, Timestamp};
///
/// let gate = StageGate::new(Duration::from_secs(60), Duration::from_secs(3600), 100);
/// let spec = RolloutSpec::shadow_only(gate)?;
/// let now = Timestamp::from_second(0)?;
/// let live = Rollout::start("r-1".to_owned(), spec.clone(), Digest::of(b"7"), Digest::of(b"j"), now);
/// let started = JournalEntry::started(&live)?;
/// let paused = started.next(now, RolloutEvent::Pause);
/// let live = live.step(now, &RolloutEvent::Pause).into_state();
///
/// let journal = [started, paused.clone(), paused];
/// assert_eq!(replay(&spec, &journal)?, live);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn replay(spec: &RolloutSpec, entries: &[JournalEntry]) -> Result<Rollout, CanaryError> {
    let digest = spec.digest();
    let mut taken: Vec<&JournalEntry> = Vec::new();
    let mut state: Option<Rollout> = None;
    for entry in entries {
        if entry.spec != digest {
            return Err(refused("an entry belongs to another specification"));
        }
        let expected = taken.len();
        let position = usize::try_from(entry.sequence).unwrap_or(usize::MAX);
        if position > expected {
            return Err(refused("an entry is missing"));
        }
        if let Some(before) = taken.get(position) {
            if *before == entry {
                continue;
            }
            return Err(refused("two entries have the same sequence number"));
        }
        state = Some(match (&entry.record, state) {
            (
                JournalRecord::Started {
                    id,
                    candidate,
                    judge,
                },
                None,
            ) => Rollout::start(id.clone(), spec.clone(), *candidate, *judge, entry.at),
            (JournalRecord::Event { event }, Some(rollout)) => {
                Step::into_state(rollout.step(entry.at, event))
            }
            (JournalRecord::Started { .. }, Some(_)) => {
                return Err(refused("it starts twice"));
            }
            (JournalRecord::Event { .. }, None) => {
                return Err(refused("its first entry is not the start"));
            }
        });
        taken.push(entry);
    }
    state.ok_or(CanaryError::Empty)
}

fn refused(reason: &'static str) -> CanaryError {
    CanaryError::State {
        state: "journal",
        reason,
    }
}
