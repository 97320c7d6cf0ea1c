use serde::{Deserialize, Serialize};

use crate::direction::Direction;
use crate::error::CanaryError;
use crate::sequential::MeanLimit;

/// How much worse a candidate may be: a share of the champion's value, an amount, or whichever of the two allows more.
///
/// A relative tolerance alone asks for ever more evidence as the champion's value goes to zero; an absolute floor beside it ends that.
/// With both, harm is tested against "one of the two is kept all along": a candidate that keeps now the one and now the other, because
/// the champion's value moves from hour to hour, may be rolled back.
///
/// # Examples
///
/// ```
/// use noops_canary::judge::Tolerance;
///
/// // A quarter more failures, or one more in a thousand requests, whichever is more.
/// let tolerance = Tolerance::relative(0.25)?.with_floor(0.001)?;
/// assert_eq!(tolerance.relative_part(), Some(0.25));
/// assert!(Tolerance::absolute(-1.0).is_err());
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawTolerance", into = "RawTolerance")]
pub struct Tolerance {
    relative: Option<f64>,
    absolute: Option<f64>,
}

impl Tolerance {
    /// Nothing worse at all.
    pub const NONE: Self = Self {
        relative: None,
        absolute: None,
    };

    /// Worse by a share of the champion's value.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the share is above 0 and at most 100.
    pub fn relative(share: f64) -> Result<Self, CanaryError> {
        if share > 0.0 && share <= 100.0 {
            return Ok(Self {
                relative: Some(share),
                absolute: None,
            });
        }
        Err(CanaryError::Setting {
            name: "relative",
            value: share,
            allowed: "above 0 and at most 100",
        })
    }

    /// Worse by an amount, in the units of the metric.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the amount is finite and above 0.
    pub fn absolute(amount: f64) -> Result<Self, CanaryError> {
        Self::NONE.with_floor(amount)
    }

    /// Allows an amount where it is more than the relative part.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the amount is finite and above 0.
    pub fn with_floor(mut self, amount: f64) -> Result<Self, CanaryError> {
        if !(amount > 0.0 && amount.is_finite()) {
            return Err(CanaryError::Setting {
                name: "absolute",
                value: amount,
                allowed: "that is finite and above 0",
            });
        }
        self.absolute = Some(amount);
        Ok(self)
    }

    /// The share of the champion's value.
    #[must_use]
    pub fn relative_part(&self) -> Option<f64> {
        self.relative
    }

    /// The amount.
    #[must_use]
    pub fn absolute_part(&self) -> Option<f64> {
        self.absolute
    }

    /// Whether nothing worse is allowed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.relative.is_none() && self.absolute.is_none()
    }

    /// Whether everything this allows is also allowed by `other`, as far as the two can be told apart.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let part = |mine: Option<f64>, theirs: Option<f64>| match (mine, theirs) {
            (Some(mine), Some(theirs)) => mine <= theirs,
            (Some(_), None) => false,
            (None, _) => true,
        };
        part(self.relative, other.relative) && part(self.absolute, other.absolute)
    }

    /// The factor of the champion's value at which a candidate is just too bad.
    pub(super) fn ratio(&self, direction: Direction) -> Option<f64> {
        self.relative
            .map(|share| (1.0 + direction.harm_sign() * share).max(0.0))
    }

    /// The limits of a candidate's mean; the candidate may reach the more generous of them. Without any tolerance, that of no
    /// difference.
    pub(crate) fn limits(&self, direction: Direction) -> impl Iterator<Item = MeanLimit> + Clone {
        let relative = self
            .ratio(direction)
            .and_then(|ratio| MeanLimit::relative(ratio).ok());
        let absolute = self
            .absolute
            .and_then(|amount| MeanLimit::absolute(direction.harm_sign() * amount).ok());
        let equal = self.is_none().then_some(MeanLimit::EQUAL);
        [relative, absolute, equal].into_iter().flatten()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTolerance {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relative: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    absolute: Option<f64>,
}

impl TryFrom<RawTolerance> for Tolerance {
    type Error = CanaryError;

    fn try_from(raw: RawTolerance) -> Result<Self, CanaryError> {
        let tolerance = match raw.relative {
            Some(share) => Self::relative(share)?,
            None => Self::NONE,
        };
        match raw.absolute {
            Some(amount) => tolerance.with_floor(amount),
            None => Ok(tolerance),
        }
    }
}

impl From<Tolerance> for RawTolerance {
    fn from(tolerance: Tolerance) -> Self {
        Self {
            relative: tolerance.relative,
            absolute: tolerance.absolute,
        }
    }
}
