//! A record of what was decided, in which nothing can be changed unnoticed.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;

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
    /// The right to act of whoever recorded it.
    #[serde(default, skip_serializing_if = "FencingToken::is_none")]
    pub token: FencingToken,
}

impl AuditRecord {
    /// Whether two records tell of the same event, whoever tells of it.
    #[must_use]
    pub fn same_event(&self, other: &Self) -> bool {
        self.key == other.key
            && self.at == other.at
            && self.kind == other.kind
            && self.body == other.body
    }
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
    /// as JSON with sorted keys and, unless it is [`FencingToken::NONE`], the token as 8 little-endian bytes.
    #[must_use]
    pub fn chain(sequence: u64, record: AuditRecord, previous: Digest) -> Self {
        let hash = hash_of(sequence, &record, &previous);
        Self {
            sequence,
            record,
            previous,
            hash,
        }
    }

    /// Whether the hash is that of the content.
    pub(crate) fn is_whole(&self) -> bool {
        self.hash == hash_of(self.sequence, &self.record, &self.previous)
    }
}

fn hash_of(sequence: u64, record: &AuditRecord, previous: &Digest) -> Digest {
    let body = canonical(&record.body);
    let at = record.at.to_string();
    let token = record.token.get().to_le_bytes();
    let token = (!record.token.is_none()).then_some(&token[..]);
    let parts = [
        &previous.as_bytes()[..],
        &sequence.to_le_bytes(),
        record.key.as_bytes(),
        at.as_bytes(),
        record.kind.as_bytes(),
        body.as_bytes(),
    ];
    Digest::of_parts(parts.into_iter().chain(token))
}

/// JSON text with sorted keys, whatever order the map type of this build keeps.
pub(crate) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (place, (key, value)) in members.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_canonical(value, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

/// An append-only log of chained records.
///
/// # Contract
///
/// * `append` MUST chain with [`AuditEntry::chain`] and MUST be durable when it returns, if the implementation is durable at all.
/// * `append` MUST be idempotent by key: the same event again, with whatever token, returns the entry that exists, another event
///   under the same key is [`Conflict`](crate::ErrorKind::Conflict).
/// * A record with a smaller token than the newest entry MUST be refused as [`Fenced`](crate::ErrorKind::Fenced), before its key is looked at.
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
/// use noops_core::{AuditEntry, AuditRecord, FencingToken, Timestamp, verify_chain};
///
/// let record = |key: &str| AuditRecord {
///     key: key.into(),
///     at: Timestamp::UNIX_EPOCH,
///     kind: "promote".into(),
///     body: serde_json::json!({ "to": 2 }),
///     token: FencingToken::NONE,
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
    let mut token = FencingToken::NONE;
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
        if entry.record.token < token {
            return fault(Fault::Token);
        }
        token = entry.record.token;
        if !entry.is_whole() {
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
    Token,
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
            Fault::Token => "was recorded by somebody who had lost the lease",
            Fault::Content => "was changed: its hash does not fit its content",
        })
    }
}

impl std::error::Error for ChainError {}

pub(crate) const APPEND: &str = "append to the audit log";

pub(crate) fn other_record_under_key(key: &str) -> Error {
    let message = "another record exists under this key";
    Error::new(ErrorKind::Conflict, APPEND, message).with("key", key)
}

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
                token: FencingToken::NONE,
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
    fn the_hash_is_over_the_sorted_text_of_the_body() {
        // python3: sha256 over struct.pack('<Q', len(p)) + p for each part: 32 zero bytes, struct.pack('<Q', 0), b'k', b'1970-01-01T00:00:00Z',
        // b'promote', the text below, struct.pack('<Q', 3).
        let body =
            serde_json::json!({ "b": [1, 2.5, {}], "a": { "\n\"": null, "z": [], "é": true } });
        let text = "{\"a\":{\"\\n\\\"\":null,\"z\":[],\"é\":true},\"b\":[1,2.5,{}]}";
        assert_eq!(canonical(&body), text);
        let record = AuditRecord {
            key: "k".into(),
            at: Timestamp::UNIX_EPOCH,
            kind: "promote".into(),
            body,
            token: FencingToken::new(3),
        };
        let entry = AuditEntry::chain(0, record, AuditEntry::ORIGIN);
        let published = "d2348b8c0ad623740f27cf1b2aec5dbc90ab1aeab3b46073c46c14f19414723b";
        assert_eq!(entry.hash.to_string(), published);
    }

    #[test]
    fn an_empty_log_is_whole() {
        assert_eq!(verify_chain(&[]), Ok(()));
    }
}
