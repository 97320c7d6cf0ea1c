//! Ed25519 keys with a name and a use, as notes spell them.

use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use super::error::MerkleError;
use super::note::{NoteSignature, SignedNote};
use super::text::{from_base64, is_key_name, to_base64};
use crate::digest::Digest;

/// What a key signs. The same bytes under another use are another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The text of a note.
    Note,
    /// A checkpoint at a time.
    Cosignature,
}

impl Use {
    /// The signature type of C2SP `signed-note`.
    fn byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// A key that signs. Its bytes are overwritten when it is dropped.
#[derive(Clone)]
pub(super) struct SecretKey {
    public: PublicKey,
    key: SigningKey,
}

impl SecretKey {
    pub(super) fn generate(name: &str, purpose: Use) -> Result<Self, MerkleError> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|_| MerkleError::Randomness)?;
        Self::from_seed(name, purpose, &seed)
    }

    /// Reads `PRIVATE+KEY+name+identifier+base64(type || seed)`.
    pub(super) fn parse(text: &str, purpose: Use) -> Result<Self, MerkleError> {
        let rest = text
            .strip_prefix(PRIVATE)
            .ok_or_else(|| malformed("it does not begin with `PRIVATE+KEY+`"))?;
        let (name, id, base64) = parts(rest)?;
        let bytes = Zeroizing::new(from_base64(base64).ok_or_else(|| malformed(NOT_BASE64))?);
        let seed = typed(&bytes, purpose)?;
        let key = Self::from_seed(name, purpose, seed)?;
        if key.public.id == id {
            Ok(key)
        } else {
            Err(malformed(WRONG_IDENTIFIER))
        }
    }

    pub(super) fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0u8; 33]);
        let values =
            std::iter::once(self.public.purpose.byte()).chain(self.key.as_bytes().iter().copied());
        for (byte, value) in bytes.iter_mut().zip(values) {
            *byte = value;
        }
        let base64 = Zeroizing::new(to_base64(bytes.as_slice()));
        // Made at its full length, so that growing leaves no copies behind.
        let head = format!("{PRIVATE}{}+{}+", self.public.name, self.public.hex_id());
        let mut text = Zeroizing::new(String::with_capacity(head.len() + base64.len()));
        text.push_str(&head);
        text.push_str(&base64);
        text
    }

    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature of a message, with `head` before it in the line of the note.
    pub(super) fn sign(&self, head: &[u8], message: &[u8]) -> NoteSignature {
        let signature = self.key.sign(message).to_bytes();
        let bytes = [head, &signature[..]].concat();
        NoteSignature::new(self.public.name.clone(), self.public.id, bytes)
    }

    fn from_seed(name: &str, purpose: Use, seed: &[u8; 32]) -> Result<Self, MerkleError> {
        let key = SigningKey::from_bytes(seed);
        let public = PublicKey::new(name, purpose, key.verifying_key())?;
        Ok(Self { public, key })
    }
}

/// A key that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    name: String,
    purpose: Use,
    id: [u8; 4],
    key: VerifyingKey,
}

impl PublicKey {
    fn new(name: &str, purpose: Use, key: VerifyingKey) -> Result<Self, MerkleError> {
        if !is_key_name(name) {
            return Err(malformed(
                "a name is 1 to 1024 bytes without white space, control characters and plus signs",
            ));
        }
        let input = [
            name.as_bytes(),
            &b"\n"[..],
            &[purpose.byte()][..],
            &key.as_bytes()[..],
        ];
        let [a, b, c, d, ..] = *Digest::of(&input.concat()).as_bytes();
        Ok(Self {
            name: name.to_owned(),
            purpose,
            id: [a, b, c, d],
            key,
        })
    }

    /// Reads `name+identifier+base64(type || key)`.
    pub(super) fn parse(text: &str, purpose: Use) -> Result<Self, MerkleError> {
        let (name, id, base64) = parts(text)?;
        let bytes = from_base64(base64).ok_or_else(|| malformed(NOT_BASE64))?;
        let key = VerifyingKey::from_bytes(typed(&bytes, purpose)?)
            .ok()
            .filter(|key| !key.is_weak())
            .ok_or_else(|| malformed("its bytes are no Ed25519 key or a weak one"))?;
        let key = Self::new(name, purpose, key)?;
        if key.id == id {
            Ok(key)
        } else {
            Err(malformed(WRONG_IDENTIFIER))
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn id(&self) -> u32 {
        u32::from_be_bytes(self.id)
    }

    /// The signatures under a note that claim to be by this key; an error if there are none.
    pub(super) fn signatures<'a>(
        &self,
        note: &'a SignedNote,
    ) -> Result<Vec<&'a NoteSignature>, MerkleError> {
        let found: Vec<&NoteSignature> = note
            .signatures()
            .iter()
            .filter(|signature| signature.is_by(&self.name, self.id))
            .collect();
        if found.is_empty() {
            Err(MerkleError::NotSigned { key: self.label() })
        } else {
            Ok(found)
        }
    }

    /// Checks a signature strictly: neither it nor the key has a second form.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), MerkleError> {
        <&[u8; 64]>::try_from(signature)
            .ok()
            .and_then(|bytes| {
                let signature = Signature::from_bytes(bytes);
                self.key.verify_strict(message, &signature).ok()
            })
            .ok_or_else(|| self.mismatch())
    }

    pub(super) fn mismatch(&self) -> MerkleError {
        MerkleError::SignatureMismatch { key: self.label() }
    }

    fn label(&self) -> String {
        format!("{}+{}", self.name, self.hex_id())
    }

    fn hex_id(&self) -> String {
        format!("{:08x}", self.id())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[self.purpose.byte()][..], &self.key.as_bytes()[..]].concat();
        write!(f, "{}+{}", self.label(), to_base64(&bytes))
    }
}

/// Name, identifier and base64; the base64 can have plus signs too.
fn parts(text: &str) -> Result<(&str, [u8; 4], &str), MerkleError> {
    let (name, rest) = text.split_once('+').ok_or_else(|| malformed(PARTS))?;
    let (id, base64) = rest.split_once('+').ok_or_else(|| malformed(PARTS))?;
    let lower = id.len() == 8 && id.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    if !lower || base64.len() != KEY_CHARACTERS {
        return Err(malformed(PARTS));
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| malformed(PARTS))?;
    Ok((name, id.to_be_bytes(), base64))
}

/// The 32 bytes behind the signature type, if that is the expected one.
fn typed(bytes: &[u8], purpose: Use) -> Result<&[u8; 32], MerkleError> {
    match bytes.split_first() {
        Some((byte, rest)) if *byte == purpose.byte() => rest
            .try_into()
            .map_err(|_| malformed("an Ed25519 key has 32 bytes")),
        _ => Err(malformed("it is not a key for this kind of signature")),
    }
}

fn malformed(reason: &'static str) -> MerkleError {
    MerkleError::Malformed {
        what: "note key",
        reason,
    }
}

const PRIVATE: &str = "PRIVATE+KEY+";
const PARTS: &str = "it is not of the form NAME+8 HEX DIGITS+BASE64 OF 33 BYTES";
const NOT_BASE64: &str = "its last part is not standard base64 with padding";
const WRONG_IDENTIFIER: &str = "its identifier is not that of its name and bytes";

/// 33 bytes in base64.
const KEY_CHARACTERS: usize = 44;
