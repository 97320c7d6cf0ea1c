use std::f64::consts::TAU;

use noops_stats::special::{relative_entropy, stirling_error};

/// ln P(X = k) for X binomial, in Loader's form ("Fast and accurate computation of binomial probabilities", 2000), in which nothing
/// as large as ln n! cancels. For 0 < p < 1.
pub(super) fn ln_binomial_mass(k: f64, n: f64, p: f64) -> f64 {
    let rest = n - k;
    let q = 1.0 - p;
    if k <= 0.0 {
        return n * libm::log1p(-p);
    }
    if rest <= 0.0 {
        return n * libm::log(p);
    }
    let gap = k - n * p;
    let deviance =
        n * p * relative_entropy(gap / (n * p)) + n * q * relative_entropy(-gap / (n * q));
    stirling_error(n)
        - stirling_error(k)
        - stirling_error(rest)
        - deviance
        - 0.5 * libm::log(TAU * k * (rest / n))
}

/// P(X ≥ k) for X binomial with 0 < p < 1, where `n` is small enough to add up.
pub(super) fn binomial_upper(k: f64, n: f64, p: f64) -> f64 {
    if k <= 0.0 {
        return 1.0;
    }
    if k > n {
        return 0.0;
    }
    let odds = p / (1.0 - p);
    if k > n * p {
        let terms = sum_outwards(|i| (n - (k + i)) / (k + i + 1.0) * odds);
        return (libm::exp(ln_binomial_mass(k, n, p)) * terms).min(1.0);
    }
    let below = k - 1.0;
    let terms = sum_outwards(|i| (below - i) / ((n - below + i + 1.0) * odds));
    (1.0 - libm::exp(ln_binomial_mass(below, n, p)) * terms).clamp(0.0, 1.0)
}

/// 1 + r(0) + r(0) r(1) + …, until what is left is too small to count.
pub(super) fn sum_outwards(ratio: impl Fn(f64) -> f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 0.0;
    let mut i = 0.0;
    for _ in 0..MAX_TERMS {
        sum += term;
        if term <= NEGLIGIBLE * sum {
            break;
        }
        term *= ratio(i).max(0.0);
        i += 1.0;
    }
    sum
}

const NEGLIGIBLE: f64 = 1e-18;
/// Above what any sum here can need: some twenty deviations of the widest law.
const MAX_TERMS: usize = 1_000_000;
