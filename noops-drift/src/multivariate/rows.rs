use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::random::Random;
use crate::error::DriftError;

/// Complete, standardised rows, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRows")]
pub(super) struct Rows {
    width: usize,
    values: Vec<f64>,
}

impl Rows {
    /// `values` holds whole rows of finite numbers.
    pub(super) fn new(width: usize, values: Vec<f64>) -> Self {
        Self { width, values }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    pub(super) fn iter(&self) -> std::slice::ChunksExact<'_, f64> {
        // A width of 0 has no values either.
        self.values.chunks_exact(self.width.max(1))
    }

    /// A uniform sample of at most `most` rows, in their order.
    pub(super) fn sample(&self, most: usize, random: &mut Random) -> Self {
        if self.len() <= most {
            return self.clone();
        }
        let mut values = Vec::with_capacity(most.saturating_mul(self.width));
        for index in random.choose(self.len(), most) {
            if let Some(row) = self.iter().nth(index) {
                values.extend_from_slice(row);
            }
        }
        Self {
            width: self.width,
            values,
        }
    }

    /// The same rows in an order that does not depend on the one they had.
    pub(super) fn sorted(&self) -> Self {
        let mut rows: Vec<&[f64]> = self.iter().collect();
        rows.sort_by(|one, other| {
            let mut pairs = one.iter().zip(*other).map(|(a, b)| a.total_cmp(b));
            pairs.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        Self {
            width: self.width,
            values: rows.concat(),
        }
    }
}

impl TryFrom<RawRows> for Rows {
    type Error = DriftError;

    fn try_from(raw: RawRows) -> Result<Self, DriftError> {
        // No width has room for no value.
        let whole = raw.values.len().is_multiple_of(raw.width);
        if !whole {
            return Err(invalid("its rows are not whole"));
        }
        if raw
            .values
            .iter()
            .any(|value| value.is_nan() || value.abs() > MOST)
        {
            return Err(invalid("its rows hold what is no standardised number"));
        }
        Ok(Self {
            width: raw.width,
            values: raw.values,
        })
    }
}

pub(super) fn invalid(reason: &str) -> DriftError {
    DriftError::InvalidState {
        state: "multivariate reference",
        reason: reason.to_owned(),
    }
}

/// Standardised values are cut off here, so that no sum of their squares overflows.
pub(super) const MOST: f64 = 1e9;

#[derive(Deserialize)]
struct RawRows {
    width: usize,
    values: Vec<f64>,
}
