//! The sigstore bundle that holds a statement and its signature.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::key::{SigningKey, VerifyingKey};
use super::manifest::SignedManifest;
use super::statement::Statement;
use super::{SIGN, VERIFY};
use crate::error::{Error, ErrorKind};

/// A signature with what it signs, as bytes that can be kept anywhere.
///
/// Nothing in it can be trusted before [`verify`](Self::verify); therefore it has no accessors.
///
/// # Examples
///
/// ```
/// use noops_core::Digest;
/// use noops_core::model_signing::{Bundle, SigningKey, sign_artifact};
///
/// let key = SigningKey::generate()?;
/// let bundle = sign_artifact(Digest::of(b"weights"), "arrival-delay", &key)?;
/// let read_back = Bundle::from_bytes(&bundle.to_bytes())?;
/// assert_eq!(read_back.verify(key.public_key())?.model_name(), "arrival-delay");
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    bytes: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    hint: String,
}

impl Bundle {
    /// The longest bundle that is read or written: 64 MiB, enough for several hundred thousand files.
    pub const MAX_BYTES: usize = 64 << 20;

    /// Reads a bundle without verifying it.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the bytes are no bundle with exactly one signature over an in-toto payload, `Invalid` when it was signed
    /// by a certificate instead of a key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > Self::MAX_BYTES {
            let message = format!("the bundle is longer than {} bytes", Self::MAX_BYTES);
            return Err(corrupt(&message).with("bytes", bytes.len()));
        }
        let bundle: BundleJson = serde_json::from_slice(bytes)
            .map_err(|source| corrupt("the bundle is malformed").caused_by(source))?;
        if bundle.media_type != MEDIA_TYPE {
            return Err(corrupt("the bundle has an unknown media type")
                .with("media type", bundle.media_type.escape_debug()));
        }
        let Some(key) = bundle.verification_material.public_key else {
            let message = "the bundle was not signed by a key: use the reference tool for this one";
            return Err(Error::new(ErrorKind::Invalid, VERIFY, message));
        };
        let envelope = bundle.dsse_envelope;
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(corrupt("the bundle has an unknown payload type")
                .with("payload type", envelope.payload_type.escape_debug()));
        }
        // With several, which of them was meant would be a guess.
        let [signature] = envelope.signatures.as_slice() else {
            return Err(corrupt("the bundle must have exactly one signature")
                .with("signatures", envelope.signatures.len()));
        };
        let decode = |text: &str, message: &str| {
            STANDARD
                .decode(text)
                .map_err(|source| corrupt(message).caused_by(source))
        };
        Ok(Self {
            bytes: bytes.to_vec(),
            payload: decode(&envelope.payload, "the payload is not base64")?,
            signature: decode(&signature.sig, "the signature is not base64")?,
            hint: key.hint.unwrap_or_default(),
        })
    }

    /// The bundle as JSON.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// Checks the signature, then everything that was signed, and tells what that is. It looks at no file.
    ///
    /// # Errors
    ///
    /// * `Invalid` when the bundle says that another key signed it, or when it uses a part of the format that is not supported.
    /// * `Corrupt` when the signature is not of this key over this content, or when the content contradicts itself or has paths
    ///   that no model has.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n files.
    pub fn verify(&self, key: &VerifyingKey) -> Result<SignedManifest, Error> {
        let statement = self.open(key)?;
        Ok(SignedManifest::new(
            statement.model_name,
            statement.resources,
            statement.ignored_paths,
            key.hint(),
        ))
    }

    /// Signs a statement.
    pub(super) fn sign(statement: &Statement, key: &SigningKey) -> Result<Self, Error> {
        Self::seal(statement.encode(), key)
    }

    /// The statement, after the signature was checked.
    pub(super) fn open(&self, key: &VerifyingKey) -> Result<Statement, Error> {
        let hint = key.hint();
        // Signatures of old versions of the reference have no hint; the signature itself decides.
        if !self.hint.is_empty() && self.hint != hint {
            let message = "it was signed by another key: verify with the public key of the signer";
            return Err(Error::new(ErrorKind::Invalid, VERIFY, message)
                .with("key", hint)
                .with(
                    "signer",
                    self.hint
                        .chars()
                        .take(64)
                        .collect::<String>()
                        .escape_debug(),
                ));
        }
        if !key.accepts(&authenticated(&self.payload), &self.signature) {
            let message = "the signature does not fit the content: do not use the model";
            return Err(corrupt(message).with("key", hint));
        }
        Statement::decode(&self.payload)
    }

    /// Signs any payload; the tests sign hostile ones.
    pub(super) fn seal(payload: Vec<u8>, key: &SigningKey) -> Result<Self, Error> {
        let signature = key.sign(&authenticated(&payload))?;
        let hint = key.public_key().hint();
        let bundle = json!({
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{ "keyid": "", "sig": STANDARD.encode(&signature) }],
            },
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": { "publicKey": { "hint": hint }, "tlogEntries": [] },
        });
        let bytes = bundle.to_string().into_bytes();
        if bytes.len() > Self::MAX_BYTES {
            let message = "the model has too many files for a signature: pack them into fewer";
            return Err(Error::new(ErrorKind::Invalid, SIGN, message).with("bytes", bytes.len()));
        }
        Ok(Self {
            bytes,
            payload,
            signature,
            hint,
        })
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("bytes", &self.bytes.len())
            .field("hint", &self.hint)
            .finish_non_exhaustive()
    }
}

/// The pre-authentication encoding of DSSE: what the signature is over.
fn authenticated(payload: &[u8]) -> Vec<u8> {
    let length = PAYLOAD_TYPE.len();
    let mut message = format!("DSSEv1 {length} {PAYLOAD_TYPE} {} ", payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

fn corrupt(message: &str) -> Error {
    Error::new(ErrorKind::Corrupt, VERIFY, message)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleJson {
    media_type: String,
    verification_material: MaterialJson,
    dsse_envelope: EnvelopeJson,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MaterialJson {
    public_key: Option<PublicKeyJson>,
}

#[derive(Deserialize)]
struct PublicKeyJson {
    hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnvelopeJson {
    payload: String,
    payload_type: String,
    signatures: Vec<SignatureJson>,
}

#[derive(Deserialize)]
struct SignatureJson {
    sig: String,
}

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_matches_the_example_of_the_protocol() {
        // The form of https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md, with the type of this format.
        assert_eq!(
            authenticated(b"hello world"),
            b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"
        );
        assert_eq!(
            authenticated(b""),
            b"DSSEv1 28 application/vnd.in-toto+json 0 "
        );
    }
}
