use noops_core::{Alpha, LogE};
use noops_stats::special::ln_scaled_gamma_lower;
use serde::{Deserialize, Serialize};

use super::{best_rho, crossing, require_positive};
use crate::error::CanaryError;

/// The gamma mixture for sub-exponential sums, such as those of the empirical Bernstein inequality.
///
/// # Formula
///
/// `E = J((v + rho) / c^2, (c s + v + rho) / c^2) / J(rho / c^2, rho / c^2)` with `J(a, y) = gamma(a, y) y^-a e^y` (Howard et al. 2021,
/// proposition 9),
/// with `rho` of the one-sided normal mixture.
///
/// # Complexity
///
/// One incomplete gamma function per look: some steps, of the order of the root of `v / c^2` near `s = 0`.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::GammaExponential;
/// use noops_core::Alpha;
///
/// let mixture = GammaExponential::new(100.0, Alpha::FIVE_PERCENT, 2.0)?;
/// assert!((mixture.bound(100.0, Alpha::FIVE_PERCENT) - 33.02017).abs() < 1e-4);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawGammaExponential", into = "RawGammaExponential")]
pub struct GammaExponential {
    rho: f64,
    scale: f64,
    normaliser: f64,
}

impl GammaExponential {
    /// Bounds a sum with scale `c` from above, tightest at the intrinsic time `v_opt`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless `v_opt` is finite and above zero and `c` lies between 1e-6 and 1e6.
    pub fn new(v_opt: f64, alpha: Alpha, c: f64) -> Result<Self, CanaryError> {
        Self::from_rho(
            best_rho(require_positive("v_opt", v_opt)?, 2.0 * alpha.get()),
            c,
        )
    }

    /// The scale `c`.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
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
        crossing(v, -libm::log(alpha.get()), |s| self.raw_log_e(s, v))
    }

    fn from_rho(rho: f64, scale: f64) -> Result<Self, CanaryError> {
        if !(1e-6..=1e6).contains(&scale) {
            return Err(CanaryError::Setting {
                name: "c",
                value: scale,
                allowed: "from 1e-6 to 1e6",
            });
        }
        let shape = require_positive("rho", rho)? / (scale * scale);
        require_positive("rho", shape)?;
        Ok(Self {
            rho,
            scale,
            normaliser: ln_scaled_gamma_lower(shape, shape),
        })
    }

    fn raw_log_e(&self, s: f64, v: f64) -> f64 {
        let squared = self.scale * self.scale;
        let shape = (v + self.rho) / squared;
        ln_scaled_gamma_lower(shape, shape + s / self.scale) - self.normaliser
    }
}

#[derive(Serialize, Deserialize)]
struct RawGammaExponential {
    rho: f64,
    scale: f64,
}

impl TryFrom<RawGammaExponential> for GammaExponential {
    type Error = CanaryError;

    fn try_from(raw: RawGammaExponential) -> Result<Self, CanaryError> {
        Self::from_rho(raw.rho, raw.scale)
    }
}

impl From<GammaExponential> for RawGammaExponential {
    fn from(mixture: GammaExponential) -> Self {
        Self {
            rho: mixture.rho,
            scale: mixture.scale,
        }
    }
}
