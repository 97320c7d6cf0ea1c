use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Rule {
    /// The share of rows that are null.
    Missing,
    /// The share of rows that are NaN or infinite.
    NotFinite,
    /// The share of usable values that are categories the profile does not list.
    Unseen,
    /// The share of usable values outside the range of the reference.
    OutOfRange,
    /// The population stability index of the usable values.
    Distribution,
}

/// A limit that a batch has proved to exceed. Displays as a sentence for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    column: String,
    rule: Rule,
    observed: f64,
    limit: f64,
    rows: u64,
    p_value: f64,
}

impl Violation {
    pub(super) fn new(
        column: &str,
        rule: Rule,
        observed: f64,
        limit: f64,
        rows: u64,
        p_value: f64,
    ) -> Self {
        Self {
            column: column.to_owned(),
            rule,
            observed,
            limit,
            rows,
            p_value,
        }
    }

    /// The column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The limit's kind.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The observed share, or PSI.
    pub fn observed(&self) -> f64 {
        self.observed
    }

    /// The share, or PSI, that is allowed.
    pub fn limit(&self) -> f64 {
        self.limit
    }

    /// The rows the share is of.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How often a batch at the limit looks at least this bad.
    pub fn p_value(&self) -> f64 {
        self.p_value
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            column,
            observed,
            limit,
            rows,
            ..
        } = self;
        let complaint = match self.rule {
            Rule::Missing => "is missing in",
            Rule::NotFinite => "is not finite in",
            Rule::Unseen => "has unseen categories in",
            Rule::OutOfRange => "is outside the range of the reference in",
            Rule::Distribution => {
                return write!(
                    f,
                    "`{column}` has a population stability index of {observed:.2} over {rows} rows; at most {limit:.2} is allowed"
                );
            }
        };
        let (observed, limit) = (100.0 * observed, 100.0 * limit);
        write!(
            f,
            "`{column}` {complaint} {observed:.1} % of {rows} rows; at most {limit:.1} % is allowed"
        )
    }
}
