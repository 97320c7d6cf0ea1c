use noops_core::Alpha;

use super::outcome::TestOutcome;
use super::sample::check_sample;
use super::settings::{Margin, TestSettings};
use super::welch::{welch_equivalence, welch_non_inferiority, welch_t_test};
use crate::error::CanaryError;

#[cfg(test)]
mod tests;

/// A metric freed from what a covariate already said about it: controlled experiments using pre-experiment data (CUPED).
///
/// # Formula
///
/// With covariate x and metric y, θ = Σ (x − x̄)(y − ȳ) / Σ (x − x̄)², the means those of each arm and the sums over both
/// arms. The adjusted metric is y − θ (x − x̿), x̿ the mean of all covariates, so that its mean over the arms stays in the
/// units of the metric and the difference of the arms' means estimates the same effect. Its variance is that of the metric
/// times 1 − ρ², ρ the correlation within the arms (Deng, Xu, Kohavi and Walker, 2013).
///
/// # Assumptions
///
/// **The covariate must not be affected by which arm served the unit**: take it from before the exposure, or take the
/// champion's shadow score of the same request. A covariate the candidate changes takes part of the effect with it. Rows are
/// units, independent of each other.
///
/// # Numerical notes
///
/// θ comes from the data that it adjusts: the tests take it as known, which costs one of the degrees of freedom and is of no
/// account beyond a few dozen rows.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{Cuped, TestSettings};
///
/// let before: Vec<f64> = (0..40).map(|k| f64::from(k * 17 % 41)).collect();
/// let champion: Vec<f64> = before.iter().zip(0..).map(|(x, k)| 2.0 * x + f64::from(k % 3)).collect();
/// let candidate: Vec<f64> = champion.iter().map(|y| y + 1.5).collect();
/// let cuped = Cuped::fit(&before, &champion, &before, &candidate)?;
/// assert!(cuped.variance_reduction() > 0.99);
/// let outcome = cuped.welch(&TestSettings::default())?;
/// assert!(outcome.p_value() < 1e-6);
/// assert!(outcome.estimate().is_some_and(|shift| (shift - 1.5).abs() < 1e-9));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cuped {
    theta: f64,
    variance_reduction: f64,
    champion: Vec<f64>,
    candidate: Vec<f64>,
}

impl Cuped {
    /// Estimates θ and adjusts both arms. Row by row, a covariate belongs to the metric of the same arm.
    ///
    /// # Errors
    ///
    /// [`CanaryError::TooFew`] for fewer than two rows in an arm, [`CanaryError::Length`] for a covariate of another length
    /// than its metric, [`CanaryError::NotFinite`], also where sums of squares overflow, and [`CanaryError::Constant`] for a
    /// covariate or a metric that does not vary within either arm.
    ///
    /// # Complexity
    ///
    /// O(n).
    pub fn fit(
        covariate_champion: &[f64],
        metric_champion: &[f64],
        covariate_candidate: &[f64],
        metric_candidate: &[f64],
    ) -> Result<Self, CanaryError> {
        check_sample("covariate_champion", covariate_champion, 2)?;
        check_sample("metric_champion", metric_champion, 2)?;
        check_sample("covariate_candidate", covariate_candidate, 2)?;
        check_sample("metric_candidate", metric_candidate, 2)?;
        check_length("covariate_champion", covariate_champion, metric_champion)?;
        check_length("covariate_candidate", covariate_candidate, metric_candidate)?;
        if is_constant(covariate_champion) && is_constant(covariate_candidate) {
            return Err(CanaryError::Constant {
                column: "covariate",
            });
        }
        if is_constant(metric_champion) && is_constant(metric_candidate) {
            return Err(CanaryError::Constant { column: "metric" });
        }
        let of_champion = Moments::of(covariate_champion, metric_champion);
        let of_candidate = Moments::of(covariate_candidate, metric_candidate);
        let xx = of_champion.xx + of_candidate.xx;
        let xy = of_champion.xy + of_candidate.xy;
        let yy = of_champion.yy + of_candidate.yy;
        let theta = xy / xx;
        if !(xx > 0.0 && yy > 0.0 && theta.is_finite() && (xx + yy).is_finite()) {
            return Err(CanaryError::Input {
                input: "covariate",
                reason: "or the metric is too large or too small to be squared; rescale both to the size of one",
            });
        }
        let rows = covariate_champion.len() as f64 + covariate_candidate.len() as f64;
        let mean = of_champion.x_mean * (covariate_champion.len() as f64 / rows)
            + of_candidate.x_mean * (covariate_candidate.len() as f64 / rows);
        let adjusted = |covariate: &[f64], metric: &[f64]| -> Vec<f64> {
            let both = covariate.iter().zip(metric);
            both.map(|(x, y)| y - theta * (x - mean)).collect()
        };
        Ok(Self {
            theta,
            // In this order no product overflows.
            variance_reduction: (xy / xx * (xy / yy)).clamp(0.0, 1.0),
            champion: adjusted(covariate_champion, metric_champion),
            candidate: adjusted(covariate_candidate, metric_candidate),
        })
    }

    /// θ, by how much the metric moves with the covariate.
    #[must_use]
    pub fn theta(&self) -> f64 {
        self.theta
    }

    /// The share of the variance within the arms that the covariate explains, ρ².
    #[must_use]
    pub fn variance_reduction(&self) -> f64 {
        self.variance_reduction
    }

    /// The variance left, as a share: 1 − ρ². As many rows times this number give the same power.
    #[must_use]
    pub fn variance_factor(&self) -> f64 {
        1.0 - self.variance_reduction
    }

    /// The champion's adjusted metric, in the order of its rows.
    #[must_use]
    pub fn adjusted_champion(&self) -> &[f64] {
        &self.champion
    }

    /// The candidate's adjusted metric, in the order of its rows.
    #[must_use]
    pub fn adjusted_candidate(&self) -> &[f64] {
        &self.candidate
    }

    /// Welch's t-test of the adjusted metric.
    ///
    /// # Errors
    ///
    /// Those of [`welch_t_test`], as when the covariate explains the metric fully.
    pub fn welch(&self, settings: &TestSettings) -> Result<TestOutcome, CanaryError> {
        welch_t_test(&self.champion, &self.candidate, settings)
    }

    /// Welch's test of non-inferiority of the adjusted metric.
    ///
    /// # Errors
    ///
    /// Those of [`welch_non_inferiority`].
    pub fn non_inferiority(
        &self,
        margin: Margin,
        alpha: Alpha,
    ) -> Result<TestOutcome, CanaryError> {
        welch_non_inferiority(&self.champion, &self.candidate, margin, alpha)
    }

    /// Welch's test of equivalence of the adjusted metric.
    ///
    /// # Errors
    ///
    /// Those of [`welch_equivalence`].
    pub fn equivalence(&self, margin: Margin, alpha: Alpha) -> Result<TestOutcome, CanaryError> {
        welch_equivalence(&self.champion, &self.candidate, margin, alpha)
    }
}

fn check_length(
    column: &'static str,
    covariate: &[f64],
    metric: &[f64],
) -> Result<(), CanaryError> {
    if covariate.len() == metric.len() {
        return Ok(());
    }
    Err(CanaryError::Length {
        column,
        expected: metric.len(),
        found: covariate.len(),
    })
}

fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair.first() == pair.last())
}

/// Sums of squares and products about the means of one arm.
struct Moments {
    x_mean: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Moments {
    /// In two passes, so that a mean far from zero costs no digits.
    fn of(covariate: &[f64], metric: &[f64]) -> Self {
        let (x_mean, y_mean) = (mean(covariate), mean(metric));
        let mut moments = Self {
            x_mean,
            xx: 0.0,
            xy: 0.0,
            yy: 0.0,
        };
        for (x, y) in covariate.iter().zip(metric) {
            let (x, y) = (x - x_mean, y - y_mean);
            moments.xx += x * x;
            moments.xy += x * y;
            moments.yy += y * y;
        }
        moments
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
