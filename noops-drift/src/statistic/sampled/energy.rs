use super::laws::{Levels, QuadraticLaw, Spans};
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Measured, Method, VISIBLE_POWER};
use crate::statistic::settings::TestSettings;
use noops_stats::SortedSample;

/// The energy distance of two samples, with a p-value that knows both sizes.
///
/// # Formula
///
/// D = √(2 E|X − Y| − E|X − X′| − E|Y − Y′|) = √(2 ∫ (F − G)² dx), the square root, as `scipy.stats.energy_distance` returns it. It has
/// the unit of the root of the values.
///
/// Without drift ½ D² nm/(n + m) follows ∫ B(F(x))² dx with a Brownian bridge B, a weighted sum of chi-squares. F is taken from
/// the pooled sample, its gaps are joined to at most 128 cells, the largest weight is kept and the others are matched by three
/// cumulants (Hall, 1983; Buckley and Eagleson, 1988).
///
/// As for [`wasserstein`](super::wasserstein()), the p-value is the larger of that of the whole and that of the part between the
/// levels beyond which fewer than five rows of the smaller sample lie.
///
/// With a tolerance τ the hypothesis is D ≤ τ; D is a norm, and by the triangle inequality exceeds τ by no more than that
/// of the noise, whose law is that of two bridges, one at the levels of either sample. The p-value is its tail at D − τ:
/// conservative whatever the drift within the tolerance. [`Comparison::visible_from`] is a bound in the same way.
/// [`TestSettings::relevant`] is, unless set, a fifth of √(2w), w being the width of the middle half of the reference: about
/// a third of a standard deviation of shift between normal samples.
///
/// # Errors
///
/// [`DriftError::InvalidSetting`], and [`DriftError::InvalidInput`] when a sample holds infinite values.
///
/// # Numerical notes
///
/// Rows must be independent. The law is asymptotic. Its match is right to some 2 % of a tail of 5 % and 10 % of one of 0.1 %.
///
/// # Complexity
///
/// O(n + m).
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{SortedSample, TestSettings, energy_distance};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reference = SortedSample::new(&(0..500).map(f64::from).collect::<Vec<_>>());
/// let current = SortedSample::new(&(100..600).map(f64::from).collect::<Vec<_>>());
/// let outcome = energy_distance(&reference, &current, &TestSettings::default())?;
/// assert!(outcome.verdict().is_drift());
/// # Ok(())
/// # }
/// ```
pub fn energy_distance(
    reference: &SortedSample,
    current: &SortedSample,
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let blind = Comparison::blind(
        Method::EnergyDistance,
        reference.len() as u64,
        current.len() as u64,
    );
    if reference.is_empty() || current.is_empty() {
        return Ok(blind);
    }
    let spans = Spans::between(reference, current)?;
    if spans.is_empty() {
        return Ok(blind);
    }
    let half_size = n * (m / (n + m)) / 2.0;
    let tolerance = settings.tolerance();
    let alpha = settings.alpha();
    let statistic = (2.0 * spans.whole.square).sqrt();
    let thick = (2.0 * spans.thick.square).sqrt();
    let law_of = |levels: &Levels| {
        let (one, other) = if tolerance > 0.0 {
            (&levels.reference, &levels.current)
        } else {
            (&levels.pooled, &levels.pooled)
        };
        QuadraticLaw::of_bridges(&levels.widths, one, other, n / (n + m))
    };
    let tail = |law: &QuadraticLaw, distance: f64| {
        let beyond = (distance - tolerance).max(0.0);
        law.sf(beyond * beyond * half_size)
    };
    let law = law_of(&spans.levels());
    let p_value = tail(&law, statistic).max(tail(&law_of(&spans.thick_levels()), thick));
    let quantile = law.upper_quantile(alpha.get());
    let critical = tolerance + (quantile / half_size).sqrt();
    let visible = tolerance + law.visible_root(quantile, VISIBLE_POWER) / half_size.sqrt();
    if !(statistic.is_finite() && critical.is_finite() && visible.is_finite()) {
        return Err(DriftError::InvalidInput {
            input: "reference and current",
            reason: "are too far apart; divide both by a larger unit".to_owned(),
        });
    }
    let measured = Measured {
        statistic,
        p_value,
        critical: Some(critical),
        visible_from: Some(visible),
    };
    Ok(Comparison::judge(
        Method::EnergyDistance,
        reference.len() as u64,
        current.len() as u64,
        measured,
        alpha,
        settings.relevant_or(RELEVANT * (2.0 * middle_half(reference.values())).sqrt()),
    ))
}

/// The distance between the lower and the upper quarter of ascending values.
fn middle_half(values: &[f64]) -> f64 {
    let quarter = values.len() / 4;
    let upper = values.len().saturating_sub(1 + quarter);
    match (values.get(quarter), values.get(upper)) {
        (Some(low), Some(high)) => (high - low).max(0.0),
        _ => 0.0,
    }
}

const RELEVANT: f64 = 0.2;

#[cfg(test)]
mod tests;
