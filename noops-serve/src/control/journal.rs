//! What is written down about a decision.

use jiff::Timestamp;
use noops_canary::judge::Judge;
use noops_canary::rollout::{Decision as RolloutDecision, Rollout};
use noops_core::{AuditEntry, AuditLog, AuditRecord, Digest, Error, ErrorKind, FencingToken};
use noops_policy::{Decision, FactRecord, FactSchema};
use serde::{Deserialize, Serialize};

use super::settings::ControlSettings;

/// A policy document by the name of its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDocument {
    /// The name, such as a file name.
    pub source: String,
    /// The YAML text.
    pub text: String,
}

/// The first entry: what all later decisions can be re-evaluated with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The policies, word for word.
    pub policies: Vec<PolicyDocument>,
    /// What their conditions were checked against.
    pub facts: FactSchema,
    /// The settings of the controller.
    pub settings: ControlSettings,
}

/// What a decision is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A version of the model.
    Version {
        /// Its number.
        number: u64,
        /// Its digest.
        digest: Digest,
    },
    /// A candidate that has no number yet.
    Candidate {
        /// Its digest.
        digest: Digest,
    },
    /// A training run.
    Run {
        /// Its name.
        name: String,
    },
    /// The inputs of the model.
    Inputs {
        /// Since when.
        since: Timestamp,
    },
    /// The automation itself.
    Automation,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version { number, .. } => write!(f, "version {number}"),
            Self::Candidate { digest } => write!(f, "candidate {}", digest.short()),
            Self::Run { name } => write!(f, "run {name}"),
            Self::Inputs { since } => write!(f, "inputs since {since}"),
            Self::Automation => f.write_str("automation"),
        }
    }
}

/// The state a rollout decision was computed from: stepping it again proposes the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The rollout before the step.
    pub rollout: Rollout,
    /// The judge.
    pub judge: Judge,
    /// What the step proposed.
    pub proposal: Option<RolloutDecision>,
}

/// The body of the audit entry of a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is about.
    pub subject: Subject,
    /// The decision of the policy.
    pub decision: Decision,
    /// The facts it was taken on.
    pub facts: FactRecord,
    /// The state behind those facts, for a decision about a rollout.
    pub evidence: Option<Evidence>,
    /// Why, for a person.
    pub because: String,
}

impl Entry {
    /// What was to be done, without when: an attempt that failed and the next one are one deed.
    pub(super) fn deed(&self) -> String {
        // Two stages of one rollout are two deeds.
        let stage = self
            .evidence
            .as_ref()
            .map_or(0, |evidence| evidence.rollout.generation());
        format!("{}/{}/{stage}", self.decision.action().name(), self.subject)
    }
}

/// Appends the start entry, unless an earlier attempt to begin has appended the same one. Says when the run began.
pub(super) async fn append_start(
    log: &dyn AuditLog,
    start: &Start,
    at: Timestamp,
    token: FencingToken,
) -> Result<Timestamp, Error> {
    let entries = log.entries().await?;
    let Some(first) = entries.first() else {
        append(log, START, START.to_owned(), start, at, token).await?;
        return Ok(at);
    };
    if first.record.kind == START && first.record.body == to_value(start)? {
        // Again, which adds nothing: the log refuses it from a holder whose successor has acted, before anything is trained.
        let began = first.record.at;
        append(log, START, START.to_owned(), start, began, token).await?;
        return Ok(began);
    }
    Err(Error::new(
        ErrorKind::Conflict,
        "begin",
        "the audit log belongs to a run with other policies or settings",
    ))
}

/// Appends a decision. The key is the same when the same decision is taken again after a crash.
pub(super) async fn append_entry(
    log: &dyn AuditLog,
    entry: &Entry,
    token: FencingToken,
) -> Result<AuditEntry, Error> {
    let (action, at) = (entry.decision.action().name(), entry.decision.at());
    append(
        log,
        action,
        format!("{at}/{}", entry.deed()),
        entry,
        at,
        token,
    )
    .await
}

/// Reads a decision back.
pub(super) fn read_entry(entry: &AuditEntry) -> Result<Entry, Error> {
    Entry::deserialize(&entry.record.body).map_err(|error| {
        Error::new(
            ErrorKind::Corrupt,
            "read the audit log",
            "an entry is no decision",
        )
        .with("sequence", entry.sequence)
        .caused_by(error)
    })
}

async fn append<T: Serialize>(
    log: &dyn AuditLog,
    kind: &str,
    key: String,
    body: &T,
    at: Timestamp,
    token: FencingToken,
) -> Result<AuditEntry, Error> {
    log.append(AuditRecord {
        key,
        at,
        kind: kind.to_owned(),
        body: to_value(body)?,
        token,
    })
    .await
}

fn to_value<T: Serialize>(body: &T) -> Result<serde_json::Value, Error> {
    serde_json::to_value(body).map_err(|error| {
        Error::new(
            ErrorKind::Invalid,
            "write down a decision",
            "it is not JSON",
        )
        .caused_by(error)
    })
}

/// The kind of the first entry.
pub(super) const START: &str = "start";
