use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Measured, Method, VISIBLE_POWER};
use crate::statistic::settings::TestSettings;
use noops_stats::SortedSample;
use noops_stats::special::{normal_sf, normal_upper_quantile, student_sf, upper_quantile};
use noops_stats::two_sample::{RankSums, rank_sum_law};

/// The two-sided Mann–Whitney test: do current values tend to be larger, or smaller, than those of the reference?
///
/// # Formula
///
/// The statistic is θ = P(current > reference) + ½ P(current = reference) over all pairs of rows; Mann and Whitney's U of the current
/// sample is θ nm. Without drift θ is ½.
///
/// The p-value is exact when no values are equal and nm is at most 2,500, and otherwise that of the normal law with the corrections
/// for ties and continuity, as `scipy.stats.mannwhitneyu` has both.
///
/// Tolerance, [`TestSettings::relevant`] (0.1 unless set, about 0.36 standard deviations of shift between normal samples) and
/// [`Comparison::visible_from`] are distances |θ − ½|. [`Comparison::critical`] is the θ above which the verdict is drift; the one below
/// which it is lies as far on the other side of ½.
///
/// With a tolerance τ the hypothesis is |θ − ½| ≤ τ. The p-value is that of Brunner and Munzel's (2000) studentised θ at the
/// edge of the tolerance, with both tails and their degrees of freedom, which allows for samples of unequal spread; it is never
/// smaller than that of the plain test.
///
/// # Errors
///
/// [`DriftError::InvalidSetting`].
///
/// # Numerical notes
///
/// Rows must be independent. Without a tolerance, the hypothesis is that both distributions are equal: samples of the same
/// θ = ½ but different spread are called somewhat more or less often than the error rate says. Such a change of spread is not
/// what this test sees; use another. The smallest visible distance takes the larger of the variances with and without drift.
///
/// # Complexity
///
/// O(n + m); the exact p-value a few million steps at most.
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{SortedSample, TestSettings, mann_whitney};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reference = SortedSample::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// let current = SortedSample::new(&[4.5, 5.5, 6.5, 7.5, 8.5, 9.5]);
/// let outcome = mann_whitney(&reference, &current, &TestSettings::default())?;
/// assert!(outcome.verdict().is_drift());
/// // 33 of 36 pairs.
/// assert!((outcome.statistic() - 33.0 / 36.0).abs() < 1e-12);
/// # Ok(())
/// # }
/// ```
pub fn mann_whitney(
    reference: &SortedSample,
    current: &SortedSample,
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let (rows, current_rows) = (reference.len() as u64, current.len() as u64);
    let blind = Comparison::blind(Method::MannWhitney, rows, current_rows);
    if rows == 0 || current_rows == 0 {
        return Ok(blind);
    }
    let pairs = rows as f64 * current_rows as f64;
    let sums = RankSums::of(reference, current);
    let theta = sums.theta();
    let deviation = sums.deviation_without_difference();
    if !(deviation > 0.0 && deviation.is_finite()) {
        return Ok(blind);
    }
    let distance = (theta - 0.5).abs();
    let continuity = 0.5 / pairs;
    let studentised = Studentised::of(&sums);
    let tolerance = settings.tolerance();
    let alpha = settings.alpha();
    let (mut p_value, mut critical) =
        if sums.ties() <= 0.0 && rows.saturating_mul(current_rows) <= EXACT_PAIRS {
            let twice_u = sums.twice_u();
            let larger = twice_u.max(2 * u128::from(rows * current_rows) - twice_u) / 2;
            let law = rank_sum_law(reference.len(), current.len());
            let kept = largest_kept(&law, alpha.get()) as f64;
            // Where even the largest U is kept nothing is beyond it.
            let kept = if kept < pairs { kept / pairs } else { 2.0 };
            (exact_p_value(&law, larger as usize), kept - 0.5)
        } else {
            (
                (2.0 * normal_sf((distance - continuity) / deviation)).min(1.0),
                continuity + normal_upper_quantile(alpha.get() / 2.0) * deviation,
            )
        };
    if tolerance > 0.0 {
        p_value = p_value.max(studentised.p_value(distance, tolerance));
        critical = critical.max(tolerance + studentised.margin(alpha.get(), tolerance));
    }
    let visible = critical
        + normal_upper_quantile(1.0 - VISIBLE_POWER) * deviation.max(studentised.deviation);
    let measured = Measured {
        statistic: theta,
        p_value,
        critical: Some(0.5 + critical).filter(|critical| *critical <= 1.0),
        visible_from: Some(visible).filter(|visible| *visible <= 0.5),
    };
    Ok(Comparison::judge(
        Method::MannWhitney,
        rows,
        current_rows,
        measured,
        alpha,
        settings.relevant_or(RELEVANT),
    ))
}

/// The law of θ whatever the drift, and what follows from it for a tolerance.
struct Studentised {
    deviation: f64,
    freedom: f64,
}

impl Studentised {
    fn of(sums: &RankSums) -> Self {
        let ranks = sums.studentised();
        Self {
            deviation: ranks.deviation(),
            freedom: ranks.degrees_of_freedom(),
        }
    }

    /// How often θ is this far from ½ when the truth is `tolerance` from it.
    fn p_value(&self, distance: f64, tolerance: f64) -> f64 {
        if self.deviation <= 0.0 {
            return if distance > tolerance { 0.0 } else { 1.0 };
        }
        let near = student_sf((distance - tolerance) / self.deviation, self.freedom);
        let far = student_sf((distance + tolerance) / self.deviation, self.freedom);
        (near + far).min(1.0)
    }

    /// How far beyond `tolerance` θ must be for a p-value of `tail`.
    fn margin(&self, tail: f64, tolerance: f64) -> f64 {
        if self.deviation <= 0.0 {
            return 0.0;
        }
        upper_quantile(tail, 4.0 * self.deviation, |beyond| {
            self.p_value(tolerance + beyond, tolerance)
        })
    }
}

/// Twice P(U ≥ `larger`).
fn exact_p_value(law: &[f64], larger: usize) -> f64 {
    let above: f64 = law.iter().skip(larger).rev().sum();
    (2.0 * above).min(1.0)
}

/// The largest U whose p-value is at least `alpha`.
fn largest_kept(law: &[f64], alpha: f64) -> usize {
    let mut above = 0.0;
    for (u, share) in law.iter().enumerate().rev() {
        above += share;
        if 2.0 * above >= alpha {
            return u;
        }
    }
    0
}

const RELEVANT: f64 = 0.1;
const EXACT_PAIRS: u64 = 2_500;

#[cfg(test)]
mod tests;
