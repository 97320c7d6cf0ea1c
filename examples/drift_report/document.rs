//! The report as one JSON object, whose keys are a promise to programs that read it.

use noops_drift::statistic::{Comparison, Verdict};
use noops_drift::{Binning, ColumnDrift, SampleStatistics};
use serde::Serialize;

use crate::check::{Checked, Violation};
use crate::compare::Compared;
use crate::failure::{Failure, fail};
use crate::plan::{LeftOut, Plan};

/// What is said of two files.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    rows_reference: u64,
    rows_current: u64,
    drifted: bool,
    columns: Vec<Column>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_compared: Vec<LeftOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expectations: Option<Vec<Violation>>,
}

impl Document {
    pub(crate) fn of(compared: &Compared, plan: &Plan, checked: Option<&Checked>) -> Self {
        let report = compared.report();
        let columns = report
            .columns()
            .iter()
            .zip(compared.samples())
            .map(|(column, samples)| Column::of(column, samples.as_ref()))
            .collect();
        Self {
            rows_reference: report.rows_reference(),
            rows_current: report.rows_current(),
            drifted: report.drifted().next().is_some(),
            columns,
            not_compared: plan.left_out.clone(),
            expectations: checked.map(|checked| checked.violations().to_vec()),
        }
    }

    pub(crate) fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self)
            .map_err(|error| fail(format!("cannot write the report as JSON: {error}")))
    }

    pub(crate) fn drifted(&self) -> bool {
        self.drifted
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn not_compared(&self) -> &[LeftOut] {
        &self.not_compared
    }

    /// The violated rules; nothing when no rules were given.
    pub(crate) fn violations(&self) -> Option<&[Violation]> {
        self.expectations.as_deref()
    }
}

/// What is said of a column; a statistic that does not apply is absent.
#[derive(Debug, Serialize)]
pub(crate) struct Column {
    name: String,
    kind: &'static str,
    n_reference: u64,
    n_current: u64,
    null_rate_reference: f64,
    null_rate_current: f64,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    psi: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    js_distance_base2: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hellinger: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tv: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ks: Option<Test>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wasserstein: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chi2: Option<TableTest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cramer_von_mises: Option<Test>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mann_whitney: Option<Test>,
    #[serde(skip_serializing_if = "Option::is_none")]
    energy_distance: Option<f64>,
}

/// A statistic and how surprising it is.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Test {
    statistic: f64,
    p_value: f64,
}

impl Test {
    pub(crate) fn p_value(self) -> f64 {
        self.p_value
    }
}

#[derive(Clone, Copy, Debug, Serialize)]
struct TableTest {
    statistic: f64,
    df: u64,
    p_value: f64,
}

impl Column {
    fn of(column: &ColumnDrift, samples: Option<&SampleStatistics>) -> Self {
        let cells = column.cells();
        let chi2 = match cells.binning() {
            Binning::Category { .. } => table_test(&column.chi_square()),
            Binning::Number { .. } => None,
        };
        Self {
            name: column.column().to_owned(),
            kind: cells.kind(),
            n_reference: cells.reference().present(),
            n_current: cells.current().present(),
            null_rate_reference: column.reference().missing(),
            null_rate_current: column.current().missing(),
            verdict: match column.verdict() {
                Verdict::Drift => "drift",
                Verdict::NoDrift => "no_drift",
                Verdict::Undecided { .. } => "undecided",
            },
            psi: distance(column.psi()),
            js_distance_base2: distance(&column.jensen_shannon()),
            hellinger: distance(&column.hellinger()),
            tv: distance(&column.total_variation()),
            ks: samples.and_then(|samples| test(samples.ks())),
            wasserstein: samples
                .and_then(SampleStatistics::wasserstein)
                .and_then(distance),
            chi2,
            // Without a critical value all numbers of both files are one, and there is nothing to test.
            cramer_von_mises: samples
                .map(SampleStatistics::cramer_von_mises)
                .filter(|comparison| comparison.critical().is_some())
                .and_then(test),
            mann_whitney: samples.and_then(mann_whitney),
            energy_distance: samples
                .and_then(SampleStatistics::energy)
                .and_then(distance),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn mann_whitney(&self) -> Option<Test> {
        self.mann_whitney
    }

    /// The share of pairs of values in which that of the reference is the larger one; ties count half.
    pub(crate) fn reference_larger(&self) -> Option<f64> {
        let pairs = self.n_reference as f64 * self.n_current as f64;
        self.mann_whitney
            .map(|test| test.statistic / pairs)
            .filter(|share| share.is_finite())
    }

    pub(crate) fn n_current(&self) -> u64 {
        self.n_current
    }

    pub(crate) fn n_reference(&self) -> u64 {
        self.n_reference
    }
}

/// A distance means nothing when one side has no values.
fn distance(comparison: &Comparison) -> Option<f64> {
    let both = comparison.n_reference() > 0 && comparison.n_current() > 0;
    Some(comparison.statistic()).filter(|statistic| both && statistic.is_finite())
}

fn test(comparison: &Comparison) -> Option<Test> {
    Some(Test {
        statistic: distance(comparison)?,
        p_value: comparison.p_value(),
    })
}

/// Nothing where too few rows, or only one cell, leave no table to test.
fn table_test(comparison: &Comparison) -> Option<TableTest> {
    Some(TableTest {
        statistic: distance(comparison)?,
        df: comparison.degrees_of_freedom()?,
        p_value: comparison.p_value(),
    })
}

/// U of the reference, as scipy has it for its first sample, from the share of pairs in which the current value is larger.
fn mann_whitney(samples: &SampleStatistics) -> Option<Test> {
    let comparison = samples.mann_whitney();
    let current_larger = distance(comparison)?;
    // Equal distribution functions: also where all numbers are one, which is not tested.
    let current_larger = if distance(samples.ks()) == Some(0.0) {
        0.5
    } else {
        current_larger
    };
    let pairs = comparison.n_reference() as f64 * comparison.n_current() as f64;
    // U counts halves.
    let statistic = (2.0 * (1.0 - current_larger) * pairs).round() / 2.0;
    Some(Test {
        statistic,
        p_value: comparison.p_value(),
    })
}
