use super::cells::Cells;
use super::divergence::compare;
use super::jensen_shannon::MixtureEntropy;
use super::reading::{Over, Reading, StatisticScale};
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Method};
use crate::statistic::settings::TestSettings;

/// The likelihood-ratio test that two rows of counts come from one distribution.
///
/// # Formula
///
/// G = 2 Σ observed ln(observed / expected) over a table of two rows and k cells, without Williams' correction. Cells
/// whose expected count is below 5 in the smaller row are joined first. Its law without drift is chi-square with k − 1
/// degrees of freedom,
/// corrected to the exact mean and the variance that it has in cells of this size; in large cells the correction is nil.
/// So in small cells the p-value is larger than that of the uncorrected law, which in 50 cells raises 7.5 % false alarms at
/// a nominal 5 %.
///
/// Tolerance, relevance and the smallest visible shift are in the unit of the statistic, as in
/// [`chi_square_homogeneity`](super::chi_square_homogeneity).
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
/// use noops_drift::statistic::{TestSettings, Verdict, g_test};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let outcome = g_test(&[300, 500, 200], &[450, 350, 200], &TestSettings::default())?;
/// assert_eq!(outcome.verdict(), Verdict::Drift);
/// # Ok(())
/// # }
/// ```
pub fn g_test(
    reference: &[u64],
    current: &[u64],
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let cells = Cells::join_thin(reference, current)?;
    let rows = cells.reference_rows() + cells.current_rows();
    let reading = Reading {
        method: Method::GTest,
        scale: StatisticScale::Multiple(2.0 * rows),
        over: Over::Tested,
    };
    let divergence = MixtureEntropy::weighted_by_rows(&cells);
    Ok(compare(&cells, &divergence, &reading, settings))
}
