use std::fmt;

use arrow_array::BooleanArray;
use serde::{Deserialize, Serialize};

use super::label_rate::PartitionRate;
use crate::gate::GateVerdict;

/// A kind of rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RuleKind {
    /// The column is there, once.
    Presence,
    /// The column has an expected type.
    DataType,
    /// Not too many rows are null.
    NullRate,
    /// Not too many rows are NaN.
    NanRate,
    /// Numbers are in a range.
    Range,
    /// Values are in a domain.
    Allowed,
    /// Values are not on a list.
    Disallowed,
    /// No value occurs twice.
    Uniqueness,
    /// Texts are neither too short nor too long.
    Length,
    /// The newest time is not too old.
    Freshness,
    /// No time is in the future.
    Future,
    /// Values follow an order.
    Order,
    /// The batch has neither too few nor too many rows.
    RowCount,
    /// The batch has no column that is not expected.
    UnknownColumns,
    /// One column is at most another.
    AtMost,
    /// Two columns are equal.
    Equal,
    /// One column is null where another is.
    NullTogether,
    /// Columns add up to another.
    Sum,
    /// The rate of a label is usual in every partition.
    LabelRate,
}

/// What a rule saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Observation {
    /// A number of rows.
    Rows(u64),
    /// A share of the rows.
    Rate(f64),
    /// An age in seconds, negative for a time in the future.
    Seconds(f64),
    /// What was found, such as a type or the names of columns.
    Text(String),
    /// There was nothing to look at.
    Nothing,
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows} rows"),
            Self::Rate(rate) => write!(f, "{:.2} %", 100.0 * rate),
            Self::Seconds(seconds) => write!(f, "{seconds} seconds"),
            Self::Text(text) => f.write_str(text),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

/// A row that broke a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingRow {
    row: u64,
    values: Vec<String>,
}

impl FailingRow {
    pub(super) fn new(row: usize, values: Vec<String>) -> Self {
        Self {
            row: row as u64,
            values,
        }
    }

    /// Its place in the batch, from 0.
    #[must_use]
    pub fn row(&self) -> u64 {
        self.row
    }

    /// Its values in the columns of the rule, as text; empty when samples are hidden. They can be personal data.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.values
    }
}

/// What one rule said of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleOutcome {
    pub(super) rule: RuleKind,
    pub(super) columns: Vec<String>,
    pub(super) verdict: GateVerdict,
    pub(super) observed: Observation,
    pub(super) limit: String,
    pub(super) failing: u64,
    pub(super) rows: Vec<FailingRow>,
    pub(super) partitions: Vec<PartitionRate>,
}

impl RuleOutcome {
    /// The kind of rule.
    #[must_use]
    pub fn rule(&self) -> RuleKind {
        self.rule
    }

    /// The columns it is about.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether it holds; undecided when there was nothing to judge.
    #[must_use]
    pub fn verdict(&self) -> GateVerdict {
        self.verdict
    }

    /// What it saw. For a rule about rows, how many broke it.
    #[must_use]
    pub fn observed(&self) -> &Observation {
        &self.observed
    }

    /// What it allows, in words.
    #[must_use]
    pub fn limit(&self) -> &str {
        &self.limit
    }

    /// How many rows broke it; 0 for a rule that blames no rows.
    #[must_use]
    pub fn failing(&self) -> u64 {
        self.failing
    }

    /// The first of those rows.
    #[must_use]
    pub fn rows(&self) -> &[FailingRow] {
        &self.rows
    }

    /// The partitions of a label rate, those that failed first; empty for other rules.
    #[must_use]
    pub fn partitions(&self) -> &[PartitionRate] {
        &self.partitions
    }
}

impl fmt::Display for RuleOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns.join("`, `");
        let verdict = match self.verdict {
            GateVerdict::Pass => "passes",
            GateVerdict::Fail => "fails",
            GateVerdict::Undecided => "is undecided",
        };
        write!(
            f,
            "`{columns}` {verdict}: expected {}, found {}",
            self.limit, self.observed
        )
    }
}

/// What the rules of one column said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnOutcome {
    column: String,
    verdict: GateVerdict,
    rules: Vec<RuleOutcome>,
}

impl ColumnOutcome {
    pub(super) fn new(column: &str, rules: Vec<RuleOutcome>) -> Self {
        Self {
            column: column.to_owned(),
            verdict: worst(rules.iter().map(RuleOutcome::verdict)),
            rules,
        }
    }

    /// The column.
    #[must_use]
    pub fn column(&self) -> &str {
        &self.column
    }

    /// `Fail` if any rule failed, else `Undecided` if any is, else `Pass`.
    #[must_use]
    pub fn verdict(&self) -> GateVerdict {
        self.verdict
    }

    /// Its rules; those of an absent column beyond its presence are not judged.
    #[must_use]
    pub fn rules(&self) -> &[RuleOutcome] {
        &self.rules
    }

    /// The outcome of the first rule of this kind.
    #[must_use]
    pub fn rule(&self, rule: RuleKind) -> Option<&RuleOutcome> {
        self.rules.iter().find(|outcome| outcome.rule == rule)
    }
}

/// What [`Expectations`](crate::expectation::Expectations) said of a batch, with the rows to put into quarantine.
///
/// It is serialised without the mask, which belongs beside the batch.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
pub struct ExpectationReport {
    verdict: GateVerdict,
    rows: u64,
    accepted: u64,
    quarantined: u64,
    columns: Vec<ColumnOutcome>,
    frame: Vec<RuleOutcome>,
    #[serde(skip)]
    quarantine: BooleanArray,
}

impl ExpectationReport {
    pub(super) fn new(
        columns: Vec<ColumnOutcome>,
        frame: Vec<RuleOutcome>,
        quarantine: BooleanArray,
    ) -> Self {
        let rows = quarantine.values().len() as u64;
        let quarantined = quarantine.values().count_set_bits() as u64;
        Self {
            verdict: worst(
                columns
                    .iter()
                    .map(ColumnOutcome::verdict)
                    .chain(frame.iter().map(RuleOutcome::verdict)),
            ),
            rows,
            accepted: rows.saturating_sub(quarantined),
            quarantined,
            columns,
            frame,
            quarantine,
        }
    }

    /// `Fail` if any rule failed, else `Undecided` if any is, else `Pass`.
    pub fn verdict(&self) -> GateVerdict {
        self.verdict
    }

    /// Rows of the batch.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows that no rule blames.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Rows that a rule blames.
    pub fn quarantined(&self) -> u64 {
        self.quarantined
    }

    /// The columns, in the order of the expectations.
    pub fn columns(&self) -> &[ColumnOutcome] {
        &self.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&ColumnOutcome> {
        self.columns.iter().find(|column| column.column == name)
    }

    /// The rules of the frame.
    pub fn frame(&self) -> &[RuleOutcome] {
        &self.frame
    }

    /// One value per row of the batch, without nulls: true for the rows to put into quarantine.
    pub fn quarantine(&self) -> &BooleanArray {
        &self.quarantine
    }
}

fn worst(verdicts: impl Iterator<Item = GateVerdict>) -> GateVerdict {
    let mut worst = GateVerdict::Pass;
    for verdict in verdicts {
        match verdict {
            GateVerdict::Fail => return GateVerdict::Fail,
            GateVerdict::Undecided => worst = GateVerdict::Undecided,
            GateVerdict::Pass => {}
        }
    }
    worst
}
