use noops_core::Alpha;

use super::require_positive;
use crate::error::CanaryError;

/// A bound for the largest distance between the empirical and the true distribution function, for all times at once.
///
/// # Formula
///
/// `A sqrt((ln(1 + ln(t / t_min)) + C) / t)` with `A = 0.85`; `C` is the smallest constant whose crossing probability stays below alpha
/// (Howard and Ramdas 2022, theorem 2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProcessLil {
    t_min: f64,
    constant: f64,
}

impl ProcessLil {
    /// Holds from `t_min` observations on.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless `t_min` is finite and at least 1.
    pub fn new(t_min: f64, alpha: Alpha) -> Result<Self, CanaryError> {
        require_positive("t_min", t_min)?;
        if t_min < 1.0 {
            return Err(CanaryError::Setting {
                name: "t_min",
                value: t_min,
                allowed: "of at least 1",
            });
        }
        let mut below = 1.0;
        let mut above = 4.0;
        // The rate of an `Alpha` is at least the smallest number, whose logarithm is -745.
        while best_error(above) > alpha.get() && above < 1e5 {
            below = above;
            above *= 2.0;
        }
        for _ in 0..60 {
            let middle = 0.5 * (below + above);
            if best_error(middle) > alpha.get() {
                below = middle;
            } else {
                above = middle;
            }
        }
        Ok(Self {
            t_min,
            constant: above,
        })
    }

    /// The bound after `t` observations; infinite before `t_min`.
    #[must_use]
    pub fn bound(&self, t: f64) -> f64 {
        if t >= self.t_min && t.is_finite() {
            A * ((libm::log1p(libm::log(t / self.t_min)) + self.constant) / t).sqrt()
        } else {
            f64::INFINITY
        }
    }
}

/// The crossing probability with the best spacing of the epochs.
fn best_error(constant: f64) -> f64 {
    let spread = |eta: f64| (eta / 2.0).sqrt() + (2.0 * (eta - 1.0) / constant).sqrt();
    let (mut below, mut above) = (1.0, 2.0 * A * A);
    for _ in 0..60 {
        let middle = 0.5 * (below + above);
        if spread(middle) < A {
            below = middle;
        } else {
            above = middle;
        }
    }
    // The probability falls and rises again between 1 and the largest spacing.
    let (mut left, mut right) = (1.0, below);
    for _ in 0..120 {
        let inner = right - GOLDEN * (right - left);
        let outer = left + GOLDEN * (right - left);
        if error(constant, inner) <= error(constant, outer) {
            right = outer;
        } else {
            left = inner;
        }
    }
    error(constant, 0.5 * (left + right))
}

fn error(constant: f64, eta: f64) -> f64 {
    let root = A - (2.0 * (eta - 1.0) / constant).sqrt();
    let squared = 2.0 / eta * root * root;
    if squared <= 1.0 || eta <= 1.0 {
        return f64::INFINITY;
    }
    4.0 * libm::exp(-squared * constant) * (1.0 + 1.0 / ((squared - 1.0) * libm::log(eta)))
}

const A: f64 = 0.85;
const GOLDEN: f64 = 0.618_033_988_749_894_8;
