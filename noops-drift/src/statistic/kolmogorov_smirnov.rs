use noops_core::Alpha;

use super::comparison::{Comparison, Method, Outcome, VISIBLE_POWER, Verdict};
use super::kolmogorov::{kolmogorov_sf, kolmogorov_upper_quantile};

/// The two-sample Kolmogorov–Smirnov test, two-sided, with the asymptotic p-value. NaN is left out of both samples.
///
/// # Formula
///
/// D = max |F(x) − G(x)| over the pooled values; P(D ≥ d) ≈ Q(d √(nm/(n + m))) with Kolmogorov's Q. Equal values are
/// stepped over together. The verdict is undecided when not even D = 1 would show four times in five.
///
/// # Complexity
///
/// O((n + m) log(n + m)), sorting copies of both samples.
///
/// # Numerical notes
///
/// Rows must be independent. The p-value is conservative in small samples and with many equal values. The smallest
/// visible D is a bound: Hoeffding's inequality at the point of the largest distance.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::{Verdict, ks_two_sample};
///
/// let reference: Vec<f64> = (0..500).map(f64::from).collect();
/// let current: Vec<f64> = (200..700).map(f64::from).collect();
/// let outcome = ks_two_sample(&reference, &current, Alpha::FIVE_PERCENT);
/// assert!((outcome.statistic() - 0.4).abs() < 1e-12);
/// assert_eq!(outcome.verdict(), Verdict::Drift);
/// ```
pub fn ks_two_sample(reference: &[f64], current: &[f64], alpha: Alpha) -> Comparison {
    let reference = sorted(reference);
    let current = sorted(current);
    let n_reference = reference.len() as u64;
    let n_current = current.len() as u64;
    if reference.is_empty() || current.is_empty() {
        return Comparison::blind(Method::KolmogorovSmirnov, n_reference, n_current);
    }
    let n = n_reference as f64;
    let m = n_current as f64;
    let root = (n * (m / (n + m))).sqrt();
    let statistic = largest_distance(&reference, &current);
    let p_value = kolmogorov_sf(statistic * root);
    let critical = kolmogorov_upper_quantile(alpha.get()) / root;
    let margin = (-(1.0 - VISIBLE_POWER).ln() / 2.0).sqrt() / root;
    let visible_from = Some(critical + margin).filter(|visible| *visible <= 1.0);
    let verdict = if p_value < alpha.get() {
        Verdict::Drift
    } else if visible_from.is_some() {
        Verdict::NoDrift
    } else {
        Verdict::Undecided { visible_from: None }
    };
    let outcome = Outcome {
        statistic,
        p_value,
        critical: Some(critical),
        visible_from,
        verdict,
    };
    Comparison::new(Method::KolmogorovSmirnov, n_reference, n_current, outcome)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

fn largest_distance(reference: &[f64], current: &[f64]) -> f64 {
    let n = reference.len() as f64;
    let m = current.len() as f64;
    let mut left = reference.iter().copied().peekable();
    let mut right = current.iter().copied().peekable();
    let mut passed_left = 0_u64;
    let mut passed_right = 0_u64;
    let mut largest = 0.0_f64;
    // Once one sample has ended its distribution function is 1 and the distance only shrinks.
    while let (Some(a), Some(b)) = (left.peek().copied(), right.peek().copied()) {
        let value = a.min(b);
        while left.next_if(|next| *next <= value).is_some() {
            passed_left += 1;
        }
        while right.next_if(|next| *next <= value).is_some() {
            passed_right += 1;
        }
        largest = largest.max((passed_left as f64 / n - passed_right as f64 / m).abs());
    }
    largest
}
