//! Numbers that cannot be illegal.

use std::fmt;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

/// An error rate strictly between 0 and 1: the probability of a false alarm that a decision may have.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
///
/// assert_eq!(Alpha::new(0.05), Ok(Alpha::FIVE_PERCENT));
/// assert!(Alpha::new(0.0).is_err());
/// assert!(Alpha::new(f64::NAN).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Alpha(f64);

impl Alpha {
    /// One false alarm in twenty.
    pub const FIVE_PERCENT: Self = Self(0.05);
    /// One false alarm in a hundred.
    pub const ONE_PERCENT: Self = Self(0.01);

    /// Checks that `value` lies strictly between 0 and 1.
    ///
    /// # Errors
    ///
    /// Refuses 0, 1, everything outside, and NaN.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        if value > 0.0 && value < 1.0 {
            Ok(Self(value))
        } else {
            Err(UnitError::new(
                "an error rate",
                value,
                "strictly between 0 and 1",
            ))
        }
    }

    /// The rate as a number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// An equal part of the rate, for `parts` tests of which any may raise the alarm (Bonferroni).
    #[must_use]
    pub fn split(self, parts: NonZeroUsize) -> Self {
        // A subnormal rate divided by a huge count could round to zero, which is no rate.
        Self((self.0 / parts.get() as f64).max(f64::MIN_POSITIVE))
    }
}

/// A probability, 0 and 1 included.
///
/// # Examples
///
/// ```
/// use noops_core::Probability;
///
/// let p = Probability::new(0.25)?;
/// assert_eq!(p.complement().get(), 0.75);
/// # Ok::<(), noops_core::UnitError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Probability(f64);

impl Probability {
    /// Impossible.
    pub const ZERO: Self = Self(0.0);
    /// Certain.
    pub const ONE: Self = Self(1.0);

    /// Checks that `value` lies in \[0, 1\].
    ///
    /// # Errors
    ///
    /// Refuses everything outside, and NaN.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(UnitError::new("a probability", value, "between 0 and 1"))
        }
    }

    /// The probability as a number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// The probability that it does not happen.
    #[must_use]
    pub fn complement(self) -> Self {
        Self(1.0 - self.0)
    }
}

/// A share of traffic in parts per million.
///
/// Integers, so that a share of 0.01 % is exact and two processes never disagree about a unit at the boundary.
///
/// # Examples
///
/// ```
/// use noops_core::Share;
///
/// let share = Share::from_ratio(0.05)?;
/// assert_eq!(share.ppm(), 50_000);
/// assert_eq!(share.to_string(), "5 %");
/// # Ok::<(), noops_core::UnitError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Share(u32);

impl Share {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Everything.
    pub const FULL: Self = Self(PPM);

    /// A share of `ppm` parts per million.
    ///
    /// # Errors
    ///
    /// Refuses more than a million.
    pub fn from_ppm(ppm: u32) -> Result<Self, UnitError> {
        if ppm <= PPM {
            Ok(Self(ppm))
        } else {
            Err(UnitError::new(
                "a share",
                f64::from(ppm),
                "at most 1000000 parts per million",
            ))
        }
    }

    /// The share nearest to `ratio`.
    ///
    /// # Errors
    ///
    /// Refuses ratios outside \[0, 1\], and NaN.
    pub fn from_ratio(ratio: f64) -> Result<Self, UnitError> {
        let checked = Probability::new(ratio)
            .map_err(|_| UnitError::new("a share", ratio, "between 0 and 1"))?;
        // In range by construction: at most a million.
        Ok(Self((checked.get() * f64::from(PPM)).round() as u32))
    }

    /// Parts per million.
    #[must_use]
    pub fn ppm(self) -> u32 {
        self.0
    }

    /// The share as a number in \[0, 1\].
    #[must_use]
    pub fn ratio(self) -> f64 {
        f64::from(self.0) / f64::from(PPM)
    }
}

/// A number outside the range its unit allows.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitError {
    unit: &'static str,
    value: f64,
    allowed: &'static str,
}

impl UnitError {
    fn new(unit: &'static str, value: f64, allowed: &'static str) -> Self {
        Self {
            unit,
            value,
            allowed,
        }
    }
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} must be {}, not `{}`",
            self.unit, self.allowed, self.value
        )
    }
}

impl std::error::Error for UnitError {}

impl TryFrom<f64> for Alpha {
    type Error = UnitError;

    fn try_from(value: f64) -> Result<Self, UnitError> {
        Self::new(value)
    }
}

impl From<Alpha> for f64 {
    fn from(alpha: Alpha) -> Self {
        alpha.0
    }
}

impl fmt::Display for Alpha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<f64> for Probability {
    type Error = UnitError;

    fn try_from(value: f64) -> Result<Self, UnitError> {
        Self::new(value)
    }
}

impl From<Probability> for f64 {
    fn from(probability: Probability) -> Self {
        probability.0
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u32> for Share {
    type Error = UnitError;

    fn try_from(ppm: u32) -> Result<Self, UnitError> {
        Self::from_ppm(ppm)
    }
}

impl From<Share> for u32 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(self.0) / 10_000.0)
    }
}

const PPM: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn illegal_numbers_are_refused_with_the_culprit_named() {
        assert_eq!(
            Alpha::new(1.0).unwrap_err().to_string(),
            "an error rate must be strictly between 0 and 1, not `1`"
        );
        assert_eq!(
            Probability::new(-0.1).unwrap_err().to_string(),
            "a probability must be between 0 and 1, not `-0.1`"
        );
        assert_eq!(
            Share::from_ratio(f64::NAN).unwrap_err().to_string(),
            "a share must be between 0 and 1, not `NaN`"
        );
        assert!(Share::from_ppm(1_000_001).is_err());
    }

    #[test]
    fn deserialising_checks_too() {
        assert!(serde_json::from_str::<Alpha>("1.5").is_err());
        assert!(serde_json::from_str::<Share>("2000000").is_err());
        assert_eq!(
            serde_json::from_str::<Share>("50000").unwrap(),
            Share::from_ratio(0.05).unwrap()
        );
    }

    #[test]
    fn splitting_never_reaches_zero() {
        let tiny = Alpha::new(f64::MIN_POSITIVE).unwrap();
        assert!(tiny.split(NonZeroUsize::MAX).get() > 0.0);
    }

    proptest! {
        #[test]
        fn a_share_survives_the_way_through_ratio(ppm in 0u32..=1_000_000) {
            let share = Share::from_ppm(ppm).unwrap();
            prop_assert_eq!(Share::from_ratio(share.ratio()).unwrap(), share);
        }
    }
}
