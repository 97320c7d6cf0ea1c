use noops_core::{Alpha, Probability};
use noops_stats::special::{falling_root, normal_upper_quantile};
use serde::{Deserialize, Serialize};

use super::integration::{MOST_CRITICAL, Walk};
use super::sides::Sides;
use super::spending::SpendingFunction;
use crate::error::CanaryError;

/// The critical values of a group sequential test whose looks are planned beforehand, and how such a test behaves.
///
/// Use it to plan. To carry a test through, use [`GroupSequential`](super::GroupSequential), whose looks may fall at other times
/// than planned.
///
/// # Formula
///
/// The test stops and rejects at look k when z is at least c(k) (|z|, for two sides). Wang and Tsiatis (1987) set
/// c(k) = C (k/K)^(Δ − 1/2) at K looks equally far apart, with C such that some look rejects with probability α if there is no
/// effect: Δ = 1/2 is Pocock (1977), Δ = 0 O'Brien and Fleming (1979). With a [`SpendingFunction`] c(k) is such that look k
/// is the first to reject with the probability that may be spent between it and the one before.
///
/// # Numerical notes
///
/// The z-values are taken to be normal with the covariance of a Brownian motion, √(t₁/t₂), which holds asymptotically for any
/// efficient estimator. The probabilities are integrated recursively (Jennison and Turnbull 2000, chapter 19) to ten digits or
/// more. A drift is the mean of z at information fraction 1: the effect times the square root of the maximum information.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::{GroupSequentialBoundary, Sides};
/// use noops_core::{Alpha, Probability};
///
/// let pocock = GroupSequentialBoundary::pocock(Alpha::FIVE_PERCENT, Sides::Two, 5)?;
/// assert!(pocock.critical_values().iter().all(|critical| (critical - 2.413).abs() < 5e-4));
///
/// // The price of the looks: 20.6 % more information at the most, but 31 % less than a single look on average.
/// let power = Probability::new(0.9)?;
/// assert!((pocock.inflation(power)? - 1.2065).abs() < 1e-4);
/// let drift = pocock.drift_for_power(power)?;
/// assert!(pocock.expected_fraction(drift)? * pocock.inflation(power)? < 0.7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawBoundary", into = "RawBoundary")]
pub struct GroupSequentialBoundary {
    alpha: Alpha,
    sides: Sides,
    looks: Vec<PlannedLook>,
}

impl GroupSequentialBoundary {
    /// Pocock's boundary: the same critical value at every one of `looks` equally spaced looks.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless there are 1 to 100 looks.
    ///
    /// # Complexity
    ///
    /// At most a hundred passes through all looks, each of which costs the more steps the more looks there are.
    pub fn pocock(alpha: Alpha, sides: Sides, looks: usize) -> Result<Self, CanaryError> {
        Self::wang_tsiatis(alpha, sides, looks, 0.5)
    }

    /// O'Brien and Fleming's boundary at `looks` equally spaced looks: sharp at the end, at the price of a high bar early.
    ///
    /// # Errors
    ///
    /// As for [`pocock`](Self::pocock).
    pub fn obrien_fleming(alpha: Alpha, sides: Sides, looks: usize) -> Result<Self, CanaryError> {
        Self::wang_tsiatis(alpha, sides, looks, 0.0)
    }

    /// Wang and Tsiatis' boundary with exponent `shape`, from −0.5 to 0.5, at `looks` equally spaced looks.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] for a shape outside its range, and unless there are 1 to 100 looks.
    pub fn wang_tsiatis(
        alpha: Alpha,
        sides: Sides,
        looks: usize,
        shape: f64,
    ) -> Result<Self, CanaryError> {
        if !(1..=MOST_LOOKS).contains(&looks) {
            return Err(CanaryError::Setting {
                name: "looks",
                value: looks as f64,
                allowed: "from 1 to 100",
            });
        }
        if shape.is_nan() || shape.abs() > 0.5 {
            return Err(CanaryError::Setting {
                name: "shape",
                value: shape,
                allowed: "from -0.5 to 0.5",
            });
        }
        let at = |constant: f64| Self {
            alpha,
            sides,
            looks: (1..=looks)
                .map(|look| {
                    let fraction = look as f64 / looks as f64;
                    PlannedLook {
                        fraction,
                        critical: constant * libm::pow(fraction, shape - 0.5),
                    }
                })
                .collect(),
        };
        let low = match sides {
            Sides::One => -MOST_CRITICAL,
            Sides::Two => 0.0,
        };
        let constant = falling_root(low, MOST_CRITICAL, alpha.get(), |constant| {
            at(constant).rejected(0.0).iter().sum()
        });
        Ok(at(constant))
    }

    /// The boundary that spends the error rate by `spending` at the given information fractions, the last of which is 1.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] for a parameter of the spending function outside its range, and [`CanaryError::Input`] unless
    /// the fractions rise by a thousandth or more each time, from 0, to end at 1.
    pub fn lan_de_mets(
        alpha: Alpha,
        sides: Sides,
        spending: SpendingFunction,
        fractions: &[f64],
    ) -> Result<Self, CanaryError> {
        spending.check()?;
        check_fractions(fractions.iter().copied())?;
        let mut walk = Walk::new(0.0);
        let mut spent = 0.0;
        let mut looks = Vec::with_capacity(fractions.len());
        for &fraction in fractions {
            let target = spending.spent_by(alpha, sides, fraction);
            walk.arrive(fraction);
            let critical = walk.critical(sides, target - spent);
            walk.stay(sides.lower(critical), critical);
            spent = target;
            looks.push(PlannedLook { fraction, critical });
        }
        Ok(Self {
            alpha,
            sides,
            looks,
        })
    }

    /// The error rate, all looks and both sides together.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// On which sides it rejects.
    #[must_use]
    pub fn sides(&self) -> Sides {
        self.sides
    }

    /// The information fraction of every look.
    #[must_use]
    pub fn fractions(&self) -> Vec<f64> {
        self.looks.iter().map(|look| look.fraction).collect()
    }

    /// The critical value of every look. A normal variable is never as large as 40, so larger ones stand for no rejection.
    #[must_use]
    pub fn critical_values(&self) -> Vec<f64> {
        self.looks.iter().map(|look| look.critical).collect()
    }

    /// The probability of every look to be the one that rejects, on either side.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the drift is from −100 to 100.
    pub fn rejection_probabilities(&self, drift: f64) -> Result<Vec<f64>, CanaryError> {
        if drift.is_nan() || drift.abs() > MOST_DRIFT {
            return Err(CanaryError::Setting {
                name: "drift",
                value: drift,
                allowed: "from -100 to 100",
            });
        }
        Ok(self.rejected(drift))
    }

    /// The probability that some look rejects, on either side.
    ///
    /// # Errors
    ///
    /// As for [`rejection_probabilities`](Self::rejection_probabilities).
    pub fn power(&self, drift: f64) -> Result<f64, CanaryError> {
        let rejected: f64 = self.rejection_probabilities(drift)?.iter().sum();
        Ok(rejected.clamp(0.0, 1.0))
    }

    /// The mean information at the end of the test, as a fraction of the maximum.
    ///
    /// # Errors
    ///
    /// As for [`rejection_probabilities`](Self::rejection_probabilities).
    pub fn expected_fraction(&self, drift: f64) -> Result<f64, CanaryError> {
        let rejected = self.rejection_probabilities(drift)?;
        // What a stop at each look saves of the last.
        let saved: f64 = rejected
            .iter()
            .zip(&self.looks)
            .map(|(chance, look)| chance * (1.0 - look.fraction))
            .sum();
        Ok((1.0 - saved).clamp(0.0, 1.0))
    }

    /// The drift above 0 that is found with probability `power`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the power is above the error rate and below 1.
    pub fn drift_for_power(&self, power: Probability) -> Result<f64, CanaryError> {
        self.check_power(power)?;
        Ok(falling_root(0.0, MOST_DRIFT, 1.0 - power.get(), |drift| {
            1.0 - self.rejected(drift).iter().sum::<f64>()
        }))
    }

    /// How many times the information of a test with a single look it needs, at the most, for the same power.
    ///
    /// # Errors
    ///
    /// As for [`drift_for_power`](Self::drift_for_power).
    pub fn inflation(&self, power: Probability) -> Result<f64, CanaryError> {
        let single = Self {
            alpha: self.alpha,
            sides: self.sides,
            looks: vec![PlannedLook {
                fraction: 1.0,
                critical: normal_upper_quantile(self.sides.part(self.alpha)),
            }],
        };
        let ratio = self.drift_for_power(power)? / single.drift_for_power(power)?;
        Ok(ratio * ratio)
    }

    fn check_power(&self, power: Probability) -> Result<(), CanaryError> {
        if power.get() > self.alpha.get() && power.get() < 1.0 {
            return Ok(());
        }
        Err(CanaryError::Setting {
            name: "power",
            value: power.get(),
            allowed: "above the error rate and below 1",
        })
    }

    fn rejected(&self, drift: f64) -> Vec<f64> {
        let mut walk = Walk::new(drift);
        self.looks
            .iter()
            .map(|look| {
                walk.arrive(look.fraction);
                walk.stay(self.sides.lower(look.critical), look.critical);
                walk.beyond(self.sides, look.critical)
            })
            .collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct PlannedLook {
    fraction: f64,
    critical: f64,
}

#[derive(Serialize, Deserialize)]
struct RawBoundary {
    alpha: Alpha,
    sides: Sides,
    looks: Vec<PlannedLook>,
}

impl TryFrom<RawBoundary> for GroupSequentialBoundary {
    type Error = CanaryError;

    fn try_from(raw: RawBoundary) -> Result<Self, CanaryError> {
        check_fractions(raw.looks.iter().map(|look| look.fraction))?;
        let boundary = Self {
            alpha: raw.alpha,
            sides: raw.sides,
            looks: raw.looks,
        };
        let possible = boundary.looks.iter().all(|look| {
            look.critical.is_finite() && (boundary.sides == Sides::One || look.critical >= 0.0)
        });
        let spent: f64 = boundary.rejected(0.0).iter().sum();
        if possible && (spent / boundary.alpha.get() - 1.0).abs() <= SAME_ALPHA {
            return Ok(boundary);
        }
        Err(CanaryError::State {
            state: "GroupSequentialBoundary",
            reason: "the critical values do not have the error rate it states",
        })
    }
}

impl From<GroupSequentialBoundary> for RawBoundary {
    fn from(boundary: GroupSequentialBoundary) -> Self {
        Self {
            alpha: boundary.alpha,
            sides: boundary.sides,
            looks: boundary.looks,
        }
    }
}

fn check_fractions(fractions: impl IntoIterator<Item = f64>) -> Result<(), CanaryError> {
    let mut last = 0.0;
    for fraction in fractions {
        // A NaN does not rise.
        let rises = fraction - last >= SMALLEST_RISE && fraction <= 1.0;
        if !rises {
            return Err(CanaryError::Input {
                input: "fractions",
                reason: "must rise by 0.001 or more each time and end at 1; pass the information at each look over the maximum",
            });
        }
        last = fraction;
    }
    if last < 1.0 {
        return Err(CanaryError::Input {
            input: "fractions",
            reason: "must end at 1; add the last look",
        });
    }
    Ok(())
}

/// A thousandth, less what rounding takes from the difference of two fractions.
pub(super) const SMALLEST_RISE: f64 = 0.000_999_999;
const MOST_LOOKS: usize = 100;
pub(super) const MOST_DRIFT: f64 = 100.0;
const SAME_ALPHA: f64 = 1e-6;
