//! A record of what was decided, in which nothing can be changed unnoticed.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::error::Error;

/// What happened, before it has a place in the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// A name for this event that is the same when it is recorded again after a crash.
    pub key: String,
    /// When it happened, on the clock of the host.
    pub at: Timestamp,
    /// What kind of event, such as `promote`.
    pub kind: String,
    /// The facts, the decision and the reason.
    pub body: Value,
}

/// A record in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The place, counting from 0.
    pub sequence: u64,
    /// The record.
    pub record: AuditRecord,
    /// The hash of the entry before; that of entry 0 is [`AuditEntry::ORIGIN`].
    pub previous: Digest,
    /// The hash of this entry.
    pub hash: Digest,
}

impl AuditEntry {
    /// What comes before the first entry.
    pub const ORIGIN: Digest = Digest::ZERO;

    /// Chains a record to the entry before it.
    ///
    /// # Formula
    ///
    /// hash = SHA-256 over (len, bytes) of: previous hash, sequence as 8 little-endian bytes, key, time as RFC 3339, kind, body
    /// as JSON with sorted keys.
    #[must_use]
    pub fn chain(sequence: u64, record: AuditRecord, previous: Digest) -> Self {
        let body = canonical(&record.body);
        let at = record.at.to_string();
        let hash = Digest::of_parts([
            &previous.as_bytes()[..],
            &sequence.to_le_bytes(),
            record.key.as_bytes(),
            at.as_bytes(),
            record.kind.as_bytes(),
            body.as_bytes(),
        ]);
        Self {
            sequence,
            record,
            previous,
            hash,
        }
    }
}

/// JSON text with sorted keys, whatever order the map type of this build keeps.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            let members = members
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => format!(
            "[{}]",
            values.iter().map(canonical).collect::<Vec<_>>().join(",")
        ),
        scalar => scalar.to_string(),
    }
}

/// An append-only log of chained records.
///
/// # Contract
///
/// * `append` MUST chain with [`AuditEntry::chain`] and MUST be durable when it returns, if the implementation is durable at all.
/// * `append` MUST be idempotent by key: the same record again returns the entry that exists, another record under the same
///   key is [`Conflict`](crate::ErrorKind::Conflict).
/// * There is no way to change or remove an entry.
#[async_trait]
pub trait AuditLog: Debug + Send + Sync + 'static {
    /// Adds a record to the end.
    async fn append(&self, record: AuditRecord) -> Result<AuditEntry, Error>;

    /// All entries in order.
    async fn entries(&self) -> Result<Vec<AuditEntry>, Error>;
}

/// Checks that entries are a whole chain from the origin.
///
/// A hash chain proves that nothing inside was changed, removed or reordered. It cannot prove that nothing was cut off the
/// end: compare the last hash with one kept elsewhere for that.
///
/// # Errors
///
/// Names the first entry that does not fit.
///
/// # Examples
///
/// ```
/// use noops_core::{AuditEntry, AuditRecord, Timestamp, verify_chain};
///
/// let record = |key: &str| AuditRecord {
///     key: key.into(),
///     at: Timestamp::UNIX_EPOCH,
///     kind: "promote".into(),
///     body: serde_json::json!({ "to": 2 }),
/// };
/// let first = AuditEntry::chain(0, record("a"), AuditEntry::ORIGIN);
/// let second = AuditEntry::chain(1, record("b"), first.hash);
/// let mut entries = [first, second];
/// assert!(verify_chain(&entries).is_ok());
///
/// entries[0].record.body = serde_json::json!({ "to": 3 });
/// assert_eq!(verify_chain(&entries).unwrap_err().to_string(), "audit entry 0 was changed: its hash does not fit its content");
/// ```
pub fn verify_chain(entries: &[AuditEntry]) -> Result<(), ChainError> {
    let mut previous = AuditEntry::ORIGIN;
    for (expected, entry) in (0..).zip(entries) {
        let fault = |fault| {
            Err(ChainError {
                sequence: expected,
                fault,
            })
        };
        if entry.sequence != expected {
            return fault(Fault::Sequence);
        }
        if entry.previous != previous {
            return fault(Fault::Previous);
        }
        if AuditEntry::chain(expected, entry.record.clone(), previous).hash != entry.hash {
            return fault(Fault::Content);
        }
        previous = entry.hash;
    }
    Ok(())
}

/// The first place where a chain is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainError {
    sequence: u64,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Sequence,
    Previous,
    Content,
}

impl ChainError {
    /// The place of the first entry that does not fit.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "audit entry {} ", self.sequence)?;
        f.write_str(match self.fault {
            Fault::Sequence => "is missing or out of order",
            Fault::Previous => "does not follow the entry before it",
            Fault::Content => "was changed: its hash does not fit its content",
        })
    }
}

impl std::error::Error for ChainError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chain(length: usize) -> Vec<AuditEntry> {
        let mut entries: Vec<AuditEntry> = Vec::new();
        for sequence in 0..length as u64 {
            let record = AuditRecord {
                key: format!("event/{sequence}"),
                at: Timestamp::from_second(sequence as i64).unwrap(),
                kind: "retrain".into(),
                body: serde_json::json!({ "n": sequence, "why": ["a", "b"] }),
            };
            entries.push(AuditEntry::chain(
                sequence,
                record,
                entries.last().map_or(AuditEntry::ORIGIN, |last| last.hash),
            ));
        }
        entries
    }

    proptest! {
        #[test]
        fn removing_swapping_or_changing_any_entry_is_found(length in 3usize..20, at in 0usize..18, how in 0u8..5) {
            let mut entries = chain(length);
            let at = at % (length - 1);
            match how {
                0 => { entries.remove(at); }
                1 => entries.swap(at, at + 1),
                2 => entries[at].record.kind.push('x'),
                3 => entries[at].record.at = Timestamp::from_second(999).unwrap(),
                _ => entries[at].record.body = serde_json::json!(null),
            }
            let error = verify_chain(&entries).unwrap_err();
            prop_assert_eq!(error.sequence(), at as u64);
        }
    }

    #[test]
    fn rehashing_a_changed_entry_breaks_the_next_link() {
        let mut entries = chain(4);
        entries[1].record.kind = "promote".into();
        entries[1] = AuditEntry::chain(1, entries[1].record.clone(), entries[1].previous);
        assert_eq!(
            verify_chain(&entries).unwrap_err().to_string(),
            "audit entry 2 does not follow the entry before it"
        );
    }

    #[test]
    fn an_empty_log_is_whole() {
        assert_eq!(verify_chain(&[]), Ok(()));
    }
}
