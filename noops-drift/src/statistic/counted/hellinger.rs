use super::cells::Cells;
use super::divergence::{Divergence, compare};
use super::reading::{Over, Reading, StatisticScale};
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Method};
use crate::statistic::settings::TestSettings;

/// The Hellinger distance of two rows of counts over the same cells, from 0 to 1, with a calibrated verdict.
///
/// # Formula
///
/// H = √(½ Σ (√p − √q)²) without smoothing. Without drift 8 n̂ H², with n̂ = nm/(n + m), is chi-square with one degree of
/// freedom less than there are cells,
/// corrected to the exact mean and the variance that it has in cells of this size; in large cells the correction is nil.
///
/// With a tolerance τ > 0 the p-value is the larger of the tail of the non-central law, with 8 n̂ τ² for
/// its non-centrality, and that of the delta method, as in [`psi`](super::psi).
///
/// The statistic is over the cells as they are given. The p-value, the critical value and the smallest visible shift are
/// for the cells that are left when those with an expected count below 5 in the smaller side are joined. Joining only
/// shrinks the distance, so where nothing is thin the verdict is drift exactly beyond the critical value, and elsewhere a
/// statistic slightly beyond it need not be.
/// Unless set, the relevant shift is 0.177: that of a small shift with a PSI of 0.25.
///
/// # Errors
///
/// [`DriftError::UnequalCells`] and [`DriftError::InvalidSetting`].
///
/// # Numerical notes
///
/// Rows must be independent. Square roots weigh rare cells heavily: with the uncorrected law, 50 cells that just escape
/// being joined raise 15 % false alarms at a nominal 5 %, with the corrected one 5 %.
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{TestSettings, Verdict, hellinger};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let moved = hellinger(&[640, 360], &[360, 640], &TestSettings::default())?;
/// assert!((moved.statistic() - 0.04_f64.sqrt()).abs() < 1e-15);
/// assert_eq!(moved.verdict(), Verdict::Drift);
/// # Ok(())
/// # }
/// ```
pub fn hellinger(
    reference: &[u64],
    current: &[u64],
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let cells = Cells::join_thin(reference, current)?;
    let reading = Reading {
        method: Method::Hellinger,
        scale: StatisticScale::Root(1.0),
        over: Over::Given,
    };
    Ok(compare(&cells, &SquaredHellinger, &reading, settings))
}

/// ½ Σ (√p − √q)²
struct SquaredHellinger;

impl Divergence for SquaredHellinger {
    fn cell(&self, p: f64, q: f64) -> f64 {
        let roots = p.sqrt() + q.sqrt();
        if roots > 0.0 {
            // The difference of the roots, without their cancellation.
            0.5 * ((p - q) / roots).powi(2)
        } else {
            0.0
        }
    }

    fn by_reference(&self, p: f64, q: f64) -> f64 {
        -0.5 * (q / p).sqrt()
    }

    fn by_current(&self, p: f64, q: f64) -> f64 {
        -0.5 * (p / q).sqrt()
    }

    fn curvature(&self) -> f64 {
        8.0
    }

    fn largest(&self) -> f64 {
        1.0
    }
}
