use super::cells::Cells;
use super::divergence::compare;
use super::pearson::PooledPearson;
use super::reading::{Over, Reading, StatisticScale};
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Method};
use crate::statistic::settings::TestSettings;

/// Cramér's V of a table of two rows: how strongly the cell depends on the side, from 0 to 1.
///
/// The chi-square test of homogeneity, read out on a scale that does not grow with the rows. It shrinks when one side has
/// most of the rows; compare values only between batches of the same proportion.
///
/// # Formula
///
/// V = √(χ² / (n + m)), the plain value, which is above 0 on average without drift; the bias is in the critical value and
/// not taken off the statistic. The p-value is that of [`chi_square_homogeneity`](super::chi_square_homogeneity), and with
/// a tolerance τ > 0 the non-centrality is τ² (n + m). Unless set, the relevant shift is ½ √(nm) / (n + m): that of a
/// small shift with a PSI of 0.25.
///
/// The statistic is over the cells as they are given. The p-value, the critical value and the smallest visible shift are
/// for the cells that are left when those with an expected count below 5 in the smaller side are joined. Joining only
/// shrinks the statistic, so where nothing is thin the verdict is drift exactly beyond the critical value, and elsewhere a
/// statistic slightly beyond it need not be.
///
/// # Errors
///
/// [`DriftError::UnequalCells`] and [`DriftError::InvalidSetting`].
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{TestSettings, cramers_v};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let apart = cramers_v(&[50, 0], &[0, 50], &TestSettings::default())?;
/// assert!((apart.statistic() - 1.0).abs() < 1e-12);
/// # Ok(())
/// # }
/// ```
pub fn cramers_v(
    reference: &[u64],
    current: &[u64],
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let cells = Cells::join_thin(reference, current)?;
    let rows = cells.reference_rows() + cells.current_rows();
    let reading = Reading {
        method: Method::CramersV,
        scale: StatisticScale::Root(cells.effective_size() / rows),
        over: Over::Given,
    };
    let divergence = PooledPearson::weighted_by_rows(&cells);
    Ok(compare(&cells, &divergence, &reading, settings))
}
