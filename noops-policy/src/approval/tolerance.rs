use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::ApprovalError;
use crate::fact::FactValue;

/// How far a fact may move between a request and the use of its approval.
///
/// A fact without a tolerance must stay equal.
///
/// # Examples
///
/// ```
/// use noops_policy::FactValue;
/// use noops_policy::approval::Tolerance;
///
/// let tolerance = Tolerance::relative(0.1)?;
/// assert!(tolerance.allows(&FactValue::from(100), &FactValue::from(110)));
/// assert!(!tolerance.allows(&FactValue::from(100), &FactValue::from(111)));
/// assert!(Tolerance::absolute(f64::NAN).is_err());
/// # Ok::<(), noops_policy::approval::ApprovalError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawTolerance", into = "RawTolerance")]
pub struct Tolerance(Kind);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Absolute(f64),
    Relative(f64),
    Any,
}

impl Tolerance {
    /// A number may change by at most `bound`.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Rule`] for a bound that is negative or not finite.
    pub fn absolute(bound: f64) -> Result<Self, ApprovalError> {
        checked(bound).map(|bound| Self(Kind::Absolute(bound)))
    }

    /// A number may change by at most `share` of what it was. What was zero must stay zero.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Rule`] for a share that is negative or not finite.
    pub fn relative(share: f64) -> Result<Self, ApprovalError> {
        checked(share).map(|share| Self(Kind::Relative(share)))
    }

    /// The fact has no bearing on what people agree to: it may change freely, and may stop being known.
    #[must_use]
    pub fn any() -> Self {
        Self(Kind::Any)
    }

    /// Whether it allows a fact to change so. Values that are no numbers may not change at all, unless anything may.
    ///
    /// # Formula
    ///
    /// |after − before| ≤ bound, or ≤ share · |before|, in double precision: a change that exceeds the bound by rounding
    /// only is not allowed.
    #[must_use]
    pub fn allows(self, before: &FactValue, after: &FactValue) -> bool {
        if self.is_any() || before == after {
            return true;
        }
        let (Some(change), Some(before)) = (change(before, after), before.as_f64()) else {
            return false;
        };
        match self.0 {
            Kind::Absolute(bound) => change <= bound,
            Kind::Relative(share) => change <= share * before.abs(),
            Kind::Any => true,
        }
    }

    pub(super) fn is_any(self) -> bool {
        self.0 == Kind::Any
    }
}

/// By how much a number changed; none where one of the values is no number.
pub(super) fn change(before: &FactValue, after: &FactValue) -> Option<f64> {
    match (before, after) {
        // Two whole numbers can be further apart than fits one of them.
        (FactValue::Int(before), FactValue::Int(after)) => Some(before.abs_diff(*after) as f64),
        (before, after) => Some((after.as_f64()? - before.as_f64()?).abs()),
    }
}

fn checked(bound: f64) -> Result<f64, ApprovalError> {
    if bound.is_finite() && bound >= 0.0 {
        Ok(bound)
    } else {
        Err(ApprovalError::rule(format!(
            "a tolerance must be a finite number of at least zero, not `{bound}`"
        )))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawTolerance {
    Absolute(f64),
    Relative(f64),
    Any,
}

impl TryFrom<RawTolerance> for Tolerance {
    type Error = ApprovalError;

    fn try_from(raw: RawTolerance) -> Result<Self, ApprovalError> {
        match raw {
            RawTolerance::Absolute(bound) => Self::absolute(bound),
            RawTolerance::Relative(share) => Self::relative(share),
            RawTolerance::Any => Ok(Self::any()),
        }
    }
}

impl From<Tolerance> for RawTolerance {
    fn from(tolerance: Tolerance) -> Self {
        match tolerance.0 {
            Kind::Absolute(bound) => Self::Absolute(bound),
            Kind::Relative(share) => Self::Relative(share),
            Kind::Any => Self::Any,
        }
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Absolute(bound) => write!(f, "at most {bound}"),
            Kind::Relative(share) => write!(f, "at most {share} of what it was"),
            Kind::Any => f.write_str("any change"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_whole_numbers_do_not_overflow() {
        let ends = (FactValue::Int(i64::MIN), FactValue::Int(i64::MAX));
        assert!(!Tolerance::absolute(1.0).unwrap().allows(&ends.0, &ends.1));
        assert!(Tolerance::absolute(1e20).unwrap().allows(&ends.0, &ends.1));
    }

    #[test]
    fn numbers_that_are_not_finite_are_never_within_a_bound() {
        let wide = Tolerance::absolute(f64::MAX).unwrap();
        let one = FactValue::Double(1.0);
        assert!(!wide.allows(&one, &FactValue::Double(f64::NAN)));
        assert!(!wide.allows(&one, &FactValue::Double(f64::INFINITY)));
        assert!(!wide.allows(&FactValue::Double(-f64::MAX), &FactValue::Double(f64::MAX)));
    }

    #[test]
    fn what_was_zero_must_stay_zero_relatively() {
        let relative = Tolerance::relative(1.0).unwrap();
        assert!(relative.allows(&0.0.into(), &0.0.into()));
        assert!(!relative.allows(&0.0.into(), &1e-300.into()));
    }

    #[test]
    fn texts_may_only_stay_equal() {
        let bound = Tolerance::absolute(5.0).unwrap();
        assert!(bound.allows(&"a".into(), &"a".into()));
        assert!(!bound.allows(&"a".into(), &"b".into()));
        assert!(Tolerance::any().allows(&"a".into(), &"b".into()));
    }

    #[test]
    fn what_is_read_is_checked() {
        let read = |json| serde_json::from_str::<Tolerance>(json);
        assert_eq!(
            read(r#"{"absolute":0.5}"#).unwrap(),
            Tolerance::absolute(0.5).unwrap()
        );
        assert_eq!(read("\"any\"").unwrap(), Tolerance::any());
        assert!(read(r#"{"relative":-0.5}"#).is_err());
    }
}
