use std::f64::consts::PI;

use noops_stats::special::upper_quantile;

/// The factor that makes V of so many rows follow the limiting law.
pub(super) fn stephens(size: f64) -> f64 {
    let root = size.sqrt();
    root + 0.155 + 0.24 / root
}

/// P(K > λ) for Kuiper's limiting distribution.
///
/// As with Kolmogorov's there are two series for the same function, by Jacobi's identity for theta functions: Q for
/// large λ, whose terms are all positive there, and 1 − √(2π) π²/λ³ Σ k² exp(−π²k²/2λ²) for small λ.
pub(super) fn kuiper_sf(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return 1.0;
    }
    let terms = [1.0_f64, 2.0, 3.0, 4.0, 5.0, 6.0];
    let tail = if x < SERIES_MEET {
        let sum: f64 = terms
            .iter()
            .map(|k| k * k * (-PI * PI * k * k / (2.0 * x * x)).exp())
            .sum();
        // Far below any x where the probability is not 1 the sum is 0 and the cube may be too.
        if sum > 0.0 {
            1.0 - (2.0 * PI).sqrt() * PI * PI / (x * x * x) * sum
        } else {
            1.0
        }
    } else {
        let sum: f64 = terms
            .iter()
            .map(|j| {
                let square = j * j * x * x;
                // Where the exponential is 0 its factor may be infinite.
                if square > EXP_IS_ZERO {
                    0.0
                } else {
                    (4.0 * square - 1.0) * (-2.0 * square).exp()
                }
            })
            .sum();
        2.0 * sum
    };
    tail.clamp(0.0, 1.0)
}

/// The λ with P(K > λ) = `tail`.
pub(super) fn kuiper_upper_quantile(tail: f64) -> f64 {
    upper_quantile(tail, 2.0, kuiper_sf)
}

/// Where both series need few terms.
const SERIES_MEET: f64 = 1.3;
/// exp(−2 · 400) is 0.
const EXP_IS_ZERO: f64 = 400.0;
