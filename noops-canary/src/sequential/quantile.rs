use noops_core::{Alpha, LogE, Probability};
use noops_stats::special::ln_beta;
use serde::{Deserialize, Serialize};

use super::boundary::require_positive;
use super::ordered::Ordered;
use crate::error::CanaryError;
use crate::interval::Interval;

/// A confidence sequence for one quantile of a stream.
///
/// # Formula
///
/// The number k of the N values at or below the true p-quantile is compared with p N by the two-sided beta-binomial mixture, `ln E(k) =
/// ln B(r / p + N - k, r / (1 - p) + k) - ln B(r / p, r / (1 - p)) - k ln p - (N - k) ln(1 - p)`. Every x whose possible k include one with
/// `E < 1 / alpha` is in the interval (Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and
/// best-arm identification", 2022). Valid for any independent values with the same distribution, ties included.
///
/// # Complexity
///
/// Values are kept, sorted, up to 65536 of them, half a megabyte; more are refused. Insertion moves the values above, an interval takes some
/// hundred beta functions. Where streams are longer, [`DistributionBand`](super::DistributionBand) keeps counts only.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::QuantileSequence;
/// use noops_core::{Alpha, Probability};
///
/// let mut median = QuantileSequence::new(Probability::new(0.5)?, 500.0)?;
/// for i in 0..1000 {
///     median.observe(f64::from(i * 37 % 1000))?;
/// }
/// let interval = median.interval(Alpha::FIVE_PERCENT);
/// assert!(interval.contains(500.0) && interval.width() < 150.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantileSequence {
    mixture: QuantileMixture,
    values: Ordered,
}

impl QuantileSequence {
    /// Starts without values; tightest after `t_opt` of them.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] for a quantile of 0 or 1, and unless `t_opt` is finite and above zero.
    pub fn new(quantile: Probability, t_opt: f64) -> Result<Self, CanaryError> {
        Ok(Self {
            mixture: QuantileMixture::new(quantile.get(), t_opt)?,
            values: Ordered::default(),
        })
    }

    /// Takes the next value.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for values that are not finite, and when 65536 values are kept already; nothing changes then.
    pub fn observe(&mut self, x: f64) -> Result<(), CanaryError> {
        self.values.insert(x)
    }

    /// The values of the quantile that are not refuted; unbounded where nothing is known.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Interval {
        let n = self.values.len();
        let (least, most) = self.mixture.plausible(n as f64, -libm::log(alpha.get()));
        // The first value with at least `least` values at or below it, and the last with at most `most` below it.
        let first = least.ceil();
        let lower = if first < 1.0 {
            None
        } else {
            self.values.at(first as usize - 1)
        };
        let upper = self.values.at(most.floor().max(0.0) as usize);
        Interval::between(
            lower.unwrap_or(f64::NEG_INFINITY),
            upper.unwrap_or(f64::INFINITY),
        )
    }

    /// The evidence that the quantile is not `x`; none for NaN.
    #[must_use]
    pub fn log_e(&self, x: f64) -> LogE {
        if x.is_nan() {
            return LogE::default();
        }
        let n = self.values.len() as f64;
        LogE::new(self.mixture.least_log_e(
            n,
            self.values.below(x) as f64,
            self.values.up_to(x) as f64,
        ))
    }

    /// The number of values.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len()
    }
}

/// The beta-binomial mixture for the number of values at or below a quantile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawQuantileMixture", into = "RawQuantileMixture")]
pub(super) struct QuantileMixture {
    p: f64,
    t_opt: f64,
    above: f64,
    below: f64,
    normaliser: f64,
}

impl QuantileMixture {
    pub(super) fn new(p: f64, t_opt: f64) -> Result<Self, CanaryError> {
        if !(1e-6..=1.0 - 1e-6).contains(&p) {
            return Err(CanaryError::Setting {
                name: "quantile",
                value: p,
                allowed: "from 0.000001 to 0.999999",
            });
        }
        if require_positive("t_opt", t_opt)? > 1e12 {
            return Err(CanaryError::Setting {
                name: "t_opt",
                value: t_opt,
                allowed: "of at most 1e12",
            });
        }
        let variance = p * (1.0 - p);
        // Tuned for a rate of 5 %, whatever the rate asked for later: the optimum is flat.
        let twice = 2.0 * libm::log(20.0);
        let rho = t_opt * variance / (twice + libm::log1p(twice));
        let r = (rho - variance).max(1e-3 * variance);
        let (above, below) = (r / p, r / (1.0 - p));
        Ok(Self {
            p,
            t_opt,
            above,
            below,
            normaliser: ln_beta(above, below),
        })
    }

    /// The evidence of `k` of `n` values at or below the quantile; convex in `k`, which need not be whole.
    pub(super) fn log_e(&self, n: f64, k: f64) -> f64 {
        ln_beta(self.above + n - k, self.below + k)
            - self.normaliser
            - k * libm::log(self.p)
            - (n - k) * libm::log1p(-self.p)
    }

    /// The `k` with the least evidence, by golden section.
    pub(super) fn least_evident(&self, n: f64) -> f64 {
        let (mut left, mut right) = (0.0, n);
        for _ in 0..80 {
            let inner = right - GOLDEN * (right - left);
            let outer = left + GOLDEN * (right - left);
            if self.log_e(n, inner) <= self.log_e(n, outer) {
                right = outer;
            } else {
                left = inner;
            }
        }
        0.5 * (left + right)
    }

    /// The least evidence of a `k` from `from` to `to`.
    pub(super) fn least_log_e(&self, n: f64, from: f64, to: f64) -> f64 {
        let k = self.least_evident(n).max(from).min(to);
        self.log_e(n, k)
    }

    /// The least and the most `k` whose evidence stays below the threshold, rounded outwards.
    fn plausible(&self, n: f64, threshold: f64) -> (f64, f64) {
        let centre = self.least_evident(n);
        let edge = |end: f64| {
            if self.log_e(n, end) < threshold {
                return end;
            }
            let (mut inside, mut outside) = (centre, end);
            for _ in 0..100 {
                let middle = 0.5 * (inside + outside);
                if self.log_e(n, middle) < threshold {
                    inside = middle;
                } else {
                    outside = middle;
                }
            }
            outside
        };
        (edge(0.0), edge(n))
    }
}

#[derive(Serialize, Deserialize)]
struct RawQuantileMixture {
    p: f64,
    t_opt: f64,
}

impl TryFrom<RawQuantileMixture> for QuantileMixture {
    type Error = CanaryError;

    fn try_from(raw: RawQuantileMixture) -> Result<Self, CanaryError> {
        Self::new(raw.p, raw.t_opt)
    }
}

impl From<QuantileMixture> for RawQuantileMixture {
    fn from(mixture: QuantileMixture) -> Self {
        Self {
            p: mixture.p,
            t_opt: mixture.t_opt,
        }
    }
}

const GOLDEN: f64 = 0.618_033_988_749_894_8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Random;

    #[test]
    fn the_true_quantile_is_rarely_excluded_at_any_of_two_thousand_looks() {
        let excluded = (0..200)
            .filter(|&seed| {
                let mut random = Random::new(seed);
                let mixture = QuantileMixture::new(0.9, 500.0).unwrap();
                let mut below = 0.0;
                (1..=2000_u32).any(|n| {
                    below += f64::from(u8::from(random.uniform() <= 0.9));
                    mixture.log_e(f64::from(n), below) >= 20.0_f64.ln()
                })
            })
            .count();
        // scipy.stats.binom.sf(20, 200, 0.05) = 0.0011
        assert!(excluded <= 20, "{excluded}");
    }

    #[test]
    fn the_interval_holds_what_the_evidence_does_not_refute() {
        let mut random = Random::new(7);
        let p = Probability::new(0.9).unwrap();
        let mut sequence = QuantileSequence::new(p, 200.0).unwrap();
        for _ in 0..300 {
            // Rounded, so that there are ties.
            sequence.observe((random.uniform() * 40.0).floor()).unwrap();
        }
        let interval = sequence.interval(Alpha::FIVE_PERCENT);
        for i in 0..40 {
            let x = f64::from(i);
            let refuted = sequence.log_e(x).rejects(Alpha::FIVE_PERCENT);
            assert_eq!(interval.contains(x), !refuted, "{x}");
        }
    }

    #[test]
    fn bad_input_and_damaged_states_are_refused() {
        let p = Probability::new(0.5).unwrap();
        let mut sequence = QuantileSequence::new(p, 100.0).unwrap();
        assert_eq!(sequence.interval(Alpha::FIVE_PERCENT), Interval::UNBOUNDED);
        sequence.observe(1.0).unwrap();
        sequence.observe(2.0).unwrap();
        let before = sequence.clone();
        assert!(sequence.observe(f64::NAN).is_err());
        assert_eq!(sequence, before);
        assert!(QuantileSequence::new(Probability::ZERO, 100.0).is_err());
        assert!(QuantileSequence::new(p, f64::NAN).is_err());
        let text = serde_json::to_string(&sequence).unwrap();
        let resumed: QuantileSequence = serde_json::from_str(&text).unwrap();
        assert_eq!(resumed, sequence);
        let damaged = text.replace("[1.0,2.0]", "[2.0,1.0]");
        assert!(serde_json::from_str::<QuantileSequence>(&damaged).is_err());
    }
}
