//! The `data` of a tensor.

use std::borrow::Cow;

use crate::protocol::error::ProtocolError;
use crate::protocol::tensor::{DataType, Tensor, TensorData};

mod element;
mod scanner;

use element::Element;
use scanner::{Scanner, Token};

/// A tensor from the text of a JSON value, flat or nested exactly as its shape says.
///
/// The text must be one valid JSON value: the scanner looks for the ends of elements only.
pub(super) fn tensor(
    name: Cow<'_, str>,
    datatype: DataType,
    shape: Vec<u64>,
    text: &str,
) -> Result<Tensor, ProtocolError> {
    let data = match datatype {
        DataType::Bool => elements(&name, datatype, &shape, text).map(TensorData::Bool),
        DataType::Uint8 => elements(&name, datatype, &shape, text).map(TensorData::Uint8),
        DataType::Uint16 => elements(&name, datatype, &shape, text).map(TensorData::Uint16),
        DataType::Uint32 => elements(&name, datatype, &shape, text).map(TensorData::Uint32),
        DataType::Uint64 => elements(&name, datatype, &shape, text).map(TensorData::Uint64),
        DataType::Int8 => elements(&name, datatype, &shape, text).map(TensorData::Int8),
        DataType::Int16 => elements(&name, datatype, &shape, text).map(TensorData::Int16),
        DataType::Int32 => elements(&name, datatype, &shape, text).map(TensorData::Int32),
        DataType::Int64 => elements(&name, datatype, &shape, text).map(TensorData::Int64),
        DataType::Fp32 => elements(&name, datatype, &shape, text).map(TensorData::Fp32),
        DataType::Fp64 => elements(&name, datatype, &shape, text).map(TensorData::Fp64),
        DataType::Bytes => elements(&name, datatype, &shape, text).map(TensorData::Bytes),
        DataType::Fp16 => Err(ProtocolError::invalid(format!(
            "tensor `{name}` of FP16 has no form in JSON; send it as binary data"
        ))),
    }?;
    Tensor::new(name, shape, data)
}

fn elements<E: Element>(
    name: &str,
    datatype: DataType,
    shape: &[u64],
    text: &str,
) -> Result<Vec<E>, ProtocolError> {
    let mut scanner = Scanner::new(text);
    let mut reader = Reader {
        name,
        datatype,
        // An element takes a byte and a comma at least; what the shape says is not to be trusted.
        elements: Vec::with_capacity(reservation(shape, text)),
    };
    match scanner.next() {
        Some(Token::Open) => {}
        other => return Err(reader.unexpected("is no array", other)),
    }
    match scanner.clone().next() {
        Some(Token::Open) if shape.len() > MAX_DEPTH => {
            Err(reader.wrong("is nested deeper than any tensor is"))
        }
        Some(Token::Open) => reader.nested(&mut scanner, shape),
        _ => reader.flat(&mut scanner),
    }?;
    Ok(reader.elements)
}

fn reservation(shape: &[u64], text: &str) -> usize {
    let said = shape
        .iter()
        .try_fold(1_u64, |product, &size| product.checked_mul(size));
    let said = said.and_then(|said| usize::try_from(said).ok());
    said.unwrap_or_default().min(text.len() / 2)
}

struct Reader<'a, E> {
    name: &'a str,
    datatype: DataType,
    elements: Vec<E>,
}

impl<E: Element> Reader<'_, E> {
    /// What follows the bracket of an array of elements, to its end.
    fn flat(&mut self, scanner: &mut Scanner<'_>) -> Result<(), ProtocolError> {
        loop {
            match scanner.next() {
                Some(Token::Close) => return Ok(()),
                Some(Token::Word(word)) => self.push(E::from_word(word), word)?,
                Some(Token::Text(text)) => self.push(E::from_text(text), text)?,
                other => return Err(self.unexpected("is nested otherwise than its shape", other)),
            }
        }
    }

    /// What follows the bracket of an array of that shape. Calls itself once per dimension, and those are few.
    fn nested(&mut self, scanner: &mut Scanner<'_>, shape: &[u64]) -> Result<(), ProtocolError> {
        let Some((&size, inner)) = shape.split_first() else {
            return Err(self.wrong("is nested otherwise than its shape"));
        };
        let before = self.elements.len();
        if inner.is_empty() {
            self.flat(scanner)?;
            return self.expect(size, self.elements.len().saturating_sub(before) as u64);
        }
        let mut arrays = 0_u64;
        loop {
            match scanner.next() {
                Some(Token::Close) => return self.expect(size, arrays),
                Some(Token::Open) => self.nested(scanner, inner)?,
                other => return Err(self.unexpected("is nested otherwise than its shape", other)),
            }
            arrays = arrays.saturating_add(1);
        }
    }

    fn push(&mut self, element: Option<E>, found: &str) -> Result<(), ProtocolError> {
        let Some(element) = element else {
            return Err(self.wrong(&format!("holds `{}`", shortened(found))));
        };
        self.elements.push(element);
        Ok(())
    }

    fn expect(&self, size: u64, found: u64) -> Result<(), ProtocolError> {
        if size == found {
            return Ok(());
        }
        Err(self.wrong(&format!("has `{found}` values in a dimension of `{size}`")))
    }

    fn unexpected(&self, what: &str, found: Option<Token<'_>>) -> ProtocolError {
        match found {
            Some(Token::Word(word)) => self.wrong(&format!("{what}: `{}`", shortened(word))),
            _ => self.wrong(what),
        }
    }

    fn wrong(&self, what: &str) -> ProtocolError {
        ProtocolError::invalid(format!(
            "the data of tensor `{}` {what}; give {} of {}, flat or nested as the shape says",
            self.name,
            E::WANTED,
            self.datatype
        ))
    }
}

fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        None => text.into(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
    }
}

/// Deeper arrays are no tensor that anybody has.
const MAX_DEPTH: usize = 8;

/// How many characters of a wrong value a client is shown.
const SHOWN: usize = 24;

#[cfg(test)]
mod tests;
