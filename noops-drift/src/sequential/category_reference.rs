use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// How often each category of a reference occurs, with the unlisted and the missing ones.
///
/// # Examples
///
/// ```
/// use noops_drift::sequential::CategoryReference;
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let reference = CategoryReference::new(&[700, 250, 50])?.with_missing(12);
/// assert_eq!(reference.rows(), 1_012);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawCategoryReference")]
pub struct CategoryReference {
    counts: Vec<u64>,
    unlisted: u64,
    missing: u64,
}

impl CategoryReference {
    /// Takes the rows of each listed category.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for more than 4,096 categories, or for counts that add up to more than can be counted.
    pub fn new(counts: &[u64]) -> Result<Self, DriftError> {
        let invalid = |reason: &str| DriftError::InvalidInput {
            input: "counts",
            reason: reason.to_owned(),
        };
        if counts.len() > MOST_CATEGORIES {
            return Err(invalid(
                "has more than 4096 categories; leave the rare ones unlisted",
            ));
        }
        let sum = counts
            .iter()
            .try_fold(0_u64, |sum, count| sum.checked_add(*count));
        if sum.is_none() {
            return Err(invalid(
                "add up to more than can be counted; pass the counts of one reference",
            ));
        }
        Ok(Self {
            counts: counts.to_vec(),
            unlisted: 0,
            missing: 0,
        })
    }

    /// Sets how many reference rows had a category that is not listed.
    #[must_use]
    pub fn with_unlisted(mut self, unlisted: u64) -> Self {
        let others = self.rows().saturating_sub(self.unlisted);
        self.unlisted = unlisted.min(u64::MAX - others);
        self
    }

    /// Sets how many reference rows had no value.
    #[must_use]
    pub fn with_missing(mut self, missing: u64) -> Self {
        let others = self.rows().saturating_sub(self.missing);
        self.missing = missing.min(u64::MAX - others);
        self
    }

    /// The rows of each listed category.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The rows of categories that are not listed.
    #[must_use]
    pub fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// The rows without a value.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// All rows of the reference.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.cells().fold(0, u64::saturating_add)
    }

    /// The listed categories, then the unlisted ones, then the missing ones.
    pub(super) fn cells(&self) -> impl Iterator<Item = u64> + '_ {
        self.counts
            .iter()
            .copied()
            .chain([self.unlisted, self.missing])
    }
}

#[derive(Deserialize)]
struct RawCategoryReference {
    counts: Vec<u64>,
    unlisted: u64,
    missing: u64,
}

impl TryFrom<RawCategoryReference> for CategoryReference {
    type Error = DriftError;

    fn try_from(raw: RawCategoryReference) -> Result<Self, DriftError> {
        let invalid = |reason: String| DriftError::InvalidState {
            state: "category reference",
            reason,
        };
        let reference = Self::new(&raw.counts)
            .map_err(|error| invalid(error.to_string()))?
            .with_unlisted(raw.unlisted)
            .with_missing(raw.missing);
        if reference.unlisted == raw.unlisted && reference.missing == raw.missing {
            Ok(reference)
        } else {
            Err(invalid(
                "there are more rows than can be counted".to_owned(),
            ))
        }
    }
}

const MOST_CATEGORIES: usize = 4_096;
