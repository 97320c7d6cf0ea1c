//! Boundaries that a martingale crosses at any time with probability at most alpha.
//!
//! Each function of the intrinsic time `v` bounds a sum `s` whose increments are centred and whose accumulated variance is `v`
//! (Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", 2021). They hold
//! for all `v` at once; the time `v_opt` only says where they are tightest.

mod gamma_exponential;
mod gamma_poisson;
mod normal_mixture;
mod process_lil;
mod stitching;

use crate::error::CanaryError;

pub use self::gamma_exponential::GammaExponential;
pub use self::gamma_poisson::GammaPoisson;
pub use self::normal_mixture::NormalMixture;
pub use self::process_lil::ProcessLil;
pub use self::stitching::{DoubleStitching, PolyStitching};

pub(crate) fn require_positive(name: &'static str, value: f64) -> Result<f64, CanaryError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(CanaryError::Setting {
            name,
            value,
            allowed: "above 0 and finite",
        })
    }
}

/// The best `rho` of a two-sided normal mixture at `v_opt`; one-sided mixtures pass twice their rate.
///
/// The one-sided mixtures of a rate near one half and above have no finite optimum: the rate is held at 0.8 there.
fn best_rho(v_opt: f64, alpha: f64) -> f64 {
    let twice_threshold = -2.0 * libm::log(alpha.min(0.8));
    v_opt / (twice_threshold + libm::log1p(twice_threshold))
}

/// The smallest `s >= 0` at which a rising log e-value reaches the threshold, rounded up; infinite if it never does.
fn crossing(v: f64, threshold: f64, log_e: impl Fn(f64) -> f64) -> f64 {
    let mut below = 0.0;
    let mut above = v.max(1.0);
    while log_e(above) < threshold {
        below = above;
        above *= 2.0;
        if !above.is_finite() {
            return f64::INFINITY;
        }
    }
    for _ in 0..200 {
        let middle = 0.5 * (below + above);
        if middle <= below || middle >= above {
            break;
        }
        if log_e(middle) < threshold {
            below = middle;
        } else {
            above = middle;
        }
    }
    above
}

#[cfg(test)]
mod tests;
