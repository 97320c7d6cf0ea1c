use serde::{Deserialize, Serialize};

use crate::error::DriftError;
use crate::performance::check::invalid;

/// The usual range of a metric over chunks of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct PerformanceBand {
    lower: f64,
    upper: f64,
    chunks: u64,
}

impl PerformanceBand {
    /// The lower end.
    #[must_use]
    pub fn lower(&self) -> f64 {
        self.lower
    }

    /// The upper end.
    #[must_use]
    pub fn upper(&self) -> f64 {
        self.upper
    }

    /// How many chunks it was learned from.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// Whether a value is inside. A NaN is not.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }
}

/// The rule of thumb of other tools: the mean of a metric over chunks of the reference, give or take three standard deviations.
///
/// # Formula
///
/// mean ± 3 s, s² = Σ (v − mean)² / k over the k chunks, as NannyML does it.
///
/// # Numerical notes
///
/// It has no stated error rate. The spread of a handful of chunks is poorly known and s divides by k and not by k − 1, and chunks that the
/// calibrator was fitted on look more alike than new ones: for estimated metrics use values of
/// [`Cbpe::left_out_chunks`](crate::performance::Cbpe::left_out_chunks). For a verdict with an error rate use the interval of an
/// estimate, or [`RiskMonitor`](crate::performance::RiskMonitor) once labels come in.
///
/// # Errors
///
/// [`DriftError::InvalidInput`] when there are fewer than two values or one is not finite.
///
/// # Examples
///
/// ```
/// use noops_drift::performance::reference_thresholds;
///
/// let band = reference_thresholds(&[0.9, 0.92, 0.91, 0.91])?;
/// assert!(band.holds(0.9) && !band.holds(0.8));
/// # Ok::<(), noops_drift::DriftError>(())
/// ```
pub fn reference_thresholds(values: &[f64]) -> Result<PerformanceBand, DriftError> {
    if values.len() < 2 {
        return Err(invalid(
            "values",
            format!("has `{}` chunks; pass at least two", values.len()),
        ));
    }
    if let Some(chunk) = values.iter().position(|value| !value.is_finite()) {
        return Err(invalid(
            "values",
            format!("has a value at chunk `{chunk}` that is not finite; leave it out"),
        ));
    }
    let chunks = values.len() as f64;
    let mean = values.iter().map(|value| value / chunks).sum::<f64>();
    let variance = values
        .iter()
        .map(|value| (value - mean) * (value - mean) / chunks)
        .sum::<f64>();
    let reach = DEVIATIONS * variance.sqrt();
    if !reach.is_finite() {
        return Err(invalid(
            "values",
            "has a spread beyond all numbers; scale them",
        ));
    }
    Ok(PerformanceBand {
        lower: mean - reach,
        upper: mean + reach,
        chunks: values.len() as u64,
    })
}

const DEVIATIONS: f64 = 3.0;
