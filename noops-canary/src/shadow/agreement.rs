use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use crate::sequential::BernoulliSequence;

/// How often both models give the same answer, with an interval that is valid at every look.
///
/// # Formula
///
/// The interval is that of [`BernoulliSequence`], planned for a hundred pairs: with more of them it is a little wider than one planned
/// for as many, with fewer it soon says nothing.
///
/// # Examples
///
/// ```
/// use noops_canary::shadow::AgreementRate;
/// use noops_core::Alpha;
///
/// let agreement = AgreementRate::of_counts(960, 40);
/// let interval = agreement.interval(Alpha::FIVE_PERCENT);
/// assert!(interval.contains(0.96) && interval.lower() > 0.93);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementRate {
    agreements: u64,
    disagreements: u64,
}

impl AgreementRate {
    /// From counts.
    #[must_use]
    pub fn of_counts(agreements: u64, disagreements: u64) -> Self {
        Self {
            agreements,
            disagreements,
        }
    }

    /// Counts a pair of equal answers.
    pub fn observe_agreement(&mut self) {
        self.agreements = self.agreements.saturating_add(1);
    }

    /// Counts a pair of different answers.
    pub fn observe_disagreement(&mut self) {
        self.disagreements = self.disagreements.saturating_add(1);
    }

    /// The share of equal answers; `None` without pairs.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let pairs = self.agreements as f64 + self.disagreements as f64;
        (pairs > 0.0).then(|| self.agreements as f64 / pairs)
    }

    /// The confidence sequence of the rate at level `1 - alpha`; all of \[0, 1\] without pairs.
    ///
    /// Look at one alpha throughout: the plan is made for it.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Interval {
        BernoulliSequence::new(PLANNED_PAIRS, alpha).map_or(
            Interval::between(0.0, 1.0),
            |mut sequence| {
                sequence.observe_counts(self.agreements, self.disagreements);
                sequence.interval(alpha)
            },
        )
    }

    /// The pairs with equal answers.
    #[must_use]
    pub fn agreements(&self) -> u64 {
        self.agreements
    }

    /// The pairs with different answers.
    #[must_use]
    pub fn disagreements(&self) -> u64 {
        self.disagreements
    }
}

const PLANNED_PAIRS: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_agree_with_scipy() {
        // k = 100 / (d + log1p(d)) - 1 with d = -2 log(alpha); scipy.optimize.brentq over p of
        // betaln(k p + a, k (1 - p) + b) - betaln(k p, k (1 - p)) - a log(p) - b log1p(-p) + log(alpha)
        for (agreements, disagreements, alpha, lower, upper) in [
            (960, 40, 0.05, 0.936_789_514_366, 0.977_695_495_472),
            (7, 3, 0.05, 0.169_060_357_196, 0.985_926_697_368),
            (50, 0, 0.01, 0.875_563_729_219, 1.0),
            (99_990, 10, 0.05, 0.999_701_609_984, 0.999_987_525_299),
        ] {
            let counts = AgreementRate::of_counts(agreements, disagreements);
            let interval = counts.interval(Alpha::new(alpha).unwrap());
            assert!((interval.lower() - lower).abs() < 1e-9, "{interval:?}");
            assert!((interval.upper() - upper).abs() < 1e-9, "{interval:?}");
        }
    }

    #[test]
    fn no_pairs_say_nothing_and_huge_counts_give_numbers() {
        let nothing = AgreementRate::default();
        assert_eq!(nothing.rate(), None);
        assert_eq!(
            nothing.interval(Alpha::FIVE_PERCENT),
            Interval::between(0.0, 1.0)
        );
        for counts in [
            AgreementRate::of_counts(u64::MAX, 0),
            AgreementRate::of_counts(u64::MAX, u64::MAX),
            AgreementRate::of_counts(0, 1),
        ] {
            let interval = counts.interval(Alpha::FIVE_PERCENT);
            assert!(interval.lower() >= 0.0 && interval.upper() <= 1.0);
        }
    }

    #[test]
    fn counters_saturate() {
        let mut counts = AgreementRate::of_counts(u64::MAX, u64::MAX);
        counts.observe_agreement();
        counts.observe_disagreement();
        assert_eq!(counts, AgreementRate::of_counts(u64::MAX, u64::MAX));
    }
}
