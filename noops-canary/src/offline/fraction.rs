use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::batch::Proportion;
use crate::error::CanaryError;
use crate::interval::Interval;

/// A share of rows that may be none at all: the hits out of the rows that count.
///
/// What a [`Proportion`] is to a test, which needs trials, this is to an evaluation, where a recall without positives is a result.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::Fraction;
/// use noops_core::Alpha;
///
/// let recall = Fraction::new(9, 10)?;
/// assert_eq!(recall.value(), Some(0.9));
/// assert!(recall.interval(Alpha::FIVE_PERCENT).contains(0.6));
/// assert_eq!(Fraction::new(0, 0)?.value(), None);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawFraction")]
pub struct Fraction {
    hits: u64,
    rows: u64,
}

impl Fraction {
    /// `hits` out of `rows`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for more hits than rows.
    pub fn new(hits: u64, rows: u64) -> Result<Self, CanaryError> {
        if hits <= rows {
            return Ok(Self { hits, rows });
        }
        Err(CanaryError::Input {
            input: "hits",
            reason: "is more than `rows`; count hits among the rows",
        })
    }

    pub(super) fn among(hits: u64, others: u64) -> Self {
        Self {
            hits,
            rows: hits.saturating_add(others),
        }
    }

    /// The rows that are no hits, out of the same rows.
    pub(super) fn complement(self) -> Self {
        Self {
            hits: self.rows.saturating_sub(self.hits),
            rows: self.rows,
        }
    }

    /// The rows that count.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.hits
    }

    /// The rows it is a share of.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The share; `None` without rows.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.hits as f64 / self.rows as f64)
    }

    /// Wilson's two-sided `1 - alpha` interval for independent rows, that of [`Proportion::wilson`]; all of \[0, 1\] without rows, and beyond the
    /// [`Proportion::MAX_TRIALS`] that it takes.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Interval {
        Proportion::new(self.hits, self.rows)
            .map_or(Interval::between(0.0, 1.0), |rows| rows.wilson(alpha))
    }
}

#[derive(Deserialize)]
struct RawFraction {
    hits: u64,
    rows: u64,
}

impl TryFrom<RawFraction> for Fraction {
    type Error = CanaryError;

    fn try_from(raw: RawFraction) -> Result<Self, CanaryError> {
        Self::new(raw.hits, raw.rows).map_err(|_| CanaryError::State {
            state: "fraction",
            reason: "it counts more hits than rows",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_share_above_one_is_refused() {
        assert!(serde_json::from_str::<Fraction>(r#"{"hits":2,"rows":1}"#).is_err());
        assert!(Fraction::new(2, 1).is_err());
    }

    #[test]
    fn no_hits_and_no_misses_keep_their_end() {
        let none = Fraction::new(0, 20).unwrap().interval(Alpha::FIVE_PERCENT);
        let all = Fraction::new(20, 20).unwrap().interval(Alpha::FIVE_PERCENT);
        assert_eq!((none.lower(), all.upper()), (0.0, 1.0));
        // statsmodels.stats.proportion.proportion_confint(0, 20, 0.05, "wilson")[1]
        assert!(
            (none.upper() - 0.161_125_158_068_499_6).abs() < 1e-10,
            "{none:?}"
        );
        assert!(
            Fraction::new(u64::MAX, u64::MAX)
                .unwrap()
                .interval(Alpha::ONE_PERCENT)
                .contains(1.0)
        );
    }
}
