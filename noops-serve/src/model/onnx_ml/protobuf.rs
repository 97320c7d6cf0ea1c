//! A bounded reader of the protocol buffers wire format.

use noops_core::Error;

use super::error::corrupt;

/// One field of a message: its value as the wire holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    /// A text, a message or packed numbers: borrowed, so that a length can claim no more than there is.
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// Reads the fields of one message, one behind the other. Messages inside are read by readers of their own, each of a type that is
/// known: nothing here recurses by what the bytes say.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The number and the value of the next field; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 {
            return Err(corrupt("a field has the number 0"));
        }
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(self.fixed()?),
            2 => {
                let len = self.varint()?;
                Field::Bytes(self.take(len)?)
            }
            5 => Field::Fixed32(self.fixed()?),
            kind => {
                return Err(corrupt("a field has an unknown wire type").with("wire type", kind));
            }
        };
        Ok(Some((number, field)))
    }

    fn varint(&mut self) -> Result<u64, Error> {
        let mut value = 0_u64;
        for (index, &byte) in self.rest.iter().enumerate().take(10) {
            let bits = u64::from(byte & 0x7f);
            if index == 9 && bits > 1 {
                return Err(corrupt("a number takes more than 64 bits"));
            }
            value |= bits << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = self.rest.get(index + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(corrupt("a number does not end"))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], Error> {
        let len = usize::try_from(len).map_err(|_| cut_short())?;
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(bytes)
    }
}

impl<'a> Field<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], Error> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(wrong_type()),
        }
    }

    pub(super) fn text(self) -> Result<String, Error> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes);
        text.map(str::to_owned)
            .map_err(|error| corrupt("a text is not UTF-8").caused_by(error))
    }

    pub(super) fn unsigned(self) -> Result<u64, Error> {
        match self {
            Self::Varint(value) => Ok(value),
            _ => Err(wrong_type()),
        }
    }

    /// A signed number, which the wire holds as two's complement.
    pub(super) fn signed(self) -> Result<i64, Error> {
        self.unsigned().map(u64::cast_signed)
    }

    pub(super) fn single(self) -> Result<f32, Error> {
        match self {
            Self::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(wrong_type()),
        }
    }

    /// Adds a repeated signed number, packed or alone.
    pub(super) fn append_signed(self, to: &mut Vec<i64>) -> Result<(), Error> {
        let Self::Bytes(bytes) = self else {
            to.push(self.signed()?);
            return Ok(());
        };
        let mut reader = Reader::new(bytes);
        while !reader.rest.is_empty() {
            to.push(reader.varint()?.cast_signed());
        }
        Ok(())
    }

    /// Adds a repeated single-precision number, packed or alone.
    pub(super) fn append_single(self, to: &mut Vec<f32>) -> Result<(), Error> {
        let Self::Bytes(bytes) = self else {
            to.push(self.single()?);
            return Ok(());
        };
        let (numbers, []) = bytes.as_chunks::<4>() else {
            return Err(cut_short());
        };
        to.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        Ok(())
    }

    /// Adds a repeated double-precision number, packed or alone.
    pub(super) fn append_double(self, to: &mut Vec<f64>) -> Result<(), Error> {
        match self {
            Self::Fixed64(bytes) => to.push(f64::from_le_bytes(bytes)),
            Self::Bytes(bytes) => {
                let (numbers, []) = bytes.as_chunks::<8>() else {
                    return Err(cut_short());
                };
                to.extend(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)));
            }
            _ => return Err(wrong_type()),
        }
        Ok(())
    }
}

fn cut_short() -> Error {
    corrupt("the bytes end before a field does")
}

fn wrong_type() -> Error {
    corrupt("a field has another wire type than its message says")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wire_type_is_read() {
        let bytes = [
            0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f, 0x21, 0, 0, 0, 0, 0, 0,
            0xf0, 0x3f,
        ];
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.next().unwrap(), Some((1, Field::Varint(150))));
        assert_eq!(reader.next().unwrap(), Some((2, Field::Bytes(b"hi"))));
        let (number, single) = reader.next().unwrap().unwrap();
        assert_eq!((number, single.single().unwrap()), (3, 1.0));
        let mut doubles = Vec::new();
        let (_, double) = reader.next().unwrap().unwrap();
        double.append_double(&mut doubles).unwrap();
        assert_eq!(doubles, [1.0]);
        assert_eq!(reader.next().unwrap(), None);
    }

    #[test]
    fn a_negative_number_takes_ten_bytes() {
        let mut bytes = vec![0x08];
        bytes.extend([0xff; 9]);
        bytes.push(1);
        let (_, field) = Reader::new(&bytes).next().unwrap().unwrap();
        assert_eq!(field.signed().unwrap(), -1);
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for bytes in [
            &[0x00_u8, 0x00][..],
            &[0x08],
            &[0x08, 0x80],
            &[0x0b],
            &[0x0d, 1, 2, 3],
            &[0x12, 5, 1],
            &[
                0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
            ],
            &[0xff; 11],
        ] {
            assert!(Reader::new(bytes).next().is_err(), "{bytes:?}");
        }
        let mut singles = Vec::new();
        assert!(Field::Bytes(&[0; 5]).append_single(&mut singles).is_err());
        assert!(Field::Varint(1).text().is_err());
        assert!(Field::Bytes(&[0xff]).text().is_err());
    }
}
