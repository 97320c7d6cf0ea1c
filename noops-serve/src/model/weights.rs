//! Files of named tensors, and models that are built of them.

mod assemble;
#[cfg(feature = "burn")]
mod burnpack;
mod description;
mod element;
mod safetensors;

use std::collections::BTreeMap;

use noops_core::{Error, ErrorKind};

pub use self::description::{EmbeddingDescription, LayerDescription, MlpDescription, WeightLayout};

/// Named tensors of a file as single-precision numbers, with what the file says beside them.
///
/// # Examples
///
/// ```
/// use noops_serve::model::weights::{NamedTensor, Weights};
///
/// let mut weights = Weights::new().with_metadata("trained", "yesterday");
/// weights.insert("head.bias", NamedTensor::new(vec![2], vec![0.5, -0.5])?);
/// let read = Weights::from_safetensors(&weights.to_safetensors()?)?;
/// assert_eq!(read, weights);
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    tensors: BTreeMap<String, NamedTensor>,
    metadata: BTreeMap<String, String>,
}

impl Weights {
    /// No tensors yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a safetensors file. Numbers of other precisions are converted; tensors of whole numbers and flags, which layers do not use,
    /// are left out.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the header is no header, or describes other bytes than there are: the tensors must cover them without a hole and
    /// without an overlap, as the format asks.
    ///
    /// # Complexity
    ///
    /// Linear in the bytes, and at most twice as many of them in memory.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, Error> {
        safetensors::read(bytes)
    }

    /// Writes a safetensors file, the same bytes for the same tensors.
    ///
    /// # Errors
    ///
    /// When a tensor or a key of the metadata is called `__metadata__`, which the format keeps for itself.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, Error> {
        safetensors::write(self)
    }

    /// Reads a burnpack file, which is what burn's modules save. Numbers of other precisions are converted; tensors of whole numbers and
    /// flags are left out.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the bytes are no burnpack, or its tensors claim more bytes than there are; `Invalid` for quantised tensors.
    #[cfg(feature = "burn")]
    pub fn from_burnpack(bytes: &[u8]) -> Result<Self, Error> {
        burnpack::read(bytes)
    }

    /// Writes a burnpack file.
    ///
    /// # Errors
    ///
    /// When the format cannot hold the tensors.
    #[cfg(feature = "burn")]
    pub fn to_burnpack(&self) -> Result<Vec<u8>, Error> {
        burnpack::write(self)
    }

    /// Adds a tensor, in place of one of the same name.
    pub fn insert(&mut self, name: impl Into<String>, tensor: NamedTensor) {
        self.tensors.insert(name.into(), tensor);
    }

    /// With a line of metadata.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// A tensor by its name.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&NamedTensor> {
        self.tensors.get(name)
    }

    /// All tensors by their names, in order.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &NamedTensor)> {
        let tensors = self.tensors.iter();
        tensors.map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// What the file says beside its tensors.
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }
}

/// A tensor of single-precision numbers, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl NamedTensor {
    /// A tensor of a shape; an empty shape is one number.
    ///
    /// # Errors
    ///
    /// Refuses values that do not fill the shape.
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Result<Self, Error> {
        if elements(&shape) == Some(values.len()) {
            return Ok(Self { shape, values });
        }
        let error = Error::new(
            ErrorKind::Invalid,
            "build a tensor",
            "the values do not fill the shape",
        );
        Err(error
            .with("shape", format!("{shape:?}"))
            .with("values", values.len()))
    }

    /// The sizes of its dimensions.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its numbers, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// How many numbers a shape has, where that is a number.
fn elements(shape: &[usize]) -> Option<usize> {
    let mut sizes = shape.iter();
    sizes.try_fold(1_usize, |product, size| product.checked_mul(*size))
}

fn corrupt(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Corrupt, "load a model", message)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "load a model", message)
}

#[cfg(test)]
mod tests;
