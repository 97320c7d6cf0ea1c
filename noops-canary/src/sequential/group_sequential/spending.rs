use std::f64::consts::E;

use noops_core::Alpha;
use noops_stats::special::{normal_sf, normal_upper_quantile};
use serde::{Deserialize, Serialize};

use super::sides::Sides;
use crate::error::CanaryError;

/// How much of the error rate may be spent by the time a part of the information is in (Lan and DeMets, 1983).
///
/// # Formula
///
/// With `t` the information fraction and α the error rate of one side:
///
/// | function | spent by `t` |
/// |---|---|
/// | O'Brien–Fleming type | 2 (1 − Φ(z(α/2) / √t)) |
/// | Pocock type | α ln(1 + (e − 1) t) |
/// | power family (Kim and DeMets, 1987) | α t^φ |
/// | Hwang, Shih and DeCani (1990) | α (1 − e^(−γt)) / (1 − e^(−γ)), and α t for γ = 0 |
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::{Sides, SpendingFunction};
/// use noops_core::Alpha;
///
/// let spent = SpendingFunction::Pocock.spent(Alpha::FIVE_PERCENT, Sides::One, 0.5)?;
/// assert!((spent - 0.031_005_725_3).abs() < 1e-8);
/// assert!(SpendingFunction::OBrienFleming.spent(Alpha::FIVE_PERCENT, Sides::One, 0.5)? < spent);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SpendingFunction {
    /// Next to nothing early, so that the last look is nearly as sharp as a single test.
    OBrienFleming,
    /// About the same critical value at every look.
    Pocock,
    /// A power of the information fraction.
    Power {
        /// The exponent, above 0 and at most 100: 1 spends evenly, 3 is near O'Brien–Fleming.
        phi: f64,
    },
    /// The one-parameter family of Hwang, Shih and DeCani.
    HwangShihDeCani {
        /// From −40 to 40: −4 is near O'Brien–Fleming, 1 near Pocock.
        gamma: f64,
    },
}

impl SpendingFunction {
    /// The part of the error rate, both sides together, that may be spent by an information fraction.
    ///
    /// A fraction above 1 counts as 1, and one below 0 as 0.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] for a parameter outside its range, and [`CanaryError::Input`] for a fraction that is NaN.
    pub fn spent(self, alpha: Alpha, sides: Sides, fraction: f64) -> Result<f64, CanaryError> {
        self.check()?;
        if fraction.is_nan() {
            return Err(CanaryError::Input {
                input: "fraction",
                reason: "is not a number; pass the information so far over that at the planned end",
            });
        }
        Ok(self.spent_by(alpha, sides, fraction))
    }

    /// Refuses a parameter outside its range.
    pub(super) fn check(self) -> Result<(), CanaryError> {
        match self {
            Self::OBrienFleming | Self::Pocock => Ok(()),
            Self::Power { phi } if phi > 0.0 && phi <= MOST_PHI => Ok(()),
            Self::Power { phi } => Err(CanaryError::Setting {
                name: "phi",
                value: phi,
                allowed: "above 0 and at most 100",
            }),
            Self::HwangShihDeCani { gamma } if gamma.abs() <= MOST_GAMMA => Ok(()),
            Self::HwangShihDeCani { gamma } => Err(CanaryError::Setting {
                name: "gamma",
                value: gamma,
                allowed: "from -40 to 40",
            }),
        }
    }

    /// The same for a function that was checked and a fraction that is a number.
    pub(super) fn spent_by(self, alpha: Alpha, sides: Sides, fraction: f64) -> f64 {
        if fraction >= 1.0 {
            return alpha.get();
        }
        if fraction <= 0.0 {
            return 0.0;
        }
        let part = sides.part(alpha);
        let spent = match self {
            Self::OBrienFleming => {
                2.0 * normal_sf(normal_upper_quantile(part / 2.0) / fraction.sqrt())
            }
            Self::Pocock => part * libm::log1p((E - 1.0) * fraction),
            Self::Power { phi } => part * libm::pow(fraction, phi),
            Self::HwangShihDeCani { gamma } if gamma.abs() < FLAT_GAMMA => part * fraction,
            Self::HwangShihDeCani { gamma } => {
                part * libm::expm1(-gamma * fraction) / libm::expm1(-gamma)
            }
        };
        (sides.count() * spent).clamp(0.0, alpha.get())
    }
}

const MOST_PHI: f64 = 100.0;
const MOST_GAMMA: f64 = 40.0;
/// Nearer to 0 than this the curve is a line to rounding error.
const FLAT_GAMMA: f64 = 1e-17;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_parameter_out_of_range_is_refused_by_name() {
        for (spending, name) in [
            (SpendingFunction::Power { phi: 0.0 }, "phi"),
            (SpendingFunction::Power { phi: f64::NAN }, "phi"),
            (SpendingFunction::HwangShihDeCani { gamma: 41.0 }, "gamma"),
            (
                SpendingFunction::HwangShihDeCani { gamma: f64::NAN },
                "gamma",
            ),
        ] {
            let error = spending
                .spent(Alpha::FIVE_PERCENT, Sides::One, 0.5)
                .unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        assert!(
            SpendingFunction::Pocock
                .spent(Alpha::FIVE_PERCENT, Sides::One, f64::NAN)
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn every_function_rises_from_nothing_to_all(
            earlier in 0.0_f64..1.0,
            later in 0.0_f64..1.0,
            phi in 0.01_f64..100.0,
            gamma in -40.0_f64..40.0,
        ) {
            let (earlier, later) = (earlier.min(later), earlier.max(later));
            for spending in [
                SpendingFunction::OBrienFleming,
                SpendingFunction::Pocock,
                SpendingFunction::Power { phi },
                SpendingFunction::HwangShihDeCani { gamma },
            ] {
                for sides in [Sides::One, Sides::Two] {
                    let spent = |t| spending.spent(Alpha::FIVE_PERCENT, sides, t).unwrap();
                    prop_assert_eq!(spent(0.0), 0.0);
                    prop_assert_eq!(spent(1.0), 0.05);
                    prop_assert_eq!(spent(f64::INFINITY), 0.05);
                    prop_assert!(spent(earlier) <= spent(later) + 1e-17);
                }
            }
        }
    }
}
