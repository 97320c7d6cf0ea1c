use serde::{Deserialize, Serialize};

use crate::error::DriftError;
use crate::performance::check::{contradiction, invalid};

/// How often a row of each class was predicted to be of each class. Integers, so that parts add up to the whole exactly.
///
/// # Examples
///
/// ```
/// use noops_drift::performance::ConfusionCounts;
///
/// let mut counts = ConfusionCounts::new(2)?;
/// counts.observe(1, 0)?;
/// let mut more = ConfusionCounts::new(2)?;
/// more.observe(1, 1)?;
/// counts.merge(&more)?;
/// assert_eq!(counts.predictions(), [0, 2]);
/// assert_eq!(counts.labels(), [1, 1]);
/// # Ok::<(), noops_drift::DriftError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawConfusionCounts")]
pub struct ConfusionCounts {
    classes: usize,
    /// Row by row: predictions down, labels across.
    counts: Vec<u64>,
}

impl ConfusionCounts {
    /// Starts with no rows.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] unless there are 2 to 1,000 classes.
    pub fn new(classes: usize) -> Result<Self, DriftError> {
        if !(2..=MOST_CLASSES).contains(&classes) {
            return Err(invalid(
                "classes",
                format!("is `{classes}`; choose 2 to 1000"),
            ));
        }
        Ok(Self {
            classes,
            counts: vec![0; classes * classes],
        })
    }

    /// Takes counts row by row: one row for each predicted class, in it one count for each true class.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`DriftError::InvalidInput`] when there is not one count for each pair of classes.
    pub fn from_counts(classes: usize, counts: &[u64]) -> Result<Self, DriftError> {
        let mut made = Self::new(classes)?;
        if counts.len() != made.counts.len() {
            return Err(invalid(
                "counts",
                format!(
                    "has `{}` values for `{classes}` classes; pass one per pair",
                    counts.len()
                ),
            ));
        }
        made.counts.copy_from_slice(counts);
        Ok(made)
    }

    /// Counts a row.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when one of the two is not the index of a class.
    pub fn observe(&mut self, predicted: usize, label: usize) -> Result<(), DriftError> {
        for (input, class) in [("predicted", predicted), ("label", label)] {
            if class >= self.classes {
                return Err(invalid(
                    input,
                    format!(
                        "is `{class}` where there are `{}` classes; count from 0",
                        self.classes
                    ),
                ));
            }
        }
        if let Some(count) = self.counts.get_mut(predicted * self.classes + label) {
            *count = count.saturating_add(1);
        }
        Ok(())
    }

    /// Adds the rows of another count.
    ///
    /// # Errors
    ///
    /// [`DriftError::UnequalCells`] when the number of classes differs.
    pub fn merge(&mut self, other: &Self) -> Result<(), DriftError> {
        if self.classes != other.classes {
            return Err(DriftError::UnequalCells {
                reference: self.classes,
                current: other.classes,
            });
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        Ok(())
    }

    /// How many classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How often each class was predicted.
    #[must_use]
    pub fn predictions(&self) -> Vec<u64> {
        let rows = self.counts.chunks(self.classes);
        rows.map(|row| {
            row.iter()
                .fold(0, |sum: u64, count| sum.saturating_add(*count))
        })
        .collect()
    }

    /// How often each class was true.
    #[must_use]
    pub fn labels(&self) -> Vec<u64> {
        let mut labels = vec![0_u64; self.classes];
        for row in self.counts.chunks(self.classes) {
            for (label, count) in labels.iter_mut().zip(row) {
                *label = label.saturating_add(*count);
            }
        }
        labels
    }

    /// For each label, the shares of the predictions.
    pub(super) fn shares_by_label(&self) -> Vec<Vec<f64>> {
        let labels = self.labels();
        let column = |(label, total): (usize, &u64)| -> Vec<f64> {
            let cells = self.counts.iter().skip(label).step_by(self.classes);
            cells
                .map(|count| *count as f64 / (*total).max(1) as f64)
                .collect()
        };
        labels.iter().enumerate().map(column).collect()
    }
}

#[derive(Deserialize)]
struct RawConfusionCounts {
    classes: usize,
    counts: Vec<u64>,
}

impl TryFrom<RawConfusionCounts> for ConfusionCounts {
    type Error = DriftError;

    fn try_from(raw: RawConfusionCounts) -> Result<Self, DriftError> {
        Self::from_counts(raw.classes, &raw.counts)
            .map_err(|error| contradiction("confusion counts", error.to_string()))
    }
}

const MOST_CLASSES: usize = 1_000;
