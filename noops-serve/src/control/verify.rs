//! Taking decisions again.

use std::fmt;

use noops_core::{AuditEntry, ChainError, verify_chain};
use noops_policy::{Facts, PolicySet};
use serde::Deserialize;

use super::journal::{Entry, START, Start};

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
/// and for rollouts also from the recorded evidence by the judge. Nothing but the log is needed.
///
/// # Errors
///
/// Names the first entry that does not hold.
pub fn verify_decisions(entries: &[AuditEntry]) -> Result<Verified, VerifyError> {
    verify_chain(entries).map_err(VerifyError::Chain)?;
    let Some((first, rest)) = entries.split_first() else {
        return Ok(Verified {
            entries: 0,
            decisions: 0,
        });
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
    for entry in rest {
        if entry.record.kind == START {
            return Err(VerifyError::Start);
        }
        take_again(&policies, entry)?;
    }
    Ok(Verified {
        entries: entries.len() as u64,
        decisions: rest.len() as u64,
    })
}

fn take_again(policies: &PolicySet, entry: &AuditEntry) -> Result<(), VerifyError> {
    let differs = |what| {
        Err(VerifyError::Differs {
            sequence: entry.sequence,
            what,
        })
    };
    let body: Entry = read(entry)?;
    let recorded = &body.decision;
    if recorded.action().name() != entry.record.kind || recorded.at() != entry.record.at {
        return differs("action or time");
    }
    let facts = Facts::from_record(policies.schema(), &body.facts)
        .map_err(|error| unreadable(entry, error))?;
    if policies.decide(recorded.action(), &facts, recorded.at()) != *recorded {
        return differs("decision");
    }
    if let Some(mut evidence) = body.evidence {
        let judgement = evidence.judge.verdict();
        if evidence.rollout.step(recorded.at(), &judgement) != evidence.proposal {
            return differs("verdict");
        }
    }
    Ok(())
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
