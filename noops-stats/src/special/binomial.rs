use std::f64::consts::TAU;

use statrs::function::gamma::ln_gamma;

use super::entropy::relative_entropy;
use super::tails::normal_sf;

/// P(X >= `successes`) for X binomial with `trials` and probability `p`.
///
/// A sum of terms of the mass function: `statrs` loses this tail when the number of trials is large. The tail away from
/// the mean is summed outwards and never got as a difference. When the variance is above a hundred million, where
/// a sum would be slow, the saddle-point formula of Lugannani and Rice (1980) for lattice variables is used, whose error
/// is relative, of the order of the inverse of the variance, in the far tail too.
#[must_use]
pub fn binomial_sf(successes: u64, trials: u64, p: f64) -> f64 {
    if successes == 0 {
        return 1.0;
    }
    if successes > trials || p.is_nan() || p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let k = successes as f64;
    let n = trials as f64;
    let mean = n * p;
    let variance = mean * (1.0 - p);
    if variance > SADDLE_FROM_VARIANCE && k < n {
        return saddle_sf(k, n, p);
    }
    if k > mean {
        let odds = p / (1.0 - p);
        let up = sum_outwards(ln_binomial_mass(k, n, p), |i| {
            (n - (k + i)) / (k + i + 1.0) * odds
        });
        up.min(1.0)
    } else {
        let odds = (1.0 - p) / p;
        let below = k - 1.0;
        let down = sum_outwards(ln_binomial_mass(below, n, p), |i| {
            (below - i) / (n - below + i + 1.0) * odds
        });
        (1.0 - down).clamp(0.0, 1.0)
    }
}

/// ln n! less Stirling's approximation of it, ½ ln(2πn) + n ln n − n.
#[must_use]
pub fn stirling_error(n: f64) -> f64 {
    if n > SERIES_FROM {
        let square = n * n;
        (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1_260.0 - (1.0 / 1_680.0) / square) / square) / square)
            / n
    } else if n > 0.0 {
        ln_gamma(n + 1.0) - (n + 0.5) * n.ln() + n - 0.5 * TAU.ln()
    } else {
        0.0
    }
}

/// ln P(X = k) in Loader's form ("Fast and accurate computation of binomial probabilities", 2000), in which nothing as
/// large as ln n! cancels. For whole 0 <= k <= n and 0 < p < 1.
#[must_use]
pub fn ln_binomial_mass(k: f64, n: f64, p: f64) -> f64 {
    let rest = n - k;
    if k <= 0.0 {
        return n * libm::log1p(-p);
    }
    if rest <= 0.0 {
        return n * libm::log(p);
    }
    stirling_error(n)
        - stirling_error(k)
        - stirling_error(rest)
        - deviance(k, n, p)
        - 0.5 * libm::log(TAU * k * (rest / n))
}

/// k ln(k / np) + (n − k) ln((n − k) / nq).
fn deviance(k: f64, n: f64, p: f64) -> f64 {
    let q = 1.0 - p;
    let gap = k - n * p;
    n * p * relative_entropy(gap / (n * p)) + n * q * relative_entropy(-gap / (n * q))
}

/// Lugannani and Rice's tail with Daniels' first correction for a lattice, for 0 < k < n.
fn saddle_sf(k: f64, n: f64, p: f64) -> f64 {
    let q = 1.0 - p;
    let gap = k - n * p;
    let deviation = (n * p * q).sqrt();
    if gap.abs() < NEAR_THE_MEAN * deviation {
        let z = (gap - 0.5) / deviation;
        let skew = (q - p) / deviation;
        return normal_sf(z) + skew / 6.0 * (z * z - 1.0) * libm::exp(-0.5 * z * z) / TAU.sqrt();
    }
    let w = (2.0 * deviance(k, n, p)).sqrt().copysign(gap);
    // The saddle: e^s = k q / ((n − k) p) = 1 + gap / ((n − k) p).
    let saddle = libm::log1p(gap / ((n - k) * p));
    let u = -libm::expm1(-saddle) * (k * ((n - k) / n)).sqrt();
    let density = libm::exp(-0.5 * w * w) / TAU.sqrt();
    (normal_sf(w) + density * (1.0 / u - 1.0 / w)).clamp(0.0, 1.0)
}

/// Sums e^`ln_first` times the running product of `ratio(0)`, `ratio(1)`, …, which falls below one and stays there.
fn sum_outwards(ln_first: f64, ratio: impl Fn(f64) -> f64) -> f64 {
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
    libm::exp(ln_first + libm::log(sum))
}

const SADDLE_FROM_VARIANCE: f64 = 1e8;
/// In deviations: nearer to the mean the two reciprocals of the saddle-point formula cancel.
const NEAR_THE_MEAN: f64 = 1e-3;
/// The first term of Stirling's series that is left out is below 1e-16 of a logarithm here.
const SERIES_FROM: f64 = 60.0;
const NEGLIGIBLE: f64 = 1e-17;
/// Above the terms any sum here can need: twelve standard deviations.
const MAX_TERMS: usize = 200_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64, relative: f64) {
        assert!(
            (found / expected - 1.0).abs() <= relative,
            "found {found}, expected {expected}"
        );
    }

    #[test]
    fn tails_agree_with_scipy() {
        // scipy.stats.binom.sf(k - 1, n, p)
        close(
            binomial_sf(180, 1_000, 0.15),
            0.005_270_407_186_153_798,
            1e-8,
        );
        close(
            binomial_sf(500_500, 1_000_000, 0.5),
            0.158_897_345_681_664_86,
            1e-6,
        );
        close(binomial_sf(100, 1_000, 0.1), 0.515_417_709_565_921_4, 1e-8);
        close(binomial_sf(3, 10, 0.01), 0.000_113_849_117_905_779_65, 1e-9);
        close(binomial_sf(40, 50, 0.2), 1.290_837_202_898_274e-19, 1e-9);
    }

    #[test]
    fn far_tails_of_many_trials_agree_with_mpmath() {
        // The continued fraction of the incomplete beta function, 40 digits.
        close(
            binomial_sf(50_100_000, 100_000_000, 0.5),
            2.758_782_742_966_521e-89,
            1e-9,
        );
        close(
            binomial_sf(1_000_500_000, 100_000_000_000, 0.01),
            3.732_905_287_754_049e-57,
            1e-8,
        );
        close(
            binomial_sf(5_000_030_000_000, 10_000_000_000_000, 0.5),
            1.407_850_621_203_030_1e-80,
            1e-8,
        );
    }

    #[test]
    fn sum_and_saddle_meet() {
        for z in [-3.0, -0.002, -0.0005, 0.0, 0.0005, 0.002, 2.0, 8.0, 30.0] {
            let (n, p) = (40_000_000_u64, 0.3);
            let k = (n as f64 * p + z * (n as f64 * p * 0.7).sqrt()).round();
            let (saddle, sum) = (saddle_sf(k, n as f64, p), binomial_sf(k as u64, n, p));
            assert!((saddle / sum - 1.0).abs() < 1e-6, "{z}: {saddle} {sum}");
        }
    }

    #[test]
    fn tails_hold_at_the_ends() {
        assert_eq!(binomial_sf(0, 10, 0.3), 1.0);
        assert_eq!(binomial_sf(11, 10, 0.3), 0.0);
        assert_eq!(binomial_sf(1, 10, 0.0), 0.0);
        assert_eq!(binomial_sf(10, 10, 1.0), 1.0);
        assert!(binomial_sf(940, 940, 0.202) < 1e-300);
        let half = binomial_sf(u64::MAX / 2, u64::MAX, 0.5);
        assert!((half - 0.5).abs() < 1e-6);
        assert_eq!(binomial_sf(u64::MAX, u64::MAX, 0.5), 0.0);
        assert_eq!(binomial_sf(u64::MAX - 1, u64::MAX, 0.5), 0.0);
        assert_eq!(binomial_sf(1, u64::MAX, 0.5), 1.0);
    }

    #[test]
    fn stirlings_error_has_no_seam() {
        close(stirling_error(1.0), 0.081_061_466_795_327_26, 1e-13);
        close(
            stirling_error(60.1),
            stirling_error(59.9) * 59.9 / 60.1,
            1e-7,
        );
    }

    proptest! {
        #[test]
        fn the_tail_is_the_sum_of_its_masses(n in 1_u64..60, k in 0_u64..60, p in 0.01_f64..0.99) {
            let naive: f64 = (k..=n).map(|i| {
                let ways: f64 = (0..i).map(|j| (n - j) as f64 / (i - j) as f64).product();
                ways * p.powi(i as i32) * (1.0 - p).powi((n - i) as i32)
            }).sum();
            prop_assert!((binomial_sf(k, n, p) - naive).abs() <= 1e-11 * naive + 1e-15);
        }

        #[test]
        fn any_trials_have_a_probability(k in any::<u64>(), n in any::<u64>(), p in any::<f64>()) {
            prop_assert!((0.0..=1.0).contains(&binomial_sf(k, n, p)));
        }
    }
}
