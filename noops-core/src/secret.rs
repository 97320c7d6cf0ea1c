//! Credentials that rotate, are never printed, and are wiped when nobody needs them any more.

mod environment;
mod file;
mod memory;
mod name;
mod source;

pub use environment::EnvironmentSecrets;
pub use file::FileSecrets;
pub use memory::InMemorySecrets;
pub use name::SecretName;
pub use source::{Secrets, with_secret};

use std::fmt;
use std::hint::black_box;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};

/// A credential: a password, a token, a key in PEM or base64.
///
/// It is text that neither `Debug` nor `Display` shows and that cannot be serialised. Clones share one copy, which is
/// overwritten with zeros when the last of them is dropped. What [`expose`](Self::expose) hands out is plain text: whoever
/// copies it, keeps it.
///
/// Two secrets are compared in a time that depends on their lengths, not on where they differ.
///
/// # Examples
///
/// ```
/// use noops_core::Secret;
///
/// let secret = Secret::new("hunter2");
/// assert_eq!(format!("{secret} {secret:?}"), "Secret(…) Secret(…)");
/// assert_eq!(secret.expose(), "hunter2");
/// assert!(secret == Secret::new("hunter2"));
/// ```
///
/// It does not end up in a file by accident:
///
/// ```compile_fail
/// serde_json::to_string(&noops_core::Secret::new("hunter2"));
/// ```
#[derive(Clone)]
pub struct Secret {
    text: Arc<Zeroizing<String>>,
}

impl Secret {
    /// Takes over a text. A `String` is moved, so that no other copy remains.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: Arc::new(Zeroizing::new(text.into())),
        }
    }

    /// The text itself, for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.as_str()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (left, right) = (self.expose().as_bytes(), other.expose().as_bytes());
        // Every byte is looked at, and the compiler is kept from stopping at the first that differs.
        let differing = left
            .iter()
            .zip(right)
            .fold(0u8, |found, (a, b)| black_box(found | (a ^ b)));
        left.len() == right.len() && differing == 0
    }
}

impl Eq for Secret {}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// A secret out of bytes from outside, or why they are none. No part of the bytes is in the error.
fn from_bytes(name: &SecretName, bytes: &[u8]) -> Result<Secret, Error> {
    if bytes.is_empty() {
        return Err(unusable(name, "it is empty"));
    }
    if bytes.len() > LONGEST {
        return Err(unusable(name, "it is longer than 64 KiB"));
    }
    // The error of the conversion would say where the bytes are wrong; that much is nobody's business either.
    let text = std::str::from_utf8(bytes).map_err(|_| {
        unusable(
            name,
            "it is not UTF-8 text; encode binary keys as PEM or base64",
        )
    })?;
    Ok(Secret::new(text))
}

fn unusable(name: &SecretName, message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, READ, message).with("secret", name)
}

const REDACTED: &str = "Secret(…)";
const READ: &str = "read a secret";
/// The longest credential anybody uses is a certificate chain of some KiB.
const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::ZeroizeOnDrop;

    use super::*;

    #[test]
    fn the_copy_is_wiped_when_the_last_clone_is_dropped() {
        fn wiped_on_drop<T: ZeroizeOnDrop>(_: &T) {}
        let secret = Secret::new("hunter2");
        let clone = secret.clone();
        assert_eq!(Arc::strong_count(&secret.text), 2, "clones share one copy");
        drop(clone);
        assert_eq!(Arc::strong_count(&secret.text), 1);
        wiped_on_drop(&*secret.text);
    }

    #[test]
    fn nothing_that_holds_a_secret_prints_it() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "only printed")]
        struct Client {
            token: Option<Secret>,
            all: Vec<Secret>,
        }
        let secret = Secret::new("hunter2");
        let client = Client {
            token: Some(secret.clone()),
            all: vec![secret.clone()],
        };
        let printed =
            format!("{client:?} {client:#?} {secret} {secret:?} {secret:#?} {secret:>40}");
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("Secret(…)"));
    }

    #[test]
    fn bytes_that_are_no_secret_are_refused_without_being_shown() {
        let name: SecretName = "token".parse().unwrap();
        let long = vec![b'x'; LONGEST + 1];
        for bytes in [&b""[..], &b"hunter2\xff"[..], &long[..]] {
            let error = from_bytes(&name, bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let printed = format!("{error} {error:?}");
            assert!(printed.contains("token"), "{printed}");
            assert!(!printed.contains("hunter2") && !printed.contains("xxx"));
            assert!(!printed.contains("104, 117, 110"), "{printed}");
        }
        let longest = vec![b'x'; LONGEST];
        assert_eq!(from_bytes(&name, &longest).unwrap().expose().len(), LONGEST);
    }

    proptest! {
        #[test]
        fn equality_is_that_of_the_texts(left in "[ab]{0,4}", right in "[ab]{0,4}") {
            prop_assert_eq!(Secret::new(left.clone()) == Secret::new(right.clone()), left == right);
        }
    }
}
