use super::sizes::Sizes;
use super::tolerated::Excess;
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Measured, Method};
use crate::statistic::settings::TestSettings;
use noops_stats::SortedSample;
use noops_stats::special::kolmogorov_upper_quantile;
use noops_stats::two_sample::{Gaps, ratio};
use noops_stats::two_sample::{KolmogorovSmirnov, MAX_CELLS, PathLaw, equal_sizes_kept};

#[cfg(test)]
mod tests;

/// The two-sample Kolmogorov–Smirnov test, two-sided.
///
/// # Formula
///
/// D = max |F(x) − G(x)| over the pooled values, the largest share of rows by which the two empirical distribution
/// functions differ at one value. It is found in whole numbers, so it is exact, and equal values are stepped over
/// together.
///
/// Without tolerance the p-value is exact, conditional on the pooled values: the share of all ways to label them that
/// give a D at least as large, by counting lattice paths that are compared only where a group of equal values ends
/// (Schröer and Trenkler, "Exact and randomization distributions of Kolmogorov–Smirnov tests for two or three samples",
/// 1995). The count sums paths where they leave the band |F − G| < D, all terms positive, which holds its relative
/// accuracy down to 1e-300. Where more than four million lattice points would have to be visited (min(n, m) (n + m) D
/// or so: near a p-value of 5 % from about eight thousand rows of each on; fewer when most rows share one value) it is,
/// for samples of equal size, the closed form of Gnedenko and Korolyuk (1951), which is exact for different values and an
/// upper bound with ties, and otherwise P(D ≥ d) ≈ Q(d √(nm/(n + m))) with Kolmogorov's Q.
///
/// With a tolerance τ > 0 the hypothesis is max |F − G| ≤ τ for the true distribution functions. By the triangle
/// inequality D − τ is at most the sum of the largest errors of the two empirical functions, which are independent and
/// each of which the Dvoretzky–Kiefer–Wolfowitz inequality with Massart's constant bounds, P(error ≥ x) ≤
/// min(1, 2 exp(−2nx²)), for any distribution and any n. The p-value is the tail of a sum of two independent variables
/// with those two tails, rounded up.
///
/// The critical value is the largest D that is kept: of the exact law where that is cheap (about a thousand rows of
/// each), of Kolmogorov's otherwise. The smallest visible shift is that of Kolmogorov's law or the tolerance, plus
/// √(ln 5 / (2 nm/(n + m))): by Hoeffding's inequality at the value where F and G are furthest apart, a shift as large
/// exceeds the critical value at least four times in five. The shift that matters is 0.2 unless
/// [`TestSettings::with_relevant`] sets another.
///
/// The comparison is undecided, with statistic 0, when a sample is empty or all values of both are one and the same.
///
/// # Errors
///
/// [`DriftError::InvalidSetting`].
///
/// # Complexity
///
/// O(n + m) for D, or O(m log n) when one sample is much smaller; at most a few milliseconds for an exact p-value.
///
/// # Numerical notes
///
/// Rows must be independent. The exact law is that of the values at hand, so its false-alarm rate is at most alpha
/// with any ties. Kolmogorov's law needs no distribution either but is conservative with ties and a few parts in a hundred
/// off at thousands of rows. In its far tail it is too large by a factor of about exp(nm/(n + m) D⁴ / 3) for nearly equal
/// sizes: 1.05 at 1e-13 with three thousand rows of each, thousands at 1e-297 with ten thousand. Between the sizes for which the p-value and for which the critical value is exact, the two
/// can disagree by as much. The tolerance test is conservative: at its boundary it raises far fewer alarms than alpha.
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{SortedSample, TestSettings, Verdict, ks_two_sample};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reference: Vec<f64> = (0..500).map(f64::from).collect();
/// let current: Vec<f64> = (200..700).map(f64::from).collect();
/// let (reference, current) = (SortedSample::new(&reference), SortedSample::new(&current));
/// let moved = ks_two_sample(&reference, &current, &TestSettings::default())?;
/// assert_eq!(moved.statistic(), 0.4);
/// assert_eq!(moved.verdict(), Verdict::Drift);
///
/// let forgiven = TestSettings::default().with_tolerance(0.3);
/// assert!(!ks_two_sample(&reference, &current, &forgiven)?.verdict().is_drift());
/// # Ok(())
/// # }
/// ```
pub fn ks_two_sample(
    reference: &SortedSample,
    current: &SortedSample,
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let sizes = Sizes::of(reference, current);
    let method = Method::KolmogorovSmirnov;
    if Sizes::nothing_to_compare(reference, current) {
        return Ok(Comparison::blind(method, sizes.reference, sizes.current));
    }
    let gaps = Gaps::between(reference, current);
    let (p_value, critical, critical_of_any) = if settings.tolerance() > 0.0 {
        tolerant(gaps.distance(), &sizes, settings)
    } else {
        plain(&gaps, reference, current, settings)
    };
    let measured = Measured {
        statistic: gaps.distance(),
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
    let sizes = Sizes::of(reference, current);
    let alpha = settings.alpha().get();
    let root = sizes.effective().sqrt();
    let asymptotic = kolmogorov_upper_quantile(alpha) / root;
    let at_most_one = Some(asymptotic).filter(|critical| *critical < 1.0);
    let equal_rows = Some(sizes.reference).filter(|rows| *rows == sizes.current);
    let limit_critical = match equal_rows {
        Some(rows) => equal_sizes_kept(alpha, rows).map(|kept| kept as f64 / rows as f64),
        None => at_most_one,
    };
    let Some(law) = PathLaw::of(reference, current, gaps.largest(), 1.0) else {
        let p_value = KolmogorovSmirnov::beyond_the_exact_law(gaps, reference.len(), current.len());
        return (p_value, limit_critical, limit_critical);
    };
    let whole = reference.len() as u128 * current.len() as u128;
    // Every distance that has an exact law fits, and so does the number of pairs.
    let p_value = i64::try_from(gaps.largest()).map_or(1.0, |distance| law.sf(distance));
    let guess = (asymptotic.min(1.0) * whole as f64) as i64;
    if law.cells(guess) > MAX_CELLS / TAILS_OF_A_SEARCH {
        return (p_value, limit_critical, limit_critical);
    }
    let kept = law.largest_kept(alpha, guess, |distance| law.sf(distance));
    let critical = kept.map(|kept| ratio(u128::from(kept.unsigned_abs()), whole));
    // Fewer ties have a larger critical value, and drifted data may have fewer.
    let of_any = critical.map(|critical| critical.max(asymptotic));
    (p_value, critical, of_any)
}

/// p-value and critical value, twice, since the bound holds for any ties.
fn tolerant(
    distance: f64,
    sizes: &Sizes,
    settings: &TestSettings,
) -> (f64, Option<f64>, Option<f64>) {
    let massart = |size: u64| {
        let size = size as f64;
        move |x: f64| (2.0 * (-2.0 * size * x * x).exp()).min(1.0)
    };
    let excess = Excess::new(massart(sizes.reference), massart(sizes.current));
    let tolerance = settings.tolerance();
    let critical = excess
        .upper_quantile(settings.alpha().get())
        .map(|beyond| tolerance + beyond)
        .filter(|critical| *critical < 1.0);
    (excess.sf(distance - tolerance), critical, critical)
}

/// A fifth of all rows on the other side of some value: half a standard deviation of a shifted normal distribution.
const RELEVANT: f64 = 0.2;
/// About how many tails a search for a critical value asks for.
const TAILS_OF_A_SEARCH: f64 = 32.0;
