use statrs::function::beta::checked_beta_reg;

use super::sorted::SortedSample;
use super::walk::walk;
use crate::error::DriftError;
use crate::special::{normal_sf, normal_upper_quantile, upper_quantile};
use crate::statistic::comparison::{Comparison, Measured, Method, VISIBLE_POWER};
use crate::statistic::settings::TestSettings;

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
    let (n, m) = (rows as f64, current_rows as f64);
    let pooled = n + m;
    let pairs = n * m;
    let sums = Sums::of(reference, current);
    let theta = (sums.twice_u as f64 / 2.0 / pairs).clamp(0.0, 1.0);
    // The deviation of θ without drift.
    let ties = sums.ties / (pooled * (pooled - 1.0).max(1.0));
    let deviation = ((pooled + 1.0 - ties).max(0.0) / (12.0 * pairs)).sqrt();
    if !(deviation > 0.0 && deviation.is_finite()) {
        return Ok(blind);
    }
    let distance = (theta - 0.5).abs();
    let continuity = 0.5 / pairs;
    let studentised = sums.studentised(n, m);
    let tolerance = settings.tolerance();
    let alpha = settings.alpha();
    let (mut p_value, mut critical) =
        if sums.ties <= 0.0 && rows.saturating_mul(current_rows) <= EXACT_PAIRS {
            let larger = sums
                .twice_u
                .max(2 * u128::from(rows * current_rows) - sums.twice_u)
                / 2;
            let law = exact_law(reference.len(), current.len());
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

/// What one pass over both samples gives.
struct Sums {
    /// Twice the U of the current sample, an integer.
    twice_u: u128,
    /// Σ t³ − t over the groups of equal values.
    ties: f64,
    /// Mean square of the placements of the current values in the reference, about ½, and the mean itself; and the other way
    /// round.
    current: Placements,
    reference: Placements,
}

impl Sums {
    fn of(reference: &SortedSample, current: &SortedSample) -> Self {
        let (n, m) = (reference.len() as f64, current.len() as f64);
        let mut sums = Self {
            twice_u: 0,
            ties: 0.0,
            current: Placements::default(),
            reference: Placements::default(),
        };
        walk(reference, current, |step| {
            let twice_below = 2 * step.passed_reference - step.reference;
            sums.twice_u += u128::from(step.current) * u128::from(twice_below);
            let equal = (step.reference + step.current) as f64;
            sums.ties += equal * (equal - 1.0) * (equal + 1.0);
            let in_reference = twice_below as f64 / 2.0 / n;
            let in_current = (2 * step.passed_current - step.current) as f64 / 2.0 / m;
            sums.current.add(in_reference, step.current as f64);
            sums.reference.add(in_current, step.reference as f64);
        });
        sums
    }

    fn studentised(&self, n: f64, m: f64) -> Studentised {
        let of_reference = self.reference.variance(n) / n;
        let of_current = self.current.variance(m) / m;
        let variance = of_reference + of_current;
        let spent = of_reference * of_reference / (n - 1.0).max(1.0)
            + of_current * of_current / (m - 1.0).max(1.0);
        Studentised {
            deviation: variance.max(0.0).sqrt(),
            freedom: if spent > 0.0 {
                variance * variance / spent
            } else {
                n + m
            },
        }
    }
}

/// Where the values of one sample stand in the other: sums of weights, places and squares about the middle.
#[derive(Default)]
struct Placements {
    sum: f64,
    squares: f64,
}

impl Placements {
    fn add(&mut self, place: f64, rows: f64) {
        let place = place - 0.5;
        self.sum += rows * place;
        self.squares += rows * place * place;
    }

    fn variance(&self, rows: f64) -> f64 {
        ((self.squares - self.sum * self.sum / rows) / (rows - 1.0).max(1.0)).max(0.0)
    }
}

/// The law of θ whatever the drift.
struct Studentised {
    deviation: f64,
    freedom: f64,
}

impl Studentised {
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

/// P(T > t) for Student's T.
fn student_sf(t: f64, freedom: f64) -> f64 {
    if freedom > NORMAL_FROM {
        return normal_sf(t);
    }
    let x = freedom / (freedom + t * t);
    let half = match checked_beta_reg(freedom / 2.0, 0.5, x) {
        Ok(tail) if !tail.is_nan() => tail.clamp(0.0, 1.0) / 2.0,
        _ => return 1.0,
    };
    if t < 0.0 { 1.0 - half } else { half }
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

/// P(U = 0), P(U = 1), … when all orders of n and m values are equally likely, by the recursion on which sample has the
/// largest value.
fn exact_law(n: usize, m: usize) -> Vec<f64> {
    // laws[j] is the law of U for i reference and j current values.
    let mut laws: Vec<Vec<f64>> = vec![vec![1.0]; m + 1];
    for i in 1..=n {
        let mut next: Vec<Vec<f64>> = Vec::with_capacity(m + 1);
        for (j, without_reference) in laws.iter().enumerate() {
            let mut law = vec![0.0; i * j + 1];
            // The largest is a reference value: it exceeds no pair. Or a current one: it exceeds all i.
            let share = i as f64 / (i + j) as f64;
            for (to, from) in law.iter_mut().zip(without_reference) {
                *to += share * from;
            }
            if let Some(without_current) = next.last() {
                for (to, from) in law.iter_mut().skip(i).zip(without_current) {
                    *to += (1.0 - share) * from;
                }
            }
            next.push(law);
        }
        laws = next;
    }
    laws.pop().unwrap_or_default()
}

const RELEVANT: f64 = 0.1;
const EXACT_PAIRS: u64 = 2_500;
/// From here Student's law is normal to the accuracy of the variance.
const NORMAL_FROM: f64 = 1e6;

#[cfg(test)]
mod tests;
