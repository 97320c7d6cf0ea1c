use noops_core::{Batch, Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::layer::{finite, refuse};

/// The scaling of inputs that a model was trained with: `(x - mean) / scale`, number by number, as scikit-learn's `StandardScaler`.
///
/// # Examples
///
/// ```
/// use noops_serve::model::mlp::Standardisation;
///
/// assert_eq!(Standardisation::new(vec![1.0], vec![2.0])?.mean(), [1.0]);
/// assert!(Standardisation::new(vec![1.0], vec![0.0]).is_err());
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Standardisation {
    mean: Vec<f32>,
    scale: Vec<f32>,
}

impl Standardisation {
    /// A scaling of as many numbers as there are means.
    ///
    /// # Errors
    ///
    /// Refuses lists of different lengths, numbers that are not finite, and a scale of zero.
    pub fn new(mean: Vec<f32>, scale: Vec<f32>) -> Result<Self, Error> {
        finite("mean", &mean)?;
        finite("scale", &scale)?;
        if mean.len() != scale.len() {
            return Err(
                refuse("the standardisation has other numbers of means and scales")
                    .with("means", mean.len())
                    .with("scales", scale.len()),
            );
        }
        if let Some(place) = scale.iter().position(|scale| *scale == 0.0) {
            return Err(
                refuse("a scale is zero, write 1 for a constant column").with("place", place)
            );
        }
        Ok(Self { mean, scale })
    }

    /// What is subtracted from each number.
    #[must_use]
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// What each difference is divided by.
    #[must_use]
    pub fn scale(&self) -> &[f32] {
        &self.scale
    }
}

#[derive(Deserialize)]
struct Parts {
    mean: Vec<f32>,
    scale: Vec<f32>,
}

impl TryFrom<Parts> for Standardisation {
    type Error = Error;

    fn try_from(parts: Parts) -> Result<Self, Error> {
        Self::new(parts.mean, parts.scale)
    }
}

/// The vectors that stand for the codes of a category column: row 0 for a missing or unknown category, row `i + 1` for category `i`.
///
/// A code past the last row counts as unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    width: usize,
    table: Vec<f32>,
}

impl Embedding {
    /// A table of vectors of `width` numbers, one behind the other.
    ///
    /// # Errors
    ///
    /// Refuses a width of zero, a table that is empty or not whole, and numbers that are not finite.
    pub fn new(width: usize, table: Vec<f32>) -> Result<Self, Error> {
        if width == 0 || table.is_empty() || !table.len().is_multiple_of(width) {
            return Err(refuse("the table of an embedding does not fill whole rows")
                .with("width", width)
                .with("values", table.len()));
        }
        finite("embedding", &table)?;
        Ok(Self { width, table })
    }

    /// How many numbers stand for a code.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The vectors, one behind the other.
    #[must_use]
    pub fn table(&self) -> &[f32] {
        &self.table
    }

    /// The vector of a code.
    #[must_use]
    pub fn vector(&self, code: u32) -> &[f32] {
        let start = usize::try_from(code)
            .ok()
            .and_then(|code| code.checked_mul(self.width));
        let found = start.and_then(|start| self.table.get(start..start.checked_add(self.width)?));
        found.unwrap_or_else(|| self.table.get(..self.width).unwrap_or_default())
    }
}

/// How a row of a batch becomes the inputs of the first layer: the numbers, then the vectors of the codes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Inputs {
    pub(super) numbers: usize,
    pub(super) standardisation: Option<Standardisation>,
    pub(super) embeddings: Vec<Embedding>,
}

impl Inputs {
    /// Whether the batch has the columns that the model was made for.
    pub(super) fn check(&self, batch: &Batch) -> Result<(), Error> {
        let fits =
            |columns: usize, values: usize| columns.checked_mul(batch.rows()) == Some(values);
        if fits(self.numbers, batch.numbers().len())
            && fits(self.embeddings.len(), batch.codes().len())
        {
            return Ok(());
        }
        let error = Error::new(
            ErrorKind::Invalid,
            "run a multi-layer perceptron",
            "the batch has other columns than the model",
        );
        Err(error
            .with("numbers expected", self.numbers)
            .with("numbers given", batch.number_columns())
            .with("categories expected", self.embeddings.len())
            .with("categories given", batch.category_columns()))
    }

    /// Writes a row of the batch to the front of `row`.
    #[inline(always)]
    pub(super) fn write(&self, numbers: &[f32], codes: &[u32], row: &mut [f32]) {
        let Some((front, mut rest)) = row.split_at_mut_checked(numbers.len()) else {
            return;
        };
        match &self.standardisation {
            None => front.copy_from_slice(numbers),
            Some(by) => {
                let numbers = numbers.iter().zip(by.mean.iter().zip(&by.scale));
                for (cell, (x, (mean, scale))) in front.iter_mut().zip(numbers) {
                    *cell = (x - mean) / scale;
                }
            }
        }
        for (embedding, code) in self.embeddings.iter().zip(codes) {
            let Some((front, back)) = rest.split_at_mut_checked(embedding.width) else {
                return;
            };
            for (cell, value) in front.iter_mut().zip(embedding.vector(*code)) {
                *cell = *value;
            }
            rest = back;
        }
    }
}
