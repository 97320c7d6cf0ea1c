use noops_core::{Alpha, LogE};
use noops_stats::special::normal_sf;
use serde::{Deserialize, Serialize};

use super::{best_rho, crossing, require_positive};
use crate::error::CanaryError;

/// The normal mixture for sub-Gaussian sums, one-sided or two-sided.
///
/// # Formula
///
/// Two-sided, `ln E = 1/2 ln(rho / (v + rho)) + s^2 / (2 (v + rho))`; one-sided, `ln E = 1/2 ln(4 rho / (v + rho)) + s^2 / (2 (v +
/// rho)) + ln Phi(s / sqrt(v + rho))` (Howard et al. 2021, propositions 5 and 6), with `rho = v_opt / (2 ln(1/a) + ln(1 + 2 ln(1/a)))`,
/// where `a` is the rate, doubled for the one-sided mixture.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::NormalMixture;
/// use noops_core::Alpha;
///
/// let mixture = NormalMixture::two_sided(100.0, Alpha::FIVE_PERCENT)?;
/// assert!((mixture.bound(100.0, Alpha::FIVE_PERCENT) - 30.35209).abs() < 1e-5);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawNormalMixture", into = "RawNormalMixture")]
pub struct NormalMixture {
    rho: f64,
    sides: Sides,
}

impl NormalMixture {
    /// Bounds the sum from above only, tightest at the intrinsic time `v_opt`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless `v_opt` is finite and above zero.
    pub fn one_sided(v_opt: f64, alpha: Alpha) -> Result<Self, CanaryError> {
        Ok(Self {
            rho: best_rho(require_positive("v_opt", v_opt)?, 2.0 * alpha.get()),
            sides: Sides::One,
        })
    }

    /// Bounds the sum from both sides, tightest at the intrinsic time `v_opt`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless `v_opt` is finite and above zero.
    pub fn two_sided(v_opt: f64, alpha: Alpha) -> Result<Self, CanaryError> {
        Ok(Self {
            rho: best_rho(require_positive("v_opt", v_opt)?, alpha.get()),
            sides: Sides::Two,
        })
    }

    /// The precision of the mixing distribution.
    #[must_use]
    pub fn rho(&self) -> f64 {
        self.rho
    }

    /// The evidence of the sum `s` at the intrinsic time `v`; a time that is negative, infinite or NaN gives none.
    #[must_use]
    pub fn log_e(&self, s: f64, v: f64) -> LogE {
        if s.is_nan() || !v.is_finite() || v < 0.0 {
            return LogE::default();
        }
        LogE::new(self.raw_log_e(s, v))
    }

    /// The bound of the sum at the intrinsic time `v`; infinite for a time that is negative, infinite or NaN.
    #[must_use]
    pub fn bound(&self, v: f64, alpha: Alpha) -> f64 {
        if !v.is_finite() || v < 0.0 {
            return f64::INFINITY;
        }
        let threshold = -libm::log(alpha.get());
        match self.sides {
            Sides::Two => ((v + self.rho) * (libm::log1p(v / self.rho) + 2.0 * threshold)).sqrt(),
            Sides::One => crossing(v, threshold, |s| self.raw_log_e(s, v)),
        }
    }

    fn raw_log_e(&self, s: f64, v: f64) -> f64 {
        let total = v + self.rho;
        let z = s / total.sqrt();
        let shrinkage = 0.5 * (libm::log(self.rho) - libm::log(total));
        match self.sides {
            Sides::Two => shrinkage + 0.5 * z * z,
            Sides::One => shrinkage + std::f64::consts::LN_2 + ln_normal_tilt(z),
        }
    }
}

/// Which sides of zero a mixture watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sides {
    One,
    Two,
}

/// z^2 / 2 + ln Phi(z), also where both are huge and nearly cancel.
fn ln_normal_tilt(z: f64) -> f64 {
    if z < -30.0 {
        // The first terms of Mills' ratio, an alternating series cut off from below.
        let square = z * z;
        return libm::log((1.0 - 1.0 / square) / (-z * std::f64::consts::TAU.sqrt()));
    }
    0.5 * z * z + libm::log(normal_sf(-z))
}

#[derive(Serialize, Deserialize)]
struct RawNormalMixture {
    rho: f64,
    sides: Sides,
}

impl TryFrom<RawNormalMixture> for NormalMixture {
    type Error = CanaryError;

    fn try_from(raw: RawNormalMixture) -> Result<Self, CanaryError> {
        Ok(Self {
            rho: require_positive("rho", raw.rho)?,
            sides: raw.sides,
        })
    }
}

impl From<NormalMixture> for RawNormalMixture {
    fn from(mixture: NormalMixture) -> Self {
        Self {
            rho: mixture.rho,
            sides: mixture.sides,
        }
    }
}
