//! Reading UBJSON (<https://ubjson.org>, draft 12), big-endian, with the typed arrays that XGBoost writes.

use std::collections::BTreeMap;

use noops_core::Error;

use super::document::Document;
use crate::model::tree::builder::corrupt;

/// Reads a document. Nothing is allocated for a length before the bytes are seen to be there.
pub(super) fn read(bytes: &[u8]) -> Result<Document, Error> {
    let mut reader = Reader { rest: bytes };
    let marker = reader.marker()?;
    let document = reader.value(marker, 0)?;
    if reader.rest.iter().any(|&byte| byte != b'N') {
        return Err(corrupt("there are bytes behind the document").with("bytes", reader.rest.len()));
    }
    Ok(document)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self, marker: u8, depth: usize) -> Result<Document, Error> {
        if depth > MAX_DEPTH {
            return Err(corrupt("the document is nested too deeply").with("limit", MAX_DEPTH));
        }
        Ok(match marker {
            b'Z' => Document::Null,
            b'T' => Document::Bool(true),
            b'F' => Document::Bool(false),
            b'S' | b'H' => self.string()?,
            b'C' => Document::Text(char::from(self.array::<1>()?[0]).to_string()),
            b'[' => self.list(depth)?,
            b'{' => self.object(depth)?,
            marker => Document::Number(self.number(marker)?),
        })
    }

    fn string(&mut self) -> Result<Document, Error> {
        Ok(Document::Text(self.text()?))
    }

    fn text(&mut self) -> Result<String, Error> {
        let length = self.length()?;
        let text = std::str::from_utf8(self.take(length)?);
        text.map(str::to_owned)
            .map_err(|error| corrupt("a text is not UTF-8").caused_by(error))
    }

    fn list(&mut self, depth: usize) -> Result<Document, Error> {
        let Header { kind, count } = self.header()?;
        match (kind, count) {
            (Some(kind), Some(count)) => match size(kind) {
                Some(size) => {
                    let bytes = count.checked_mul(size).ok_or_else(short)?;
                    let packed = self.take(bytes)?;
                    let mut each = Reader { rest: packed };
                    let numbers = (0..count).map(|_| each.number(kind));
                    Ok(Document::Numbers(numbers.collect::<Result<_, _>>()?))
                }
                None => self.counted(Some(kind), count, depth),
            },
            (None, Some(count)) => self.counted(None, count, depth),
            (Some(_), None) => Err(corrupt("a typed list has no length")),
            (None, None) => {
                let mut values = Vec::new();
                loop {
                    match self.marker()? {
                        b']' => return Ok(Document::List(values)),
                        marker => values.push(self.value(marker, depth + 1)?),
                    }
                }
            }
        }
    }

    fn counted(&mut self, kind: Option<u8>, count: usize, depth: usize) -> Result<Document, Error> {
        // Values of these kinds take no bytes, and so a length is a promise that nothing keeps.
        if matches!(kind, Some(b'Z' | b'T' | b'F' | b'N')) || count > self.rest.len() {
            return Err(short());
        }
        let mut values = Vec::new();
        for _ in 0..count {
            let marker = match kind {
                Some(kind) => kind,
                None => self.marker()?,
            };
            values.push(self.value(marker, depth + 1)?);
        }
        Ok(Document::List(values))
    }

    fn object(&mut self, depth: usize) -> Result<Document, Error> {
        let Header { kind, count } = self.header()?;
        let mut fields = BTreeMap::new();
        let mut left = count;
        loop {
            match &mut left {
                Some(0) => return Ok(Document::Object(fields)),
                Some(left) => *left -= 1,
                None if self.rest.first() == Some(&b'}') => {
                    self.take(1)?;
                    return Ok(Document::Object(fields));
                }
                None => {}
            }
            let name = self.text()?;
            let marker = match kind {
                Some(kind) => kind,
                None => self.marker()?,
            };
            fields.insert(name, self.value(marker, depth + 1)?);
        }
    }

    /// The type and length that a container may begin with.
    fn header(&mut self) -> Result<Header, Error> {
        let mut header = Header {
            kind: None,
            count: None,
        };
        if self.rest.first() == Some(&b'$') {
            self.take(1)?;
            header.kind = Some(self.array::<1>()?[0]);
        }
        if self.rest.first() == Some(&b'#') {
            self.take(1)?;
            header.count = Some(self.length()?);
        }
        Ok(header)
    }

    fn length(&mut self) -> Result<usize, Error> {
        let marker = self.marker()?;
        let length = match marker {
            b'i' => i64::from(i8::from_be_bytes(self.array()?)),
            b'U' => i64::from(u8::from_be_bytes(self.array()?)),
            b'I' => i64::from(i16::from_be_bytes(self.array()?)),
            b'l' => i64::from(i32::from_be_bytes(self.array()?)),
            b'L' => i64::from_be_bytes(self.array()?),
            marker => return Err(unknown(marker)),
        };
        usize::try_from(length).map_err(|error| corrupt("a length is negative").caused_by(error))
    }

    fn number(&mut self, marker: u8) -> Result<f64, Error> {
        Ok(match marker {
            b'i' => f64::from(i8::from_be_bytes(self.array()?)),
            b'U' => f64::from(u8::from_be_bytes(self.array()?)),
            b'I' => f64::from(i16::from_be_bytes(self.array()?)),
            b'l' => f64::from(i32::from_be_bytes(self.array()?)),
            b'L' => i64::from_be_bytes(self.array()?) as f64,
            b'd' => f64::from(f32::from_be_bytes(self.array()?)),
            b'D' => f64::from_be_bytes(self.array()?),
            marker => return Err(unknown(marker)),
        })
    }

    /// The next marker that is not padding.
    fn marker(&mut self) -> Result<u8, Error> {
        loop {
            match self.array::<1>()? {
                [b'N'] => {}
                [marker] => return Ok(marker),
            }
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (first, rest) = self.rest.split_first_chunk().ok_or_else(short)?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (first, rest) = self.rest.split_at_checked(count).ok_or_else(short)?;
        self.rest = rest;
        Ok(first)
    }
}

struct Header {
    kind: Option<u8>,
    count: Option<usize>,
}

/// The bytes of a packed number.
fn size(marker: u8) -> Option<usize> {
    match marker {
        b'i' | b'U' => Some(1),
        b'I' => Some(2),
        b'l' | b'd' => Some(4),
        b'L' | b'D' => Some(8),
        _ => None,
    }
}

fn short() -> Error {
    corrupt("the bytes end before the document does")
}

fn unknown(marker: u8) -> Error {
    corrupt("a marker is not known").with("marker", marker.escape_ascii())
}

const MAX_DEPTH: usize = 64;

#[cfg(test)]
mod tests;
