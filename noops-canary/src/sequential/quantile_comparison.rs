use noops_core::{LogE, Probability};
use serde::{Deserialize, Serialize};

use super::ordered::Ordered;
use super::quantile::QuantileMixture;
use crate::assignment::Arm;
use crate::error::CanaryError;

/// Tests at any time whether a quantile is the same in two arms.
///
/// # Formula
///
/// For every x, `G_a(x)` is the least log evidence of arm a that its quantile is not x, as in
/// [`QuantileSequence`](super::QuantileSequence). Whatever the common quantile is, the product of both is an e-process there; so the
/// least sum `min_x G_0(x) + G_1(x)` stays below it (Howard and Ramdas 2022, section 6; `QuantileABTest` of their `confseq`).
///
/// # Complexity
///
/// Up to 65536 values of each arm are kept, sorted; more are refused. The evidence takes a search in one arm for each value of the other
/// between the two quantiles.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::sequential::QuantileComparison;
/// use noops_core::{Alpha, Probability};
///
/// let mut median = QuantileComparison::new(Probability::new(0.5)?, 100.0)?;
/// for i in 0..400 {
///     median.observe(Arm::Champion, f64::from(i % 100))?;
///     median.observe(Arm::Challenger, f64::from(i % 100) + 40.0)?;
/// }
/// assert!(median.log_e().rejects(Alpha::ONE_PERCENT));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantileComparison {
    mixture: QuantileMixture,
    champion: Ordered,
    challenger: Ordered,
}

impl QuantileComparison {
    /// Starts without values; most sensitive at `t_opt` values per arm.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] for a quantile of 0 or 1, and unless `t_opt` is finite and above zero.
    pub fn new(quantile: Probability, t_opt: f64) -> Result<Self, CanaryError> {
        Ok(Self {
            mixture: QuantileMixture::new(quantile.get(), t_opt)?,
            champion: Ordered::default(),
            challenger: Ordered::default(),
        })
    }

    /// Takes the next value of an arm.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for values that are not finite, and when 65536 of the arm are kept already; nothing changes then.
    pub fn observe(&mut self, arm: Arm, x: f64) -> Result<(), CanaryError> {
        match arm {
            Arm::Champion => self.champion.insert(x),
            Arm::Challenger => self.challenger.insert(x),
        }
    }

    /// The evidence as it stands that the quantiles differ.
    #[must_use]
    pub fn log_e(&self) -> LogE {
        let champion = Side::new(&self.mixture, &self.champion);
        let challenger = Side::new(&self.mixture, &self.challenger);
        // Both fall up to the lower of the two least evident values and rise from the upper one on, so the least sum is between
        // them. There the one on the left rises at its own values only, and the other one falls at its own: every place where
        // it falls is tried, which is where a least sum must be.
        let (first, second) = if champion.end() <= challenger.end() {
            (&champion, &challenger)
        } else {
            (&challenger, &champion)
        };
        let sum = |x: f64| first.log_e(x) + second.log_e(x);
        let mut least = sum(first.end()).min(sum(second.start()));
        let from = second.values.below(first.end());
        let to = second.values.up_to(second.start());
        let mut last = None;
        for &x in second.values.values().get(from..to).unwrap_or_default() {
            if last != Some(x) {
                least = least.min(sum(x));
                last = Some(x);
            }
        }
        LogE::new(least)
    }

    /// The number of values of an arm.
    #[must_use]
    pub fn count(&self, arm: Arm) -> usize {
        match arm {
            Arm::Champion => self.champion.len(),
            Arm::Challenger => self.challenger.len(),
        }
    }
}

/// One arm, with the number of values at or below the quantile for which the evidence is least.
struct Side<'a> {
    mixture: &'a QuantileMixture,
    values: &'a Ordered,
    least_evident: f64,
}

impl<'a> Side<'a> {
    fn new(mixture: &'a QuantileMixture, values: &'a Ordered) -> Self {
        Self {
            mixture,
            values,
            least_evident: mixture.least_evident(values.len() as f64),
        }
    }

    /// The first x without more evidence than the least.
    fn start(&self) -> f64 {
        let position = self.least_evident.ceil() - 1.0;
        if position < 0.0 {
            return f64::NEG_INFINITY;
        }
        self.values.at(position as usize).unwrap_or(f64::INFINITY)
    }

    /// The last x without more evidence than the least.
    fn end(&self) -> f64 {
        self.values
            .at(self.least_evident.floor() as usize)
            .unwrap_or(f64::INFINITY)
    }

    fn log_e(&self, x: f64) -> f64 {
        let (below, up_to) = (self.values.below(x) as f64, self.values.up_to(x) as f64);
        let k = self.least_evident.max(below).min(up_to);
        self.mixture.log_e(self.values.len() as f64, k)
    }
}

#[cfg(test)]
mod tests {
    use noops_core::Alpha;

    use super::*;
    use crate::simulation::Random;

    fn ramps(quantile: f64, shift: u32) -> QuantileComparison {
        let quantile = Probability::new(quantile).unwrap();
        let mut comparison = QuantileComparison::new(quantile, 100.0).unwrap();
        for i in 1..=1000 {
            comparison.observe(Arm::Champion, f64::from(i)).unwrap();
            comparison
                .observe(Arm::Challenger, f64::from(i + shift))
                .unwrap();
        }
        comparison
    }

    #[test]
    fn p_values_are_those_of_confseq() {
        for (quantile, shift, expected) in [
            (0.5, 70, 0.814_704),
            (0.5, 85, 0.083_805_5),
            (0.5, 100, 0.005_494_7),
            (0.9, 55, 0.034_046_3),
        ] {
            let found = (-ramps(quantile, shift).log_e().get()).exp();
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn no_common_quantile_has_less_evidence() {
        let mut random = Random::new(3);
        for round in 0..20 {
            let mixture_at = Probability::new(0.7).unwrap();
            let mut comparison = QuantileComparison::new(mixture_at, 50.0).unwrap();
            for _ in 0..60 {
                let shift = f64::from(round) * 0.5;
                let value = (random.uniform() * 20.0).floor();
                comparison.observe(Arm::Champion, value).unwrap();
                let value = (random.uniform() * 20.0).floor() + shift;
                comparison.observe(Arm::Challenger, value).unwrap();
            }
            let champion = Side::new(&comparison.mixture, &comparison.champion);
            let challenger = Side::new(&comparison.mixture, &comparison.challenger);
            let naive = (-4..140)
                .map(|i| f64::from(i) * 0.25)
                .map(|x| champion.log_e(x) + challenger.log_e(x))
                .fold(f64::INFINITY, f64::min);
            assert!((comparison.log_e().get() - naive).abs() < 1e-9, "{round}");
        }
    }

    #[test]
    fn equal_arms_rarely_alarm_at_any_look() {
        let alarms = (0..100)
            .filter(|&seed| {
                let mut random = Random::new(seed);
                let median = Probability::new(0.5).unwrap();
                let mut comparison = QuantileComparison::new(median, 100.0).unwrap();
                (0..400).any(|_| {
                    comparison
                        .observe(Arm::Champion, random.normal())
                        .and_then(|()| comparison.observe(Arm::Challenger, random.normal()))
                        .unwrap();
                    comparison.log_e().rejects(Alpha::FIVE_PERCENT)
                })
            })
            .count();
        // scipy.stats.binom.sf(12, 100, 0.05) = 0.0015
        assert!(alarms <= 12, "{alarms}");
    }

    #[test]
    fn empty_arms_are_no_evidence_and_bad_values_are_refused() {
        let median = Probability::new(0.5).unwrap();
        let mut comparison = QuantileComparison::new(median, 100.0).unwrap();
        assert!(comparison.log_e().get() <= 1e-12);
        for i in 0..50 {
            comparison.observe(Arm::Champion, f64::from(i)).unwrap();
        }
        assert!(comparison.log_e().get() <= 1e-12);
        let before = comparison.clone();
        assert!(comparison.observe(Arm::Challenger, f64::NAN).is_err());
        assert_eq!(comparison, before);
    }
}
