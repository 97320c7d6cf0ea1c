use std::fmt;

use noops_core::Alpha;
use noops_stats::special::normal_upper_quantile;
use serde::{Deserialize, Serialize};

use crate::cost::{CostError, Money};

/// A number that is not known exactly: its expectation and the standard error of that.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawEstimate", into = "RawEstimate")]
pub struct Estimate {
    expected: f64,
    standard_error: f64,
}

impl Estimate {
    /// An expectation with its standard error, zero for what is known exactly.
    ///
    /// # Errors
    ///
    /// [`CostError::Setting`] for an error below zero, and for anything that is not a number within ±10¹⁸.
    pub fn new(expected: f64, standard_error: f64) -> Result<Self, CostError> {
        let in_range = |number: f64| number.abs() <= MAX_ESTIMATE;
        if in_range(expected) && in_range(standard_error) && standard_error >= 0.0 {
            Ok(Self {
                expected,
                standard_error,
            })
        } else {
            Err(CostError::Setting {
                name: "estimate",
                problem: format!(
                    "`{expected} ± {standard_error}` must be numbers within ±10^18, the error not below zero"
                ),
            })
        }
    }

    /// The expectation.
    pub fn expected(&self) -> f64 {
        self.expected
    }

    /// The standard error of the expectation.
    pub fn standard_error(&self) -> f64 {
        self.standard_error
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEstimate {
    expected: f64,
    standard_error: f64,
}

impl TryFrom<RawEstimate> for Estimate {
    type Error = CostError;

    fn try_from(raw: RawEstimate) -> Result<Self, CostError> {
        Self::new(raw.expected, raw.standard_error)
    }
}

impl From<Estimate> for RawEstimate {
    fn from(estimate: Estimate) -> Self {
        Self {
            expected: estimate.expected,
            standard_error: estimate.standard_error,
        }
    }
}

/// Is this retrain worth its money?
///
/// # Formula
///
/// net = gain × value × traffic − cost, where the gain is in units of the metric per prediction (such as the accuracy that is
/// hoped for), the value what one unit of it is worth in one prediction, and the traffic the predictions until the model would
/// be replaced anyway. Gain, traffic and cost are taken to be independent, so that the variance of the net is
/// value² (g²σₙ² + n²σ₉² + σ₉²σₙ²) + σ_c² (Goodman, *On the exact variance of products*, 1960).
///
/// # Error rates
///
/// A retrain whose net is zero is called worth it, and likewise not worth it, with a probability of about alpha each: exactly
/// alpha where only the gain and the cost are uncertain, and both are normal.
///
/// # Examples
///
/// ```
/// use noops_policy::cost::{Estimate, RetrainCase, WorthVerdict};
///
/// // Half a percent more right answers, each worth two cents, a million times, for 40.
/// let gain = Estimate::new(0.005, 0.001)?;
/// let traffic = Estimate::new(1_000_000.0, 0.0)?;
/// let report = RetrainCase::new(gain, "0.02".parse()?, traffic, "40".parse()?).judge();
/// assert_eq!(report.verdict(), WorthVerdict::Worth);
/// assert_eq!(report.net(), "60".parse()?);
/// assert!(report.to_string().starts_with("worth it: a net of 60.00 (27.10 to 92.90)"));
/// # Ok::<(), noops_policy::cost::CostError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrainCase {
    gain: Estimate,
    value: Money,
    traffic: Estimate,
    cost: Money,
    cost_error: Money,
    alpha: Alpha,
}

impl RetrainCase {
    /// The case for a retrain of known cost, judged at 5 % in each direction.
    pub fn new(gain: Estimate, value: Money, traffic: Estimate, cost: Money) -> Self {
        Self {
            gain,
            value,
            traffic,
            cost,
            cost_error: Money::ZERO,
            alpha: Alpha::FIVE_PERCENT,
        }
    }

    /// Sets the standard error of the cost. Its sign does not matter.
    #[must_use]
    pub fn with_cost_error(mut self, cost_error: Money) -> Self {
        self.cost_error = cost_error;
        self
    }

    /// Sets how often a verdict in either direction may be wrong.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// The verdict.
    pub fn judge(&self) -> WorthReport {
        let (gain, traffic) = (self.gain.expected, self.traffic.expected);
        let (gain_error, traffic_error) = (self.gain.standard_error, self.traffic.standard_error);
        let value = self.value.to_f64();
        let cost_error = self.cost_error.to_f64();
        let net = gain * value * traffic - self.cost.to_f64();
        let square = |number: f64| number * number;
        let product = square(gain * traffic_error)
            + square(traffic * gain_error)
            + square(gain_error * traffic_error);
        let error = (square(value) * product + square(cost_error)).sqrt();
        let reach = normal_upper_quantile(self.alpha.get()) * error;
        let (lower, upper) = (net - reach, net + reach);
        let (lower, upper) = (lower.min(upper), lower.max(upper));
        let money = |units: f64| Money::estimate(units).unwrap_or(Money::ZERO);
        let verdict = if lower > 0.0 {
            WorthVerdict::Worth
        } else if upper < 0.0 {
            WorthVerdict::NotWorth
        } else {
            WorthVerdict::Undecided
        };
        let worth_of_one = value * traffic;
        let break_even = self.cost.to_f64() / worth_of_one;
        WorthReport {
            verdict,
            net: money(net),
            lower: money(lower),
            upper: money(upper),
            gain,
            break_even: (worth_of_one > 0.0 && break_even.is_finite()).then_some(break_even),
        }
    }
}

/// Whether a retrain is worth its money, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct WorthReport {
    verdict: WorthVerdict,
    net: Money,
    lower: Money,
    upper: Money,
    gain: f64,
    break_even: Option<f64>,
}

impl WorthReport {
    /// The verdict.
    pub fn verdict(&self) -> WorthVerdict {
        self.verdict
    }

    /// The expected net worth.
    pub fn net(&self) -> Money {
        self.net
    }

    /// The net worth that is exceeded but with the probability alpha: the margin of the verdict when it is above zero.
    pub fn lower(&self) -> Money {
        self.lower
    }

    /// The net worth that is not reached but with the probability alpha: the margin of the verdict when it is below zero.
    pub fn upper(&self) -> Money {
        self.upper
    }

    /// The gain at which the net is zero; none where no gain pays, for want of value or traffic.
    pub fn break_even_gain(&self) -> Option<f64> {
        self.break_even
    }
}

impl fmt::Display for WorthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            WorthVerdict::Worth => "worth it",
            WorthVerdict::NotWorth => "not worth it",
            WorthVerdict::Undecided => "undecided",
        };
        // Three decimals would feign a precision that an estimate does not have.
        let cents = |money: Money| format!("{:.2}", money.to_f64());
        write!(
            f,
            "{verdict}: a net of {} ({} to {}) at a gain of {}",
            cents(self.net),
            cents(self.lower),
            cents(self.upper),
            self.gain
        )?;
        match self.break_even {
            Some(gain) => write!(f, "; it breaks even at a gain of {gain}"),
            None => write!(f, "; no gain breaks even without value and traffic"),
        }
    }
}

/// Whether a retrain is worth its money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorthVerdict {
    /// The net is above zero.
    Worth,
    /// The net is below zero.
    NotWorth,
    /// The estimates do not tell.
    Undecided,
}

/// Products of three such numbers, squared, are far within floating point.
const MAX_ESTIMATE: f64 = 1e18;

#[cfg(test)]
mod tests {
    use noops_stats::SplitMix64;
    use proptest::prelude::*;

    use super::*;

    fn case(gain: (f64, f64), value: &str, traffic: (f64, f64), cost: &str) -> RetrainCase {
        RetrainCase::new(
            Estimate::new(gain.0, gain.1).unwrap(),
            value.parse().unwrap(),
            Estimate::new(traffic.0, traffic.1).unwrap(),
            cost.parse().unwrap(),
        )
    }

    #[test]
    fn verdicts_follow_the_band() {
        let verdict = |gain, error| {
            case((gain, error), "1", (1000.0, 0.0), "10")
                .judge()
                .verdict()
        };
        assert_eq!(verdict(0.02, 0.001), WorthVerdict::Worth);
        assert_eq!(verdict(0.005, 0.001), WorthVerdict::NotWorth);
        assert_eq!(verdict(0.011, 0.001), WorthVerdict::Undecided);
        assert_eq!(verdict(0.01, 0.0), WorthVerdict::Undecided, "exactly even");
        let report = case((0.02, 0.0), "1", (1000.0, 0.0), "10").judge();
        assert_eq!(report.break_even_gain(), Some(0.01));
        assert_eq!(
            case((1.0, 0.0), "0", (9.0, 0.0), "1").judge().to_string(),
            "not worth it: a net of -1.00 (-1.00 to -1.00) at a gain of 1; no gain breaks even without value and traffic"
        );
    }

    #[test]
    fn the_error_of_a_product_is_goodmans() {
        // python3 -c "print(((3*.5)**2 + (7*.2)**2 + (.2*.5)**2)**.5 * 1.6448536269514722)" gives 3.379…
        let report = case((3.0, 0.2), "1", (7.0, 0.5), "0").judge();
        let expected = ((1.5_f64 * 1.5) + (1.4 * 1.4) + 0.01).sqrt() * 1.644_853_626_951_472_2;
        let reach = report.upper().to_f64() - report.net().to_f64();
        assert!((reach - expected).abs() < 1e-5, "{reach} {expected}");
    }

    #[test]
    fn a_net_of_zero_is_rarely_called_worth_it() {
        // 20,000 draws at alpha 0.05: the standard error is 0.0015; four of them are 0.0062.
        let mut random = SplitMix64(11);
        let mut normal = move || {
            let radius = (-2.0 * libm::log(1.0 - random.unit())).sqrt();
            radius * libm::cos(std::f64::consts::TAU * random.unit())
        };
        let (mut worth, mut not_worth) = (0_u32, 0_u32);
        for _ in 0..20_000 {
            let gain = 0.01 + 0.002 * normal();
            match case((gain, 0.002), "1", (1000.0, 0.0), "10")
                .judge()
                .verdict()
            {
                WorthVerdict::Worth => worth += 1,
                WorthVerdict::NotWorth => not_worth += 1,
                WorthVerdict::Undecided => {}
            }
        }
        for count in [worth, not_worth] {
            let rate = f64::from(count) / 20_000.0;
            assert!((rate - 0.05).abs() < 0.0062, "{rate}");
        }
    }

    #[test]
    fn what_is_no_estimate_is_refused() {
        for (expected, error) in [
            (f64::NAN, 0.0),
            (0.0, f64::NAN),
            (f64::INFINITY, 0.0),
            (0.0, -1.0),
            (1e19, 0.0),
        ] {
            assert!(Estimate::new(expected, error).is_err());
        }
        let hostile = r#"{"expected": 1.0, "standard_error": -1.0}"#;
        assert!(serde_json::from_str::<Estimate>(hostile).is_err());
    }

    proptest! {
        #[test]
        fn more_gain_never_turns_worth_into_not_worth(
            gain in -1.0..1.0_f64, more in 0.0..1.0_f64, error in 0.0..1.0_f64, cost in 0_i64..1000
        ) {
            let cost = cost.to_string();
            let low = case((gain, error), "1", (500.0, 0.0), &cost).judge();
            let high = case((gain + more, error), "1", (500.0, 0.0), &cost).judge();
            prop_assert!(high.lower() >= low.lower());
            prop_assert!(low.lower() <= low.net() && low.net() <= low.upper());
            prop_assert!(
                !(low.verdict() == WorthVerdict::Worth && high.verdict() != WorthVerdict::Worth)
            );
        }

        #[test]
        fn no_estimate_panics(
            gain in -1e18..1e18_f64, error in 0.0..1e18_f64, traffic in -1e18..1e18_f64
        ) {
            let huge = RetrainCase::new(
                Estimate::new(gain, error).unwrap(),
                Money::MAX,
                Estimate::new(traffic, error).unwrap(),
                Money::MAX,
            );
            let report = huge.with_cost_error(Money::MAX).judge();
            prop_assert!(report.lower() <= report.upper());
        }
    }
}
