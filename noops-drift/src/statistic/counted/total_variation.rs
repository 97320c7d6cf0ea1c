use super::cells::Cells;
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Measured, Method, VISIBLE_POWER};
use crate::statistic::sampled::laws::L1Law;
use crate::statistic::settings::TestSettings;

/// The total variation distance of two rows of counts over the same cells, from 0 to 1, with a calibrated verdict.
///
/// The share of rows that would have to change their cell, and the largest difference that the shares of any set of
/// cells can have. Of all distances here it is the easiest to explain, and the one that rare cells disturb the least.
///
/// # Formula
///
/// TV = ½ Σ |p − q| without smoothing, over the cells as they are given. Cells whose expected count is below 5 in the
/// smaller side are joined for the test, and neighbours are joined evenly down to 256 cells where there are more. Without
/// drift √n̂ TV, with n̂ = nm/(n + m), is ½ Σ |Zᵢ| for a normal vector Z with the covariance of a multinomial of the pooled
/// shares.
///
/// By the triangle inequality TV exceeds the true distance by at most ½ Σ |noise|. So with a tolerance τ > 0 the p-value
/// is P(½ Σ |Zᵢ| > √n̂ (TV − τ)), with the shares (m p + n q) / (n + m), whose multinomial spreads at least as much as
/// the noise does (by convexity, and Anderson's inequality).
///
/// The smallest visible shift is a bound: Hoeffding's inequality for the set of cells that gained. Unless set, the
/// relevant shift is 0.25.
///
/// # Errors
///
/// [`DriftError::UnequalCells`] and [`DriftError::InvalidSetting`].
///
/// # Numerical notes
///
/// Rows must be independent. The law is approximate: it has the right mean and second moment. Where cells are joined, a
/// statistic slightly beyond the critical value need not be drift, and a shift within joined cells is not seen.
///
/// # Complexity
///
/// O(cells), and once the square of the number of joined cells.
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{TestSettings, Verdict, total_variation};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = TestSettings::default();
/// let moved = total_variation(&[500, 300, 200], &[300, 300, 400], &settings)?;
/// assert!((moved.statistic() - 0.2).abs() < 1e-12);
/// assert_eq!(moved.verdict(), Verdict::Drift);
/// let forgiven = total_variation(&[500, 300, 200], &[300, 300, 400], &settings.with_tolerance(0.2))?;
/// assert!(!forgiven.verdict().is_drift());
/// # Ok(())
/// # }
/// ```
pub fn total_variation(
    reference: &[u64],
    current: &[u64],
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let cells = Cells::join_thin(reference, current)?;
    let method = Method::TotalVariation;
    let size = cells.effective_size();
    if size <= 0.0 {
        return Ok(Comparison::blind(
            method,
            cells.n_reference,
            cells.n_current,
        ));
    }
    let statistic = distance(&cells.given_shares());
    if !cells.testable() {
        return Ok(Comparison::untested(
            method,
            cells.n_reference,
            cells.n_current,
            statistic,
        ));
    }
    let shares = coarse(cells.tested_shares(0.0));
    let tested = distance(&shares);
    let alpha = settings.alpha();
    let tolerance = settings.tolerance();
    let law = L1Law::of_multinomial(&noise_shares(&cells, &shares, tolerance));
    let excess = tested - tolerance;
    let p_value = if excess > 0.0 {
        law.sf(excess, size)
    } else {
        1.0
    };
    let critical = tolerance + law.upper_quantile(alpha.get(), size);
    let margin = (-(1.0 - VISIBLE_POWER).ln() / (2.0 * size)).sqrt();
    let measured = Measured {
        statistic,
        p_value,
        critical: Some(critical),
        visible_from: Some(critical + margin).filter(|visible| *visible <= 1.0),
    };
    let comparison = Comparison::judge(
        method,
        cells.n_reference,
        cells.n_current,
        measured,
        alpha,
        settings.relevant_or(RELEVANT),
    );
    Ok(comparison.with_degrees_of_freedom(shares.len().saturating_sub(1) as u64))
}

fn distance(shares: &[(f64, f64)]) -> f64 {
    let sum: f64 = shares.iter().map(|(p, q)| (p - q).abs()).sum();
    (0.5 * sum).min(1.0)
}

/// Joins neighbours, as evenly as can be, until at most [`MOST_CELLS`] are left.
fn coarse(shares: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if shares.len() <= MOST_CELLS {
        return shares;
    }
    shares
        .chunks(shares.len().div_ceil(MOST_CELLS))
        .map(|chunk| {
            chunk
                .iter()
                .fold((0.0, 0.0), |sum, share| (sum.0 + share.0, sum.1 + share.1))
        })
        .collect()
}

/// The shares of the multinomial that spreads as the noise of p − q does, or more.
fn noise_shares(cells: &Cells, shares: &[(f64, f64)], tolerance: f64) -> Vec<f64> {
    let (n, m) = (cells.reference_rows(), cells.current_rows());
    let reference = n / (n + m);
    let current = m / (n + m);
    // Without a tolerance both sides have the same shares, and pooled rows estimate them best.
    let (of_p, of_q) = if tolerance > 0.0 {
        (current, reference)
    } else {
        (reference, current)
    };
    shares.iter().map(|(p, q)| of_p * p + of_q * q).collect()
}

/// By Cauchy and Schwarz the largest that a small shift with a PSI of 0.25 can be here.
const RELEVANT: f64 = 0.25;
/// The law of an L1 norm takes the square of it.
const MOST_CELLS: usize = 256;

#[cfg(test)]
mod tests {
    use super::{MOST_CELLS, coarse, distance};

    #[test]
    fn joining_neighbours_keeps_the_mass_and_shrinks_the_distance() {
        let shares: Vec<(f64, f64)> = (0..1_000)
            .map(|cell| (0.001, if cell < 500 { 0.002 } else { 0.0 }))
            .collect();
        let joined = coarse(shares.clone());
        assert!(joined.len() <= MOST_CELLS);
        let mass: f64 = joined.iter().map(|share| share.1).sum();
        assert!((mass - 1.0).abs() < 1e-9);
        assert!(distance(&joined) <= distance(&shares) + 1e-12);
        assert!((distance(&joined) - 0.5).abs() < 1e-9);
    }
}
