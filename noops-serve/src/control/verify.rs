//! Taking decisions again.

use std::collections::BTreeSet;
use std::fmt;

use noops_core::{AuditEntry, ChainError, verify_chain};
use noops_policy::{Action, Facts, Governor, PolicySet};
use serde::Deserialize;

use super::experiment::{propose, reason};
use super::facts::FactBook;
use super::journal::{Entry, Evidence, START, Start};
use super::settings::ControlSettings;
use super::steps::action_of;

/// What a verified log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    entries: u64,
    decisions: u64,
}

impl Verified {
    /// All entries, the start included.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// The decisions that were taken again.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.decisions
    }
}

/// Why a log does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The chain is broken.
    Chain(ChainError),
    /// The log does not begin with a start entry, or has one in another place.
    Start,
    /// An entry cannot be read.
    Unreadable {
        /// Its place.
        sequence: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// Taken again, a decision came out otherwise.
    Differs {
        /// The place of the entry.
        sequence: u64,
        /// What differs.
        what: &'static str,
    },
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(error) => error.fmt(f),
            Self::Start => f.write_str("the audit log must begin with its one start entry"),
            Self::Unreadable { sequence, problem } => {
                write!(f, "audit entry {sequence} cannot be read: {problem}")
            }
            Self::Differs { sequence, what } => write!(
                f,
                "audit entry {sequence} does not hold: taken again, its {what} comes out otherwise"
            ),
        }
    }
}

impl std::error::Error for VerifyError {}

/// Checks the chain of an audit log, and takes every decision in it again: from the recorded facts by the recorded policies,
/// for rollouts also from the recorded evidence by the judge, and all of them under the recorded limits of the governor.
/// Nothing but the log is needed.
///
/// What this cannot see: whether facts of other kinds were true when they were recorded, and whether entries were cut off the
/// end. Keep the last hash elsewhere for that.
///
/// # Errors
///
/// Names the first entry that does not hold.
pub fn verify_decisions(entries: &[AuditEntry]) -> Result<Verified, VerifyError> {
    verify_chain(entries).map_err(VerifyError::Chain)?;
    let Some((first, rest)) = entries.split_first() else {
        return Err(VerifyError::Start);
    };
    if first.record.kind != START {
        return Err(VerifyError::Start);
    }
    let start: Start = read(first)?;
    let documents: Vec<(&str, &str)> = start
        .policies
        .iter()
        .map(|document| (document.source.as_str(), document.text.as_str()))
        .collect();
    let policies =
        PolicySet::load(&documents, &start.facts).map_err(|error| unreadable(first, error))?;
    let governor = Governor::new(start.settings.governor.clone());
    let mut rerun = Rerun {
        policies,
        settings: start.settings,
        governor,
        deeds: BTreeSet::new(),
    };
    for entry in rest {
        if entry.record.kind == START {
            return Err(VerifyError::Start);
        }
        rerun.take_again(entry)?;
    }
    Ok(Verified {
        entries: entries.len() as u64,
        decisions: rest.len() as u64,
    })
}

/// What decisions are taken again with.
struct Rerun {
    policies: PolicySet,
    settings: ControlSettings,
    governor: Governor,
    /// Everything that was attempted before.
    deeds: BTreeSet<String>,
}

impl Rerun {
    fn take_again(&mut self, entry: &AuditEntry) -> Result<(), VerifyError> {
        let differs = |what| {
            Err(VerifyError::Differs {
                sequence: entry.sequence,
                what,
            })
        };
        let body: Entry = read(entry)?;
        let recorded = &body.decision;
        let (action, at) = (recorded.action(), recorded.at());
        if action.name() != entry.record.kind || at != entry.record.at {
            return differs("action or time");
        }
        let facts = Facts::from_record(self.policies.schema(), &body.facts)
            .map_err(|error| unreadable(entry, error))?;
        if self.policies.decide(action, &facts, at) != *recorded {
            return differs("decision");
        }
        if matches!(action, Action::Ramp | Action::Promote | Action::Rollback) {
            let holds = body
                .evidence
                .as_ref()
                .is_some_and(|evidence| self.judges_alike(&body, evidence));
            if !holds {
                return differs("verdict");
            }
        }
        if !body.because.starts_with(&recorded.explain()) {
            return differs("reason");
        }
        if recorded.is_allowed() {
            // An attempt that failed was not counted, and its repetition is the same deed; calling a person never fails.
            let first_attempt = self.deeds.insert(body.deed()) || action == Action::Escalate;
            let target = self.settings.model.as_str();
            if first_attempt {
                if self.governor.check(action, target, at).is_err() {
                    return differs("limit on how often it may happen");
                }
                self.governor.record(action, target, at);
            }
        } else if action != Action::Register {
            // Only the refusal of a candidate is an act worth an entry.
            return differs("permission");
        }
        Ok(())
    }

    /// Whether the evidence, judged again under the recorded settings, proposes this action, and says of the rollout what the
    /// facts say.
    fn judges_alike(&self, body: &Entry, evidence: &Evidence) -> bool {
        let at = body.decision.at();
        let judgement = evidence.judge.judgement();
        let proposal = propose(&evidence.rollout, &evidence.judge, at).decision;
        let mut book = FactBook::new(self.policies.schema(), at);
        let restated = book.rollout(&evidence.rollout, &judgement, proposal.as_ref());
        let of_rollout = |(name, _): &(&String, _)| name.starts_with("rollout.");
        let detail = proposal.as_ref().map_or_else(
            || judgement.explain(),
            |decision| reason(decision, &judgement),
        );
        let explained = format!("{} {detail}", body.decision.explain());
        restated.is_ok()
            && book
                .facts()
                .to_record()
                .iter()
                .eq(body.facts.iter().filter(of_rollout))
            && self
                .settings
                .judge
                .spec()
                .is_ok_and(|spec| spec == *evidence.judge.spec())
            && evidence.judge.spec().digest() == evidence.rollout.judge()
            && *evidence.rollout.spec() == self.settings.rollout
            && proposal == evidence.proposal
            && proposal.as_ref().and_then(action_of) == Some(body.decision.action())
            && body.subject.to_string() == evidence.rollout.id()
            && body.because == explained
    }
}

fn read<T: for<'de> Deserialize<'de>>(entry: &AuditEntry) -> Result<T, VerifyError> {
    T::deserialize(&entry.record.body).map_err(|error| unreadable(entry, error))
}

fn unreadable(entry: &AuditEntry, problem: impl fmt::Display) -> VerifyError {
    VerifyError::Unreadable {
        sequence: entry.sequence,
        problem: problem.to_string(),
    }
}
