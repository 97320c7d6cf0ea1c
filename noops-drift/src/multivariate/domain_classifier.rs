mod area;
mod outcome;
mod settings;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::area::{Area, pooled};
pub use self::outcome::{ColumnShare, DomainClassification};
pub use self::settings::DomainClassifierSettings;
use crate::boosting::{Binned, Boosted, Loss, fold_rows, stacked};
use crate::error::DriftError;
use crate::matrix::Matrix;
use crate::statistic::comparison::{Comparison, Measured, Method, VISIBLE_POWER};
use noops_stats::special::{normal_sf, normal_upper_quantile};

/// Can a classifier tell current rows from reference rows? It sees what no column shows alone.
///
/// # Formula
///
/// The rows of both sides are dealt into K folds. For k = 2 to K, boosted trees are fitted to the folds before k and
/// score fold k; A_k is the area under their curve on it, the probability that a current row scores above a reference
/// row. The statistic is A = Σ w_k A_k with w_k proportional to n_k m_k / (n_k + m_k).
///
/// Usual cross-validation trains on later folds too, which correlates the areas of its folds, since a chance difference
/// of one half teaches the classifier of the other; no variance formula for the pooled scores knows of it. Here every
/// A_k − ½ has mean zero given all folds before it, so they add like independent terms. Without drift each is a
/// Mann–Whitney statistic with variance ((n + m + 1) − Σ(t³ − t)/((n + m)(n + m − 1))) / 12nm for ties of t rows, and
/// p = P(Z > (A − ½) / √(Σ w_k² v_k)). With a tolerance τ the null hypothesis is A ≤ ½ + τ, and the variance is the
/// larger of that one and that of DeLong, DeLong and Clarke-Pearson (Biometrics, 1988), which also gives the interval.
///
/// # Numerical notes
///
/// Rows must be independent. Without tolerance, the error rate is alpha whatever the columns hold, since without drift
/// the ranks in a fold do not depend on the data; the normal law of their sum is close with as few rows as are
/// accepted, 5 per fold and side: in simulations with 240 and 110 rows of five columns with ties and gaps, a nominal 5 %
/// is 5 % within sampling error, and the interval misses one half in less than 7 %. The interval is about the average of
/// the K − 1 fitted classifiers: a better one may tell more, so A is a lower bound of how far apart the sides are, and no
/// drift means none that these trees can learn.
/// DeLong's variance vanishes when the sides part without error; it is taken to be at least that of one misplaced row.
///
/// A NaN is a value like any other, so a change in what is missing is seen. The outcome depends on the order of rows
/// and on the seed, both only through which rows share a fold.
///
/// # Complexity
///
/// K − 1 fits, each O(rounds · depth · rows · columns), and sorting the scores.
///
/// # Examples
///
/// ```
/// use noops_drift::Matrix;
/// use noops_drift::multivariate::{DomainClassifier, DomainClassifierSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Either column looks the same on both sides, but they have begun to move together.
/// let column = |step: u32| (0..400).map(|row| f64::from(row * step % 401)).collect::<Vec<_>>();
/// let reference = Matrix::from_columns(vec![column(7), column(100)])?;
/// let current = Matrix::from_columns(vec![column(7), column(7)])?;
/// let classifier = DomainClassifier::new(DomainClassifierSettings::default())?;
/// let found = classifier.compare(&reference, &current)?;
/// assert!(found.comparison().verdict().is_drift());
/// assert!(found.lower() > 0.5);
/// assert_eq!(found.columns().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawDomainClassifier")]
pub struct DomainClassifier {
    settings: DomainClassifierSettings,
}

impl DomainClassifier {
    /// Takes settings.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] naming the setting that is out of range.
    pub fn new(settings: DomainClassifierSettings) -> Result<Self, DriftError> {
        settings.validate()?;
        Ok(Self { settings })
    }

    /// Compares the rows of both sides.
    ///
    /// With fewer than 5 rows per fold on a side, or columns that offer no split, nothing can be told and the verdict is
    /// undecided.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when the sides differ in their number of columns or have more rows together than a
    /// `u32` counts.
    pub fn compare(
        &self,
        reference: &Matrix,
        current: &Matrix,
    ) -> Result<DomainClassification, DriftError> {
        let width = reference.width();
        let sides = [reference.rows() as u64, current.rows() as u64];
        if current.width() != width {
            return Err(DriftError::InvalidInput {
                input: "current",
                reason: format!(
                    "has `{}` columns where the reference has `{width}`; pass the same columns in the same order",
                    current.width()
                ),
            });
        }
        let folds = self.settings.folds() as usize;
        if reference.rows().min(current.rows()) < LEAST_PER_FOLD * folds {
            return Ok(self.undecided(sides, width));
        }
        let features = stacked(reference, current)?;
        let (n_reference, n_current) = match (
            u32::try_from(reference.rows()),
            u32::try_from(features.rows()),
        ) {
            (Ok(n), Ok(all)) => (n, all.saturating_sub(n)),
            _ => return Err(too_many(features.rows())),
        };
        let binned = Binned::new(&features, self.settings.boosting().bins())?;
        let targets: Vec<f64> = (0..features.rows())
            .map(|row| if row < reference.rows() { 0.0 } else { 1.0 })
            .collect();
        let seed = self.settings.seed();
        let negatives = fold_rows(0, n_reference, folds, seed);
        // Another stream, so that equal sides are not dealt alike.
        let positives = fold_rows(n_reference, n_current, folds, !seed);

        let mut seen: Vec<u32> = Vec::with_capacity(features.rows());
        let mut areas = Vec::with_capacity(folds);
        let mut shares = vec![0.0; width];
        for (negative, positive) in negatives.iter().zip(&positives) {
            if !seen.is_empty() {
                seen.sort_unstable();
                let model = Boosted::fit(
                    &binned,
                    &seen,
                    &targets,
                    None,
                    Loss::Logistic,
                    self.settings.boosting(),
                )?;
                areas.push(Area::new(
                    &model.predict_rows(&features, negative)?,
                    &model.predict_rows(&features, positive)?,
                ));
                for (share, more) in shares.iter_mut().zip(model.gain_shares()) {
                    *share += more;
                }
            }
            seen.extend(negative.iter().chain(positive));
        }
        Ok(self.judge(sides, &pooled(&areas), &shares))
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &DomainClassifierSettings {
        &self.settings
    }

    fn judge(&self, sides: [u64; 2], area: &Area, shares: &[f64]) -> DomainClassification {
        let [n_reference, n_current] = sides;
        let test = self.settings.test();
        let edge = HALF + test.tolerance();
        let mut variance = area.null_variance();
        if variance <= 0.0 {
            return self.undecided(sides, shares.len());
        }
        if test.tolerance() > 0.0 {
            variance = variance.max(area.variance());
        }
        let error = variance.sqrt();
        let alpha = test.alpha().get();
        let critical = edge + normal_upper_quantile(alpha) * error;
        let visible = critical + normal_upper_quantile(1.0 - VISIBLE_POWER) * error;
        let measured = Measured {
            statistic: area.value(),
            p_value: normal_sf((area.value() - edge) / error),
            critical: (critical <= 1.0).then_some(critical),
            visible_from: (visible <= 1.0).then_some(visible),
        };
        let comparison = Comparison::judge(
            Method::DomainClassifier,
            n_reference,
            n_current,
            measured,
            test.alpha(),
            HALF + test.relevant_or(RELEVANT),
        );
        let reach = normal_upper_quantile(alpha / 2.0) * area.variance().sqrt();
        DomainClassification::new(
            comparison,
            [area.value(), area.value() - reach, area.value() + reach],
            shares,
        )
    }

    fn undecided(&self, sides: [u64; 2], width: usize) -> DomainClassification {
        let [n_reference, n_current] = sides;
        let blind = Comparison::blind(Method::DomainClassifier, n_reference, n_current);
        DomainClassification::new(blind, [HALF, 0.0, 1.0], &vec![0.0; width])
    }
}

fn too_many(rows: usize) -> DriftError {
    DriftError::InvalidInput {
        input: "current",
        reason: format!("and the reference have `{rows}` rows; pass samples of at most 4294967295"),
    }
}

#[derive(Deserialize)]
struct RawDomainClassifier {
    settings: DomainClassifierSettings,
}

impl TryFrom<RawDomainClassifier> for DomainClassifier {
    type Error = DriftError;

    fn try_from(raw: RawDomainClassifier) -> Result<Self, DriftError> {
        Self::new(raw.settings)
    }
}

/// The area of a classifier that knows nothing.
const HALF: f64 = 0.5;
/// The area that "no drift" must be able to rule out lies this far above one half, unless set.
const RELEVANT: f64 = 0.1;
/// Rows of each side in a fold, below which the law of the ranks is not trusted.
const LEAST_PER_FOLD: usize = 5;
