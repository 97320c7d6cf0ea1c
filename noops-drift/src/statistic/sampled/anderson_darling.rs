use super::laws::{Atoms, anderson_darling_sf};
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Measured, Method, VISIBLE_POWER};
use crate::statistic::settings::TestSettings;
use noops_stats::SortedSample;
use noops_stats::special::{normal_upper_quantile, upper_quantile};

/// The two-sample Anderson–Darling test: the squared distance between the distribution functions, weighted towards the tails.
///
/// As [`anderson_darling_k`] with two samples, except that tolerance, [`TestSettings::relevant`] (0.12 unless set, about half a
/// standard deviation of shift between normal samples) and [`Comparison::visible_from`] are values of
/// α² = ∫ (F − G)² / (H (1 − H)) dH with H the pooled distribution, which does not depend on how many rows either sample has.
///
/// # Errors
///
/// [`DriftError::InvalidSetting`].
///
/// # Complexity
///
/// O(n + m).
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{SortedSample, TestSettings, anderson_darling};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reference = SortedSample::new(&(0..400).map(f64::from).collect::<Vec<_>>());
/// let current = SortedSample::new(&(150..350).map(f64::from).collect::<Vec<_>>());
/// let outcome = anderson_darling(&reference, &current, &TestSettings::default())?;
/// assert!(outcome.verdict().is_drift());
/// # Ok(())
/// # }
/// ```
pub fn anderson_darling(
    reference: &SortedSample,
    current: &SortedSample,
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let effective = if n + m > 0.0 { n * (m / (n + m)) } else { 0.0 };
    test(&[reference, current], effective, RELEVANT, settings)
}

/// The k-sample Anderson–Darling test: do all of these samples come from one distribution?
///
/// The first sample counts as the reference and the rest as current data. NaN is left out; an empty sample makes the
/// comparison blind, as do fewer than four values in all or a single distinct value.
///
/// # Formula
///
/// A² = (N − 1)/N Σᵢ 1/nᵢ Σⱼ lⱼ/N (N Mᵢⱼ − nᵢ Bⱼ)² / (Bⱼ (N − Bⱼ) − N lⱼ/4), the mid-rank version A²akN of Scholz and
/// Stephens (1987): lⱼ values equal the j-th distinct one, and Mᵢⱼ and Bⱼ count the values of sample i and of all below it plus
/// half of those equal. The statistic is (A² − (k − 1)) / σ with their exact σ.
///
/// Without drift A² has the limit Σ χ²ₖ₋₁ / (j (j + 1)); the p-value is its tail at the same standardised place. It is neither
/// interpolated from a table nor clipped.
///
/// Tolerance, [`TestSettings::relevant`] (0.03 unless set) and [`Comparison::visible_from`] are values of
/// Σᵢ (nᵢ/N) ∫ (Fᵢ − H)² / (H (1 − H)) dH, because the statistic grows with the rows. With a tolerance τ the p-value is the tail
/// at (√A² − √(Nτ))²: the root of A² is a norm, and by the triangle inequality exceeds that of the tolerated drift by no more
/// than the norm of the noise. This is conservative to first order in τ.
///
/// # Errors
///
/// [`DriftError::InvalidInput`] for fewer than two samples and [`DriftError::InvalidSetting`].
///
/// # Numerical notes
///
/// Rows must be independent. The limiting tail is inverted along a contour through its saddle and is right to 1e-10 of itself
/// down to 1e-300; how close the law of the statistic is to its limit that far out is another matter. When values are equal that
/// limit does not hold, and the p-value is that of the weighted sum of chi-squares which belongs to the atoms at hand.
///
/// # Complexity
///
/// O(kN) for N values in k samples.
pub fn anderson_darling_k(
    samples: &[&SortedSample],
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    let pooled: usize = samples.iter().map(|sample| sample.len()).sum();
    test(samples, pooled as f64, RELEVANT_OF_MANY, settings)
}

/// The test, with distances in units of A² over `size`.
fn test(
    samples: &[&SortedSample],
    size: f64,
    relevant: f64,
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    if samples.len() < 2 {
        return Err(DriftError::InvalidInput {
            input: "samples",
            reason: format!("has `{}` samples; pass at least two", samples.len()),
        });
    }
    let pooled: usize = samples.iter().map(|sample| sample.len()).sum();
    let n_reference = samples.first().map_or(0, |sample| sample.len());
    let (n_reference, n_current) = (n_reference as u64, (pooled - n_reference) as u64);
    let blind = Comparison::blind(Method::AndersonDarling, n_reference, n_current);
    if pooled < FEWEST || samples.iter().any(|sample| sample.is_empty()) {
        return Ok(blind);
    }
    let Some(Walked { square, ties }) = weighted_square(samples, pooled as f64) else {
        return Ok(blind);
    };
    let freedom = (samples.len() - 1) as f64;
    let deviation = finite_variance(samples, pooled).sqrt();
    let limit_deviation = (2.0 * freedom * LIMIT_VARIANCE).sqrt();
    if !(deviation > 0.0 && deviation.is_finite()) {
        return Ok(blind);
    }
    let statistic = (square - freedom) / deviation;
    let tolerated = (settings.tolerance() * size).sqrt();
    let alpha = settings.alpha();
    // How A² of this many rows is told from A² of its law: the limit has another variance, the law of atoms none of that.
    let stretch = if ties.is_some() {
        1.0
    } else {
        deviation / limit_deviation
    };
    let standardised = freedom + (square - freedom) / stretch;
    let beyond = (standardised.max(0.0).sqrt() - tolerated).max(0.0);
    let beyond = beyond * beyond;
    let (p_value, quantile, noise) = if let Some(atoms) = ties {
        let law = atoms.weighted_law(freedom);
        let quantile = law.upper_quantile(alpha.get());
        let noise = law.visible_root(quantile, VISIBLE_POWER) - quantile.sqrt();
        (law.sf(beyond), quantile, noise)
    } else {
        let tail = |x: f64| anderson_darling_sf(x, freedom);
        // The noise along a given drift has the variance of the first term of the limit, ½, at most.
        let noise = normal_upper_quantile(1.0 - VISIBLE_POWER) * 0.5_f64.sqrt();
        (
            tail(beyond),
            upper_quantile(alpha.get(), 2.0 * freedom, tail),
            noise,
        )
    };
    let root = quantile.sqrt() + tolerated;
    let visible_root = root + noise;
    let measured = Measured {
        statistic,
        p_value,
        critical: Some((root * root - freedom) * stretch / deviation),
        visible_from: Some(visible_root * visible_root / size),
    };
    Ok(Comparison::judge(
        Method::AndersonDarling,
        n_reference,
        n_current,
        measured,
        alpha,
        settings.relevant_or(relevant),
    ))
}

/// A² of the mid-rank version, and the distinct values if some are equal.
struct Walked {
    square: f64,
    ties: Option<Atoms>,
}

/// Walks all samples together; nothing when all values are the same.
fn weighted_square(samples: &[&SortedSample], pooled: f64) -> Option<Walked> {
    let mut heads: Vec<Head<'_>> = samples
        .iter()
        .map(|sample| Head {
            left: sample.values(),
            rows: sample.len() as f64,
            passed: 0.0,
            equal: 0.0,
            sum: 0.0,
        })
        .collect();
    let mut passed = 0.0;
    let mut distinct = 0_u64;
    let mut atoms = Atoms::default();
    loop {
        let next = heads.iter().filter_map(|head| head.left.first().copied());
        let Some(value) = next.reduce(f64::min) else {
            break;
        };
        let mut equal = 0.0;
        for head in &mut heads {
            head.take(value);
            equal += head.equal;
        }
        distinct += 1;
        atoms.push(equal / pooled);
        let below = passed + equal / 2.0;
        let spread = below * (pooled - below) - pooled * equal / 4.0;
        if spread > 0.0 {
            for head in &mut heads {
                let gap = pooled * (head.passed + head.equal / 2.0) - below * head.rows;
                head.sum += equal / pooled * gap * gap / spread;
            }
        }
        for head in &mut heads {
            head.passed += head.equal;
        }
        passed += equal;
    }
    if distinct < 2 {
        return None;
    }
    let sum: f64 = heads.iter().map(|head| head.sum / head.rows).sum();
    Some(Walked {
        square: (pooled - 1.0) / pooled * sum,
        ties: Some(atoms).filter(|_| (distinct as f64) < pooled),
    })
}

/// Where a walk over several samples stands in one of them.
struct Head<'a> {
    left: &'a [f64],
    rows: f64,
    passed: f64,
    equal: f64,
    sum: f64,
}

impl Head<'_> {
    /// Steps over the values up to `value` and counts them.
    fn take(&mut self, value: f64) {
        let mut equal = 0_u64;
        while let Some((first, rest)) = self.left.split_first() {
            if *first > value {
                break;
            }
            equal += 1;
            self.left = rest;
        }
        self.equal = equal as f64;
    }
}

/// The variance of A² without drift (Scholz and Stephens, 1987, equation 4).
fn finite_variance(samples: &[&SortedSample], pooled: usize) -> f64 {
    let k = samples.len() as f64;
    let n = pooled as f64;
    let inverse: f64 = samples.iter().map(|sample| 1.0 / sample.len() as f64).sum();
    let mut harmonic = 0.0;
    let mut g = 0.0;
    // The sum over j from 2 to N − 1 of Σ 1/i for i from N − j + 1 to N − 1, over j.
    for j in 2..pooled {
        harmonic += 1.0 / (pooled - j + 1) as f64;
        g += harmonic / j as f64;
    }
    let h = harmonic + 1.0;
    let a = (4.0 * g - 6.0) * (k - 1.0) + (10.0 - 6.0 * g) * inverse;
    let b = (2.0 * g - 4.0) * k * k + 8.0 * h * k + (2.0 * g - 14.0 * h - 4.0) * inverse - 8.0 * h
        + 4.0 * g
        - 6.0;
    let c = (6.0 * h + 2.0 * g - 2.0) * k * k
        + (4.0 * h - 4.0 * g + 6.0) * k
        + (2.0 * h - 6.0) * inverse
        + 4.0 * h;
    let d = (2.0 * h + 6.0) * k * k - 4.0 * h * k;
    (((a * n + b) * n + c) * n + d) / ((n - 1.0) * (n - 2.0) * (n - 3.0))
}

const RELEVANT: f64 = 0.12;
const RELEVANT_OF_MANY: f64 = 0.03;
/// The variance formula divides by N − 3.
const FEWEST: usize = 4;
/// Σ 1 / (j² (j + 1)²) = π²/3 − 3.
const LIMIT_VARIANCE: f64 = std::f64::consts::PI * std::f64::consts::PI / 3.0 - 3.0;

#[cfg(test)]
mod tests;
