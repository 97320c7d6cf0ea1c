use std::fmt;

use ed25519_dalek::{Signer as _, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::error::ApprovalError;
use super::hex;

/// An ed25519 public key, written as 64 lower-case hexadecimal digits.
///
/// Keys of small order, for which a signature proves nothing, are refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Checks that the bytes are a usable key.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Key`] for bytes that are no point of the curve, and for a point of small order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, ApprovalError> {
        match VerifyingKey::from_bytes(&bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(bytes)),
            Ok(_) => Err(ApprovalError::key("a key of small order proves nothing")),
            Err(_) => Err(ApprovalError::key("the bytes are no ed25519 public key")),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether the signature is this key's for the message, by the strict rules: no key and no commitment of small order,
    /// and one encoding only.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

/// An ed25519 signature, written as 128 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signature([u8; 64]);

impl Signature {
    /// A signature that was made elsewhere, such as by a hardware token. Whether it is one shows when it is verified.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// A key to sign with, for hosts that sign in process, and for tests. It is wiped when it is dropped, and it neither
/// serialises nor shows itself.
///
/// # Examples
///
/// ```
/// use noops_policy::approval::SigningKey;
///
/// // The seed comes from the host's store of secrets.
/// let key = SigningKey::from_seed([7; 32]);
/// let signature = key.sign(b"message");
/// assert!(key.public().verifies(b"message", &signature));
/// assert!(!key.public().verifies(b"another", &signature));
/// ```
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of a seed, which must come from a cryptographic source of randomness.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a message. The same key and message give the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

/// The bytes to sign: the domain, a line feed, and the fields as JSON in the order in which they are declared.
pub(super) fn message<T: Serialize>(domain: &str, fields: &T) -> Result<Vec<u8>, ApprovalError> {
    let mut bytes = format!("{domain}\n").into_bytes();
    serde_json::to_writer(&mut bytes, fields)
        .map_err(|error| ApprovalError::state(format!("it does not serialise: {error}")))?;
    Ok(bytes)
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public())
    }
}

impl TryFrom<String> for PublicKey {
    type Error = ApprovalError;

    fn try_from(text: String) -> Result<Self, ApprovalError> {
        let bytes = hex::decode(&text).ok_or_else(|| {
            ApprovalError::key("a public key must be 64 lower-case hexadecimal digits")
        })?;
        Self::from_bytes(bytes)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl TryFrom<String> for Signature {
    type Error = ApprovalError;

    fn try_from(text: String) -> Result<Self, ApprovalError> {
        hex::decode(&text).map(Self).ok_or_else(|| {
            ApprovalError::key("a signature must be 128 lower-case hexadecimal digits")
        })
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> Self {
        signature.to_string()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_verifies() {
        // RFC 8032, section 7.1, test 2.
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        let key = SigningKey::from_seed(hex::decode(seed).unwrap());
        assert_eq!(key.public().to_string(), public);
        assert_eq!(key.sign(&[0x72]).to_string(), signature);
        assert!(key.public().verifies(&[0x72], &key.sign(&[0x72])));
    }

    #[test]
    fn a_key_of_small_order_is_refused() {
        // The neutral element of the curve.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let error = PublicKey::from_bytes(neutral).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the key cannot be used: a key of small order proves nothing"
        );
    }

    #[test]
    fn a_signing_key_does_not_show_its_seed() {
        let key = SigningKey::from_seed([0x5a; 32]);
        assert!(!format!("{key:?}").contains("5a5a"));
    }

    #[test]
    fn a_domain_keeps_messages_apart() {
        let one = message("noops-approval-v1", &1).unwrap();
        let other = message("noops-break-glass-v1", &1).unwrap();
        assert_ne!(one, other);
        assert_eq!(one, b"noops-approval-v1\n1");
    }
}
