use crate::error::CanaryError;

/// A bound on the challenger's mean: `ratio * champion + difference`.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::MeanLimit;
///
/// let limit = MeanLimit::relative(1.05)?;
/// assert_eq!((limit.ratio(), limit.difference()), (1.05, 0.0));
/// assert!(MeanLimit::relative(f64::NAN).is_err());
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanLimit {
    ratio: f64,
    difference: f64,
}

impl MeanLimit {
    /// No difference.
    pub const EQUAL: Self = Self {
        ratio: 1.0,
        difference: 0.0,
    };

    /// A ratio and a difference that are known to be finite.
    pub(super) fn of(ratio: f64, difference: f64) -> Self {
        Self { ratio, difference }
    }

    /// The champion's mean plus `difference`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the difference is finite.
    pub fn absolute(difference: f64) -> Result<Self, CanaryError> {
        if difference.is_finite() {
            return Ok(Self {
                ratio: 1.0,
                difference,
            });
        }
        Err(CanaryError::Setting {
            name: "difference",
            value: difference,
            allowed: "that is finite",
        })
    }

    /// The champion's mean times `ratio`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the ratio lies between 0 and 1000.
    pub fn relative(ratio: f64) -> Result<Self, CanaryError> {
        if (0.0..=1000.0).contains(&ratio) {
            return Ok(Self {
                ratio,
                difference: 0.0,
            });
        }
        Err(CanaryError::Setting {
            name: "ratio",
            value: ratio,
            allowed: "from 0 to 1000",
        })
    }

    /// The factor of the champion's mean.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.ratio
    }

    /// What is added to it.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.difference
    }
}
