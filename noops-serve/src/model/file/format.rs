//! Which format bytes are in.

use std::fmt;

use noops_core::Error;

use super::invalid;

/// A format of model files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ModelFormat {
    /// What burn's modules save, with a description of the network, see [`MlpDescription`](crate::model::weights::MlpDescription).
    Burnpack,
    /// Named tensors, with a description of the network among the metadata.
    Safetensors,
    /// A graph of operators.
    Onnx,
    /// What XGBoost's `save_model` writes as JSON.
    XgboostJson,
    /// What XGBoost's `save_model` writes as UBJSON.
    XgboostUbj,
    /// What LightGBM's `save_model` writes.
    LightgbmText,
}

impl ModelFormat {
    /// Recognises the format by the content, whatever the file is called.
    ///
    /// # Errors
    ///
    /// `Invalid` for bytes of none of the formats.
    ///
    /// # Complexity
    ///
    /// At most linear in the bytes, and mostly a look at the first few.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_serve::model::file::ModelFormat;
    ///
    /// assert_eq!(ModelFormat::detect(b"tree\nversion=v4\n")?, ModelFormat::LightgbmText);
    /// assert!(ModelFormat::detect(b"\x80\x04\x95").unwrap_err().to_string().contains("pickle"));
    /// # Ok::<(), noops_core::Error>(())
    /// ```
    pub fn detect(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.starts_with(&BURNPACK) {
            return Ok(Self::Burnpack);
        }
        if is_safetensors(bytes) {
            return Ok(Self::Safetensors);
        }
        let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let text = text.trim_ascii_start();
        if text.starts_with(b"tree\n") || text.starts_with(b"tree\r\n") {
            return Ok(Self::LightgbmText);
        }
        if let Some(object) = text.strip_prefix(b"{") {
            let learner = bytes.windows(LEARNER.len()).any(|window| window == LEARNER);
            let json = object.trim_ascii_start().starts_with(b"\"");
            match (learner, json) {
                (true, true) => return Ok(Self::XgboostJson),
                (true, false) => return Ok(Self::XgboostUbj),
                (false, _) => (),
            }
        }
        if is_onnx(bytes) {
            return Ok(Self::Onnx);
        }
        Err(unknown(bytes))
    }

    /// The name of the format, as a person writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Burnpack => "burnpack",
            Self::Safetensors => "safetensors",
            Self::Onnx => "ONNX",
            Self::XgboostJson => "XGBoost JSON",
            Self::XgboostUbj => "XGBoost UBJSON",
            Self::LightgbmText => "LightGBM text",
        }
    }
}

impl fmt::Display for ModelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The length of a header, and a header that is a JSON object.
fn is_safetensors(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
        && bytes.first_chunk().is_some_and(|length| {
            let rest = bytes.len().saturating_sub(8);
            usize::try_from(u64::from_le_bytes(*length)).is_ok_and(|length| length <= rest)
        })
}

/// Whether the bytes begin as an ONNX `ModelProto`: with fields that it has, up to a graph, and more than the graph. A graph that is cut
/// off is still one, so that its reader can say so.
fn is_onnx(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let (mut graph, mut others) = (false, false);
    while !rest.is_empty() {
        let Some(key) = varint(&mut rest) else {
            break;
        };
        let field = key >> 3;
        match (field, key & 7) {
            (1 | 5, 0) => {
                if varint(&mut rest).is_none() {
                    break;
                }
                others = true;
            }
            (2..=4 | 6..=8 | 14 | 20 | 25 | 26, 2) => {
                graph |= field == 7;
                others |= field != 7;
                let length = varint(&mut rest).and_then(|length| usize::try_from(length).ok());
                let Some(behind) = length.and_then(|length| rest.get(length..)) else {
                    break;
                };
                rest = behind;
            }
            _ => return false,
        }
    }
    graph && others
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn unknown(bytes: &[u8]) -> Error {
    let known = "burnpack, safetensors, ONNX, XGBoost JSON or UBJSON, LightGBM text";
    let guess = match bytes {
        [] => "the file is empty",
        [0x80, 2..=5, ..] => "it looks like a Python pickle, which only Python can read",
        [b'P', b'K', 3, 4, ..] => "it looks like a zip archive, such as PyTorch and Keras write",
        [0x89, b'H', b'D', b'F', ..] => "it looks like HDF5, which Keras writes",
        [0x1f, 0x8b, ..] => "it is compressed with gzip",
        _ => "the file is none of the known formats",
    };
    invalid(&format!("{guess}; save the model as {known}"))
}

/// `BURN` as a little-endian number.
const BURNPACK: [u8; 4] = 0x4255_524E_u32.to_le_bytes();
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
/// The first thing that every XGBoost model says of itself.
const LEARNER: &[u8] = b"learner";
