//! Text with signatures under it.

use std::fmt;

use super::error::MerkleError;
use super::text::{from_base64, is_key_name, is_note_text, to_base64};

/// A text and the signatures under it, in the format of C2SP `signed-note`.
///
/// Nothing in it may be believed until [`NoteVerifier::verify`](super::NoteVerifier::verify) has returned. Printing gives the
/// same bytes that were parsed.
///
/// # Examples
///
/// ```
/// use noops_core::merkle::{NoteVerifier, SignedNote};
///
/// // The example of the specification.
/// let key: NoteVerifier = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse()?;
/// let note = "This is an example message.\n\n\
///     — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
/// let note = SignedNote::parse(note.as_bytes())?;
/// key.verify(&note)?;
/// assert_eq!(note.text(), "This is an example message.\n");
/// # Ok::<(), noops_core::merkle::MerkleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// A text and at least one signature.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] if the text does not end with a newline or has other control characters, if there are no
    /// signatures or more than 100, or if the whole is longer than 1 MiB.
    pub fn new(
        text: impl Into<String>,
        signatures: Vec<NoteSignature>,
    ) -> Result<Self, MerkleError> {
        let text = text.into();
        if !is_note_text(&text) {
            return Err(malformed(
                "the text must end with a newline and have no other control characters",
            ));
        }
        if signatures.is_empty() || signatures.len() > MAX_SIGNATURES {
            return Err(malformed("it must have 1 to 100 signatures"));
        }
        let lines: usize = signatures.iter().map(NoteSignature::line_length).sum();
        if text.len().saturating_add(lines) >= MAX_BYTES {
            return Err(malformed("it is longer than 1 MiB"));
        }
        Ok(Self { text, signatures })
    }

    /// Reads a note. The signatures are not checked.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] says what is wrong. A note of more than 1 MiB or 100 signatures is refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, MerkleError> {
        if bytes.len() > MAX_BYTES {
            return Err(malformed("it is longer than 1 MiB"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let (text, signatures) = note
            .rsplit_once("\n\n")
            .ok_or_else(|| malformed("no empty line separates the text from the signatures"))?;
        let signatures = signatures
            .strip_suffix('\n')
            .ok_or_else(|| malformed("the last signature does not end with a newline"))?;
        if signatures.split('\n').count() > MAX_SIGNATURES {
            return Err(malformed("it has more than 100 signatures"));
        }
        let signatures = signatures
            .split('\n')
            .map(NoteSignature::parse)
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(format!("{text}\n"), signatures)
    }

    /// Adds a signature behind the others. An older one by the same key is replaced.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] if the note becomes longer than 1 MiB or has more than 100 signatures.
    pub fn with_signature(mut self, signature: NoteSignature) -> Result<Self, MerkleError> {
        self.signatures
            .retain(|old| old.name != signature.name || old.key_id != signature.key_id);
        self.signatures.push(signature);
        Self::new(self.text, self.signatures)
    }

    /// The text, up to and with its last newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// One line under a note: who signed, with which key, and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

impl NoteSignature {
    /// The caller answers for the name being one and the signature having bytes.
    pub(super) fn new(name: String, key_id: [u8; 4], signature: Vec<u8>) -> Self {
        Self {
            name,
            key_id,
            signature,
        }
    }

    fn parse(line: &str) -> Result<Self, MerkleError> {
        let (name, base64) = line
            .strip_prefix(DASH)
            .and_then(|rest| rest.split_once(' '))
            .ok_or_else(|| malformed("a signature is not of the form `— NAME BASE64`"))?;
        if !is_key_name(name) {
            return Err(malformed("a key name has white space or a plus sign in it"));
        }
        let bytes = from_base64(base64)
            .ok_or_else(|| malformed("a signature is not standard base64 with padding"))?;
        match bytes.split_first_chunk::<4>() {
            Some((key_id, signature)) if !signature.is_empty() => {
                Ok(Self::new(name.to_owned(), *key_id, signature.to_vec()))
            }
            _ => Err(malformed("a signature is shorter than 5 bytes")),
        }
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The identifier of the key: with the name it tells keys apart, it does not prove anything.
    #[must_use]
    pub fn key_id(&self) -> u32 {
        u32::from_be_bytes(self.key_id)
    }

    /// The signature without the identifier.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.signature
    }

    pub(super) fn is_by(&self, name: &str, key_id: [u8; 4]) -> bool {
        self.name == name && self.key_id == key_id
    }

    /// How long its line is, newline included.
    fn line_length(&self) -> usize {
        let base64 = (self.signature.len() + 4).div_ceil(3) * 4;
        DASH.len() + self.name.len() + 1 + base64 + 1
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_id[..], &self.signature].concat();
        write!(f, "{DASH}{} {}", self.name, to_base64(&bytes))
    }
}

fn malformed(reason: &'static str) -> MerkleError {
    MerkleError::Malformed {
        what: "signed note",
        reason,
    }
}

/// An em dash and a space.
const DASH: &str = "— ";

const MAX_BYTES: usize = 1 << 20;

/// The specification asks for at least 16.
const MAX_SIGNATURES: usize = 100;

#[cfg(test)]
mod tests;
