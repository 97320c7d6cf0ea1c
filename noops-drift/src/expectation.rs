//! What a batch must look like: rules that are checked row by row, and the rows that break them.
//!
//! [`Expectations`] stands beside [`QualityGate`](crate::QualityGate), and the two answer different questions. The gate
//! knows only *counts* over a profile and judges them statistically: its limits are rates of the source, noise of the batch
//! is forgiven, and its false alarms are bounded by one alpha. Expectations are rules about *values*: a rule holds or it
//! does not, nothing is forgiven, and the answer names the rows, so that they can be put into quarantine. The only rule
//! with an error rate is [`LabelRate`]. Use expectations to keep broken rows out, and the gate to tell that a source changed.

mod cells;
mod column;
mod column_check;
mod column_type;
mod frame;
mod frame_check;
mod inference;
mod label_rate;
mod mask;
#[cfg(feature = "yaml")]
mod reader;
mod report;
mod row_check;
mod rules;
#[cfg(test)]
mod tests;
mod uniqueness;

use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::column::{ColumnExpectation, Presence};
pub use self::column_type::{ColumnType, TypeKind};
pub use self::frame::{CrossRule, FrameExpectation, UnknownColumns};
pub use self::inference::InferenceSettings;
pub use self::label_rate::{LabelRate, PartitionRate};
pub use self::report::{
    ColumnOutcome, ExpectationReport, FailingRow, Observation, RuleKind, RuleOutcome,
};
pub use self::rules::{Domain, Freshness, Length, Order, Range, Samples, Uniqueness};
use crate::error::DriftError;
use crate::profile::Profile;

/// What every batch of a table must look like.
///
/// They are written by hand (as JSON through `serde`, or as YAML with the feature `yaml`) or
/// [inferred](Self::infer) from a profile, and then adjusted.
///
/// # What the rules make of nulls and NaN
///
/// A null passes every rule about values; how many there may be is the rule `max_null_rate`. A NaN is outside every range
/// and in no domain, unless the column has a `max_nan_rate`: then that rule alone judges NaN. All other rules skip NaN.
///
/// # Which rows are put into quarantine
///
/// Those that break a rule about rows: range, domain, disallowed values, length, uniqueness (every row but the first of a
/// value), order, a time in the future, a cross-column rule, and a null or NaN where the limit of their rate is 0. Other
/// rules (type, presence, a rate above 0, freshness, row counts, label rates) can fail without saying which rows are to
/// blame: the verdict is `Fail`, and no row is put into quarantine for them.
///
/// # Numerical notes
///
/// Ranges compare 64-bit integers exactly. Domains take 64-bit integers as the nearest double, so near 2^53 and beyond
/// neighbours are not told apart. Dates, times, durations and timestamps are counts of their unit, booleans are 0 and 1.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{ArrayRef, Float64Array, RecordBatch};
/// use noops_drift::GateVerdict;
/// use noops_drift::expectation::{ColumnExpectation, Expectations, Range};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let expectations = Expectations::new(vec![
///     ColumnExpectation::new("age").with_range(Range::new(0.0, 130.0)?),
/// ])?;
/// let age: ArrayRef = Arc::new(Float64Array::from(vec![Some(31.0), Some(-4.0), None]));
/// let batch = RecordBatch::try_from_iter([("age", age)])?;
///
/// let report = expectations.check(&batch, None)?;
/// assert_eq!(report.verdict(), GateVerdict::Fail);
/// assert_eq!(report.quarantined(), 1);
/// assert!(report.quarantine().value(1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawExpectations")]
pub struct Expectations {
    version: u32,
    columns: Vec<ColumnExpectation>,
    frame: FrameExpectation,
    listed_rows: usize,
    samples: Samples,
}

impl Expectations {
    /// Expects these columns, in any order, and nothing of the frame as a whole.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when a column is named twice or a rule of a column contradicts itself.
    pub fn new(columns: Vec<ColumnExpectation>) -> Result<Self, DriftError> {
        Self {
            version: VERSION,
            columns,
            frame: FrameExpectation::default(),
            listed_rows: LISTED_ROWS,
            samples: Samples::default(),
        }
        .validated()
    }

    /// Reads expectations from YAML of at most 1 MiB.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] naming the line and the field that cannot be read.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_drift::expectation::Expectations;
    ///
    /// let expectations = Expectations::from_yaml(
    ///     "
    /// version: 1
    /// columns:
    ///   - name: country
    ///     types: [text]
    ///     max_null_rate: 0.01
    ///     allowed: {texts: [AT, DE, CH]}
    /// frame:
    ///   min_rows: 100
    /// ",
    /// )?;
    /// assert_eq!(expectations.columns().len(), 1);
    /// # Ok::<(), noops_drift::DriftError>(())
    /// ```
    #[cfg(feature = "yaml")]
    pub fn from_yaml(yaml: &str) -> Result<Self, DriftError> {
        self::reader::read_yaml(yaml)
    }

    /// Infers what a profile's reference suggests: types, presence, rates, ranges and domains.
    ///
    /// See [`InferenceSettings`] for the rules. The result is a proposal to read and adjust: a reference cannot tell
    /// which values are impossible, only which it did not have.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] for a widening that is not a number from 0 to 1000 or a batch without rows.
    pub fn infer(profile: &Profile, settings: &InferenceSettings) -> Result<Self, DriftError> {
        let columns = self::inference::infer(profile, settings)?;
        Ok(Self::new(columns)?.with_frame_unchecked(
            FrameExpectation::default().with_unknown_columns(settings.unknown_columns()),
        ))
    }

    /// Sets what is expected of the frame as a whole.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when a rule of the frame contradicts itself.
    pub fn with_frame(self, frame: FrameExpectation) -> Result<Self, DriftError> {
        self.with_frame_unchecked(frame).validated()
    }

    /// Sets how many failing rows of a rule are listed; 20 unless set.
    #[must_use]
    pub fn with_listed_rows(mut self, listed_rows: usize) -> Self {
        self.listed_rows = listed_rows;
        self
    }

    /// Sets whether listed rows come with their values; they do unless set.
    #[must_use]
    pub fn with_samples(mut self, samples: Samples) -> Self {
        self.samples = samples;
        self
    }

    /// The version of the form these are written in.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What is expected of each column.
    #[must_use]
    pub fn columns(&self) -> &[ColumnExpectation] {
        &self.columns
    }

    /// What is expected of the column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnExpectation> {
        self.columns.iter().find(|column| column.name() == name)
    }

    /// What is expected of the frame as a whole.
    #[must_use]
    pub fn frame(&self) -> &FrameExpectation {
        &self.frame
    }

    /// How many failing rows of a rule are listed.
    #[must_use]
    pub fn listed_rows(&self) -> usize {
        self.listed_rows
    }

    /// Whether listed rows come with their values.
    #[must_use]
    pub fn samples(&self) -> Samples {
        self.samples
    }

    /// Checks a batch. Nothing about the data is an error: a missing or doubled column, or one of another type, is a rule
    /// that failed.
    ///
    /// A rule that finds nothing to judge (no row, or only nulls) is `Undecided`. A rule that the type of its column has
    /// no meaning for, such as a range over text, has failed, without a row.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] without `now` where a column has a freshness rule.
    ///
    /// # Complexity
    ///
    /// One pass over the column per rule; sorting the values, O(n log n), for uniqueness; one bit per row of memory per
    /// rule, and 16 bytes per row for uniqueness of numbers.
    pub fn check(
        &self,
        batch: &RecordBatch,
        now: Option<Timestamp>,
    ) -> Result<ExpectationReport, DriftError> {
        if now.is_none()
            && let Some(column) = self
                .columns
                .iter()
                .find(|column| column.freshness().is_some())
        {
            return Err(DriftError::InvalidInput {
                input: "now",
                reason: format!(
                    "is missing and column `{}` has a freshness rule; pass the time of the check",
                    column.name()
                ),
            });
        }
        Ok(self::frame_check::check(self, batch, now))
    }

    fn with_frame_unchecked(mut self, frame: FrameExpectation) -> Self {
        self.frame = frame;
        self
    }

    fn validated(self) -> Result<Self, DriftError> {
        if self.version != VERSION {
            return Err(invalid(format!(
                "have `version` `{}`; write them for version `{VERSION}`",
                self.version
            )));
        }
        let mut names = BTreeSet::new();
        for column in &self.columns {
            if !names.insert(column.name()) {
                return Err(invalid(format!(
                    "name column `{}` twice; join the two entries",
                    column.name()
                )));
            }
            column.validate()?;
        }
        self.frame.validate()?;
        Ok(self)
    }
}

/// What expectations are read from, before they are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExpectations {
    version: u32,
    #[serde(default)]
    columns: Vec<ColumnExpectation>,
    #[serde(default)]
    frame: FrameExpectation,
    #[serde(default = "listed_rows")]
    listed_rows: usize,
    #[serde(default)]
    samples: Samples,
}

impl TryFrom<RawExpectations> for Expectations {
    type Error = DriftError;

    fn try_from(raw: RawExpectations) -> Result<Self, DriftError> {
        Self {
            version: raw.version,
            columns: raw.columns,
            frame: raw.frame,
            listed_rows: raw.listed_rows,
            samples: raw.samples,
        }
        .validated()
    }
}

fn listed_rows() -> usize {
    LISTED_ROWS
}

fn invalid(reason: String) -> DriftError {
    DriftError::InvalidInput {
        input: "expectations",
        reason,
    }
}

const VERSION: u32 = 1;
const LISTED_ROWS: usize = 20;
