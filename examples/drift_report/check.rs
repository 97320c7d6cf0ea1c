//! The current file against written rules.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use noops_core::Timestamp;
use noops_drift::GateVerdict;
use noops_drift::expectation::{Expectations, RuleKind, RuleOutcome};
use serde::Serialize;

use crate::failure::{Failure, fail};
use crate::read::Table;

/// The rules that the current file breaks.
#[derive(Debug)]
pub(crate) struct Checked {
    violations: Vec<Violation>,
}

impl Checked {
    /// Reads the rules, and the whole file, whose rows may have to be compared with each other.
    pub(crate) fn of(table: &Table, rules: &Path, now: Timestamp) -> Result<Self, Failure> {
        let shown = rules.display();
        let mut yaml = String::new();
        File::open(rules)
            .and_then(|file| file.take(MOST_YAML).read_to_string(&mut yaml))
            .map_err(|error| fail(format!("cannot read `{shown}`: {error}")))?;
        let expectations = Expectations::from_yaml(&yaml)
            .map_err(|error| fail(format!("cannot use `{shown}`: {error}")))?;
        let places: Vec<usize> = (0..table.schema().fields().len()).collect();
        let batches = table
            .batches(&places)?
            .collect::<Result<Vec<RecordBatch>, Failure>>()?;
        // A reader may rename what is inside a list; all its batches agree on it.
        let schema = batches
            .first()
            .map_or_else(|| table.schema().clone(), RecordBatch::schema);
        let rows = concat_batches(&schema, &batches)
            .map_err(|error| fail(format!("cannot read `{}`: {error}", table.path().display())))?;
        let report = expectations
            .check(&rows, Some(now))
            .map_err(|error| fail(format!("cannot use `{shown}`: {error}")))?;
        let outcomes = report
            .columns()
            .iter()
            .flat_map(|column| column.rules())
            .chain(report.frame());
        Ok(Self {
            violations: outcomes
                .filter(|outcome| outcome.verdict() == GateVerdict::Fail)
                .map(Violation::of)
                .collect(),
        })
    }

    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    pub(crate) fn is_violated(&self) -> bool {
        !self.violations.is_empty()
    }
}

/// A rule that does not hold.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Violation {
    rule: RuleKind,
    columns: Vec<String>,
    expected: String,
    found: String,
    failing_rows: u64,
    /// The first of them, from 0.
    rows: Vec<u64>,
}

impl Violation {
    fn of(outcome: &RuleOutcome) -> Self {
        Self {
            rule: outcome.rule(),
            columns: outcome.columns().to_vec(),
            expected: outcome.limit().to_owned(),
            found: outcome.observed().to_string(),
            failing_rows: outcome.failing(),
            rows: outcome.rows().iter().map(|failing| failing.row()).collect(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.columns.is_empty() {
            write!(f, "`{}`: ", self.columns.join("`, `"))?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)?;
        if let (Some(first), true) = (self.rows.first(), self.failing_rows > 0) {
            write!(f, " (the first in row {first})")?;
        }
        Ok(())
    }
}

/// One byte more than rules may have, so that more are refused and not cut.
const MOST_YAML: u64 = (1 << 20) + 1;
