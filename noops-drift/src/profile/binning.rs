use serde::{Deserialize, Serialize};

use crate::frame::{CATEGORY, NUMBER};

/// The cells a column is counted in, fixed on the reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Binning {
    /// Cells of a number.
    Number {
        /// Upper bounds of all bins but the last, ascending. A bin holds its upper bound; the first and the last bin are
        /// open to the infinities.
        edges: Vec<f64>,
        /// Where the finite numbers of the reference lie; nothing when it had none.
        range: Option<ValueRange>,
    },
    /// Cells of a text.
    Category {
        /// The listed categories, sorted; each is a cell.
        categories: Vec<String>,
    },
}

impl Binning {
    /// How many bins there are.
    pub fn bins(&self) -> usize {
        match self {
            Self::Number { edges, .. } => edges.len() + 1,
            Self::Category { categories } => categories.len(),
        }
    }

    /// The range of the reference, for a number that had finite values.
    pub fn range(&self) -> Option<ValueRange> {
        match self {
            Self::Number { range, .. } => *range,
            Self::Category { .. } => None,
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Number { .. } => NUMBER,
            Self::Category { .. } => CATEGORY,
        }
    }

    pub(crate) fn bin_of_number(&self, value: f64) -> usize {
        match self {
            Self::Number { edges, .. } => edges.partition_point(|edge| *edge < value),
            Self::Category { categories } => categories.len(),
        }
    }

    pub(crate) fn bin_of_category(&self, value: &str) -> Option<usize> {
        match self {
            Self::Number { .. } => None,
            Self::Category { categories } => categories
                .binary_search_by(|category| category.as_str().cmp(value))
                .ok(),
        }
    }

    /// The first contradiction in stored cells.
    pub(crate) fn contradiction(&self) -> Option<&'static str> {
        match self {
            Self::Number { edges, range } => {
                let ascending = edges
                    .iter()
                    .zip(edges.iter().skip(1))
                    .all(|(low, high)| low < high);
                if !ascending || edges.iter().any(|edge| !edge.is_finite()) {
                    return Some("the edges are not finite and ascending");
                }
                match range {
                    Some(range) if !range.is_valid() => {
                        Some("the range is not finite and ascending")
                    }
                    _ => None,
                }
            }
            Self::Category { categories } => {
                let ascending = categories
                    .iter()
                    .zip(categories.iter().skip(1))
                    .all(|(low, high)| low < high);
                if ascending {
                    None
                } else {
                    Some("the categories are not sorted and distinct")
                }
            }
        }
    }
}

/// The smallest and the largest finite number of a reference column.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueRange {
    min: f64,
    max: f64,
}

impl ValueRange {
    pub(super) fn of(min: Option<f64>, max: Option<f64>) -> Option<Self> {
        match (min, max) {
            (Some(min), Some(max)) => Some(Self { min, max }),
            _ => None,
        }
    }

    /// The smallest number.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// The largest number.
    pub fn max(&self) -> f64 {
        self.max
    }

    fn is_valid(&self) -> bool {
        self.min.is_finite() && self.max.is_finite() && self.min <= self.max
    }
}
