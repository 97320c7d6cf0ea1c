use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::check::contradiction;
use crate::error::DriftError;

/// An estimate of a performance metric with the interval its true value lies in, most of the time.
///
/// How often is 1 − alpha, under the assumptions of the method that made it.
///
/// # Examples
///
/// ```
/// use noops_drift::performance::{Cbpe, CbpeSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let scores: Vec<f64> = (0..200).map(|row| f64::from(row % 10) / 10.0).collect();
/// let labels: Vec<bool> = (0..200).map(|row| row % 10 >= 5).collect();
/// let cbpe = Cbpe::fit(&scores, &labels, CbpeSettings::default())?;
/// let estimate = cbpe.estimate(&scores, &labels)?;
/// let accuracy = estimate.accuracy().ok_or("no rows")?;
/// assert!(accuracy.lower() <= accuracy.value() && accuracy.value() <= accuracy.upper());
/// assert_eq!(accuracy.rows(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawEstimate")]
#[must_use]
pub struct Estimate {
    value: f64,
    lower: f64,
    upper: f64,
    alpha: Alpha,
    rows: u64,
}

impl Estimate {
    /// Nothing when one of the numbers is no finite number; the interval is widened to hold the value.
    pub(crate) fn new(value: f64, lower: f64, upper: f64, alpha: Alpha, rows: u64) -> Option<Self> {
        if !(value.is_finite() && lower.is_finite() && upper.is_finite()) {
            return None;
        }
        Some(Self {
            value,
            lower: lower.min(value),
            upper: upper.max(value),
            alpha,
            rows,
        })
    }

    /// The estimate.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The lower end of the interval.
    #[must_use]
    pub fn lower(&self) -> f64 {
        self.lower
    }

    /// The upper end of the interval.
    #[must_use]
    pub fn upper(&self) -> f64 {
        self.upper
    }

    /// How often the interval misses, at most, when the assumptions hold.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// Rows it is about.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

#[derive(Deserialize)]
struct RawEstimate {
    value: f64,
    lower: f64,
    upper: f64,
    alpha: Alpha,
    rows: u64,
}

impl TryFrom<RawEstimate> for Estimate {
    type Error = DriftError;

    fn try_from(raw: RawEstimate) -> Result<Self, DriftError> {
        if raw.lower > raw.value || raw.value > raw.upper {
            return Err(contradiction(
                "estimate",
                format!(
                    "its value `{}` is outside its interval from `{}` to `{}`",
                    raw.value, raw.lower, raw.upper
                ),
            ));
        }
        Self::new(raw.value, raw.lower, raw.upper, raw.alpha, raw.rows)
            .ok_or_else(|| contradiction("estimate", "one of its numbers is not finite"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_always_holds_its_value() {
        let estimate = Estimate::new(0.5, 0.6, 0.4, Alpha::FIVE_PERCENT, 3).unwrap();
        assert_eq!((estimate.lower(), estimate.upper()), (0.5, 0.5));
        assert!(Estimate::new(f64::NAN, 0.0, 1.0, Alpha::FIVE_PERCENT, 3).is_none());
        assert!(Estimate::new(0.5, f64::NEG_INFINITY, 1.0, Alpha::FIVE_PERCENT, 3).is_none());
    }

    #[test]
    fn a_stored_estimate_outside_its_interval_is_refused() {
        let text = r#"{"value":0.9,"lower":0.1,"upper":0.8,"alpha":0.05,"rows":10}"#;
        let error = serde_json::from_str::<Estimate>(text).unwrap_err();
        assert!(
            error.to_string().contains("outside its interval"),
            "{error}"
        );
        let sound = Estimate::new(0.5, 0.4, 0.6, Alpha::FIVE_PERCENT, 10).unwrap();
        let text = serde_json::to_string(&sound).unwrap();
        assert_eq!(serde_json::from_str::<Estimate>(&text).unwrap(), sound);
    }
}
