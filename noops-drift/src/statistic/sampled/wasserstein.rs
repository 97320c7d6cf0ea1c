use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::laws::{L1Law, Levels, Spans};
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Measured, Method, VISIBLE_POWER};
use crate::statistic::settings::TestSettings;
use noops_stats::SortedSample;

/// The Wasserstein-1 (earth mover's) distance of two samples, with a p-value that knows both sizes.
///
/// # Formula
///
/// W₁ = ∫ |F(x) − G(x)| dx, divided by the [`Scale`] of the reference. Without drift √(nm/(n + m)) W₁ follows ∫ |B(F(x))| dx with a
/// Brownian bridge B. F is taken from the pooled sample, its gaps are joined to at most 128 cells, and the integral over them
/// is matched by its mean, its second moment and its far tail, all in closed form.
///
/// A p-value of a Gaussian law means nothing where fewer than five rows of the smaller sample lie (or a quarter of them, if
/// there are fewer than twenty): with heavy tails a single row there makes the distance. So the p-value is the larger
/// of that of the whole distance and that of its part between those levels, and the critical value belongs to the whole. Drift
/// that only those few rows carry is not called.
///
/// With a tolerance τ the hypothesis is W₁ ≤ τ, and by the triangle inequality W₁ exceeds τ by no more than
/// ∫ |(Fₙ − F) − (Gₘ − G)| dx, whose law is that of two bridges, one at the levels of either sample. The p-value is its tail at
/// W₁ − τ: conservative whatever the drift within the tolerance. [`Comparison::visible_from`] is a bound too: a true distance
/// that shows four times in five in whatever shape, as long as those few rows do not carry it.
///
/// # Errors
///
/// [`DriftError::InvalidSetting`], and [`DriftError::InvalidInput`] when a sample holds infinite values.
///
/// # Numerical notes
///
/// Rows must be independent. In simulation at a nominal 5 %, with 5 to 1,000 rows of either sample, 2 to 5 % of unchanged normal
/// or rounded batches raise an alarm, 0.5 to 3 % of those with seven zeros in ten, and at most 2 % of those with Cauchy or
/// log-normal tails or with fewer than five rows of the smaller sample off their most frequent value: there the levels that
/// count see little, and a rank test sees more. A reference whose scale is zero has no scale-free distance:
/// the comparison is blind.
///
/// # Complexity
///
/// O(n + m).
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{SortedSample, WassersteinSettings, wasserstein};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reference = SortedSample::new(&(0..500).map(f64::from).collect::<Vec<_>>());
/// let current = SortedSample::new(&(0..250).map(|i| f64::from(2 * i) + 100.0).collect::<Vec<_>>());
/// let outcome = wasserstein(&reference, &current, &WassersteinSettings::default())?;
/// assert!(outcome.verdict().is_drift());
/// assert!((outcome.statistic() - 99.5).abs() < 1e-9);
/// # Ok(())
/// # }
/// ```
pub fn wasserstein(
    reference: &SortedSample,
    current: &SortedSample,
    settings: &WassersteinSettings,
) -> Result<Comparison, DriftError> {
    settings.test.validate()?;
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let blind = Comparison::blind(
        Method::Wasserstein,
        reference.len() as u64,
        current.len() as u64,
    );
    if reference.is_empty() || current.is_empty() {
        return Ok(blind);
    }
    let spans = Spans::between(reference, current)?;
    let unit = settings.scale.of(reference.values());
    if spans.is_empty() || !(unit > 0.0 && unit.is_finite()) {
        return Ok(blind);
    }
    let statistic = spans.whole.area / unit;
    let thick = spans.thick.area / unit;
    let tolerance = settings.test.tolerance();
    let alpha = settings.test.alpha();
    let effective = n * (m / (n + m));
    let law_of = |levels: &Levels| {
        let widths: Vec<f64> = levels.widths.iter().map(|width| width / unit).collect();
        if tolerance > 0.0 {
            L1Law::of_bridges(&widths, &levels.reference, &levels.current, n / (n + m))
        } else {
            L1Law::of_bridge(&widths, &levels.pooled)
        }
    };
    let law = law_of(&spans.levels());
    let tail = law.sf(statistic - tolerance, effective);
    let thick_tail = law_of(&spans.thick_levels()).sf(thick - tolerance, effective);
    let critical = tolerance + law.upper_quantile(alpha.get(), effective);
    let visible = law.visible_from(critical, VISIBLE_POWER, effective);
    if !(statistic.is_finite() && critical.is_finite() && visible.is_finite()) {
        return Err(DriftError::InvalidInput {
            input: "reference and current",
            reason: "are too far apart for their scale; divide both by a larger unit".to_owned(),
        });
    }
    let measured = Measured {
        statistic,
        p_value: tail.max(thick_tail),
        critical: Some(critical),
        visible_from: Some(visible),
    };
    let relevant = match settings.scale {
        // A fifth of the scale of the reference, in the unit of the values.
        Scale::None => RELEVANT * standard_deviation(reference.values()),
        Scale::StandardDeviation | Scale::InterquartileRange => RELEVANT,
    };
    Ok(Comparison::judge(
        Method::Wasserstein,
        reference.len() as u64,
        current.len() as u64,
        measured,
        alpha,
        settings.test.relevant_or(relevant),
    ))
}

/// What a [`wasserstein`] distance is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Scale {
    /// The unit of the values.
    #[default]
    None,
    /// Standard deviations of the reference.
    StandardDeviation,
    /// Interquartile ranges of the reference, which outliers do not stretch.
    InterquartileRange,
}

impl Scale {
    /// The scale of ascending values; there is no floor under it, so a constant has scale 0.
    fn of(self, values: &[f64]) -> f64 {
        match self {
            Self::None => 1.0,
            Self::StandardDeviation => standard_deviation(values),
            Self::InterquartileRange => quantile(values, 3) - quantile(values, 1),
        }
    }
}

/// The error rate of [`wasserstein`], the distance it forgives, the one it must not miss, and their unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WassersteinSettings {
    test: TestSettings,
    scale: Scale,
}

impl WassersteinSettings {
    /// Sets how often data within the tolerance may be called drifted; 5 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.test = self.test.with_alpha(alpha);
        self
    }

    /// Sets the true distance up to which data count as unchanged, in units of the scale; 0 unless set.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.test = self.test.with_tolerance(tolerance);
        self
    }

    /// Sets the true distance that "no drift" must be able to rule out, in units of the scale; unless set, 0.2, and without a
    /// scale 0.2 standard deviations of the reference.
    #[must_use]
    pub fn with_relevant(mut self, relevant: f64) -> Self {
        self.test = self.test.with_relevant(relevant);
        self
    }

    /// Sets the unit of the distance; that of the values unless set.
    #[must_use]
    pub fn with_scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// The error rate, the tolerance and the distance that matters.
    #[must_use]
    pub fn test(&self) -> &TestSettings {
        &self.test
    }

    /// The unit of the distance.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }
}

impl From<TestSettings> for WassersteinSettings {
    fn from(test: TestSettings) -> Self {
        Self {
            test,
            scale: Scale::None,
        }
    }
}

fn standard_deviation(values: &[f64]) -> f64 {
    let rows = values.len() as f64;
    // A mean of shifted values, so that a large offset costs no digits and a constant has no spread at all.
    let Some(first) = values.first().copied() else {
        return 0.0;
    };
    let mean: f64 = values.iter().map(|value| (value - first) / rows).sum();
    let squares: f64 = values
        .iter()
        .map(|value| (value - first - mean) * (value - first - mean) / rows)
        .sum();
    squares.sqrt()
}

/// The value with `quarters` quarters of the ascending values below it, linear between neighbours.
fn quantile(values: &[f64], quarters: usize) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return 0.0;
    };
    let place = last as f64 * quarters as f64 / 4.0;
    let below = (place.floor() as usize).min(last);
    let low = values.get(below).copied().unwrap_or(0.0);
    let high = values.get(below + 1).copied().unwrap_or(low);
    low + (high - low) * (place - below as f64)
}

const RELEVANT: f64 = 0.2;

#[cfg(test)]
mod tests;
