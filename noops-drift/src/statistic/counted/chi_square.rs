use super::cells::Cells;
use super::divergence::compare;
use super::pearson::PooledPearson;
use super::reading::{Over, Reading, StatisticScale};
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Method};
use crate::statistic::settings::TestSettings;

/// Pearson's test that two rows of counts come from one distribution.
///
/// Both rows are samples here. Testing the current counts against the reference as if it were the truth, as is often
/// done, rejects unchanged data in up to half of all batches at a nominal 5 %, and in nearly all of them when the current
/// rows are five times as many.
///
/// # Formula
///
/// Σ (observed − expected)² / expected over a table of two rows and k cells, chi-square with k − 1 degrees of freedom.
/// Cells whose expected count is below 5 in the smaller row are joined first, and
/// [`degrees_of_freedom`](Comparison::degrees_of_freedom) are those of the joined table; there is no continuity
/// correction.
///
/// Tolerance, relevance and the smallest visible shift are in the unit of the statistic: its non-centrality, which grows
/// with the rows. To forgive a shift of a given size whatever the rows are, take [`psi`](super::psi) or
/// [`cramers_v`](super::cramers_v). With a tolerance τ > 0 the p-value is the larger of the tail of the non-central law
/// and that of the delta method. Unless set, the relevant shift is 0.25 nm/(n + m): that of a small shift with a PSI of
/// 0.25.
///
/// # Errors
///
/// [`DriftError::UnequalCells`] and [`DriftError::InvalidSetting`].
///
/// # Numerical notes
///
/// Rows must be independent. At a nominal 5 %, simulation gives 3.3 to 5.7 % in 2 to 50 cells.
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{TestSettings, Verdict, chi_square_homogeneity};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let outcome = chi_square_homogeneity(&[300, 500, 200], &[450, 350, 200], &TestSettings::default())?;
/// assert_eq!(outcome.verdict(), Verdict::Drift);
/// assert_eq!(outcome.degrees_of_freedom(), Some(2));
/// # Ok(())
/// # }
/// ```
pub fn chi_square_homogeneity(
    reference: &[u64],
    current: &[u64],
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let cells = Cells::join_thin(reference, current)?;
    let reading = Reading {
        method: Method::ChiSquareHomogeneity,
        scale: StatisticScale::Multiple(cells.effective_size()),
        over: Over::Tested,
    };
    let divergence = PooledPearson::weighted_by_rows(&cells);
    Ok(compare(&cells, &divergence, &reading, settings))
}
