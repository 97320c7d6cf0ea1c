//! What came of checking rows against a contract.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::batch::Batch;

/// Checked rows: those that may be predicted, and what was wrong with the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    pub(crate) batch: Batch,
    pub(crate) accepted: Vec<usize>,
    pub(crate) violations: Vec<Violation>,
    pub(crate) names: Vec<String>,
}

impl Encoded {
    /// The accepted rows.
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Takes the accepted rows out.
    #[must_use]
    pub fn into_batch(self) -> Batch {
        self.batch
    }

    /// For each row of the batch, the row of the request it came from.
    #[must_use]
    pub fn accepted(&self) -> &[usize] {
        &self.accepted
    }

    /// Every broken rule, repaired or not, by row and feature.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The broken rules of one row of the request, by feature.
    ///
    /// # Complexity
    ///
    /// O(log v) for v violations.
    #[must_use]
    pub fn violations_of(&self, row: usize) -> &[Violation] {
        let first = self
            .violations
            .partition_point(|violation| violation.row < row);
        let end = self
            .violations
            .partition_point(|violation| violation.row <= row);
        self.violations.get(first..end).unwrap_or_default()
    }

    /// Why a row of the request was refused, if it was.
    #[must_use]
    pub fn rejection(&self, row: usize) -> Option<Rejection> {
        let violation = self
            .violations_of(row)
            .iter()
            .find(|violation| violation.rejected)?;
        let feature = self.names.get(violation.feature)?.clone();
        Some(Rejection {
            feature,
            breach: violation.breach,
        })
    }
}

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    feature: String,
    breach: Breach,
}

impl Rejection {
    /// The feature whose rule was broken first.
    #[must_use]
    pub fn feature(&self) -> &str {
        &self.feature
    }

    /// The rule.
    #[must_use]
    pub fn breach(&self) -> Breach {
        self.breach
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.breach {
            Breach::Missing => "is missing",
            Breach::Outside => "is outside its contract",
        };
        write!(f, "`{}` {what}", self.feature)
    }
}

impl std::error::Error for Rejection {}

/// Which rule a value broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Breach {
    /// Null, NaN or infinite.
    Missing,
    /// Out of range, or an unknown category.
    Outside,
}

/// A value that broke a rule, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    pub(crate) row: usize,
    pub(crate) feature: usize,
    pub(crate) breach: Breach,
    pub(crate) rejected: bool,
}

impl Violation {
    /// The row of the request.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }

    /// The index of the feature in the contract.
    #[must_use]
    pub fn feature(&self) -> usize {
        self.feature
    }

    /// The rule.
    #[must_use]
    pub fn breach(&self) -> Breach {
        self.breach
    }

    /// Whether the row was refused; otherwise the value was repaired.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        self.rejected
    }
}
