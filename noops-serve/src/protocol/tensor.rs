//! Named arrays of one element type.

use super::error::ProtocolError;

mod data;
mod datatype;
mod raw;

pub use data::TensorData;
pub use datatype::DataType;

/// A named array in row-major order, as many elements as its shape says.
///
/// # Examples
///
/// ```
/// use noops_serve::protocol::{DataType, Tensor, TensorData};
///
/// let tensor = Tensor::new("x", vec![1, 2], TensorData::Fp32(vec![1.0, 2.0]))?;
/// let same = Tensor::from_raw("x", DataType::Fp32, vec![1, 2], &tensor.raw())?;
/// assert_eq!(tensor, same);
/// assert!(Tensor::new("x", vec![3], TensorData::Fp32(vec![1.0])).is_err());
/// # Ok::<(), noops_serve::protocol::ProtocolError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    name: String,
    shape: Vec<u64>,
    data: TensorData,
}

impl Tensor {
    /// A tensor of these elements.
    ///
    /// # Errors
    ///
    /// Refuses a shape that does not hold exactly as many elements, and an element of 4 GiB or more.
    pub fn new(
        name: impl Into<String>,
        shape: Vec<u64>,
        data: TensorData,
    ) -> Result<Self, ProtocolError> {
        let name = name.into();
        let expected = elements_of(&name, &shape)?;
        if expected != data.len() {
            return Err(ProtocolError::invalid(format!(
                "tensor `{name}` of shape `{shape:?}` needs `{expected}` elements, not `{}`",
                data.len()
            )));
        }
        if let TensorData::Bytes(values) = &data
            && values
                .iter()
                .any(|value| u32::try_from(value.len()).is_err())
        {
            return Err(ProtocolError::invalid(format!(
                "tensor `{name}` has an element of 4 GiB or more"
            )));
        }
        Ok(Self { name, shape, data })
    }

    /// A tensor from little-endian bytes, each element of BYTES behind its length in four bytes.
    ///
    /// # Errors
    ///
    /// Refuses bytes that are not exactly the elements of the shape, and truth values other than 0 and 1.
    pub fn from_raw(
        name: impl Into<String>,
        datatype: DataType,
        shape: Vec<u64>,
        bytes: &[u8],
    ) -> Result<Self, ProtocolError> {
        let name = name.into();
        let elements = elements_of(&name, &shape)?;
        let data = raw::read(&name, datatype, elements, bytes)?;
        Ok(Self { name, shape, data })
    }

    /// The tensor's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of the elements.
    #[must_use]
    pub fn datatype(&self) -> DataType {
        self.data.datatype()
    }

    /// The size of each dimension, the slowest first.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The elements.
    #[must_use]
    pub fn data(&self) -> &TensorData {
        &self.data
    }

    /// Takes the elements out.
    #[must_use]
    pub fn into_data(self) -> TensorData {
        self.data
    }

    /// The elements as little-endian bytes, each element of BYTES behind its length in four bytes.
    #[must_use]
    pub fn raw(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.raw_len());
        self.write_raw(&mut bytes);
        bytes
    }

    /// How many bytes [`raw`](Self::raw) has.
    #[must_use]
    pub fn raw_len(&self) -> usize {
        raw::len(&self.data)
    }

    /// Appends what [`raw`](Self::raw) returns.
    pub fn write_raw(&self, bytes: &mut Vec<u8>) {
        raw::write(&self.data, bytes);
    }
}

/// How many elements a shape holds.
fn elements_of(name: &str, shape: &[u64]) -> Result<usize, ProtocolError> {
    if shape.contains(&0) {
        return Ok(0);
    }
    shape
        .iter()
        .try_fold(1_u64, |product, &size| product.checked_mul(size))
        .and_then(|product| usize::try_from(product).ok())
        .ok_or_else(|| {
            ProtocolError::invalid(format!(
                "tensor `{name}` has a shape that no memory holds: `{shape:?}`"
            ))
        })
}

#[cfg(test)]
pub(crate) mod tests;
