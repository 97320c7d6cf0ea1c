//! What came of checking rows against a contract.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::batch::Batch;

/// Checked rows: those that may be predicted, and what was wrong with the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    pub(crate) batch: Batch,
    pub(crate) accepted: Vec<usize>,
    pub(crate) violations: Vec<Violation>,
    pub(crate) names: Arc<[String]>,
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
            .find(|violation| violation.is_rejection())?;
        let feature = self.names.get(violation.feature)?.clone();
        Some(Rejection {
            feature,
            breach: violation.breach,
        })
    }
}

impl Encoded {
    /// Whether a row of the request is for the fallback of its deployment: a rule says so, and none refuses it.
    #[must_use]
    pub fn falls_back(&self, row: usize) -> bool {
        let violations = self.violations_of(row);
        violations.iter().any(Violation::falls_back)
            && !violations.iter().any(Violation::is_rejection)
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
    pub(crate) handling: Handling,
}

/// What came of a row that broke a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handling {
    /// The row was refused.
    Rejected,
    /// The row went to the fallback of its deployment.
    FellBack,
    /// The model was shown another value.
    Repaired,
    /// The model was shown the value.
    Allowed,
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

    /// What came of it.
    #[must_use]
    pub fn handling(&self) -> Handling {
        self.handling
    }

    /// Whether the row was refused.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        self.handling == Handling::Rejected
    }

    /// Whether the model was shown another value.
    #[must_use]
    pub fn is_repair(&self) -> bool {
        self.handling == Handling::Repaired
    }

    /// Whether the row was for the fallback of its deployment.
    #[must_use]
    pub fn falls_back(&self) -> bool {
        self.handling == Handling::FellBack
    }
}
