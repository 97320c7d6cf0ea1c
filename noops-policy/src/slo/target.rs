use std::fmt;

use serde::{Deserialize, Serialize};

use crate::slo::SloError;

/// The part of events that shall be good, strictly between 0 and 1.
///
/// It is kept in whole parts of a million million, so that the budget of `0.999` is the number `0.001` and not what is left
/// when two roundings are subtracted.
///
/// # Formula
///
/// budget = 1 - target.
///
/// # Examples
///
/// ```
/// use noops_policy::slo::Target;
///
/// let target = Target::from_percent(99.9)?;
/// assert_eq!(target.ratio(), 0.999);
/// assert_eq!(target.budget(), 0.001);
/// assert!(Target::new(1.0).is_err());
/// # Ok::<(), noops_policy::slo::SloError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Target(u64);

impl Target {
    /// Checks that `ratio` lies strictly between 0 and 1.
    ///
    /// # Errors
    ///
    /// [`SloError::Target`] for 0, 1, everything outside, NaN, and what is nearer to 0 or 1 than half a part in a million
    /// million.
    pub fn new(ratio: f64) -> Result<Self, SloError> {
        let parts = (ratio * PARTS as f64).round();
        if parts >= 1.0 && parts < PARTS as f64 {
            Ok(Self(parts as u64))
        } else {
            Err(SloError::Target { ratio })
        }
    }

    /// Checks a target in percent, such as `99.9`.
    ///
    /// # Errors
    ///
    /// As [`Target::new`].
    pub fn from_percent(percent: f64) -> Result<Self, SloError> {
        Self::new(percent / 100.0)
    }

    /// The ratio, correctly rounded.
    #[must_use]
    pub fn ratio(self) -> f64 {
        self.0 as f64 / PARTS as f64
    }

    /// The target in percent, correctly rounded.
    #[must_use]
    pub fn percent(self) -> f64 {
        self.0 as f64 / (PARTS / 100) as f64
    }

    /// The part of events that may be bad, correctly rounded.
    #[must_use]
    pub fn budget(self) -> f64 {
        PARTS.saturating_sub(self.0) as f64 / PARTS as f64
    }
}

impl TryFrom<f64> for Target {
    type Error = SloError;

    fn try_from(ratio: f64) -> Result<Self, SloError> {
        Self::new(ratio)
    }
}

impl From<Target> for f64 {
    fn from(target: Target) -> Self {
        target.ratio()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent())
    }
}

/// Exact in a double, as is every count below it: one division rounds once.
const PARTS: u64 = 1_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_the_number_somebody_would_write() {
        for (percent, ratio, budget) in [
            (99.0, 0.99, 0.01),
            (99.9, 0.999, 0.001),
            (99.95, 0.9995, 0.0005),
            (99.99, 0.9999, 0.0001),
            (99.999, 0.99999, 0.00001),
            (93.06, 0.9306, 0.0694),
            (80.0, 0.8, 0.2),
        ] {
            let target = Target::from_percent(percent).unwrap();
            assert_eq!(target.ratio(), ratio);
            assert_eq!(target.budget(), budget);
            assert_eq!(target.percent(), percent);
            assert_eq!(target, Target::new(ratio).unwrap());
        }
        assert_eq!(Target::new(0.999).unwrap().to_string(), "99.9 %");
    }

    #[test]
    fn a_target_without_budget_is_refused() {
        for ratio in [
            0.0,
            1.0,
            -0.5,
            1.5,
            1e-15,
            1.0 - 1e-15,
            f64::NAN,
            f64::INFINITY,
        ] {
            assert!(Target::new(ratio).is_err(), "{ratio}");
        }
        assert!(serde_json::from_str::<Target>("99.9").is_err());
        let target: Target = serde_json::from_str("0.999").unwrap();
        assert_eq!(serde_json::to_string(&target).unwrap(), "0.999");
    }
}
