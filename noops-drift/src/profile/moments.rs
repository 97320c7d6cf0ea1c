use serde::{Deserialize, Serialize};

use super::runs::Run;

/// Mean, spread and shape of the finite numbers of a reference column.
///
/// # Formula
///
/// Mean μ = Σ x / n, variance Σ (x − μ)² / n, skewness Σ (x − μ)³ / (n σ³), kurtosis Σ (x − μ)⁴ / (n σ⁴) − 3. The sums run over the values
/// in ascending order and are compensated, so they do not depend on the order of the rows.
///
/// # Numerical notes
///
/// Where the profile keeps buckets of values, a bucket counts as its middle. That moves the mean and the standard deviation by at most half
/// the width of the widest bucket. Skewness and kurtosis have no such bound: both are approximate then.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    mean: f64,
    standard_deviation: f64,
    skewness: f64,
    kurtosis: f64,
}

impl Moments {
    /// Nothing without a value, or when a sum is beyond the numbers.
    pub(super) fn of(runs: impl Iterator<Item = Run> + Clone) -> Option<Self> {
        let values = runs.map(|run| (run.low / 2.0 + run.high / 2.0, run.count as f64));
        let n: f64 = values.clone().map(|(_, count)| count).sum();
        let least = values.clone().next()?.0;
        let most = values.clone().last()?.0;
        // Within the values, so that a constant has no spread, however its sum is rounded.
        let mean = (sum(values.clone().map(|(value, count)| value * count)) / n)
            .max(least)
            .min(most);
        // Deviations are measured by the largest, so that no square is too large or too small for a number.
        let largest = (most - mean).max(mean - least);
        let scale = if largest > 0.0 { largest } else { 1.0 };
        let variance = sum(values.clone().map(|(value, count)| {
            let deviation = (value - mean) / scale;
            deviation * deviation * (count / n)
        }));
        let spread = variance.sqrt();
        let standardised = |power: i32| {
            if spread > 0.0 {
                sum(values.clone().map(|(value, count)| {
                    ((value - mean) / scale / spread).powi(power) * (count / n)
                }))
            } else {
                0.0
            }
        };
        let moments = Self {
            mean,
            standard_deviation: spread * scale,
            skewness: standardised(3),
            kurtosis: if spread > 0.0 {
                standardised(4) - 3.0
            } else {
                0.0
            },
        };
        moments.is_valid().then_some(moments)
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard deviation of the reference as a population.
    #[must_use]
    pub fn standard_deviation(&self) -> f64 {
        self.standard_deviation
    }

    /// The skewness; 0 for a constant.
    #[must_use]
    pub fn skewness(&self) -> f64 {
        self.skewness
    }

    /// The excess kurtosis, 0 for a bell curve and for a constant.
    #[must_use]
    pub fn kurtosis(&self) -> f64 {
        self.kurtosis
    }

    pub(super) fn is_valid(&self) -> bool {
        [
            self.mean,
            self.standard_deviation,
            self.skewness,
            self.kurtosis,
        ]
        .iter()
        .all(|moment| moment.is_finite())
            && self.standard_deviation >= 0.0
    }
}

/// Neumaier's compensated sum.
fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let mut sum = 0.0_f64;
    let mut lost = 0.0_f64;
    for term in terms {
        let next = sum + term;
        lost += if sum.abs() >= term.abs() {
            (sum - next) + term
        } else {
            (term - next) + sum
        };
        sum = next;
    }
    sum + lost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: &[f64]) -> Option<Moments> {
        Moments::of(values.iter().map(|value| Run {
            low: *value,
            high: *value,
            count: 1,
        }))
    }

    #[test]
    fn moments_agree_with_scipy() {
        // x = [1, 2, 3, 4, 10]; x.mean(), x.std(), scipy.stats.skew(x), scipy.stats.kurtosis(x)
        let found = moments(&[1.0, 2.0, 3.0, 4.0, 10.0]).unwrap();
        assert!((found.mean() - 4.0).abs() < 1e-12);
        assert!((found.standard_deviation() - 10.0_f64.sqrt()).abs() < 1e-12);
        assert!((found.skewness() - 1.138_419_957_660_617_3).abs() < 1e-12);
        assert!((found.kurtosis() - -0.211_999_999_999_999_74).abs() < 1e-12);
    }

    #[test]
    fn the_unit_of_the_values_does_not_change_their_shape() {
        for unit in [1e-300, 1e-170, 1e150, 1e300] {
            let found = moments(&[1.0, 2.0, 3.0, 4.0, 10.0].map(|value| value * unit)).unwrap();
            assert!((found.standard_deviation() / unit - 10.0_f64.sqrt()).abs() < 1e-12);
            assert!((found.skewness() - 1.138_419_957_660_617_3).abs() < 1e-12);
        }
    }

    #[test]
    fn a_constant_has_no_shape_and_nothing_has_no_moments() {
        let constant = moments(&[7.0; 3]).unwrap();
        assert_eq!(
            (
                constant.standard_deviation(),
                constant.skewness(),
                constant.kurtosis()
            ),
            (0.0, 0.0, 0.0)
        );
        assert_eq!(moments(&[]), None);
        assert_eq!(moments(&[f64::MAX, f64::MIN, f64::MAX]), None);
    }
}
