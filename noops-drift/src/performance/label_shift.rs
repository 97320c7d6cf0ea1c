mod confusion;
mod inverse;
mod settings;
#[cfg(test)]
mod tests;

use noops_core::Alpha;
use serde::{Deserialize, Serialize};

pub use self::confusion::ConfusionCounts;
use self::inverse::inverse;
pub use self::settings::LabelShiftSettings;
use super::check::invalid;
use super::estimate::Estimate;
use crate::error::DriftError;
use crate::statistic::{Comparison, TestSettings, chi_square_homogeneity};
use noops_stats::special::normal_upper_quantile;

/// Have the shares of the classes changed, judged by predictions alone? Black-box shift estimation.
///
/// # Formula
///
/// With M_ij the share of predictions i among the reference rows of class j, and μ_i the share of predictions i now, the shares of the
/// classes now solve M π = μ, and a row of class j now counts π_j / p_j times what it did, p_j being its share in the
/// reference (Lipton, Wang and Smola, 2018). Estimates are clipped at 0 and scaled to sum to 1. Their covariance, before that, is
///
/// M⁻¹ \[(diag μ − μμᵀ)/m + Σ_j π_j² (diag M_j − M_j M_jᵀ)/n_j\] M⁻ᵀ.
///
/// The verdict is that of the chi-square test of homogeneity on the predictions: under label shift they move if and only if the labels do.
///
/// # Numerical notes
///
/// It assumes label shift: rows of one class look as they did. A change of the inputs within a class is taken for one of the classes.
/// A classifier that cannot tell two classes apart cannot say how their shares moved: when the condition number
/// of M is above [`LabelShiftSettings::largest_condition`] there are no estimates.
///
/// # Complexity
///
/// O(k³) for k classes.
///
/// # Examples
///
/// ```
/// use noops_drift::performance::{ConfusionCounts, LabelShift, LabelShiftSettings};
///
/// // Nine in ten predictions are right, and the two classes are equally frequent.
/// let reference = ConfusionCounts::from_counts(2, &[900, 100, 100, 900])?;
/// // Now 740 of 1,000 predictions say class 0: that is 80 % of class 0.
/// let shift = LabelShift::estimate(&reference, &[740, 260], &LabelShiftSettings::default())?;
/// assert!(shift.comparison().verdict().is_drift());
/// let share = shift.shares().and_then(|shares| shares.first()).ok_or("not to be told")?;
/// assert!((share.value() - 0.8).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct LabelShift {
    comparison: Comparison,
    condition: Option<f64>,
    shares: Vec<Estimate>,
    weights: Vec<Estimate>,
}

impl LabelShift {
    /// Estimates the shares of the classes from how often each is predicted now.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when a class has no row in the reference or there is no prediction,
    /// [`DriftError::UnequalCells`] when the number of classes differs, and [`DriftError::InvalidSetting`].
    pub fn estimate(
        reference: &ConfusionCounts,
        predicted: &[u64],
        settings: &LabelShiftSettings,
    ) -> Result<Self, DriftError> {
        settings.validate()?;
        if predicted.len() != reference.classes() {
            return Err(DriftError::UnequalCells {
                reference: reference.classes(),
                current: predicted.len(),
            });
        }
        let rows: f64 = predicted.iter().map(|count| *count as f64).sum();
        if rows <= 0.0 {
            return Err(invalid("predicted", "has no rows; pass at least one"));
        }
        let labels = reference.labels();
        if let Some(class) = labels.iter().position(|rows| *rows == 0) {
            return Err(invalid(
                "reference",
                format!("has no row of class `{class}`; add some or leave the class out"),
            ));
        }
        let test = TestSettings::default().with_alpha(settings.alpha());
        let comparison = chi_square_homogeneity(&reference.predictions(), predicted, &test)?;
        let mut shift = Self {
            comparison,
            condition: None,
            shares: Vec::new(),
            weights: Vec::new(),
        };
        let columns = reference.shares_by_label();
        let Some(inverse) = inverse(&columns) else {
            return Ok(shift);
        };
        let condition = largest_column_sum(&inverse);
        if !condition.is_finite() {
            return Ok(shift);
        }
        shift.condition = Some(condition);
        if condition <= settings.largest_condition() {
            let counts: Vec<f64> = labels.iter().map(|rows| *rows as f64).collect();
            let solved = Solved::new(&columns, &inverse, &counts, predicted, rows);
            shift.fill(&solved, &counts, settings.alpha());
        }
        Ok(shift)
    }

    fn fill(&mut self, solved: &Solved, counts: &[f64], alpha: Alpha) {
        let z = normal_upper_quantile(alpha.get() / 2.0);
        let total: f64 = counts.iter().sum();
        let clipped: Vec<f64> = solved.shares.iter().map(|share| share.max(0.0)).collect();
        let sum: f64 = clipped.iter().sum();
        let mut shares = Vec::with_capacity(counts.len());
        let mut weights = Vec::with_capacity(counts.len());
        let each = solved.shares.iter().zip(&solved.variances).zip(&clipped);
        for (((raw, variance), clipped), count) in each.zip(counts) {
            let value = if sum > 0.0 { clipped / sum } else { 0.0 };
            let reach = z * variance.sqrt();
            let inside = |x: f64| x.clamp(0.0, 1.0);
            let before = count / total;
            let weight = value / before;
            let spread = variance / (before * before) + weight * weight * (1.0 - before) / count;
            let weight_reach = z * spread.sqrt();
            let centre = raw / before;
            shares.extend(Estimate::new(
                value,
                inside(raw - reach),
                inside(raw + reach),
                alpha,
                solved.rows,
            ));
            weights.extend(Estimate::new(
                weight,
                (centre - weight_reach).max(0.0),
                (centre + weight_reach).max(0.0),
                alpha,
                solved.rows,
            ));
        }
        if shares.len() == counts.len() && weights.len() == counts.len() {
            self.shares = shares;
            self.weights = weights;
        }
    }

    /// The test of whether predictions, and so the classes, have moved.
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }

    /// By how much an error in the shares of predictions is magnified in those of classes, at most; nothing when without bound.
    #[must_use]
    pub fn condition(&self) -> Option<f64> {
        self.condition
    }

    /// The estimated share of each class now; nothing when the classifier cannot tell.
    #[must_use]
    pub fn shares(&self) -> Option<&[Estimate]> {
        (!self.shares.is_empty()).then_some(self.shares.as_slice())
    }

    /// How many times what it did a row of each class counts now; nothing when the classifier cannot tell.
    ///
    /// Weighting the reference with these gives what it would be with the classes of today.
    #[must_use]
    pub fn weights(&self) -> Option<&[Estimate]> {
        (!self.weights.is_empty()).then_some(self.weights.as_slice())
    }
}

/// The solution of M π = μ before clipping, with the variances of its entries.
struct Solved {
    shares: Vec<f64>,
    variances: Vec<f64>,
    rows: u64,
}

impl Solved {
    /// `columns` are those of M, `inverse` has the rows of its inverse.
    fn new(
        columns: &[Vec<f64>],
        inverse: &[Vec<f64>],
        counts: &[f64],
        predicted: &[u64],
        rows: f64,
    ) -> Self {
        let now: Vec<f64> = predicted.iter().map(|count| *count as f64 / rows).collect();
        let shares: Vec<f64> = inverse.iter().map(|row| dot(row, &now)).collect();
        let variances = inverse.iter().map(|row| {
            let noise_now = multinomial_variance(row, &now) / rows;
            let classes = shares.iter().zip(columns).zip(counts);
            let noise_before: f64 = classes
                .map(|((share, column), count)| {
                    share * share * multinomial_variance(row, column) / count
                })
                .sum();
            noise_now + noise_before
        });
        Self {
            variances: variances.collect(),
            shares,
            rows: predicted
                .iter()
                .fold(0, |sum, count| sum.saturating_add(*count)),
        }
    }
}

/// The variance of the mark of one draw, when cell i has probability `shares`[i] and mark `marks`[i].
fn multinomial_variance(marks: &[f64], shares: &[f64]) -> f64 {
    let mean = dot(marks, shares);
    let each = marks.iter().zip(shares);
    each.map(|(mark, share)| share * (mark - mean) * (mark - mean))
        .sum()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn largest_column_sum(rows: &[Vec<f64>]) -> f64 {
    let mut sums = vec![0.0_f64; rows.len()];
    for row in rows {
        for (sum, entry) in sums.iter_mut().zip(row) {
            *sum += entry.abs();
        }
    }
    sums.into_iter().fold(0.0, f64::max)
}
