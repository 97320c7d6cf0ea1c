use super::cells::Cells;
use super::divergence::{Divergence, compare};
use super::excess::{excess, ln_ratio};
use super::reading::{Over, Reading, StatisticScale};
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Method};
use crate::statistic::settings::TestSettings;

/// The Kullback–Leibler divergence of the current data from the reference, in nats, with a calibrated verdict.
///
/// How surprised somebody is, per row, who expects the reference and meets the current data. It is not symmetric: the
/// divergence of the reference from the current data is another number; [`psi`](super::psi) is the sum of both.
///
/// # Formula
///
/// KL = Σ q ln(q / p) with p = (r + ½) / (n + ½B), q = (c + ½) / (m + ½B) over B cells. It is infinite for a cell that
/// only the current data have, so half a row is added to every cell of both sides. Cells whose expected count is below
/// 5 in the smaller side are joined first, for the statistic as for the test.
///
/// Without drift 2 n̂ KL, with n̂ = nm/(n + m), is chi-square with B − 1 degrees of freedom,
/// corrected to the exact mean and the variance that it has in cells of this size; in large cells the correction is nil.
///
/// With a tolerance τ > 0 the p-value is the larger of the tail of the non-central law, with 2 n̂ τ for
/// its non-centrality, and that of the delta method, as in [`psi`](super::psi).
/// Unless set, the relevant shift is 0.125: that of a small shift with a PSI of 0.25.
///
/// # Errors
///
/// [`DriftError::UnequalCells`] and [`DriftError::InvalidSetting`].
///
/// # Numerical notes
///
/// Rows must be independent. Nearly equal shares keep their relative accuracy.
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{TestSettings, Verdict, kullback_leibler};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = TestSettings::default();
/// let there = kullback_leibler(&[500, 300, 200], &[100, 140, 260], &settings)?;
/// assert_eq!(there.verdict(), Verdict::Drift);
/// let back = kullback_leibler(&[100, 140, 260], &[500, 300, 200], &settings)?;
/// assert_ne!(there.statistic(), back.statistic());
/// # Ok(())
/// # }
/// ```
pub fn kullback_leibler(
    reference: &[u64],
    current: &[u64],
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let cells = Cells::join_thin(reference, current)?;
    let reading = Reading {
        method: Method::KullbackLeibler,
        scale: StatisticScale::Multiple(1.0),
        over: Over::Tested,
    };
    Ok(compare(&cells, &RelativeEntropy, &reading, settings))
}

/// Σ q ln(q / p)
struct RelativeEntropy;

impl Divergence for RelativeEntropy {
    fn cell(&self, p: f64, q: f64) -> f64 {
        excess(q, p, q - p)
    }

    fn by_reference(&self, p: f64, q: f64) -> f64 {
        -q / p
    }

    fn by_current(&self, p: f64, q: f64) -> f64 {
        ln_ratio(q, p)
    }

    fn curvature(&self) -> f64 {
        2.0
    }

    fn smoothing(&self) -> f64 {
        SMOOTHING
    }
}

/// Rows added to every cell, as in the population stability index.
const SMOOTHING: f64 = 0.5;
