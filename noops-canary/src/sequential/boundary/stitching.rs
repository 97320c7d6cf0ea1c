use noops_core::{Alpha, Probability};

use super::require_positive;
use crate::error::CanaryError;

/// Polynomial stitching: a closed-form bound that grows like the law of the iterated logarithm.
///
/// # Formula
///
/// `sqrt(k1^2 v l + (k2 c l)^2) + k2 c l` with `l = s ln ln(eta v / v_min) + ln(zeta(s) / (alpha ln(eta)^s))` for `v >= v_min`, `eta = 2`,
/// `s = 1.4`, `k1 = (eta^(1/4) + eta^(-1/4)) / sqrt(2)`, `k2 = (sqrt(eta) + 1) / 2` (Howard et al. 2021, theorem 1).
///
/// # Numerical notes
///
/// A negative scale gives what `confseq` prints. The proof needs `(1 + eta^(-1/2)) / 2` for `k2` there, which is a little higher: where the
/// guarantee matters, pass 0, which bounds the lighter tail too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolyStitching {
    v_min: f64,
    scale: f64,
}

impl PolyStitching {
    /// Tightest shortly after `v_min`; `c` is the scale, negative where the tail is lighter than a normal one.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless `v_min` is finite and above zero and `c` is finite.
    pub fn new(v_min: f64, c: f64) -> Result<Self, CanaryError> {
        if !c.is_finite() {
            return Err(CanaryError::Setting {
                name: "c",
                value: c,
                allowed: "that is finite",
            });
        }
        Ok(Self {
            v_min: require_positive("v_min", v_min)?,
            scale: c,
        })
    }

    /// The bound of the sum at the intrinsic time `v`; infinite for a time that is infinite or NaN.
    #[must_use]
    pub fn bound(&self, v: f64, alpha: Alpha) -> f64 {
        if !v.is_finite() {
            return f64::INFINITY;
        }
        let v = v.max(self.v_min);
        let l = EXPONENT * libm::log(libm::log(ETA) + libm::log(v / self.v_min)) + libm::log(ZETA)
            - EXPONENT * libm::log(libm::log(ETA))
            - libm::log(alpha.get());
        let linear = k2() * self.scale * l;
        not_nan((k1_squared() * v * l + linear * linear).sqrt() + linear)
    }
}

/// Double stitching: a bound for the counts below all quantiles at once, over all times.
///
/// # Formula
///
/// Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm identification", 2022,
/// theorem 4, with `delta = 1/2`, `s = 1.4` and `eta = 2`.
///
/// # Numerical notes
///
/// Above the median the scale is negative, of which [`PolyStitching`] has more: the bound is as published, and its proof is not
/// checked here. [`ProcessLil`](super::ProcessLil) holds for all quantiles without it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoubleStitching {
    t_opt: f64,
}

impl DoubleStitching {
    /// Tightest shortly after `t_opt` observations.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless `t_opt` is finite and at least 1.
    pub fn new(t_opt: f64) -> Result<Self, CanaryError> {
        if t_opt.is_finite() && t_opt >= 1.0 {
            Ok(Self { t_opt })
        } else {
            Err(CanaryError::Setting {
                name: "t_opt",
                value: t_opt,
                allowed: "of at least 1",
            })
        }
    }

    /// The bound of `count - t p` for the quantile `p` after `t` observations; infinite for a quantile of 0 or 1.
    #[must_use]
    pub fn bound(&self, quantile: Probability, t: f64, alpha: Alpha) -> f64 {
        let p = quantile.get();
        if p <= 0.0 || p >= 1.0 || !t.is_finite() {
            return f64::INFINITY;
        }
        let t = t.max(self.t_opt);
        let logit = libm::log(p) - libm::log1p(-p);
        let ratio = t / self.t_opt;
        let nearest = if p >= 0.5 {
            p
        } else {
            let shifted = logit + 2.0 * DELTA * (ETA / ratio).sqrt();
            (1.0 / (1.0 + libm::exp(-shifted))).min(0.5)
        };
        let variance = nearest * (1.0 - nearest);
        let j = ratio.sqrt() * logit.abs() / (2.0 * DELTA) + 1.0;
        let l = EXPONENT * libm::log(libm::log(ETA) + libm::log(ratio))
            + EXPONENT * libm::log(j)
            + libm::log(2.0 * ZETA * (2.0 * ZETA + 1.0))
            - libm::log(alpha.get())
            - EXPONENT * libm::log(libm::log(ETA));
        let linear = k2() * (1.0 - 2.0 * p) / 3.0 * l;
        not_nan(
            DELTA * (ETA * ratio * variance).sqrt()
                + (k1_squared() * variance * t * l + linear * linear).sqrt()
                + linear,
        )
    }
}

fn not_nan(bound: f64) -> f64 {
    if bound.is_nan() { f64::INFINITY } else { bound }
}

fn k1_squared() -> f64 {
    let root = ETA.sqrt().sqrt();
    let sum = root + 1.0 / root;
    0.5 * sum * sum
}

fn k2() -> f64 {
    0.5 * (ETA.sqrt() + 1.0)
}

const ETA: f64 = 2.0;
const EXPONENT: f64 = 1.4;
const DELTA: f64 = 0.5;
/// Riemann's zeta at `EXPONENT`.
const ZETA: f64 = 3.1055472779775806;
