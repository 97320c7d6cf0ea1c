use serde::{Deserialize, Serialize};

use super::invalid;
use super::label_rate::LabelRate;
use crate::error::DriftError;

/// What is expected of a batch as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameExpectation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_rows: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_rows: Option<u64>,
    #[serde(default)]
    unknown_columns: UnknownColumns,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rules: Vec<CrossRule>,
}

/// What becomes of columns that no expectation names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownColumns {
    /// They pass.
    #[default]
    Allowed,
    /// They fail.
    Refused,
    /// They fail, but for these.
    RefusedExcept(Vec<String>),
}

/// A rule about several columns. A row with a null or NaN in one of them passes, unless the rule is about nulls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum CrossRule {
    /// In every row, `left` is at most `right`. Both are numbers, or both of one type of time.
    AtMost {
        /// The smaller column.
        left: String,
        /// The larger column.
        right: String,
    },
    /// In every row, `left` is `right`. Both are numbers, both of one type of time, or both texts.
    Equal {
        /// One column.
        left: String,
        /// The other.
        right: String,
    },
    /// Where `when` is null, `then` is null too.
    NullTogether {
        /// The column whose null asks for another.
        when: String,
        /// The column that must be null as well.
        then: String,
    },
    /// In every row the parts add up to the total, within an absolute tolerance.
    Sum {
        /// The columns that are added, in this order.
        parts: Vec<String>,
        /// Their sum.
        total: String,
        /// How far the sum may be from the total.
        #[serde(default)]
        tolerance: f64,
    },
    /// In every partition, the rate of a label is within its usual interval.
    LabelRate(LabelRate),
}

impl FrameExpectation {
    /// Sets the fewest rows a batch may have.
    #[must_use]
    pub fn with_min_rows(mut self, rows: u64) -> Self {
        self.min_rows = Some(rows);
        self
    }

    /// Sets the most rows a batch may have.
    #[must_use]
    pub fn with_max_rows(mut self, rows: u64) -> Self {
        self.max_rows = Some(rows);
        self
    }

    /// Sets what becomes of columns that no expectation names; they pass unless set.
    #[must_use]
    pub fn with_unknown_columns(mut self, unknown: UnknownColumns) -> Self {
        self.unknown_columns = unknown;
        self
    }

    /// Adds a rule about several columns.
    #[must_use]
    pub fn with_rule(mut self, rule: CrossRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// The fewest rows a batch may have.
    #[must_use]
    pub fn min_rows(&self) -> Option<u64> {
        self.min_rows
    }

    /// The most rows a batch may have.
    #[must_use]
    pub fn max_rows(&self) -> Option<u64> {
        self.max_rows
    }

    /// What becomes of columns that no expectation names.
    #[must_use]
    pub fn unknown_columns(&self) -> &UnknownColumns {
        &self.unknown_columns
    }

    /// The rules about several columns.
    #[must_use]
    pub fn rules(&self) -> &[CrossRule] {
        &self.rules
    }

    pub(super) fn validate(&self) -> Result<(), DriftError> {
        if let (Some(min), Some(max)) = (self.min_rows, self.max_rows)
            && min > max
        {
            return Err(invalid(format!(
                "have a `min_rows` of `{min}` above the `max_rows` of `{max}`; exchange them"
            )));
        }
        for rule in &self.rules {
            match rule {
                CrossRule::Sum {
                    parts, tolerance, ..
                } => {
                    if parts.is_empty() {
                        return Err(invalid(
                            "have a `sum` without `parts`; name a column".to_owned(),
                        ));
                    }
                    if !tolerance.is_finite() || *tolerance < 0.0 {
                        return Err(invalid(format!(
                            "have a `sum` with `tolerance` `{tolerance}`; write a number from 0"
                        )));
                    }
                }
                CrossRule::LabelRate(rule) => rule.validate()?,
                CrossRule::AtMost { .. }
                | CrossRule::Equal { .. }
                | CrossRule::NullTogether { .. } => {}
            }
        }
        Ok(())
    }
}
