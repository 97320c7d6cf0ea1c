mod column;
mod evidence;
mod profiled;

use std::collections::BTreeSet;

use fearless_simd::{Level, Simd, dispatch};
use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use self::column::Column;
use super::budget::ErrorBudget;
use super::change_prior::Stake;
use crate::error::DriftError;
use crate::fdr::e_benjamini_hochberg;

pub use self::column::{ColumnReference, Observation};
pub use self::evidence::{ColumnEvidence, MonitorEvidence};

/// Have the inputs of a model drifted? Watches all columns under one error budget, and may be read after every row.
///
/// # Formula
///
/// Every column has a gate, a [`PitBet`](super::PitBet) or a [`CategoryBet`](super::CategoryBet). A quarter of alpha,
/// shared by the columns, is the probability that the reference of any of them is further off than its gate allows for.
/// With α' = ¾ alpha:
///
/// - *Has anything drifted?* The average of the columns' evidence is an e-process under any dependence of the columns.
///   The alarm is raised when it has ever reached 1 / α'.
/// - *Which columns?* The columns that e-BH (Wang and Ramdas, 2022) rejects at α' from the evidence as it is now.
///
/// # Error rate
///
/// Without drift in any column the alarm ever rises with probability at most alpha (Ville's inequality, and Bonferroni for
/// the references). Stop at any time for any reason: of the columns that are listed as drifted then, a share of at most
/// alpha is wrong on average, under any dependence. That is about one time of stopping: the union of the lists of many
/// looks has no such bound, and a column may leave the list again. The largest evidence of a column is no e-value, so it
/// takes no part in the list.
///
/// What "without drift" assumes is said at the gates.
///
/// # Numbered rows
///
/// Rows have an offset, as in a log. A row that was counted before is recognised and left alone, and a gap is an error, so
/// a replay after a crash counts every row exactly once. The stored state goes on exactly where it stopped.
///
/// # Complexity
///
/// The sum of the gates'. Nothing is allocated per row.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::sequential::{ColumnReference, DriftMonitor, Intake, ReferenceCdf};
/// use noops_drift::statistic::SortedSample;
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let numbers: Vec<f64> = (0..5_000).map(f64::from).collect();
/// let cdf = ReferenceCdf::of_sample(&SortedSample::new(&numbers));
/// let columns = ["age", "income"].map(|name| ColumnReference::number(name, cdf.clone()));
/// let mut monitor = DriftMonitor::new(&columns, Alpha::ONE_PERCENT)?;
/// for offset in 0..300 {
///     let like_the_reference = (offset * 3_089 % 5_000) as f64;
///     let upper_half = (2_500 + offset * 1_547 % 2_500) as f64;
///     monitor.observe_numbers(offset, &[like_the_reference, upper_half])?;
/// }
/// assert_eq!(monitor.observe_numbers(7, &[0.0, 0.0])?, Intake::AlreadyCounted);
///
/// let evidence = monitor.evidence();
/// assert!(evidence.alarmed_at().is_some());
/// assert_eq!(evidence.drifted().collect::<Vec<_>>(), ["income"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawMonitor")]
pub struct DriftMonitor {
    alpha: Alpha,
    columns: Vec<Column>,
    next_offset: u64,
    rows: u64,
    max: f64,
    alarmed_at: Option<u64>,
    /// Whether a row of numbers fits, which follows from the columns.
    #[serde(skip)]
    numbers_only: bool,
}

impl DriftMonitor {
    /// Starts without evidence; the first row has the offset 0.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] without a column, and [`DriftError::DuplicateColumn`] for a name that occurs twice.
    pub fn new(columns: &[ColumnReference], alpha: Alpha) -> Result<Self, DriftError> {
        if columns.is_empty() {
            return Err(DriftError::InvalidInput {
                input: "columns",
                reason: "is empty; pass the reference of at least one column".to_owned(),
            });
        }
        let budget = ErrorBudget::shared(alpha, columns.len());
        let columns: Vec<Column> = columns
            .iter()
            .map(|column| Column::new(column, budget))
            .collect();
        if let Some(column) = first_duplicate(&columns) {
            return Err(DriftError::DuplicateColumn { column });
        }
        Ok(Self {
            alpha,
            numbers_only: columns.iter().all(Column::is_number),
            columns,
            next_offset: 0,
            rows: 0,
            max: 1.0,
            alarmed_at: None,
        })
    }

    /// Starts at another offset, when nothing has been counted yet; otherwise nothing changes.
    #[must_use]
    pub fn starting_at(mut self, offset: u64) -> Self {
        if self.rows == 0 {
            self.next_offset = offset;
        }
        self
    }

    /// Counts a row of numbers and categories, in the order of the columns.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when the offset leaves a gap or the row has another length than there are columns, and
    /// [`DriftError::TypeChanged`] for a number in a column of categories and the other way round. The row is then counted
    /// in no column.
    pub fn observe(&mut self, offset: u64, row: &[Observation]) -> Result<Intake, DriftError> {
        if offset < self.next_offset {
            return Ok(Intake::AlreadyCounted);
        }
        self.check(offset, row.len())?;
        self.columns
            .iter()
            .zip(row)
            .try_for_each(|(column, value)| column.check(*value))?;
        let stake = self.begin();
        let columns = self.columns.iter_mut().zip(row);
        let sum = columns
            .map(|(column, value)| column.bet(*value, stake))
            .sum();
        self.finish(offset, sum);
        Ok(Intake::Counted)
    }

    /// Counts a row of numbers, in the order of the columns; NaN is a missing value.
    ///
    /// # Errors
    ///
    /// Those of [`observe`](Self::observe).
    pub fn observe_numbers(&mut self, offset: u64, row: &[f64]) -> Result<Intake, DriftError> {
        if offset < self.next_offset {
            return Ok(Intake::AlreadyCounted);
        }
        self.check(offset, row.len())?;
        if !self.numbers_only {
            self.columns
                .iter()
                .try_for_each(|column| column.check(Observation::Number(0.0)))?;
        }
        let stake = self.begin();
        let sum = dispatch!(Level::new(), simd => simd.vectorize(
            #[inline(always)]
            || bet_on_numbers(simd, &mut self.columns, row, stake)
        ));
        self.finish(offset, sum);
        Ok(Intake::Counted)
    }

    /// What the rows say.
    pub fn evidence(&self) -> MonitorEvidence {
        let columns: Vec<ColumnEvidence> = self.columns.iter().map(Column::evidence).collect();
        let each: Vec<LogE> = columns
            .iter()
            .map(|column| column.evidence().log_e())
            .collect();
        let drifted = e_benjamini_hochberg(&each, self.budget().alarm());
        MonitorEvidence {
            rows: self.rows,
            log_e: LogE::new(self.current().ln()),
            max_log_e: LogE::new(self.max.ln()),
            alarmed_at: self.alarmed_at,
            columns: columns
                .into_iter()
                .zip(drifted)
                .map(|(column, drifted)| column.listed(drifted))
                .collect(),
        }
    }

    /// The error rate of the whole.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The offset of the row that is expected next.
    #[must_use]
    pub fn next_offset(&self) -> u64 {
        self.next_offset
    }

    /// How many rows were counted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Forgets all rows and goes on at the same offset. Every restart has the whole error rate again: restart after an
    /// alarm was dealt with, not at will.
    pub fn reset(&mut self) {
        self.columns.iter_mut().for_each(Column::reset);
        self.rows = 0;
        self.max = 1.0;
        self.alarmed_at = None;
    }

    fn budget(&self) -> ErrorBudget {
        ErrorBudget::shared(self.alpha, self.columns.len())
    }

    /// The average evidence of the columns, to the bit what the last row came to.
    fn current(&self) -> f64 {
        let sum: f64 = self.columns.iter().map(Column::current).sum();
        sum / self.columns.len() as f64
    }

    fn check(&self, offset: u64, values: usize) -> Result<(), DriftError> {
        if offset > self.next_offset || offset == u64::MAX {
            return Err(DriftError::InvalidInput {
                input: "offset",
                reason: format!(
                    "is `{offset}` where `{}` comes next; pass every row once and in order",
                    self.next_offset
                ),
            });
        }
        if values != self.columns.len() {
            return Err(DriftError::InvalidInput {
                input: "row",
                reason: format!(
                    "has `{values}` values for `{}` columns; pass one for each column",
                    self.columns.len()
                ),
            });
        }
        Ok(())
    }

    fn begin(&mut self) -> Stake {
        self.rows = self.rows.saturating_add(1);
        Stake::at(self.rows)
    }

    fn finish(&mut self, offset: u64, sum: f64) {
        let evidence = sum / self.columns.len() as f64;
        // What raises the alarm first is larger than everything before it.
        if evidence > self.max {
            self.max = evidence;
            if self.alarmed_at.is_none() && evidence >= self.budget().needed() {
                self.alarmed_at = Some(offset);
            }
        }
        self.next_offset = offset.saturating_add(1);
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intake {
    /// It was counted.
    Counted,
    /// A row with this offset was counted before, so nothing changed.
    AlreadyCounted,
}

#[derive(Deserialize)]
struct RawMonitor {
    alpha: Alpha,
    columns: Vec<Column>,
    next_offset: u64,
    rows: u64,
    max: f64,
    alarmed_at: Option<u64>,
}

impl TryFrom<RawMonitor> for DriftMonitor {
    type Error = DriftError;

    fn try_from(raw: RawMonitor) -> Result<Self, DriftError> {
        let invalid = |reason: String| DriftError::InvalidState {
            state: "drift monitor",
            reason,
        };
        if raw.columns.is_empty() {
            return Err(invalid("it has no column".to_owned()));
        }
        if let Some(name) = first_duplicate(&raw.columns) {
            return Err(invalid(format!("column `{name}` occurs twice")));
        }
        if raw.rows > raw.next_offset {
            return Err(invalid(
                "more rows were counted than have an offset".to_owned(),
            ));
        }
        let first = raw.next_offset - raw.rows;
        if raw
            .alarmed_at
            .is_some_and(|at| at < first || at >= raw.next_offset)
        {
            return Err(invalid(
                "the alarm is at a row that was not counted".to_owned(),
            ));
        }
        let monitor = Self {
            alpha: raw.alpha,
            numbers_only: raw.columns.iter().all(Column::is_number),
            columns: raw.columns,
            next_offset: raw.next_offset,
            rows: raw.rows,
            max: raw.max,
            alarmed_at: raw.alarmed_at,
        };
        let budget = monitor.budget();
        for column in &monitor.columns {
            if column.rows() != monitor.rows || column.budget() != budget {
                return Err(invalid(format!(
                    "column `{}` has other rows or another error budget than the monitor",
                    column.name()
                )));
            }
        }
        if !monitor.max.is_finite() || monitor.max < 1.0 || monitor.max < monitor.current() {
            return Err(invalid(
                "the largest evidence is not a number from 1 that is at least the evidence now"
                    .to_owned(),
            ));
        }
        if monitor.alarmed_at.is_some() != (monitor.max >= budget.needed()) {
            return Err(invalid(
                "alarm and largest evidence contradict each other".to_owned(),
            ));
        }
        Ok(monitor)
    }
}

/// Bets on a row of numbers and returns the sum of the evidence.
///
/// The cells are found first, some columns at a time: each takes a chain of loads, and side by side the chains wait together.
#[inline(always)]
fn bet_on_numbers<S: Simd>(simd: S, columns: &mut [Column], row: &[f64], stake: Stake) -> f64 {
    let mut sum = 0.0;
    let mut cells = [0; SIDE_BY_SIDE];
    for (columns, values) in columns
        .chunks_mut(SIDE_BY_SIDE)
        .zip(row.chunks(SIDE_BY_SIDE))
    {
        for ((cell, column), value) in cells.iter_mut().zip(&*columns).zip(values) {
            *cell = column.cell_of(*value);
        }
        for ((cell, column), value) in cells.iter().zip(columns).zip(values) {
            sum += column.bet_on(simd, *value, *cell, stake);
        }
    }
    sum
}

fn first_duplicate(columns: &[Column]) -> Option<String> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    columns
        .iter()
        .map(Column::name)
        .find(|name| !seen.insert(name))
        .map(str::to_owned)
}

const SIDE_BY_SIDE: usize = 32;
