//! Evidence that stays valid however often it is looked at.
//!
//! Logarithms and exponentials are those of `libm`, in Rust, not those of the platform: the same observations give the same bits
//! everywhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::{Alpha, Probability};

/// The natural logarithm of an e-value.
///
/// An e-value is a non-negative statistic with expectation at most 1 under the null hypothesis. By Ville's inequality the
/// probability that an e-*process* ever reaches 1/alpha is at most alpha, so it may be watched continuously.
///
/// # Examples
///
/// ```
/// use noops_core::{Alpha, LogE};
///
/// let evidence = LogE::new(100.0_f64.ln());
/// assert!(evidence.rejects(Alpha::FIVE_PERCENT));
/// assert!(!LogE::default().rejects(Alpha::FIVE_PERCENT));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct LogE(f64);

impl LogE {
    /// Takes a log e-value; NaN counts as no evidence.
    #[must_use]
    pub fn new(log_e: f64) -> Self {
        // JSON has no infinities, so a saturated value must survive as a number.
        Self(if log_e.is_nan() {
            0.0
        } else {
            log_e.clamp(-MOST, MOST)
        })
    }

    /// The logarithm.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// The e-value itself; infinite when it exceeds what an `f64` holds.
    #[must_use]
    pub fn value(self) -> f64 {
        libm::exp(self.0)
    }

    /// Whether the evidence rejects its null hypothesis at error rate `alpha`: e >= 1/alpha.
    #[must_use]
    pub fn rejects(self, alpha: Alpha) -> bool {
        self.0 >= -libm::log(alpha.get())
    }

    /// The average of e-values, itself an e-value under arbitrary dependence. No values give no evidence.
    #[must_use]
    pub fn mean(values: &[Self]) -> Self {
        let logs = values.iter().map(|value| value.0);
        if values.is_empty() {
            Self::default()
        } else {
            Self::new(log_sum_exp(logs) - libm::log(values.len() as f64))
        }
    }

    /// The larger of two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
}

/// A betting e-process for the mean of bounded observations, one-sided.
///
/// Tests H0: E\[x_t | past\] <= m for every t, with x in \[0, 1\].
///
/// # Formula
///
/// E_t = (1/K) sum_k prod_{i<=t} (1 + lambda_k (x_i - m)), lambda_k = c_k / m, a mixture over K fixed bets with c_k in (0, 1)
/// (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", 2024, section 4). Each factor has
/// expectation at most 1 under H0, so E_t is a non-negative supermartingale: P(sup E_t >= 1/alpha) <= alpha, at any number
/// of looks, without independence and without a distribution.
///
/// # Complexity
///
/// `observe` takes K = 8 multiplications and logarithms; the state is 88 bytes.
///
/// # Examples
///
/// ```
/// use noops_core::{Alpha, MeanBet, Probability};
///
/// // Does a thing that should happen at most half of the time happen more often?
/// let mut bet = MeanBet::new(Probability::new(0.5)?);
/// for _ in 0..20 {
///     bet.observe(1.0);
/// }
/// assert!(bet.log_e().rejects(Alpha::ONE_PERCENT));
/// # Ok::<(), noops_core::UnitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawMeanBet")]
pub struct MeanBet {
    bound: Probability,
    log_wealth: [f64; BETS.len()],
    max_log_e: LogE,
    observations: u64,
    ignored: u64,
    sum: f64,
}

impl MeanBet {
    /// Bets against "the mean is at most `bound`".
    ///
    /// Nothing can contradict a bound of 1: the evidence never grows. A bound of 0 is taken as a billionth, since any positive
    /// observation would be infinite evidence against it.
    #[must_use]
    pub fn new(bound: Probability) -> Self {
        Self {
            bound,
            log_wealth: [0.0; BETS.len()],
            max_log_e: LogE::default(),
            observations: 0,
            ignored: 0,
            sum: 0.0,
        }
    }

    /// Takes the next observation. Values outside \[0, 1\] are clamped; NaN is ignored and counted.
    pub fn observe(&mut self, x: f64) {
        if x.is_nan() {
            self.ignored = self.ignored.saturating_add(1);
            return;
        }
        let x = x.clamp(0.0, 1.0);
        let bound = self.bound.get().max(SMALLEST_BOUND);
        for (log_wealth, fraction) in self.log_wealth.iter_mut().zip(BETS) {
            // At least ln(1 - fraction), because x >= 0: a bet never loses everything.
            *log_wealth += libm::log1p(fraction * (x / bound - 1.0));
        }
        self.observations = self.observations.saturating_add(1);
        self.sum += x;
        self.max_log_e = self.max_log_e.max(self.log_e());
    }

    /// The bound that is bet against.
    #[must_use]
    pub fn bound(&self) -> Probability {
        self.bound
    }

    /// The current evidence against the null hypothesis.
    #[must_use]
    pub fn log_e(&self) -> LogE {
        LogE::new(log_sum_exp(self.log_wealth.iter().copied()) - libm::log(BETS.len() as f64))
    }

    /// The largest evidence ever seen, which is what Ville's inequality bounds.
    #[must_use]
    pub fn max_log_e(&self) -> LogE {
        self.max_log_e
    }

    /// How many observations were taken.
    #[must_use]
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// How many NaN were ignored.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// The mean of the observations, 0 when there are none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.observations == 0 {
            0.0
        } else {
            self.sum / self.observations as f64
        }
    }
}

/// What is stored, before it is checked.
#[derive(Deserialize)]
struct RawMeanBet {
    bound: Probability,
    log_wealth: [f64; BETS.len()],
    max_log_e: LogE,
    observations: u64,
    ignored: u64,
    sum: f64,
}

impl TryFrom<RawMeanBet> for MeanBet {
    type Error = &'static str;

    fn try_from(raw: RawMeanBet) -> Result<Self, Self::Error> {
        let bet = Self {
            bound: raw.bound,
            log_wealth: raw.log_wealth,
            max_log_e: raw.max_log_e,
            observations: raw.observations,
            ignored: raw.ignored,
            sum: raw.sum,
        };
        if bet.log_wealth.iter().any(|log| !log.is_finite()) {
            return Err("a stored bet has no finite wealth; start a new one");
        }
        // The counter stops at its largest value, the sum does not.
        if !(0.0..=bet.observations as f64).contains(&bet.sum) && bet.observations < u64::MAX {
            return Err("the observations of a stored bet lie outside 0 to 1; start a new one");
        }
        if bet.max_log_e < bet.log_e().max(LogE::default()) {
            return Err("a stored bet has more evidence than it ever had; start a new one");
        }
        Ok(bet)
    }
}

fn log_sum_exp(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_finite() {
        largest + libm::log(logs.map(|log| libm::exp(log - largest)).sum())
    } else {
        largest
    }
}

impl From<f64> for LogE {
    fn from(log_e: f64) -> Self {
        Self::new(log_e)
    }
}

impl From<LogE> for f64 {
    fn from(log_e: LogE) -> Self {
        log_e.0
    }
}

impl fmt::Display for LogE {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value();
        if value < 1e6 {
            write!(f, "{value:.2}")
        } else {
            write!(f, "{value:.2e}")
        }
    }
}

/// Fractions of the largest admissible bet: halving steps cover effects from half the range down to a two-hundredth.
const BETS: [f64; 8] = [
    0.9,
    0.5,
    0.25,
    0.125,
    0.0625,
    0.031_25,
    0.015_625,
    0.007_812_5,
];

const SMALLEST_BOUND: f64 = 1e-9;

const MOST: f64 = 1e300;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// splitmix64, so that a simulation is the same everywhere.
    struct Random(u64);

    impl Random {
        fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    fn ever_rejects(mean: f64, bound: f64, looks: usize, random: &mut Random) -> bool {
        let mut bet = MeanBet::new(Probability::new(bound).unwrap());
        for _ in 0..looks {
            bet.observe(if random.uniform() < mean { 1.0 } else { 0.0 });
        }
        bet.max_log_e().rejects(Alpha::FIVE_PERCENT)
    }

    #[test]
    fn at_the_boundary_a_thousand_looks_raise_at_most_alpha_false_alarms() {
        let mut random = Random(1);
        let runs = 1000;
        let alarms = (0..runs)
            .filter(|_| ever_rejects(0.3, 0.3, 1000, &mut random))
            .count();
        // Binomial(1000, 0.05) exceeds 70 with probability 0.002: scipy.stats.binom.sf(70, 1000, 0.05).
        assert!(alarms <= 70, "{alarms} of {runs}");
    }

    #[test]
    fn a_real_difference_is_found() {
        let mut random = Random(2);
        let found = (0..200)
            .filter(|_| ever_rejects(0.4, 0.3, 1000, &mut random))
            .count();
        assert!(found >= 196, "{found} of 200");
    }

    #[test]
    fn the_product_formula_is_met() {
        let mut bet = MeanBet::new(Probability::new(0.5).unwrap());
        let observed = [1.0, 0.25, 0.75];
        observed.iter().for_each(|&x| bet.observe(x));
        let product = |c: f64| {
            observed
                .iter()
                .map(|x| 1.0 + c / 0.5 * (x - 0.5))
                .product::<f64>()
        };
        let naive = BETS.iter().map(|&c| product(c)).sum::<f64>() / BETS.len() as f64;
        assert!((bet.log_e().value() - naive).abs() < 1e-12);
    }

    #[test]
    fn a_stored_bet_that_contradicts_itself_is_refused() {
        let mut bet = MeanBet::new(Probability::new(0.5).unwrap());
        [1.0, 0.5, 0.9].iter().for_each(|&x| bet.observe(x));
        let stored = serde_json::to_value(&bet).unwrap();
        assert_eq!(
            serde_json::from_value::<MeanBet>(stored.clone()).unwrap(),
            bet
        );
        for (field, value) in [
            ("sum", 4.0),
            ("sum", -0.1),
            ("max_log_e", -1.0),
            ("bound", 2.0),
        ] {
            let mut altered = stored.clone();
            altered[field] = value.into();
            assert!(
                serde_json::from_value::<MeanBet>(altered).is_err(),
                "{field}"
            );
        }
    }

    #[test]
    fn averaging_needs_no_independence_and_no_values() {
        assert_eq!(LogE::mean(&[]), LogE::default());
        let mean = LogE::mean(&[LogE::new(3.0_f64.ln()), LogE::new(1.0_f64.ln())]);
        assert!((mean.value() - 2.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn any_input_leaves_the_evidence_a_number(bound in 0.0..=1.0_f64, xs in prop::collection::vec(any::<f64>(), 0..50)) {
            let mut bet = MeanBet::new(Probability::new(bound).unwrap());
            xs.iter().for_each(|&x| bet.observe(x));
            prop_assert!(!bet.log_e().get().is_nan());
            prop_assert_eq!(bet.observations() + bet.ignored(), xs.len() as u64);
        }

        #[test]
        fn resumed_state_goes_on_exactly(xs in prop::collection::vec(0.0..=1.0_f64, 1..50), cut in 0usize..50) {
            let mut unbroken = MeanBet::new(Probability::new(0.3).unwrap());
            let mut broken = unbroken.clone();
            for (index, &x) in xs.iter().enumerate() {
                if index == cut {
                    broken = serde_json::from_str(&serde_json::to_string(&broken).unwrap()).unwrap();
                }
                unbroken.observe(x);
                broken.observe(x);
            }
            prop_assert_eq!(unbroken, broken);
        }
    }
}
