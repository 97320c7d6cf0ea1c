use super::cells::Cells;
use super::divergence::{Divergence, compare};
use super::excess::ln_ratio;
use super::null_law::NullLaw;
use super::reading::{Over, Reading, StatisticScale};
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Method};
use crate::statistic::settings::TestSettings;

/// The population stability index of two rows of counts over the same cells, with a calibrated verdict.
///
/// The usual thresholds 0.1 and 0.25 ignore the number of rows: with a hundred rows of each, unchanged data exceed 0.1
/// in ten cells four times in five. Here the threshold follows from the rows, the cells and the error rate.
///
/// # Formula
///
/// PSI = Σ (p − q) ln(p / q) with p = (r + ½) / (n + ½B), q = (c + ½) / (m + ½B) for reference counts r, current
/// counts c and B cells. Half a row is added to every cell of both sides, so an empty cell is finite. Cells whose
/// expected count is below 5 in the smaller side are joined first, for the statistic as for the test: half a row in a
/// cell that hardly occurs is a larger share of the smaller side, which would look like a shift.
///
/// Without drift, PSI · nm/(n + m) is chi-square with B − 1 degrees of freedom (Yurdakul and Naranjo, 2020); with a
/// true PSI of δ it is non-central with δ · nm/(n + m) (as in Potgieter et al., arXiv 2307.11878). That law is too
/// narrow when a cell that is rare in the reference has grown, so with a tolerance τ > 0 the p-value is the larger of
/// its tail and that of the delta method,
///
/// P(Z > (PSI − (B − 1)(1/n + 1/m) − τ) / √v), v = Var_p(ln(p/q) + 1 − q/p) / n + Var_q(ln(q/p) + 1 − p/q) / m,
///
/// and the critical value is the larger of both. The verdict is drift when the hypothesis PSI ≤ tolerance is rejected;
/// otherwise it is no drift only if a shift of [`TestSettings::relevant`], 0.25 unless set, would have shown four times
/// in five, by the non-central law at that critical value.
///
/// # Errors
///
/// [`DriftError::UnequalCells`] and [`DriftError::InvalidSetting`].
///
/// # Numerical notes
///
/// Rows must be independent. Both laws are asymptotic: at a nominal 5 %, simulation gives 3.4 to 5 % in ten cells and
/// 2.5 to 6 % in fifty without tolerance, and 0.1 to 4 % at the edge of a tolerance of at most 1: the smaller the
/// tolerance and the batch and the rarer a cell, the further below the nominal rate.
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{TestSettings, Verdict, psi};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = TestSettings::default();
/// let same = psi(&[500, 300, 200], &[260, 140, 100], &settings)?;
/// assert_eq!(same.verdict(), Verdict::NoDrift);
/// let moved = psi(&[500, 300, 200], &[100, 140, 260], &settings)?;
/// assert_eq!(moved.verdict(), Verdict::Drift);
/// let few = psi(&[500, 300, 200], &[5, 3, 2], &settings)?;
/// assert!(matches!(few.verdict(), Verdict::Undecided { .. }));
/// # Ok(())
/// # }
/// ```
pub fn psi(
    reference: &[u64],
    current: &[u64],
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let cells = Cells::join_thin(reference, current)?;
    let reading = Reading {
        method: Method::PopulationStability,
        scale: StatisticScale::Multiple(1.0),
        over: Over::Tested,
    };
    Ok(compare(&cells, &PopulationStability, &reading, settings))
}

/// Σ (p − q) ln(p / q)
pub(super) struct PopulationStability;

impl Divergence for PopulationStability {
    fn cell(&self, p: f64, q: f64) -> f64 {
        (p - q) * ln_ratio(p, q)
    }

    fn by_reference(&self, p: f64, q: f64) -> f64 {
        ln_ratio(p, q) + 1.0 - q / p
    }

    fn by_current(&self, p: f64, q: f64) -> f64 {
        ln_ratio(q, p) + 1.0 - p / q
    }

    fn curvature(&self) -> f64 {
        1.0
    }

    fn smoothing(&self) -> f64 {
        SMOOTHING
    }

    /// The smoothing already takes out what the limit does not know of small cells.
    fn null_law(&self, cells: &Cells) -> NullLaw {
        NullLaw::limit(cells)
    }
}

/// Rows added to every cell. Part of what a PSI means: values under another rule are not comparable.
const SMOOTHING: f64 = 0.5;
