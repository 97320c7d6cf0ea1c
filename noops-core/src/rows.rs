//! Rows without Arrow.

use crate::error::{Error, ErrorKind};

/// Rows to predict that lie one behind the other: the numbers of each row in the order of the contract's numeric features, and the
/// texts of each row in that of the others. A missing number is NaN.
///
/// # Examples
///
/// ```
/// use noops_core::{Contract, Feature, FeatureRule, OutputRule, Rows};
///
/// let rules = [Feature::number("amount"), Feature::category("country", ["de".into()])].map(FeatureRule::strict);
/// let contract = Contract::new(rules, OutputRule::probability())?;
/// let rows = Rows::new(2, vec![7.0, f32::NAN], vec![Some("de".into()), Some("de".into())])?;
/// let encoded = contract.encode_rows(&rows)?;
/// assert_eq!(encoded.accepted(), [0]);
/// assert_eq!(encoded.rejection(1).unwrap().to_string(), "`amount` is missing");
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    len: usize,
    numbers: Vec<f32>,
    texts: Vec<Option<String>>,
}

impl Rows {
    /// Rows of numbers and texts.
    ///
    /// # Errors
    ///
    /// Refuses numbers or texts that do not fill `len` rows.
    pub fn new(len: usize, numbers: Vec<f32>, texts: Vec<Option<String>>) -> Result<Self, Error> {
        let fills = |values: usize| {
            values
                .checked_rem(len)
                .map_or(values == 0, |rest| rest == 0)
        };
        let empty = len > 0 && numbers.is_empty() && texts.is_empty();
        if fills(numbers.len()) && fills(texts.len()) && !empty {
            return Ok(Self {
                len,
                numbers,
                texts,
            });
        }
        Err(Error::new(
            ErrorKind::Invalid,
            "build rows",
            "the values do not fill the rows",
        )
        .with("rows", len)
        .with("numbers", numbers.len())
        .with("texts", texts.len()))
    }

    /// One row of numbers.
    #[must_use]
    pub fn one(numbers: Vec<f32>) -> Self {
        Self {
            len: 1,
            numbers,
            texts: Vec::new(),
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many numbers a row has.
    #[must_use]
    pub fn number_width(&self) -> usize {
        self.numbers.len().checked_div(self.len).unwrap_or(0)
    }

    /// How many texts a row has.
    #[must_use]
    pub fn text_width(&self) -> usize {
        self.texts.len().checked_div(self.len).unwrap_or(0)
    }

    /// The numbers of one row; none past the last.
    #[must_use]
    pub fn numbers_of(&self, row: usize) -> &[f32] {
        row_of(&self.numbers, row, self.number_width())
    }

    /// The texts of one row; none past the last.
    #[must_use]
    pub fn texts_of(&self, row: usize) -> &[Option<String>] {
        row_of(&self.texts, row, self.text_width())
    }
}

fn row_of<T>(values: &[T], row: usize, width: usize) -> &[T] {
    let start = row.saturating_mul(width);
    values
        .get(start..start.saturating_add(width))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_must_fill_the_rows() {
        assert!(Rows::new(2, vec![1.0; 3], Vec::new()).is_err());
        assert!(Rows::new(2, vec![1.0; 4], vec![None; 3]).is_err());
        assert!(Rows::new(0, vec![1.0], Vec::new()).is_err());
        assert!(Rows::new(usize::MAX, Vec::new(), Vec::new()).is_err());
        assert!(Rows::new(0, Vec::new(), Vec::new()).unwrap().is_empty());
    }

    #[test]
    fn a_row_past_the_end_has_no_values() {
        let rows = Rows::new(2, vec![1.0, 2.0, 3.0, 4.0], vec![None, Some("a".into())]).unwrap();
        assert_eq!(rows.numbers_of(1), [3.0, 4.0]);
        assert_eq!(rows.texts_of(1), [Some("a".to_owned())]);
        assert!(rows.numbers_of(2).is_empty() && rows.numbers_of(usize::MAX).is_empty());
    }
}
