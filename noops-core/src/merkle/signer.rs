//! Keys that sign notes, and keys that verify them.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::error::MerkleError;
use super::key::{PublicKey, SecretKey, Use};
use super::note::{NoteSignature, SignedNote};

/// A secret Ed25519 key with a name, which signs notes. It is never printed and is overwritten when dropped.
///
/// # Examples
///
/// ```
/// use noops_core::merkle::{NoteSigner, SignedNote};
///
/// let signer = NoteSigner::generate("example.com/models")?;
/// let note = SignedNote::new("hello\n", vec![signer.sign("hello\n")])?;
/// assert!(signer.verifier().verify(&note).is_ok());
/// let other = NoteSigner::generate("example.com/models")?;
/// assert!(other.verifier().verify(&note).is_err());
/// # Ok::<(), noops_core::merkle::MerkleError>(())
/// ```
#[derive(Clone)]
pub struct NoteSigner(SecretKey);

impl NoteSigner {
    /// A new key of this name, from the randomness of the operating system.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] if the name is empty or has white space or a plus sign in it, [`MerkleError::Randomness`].
    pub fn generate(name: &str) -> Result<Self, MerkleError> {
        SecretKey::generate(name, Use::Note).map(Self)
    }

    /// Reads the form that Go's `sumdb/note` gives secret keys: `PRIVATE+KEY+name+identifier+base64`.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`]; the text is not repeated.
    pub fn from_secret_text(text: &str) -> Result<Self, MerkleError> {
        SecretKey::parse(text, Use::Note).map(Self)
    }

    /// The form that [`NoteSigner::from_secret_text`] reads, for a file that only the log can read.
    #[must_use]
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        self.0.to_text()
    }

    /// Signs a text. [`SignedNote::new`] checks that it is one.
    #[must_use]
    pub fn sign(&self, text: &str) -> NoteSignature {
        self.0.sign(&[], text.as_bytes())
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.public().name()
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> NoteVerifier {
        NoteVerifier(self.0.public().clone())
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NoteSigner")
            .field(&self.0.public().to_string())
            .finish()
    }
}

/// A public Ed25519 key with a name, which verifies notes.
///
/// Its text is the `vkey` of C2SP `signed-note`: `name+identifier+base64(0x01 || key)`, where the identifier is the first four
/// bytes of SHA-256(name || newline || 0x01 || key).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteVerifier(PublicKey);

impl NoteVerifier {
    /// Reads a `vkey`.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] if it is of another kind, or if the identifier is not that of the key.
    pub fn parse(text: &str) -> Result<Self, MerkleError> {
        PublicKey::parse(text, Use::Note).map(Self)
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The identifier of the key.
    #[must_use]
    pub fn key_id(&self) -> u32 {
        self.0.id()
    }

    /// Checks that this key signed the note. Signatures by other keys are ignored.
    ///
    /// # Errors
    ///
    /// [`MerkleError::NotSigned`] if there is no signature by this key, [`MerkleError::SignatureMismatch`] if any signature
    /// that claims to be by it is not.
    pub fn verify(&self, note: &SignedNote) -> Result<(), MerkleError> {
        self.0
            .signatures(note)?
            .into_iter()
            .try_for_each(|signature| self.0.verify(note.text().as_bytes(), signature.bytes()))
    }
}

impl FromStr for NoteVerifier {
    type Err = MerkleError;

    fn from_str(text: &str) -> Result<Self, MerkleError> {
        Self::parse(text)
    }
}

impl fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests;
