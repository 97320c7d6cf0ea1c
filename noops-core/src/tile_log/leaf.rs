//! What is hashed: an entry as one line of JSON, with a body that is too long for a leaf kept beside the log under its digest.

use serde::Deserialize;
use serde_json::Value;

use super::bundle::MAX_LEAF;
use super::storage::{WRITE, corrupt};
use crate::audit::{AuditEntry, AuditRecord};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;

/// Reads a file of a log: its path and the most bytes it can have.
pub(super) type Reader<'a> = &'a dyn Fn(&str, u64) -> Result<Option<Vec<u8>>, Error>;

/// A leaf and, when its body does not fit, the file that holds it.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The bytes of the leaf.
    pub(super) bytes: Vec<u8>,
    /// The path and the bytes of the body.
    pub(super) evidence: Option<(String, Vec<u8>)>,
}

/// What recovery needs of a leaf.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    pub(super) sequence: u64,
    pub(super) record: HeaderRecord,
    pub(super) previous: Digest,
    pub(super) hash: Digest,
}

/// What recovery needs of a record.
#[derive(Debug, Deserialize)]
pub(super) struct HeaderRecord {
    pub(super) key: String,
    #[serde(default)]
    pub(super) token: FencingToken,
}

/// The leaf of an entry.
pub(super) fn encode(entry: &AuditEntry) -> Result<Leaf, Error> {
    let bytes = if points_to_evidence(&entry.record.body).is_some() {
        // A body that looks like a pointer is put behind one, so that it is not followed.
        None
    } else {
        Some(json(entry)?).filter(|bytes| bytes.len() <= MAX_LEAF)
    };
    if let Some(bytes) = bytes {
        return Ok(Leaf {
            bytes,
            evidence: None,
        });
    }
    let body = json(&entry.record.body)?;
    if body.len() as u64 > MAX_EVIDENCE {
        return Err(too_long(&entry.record, "the body is too long to be kept"));
    }
    let digest = Digest::of(&body);
    let pointer = AuditEntry {
        sequence: entry.sequence,
        record: AuditRecord {
            key: entry.record.key.clone(),
            at: entry.record.at,
            kind: entry.record.kind.clone(),
            body: serde_json::json!({ EVIDENCE: digest.to_string() }),
            token: entry.record.token,
        },
        previous: entry.previous,
        hash: entry.hash,
    };
    let bytes = json(&pointer)?;
    if bytes.len() > MAX_LEAF {
        return Err(too_long(
            &entry.record,
            "its key and its kind are too long for a leaf",
        ));
    }
    Ok(Leaf {
        bytes,
        evidence: Some((evidence_path(&digest), body)),
    })
}

/// Refuses a body that could be written and not be read again.
pub(super) fn check(record: &AuditRecord) -> Result<(), Error> {
    if is_deeper_than(&record.body, MAX_DEPTH) {
        let message = "the body is nested too deep; put less into each other";
        return Err(Error::new(ErrorKind::Invalid, WRITE, message)
            .with("key", short(&record.key))
            .with("limit", MAX_DEPTH));
    }
    Ok(())
}

/// The entry of a leaf, with its body fetched and checked if it is kept outside.
pub(super) fn decode(bytes: &[u8], sequence: u64, read: Reader<'_>) -> Result<AuditEntry, Error> {
    let mut entry: AuditEntry =
        serde_json::from_slice(bytes).map_err(|error| unreadable(sequence).caused_by(error))?;
    if let Some(digest) = points_to_evidence(&entry.record.body) {
        let path = evidence_path(&digest);
        let body = read(&path, MAX_EVIDENCE)?.ok_or_else(|| {
            corrupt(&path, "the evidence of an entry is missing").with("entry", sequence)
        })?;
        if Digest::of(&body) != digest {
            return Err(
                corrupt(&path, "the evidence of an entry was changed").with("entry", sequence)
            );
        }
        entry.record.body = serde_json::from_slice(&body).map_err(|error| {
            corrupt(&path, "the evidence of an entry is no JSON")
                .with("entry", sequence)
                .caused_by(error)
        })?;
    }
    if entry.sequence != sequence {
        return Err(unreadable(sequence));
    }
    Ok(entry)
}

/// What recovery needs of a leaf.
pub(super) fn header(bytes: &[u8], sequence: u64) -> Result<Header, Error> {
    let header: Header =
        serde_json::from_slice(bytes).map_err(|error| unreadable(sequence).caused_by(error))?;
    if header.sequence != sequence {
        return Err(unreadable(sequence));
    }
    Ok(header)
}

/// The kind of event that a leaf tells of.
pub(super) fn kind(bytes: &[u8], sequence: u64) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Entry {
        record: Record,
    }
    #[derive(Deserialize)]
    struct Record {
        kind: String,
    }
    let entry: Entry =
        serde_json::from_slice(bytes).map_err(|error| unreadable(sequence).caused_by(error))?;
    Ok(entry.record.kind)
}

/// The path of the evidence that a leaf points to.
pub(super) fn evidence_of(bytes: &[u8]) -> Option<String> {
    let entry: AuditEntry = serde_json::from_slice(bytes).ok()?;
    points_to_evidence(&entry.record.body).map(|digest| evidence_path(&digest))
}

/// Whether arrays and objects are nested deeper than a limit. Looks no deeper than the limit itself.
pub(super) fn is_deeper_than(value: &Value, limit: usize) -> bool {
    let Some(below) = limit.checked_sub(1) else {
        return value.is_array() || value.is_object();
    };
    match value {
        Value::Array(values) => values.iter().any(|value| is_deeper_than(value, below)),
        Value::Object(members) => members.values().any(|value| is_deeper_than(value, below)),
        _ => false,
    }
}

fn points_to_evidence(body: &Value) -> Option<Digest> {
    let members = body.as_object().filter(|members| members.len() == 1)?;
    members.get(EVIDENCE)?.as_str()?.parse().ok()
}

fn evidence_path(digest: &Digest) -> String {
    format!("evidence/{digest}")
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| {
        Error::new(
            ErrorKind::Invalid,
            WRITE,
            "the record cannot be expressed as JSON",
        )
        .caused_by(error)
    })
}

fn too_long(record: &AuditRecord, message: &str) -> Error {
    Error::new(ErrorKind::Invalid, WRITE, message).with("key", short(&record.key))
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

fn unreadable(sequence: u64) -> Error {
    corrupt("entry bundle", "an entry is not what belongs in its place").with("entry", sequence)
}

/// The member that stands for a body kept outside.
const EVIDENCE: &str = "$evidence";

/// The longest body.
pub(super) const MAX_EVIDENCE: u64 = 64 << 20;

/// JSON is read back down to a depth of 128, of which leaf and export use a few.
pub(super) const MAX_DEPTH: usize = 100;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;

    fn entry(body: Value) -> AuditEntry {
        let record = AuditRecord {
            key: "k".into(),
            at: Timestamp::UNIX_EPOCH,
            kind: "promote".into(),
            body,
            token: FencingToken::new(3),
        };
        AuditEntry::chain(0, record, AuditEntry::ORIGIN)
    }

    fn round_trip(body: Value) -> (Leaf, AuditEntry) {
        let entry = entry(body);
        let leaf = encode(&entry).unwrap();
        let files: BTreeMap<String, Vec<u8>> = leaf.evidence.clone().into_iter().collect();
        let read = |path: &str, _: u64| Ok(files.get(path).cloned());
        let decoded = decode(&leaf.bytes, 0, &read).unwrap();
        assert_eq!(decoded, entry);
        (leaf, decoded)
    }

    #[test]
    fn a_short_body_is_in_the_leaf() {
        assert!(
            round_trip(serde_json::json!({ "a": [1, 2.5, null] }))
                .0
                .evidence
                .is_none()
        );
    }

    #[test]
    fn a_body_too_long_for_a_leaf_is_kept_under_its_digest() {
        let (leaf, _) = round_trip(serde_json::json!({ "a": "x".repeat(70_000) }));
        assert!(leaf.bytes.len() < 1000);
        assert_eq!(
            evidence_of(&leaf.bytes),
            leaf.evidence.map(|(path, _)| path)
        );
    }

    #[test]
    fn the_longest_leaf_is_used_to_its_last_byte() {
        let empty = encode(&entry(serde_json::json!(""))).unwrap().bytes.len();
        let longest = serde_json::json!("x".repeat(MAX_LEAF - empty));
        let (leaf, _) = round_trip(longest);
        assert_eq!(leaf.bytes.len(), MAX_LEAF);
        assert!(leaf.evidence.is_none());
        assert!(
            round_trip(serde_json::json!("x".repeat(MAX_LEAF - empty + 1)))
                .0
                .evidence
                .is_some()
        );
    }

    #[test]
    fn a_body_that_looks_like_a_pointer_comes_back_as_it_was() {
        let (leaf, _) =
            round_trip(serde_json::json!({ EVIDENCE: Digest::of(b"nothing").to_string() }));
        assert!(leaf.evidence.is_some());
        assert!(
            round_trip(serde_json::json!({ EVIDENCE: 5 }))
                .0
                .evidence
                .is_none()
        );
    }

    #[test]
    fn evidence_that_was_changed_is_found() {
        let leaf = encode(&entry(serde_json::json!("x".repeat(70_000)))).unwrap();
        let changed = |_: &str, _: u64| Ok(Some(b"\"y\"".to_vec()));
        assert_eq!(
            decode(&leaf.bytes, 0, &changed).unwrap_err().kind(),
            ErrorKind::Corrupt
        );
        let missing = |_: &str, _: u64| Ok(None);
        assert_eq!(
            decode(&leaf.bytes, 0, &missing).unwrap_err().kind(),
            ErrorKind::Corrupt
        );
    }

    #[test]
    fn a_body_that_could_not_be_read_back_is_refused() {
        let nested =
            |depth: usize| (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert!(check(&entry(nested(MAX_DEPTH)).record).is_ok());
        round_trip(nested(MAX_DEPTH));
        assert!(check(&entry(nested(MAX_DEPTH + 1)).record).is_err());
    }

    #[test]
    fn a_key_too_long_for_a_leaf_is_refused() {
        let mut entry = entry(Value::Null);
        entry.record.key = "k".repeat(MAX_LEAF);
        assert_eq!(encode(&entry).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
