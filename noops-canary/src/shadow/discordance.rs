use noops_core::{LogE, Probability};
use serde::{Deserialize, Serialize};

use crate::assignment::Arm;
use crate::sequential::RateComparison;

/// Pairs counted by which side won, with anytime-valid evidence from those that one side won: McNemar's idea and the sign test's.
///
/// Winning is being the only one that is right, being faster, or costing less. Pairs that neither or both won say nothing about
/// which side is better and are counted only.
///
/// # Formula
///
/// If the sides are equally good, a discordant pair is won by either with probability 1/2, whatever the difficulty of the request. The
/// evidence is that of [`RateComparison`] for lost pairs at equal shares: an e-process at every look, without memory of
/// earlier looks: act when it first reaches 1/alpha.
///
/// # Numerical notes
///
/// Discordant pairs are taken to be independent given the past, or at least to be won with probability 1/2 given the past. Requests
/// of one user are not: give each unit one vote, or use [`PairedLoss`](super::PairedLoss) with blocks.
///
/// # Examples
///
/// ```
/// use noops_canary::shadow::DiscordantPairs;
/// use noops_core::Alpha;
///
/// let pairs = DiscordantPairs::of_counts(60, 20, 920);
/// assert!(pairs.worse().rejects(Alpha::ONE_PERCENT));
/// assert_eq!(pairs.difference(), Some(-0.04));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscordantPairs {
    champion_wins: u64,
    candidate_wins: u64,
    concordant: u64,
}

impl DiscordantPairs {
    /// From counts: pairs won by the champion, by the candidate, and by neither or both.
    #[must_use]
    pub fn of_counts(champion_wins: u64, candidate_wins: u64, concordant: u64) -> Self {
        Self {
            champion_wins,
            candidate_wins,
            concordant,
        }
    }

    /// Counts a pair that the champion won.
    pub fn observe_champion_win(&mut self) {
        self.champion_wins = self.champion_wins.saturating_add(1);
    }

    /// Counts a pair that the candidate won.
    pub fn observe_candidate_win(&mut self) {
        self.candidate_wins = self.candidate_wins.saturating_add(1);
    }

    /// Counts a pair that neither or both won.
    pub fn observe_concordant(&mut self) {
        self.concordant = self.concordant.saturating_add(1);
    }

    /// Evidence that the candidate wins fewer than half of the discordant pairs.
    #[must_use]
    pub fn worse(&self) -> LogE {
        LogE::new(self.losses().log_e(1.0, 1.0, 1.0))
    }

    /// Evidence that the candidate wins more than half of the discordant pairs.
    #[must_use]
    pub fn better(&self) -> LogE {
        LogE::new(self.losses().log_e(1.0, -1.0, 1.0))
    }

    /// Evidence that the sides differ, either way: the average of the two.
    #[must_use]
    pub fn different(&self) -> LogE {
        self.losses().log_e_different()
    }

    /// Evidence that the champion wins less than `limit` of the discordant pairs, for a limit above one half.
    ///
    /// This is about the share among discordant pairs. For a margin on the accuracy itself use
    /// [`PairedLoss`](super::PairedLoss) with a loss of 0 or 1.
    #[must_use]
    pub fn not_worse(&self, limit: Probability) -> LogE {
        let odds = (limit.get() / (1.0 - limit.get())).min(f64::MAX);
        LogE::new(self.losses().log_e(odds, -1.0, 1.0))
    }

    /// Wins of the candidate minus those of the champion, per pair: the difference in accuracy if winning is being right.
    ///
    /// `None` without pairs.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        let pairs = self.champion_wins as f64 + self.candidate_wins as f64 + self.concordant as f64;
        (pairs > 0.0).then(|| (self.candidate_wins as f64 - self.champion_wins as f64) / pairs)
    }

    /// The share of pairs that one side won; `None` without pairs.
    #[must_use]
    pub fn discordance(&self) -> Option<f64> {
        let discordant = self.champion_wins as f64 + self.candidate_wins as f64;
        let pairs = discordant + self.concordant as f64;
        (pairs > 0.0).then(|| discordant / pairs)
    }

    /// The pairs that the champion won.
    #[must_use]
    pub fn champion_wins(&self) -> u64 {
        self.champion_wins
    }

    /// The pairs that the candidate won.
    #[must_use]
    pub fn candidate_wins(&self) -> u64 {
        self.candidate_wins
    }

    /// The pairs that neither or both won.
    #[must_use]
    pub fn concordant(&self) -> u64 {
        self.concordant
    }

    /// The pairs that one side won, as events of the side that lost them. At equal shares the ratio of their rates is the odds of the
    /// champion's winning one.
    fn losses(self) -> RateComparison {
        let mut losses = RateComparison::new();
        losses.count(Arm::Champion, 0.5, self.candidate_wins);
        losses.count(Arm::Challenger, 0.5, self.champion_wins);
        losses
    }
}

#[cfg(test)]
mod tests {
    use noops_core::Alpha;

    use super::*;
    use crate::simulation::Random;

    fn ever_worse(candidate_wins: f64, pairs: u32, seed: u64) -> bool {
        let mut random = Random::new(seed);
        let mut counts = DiscordantPairs::default();
        (0..pairs).any(|_| {
            if random.uniform() < candidate_wins {
                counts.observe_candidate_win();
            } else {
                counts.observe_champion_win();
            }
            counts.worse().rejects(Alpha::FIVE_PERCENT)
        })
    }

    #[test]
    fn equal_sides_are_rarely_told_apart_however_often_one_looks() {
        let alarms = (0..300)
            .filter(|seed| ever_worse(0.5, 2_000, *seed))
            .count();
        // scipy.stats.binom.sf(27, 300, .05) = .0013
        assert!(alarms <= 27, "{alarms}");
    }

    #[test]
    fn a_candidate_that_loses_two_in_three_is_found() {
        let found = (0..100)
            .filter(|seed| ever_worse(1.0 / 3.0, 400, *seed))
            .count();
        assert!(found >= 97, "{found}");
    }

    #[test]
    fn swapping_the_sides_swaps_the_evidence() {
        let (one, other) = (
            DiscordantPairs::of_counts(9, 4, 1),
            DiscordantPairs::of_counts(4, 9, 1),
        );
        let close = |one: LogE, other: LogE| (one.get() - other.get()).abs() < 1e-12;
        assert!(close(one.worse(), other.better()));
        assert!(close(one.different(), other.different()));
        assert_eq!(DiscordantPairs::default().difference(), None);
        // The weights of the mixture sum to a little less than one.
        assert!((-1e-5..=0.0).contains(&DiscordantPairs::default().worse().get()));
    }

    #[test]
    fn non_inferiority_grows_with_balanced_pairs() {
        let limit = Probability::new(0.6).unwrap();
        assert!(
            !DiscordantPairs::of_counts(20, 20, 0)
                .not_worse(limit)
                .rejects(Alpha::FIVE_PERCENT)
        );
        assert!(
            DiscordantPairs::of_counts(250, 250, 0)
                .not_worse(limit)
                .rejects(Alpha::FIVE_PERCENT)
        );
    }

    #[test]
    fn counters_saturate() {
        let mut counts = DiscordantPairs::of_counts(u64::MAX, u64::MAX, u64::MAX);
        counts.observe_champion_win();
        counts.observe_candidate_win();
        counts.observe_concordant();
        assert_eq!(counts.difference(), Some(0.0));
        for limit in [Probability::ZERO, Probability::ONE] {
            assert!(counts.not_worse(limit).get().is_finite());
        }
    }

    #[test]
    fn the_expectation_of_the_evidence_is_at_most_one_at_the_limit_and_behind_it() {
        // Over all outcomes of ten pairs.
        let expectation = |p: f64, evidence: &dyn Fn(DiscordantPairs) -> LogE| -> f64 {
            let mut binomial = (1.0 - p).powi(10);
            (0..=10_u64)
                .map(|wins| {
                    let term =
                        binomial * evidence(DiscordantPairs::of_counts(wins, 10 - wins, 0)).value();
                    binomial *= (10 - wins) as f64 / (wins + 1) as f64 * p / (1.0 - p);
                    term
                })
                .sum()
        };
        let limit = Probability::new(0.7).unwrap();
        let at_the_limit = [
            expectation(0.5, &|pairs| pairs.worse()),
            expectation(0.5, &|pairs| pairs.better()),
            expectation(0.7, &|pairs| pairs.not_worse(limit)),
        ];
        for found in at_the_limit {
            assert!((0.9999..=1.0).contains(&found), "{found}");
        }
        assert!(expectation(0.45, &|pairs| pairs.worse()) < 0.9999);
        assert!(expectation(0.55, &|pairs| pairs.better()) < 0.9999);
        assert!(expectation(0.75, &|pairs| pairs.not_worse(limit)) < 0.9999);
    }
}
