//! What a log says of itself.

use super::error::MerkleError;
use super::note::SignedNote;
use super::signer::{NoteSigner, NoteVerifier};
use super::text::{decimal, hash, is_line, to_base64};
use crate::digest::Digest;

/// The size and the root of a log, in the format of C2SP `tlog-checkpoint`.
///
/// # Examples
///
/// ```
/// use noops_core::merkle::Checkpoint;
///
/// // The example of the specification.
/// let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
/// let checkpoint = Checkpoint::parse(text)?;
/// assert_eq!((checkpoint.origin(), checkpoint.size()), ("example.com/behind-the-sofa", 20_852_163));
/// assert_eq!(checkpoint.to_text(), text);
/// # Ok::<(), noops_core::merkle::MerkleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Digest,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// The log that this origin names has this size and this root.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] if the origin is empty or has control characters.
    pub fn new(origin: impl Into<String>, size: u64, root: Digest) -> Result<Self, MerkleError> {
        let origin = origin.into();
        if is_line(&origin) {
            Ok(Self {
                origin,
                size,
                root,
                extensions: Vec::new(),
            })
        } else {
            Err(malformed("the origin is not one line of text"))
        }
    }

    /// Adds a line that means nothing to whoever verifies the log; the specification advises against it.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] if it is empty or has control characters.
    pub fn with_extension(mut self, line: impl Into<String>) -> Result<Self, MerkleError> {
        let line = line.into();
        if is_line(&line) {
            self.extensions.push(line);
            Ok(self)
        } else {
            Err(malformed("an extension is not one line of text"))
        }
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, MerkleError> {
        let body = text
            .strip_suffix('\n')
            .ok_or_else(|| malformed("it does not end with a newline"))?;
        let mut lines = body.split('\n');
        let origin = lines.next().unwrap_or_default();
        let size = lines
            .next()
            .and_then(decimal)
            .ok_or_else(|| malformed("the second line is not a size without leading zeros"))?;
        let root = lines
            .next()
            .and_then(hash)
            .ok_or_else(|| malformed("the third line is not a SHA-256 hash in base64"))?;
        lines.try_fold(Self::new(origin, size, root)?, Self::with_extension)
    }

    /// Reads a signed checkpoint after checking that this key signed it.
    ///
    /// # Errors
    ///
    /// What [`SignedNote::parse`], [`NoteVerifier::verify`] and [`Checkpoint::parse`] say.
    pub fn open(note: &[u8], key: &NoteVerifier) -> Result<Self, MerkleError> {
        let note = SignedNote::parse(note)?;
        key.verify(&note)?;
        Self::parse(note.text())
    }

    /// The text to sign: one line each for origin, size, root and every extension.
    #[must_use]
    pub fn to_text(&self) -> String {
        let root = to_base64(self.root.as_bytes());
        let mut text = format!("{}\n{}\n{root}\n", self.origin, self.size);
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// The checkpoint with a signature of the log under it.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] if it is longer than a note may be.
    pub fn sign(&self, signer: &NoteSigner) -> Result<SignedNote, MerkleError> {
        let text = self.to_text();
        let signature = signer.sign(&text);
        SignedNote::new(text, vec![signature])
    }

    /// The name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries the log has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over these entries.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.root
    }

    /// The lines behind the root.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

fn malformed(reason: &'static str) -> MerkleError {
    MerkleError::Malformed {
        what: "checkpoint",
        reason,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

    #[test]
    fn text_that_is_not_a_checkpoint_is_refused() {
        assert!(Checkpoint::parse(&format!("a\n0\n{ROOT}\n")).is_ok());
        assert!(Checkpoint::parse(&format!("a\n{}\n{ROOT}\nx\n", u64::MAX)).is_ok());
        for text in [
            String::new(),
            "\n".into(),
            "a\n".into(),
            "a\n1\n".into(),
            format!("a\n1\n{ROOT}"),
            format!("\n1\n{ROOT}\n"),
            format!("a\n\n{ROOT}\n"),
            format!("a\n01\n{ROOT}\n"),
            format!("a\n+1\n{ROOT}\n"),
            format!("a\n-1\n{ROOT}\n"),
            format!("a\n 1\n{ROOT}\n"),
            format!("a\n18446744073709551616\n{ROOT}\n"),
            format!("a\n1\n{ROOT}\n\n"),
            format!("a\n1\n{ROOT}\n\nx\n"),
            format!("a\n1\n{ROOT}\nx\r\n"),
            format!("a\r\n1\n{ROOT}\n"),
            format!("a\n1\n{}\n", ROOT.trim_end_matches('=')),
            format!("a\n1\n{}\n", ROOT.replace('/', "_")),
            format!("a\n1\n{}\n", ROOT.replace("2I=", "2J=")),
            "a\n1\n\n".into(),
            "a\n1\nAAAA\n".into(),
        ] {
            let error = Checkpoint::parse(&text).unwrap_err();
            assert!(
                error.to_string().starts_with("this is no checkpoint: "),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_checkpoint_that_the_log_did_not_sign_is_not_read() {
        let (log, other) = (
            NoteSigner::generate("log").unwrap(),
            NoteSigner::generate("log").unwrap(),
        );
        let checkpoint = Checkpoint::new("log", 3, Digest::of(b"root")).unwrap();
        let note = checkpoint.sign(&log).unwrap().to_string();
        assert_eq!(
            Checkpoint::open(note.as_bytes(), &log.verifier()),
            Ok(checkpoint)
        );
        assert!(Checkpoint::open(note.as_bytes(), &other.verifier()).is_err());
        let forged = note.replacen("\n3\n", "\n2\n", 1);
        assert!(matches!(
            Checkpoint::open(forged.as_bytes(), &log.verifier()),
            Err(MerkleError::SignatureMismatch { .. })
        ));
    }

    proptest! {
        #[test]
        fn reading_undoes_writing(
            origin in "[^\\x00-\\x1f]{1,20}",
            size: u64,
            root: [u8; 32],
            extensions in prop::collection::vec("[^\\x00-\\x1f]{1,20}", 0..4),
        ) {
            let checkpoint = Checkpoint::new(origin, size, Digest::from_bytes(root)).unwrap();
            let checkpoint = extensions.into_iter().try_fold(checkpoint, Checkpoint::with_extension).unwrap();
            prop_assert_eq!(Checkpoint::parse(&checkpoint.to_text()), Ok(checkpoint));
        }

        #[test]
        fn what_is_read_is_written_the_same(
            at in 0usize..60,
            inserted in "[\\n0-9A=/+\\x00é]{0,3}",
            removed in 0usize..3,
        ) {
            let text = format!("log\n42\n{ROOT}\nextension\n");
            let bytes = text.as_bytes();
            let (at, end) = (at.min(bytes.len()), (at + removed).min(bytes.len()));
            let text = format!("{}{inserted}{}", &text[..at], &text[end..]);
            if let Ok(checkpoint) = Checkpoint::parse(&text) {
                prop_assert_eq!(checkpoint.to_text(), text);
            }
        }
    }
}
