use noops_stats::special::chi_square_sf;

use super::method::Method;
use super::outcome::{EffectKind, Sizes, TestOutcome};
use super::proportions::Proportion;
use super::settings::{Alternative, TestSettings};
use crate::error::CanaryError;

/// Pearson's chi-square test: are the rows of a table of counts draws from one distribution over its columns?
///
/// The first row is the champion, the others are candidates; a column is an outcome (a predicted class, a status code).
///
/// # Formula
///
/// Σ (O − E)² / E over all cells, E being row total times column total over the grand total, against the chi-square law with
/// (rows − 1)(columns − 1) degrees of freedom: `scipy.stats.chi2_contingency(correction=False)`. Yates' correction is not applied: with
/// two rows and two columns and small counts use [`fisher_exact`](super::fisher_exact). The effect is Cramér's
/// V = √(χ² / (n · (min(rows, columns) − 1))).
///
/// # Numerical notes
///
/// Counts must be of independent rows. The law is that of large samples: it is trusted where no expected count is below 1 and at most a fifth
/// of them are below 5 (Cochran); merge rare columns otherwise. There is no interval.
///
/// # Errors
///
/// [`CanaryError::Input`] with fewer than two rows or columns, for a row or a column without any count, for a one-sided alternative
/// (which a table does not have), and for more than 2⁵² counts; [`CanaryError::Length`] when rows differ in length.
///
/// # Complexity
///
/// Two passes.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{TestSettings, chi_square};
///
/// let outcome = chi_square(&[&[90, 30, 30], &[60, 50, 40]], &TestSettings::default())?;
/// assert_eq!(outcome.degrees_of_freedom(), Some(2.0));
/// assert!(outcome.p_value() < 0.01);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn chi_square(table: &[&[u64]], settings: &TestSettings) -> Result<TestOutcome, CanaryError> {
    let refuse =
        |input: &'static str, reason: &'static str| Err(CanaryError::Input { input, reason });
    if settings.alternative() != Alternative::TwoSided {
        return refuse(
            "alternative",
            "is one-sided, which a table of counts cannot be; use `two_proportions`",
        );
    }
    let width = table.first().map_or(0, |row| row.len());
    if table.len() < 2 || width < 2 {
        return refuse("table", "needs at least two rows and two columns");
    }
    let mut rows = Vec::with_capacity(table.len());
    let mut columns = vec![0_u64; width];
    for row in table {
        if row.len() != width {
            return Err(CanaryError::Length {
                column: "table",
                expected: width,
                found: row.len(),
            });
        }
        let mut total = 0_u64;
        for (count, column) in row.iter().zip(&mut columns) {
            total = total.saturating_add(*count);
            *column = column.saturating_add(*count);
        }
        rows.push(total);
    }
    let n = rows.iter().fold(0_u64, |sum, row| sum.saturating_add(*row));
    if n > Proportion::MAX_TRIALS {
        return refuse("table", "has more than 2^52 counts; pass a sample of them");
    }
    if rows.contains(&0) || columns.contains(&0) {
        return refuse("table", "has a row or a column of zeros; leave it out");
    }
    let mut statistic = 0.0;
    for (row, row_total) in table.iter().zip(&rows) {
        for (count, column_total) in row.iter().zip(&columns) {
            // (O n − R C)² / (n R C), the gap exact as an integer.
            let expected = i128::from(*row_total) * i128::from(*column_total);
            let gap = (i128::from(*count) * i128::from(n) - expected) as f64;
            statistic += gap / expected as f64 * (gap / n as f64);
        }
    }
    let smaller = table.len().min(width).saturating_sub(1) as f64;
    let freedom = table.len().saturating_sub(1) as f64 * width.saturating_sub(1) as f64;
    let champion = rows.first().copied().unwrap_or(0);
    let sizes = Sizes {
        champion,
        candidate: n.saturating_sub(champion),
    };
    Ok(TestOutcome::new(
        Method::ChiSquare,
        Alternative::TwoSided,
        chi_square_sf(statistic, freedom),
        settings.alpha(),
        sizes,
    )
    .with_statistic(statistic)
    .with_degrees_of_freedom(freedom)
    .with_effect(
        EffectKind::CramersV,
        (statistic / (n as f64 * smaller)).sqrt().min(1.0),
    ))
}

#[cfg(test)]
mod tests;
