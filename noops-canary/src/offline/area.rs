use noops_core::Alpha;
use noops_stats::special::normal_upper_quantile;
use serde::{Deserialize, Serialize};

use super::check::{check_finite, check_length};
use super::ties::ClassScores;
use crate::error::CanaryError;
use crate::interval::Interval;

/// The area under the ROC curve, with DeLong's standard error.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::area_under_curve;
/// use noops_core::Alpha;
///
/// let area = area_under_curve(&[0.9, 0.2, 0.6, 0.7, 0.8], &[true, false, true, false, true])?;
/// assert_eq!(area.value(), 5.0 / 6.0);
/// let interval = area.logit_interval(Alpha::FIVE_PERCENT).ok_or("an area of 0 or 1")?;
/// assert!(interval.upper() < 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AreaUnderCurve {
    value: f64,
    standard_error: Option<f64>,
    positives: u64,
    negatives: u64,
}

impl AreaUnderCurve {
    /// The share of positive-negative pairs in the right order, ties counting half.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// DeLong's standard error; `None` with one row in a class.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        self.standard_error
    }

    /// The number of positive rows.
    #[must_use]
    pub fn positives(&self) -> u64 {
        self.positives
    }

    /// The number of negative rows.
    #[must_use]
    pub fn negatives(&self) -> u64 {
        self.negatives
    }

    /// The two-sided `1 - alpha` normal interval, cut to \[0, 1\].
    ///
    /// # Numerical notes
    ///
    /// Too short near 0 and 1, and a point at 0 and 1 themselves; [`logit_interval`](Self::logit_interval) is better there.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Option<Interval> {
        let half = normal_upper_quantile(alpha.get() / 2.0) * self.standard_error?;
        Some(Interval::between(
            (self.value - half).max(0.0),
            (self.value + half).min(1.0),
        ))
    }

    /// The two-sided `1 - alpha` interval that is normal on the scale of log-odds.
    ///
    /// # Formula
    ///
    /// `logit(A) -+ z se / (A (1 - A))`, transformed back (Pepe, "The Statistical Evaluation of Medical Tests", 2003).
    ///
    /// # Numerical notes
    ///
    /// `None` at an area of 0 or 1, where the log-odds are infinite and the data say nothing about the variance.
    #[must_use]
    pub fn logit_interval(&self, alpha: Alpha) -> Option<Interval> {
        let spread = self.value * (1.0 - self.value);
        if spread <= 0.0 {
            return None;
        }
        let half = normal_upper_quantile(alpha.get() / 2.0) * self.standard_error? / spread;
        let centre = libm::log(self.value / (1.0 - self.value));
        let back = |logit: f64| 1.0 / (1.0 + libm::exp(-logit));
        Some(Interval::between(back(centre - half), back(centre + half)))
    }
}

/// Measures the area under the ROC curve of `scores` (higher means more likely positive).
///
/// # Formula
///
/// The Mann–Whitney statistic over the number of pairs; the variance is `S10 / m + S01 / n` from the sample variances of the
/// placements of the `m` positives and `n` negatives (DeLong, DeLong and Clarke-Pearson, 1988). Both are ratios of exact integers, so
/// the order of rows cannot change a bit of them.
///
/// # Errors
///
/// [`CanaryError::Empty`] without rows, [`CanaryError::Length`] if the columns differ in length, [`CanaryError::NotFinite`] for a score
/// that is NaN or infinite, [`CanaryError::TooFew`] unless both classes occur and [`CanaryError::Input`] for more than 2^32 rows.
///
/// # Complexity
///
/// O(n) for most data: a radix sort of each class and one merge (Sun and Xu, 2014, have the same order with a comparison sort).
pub fn area_under_curve(scores: &[f64], labels: &[bool]) -> Result<AreaUnderCurve, CanaryError> {
    check_scores("scores", scores, labels)?;
    check_classes(labels, 1)?;
    area_of(scores, labels).ok_or(CanaryError::Empty)
}

/// The area of checked columns; `None` unless both classes occur.
pub(super) fn area_of(scores: &[f64], labels: &[bool]) -> Option<AreaUnderCurve> {
    let classes = ClassScores::of(scores, labels);
    let (positives, negatives) = (classes.positives(), classes.negatives());
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut of_positives, mut of_negatives) = (Moments::default(), Moments::default());
    let (mut positives_above, mut negatives_below) = (positives, 0);
    for group in classes.groups() {
        positives_above -= group.positive;
        of_positives.add(place(negatives_below, group.negative), group.positive);
        of_negatives.add(place(positives_above, group.positive), group.negative);
        negatives_below += group.negative;
    }
    let value = of_positives.sum as f64 / (2.0 * positives as f64 * negatives as f64);
    let variance = of_positives
        .variance(negatives)
        .zip(of_negatives.variance(positives))
        .map(|(p, n)| p / positives as f64 + n / negatives as f64);
    Some(AreaUnderCurve {
        value,
        standard_error: variance.map(f64::sqrt),
        positives,
        negatives,
    })
}

/// Twice the number of won comparisons, ties counting half.
pub(super) fn place(won: u64, tied: u64) -> i128 {
    2 * i128::from(won) + i128::from(tied)
}

/// The exact moments of placements, which are integers while they count half-pairs.
///
/// With `m` and `n` rows in the classes, no number here exceeds `4 m^2 n^2`: below 2^127 for `m + n <= 2^32`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    rows: u64,
    sum: i128,
    squares: i128,
}

impl Moments {
    pub(super) fn add(&mut self, placement: i128, rows: u64) {
        let weighted = placement.saturating_mul(i128::from(rows));
        self.rows = self.rows.saturating_add(rows);
        self.sum = self.sum.saturating_add(weighted);
        self.squares = self
            .squares
            .saturating_add(placement.saturating_mul(weighted));
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn sum(&self) -> i128 {
        self.sum
    }

    /// The variance of the placements as shares of `others` rows; `None` for fewer than two.
    pub(super) fn variance(&self, others: u64) -> Option<f64> {
        if self.rows < 2 {
            return None;
        }
        let rows = i128::from(self.rows);
        let centred = rows
            .saturating_mul(self.squares)
            .saturating_sub(self.sum.saturating_mul(self.sum));
        let scale = 2.0 * others as f64;
        Some(centred as f64 / (rows as f64 * (rows - 1) as f64) / (scale * scale))
    }
}

pub(super) fn check_scores(
    column: &'static str,
    scores: &[f64],
    labels: &[bool],
) -> Result<(), CanaryError> {
    check_finite(column, scores)?;
    check_length("labels", scores.len(), labels.len())?;
    if scores.len() as u64 > MOST_ROWS {
        return Err(CanaryError::Input {
            input: "labels",
            reason: "has more than 2^32 rows; pass a sample of them",
        });
    }
    Ok(())
}

/// Refuses labels with fewer than `needed` rows of a class.
pub(super) fn check_classes(labels: &[bool], needed: usize) -> Result<(), CanaryError> {
    let positives = labels.iter().filter(|label| **label).count();
    let classes = [
        ("labels (positive)", positives),
        ("labels (negative)", labels.len() - positives),
    ];
    match classes.into_iter().find(|(_, found)| *found < needed) {
        Some((column, found)) => Err(CanaryError::TooFew {
            column,
            needed,
            found,
        }),
        None => Ok(()),
    }
}

const MOST_ROWS: u64 = 1 << 32;

#[cfg(test)]
mod tests;
