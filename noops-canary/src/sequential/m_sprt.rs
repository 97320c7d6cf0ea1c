use noops_core::LogE;
use serde::{Deserialize, Serialize};

use super::boundary::require_positive;
use super::running_moments::RunningMoments;
use crate::assignment::Arm;
use crate::error::CanaryError;

/// The mixture sequential probability ratio test of equal means in two arms.
///
/// # Formula
///
/// `L = sqrt(w / (w + tau^2)) exp(tau^2 d^2 / (2 w (w + tau^2)))` for the difference of the means `d` and its variance `w = s_0^2 / n_0 + s_1^2 /
/// n_1` (Johari, Koomen, Pekelis and Walsh, "Always valid inference", 2022, with `V / n = w`).
///
/// # Numerical notes
///
/// The variances are estimated, so that the error rate holds only asymptotically, for independent observations: there is no evidence
/// before each arm has 100 of them, nor when both variances are zero.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::sequential::MixtureSprt;
/// use noops_core::Alpha;
///
/// let mut test = MixtureSprt::new(0.5)?;
/// for i in 0..500 {
///     test.observe(Arm::Champion, f64::from(i % 5))?;
///     test.observe(Arm::Challenger, f64::from(i % 5) + 1.0)?;
/// }
/// assert!(test.log_e().rejects(Alpha::ONE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawMixtureSprt", into = "RawMixtureSprt")]
pub struct MixtureSprt {
    tau: f64,
    champion: RunningMoments,
    challenger: RunningMoments,
    max_log_e: LogE,
}

impl MixtureSprt {
    /// Starts without observations; `tau` is the standard deviation of the differences that are expected.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless `tau` and its square are finite and above zero.
    pub fn new(tau: f64) -> Result<Self, CanaryError> {
        require_positive("tau", tau)?;
        require_positive("tau", tau * tau)?;
        Ok(Self {
            tau,
            champion: RunningMoments::default(),
            challenger: RunningMoments::default(),
            max_log_e: LogE::default(),
        })
    }

    /// Takes the next observation of an arm.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for values that are not finite or above 1e100 in size; nothing changes then.
    pub fn observe(&mut self, arm: Arm, x: f64) -> Result<(), CanaryError> {
        match arm {
            Arm::Champion => self.champion.observe(x)?,
            Arm::Challenger => self.challenger.observe(x)?,
        }
        self.max_log_e = self.max_log_e.max(self.log_e());
        Ok(())
    }

    /// The evidence against equal means as it stands.
    #[must_use]
    pub fn log_e(&self) -> LogE {
        if self.champion.count().min(self.challenger.count()) < BURN_IN {
            return LogE::default();
        }
        let variance = self.champion.variance_of_mean() + self.challenger.variance_of_mean();
        log_ratio(
            self.challenger.mean() - self.champion.mean(),
            variance,
            self.tau,
        )
    }

    /// The largest evidence ever reached.
    #[must_use]
    pub fn max_log_e(&self) -> LogE {
        self.max_log_e
    }

    /// The number of observations of an arm.
    #[must_use]
    pub fn count(&self, arm: Arm) -> u64 {
        match arm {
            Arm::Champion => self.champion.count(),
            Arm::Challenger => self.challenger.count(),
        }
    }
}

fn log_ratio(difference: f64, variance: f64, tau: f64) -> LogE {
    if variance <= 0.0 {
        return LogE::default();
    }
    let prior = tau * tau;
    let total = variance + prior;
    // The square of the standardised difference times the prior's part of the total: neither overflows before the other vanishes.
    let z = difference / variance.sqrt();
    LogE::new(-0.5 * libm::log1p(prior / variance) + 0.5 * z * z * (prior / total))
}

#[derive(Serialize, Deserialize)]
struct RawMixtureSprt {
    tau: f64,
    champion: RunningMoments,
    challenger: RunningMoments,
    max_log_e: LogE,
}

impl TryFrom<RawMixtureSprt> for MixtureSprt {
    type Error = CanaryError;

    fn try_from(raw: RawMixtureSprt) -> Result<Self, CanaryError> {
        let test = Self {
            champion: raw.champion,
            challenger: raw.challenger,
            max_log_e: raw.max_log_e,
            ..Self::new(raw.tau)?
        };
        if test.max_log_e >= test.log_e() && test.max_log_e >= LogE::default() {
            Ok(test)
        } else {
            Err(CanaryError::State {
                state: "MixtureSprt",
                reason: "the largest evidence is below the evidence",
            })
        }
    }
}

impl From<MixtureSprt> for RawMixtureSprt {
    fn from(test: MixtureSprt) -> Self {
        Self {
            tau: test.tau,
            champion: test.champion,
            challenger: test.challenger,
            max_log_e: test.max_log_e,
        }
    }
}

const BURN_IN: u64 = 100;

#[cfg(test)]
mod tests {
    use noops_core::Alpha;

    use super::*;
    use crate::simulation::Random;

    #[test]
    fn ratios_are_the_published_ones() {
        for (n, difference, expected) in [(1000.0, 0.1, 3.278_722), (5000.0, 0.05, 3.958_081)] {
            let found = log_ratio(difference, 2.0 / n, 0.1).value();
            assert!((found - expected).abs() < 1e-6, "{found}");
        }
    }

    fn run(seed: u64, shift: f64, n: u32) -> LogE {
        let mut random = Random::new(seed);
        let mut test = MixtureSprt::new(0.1).unwrap();
        for _ in 0..n {
            test.observe(Arm::Champion, random.normal()).unwrap();
            test.observe(Arm::Challenger, random.normal() + shift)
                .unwrap();
        }
        test.max_log_e()
    }

    #[test]
    fn equal_means_rarely_alarm_and_a_shift_is_found() {
        let alarms = |shift, n| {
            (0..200)
                .filter(|&seed| run(seed, shift, n).rejects(Alpha::FIVE_PERCENT))
                .count()
        };
        // scipy.stats.binom.sf(20, 200, 0.05) = 0.0011
        let false_alarms = alarms(0.0, 10_000);
        assert!(false_alarms <= 20, "{false_alarms}");
        let found = alarms(0.2, 2000);
        assert!(found >= 195, "{found}");
    }

    #[test]
    fn hostile_input_is_refused_and_constants_are_no_evidence() {
        let mut test = MixtureSprt::new(1.0).unwrap();
        for _ in 0..200 {
            test.observe(Arm::Champion, 0.0).unwrap();
            test.observe(Arm::Challenger, 1.0).unwrap();
        }
        assert_eq!(test.max_log_e(), LogE::default());
        let before = test.clone();
        assert!(test.observe(Arm::Champion, f64::NAN).is_err());
        assert_eq!(test, before);
        for tau in [f64::NAN, 0.0, -1.0, f64::INFINITY, 1e-200, 1e200] {
            assert!(MixtureSprt::new(tau).is_err());
        }
        let text = serde_json::to_string(&test).unwrap();
        assert_eq!(serde_json::from_str::<MixtureSprt>(&text).unwrap(), test);
        let damaged = text.replace("\"max_log_e\":0.0", "\"max_log_e\":-1.0");
        assert!(serde_json::from_str::<MixtureSprt>(&damaged).is_err());
    }
}
