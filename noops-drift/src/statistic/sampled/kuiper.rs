use self::law::{kuiper_sf, kuiper_upper_quantile, stephens};
use super::sizes::Sizes;
use super::tolerated::Excess;
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Measured, Method};
use crate::statistic::settings::TestSettings;
use noops_stats::SortedSample;
use noops_stats::two_sample::{Gaps, ratio};
use noops_stats::two_sample::{MAX_CELLS, PathLaw};

mod law;
#[cfg(test)]
mod tests;

/// Kuiper's two-sample test: as sensitive in the tails as in the middle, and the same wherever a circle is cut, so it
/// suits hours of the day and angles.
///
/// # Formula
///
/// V = max (F − G) + max (G − F) over the pooled values, which is the largest share of rows by which the two samples
/// differ in one interval. It is found in whole numbers, so it is exact. Without drift, with N = nm/(n + m),
///
/// P(V ≥ v) ≈ Q(v (√N + 0.155 + 0.24/√N)), Q(λ) = 2 Σ (4j²λ² − 1) exp(−2j²λ²)
///
/// (Kuiper, 1960; the finite-sample factor is of Stephens, "Use of the Kolmogorov–Smirnov, Cramér–von Mises and related
/// statistics without extensive tables", 1970, with N in place of the one-sample size as in Numerical Recipes).
///
/// That law raises up to 7 % false alarms at a nominal 5 % with ten rows of each. So in samples that are small enough
/// (about four hundred rows of each for equal sizes, sixty for sizes without a common divisor) the p-value is exact
/// instead, conditional on the pooled values: the share of all ways to label them that give a V at least as large,
/// ties included, by counting the lattice paths that span less. That count is right to some 1e-13 and not reported
/// below 1e-10; below a limiting tail of 1e-6 the limiting law is used.
///
/// With a tolerance τ > 0 the hypothesis is V ≤ τ for the true distribution functions. By the triangle inequality V − τ
/// is at most the sum of the two samples' own V from their distribution, which are independent and whose tails the same
/// law gives; the p-value is the tail of that sum, rounded up.
///
/// The smallest visible shift is the critical value plus √(ln 5 / 2N): by Hoeffding's inequality at the interval in
/// which the true shares differ most. The shift that matters is 0.2 unless [`TestSettings::with_relevant`] sets another.
/// The comparison is undecided, with statistic 0, when a sample is empty or all values of both are one and the same.
///
/// # Errors
///
/// [`DriftError::InvalidSetting`].
///
/// # Complexity
///
/// O(n + m) for V, or O(m log n) when one sample is much smaller; at most some milliseconds for an exact p-value.
///
/// # Numerical notes
///
/// Rows must be independent. The exact law never raises more false alarms than alpha, with any ties. In simulation at a
/// nominal 5 % the limiting law raises 4.7 to 5.1 % for the larger samples it serves; equal values only lower that. The
/// limiting law itself keeps its relative accuracy to 1e-300, but that far out it is an order of magnitude for a finite
/// sample. The critical value is exact in smaller samples than the p-value (half the rows), so near it the two can
/// disagree in between. The tolerance test rests on the limiting law and is conservative: at its boundary it raises far
/// fewer alarms than alpha.
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{SortedSample, TestSettings, Verdict, kuiper};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The middle is the same, the spread has halved.
/// let wide: Vec<f64> = (-500..500).map(f64::from).collect();
/// let narrow: Vec<f64> = wide.iter().map(|x| x / 2.0).collect();
/// let (wide, narrow) = (SortedSample::new(&wide), SortedSample::new(&narrow));
/// let outcome = kuiper(&wide, &narrow, &TestSettings::default())?;
/// assert!((outcome.statistic() - 0.5).abs() < 0.01);
/// assert_eq!(outcome.verdict(), Verdict::Drift);
/// # Ok(())
/// # }
/// ```
pub fn kuiper(
    reference: &SortedSample,
    current: &SortedSample,
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let sizes = Sizes::of(reference, current);
    let method = Method::Kuiper;
    if Sizes::nothing_to_compare(reference, current) {
        return Ok(Comparison::blind(method, sizes.reference, sizes.current));
    }
    let gaps = Gaps::between(reference, current);
    let (p_value, critical, critical_of_any) = if settings.tolerance() > 0.0 {
        tolerant(gaps.range(), &sizes, settings)
    } else {
        plain(&gaps, reference, current, settings)
    };
    let measured = Measured {
        statistic: gaps.range(),
        p_value,
        critical,
        visible_from: critical.and(sizes.visible_from(critical_of_any)),
    };
    Ok(Comparison::judge(
        method,
        sizes.reference,
        sizes.current,
        measured,
        settings.alpha(),
        settings.relevant_or(RELEVANT),
    ))
}

/// p-value, critical value for these ties, and critical value for any.
fn plain(
    gaps: &Gaps,
    reference: &SortedSample,
    current: &SortedSample,
    settings: &TestSettings,
) -> (f64, Option<f64>, Option<f64>) {
    let scale = stephens(Sizes::of(reference, current).effective());
    let alpha = settings.alpha().get();
    let limit = kuiper_sf(gaps.range() * scale);
    let limit_critical = kuiper_upper_quantile(alpha) / scale;
    let at_most_one = Some(limit_critical).filter(|critical| *critical < 1.0);
    let span = gaps.span();
    let passes = |span: u128| PathLaw::range_passes(reference.len(), current.len(), span);
    let law = PathLaw::of(reference, current, span / 2 + 1, passes(span));
    let law = law.filter(|_| limit >= LIMIT_BELOW && alpha >= LIMIT_BELOW);
    let Some(law) = law else {
        return (limit, at_most_one, at_most_one);
    };
    let tail = |span: i64| law.range_sf(span).max(SMALLEST_EXACT);
    // Every span that has an exact law fits, and so does the number of pairs.
    let p_value = i64::try_from(span).map_or(1.0, tail);
    let whole = reference.len() as u128 * current.len() as u128;
    let guess = (limit_critical.min(1.0) * whole as f64) as i64;
    let cells = law.cells(guess / 2 + 1) * passes(u128::from(guess.unsigned_abs()));
    if cells > MAX_CELLS / TAILS_OF_A_SEARCH {
        return (p_value, at_most_one, at_most_one);
    }
    let kept = law.largest_kept(alpha, guess, tail);
    let critical = kept.map(|kept| ratio(u128::from(kept.unsigned_abs()), whole));
    // Fewer ties have a larger critical value, and drifted data may have fewer.
    let of_any = critical.map(|critical| critical.max(limit_critical));
    (p_value, critical, of_any)
}

/// p-value and critical value, twice, since the bound holds for any ties.
fn tolerant(
    statistic: f64,
    sizes: &Sizes,
    settings: &TestSettings,
) -> (f64, Option<f64>, Option<f64>) {
    let own_tail = |size: u64| {
        let scale = stephens(size as f64);
        move |x: f64| kuiper_sf(x * scale)
    };
    let excess = Excess::new(own_tail(sizes.reference), own_tail(sizes.current));
    let tolerance = settings.tolerance();
    let critical = excess
        .upper_quantile(settings.alpha().get())
        .map(|beyond| tolerance + beyond)
        .filter(|critical| *critical < 1.0);
    (excess.sf(statistic - tolerance), critical, critical)
}

/// A fifth of all rows in or out of some interval.
const RELEVANT: f64 = 0.2;
/// A limiting tail, or alpha, from which the exact law is not worth its rounding.
const LIMIT_BELOW: f64 = 1e-6;
/// Exact tails are differences of numbers near 1 and larger; none is reported to be smaller.
const SMALLEST_EXACT: f64 = 1e-10;
/// About how many tails a search for a critical value asks for.
const TAILS_OF_A_SEARCH: f64 = 12.0;
