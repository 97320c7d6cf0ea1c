//! A proof that can be checked years later, without the log.

use std::fmt;

use super::checkpoint::Checkpoint;
use super::error::MerkleError;
use super::inclusion::InclusionProof;
use super::note::SignedNote;
use super::signer::NoteVerifier;
use super::text::{decimal, from_base64, hash, to_base64};
use crate::digest::Digest;

/// An inclusion proof with the signed checkpoint it leads to, in the format of C2SP `tlog-proof`.
///
/// # Examples
///
/// ```
/// use noops_core::merkle::{Checkpoint, Frontier, InclusionProof, LogProof, NoteSigner, leaf_hash};
///
/// let (first, second) = (leaf_hash(b"register"), leaf_hash(b"promote"));
/// let mut frontier = Frontier::default();
/// frontier.push(first);
/// frontier.push(second);
/// let signer = NoteSigner::generate("example.com/models")?;
/// let note = Checkpoint::new("example.com/models", 2, frontier.root())?.sign(&signer)?;
///
/// let file = LogProof::new(InclusionProof::new(1, 2, vec![first])?, note)?.to_string();
/// assert!(file.starts_with("c2sp.org/tlog-proof@v1\nindex 1\n"));
/// let proof = LogProof::parse(file.as_bytes())?;
/// assert_eq!(proof.verify(&second, &signer.verifier())?.size(), 2);
/// assert!(proof.verify(&first, &signer.verifier()).is_err());
/// # Ok::<(), noops_core::merkle::MerkleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    proof: InclusionProof,
    note: SignedNote,
    extra: Option<Vec<u8>>,
}

impl LogProof {
    /// A proof and the checkpoint of the same size.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] if the note is not a checkpoint or of another size than the proof.
    pub fn new(proof: InclusionProof, note: SignedNote) -> Result<Self, MerkleError> {
        if Checkpoint::parse(note.text())?.size() != proof.size() {
            return Err(malformed(
                "the checkpoint is of another size than the proof",
            ));
        }
        Ok(Self {
            proof,
            note,
            extra: None,
        })
    }

    /// Adds bytes that travel with the proof and are signed by nobody.
    #[must_use]
    pub fn with_extra(mut self, extra: Vec<u8>) -> Self {
        self.extra = Some(extra);
        self
    }

    /// Reads a `.tlog-proof` file. Nothing is verified yet.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] says what is wrong. More than 2 MiB are refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, MerkleError> {
        if bytes.len() > MAX_BYTES {
            return Err(malformed("it is longer than 2 MiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or_else(|| malformed("no empty line separates the proof from the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(malformed("the first line is not `c2sp.org/tlog-proof@v1`"));
        }
        let extra = lines
            .peek()
            .copied()
            .and_then(|line: &str| line.strip_prefix("extra "));
        let extra = match extra {
            Some(base64) => {
                let bytes = from_base64(base64)
                    .ok_or_else(|| malformed("the extra data is not standard base64"))?;
                lines.next();
                Some(bytes)
            }
            None => None,
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or_else(|| malformed("there is no line with the index of the entry"))?;
        let path = lines
            .map(hash)
            .collect::<Option<Vec<Digest>>>()
            .ok_or_else(|| malformed("a line is not a SHA-256 hash in base64"))?;
        let note = SignedNote::parse(note.as_bytes())?;
        let size = Checkpoint::parse(note.text())?.size();
        let proof = InclusionProof::new(index, size, path)?;
        Ok(Self { proof, note, extra })
    }

    /// The proof.
    #[must_use]
    pub fn inclusion(&self) -> &InclusionProof {
        &self.proof
    }

    /// The checkpoint with its signatures, for those of witnesses to be checked.
    #[must_use]
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// The bytes that travel with the proof. Nobody signed them.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Checks that the log of this key has the entry with this [`leaf_hash`](super::leaf_hash), and returns its checkpoint.
    ///
    /// That the origin of the checkpoint is the log that was meant is for the caller to check, if the key signs for several.
    ///
    /// # Errors
    ///
    /// What [`NoteVerifier::verify`] and [`InclusionProof::verify`] say.
    pub fn verify(&self, leaf: &Digest, key: &NoteVerifier) -> Result<Checkpoint, MerkleError> {
        key.verify(&self.note)?;
        let checkpoint = Checkpoint::parse(self.note.text())?;
        self.proof.verify(leaf, &checkpoint.root())?;
        Ok(checkpoint)
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", to_base64(extra))?;
        }
        writeln!(f, "index {}", self.proof.index())?;
        for hash in self.proof.path() {
            writeln!(f, "{}", to_base64(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.note)
    }
}

fn malformed(reason: &'static str) -> MerkleError {
    MerkleError::Malformed {
        what: "log proof",
        reason,
    }
}

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A note of the largest size and as much again.
const MAX_BYTES: usize = 2 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merkle::{NoteSigner, leaf_hash, node_hash};

    fn signer() -> NoteSigner {
        let secret = "PRIVATE+KEY+EnochRoot+af0cfe78+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        NoteSigner::from_secret_text(secret).unwrap()
    }

    /// Entry `b` of the log `a`, `b`.
    fn proof() -> LogProof {
        let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
        let checkpoint = Checkpoint::new("log", 2, node_hash(&a, &b)).unwrap();
        let proof = InclusionProof::new(1, 2, vec![a]).unwrap();
        LogProof::new(proof, checkpoint.sign(&signer()).unwrap()).unwrap()
    }

    #[test]
    fn reading_undoes_writing() {
        for proof in [
            proof(),
            proof().with_extra(vec![]),
            proof().with_extra(vec![0, 255, 10]),
        ] {
            assert_eq!(LogProof::parse(proof.to_string().as_bytes()), Ok(proof));
        }
    }

    #[test]
    fn the_lines_are_those_of_the_specification() {
        let text = proof().with_extra(b"age".to_vec()).to_string();
        let leaf = to_base64(leaf_hash(b"a").as_bytes());
        let lines: Vec<&str> = text.lines().take(6).collect();
        assert_eq!(
            lines,
            [HEADER, "extra YWdl", "index 1", leaf.as_str(), "", "log"]
        );
    }

    #[test]
    fn a_proof_of_another_size_than_its_checkpoint_is_refused() {
        let other = InclusionProof::new(1, 3, vec![Digest::ZERO; 2]).unwrap();
        assert!(LogProof::new(other, proof().note).is_err());
    }

    #[test]
    fn lines_out_of_order_are_refused() {
        let text = proof().with_extra(vec![1]).to_string();
        for (from, to) in [
            ("@v1\n", "@v2\n"),
            ("extra AQ==\n", "extra AR==\n"),
            ("extra AQ==\n", "extra AQ==\nextra AQ==\n"),
            ("index 1\n", ""),
            ("index 1\n", "index 01\n"),
            ("index 1\n", "index 2\n"),
            ("index 1\n", "index 18446744073709551616\n"),
            ("\n\n", "\nAAAA\n\n"),
            ("\n\n", "\n"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert!(LogProof::parse(changed.as_bytes()).is_err(), "{changed}");
        }
        assert!(LogProof::parse(&vec![b'\n'; MAX_BYTES + 1]).is_err());
    }

    proptest! {
        #[test]
        fn any_bit_that_flips_is_found(at in 0usize..4096, bit in 0u8..8) {
            let mut bytes = proof().to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            if let Ok(proof) = LogProof::parse(&bytes) {
                prop_assert!(proof.verify(&leaf_hash(b"b"), &signer().verifier()).is_err());
            }
        }
    }
}
