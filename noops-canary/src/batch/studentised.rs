use noops_core::Alpha;
use noops_stats::special::{student_sf, student_upper_quantile};

use super::settings::{Alternative, Margin};
use crate::direction::Direction;
use crate::error::CanaryError;
use crate::interval::Interval;

/// An estimate whose distance from the truth, over its estimated deviation, follows Student's law.
#[derive(Clone, Copy, Debug)]
pub(super) struct Studentised {
    pub(super) estimate: f64,
    pub(super) deviation: f64,
    pub(super) freedom: f64,
}

impl Studentised {
    /// How many deviations the estimate is above `null`.
    pub(super) fn statistic(&self, null: f64) -> f64 {
        (self.estimate - null) / self.deviation
    }

    pub(super) fn p_value(&self, alternative: Alternative, null: f64) -> f64 {
        let t = self.statistic(null);
        match alternative {
            Alternative::TwoSided => 2.0 * student_sf(t.abs(), self.freedom),
            Alternative::Greater => student_sf(t, self.freedom),
            Alternative::Less => student_sf(-t, self.freedom),
        }
    }

    pub(super) fn interval(&self, alternative: Alternative, alpha: Alpha) -> Interval {
        let reach = |tail: f64| student_upper_quantile(tail, self.freedom) * self.deviation;
        match alternative {
            Alternative::TwoSided => {
                let half = reach(alpha.get() / 2.0);
                Interval::between(self.estimate - half, self.estimate + half)
            }
            Alternative::Greater => {
                Interval::between(self.estimate - reach(alpha.get()), f64::INFINITY)
            }
            Alternative::Less => {
                Interval::between(f64::NEG_INFINITY, self.estimate + reach(alpha.get()))
            }
        }
    }

    /// The statistic and the p-value of the two one-sided tests together: those of the one that is further from rejecting.
    pub(super) fn equivalence(&self, size: f64) -> TwoOneSided {
        TwoOneSided {
            statistic: self.statistic(-size).min(-self.statistic(size)),
            p_value: self
                .p_value(Alternative::Greater, -size)
                .max(self.p_value(Alternative::Less, size)),
        }
    }
}

pub(super) struct TwoOneSided {
    pub(super) statistic: f64,
    pub(super) p_value: f64,
}

/// What evidence of non-inferiority is evidence for.
pub(super) fn not_worse(margin: Margin) -> Alternative {
    match margin.direction() {
        Direction::LowerIsBetter => Alternative::Less,
        Direction::HigherIsBetter => Alternative::Greater,
    }
}

/// The error rate of the interval that two one-sided tests at `alpha` look at.
pub(super) fn twice(alpha: Alpha) -> Result<Alpha, CanaryError> {
    Alpha::new(2.0 * alpha.get()).map_err(|_| CanaryError::Setting {
        name: "alpha",
        value: alpha.get(),
        allowed: "above 0 and below 0.5",
    })
}

/// The mean of a sample and its variance, of which the sum of squares is taken about the first value and corrected: a constant
/// sample has a variance of exactly zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    pub(super) n: f64,
    pub(super) mean: f64,
    pub(super) variance: f64,
}

impl Moments {
    /// Of at least two values.
    pub(super) fn of(
        column: &'static str,
        values: impl Iterator<Item = f64> + Clone,
    ) -> Result<Self, CanaryError> {
        let first = values.clone().next().unwrap_or(0.0);
        let (mut n, mut sum) = (0.0, 0.0);
        for value in values.clone() {
            n += 1.0;
            sum += value - first;
        }
        let shift = sum / n;
        let (mut squares, mut rest) = (0.0, 0.0);
        for value in values {
            let gap = value - first - shift;
            squares += gap * gap;
            rest += gap;
        }
        let moments = Self {
            n,
            mean: first + shift,
            variance: ((squares - rest * rest / n) / (n - 1.0)).max(0.0),
        };
        if moments.mean.is_finite() && moments.variance.is_finite() && squares.is_finite() {
            Ok(moments)
        } else {
            Err(CanaryError::Input {
                input: column,
                reason: "has values too large to square; pass them in a larger unit",
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_sample_has_no_variance_at_all() {
        for value in [0.1, 1e300, -7.3e-200] {
            let moments = Moments::of("values", [value; 1_000].into_iter()).unwrap();
            assert_eq!((moments.mean, moments.variance), (value, 0.0));
        }
    }

    #[test]
    fn a_large_offset_costs_no_accuracy() {
        let values = [1.0, 2.0, 4.0].map(|value| value + 1e9);
        let moments = Moments::of("values", values.into_iter()).unwrap();
        assert!((moments.variance - 7.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn values_whose_squares_overflow_are_refused() {
        for values in [[1e200, -1e200], [f64::MAX, f64::MIN]] {
            assert!(Moments::of("values", values.into_iter()).is_err());
        }
    }

    #[test]
    fn half_is_too_much_for_two_one_sided_tests() {
        assert!(twice(Alpha::new(0.5).unwrap()).is_err());
        assert_eq!(
            twice(Alpha::FIVE_PERCENT).unwrap(),
            Alpha::new(0.1).unwrap()
        );
    }
}
