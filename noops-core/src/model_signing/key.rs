//! Keys on the curve P-256.

use std::fmt;
use std::path::Path;

use p256::ecdsa::DerSignature;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::pkcs8::{DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use zeroize::Zeroizing;

use super::{READ_KEY, file};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// A private key that signs models. It is erased from memory when dropped and never printed.
///
/// # Examples
///
/// ```
/// use noops_core::model_signing::SigningKey;
///
/// let key = SigningKey::generate()?;
/// let again = SigningKey::from_pem(&key.to_pem()?)?;
/// assert_eq!(key.public_key(), again.public_key());
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    secret: p256::ecdsa::SigningKey,
    public: VerifyingKey,
}

impl SigningKey {
    /// A new key from the randomness of the operating system.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the operating system gives none.
    pub fn generate() -> Result<Self, Error> {
        const OPERATION: &str = "generate a signing key";
        let mut secret = Zeroizing::new([0_u8; 32]);
        // One draw in about 2^32 is no valid scalar; needing a second is rare, needing an eighth means a broken source.
        for _ in 0..8 {
            getrandom::fill(secret.as_mut_slice()).map_err(|source| {
                let message = "the operating system gives no randomness";
                Error::new(ErrorKind::Unavailable, OPERATION, message).caused_by(source)
            })?;
            if let Ok(secret) = p256::SecretKey::from_slice(secret.as_slice()) {
                return Self::new(secret);
            }
        }
        let message = "the randomness of the operating system gives no valid key";
        Err(Error::new(ErrorKind::Unavailable, OPERATION, message))
    }

    /// The key in a PEM text: `PRIVATE KEY` (PKCS#8) or `EC PRIVATE KEY` (SEC1), unencrypted.
    ///
    /// # Errors
    ///
    /// `Invalid` when the text holds no such key, or one of another curve.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let Some(block) = private_block(pem) else {
            let message =
                "the text has no block `PRIVATE KEY` or `EC PRIVATE KEY`: give an unencrypted PEM";
            return Err(Error::new(ErrorKind::Invalid, READ_KEY, message));
        };
        let secret = p256::SecretKey::from_pem(block).map_err(|source| {
            let message = "the private key is malformed or not of the curve P-256";
            Error::new(ErrorKind::Invalid, READ_KEY, message).caused_by(source)
        })?;
        Self::new(secret)
    }

    /// The key in a PEM file; see [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such file, `Unavailable` when it cannot be read, `Invalid` when it holds no such key.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        // The capacity is there from the start: a buffer that grows leaves copies of the secret behind.
        let mut bytes = Zeroizing::new(Vec::<u8>::with_capacity(KEY_LIMIT + 1));
        file::read_bounded(path, KEY_LIMIT, &mut bytes, READ_KEY)?;
        let pem = std::str::from_utf8(&bytes).map_err(|_| not_text(path))?;
        Self::from_pem(pem).map_err(|error| error.with("file", path.display()))
    }

    /// The key as PKCS#8 PEM, erased from memory when dropped.
    ///
    /// # Errors
    ///
    /// `Invalid` when the key cannot be encoded, which no valid key does.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        self.secret.to_pkcs8_pem(LineEnding::LF).map_err(|source| {
            Error::new(ErrorKind::Invalid, "write a key", "it cannot be encoded").caused_by(source)
        })
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn public_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// The ASN.1 DER signature over a message.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: Result<DerSignature, p256::ecdsa::Error> = self.secret.try_sign(message);
        match signature {
            Ok(signature) => Ok(signature.as_bytes().to_vec()),
            Err(source) => {
                let error = Error::new(ErrorKind::Invalid, super::SIGN, "the key does not sign");
                Err(error.caused_by(source))
            }
        }
    }

    fn new(secret: p256::SecretKey) -> Result<Self, Error> {
        let secret = p256::ecdsa::SigningKey::from(secret);
        let public = VerifyingKey::new(*secret.verifying_key())?;
        Ok(Self { secret, public })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("hint", &self.public.hint())
            .finish_non_exhaustive()
    }
}

/// A public key that verifies signed models.
///
/// # Examples
///
/// ```
/// use noops_core::model_signing::VerifyingKey;
///
/// // The key of RFC 6979, appendix A.2.5.
/// let pem = "-----BEGIN PUBLIC KEY-----
/// MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7
/// Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==
/// -----END PUBLIC KEY-----
/// ";
/// let key = VerifyingKey::from_pem(pem)?;
/// assert_eq!(key.to_pem(), pem);
/// assert_eq!(key.hint(), "4975c03dd2ad43f3803bf943ca231389c41f26352bf098c930568797eff44dcc");
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    key: p256::ecdsa::VerifyingKey,
    pem: String,
}

impl VerifyingKey {
    /// The key in a PEM text with a block `PUBLIC KEY`.
    ///
    /// # Errors
    ///
    /// `Invalid` when the text holds no such key, or one of another curve.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let key =
            p256::ecdsa::VerifyingKey::from_public_key_pem(pem.trim_end()).map_err(|source| {
                let message = "the text is no PEM of a public key of the curve P-256";
                Error::new(ErrorKind::Invalid, READ_KEY, message).caused_by(source)
            })?;
        Self::new(key)
    }

    /// The key in a PEM file; see [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such file, `Unavailable` when it cannot be read, `Invalid` when it holds no such key.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let mut bytes = Vec::new();
        file::read_bounded(path, KEY_LIMIT, &mut bytes, READ_KEY)?;
        let pem = std::str::from_utf8(&bytes).map_err(|_| not_text(path))?;
        Self::from_pem(pem).map_err(|error| error.with("file", path.display()))
    }

    /// The key as PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.pem.clone()
    }

    /// The name under which a signature refers to this key: SHA-256 of its PEM, in hex.
    #[must_use]
    pub fn hint(&self) -> String {
        Digest::of(self.pem.as_bytes()).to_string()
    }

    /// Whether a DER signature over a message is of this key.
    pub(super) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        DerSignature::from_bytes(signature)
            .is_ok_and(|signature| self.key.verify(message, &signature).is_ok())
    }

    fn new(key: p256::ecdsa::VerifyingKey) -> Result<Self, Error> {
        let pem = key.to_public_key_pem(LineEnding::LF).map_err(|source| {
            Error::new(ErrorKind::Invalid, READ_KEY, "it cannot be encoded").caused_by(source)
        })?;
        Ok(Self { key, pem })
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("hint", &self.hint())
            .finish_non_exhaustive()
    }
}

/// The block of the private key alone: `openssl ecparam -genkey` writes a block with the curve before it.
fn private_block(pem: &str) -> Option<&str> {
    ["PRIVATE KEY", "EC PRIVATE KEY"]
        .into_iter()
        .find_map(|label| {
            let end = format!("-----END {label}-----");
            let start = pem.find(&format!("-----BEGIN {label}-----"))?;
            let block = pem.get(start..)?;
            let length = block.find(&end)?.checked_add(end.len())?;
            block.get(..length)
        })
}

fn not_text(path: &Path) -> Error {
    Error::new(ErrorKind::Invalid, READ_KEY, "the file is not text").with("file", path.display())
}

/// No PEM of a P-256 key is near this long.
const KEY_LIMIT: usize = 64 * 1024;
