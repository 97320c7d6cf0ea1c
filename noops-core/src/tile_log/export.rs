use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::edge::Edge;
use super::leaf;
use super::personal::{Commitment, Opening, PersonalData};
use super::proof::{unproven, verify_leaf};
use super::queue::blocking;
use super::signed_checkpoint::SignedCheckpoint;
use super::snapshot::Snapshot;
use crate::audit::AuditEntry;
use crate::error::{Error, ErrorKind};
use crate::merkle::{InclusionProof, NoteVerifier, TileSet, leaf_hash};

/// Which entries an export has.
///
/// # Examples
///
/// ```
/// use noops_core::ExportSettings;
///
/// let settings = ExportSettings::default().with_kinds(["promote", "rollback"]);
/// assert!(settings.has_kind("promote"));
/// assert!(!settings.has_kind("retrain"));
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ExportSettings {
    kinds: Option<BTreeSet<String>>,
}

impl ExportSettings {
    /// Only entries of these kinds.
    #[must_use]
    pub fn with_kinds<K: Into<String>>(mut self, kinds: impl IntoIterator<Item = K>) -> Self {
        self.kinds = Some(kinds.into_iter().map(Into::into).collect());
        self
    }

    /// Whether entries of a kind are exported; all are by default.
    #[must_use]
    pub fn has_kind(&self, kind: &str) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind))
    }
}

/// An export of which every line was checked.
#[derive(Clone, Debug)]
pub struct VerifiedExport {
    checkpoint: SignedCheckpoint,
    entries: Vec<AuditEntry>,
    personal: BTreeMap<Commitment, Value>,
}

impl VerifiedExport {
    /// What the entries were checked against. Its size tells how many entries the log has, exported or not.
    #[must_use]
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// The entries in order.
    #[must_use]
    pub fn entries(&self) -> &[AuditEntry] {
        &self.entries
    }

    /// The personal data that came along.
    #[must_use]
    pub fn personal(&self) -> &BTreeMap<Commitment, Value> {
        &self.personal
    }
}

/// Checks an export line by line: the signature, that each entry is in the signed log, and personal data against its commitments.
///
/// That an entry of the log is not in the export is no fault: the sequence numbers and the size of the checkpoint tell what is missing.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt) names the first line that does not hold or is missing.
pub fn verify_export(
    reader: &mut dyn BufRead,
    verifier: &NoteVerifier,
) -> Result<VerifiedExport, Error> {
    let first = next_line(reader, 1)?.ok_or_else(|| bad_line(1))?;
    let head: Head = parse(&first, 1)?;
    if head.format != FORMAT {
        return Err(bad_line(1));
    }
    let checkpoint = SignedCheckpoint::open(head.checkpoint.as_bytes(), verifier)?;
    let mut entries: Vec<AuditEntry> = Vec::new();
    let mut personal = BTreeMap::new();
    let mut number: u64 = 2;
    while let Some(text) = next_line(reader, number)? {
        let line: Line = parse(&text, number)?;
        verify_leaf(line.leaf.as_bytes(), &line.proof, checkpoint.checkpoint())?;
        let sequence = line.proof.index();
        let evidence = line.evidence.map(String::into_bytes);
        let read = |_: &str, _: u64| Ok(evidence.clone());
        let entry = leaf::decode(line.leaf.as_bytes(), sequence, &read)?;
        if entries.last().is_some_and(|last| last.sequence >= sequence) {
            return Err(bad_line(number));
        }
        let committed = Commitment::all_in(&entry.record.body);
        for opening in line.personal {
            let commitment = opening.commitment();
            if !committed.contains(&commitment) {
                return Err(bad_line(number));
            }
            personal.insert(commitment, opening.value);
        }
        entries.push(entry);
        number = number.saturating_add(1);
    }
    if entries.len() as u64 != head.entries {
        return Err(bad_line(number));
    }
    Ok(VerifiedExport {
        checkpoint,
        entries,
        personal,
    })
}

/// What a snapshot's checkpoint covers, to be written in parts. All its methods block.
#[derive(Debug)]
pub(super) struct Exporter {
    snapshot: Snapshot,
    tiles: TileSet,
    chosen: Vec<u64>,
    personal: Option<PersonalData>,
}

impl Exporter {
    /// Chooses the entries and builds the tree that proves them.
    pub(super) fn new(
        snapshot: Snapshot,
        settings: &ExportSettings,
        personal: Option<PersonalData>,
    ) -> Result<Self, Error> {
        let mut chosen = Vec::new();
        for (sequence, leaf) in (0..).zip(&snapshot.covered) {
            if settings.has_kind(&leaf::kind(leaf, sequence)?) {
                chosen.push(sequence);
            }
        }
        Ok(Self {
            tiles: tiles_over(&snapshot.covered)?,
            snapshot,
            chosen,
            personal,
        })
    }

    fn head(&self) -> Result<Vec<u8>, Error> {
        line(&Head {
            format: FORMAT.to_owned(),
            entries: self.chosen.len() as u64,
            checkpoint: self.snapshot.published.to_string(),
        })
    }

    /// The lines of some entries, from a place among the chosen ones on, and how many these are; none at the end.
    fn lines(&self, from: usize) -> Result<(Vec<u8>, usize), Error> {
        let mut lines = Vec::new();
        let mut count: usize = 0;
        for sequence in self.chosen.iter().skip(from) {
            if lines.len() >= PART {
                break;
            }
            lines.extend(line(&self.entry(*sequence)?)?);
            count += 1;
        }
        Ok((lines, count))
    }

    fn entry(&self, sequence: u64) -> Result<Line, Error> {
        let size = self.snapshot.published.checkpoint().size();
        let leaf = usize::try_from(sequence)
            .ok()
            .and_then(|at| self.snapshot.covered.get(at))
            .ok_or_else(|| unproven(sequence))?;
        let proof = InclusionProof::from_tiles(sequence, size, &self.tiles)
            .map_err(|error| unproven(sequence).caused_by(error))?;
        let read = |path: &str, limit: u64| self.snapshot.read(path, limit);
        // Checks the evidence too, so that no export goes out that does not verify.
        let entry = leaf::decode(leaf, sequence, &read)?;
        // The stored bytes, not the value written again: they are what the digest is of.
        let evidence = match leaf::evidence_of(leaf) {
            Some(path) => read(&path, leaf::MAX_EVIDENCE)?,
            None => None,
        };
        let mut openings = Vec::new();
        if let Some(personal) = &self.personal {
            for commitment in Commitment::all_in(&entry.record.body) {
                openings.extend(personal.opening(&commitment)?);
            }
        }
        Ok(Line {
            leaf: String::from_utf8_lossy(leaf).into_owned(),
            proof,
            evidence: evidence.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            personal: openings,
        })
    }
}

/// Writes an export: what blocks because the log is read runs beside the runtime, what `out` does does not.
pub(super) async fn write(exporter: Exporter, out: &mut (dyn Write + Send)) -> Result<u64, Error> {
    let exporter = Arc::new(exporter);
    out.write_all(&exporter.head()?).map_err(cannot_write)?;
    let mut written: usize = 0;
    loop {
        let part = Arc::clone(&exporter);
        let (lines, count) = blocking(move || part.lines(written)).await?;
        if count == 0 {
            break;
        }
        out.write_all(&lines).map_err(cannot_write)?;
        written = written.saturating_add(count);
    }
    out.flush().map_err(cannot_write)?;
    Ok(written as u64)
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    entries: u64,
    checkpoint: String,
}

/// Every further line. The leaf is text within JSON because its bytes are what was hashed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    leaf: String,
    proof: InclusionProof,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    personal: Vec<Opening>,
}

fn tiles_over(leaves: &[Vec<u8>]) -> Result<TileSet, Error> {
    let mut edge = Edge::default();
    let mut tiles = Vec::new();
    for leaf in leaves {
        edge.push(leaf_hash(leaf), &mut tiles)?;
    }
    tiles.extend(edge.partial_tiles()?);
    let mut set = TileSet::default();
    for tile in tiles {
        set.insert(tile.tile, &tile.bytes)
            .map_err(|error| unproven(leaves.len() as u64).caused_by(error))?;
    }
    Ok(set)
}

fn line<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec(value).map_err(|error| cannot_write(error.into()))?;
    text.push(b'\n');
    Ok(text)
}

fn next_line(reader: &mut dyn BufRead, number: u64) -> Result<Option<Vec<u8>>, Error> {
    let mut line = Vec::new();
    reader
        .take(MAX_LINE)
        .read_until(b'\n', &mut line)
        .map_err(|error| {
            let message = "the source of the export failed";
            Error::new(ErrorKind::Unavailable, VERIFY, message).caused_by(error)
        })?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => Err(bad_line(number)),
    }
}

fn parse<T: for<'de> Deserialize<'de>>(text: &[u8], number: u64) -> Result<T, Error> {
    serde_json::from_slice(text).map_err(|error| bad_line(number).caused_by(error))
}

fn bad_line(number: u64) -> Error {
    let message = "a line is missing, cut off or not what was exported; ask for the export again";
    Error::new(ErrorKind::Corrupt, VERIFY, message).with("line", number)
}

fn cannot_write(error: io::Error) -> Error {
    let message = "what the export is written to failed";
    Error::new(ErrorKind::Unavailable, "export the audit log", message).caused_by(error)
}

const FORMAT: &str = "noops-audit-export/1";
const VERIFY: &str = "verify an export of the audit log";

/// So much is held before it is written.
const PART: usize = 1 << 20;

/// Room for an entry with the longest evidence, escaped.
const MAX_LINE: u64 = 512 << 20;
