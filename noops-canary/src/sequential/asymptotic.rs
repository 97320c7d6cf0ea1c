use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::running_moments::RunningMoments;
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::interval::Interval;

/// The asymptotic confidence sequence for one mean, or for the difference between the means of two arms.
///
/// # Formula
///
/// `mean +- s sqrt(2 (n r^2 + 1) / (n^2 r^2) ln(sqrt(n r^2 + 1) / alpha))` with `r^2 = (-2 ln a + ln(-2 ln a + 1)) / n*`, tightest at `n*`
/// observations (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
/// sequences", 2024). For two arms `n` is the number of observations of both and `s^2 = n (s_0^2 / n_0 + s_1^2 / n_1)`.
///
/// # Numerical notes
///
/// Valid only asymptotically: early looks may err more often than alpha, and heavy tails prolong that. Until each arm has 100 observations
/// the interval is therefore unbounded. Observations must be independent. Where a range is known,
/// [`BoundedMean`](super::BoundedMean) needs none of this.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::sequential::AsymptoticSequence;
/// use noops_core::Alpha;
///
/// let mut latency = AsymptoticSequence::new(1000.0, Alpha::FIVE_PERCENT)?;
/// for i in 0..1000 {
///     latency.observe(Arm::Champion, f64::from(i % 10))?;
///     latency.observe(Arm::Challenger, f64::from(i % 10) + 2.0)?;
/// }
/// assert!(latency.difference(Alpha::FIVE_PERCENT).is_above(0.0));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawAsymptoticSequence", into = "RawAsymptoticSequence")]
pub struct AsymptoticSequence {
    precision: f64,
    champion: RunningMoments,
    challenger: RunningMoments,
}

impl AsymptoticSequence {
    /// Starts without observations; tightest at `planned` observations, of both arms together, for intervals at `alpha`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless `planned` is finite and at least 1.
    pub fn new(planned: f64, alpha: Alpha) -> Result<Self, CanaryError> {
        if !planned.is_finite() || planned < 1.0 {
            return Err(CanaryError::Setting {
                name: "planned",
                value: planned,
                allowed: "of at least 1",
            });
        }
        let twice = -2.0 * libm::log(alpha.get());
        Ok(Self {
            precision: (twice + libm::log1p(twice)) / planned,
            champion: RunningMoments::default(),
            challenger: RunningMoments::default(),
        })
    }

    /// Takes the next observation of an arm.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for values that are not finite or above 1e100 in size; nothing changes then.
    pub fn observe(&mut self, arm: Arm, x: f64) -> Result<(), CanaryError> {
        match arm {
            Arm::Champion => self.champion.observe(x),
            Arm::Challenger => self.challenger.observe(x),
        }
    }

    /// The means of one arm that are not refuted; unbounded before its 100th observation.
    #[must_use]
    pub fn mean(&self, arm: Arm, alpha: Alpha) -> Interval {
        let moments = self.moments(arm);
        if moments.count() < BURN_IN {
            return Interval::UNBOUNDED;
        }
        let margin = moments.variance().sqrt() * self.width(moments.count() as f64, alpha);
        Interval::between(moments.mean() - margin, moments.mean() + margin)
    }

    /// The differences, challenger minus champion, that are not refuted; unbounded before the 100th observation of either arm.
    #[must_use]
    pub fn difference(&self, alpha: Alpha) -> Interval {
        let (champion, challenger) = (&self.champion, &self.challenger);
        if champion.count().min(challenger.count()) < BURN_IN {
            return Interval::UNBOUNDED;
        }
        let n = champion.count() as f64 + challenger.count() as f64;
        let variance = n * (champion.variance_of_mean() + challenger.variance_of_mean());
        let estimate = challenger.mean() - champion.mean();
        let margin = variance.sqrt() * self.width(n, alpha);
        Interval::between(estimate - margin, estimate + margin)
    }

    /// The number of observations of an arm.
    #[must_use]
    pub fn count(&self, arm: Arm) -> u64 {
        self.moments(arm).count()
    }

    fn moments(&self, arm: Arm) -> &RunningMoments {
        match arm {
            Arm::Champion => &self.champion,
            Arm::Challenger => &self.challenger,
        }
    }

    /// Half the width for a standard deviation of 1.
    fn width(&self, n: f64, alpha: Alpha) -> f64 {
        let scaled = n * self.precision;
        let log = 0.5 * libm::log1p(scaled) - libm::log(alpha.get());
        (2.0 * (scaled + 1.0) / (n * scaled) * log).sqrt()
    }
}

#[derive(Serialize, Deserialize)]
struct RawAsymptoticSequence {
    precision: f64,
    champion: RunningMoments,
    challenger: RunningMoments,
}

impl TryFrom<RawAsymptoticSequence> for AsymptoticSequence {
    type Error = CanaryError;

    fn try_from(raw: RawAsymptoticSequence) -> Result<Self, CanaryError> {
        // Twice the largest threshold of a rate, and the smallest of a plan without end.
        if raw.precision > 0.0 && raw.precision <= 2000.0 {
            Ok(Self {
                precision: raw.precision,
                champion: raw.champion,
                challenger: raw.challenger,
            })
        } else {
            Err(CanaryError::State {
                state: "AsymptoticSequence",
                reason: "the precision is not above 0 and at most 2000",
            })
        }
    }
}

impl From<AsymptoticSequence> for RawAsymptoticSequence {
    fn from(sequence: AsymptoticSequence) -> Self {
        Self {
            precision: sequence.precision,
            champion: sequence.champion,
            challenger: sequence.challenger,
        }
    }
}

const BURN_IN: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Random;

    #[test]
    fn widths_are_the_published_ones() {
        for (n, planned, expected) in [
            (1e3, 1e3, 0.095_981_7),
            (1e3, 5e3, 0.106_375_5),
            (1e5, 5e3, 0.010_552_1),
        ] {
            let sequence = AsymptoticSequence::new(planned, Alpha::FIVE_PERCENT).unwrap();
            let found = sequence.width(n, Alpha::FIVE_PERCENT);
            assert!((found - expected).abs() < 1e-7, "{n} {planned} {found}");
        }
    }

    #[test]
    fn equal_arms_rarely_differ_at_any_look() {
        let alarms = (0..200)
            .filter(|&seed| {
                let mut random = Random::new(seed);
                let mut sequence = AsymptoticSequence::new(2e3, Alpha::FIVE_PERCENT).unwrap();
                (0..20_000).any(|i| {
                    let arm = if i % 2 == 0 {
                        Arm::Champion
                    } else {
                        Arm::Challenger
                    };
                    sequence.observe(arm, random.normal()).unwrap();
                    !sequence.difference(Alpha::FIVE_PERCENT).contains(0.0)
                })
            })
            .count();
        // scipy.stats.binom.sf(20, 200, 0.05) = 0.0011
        assert!(alarms <= 20, "{alarms}");
    }

    #[test]
    fn few_observations_bound_nothing_and_bad_ones_change_nothing() {
        let mut sequence = AsymptoticSequence::new(1e3, Alpha::FIVE_PERCENT).unwrap();
        for _ in 0..99 {
            sequence.observe(Arm::Champion, 1.0).unwrap();
        }
        let before = sequence.clone();
        for x in [f64::NAN, f64::INFINITY, 1e300] {
            assert!(sequence.observe(Arm::Champion, x).is_err());
        }
        assert_eq!(sequence, before);
        let interval = sequence.mean(Arm::Champion, Alpha::FIVE_PERCENT);
        assert_eq!(interval, Interval::UNBOUNDED);
        assert!(AsymptoticSequence::new(f64::NAN, Alpha::FIVE_PERCENT).is_err());
        let text = serde_json::to_string(&sequence).unwrap();
        assert_eq!(
            serde_json::from_str::<AsymptoticSequence>(&text).unwrap(),
            sequence
        );
        let damaged = text.replace("\"squares\":0.0", "\"squares\":-1.0");
        assert!(serde_json::from_str::<AsymptoticSequence>(&damaged).is_err());
    }
}
