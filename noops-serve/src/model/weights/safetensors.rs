//! The safetensors format: the length of a header, the header in JSON, and the bytes of the tensors.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use super::element::Element;
use super::{NamedTensor, Weights, corrupt, elements, invalid};
use noops_core::Error;

pub(super) fn read(bytes: &[u8]) -> Result<Weights, Error> {
    let truncated = || {
        corrupt("the safetensors file is shorter than its header says").with("bytes", bytes.len())
    };
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(truncated)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| truncated())?;
    if length > HEADER_LIMIT {
        return Err(
            corrupt("the safetensors header is longer than the format allows")
                .with("bytes", length),
        );
    }
    let (header, data) = rest.split_at_checked(length).ok_or_else(truncated)?;
    let header: Header = serde_json::from_slice(header)
        .map_err(|error| corrupt("the safetensors header is malformed").caused_by(error))?;
    cover(&header, data.len())?;
    let mut weights = Weights {
        metadata: header.metadata,
        ..Weights::new()
    };
    for (name, entry) in header.tensors {
        let wrong = || corrupt("a tensor has other bytes than its shape").with("tensor", &name);
        let [start, end] = entry.data_offsets;
        let bytes = data.get(start..end).ok_or_else(wrong)?;
        let Some(element) = entry.element() else {
            if entry.is_whole_numbers() {
                continue;
            }
            let error = invalid("a tensor has a type that is not supported");
            return Err(error.with("tensor", &name).with("type", &entry.dtype));
        };
        let needed = elements(&entry.shape).and_then(|count| count.checked_mul(element.size()));
        if needed != Some(bytes.len()) {
            return Err(wrong());
        }
        let tensor = NamedTensor {
            values: element.decode(bytes),
            shape: entry.shape,
        };
        weights.insert(name, tensor);
    }
    Ok(weights)
}

pub(super) fn write(weights: &Weights) -> Result<Vec<u8>, Error> {
    if weights.tensor(METADATA).is_some() {
        return Err(
            invalid("a tensor is called as the format calls its metadata").with("tensor", METADATA),
        );
    }
    let mut header = serde_json::Map::new();
    if !weights.metadata().is_empty() {
        header.insert(METADATA.to_owned(), json!(weights.metadata()));
    }
    let mut data = Vec::new();
    for (name, tensor) in weights.tensors() {
        let start = data.len();
        data.extend(tensor.values().iter().flat_map(|value| value.to_le_bytes()));
        let entry = Entry {
            dtype: "F32".to_owned(),
            shape: tensor.shape().to_vec(),
            data_offsets: [start, data.len()],
        };
        header.insert(name.to_owned(), json!(entry));
    }
    let mut header = serde_json::to_vec(&header)
        .map_err(|error| invalid("the header cannot be written").caused_by(error))?;
    // So that the numbers are aligned, as the format asks.
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.append(&mut header);
    file.append(&mut data);
    Ok(file)
}

/// The tensors cover the data from end to end, so that no byte is read twice and none hides.
fn cover(header: &Header, length: usize) -> Result<(), Error> {
    let mut ranges: Vec<([usize; 2], &str)> = header
        .tensors
        .iter()
        .map(|(name, entry)| (entry.data_offsets, name.as_str()))
        .collect();
    ranges.sort_unstable();
    let mut covered = 0;
    for ([start, end], name) in ranges {
        if start != covered || end < start || end > length {
            return Err(
                corrupt("a tensor overlaps another, leaves a hole or ends past the file")
                    .with("tensor", name),
            );
        }
        covered = end;
    }
    if covered == length {
        return Ok(());
    }
    Err(corrupt("bytes behind the last tensor belong to none").with("bytes", length - covered))
}

#[derive(Debug, Default)]
struct Header {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

impl Entry {
    fn element(&self) -> Option<Element> {
        match self.dtype.as_str() {
            "F16" => Some(Element::Half),
            "BF16" => Some(Element::BrainFloat),
            "F32" => Some(Element::Single),
            "F64" => Some(Element::Double),
            _ => None,
        }
    }

    /// Counters and flags, such as the number of batches that a normalisation has seen.
    fn is_whole_numbers(&self) -> bool {
        let names = ["BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64"];
        names.contains(&self.dtype.as_str())
    }
}

/// Written by hand because a name that comes twice must be an error, and one name has another type than the others.
impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        while let Some(name) = map.next_key::<String>()? {
            if name == METADATA {
                header.metadata = map.next_value()?;
            } else if header
                .tensors
                .insert(name.clone(), map.next_value()?)
                .is_some()
            {
                return Err(serde::de::Error::custom(format!(
                    "tensor `{name}` comes twice"
                )));
            }
        }
        Ok(header)
    }
}

const METADATA: &str = "__metadata__";

/// What the reference implementation accepts.
const HEADER_LIMIT: usize = 100_000_000;
