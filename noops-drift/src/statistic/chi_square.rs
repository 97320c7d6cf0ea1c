use noops_core::Alpha;

use super::cells::Cells;
use super::comparison::{Comparison, Method, Outcome, VISIBLE_POWER, Verdict};
use super::distribution::{
    chi_square_sf, noncentral_chi_square_upper_quantile, noncentrality_for_power,
};
use crate::error::DriftError;

/// Pearson's test that two rows of counts come from one distribution.
///
/// Both rows are samples here. Testing the current counts against the reference as if it were the truth, as is often
/// done, rejects unchanged data in up to half of all batches at a nominal 5 %.
///
/// # Formula
///
/// Σ (observed − expected)² / expected over a table of two rows and k cells, chi-square with k − 1 degrees of freedom.
/// Cells whose expected count is below 5 in the smaller row are joined first; there is no continuity correction. The
/// verdict is undecided only when fewer than two cells are left. [`Comparison::visible_from`] is in the unit of the
/// statistic.
///
/// # Errors
///
/// [`DriftError::UnequalCells`].
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::{Verdict, chi_square_homogeneity};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let outcome = chi_square_homogeneity(&[300, 500, 200], &[450, 350, 200], Alpha::FIVE_PERCENT)?;
/// assert_eq!(outcome.verdict(), Verdict::Drift);
/// # Ok(())
/// # }
/// ```
pub fn chi_square_homogeneity(
    reference: &[u64],
    current: &[u64],
    alpha: Alpha,
) -> Result<Comparison, DriftError> {
    let cells = Cells::join_thin(reference, current)?;
    let n = cells.n_reference as f64;
    let m = cells.n_current as f64;
    if cells.pairs.len() < 2 || n <= 0.0 || m <= 0.0 {
        return Ok(Comparison::blind(
            Method::ChiSquareHomogeneity,
            cells.n_reference,
            cells.n_current,
        ));
    }
    // In a cell with sum s, the two terms (r − s n/N)²/(s n/N) and (c − s m/N)²/(s m/N) add up to this one.
    let statistic: f64 = cells
        .pairs
        .iter()
        .map(|(r, c)| (r * (m / n).sqrt() - c * (n / m).sqrt()).powi(2) / (r + c))
        .sum();
    let df = (cells.pairs.len() - 1) as f64;
    let p_value = chi_square_sf(statistic, df);
    let critical = noncentral_chi_square_upper_quantile(alpha.get(), df, 0.0);
    let outcome = Outcome {
        statistic,
        p_value,
        critical: Some(critical),
        visible_from: Some(noncentrality_for_power(critical, df, VISIBLE_POWER)),
        verdict: if p_value < alpha.get() {
            Verdict::Drift
        } else {
            Verdict::NoDrift
        },
    };
    Ok(Comparison::new(
        Method::ChiSquareHomogeneity,
        cells.n_reference,
        cells.n_current,
        outcome,
    ))
}
