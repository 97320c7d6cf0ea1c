use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::direction::Direction;
use crate::error::CanaryError;

/// What is tested against the null hypothesis of no difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alternative {
    /// There is a difference.
    #[default]
    TwoSided,
    /// The candidate's values are greater.
    Greater,
    /// The candidate's values are less.
    Less,
}

/// The alternative and the level of the interval.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{Alternative, TestSettings};
/// use noops_core::Alpha;
///
/// let settings = TestSettings::default()
///     .with_alternative(Alternative::Greater)
///     .with_alpha(Alpha::ONE_PERCENT);
/// assert_eq!(settings.alternative(), Alternative::Greater);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TestSettings {
    alternative: Alternative,
    alpha: Alpha,
}

impl TestSettings {
    /// Sets the alternative. Default: two-sided.
    #[must_use]
    pub fn with_alternative(mut self, alternative: Alternative) -> Self {
        self.alternative = alternative;
        self
    }

    /// Sets the error rate of the confidence interval. Default 5 %.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// The alternative.
    #[must_use]
    pub fn alternative(&self) -> Alternative {
        self.alternative
    }

    /// The error rate of the confidence interval.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }
}

impl Default for TestSettings {
    fn default() -> Self {
        Self {
            alternative: Alternative::TwoSided,
            alpha: Alpha::FIVE_PERCENT,
        }
    }
}

/// How much worse a candidate may be, in the metric's own units, and which way is worse.
///
/// # Examples
///
/// ```
/// use noops_canary::{Direction, batch::Margin};
///
/// let margin = Margin::new(Direction::LowerIsBetter, 0.005)?;
/// assert_eq!(margin.size(), 0.005);
/// assert!(Margin::new(Direction::LowerIsBetter, -0.005).is_err());
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawMargin", into = "RawMargin")]
pub struct Margin {
    direction: Direction,
    size: f64,
}

impl Margin {
    /// A margin of `size` units.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the size is finite and above zero: evidence of "not worse than nothing at all" is evidence of
    /// superiority, which is what the tests themselves give.
    pub fn new(direction: Direction, size: f64) -> Result<Self, CanaryError> {
        if size > 0.0 && size.is_finite() {
            return Ok(Self { direction, size });
        }
        Err(CanaryError::Setting {
            name: "margin",
            value: size,
            allowed: "above 0",
        })
    }

    /// Which way is better.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The size, in the metric's units.
    #[must_use]
    pub fn size(&self) -> f64 {
        self.size
    }

    /// The difference, candidate minus champion, at which the candidate is just too bad.
    #[must_use]
    pub fn limit(&self) -> f64 {
        self.direction.harm_sign() * self.size
    }
}

#[derive(Serialize, Deserialize)]
struct RawMargin {
    direction: Direction,
    size: f64,
}

impl TryFrom<RawMargin> for Margin {
    type Error = CanaryError;

    fn try_from(raw: RawMargin) -> Result<Self, CanaryError> {
        Self::new(raw.direction, raw.size)
    }
}

impl From<Margin> for RawMargin {
    fn from(margin: Margin) -> Self {
        Self {
            direction: margin.direction,
            size: margin.size,
        }
    }
}
