//! What a witness says of a log.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::checkpoint::Checkpoint;
use super::error::MerkleError;
use super::key::{PublicKey, SecretKey, Use};
use super::note::{NoteSignature, SignedNote};

/// That a witness had seen no larger log of this origin, nor one that does not fit, at a time: C2SP `tlog-cosignature`, the
/// Ed25519 kind.
///
/// A log that shows different people different checkpoints cannot have both cosigned by an honest witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    witness: String,
    at: Timestamp,
}

impl Cosignature {
    /// The name of the key of the witness.
    #[must_use]
    pub fn witness(&self) -> &str {
        &self.witness
    }

    /// When the witness signed, by its own clock, to the second.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// The secret key of a witness. It is never printed and is overwritten when dropped.
///
/// A key that signs for a log must not also sign as a witness.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_core::merkle::{Checkpoint, CosignatureSigner, Frontier, NoteSigner};
///
/// let log = NoteSigner::generate("example.com/models")?;
/// let frontier = Frontier::default();
/// let note = Checkpoint::new("example.com/models", frontier.size(), frontier.root())?.sign(&log)?;
///
/// let witness = CosignatureSigner::generate("witness.example.com/w1")?;
/// let signature = witness.sign(&note, Timestamp::UNIX_EPOCH)?;
/// let note = note.with_signature(signature)?;
/// assert_eq!(witness.verifier().verify(&note)?.at(), Timestamp::UNIX_EPOCH);
/// assert!(log.verifier().verify(&note).is_ok());
/// # Ok::<(), noops_core::merkle::MerkleError>(())
/// ```
#[derive(Clone)]
pub struct CosignatureSigner(SecretKey);

impl CosignatureSigner {
    /// A new key of this name, from the randomness of the operating system.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] if the name is empty or has white space or a plus sign in it, [`MerkleError::Randomness`].
    pub fn generate(name: &str) -> Result<Self, MerkleError> {
        SecretKey::generate(name, Use::Cosignature).map(Self)
    }

    /// Reads `PRIVATE+KEY+name+identifier+base64(0x04 || seed)`.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`]; the text is not repeated.
    pub fn from_secret_text(text: &str) -> Result<Self, MerkleError> {
        SecretKey::parse(text, Use::Cosignature).map(Self)
    }

    /// The form that [`CosignatureSigner::from_secret_text`] reads.
    #[must_use]
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        self.0.to_text()
    }

    /// Signs a checkpoint. Whether it is consistent with what was signed before is for the witness to check first.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] if the note is not a checkpoint or the time is before 1970.
    pub fn sign(&self, note: &SignedNote, at: Timestamp) -> Result<NoteSignature, MerkleError> {
        Checkpoint::parse(note.text())?;
        let seconds =
            u64::try_from(at.as_second()).map_err(|_| malformed("its time is before 1970"))?;
        let message = message(seconds, note.text());
        Ok(self.0.sign(&seconds.to_be_bytes(), message.as_bytes()))
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.public().name()
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> CosignatureVerifier {
        CosignatureVerifier(self.0.public().clone())
    }
}

impl fmt::Debug for CosignatureSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CosignatureSigner")
            .field(&self.0.public().to_string())
            .finish()
    }
}

/// The public key of a witness, as `name+identifier+base64(0x04 || key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignatureVerifier(PublicKey);

impl CosignatureVerifier {
    /// Reads a `vkey` of the kind 0x04.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] if it is of another kind, or if the identifier is not that of the key.
    pub fn parse(text: &str) -> Result<Self, MerkleError> {
        PublicKey::parse(text, Use::Cosignature).map(Self)
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

    /// Checks that this witness cosigned the checkpoint, and says when; the last time if it did so more than once.
    ///
    /// Whether that is recent enough is for the caller to say.
    ///
    /// # Errors
    ///
    /// [`MerkleError::NotSigned`] if there is no cosignature by this key, [`MerkleError::SignatureMismatch`] if any that
    /// claims to be by it is not, [`MerkleError::Malformed`] if the note is not a checkpoint or the time is beyond the year
    /// 9999.
    pub fn verify(&self, note: &SignedNote) -> Result<Cosignature, MerkleError> {
        Checkpoint::parse(note.text())?;
        let mut last = Timestamp::UNIX_EPOCH;
        for signature in self.0.signatures(note)? {
            last = last.max(self.verify_one(note.text(), signature.bytes())?);
        }
        Ok(Cosignature {
            witness: self.0.name().to_owned(),
            at: last,
        })
    }

    fn verify_one(&self, text: &str, bytes: &[u8]) -> Result<Timestamp, MerkleError> {
        let (time, signature) = bytes
            .split_first_chunk::<8>()
            .ok_or_else(|| self.0.mismatch())?;
        let seconds = u64::from_be_bytes(*time);
        self.0
            .verify(message(seconds, text).as_bytes(), signature)?;
        i64::try_from(seconds)
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .ok_or_else(|| malformed("its time is beyond the year 9999"))
    }
}

impl FromStr for CosignatureVerifier {
    type Err = MerkleError;

    fn from_str(text: &str) -> Result<Self, MerkleError> {
        Self::parse(text)
    }
}

impl fmt::Display for CosignatureVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What is signed: the time is part of it, and its first line keeps it from passing for a note.
fn message(seconds: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

fn malformed(reason: &'static str) -> MerkleError {
    MerkleError::Malformed {
        what: "cosignature",
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::NoteVerifier;

    // The checkpoint and time of the specification's example, signed with a key of the bytes 0 to 31 by another program:
    // python cryptography (OpenSSL), Ed25519PrivateKey.from_private_bytes(bytes(range(32))).sign(
    // b"cosignature/v1\ntime 1679315147\n" + text); identifier and texts put together by hand as the specification says.
    const TEXT: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    const SECRET: &str =
        "PRIVATE+KEY+witness.example.com/w1+a0059f11+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    const PUBLIC: &str =
        "witness.example.com/w1+a0059f11+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    const LINE: &str = "— witness.example.com/w1 oAWfEQAAAABkGFDLBuRDazBLVac2NE+Y+IjbjQOcXLfF9CSDZVUIoS83rE1nFZsVE8YiWV6Ngr7lV8H6bdoBQGP/l73euDMQ9k+bBQ==";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn note(line: &str) -> SignedNote {
        SignedNote::parse(format!("{TEXT}\n{line}\n").as_bytes()).unwrap()
    }

    #[test]
    fn a_cosignature_is_the_bytes_that_another_program_makes() {
        let signer = CosignatureSigner::from_secret_text(SECRET).unwrap();
        let signature = signer.sign(&note(LINE), at(1_679_315_147)).unwrap();
        assert_eq!(signature.to_string(), LINE);
        assert_eq!(signer.to_secret_text().as_str(), SECRET);
        assert_eq!(signer.verifier().to_string(), PUBLIC);
    }

    #[test]
    fn the_time_is_signed_too() {
        let verifier = CosignatureVerifier::parse(PUBLIC).unwrap();
        let cosignature = verifier.verify(&note(LINE)).unwrap();
        assert_eq!(cosignature.at(), at(1_679_315_147));
        assert_eq!(cosignature.witness(), "witness.example.com/w1");
        // Bytes 4 to 11 of the line are the time; this is one second less.
        let earlier = LINE.replace("ABkGFDL", "ABkGFDK");
        assert_ne!(earlier, LINE);
        assert!(matches!(
            verifier.verify(&note(&earlier)),
            Err(MerkleError::SignatureMismatch { .. })
        ));
    }

    #[test]
    fn the_last_of_several_times_counts_and_one_false_spoils_all() {
        let signer = CosignatureSigner::from_secret_text(SECRET).unwrap();
        let early = signer.sign(&note(LINE), at(5)).unwrap().to_string();
        let both = note(&format!("{LINE}\n{early}"));
        assert_eq!(
            signer.verifier().verify(&both).unwrap().at(),
            at(1_679_315_147)
        );
        let forged = note(&format!("{LINE}\n{}", early.replace("AAAAAAF", "AAAAAAG")));
        assert!(signer.verifier().verify(&forged).is_err());
    }

    #[test]
    fn a_key_of_one_use_is_not_taken_for_another() {
        assert!(NoteVerifier::parse(PUBLIC).is_err());
        let log = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert!(CosignatureVerifier::parse(log).is_err());
    }

    #[test]
    fn only_a_checkpoint_is_cosigned() {
        let signer = CosignatureSigner::from_secret_text(SECRET).unwrap();
        let other = SignedNote::parse(format!("hello\n\n{LINE}\n").as_bytes()).unwrap();
        assert!(signer.sign(&other, at(1)).is_err());
        assert!(signer.verifier().verify(&other).is_err());
        assert!(signer.sign(&note(LINE), at(-1)).is_err());
    }

    #[test]
    fn a_time_beyond_the_calendar_and_a_short_signature_are_refused() {
        let signer = CosignatureSigner::from_secret_text(SECRET).unwrap();
        let id = signer.verifier().key_id().to_be_bytes();
        for seconds in [u64::MAX, i64::MAX as u64] {
            let signed = signer
                .0
                .sign(&seconds.to_be_bytes(), message(seconds, TEXT).as_bytes());
            let error = signer
                .verifier()
                .verify(&note(&signed.to_string()))
                .unwrap_err();
            assert_eq!(error, malformed("its time is beyond the year 9999"));
        }
        for length in [1, 7, 8, 71, 73] {
            let short = NoteSignature::new("witness.example.com/w1".into(), id, vec![0; length]);
            let error = signer
                .verifier()
                .verify(&note(&short.to_string()))
                .unwrap_err();
            assert!(
                matches!(error, MerkleError::SignatureMismatch { .. }),
                "{length}"
            );
        }
    }
}
