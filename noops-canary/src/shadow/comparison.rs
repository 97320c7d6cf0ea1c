use serde::{Deserialize, Serialize};

use super::agreement::AgreementRate;
use super::discordance::DiscordantPairs;
use super::divergence::ScoreDivergence;
use super::pair::{Correctness, LostAnswer, ShadowAnswer, ShadowResponse};
use super::ratio::RatioEvidence;
use super::settings::ShadowSettings;
use crate::assignment::Arm;
use crate::error::CanaryError;

/// Compares two models on the same requests, only one of which is served: no user is at risk, and the requests' own variety cancels out.
///
/// What does not need labels is known at once: how often they agree, how their scores differ, how their latencies and costs
/// compare. Once labels land, [`observe_correctness`](Self::observe_correctness) adds McNemar's comparison, and
/// [`PairedLoss`](super::PairedLoss) one of losses in blocks.
///
/// A request that a side did not answer is counted, never skipped: a shadow that silently never ran has no pairs and a
/// [`completeness`](Self::completeness) of 0 rather than a clean record.
///
/// # Numerical notes
///
/// Pairs are compared where both answered. If the candidate times out on the hard requests, the rest flatter it: read the
/// comparison together with the completeness.
///
/// # Examples
///
/// ```
/// use noops_canary::shadow::{LostAnswer, ShadowAnswer, ShadowComparison, ShadowResponse, ShadowSettings};
///
/// let mut shadow = ShadowComparison::new(ShadowSettings::default())?;
/// let champion = ShadowAnswer::Given(ShadowResponse::new(0.71)?.with_class(1));
/// let candidate = ShadowAnswer::Given(ShadowResponse::new(0.64)?.with_class(1));
/// shadow.observe(champion, candidate);
/// shadow.observe(champion, ShadowAnswer::Lost(LostAnswer::TimedOut));
/// assert_eq!(shadow.agreement().rate(), Some(1.0));
/// assert_eq!(shadow.completeness(), Some(0.5));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawShadowComparison")]
pub struct ShadowComparison {
    settings: ShadowSettings,
    agreement: AgreementRate,
    correctness: DiscordantPairs,
    divergence: ScoreDivergence,
    latency: RatioEvidence,
    cost: RatioEvidence,
    champion_losses: Losses,
    candidate_losses: Losses,
    requests: u64,
}

impl ShadowComparison {
    /// Starts without pairs.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] if the tolerance is negative, the score bins are impossible or the ratios cannot be tested.
    pub fn new(settings: ShadowSettings) -> Result<Self, CanaryError> {
        settings.check()?;
        Ok(Self {
            settings,
            agreement: AgreementRate::default(),
            correctness: DiscordantPairs::default(),
            divergence: ScoreDivergence::new(
                settings.lowest_score(),
                settings.highest_score(),
                settings.bins(),
            )?,
            latency: RatioEvidence::new(*settings.latency())?,
            cost: RatioEvidence::new(*settings.cost())?,
            champion_losses: Losses::default(),
            candidate_losses: Losses::default(),
            requests: 0,
        })
    }

    /// Takes what both models made of one request.
    ///
    /// Answers agree if their classes are equal, or where a class is missing, if their scores differ by at most the tolerance.
    pub fn observe(&mut self, champion: ShadowAnswer, candidate: ShadowAnswer) {
        self.requests = self.requests.saturating_add(1);
        if let ShadowAnswer::Lost(why) = champion {
            self.champion_losses.count(why);
        }
        if let ShadowAnswer::Lost(why) = candidate {
            self.candidate_losses.count(why);
        }
        if let (ShadowAnswer::Given(champion), ShadowAnswer::Given(candidate)) =
            (champion, candidate)
        {
            self.compare(&champion, &candidate);
        }
    }

    /// Takes which of the answers to one request turned out to be right, once its label has come.
    pub fn observe_correctness(&mut self, champion: Correctness, candidate: Correctness) {
        match (champion, candidate) {
            (Correctness::Correct, Correctness::Wrong) => self.correctness.observe_champion_win(),
            (Correctness::Wrong, Correctness::Correct) => self.correctness.observe_candidate_win(),
            _ => self.correctness.observe_concordant(),
        }
    }

    /// How often both gave the same answer.
    #[must_use]
    pub fn agreement(&self) -> &AgreementRate {
        &self.agreement
    }

    /// Who was the only one to be right how often.
    #[must_use]
    pub fn correctness(&self) -> &DiscordantPairs {
        &self.correctness
    }

    /// How far apart the scores are.
    #[must_use]
    pub fn divergence(&self) -> &ScoreDivergence {
        &self.divergence
    }

    /// How the latencies compare, where both were given.
    #[must_use]
    pub fn latency(&self) -> &RatioEvidence {
        &self.latency
    }

    /// How the costs compare, where both were given.
    #[must_use]
    pub fn cost(&self) -> &RatioEvidence {
        &self.cost
    }

    /// The requests that both were meant to answer.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// The requests that both answered.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.divergence.pairs()
    }

    /// The share of requests that both answered; `None` without requests, which is no pass either.
    #[must_use]
    pub fn completeness(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.pairs() as f64 / self.requests as f64)
    }

    /// The answers of an arm that were lost in this way.
    #[must_use]
    pub fn lost(&self, arm: Arm, why: LostAnswer) -> u64 {
        let losses = match arm {
            Arm::Champion => &self.champion_losses,
            Arm::Challenger => &self.candidate_losses,
        };
        losses.of(why)
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &ShadowSettings {
        &self.settings
    }

    fn compare(&mut self, champion: &ShadowResponse, candidate: &ShadowResponse) {
        let difference = (candidate.score() - champion.score()).abs();
        let agree = match (champion.class(), candidate.class()) {
            (Some(champion), Some(candidate)) => champion == candidate,
            _ => difference <= self.settings.tolerance(),
        };
        if agree {
            self.agreement.observe_agreement();
        } else {
            self.agreement.observe_disagreement();
        }
        // A response holds a finite score, so this is never refused.
        let observed = self.divergence.observe(champion.score(), candidate.score());
        debug_assert!(observed.is_ok());
        if let (Some(champion), Some(candidate)) = (champion.latency(), candidate.latency()) {
            self.latency.observe(champion, candidate);
        }
        if let (Some(champion), Some(candidate)) = (champion.cost(), candidate.cost()) {
            self.cost.observe(champion, candidate);
        }
    }
}

/// The answers an arm lost, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Losses {
    missing: u64,
    failed: u64,
    timed_out: u64,
    late: u64,
}

impl Losses {
    fn count(&mut self, why: LostAnswer) {
        let counter = match why {
            LostAnswer::Missing => &mut self.missing,
            LostAnswer::Failed => &mut self.failed,
            LostAnswer::TimedOut => &mut self.timed_out,
            LostAnswer::Late => &mut self.late,
        };
        *counter = counter.saturating_add(1);
    }

    fn total(&self) -> u64 {
        let all = [self.missing, self.failed, self.timed_out, self.late];
        all.into_iter().fold(0, u64::saturating_add)
    }

    fn of(&self, why: LostAnswer) -> u64 {
        match why {
            LostAnswer::Missing => self.missing,
            LostAnswer::Failed => self.failed,
            LostAnswer::TimedOut => self.timed_out,
            LostAnswer::Late => self.late,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShadowComparison {
    settings: ShadowSettings,
    agreement: AgreementRate,
    correctness: DiscordantPairs,
    divergence: ScoreDivergence,
    latency: RatioEvidence,
    cost: RatioEvidence,
    champion_losses: Losses,
    candidate_losses: Losses,
    requests: u64,
}

impl TryFrom<RawShadowComparison> for ShadowComparison {
    type Error = CanaryError;

    fn try_from(raw: RawShadowComparison) -> Result<Self, CanaryError> {
        let fresh = Self::new(raw.settings)?;
        let pairs = raw.divergence.pairs();
        let agreement = &raw.agreement;
        let refused = |reason| {
            Err(CanaryError::State {
                state: "ShadowComparison",
                reason,
            })
        };
        if agreement
            .agreements()
            .saturating_add(agreement.disagreements())
            != pairs
        {
            return refused("the pairs that agree and differ are not as many as were compared");
        }
        if pairs > raw.requests || raw.latency.pairs() > pairs || raw.cost.pairs() > pairs {
            return refused("there are more pairs than requests");
        }
        let (champion, candidate) = (raw.champion_losses.total(), raw.candidate_losses.total());
        let unpaired = raw.requests - pairs;
        if champion.max(candidate) > unpaired || champion.saturating_add(candidate) < unpaired {
            return refused("the lost answers do not account for the requests without a pair");
        }
        if raw.latency.settings() != raw.settings.latency()
            || raw.cost.settings() != raw.settings.cost()
            || !raw.divergence.has_bins(
                raw.settings.lowest_score(),
                raw.settings.highest_score(),
                raw.settings.bins(),
            )
        {
            return refused("a part has other settings than the whole");
        }
        Ok(Self {
            agreement: raw.agreement,
            correctness: raw.correctness,
            divergence: raw.divergence,
            latency: raw.latency,
            cost: raw.cost,
            champion_losses: raw.champion_losses,
            candidate_losses: raw.candidate_losses,
            requests: raw.requests,
            ..fresh
        })
    }
}

#[cfg(test)]
mod tests {
    use noops_core::Alpha;

    use super::*;
    use crate::shadow::RatioSettings;
    use crate::simulation::Random;

    fn given(score: f64) -> ShadowAnswer {
        ShadowAnswer::Given(ShadowResponse::new(score).unwrap())
    }

    fn shadow() -> ShadowComparison {
        ShadowComparison::new(ShadowSettings::default()).unwrap()
    }

    #[test]
    fn a_shadow_that_never_ran_is_visible() {
        let mut shadow = shadow();
        assert_eq!(shadow.completeness(), None);
        for _ in 0..1_000 {
            shadow.observe(given(0.5), ShadowAnswer::Lost(LostAnswer::Missing));
        }
        assert_eq!(shadow.completeness(), Some(0.0));
        assert_eq!(shadow.lost(Arm::Challenger, LostAnswer::Missing), 1_000);
        assert_eq!(shadow.lost(Arm::Champion, LostAnswer::Missing), 0);
        assert_eq!(shadow.agreement().rate(), None);
        assert!(!shadow.latency().not_worse().rejects(Alpha::FIVE_PERCENT));
    }

    #[test]
    fn classes_decide_agreement_and_scores_where_one_is_missing() {
        let classed = |score, class| {
            ShadowAnswer::Given(ShadowResponse::new(score).unwrap().with_class(class))
        };
        let mut shadow = shadow();
        shadow.observe(classed(0.1, 1), classed(0.9, 1));
        shadow.observe(classed(0.5, 1), classed(0.5, 2));
        shadow.observe(classed(0.5, 1), given(0.505));
        shadow.observe(given(0.5), given(0.52));
        let agreement = shadow.agreement();
        assert_eq!((agreement.agreements(), agreement.disagreements()), (2, 2));
    }

    #[test]
    fn correctness_counts_the_discordant_pairs_only_as_evidence() {
        let mut shadow = shadow();
        for _ in 0..60 {
            shadow.observe_correctness(Correctness::Correct, Correctness::Correct);
            shadow.observe_correctness(Correctness::Correct, Correctness::Wrong);
        }
        shadow.observe_correctness(Correctness::Wrong, Correctness::Correct);
        shadow.observe_correctness(Correctness::Wrong, Correctness::Wrong);
        assert_eq!(*shadow.correctness(), DiscordantPairs::of_counts(60, 1, 61));
        assert!(shadow.correctness().worse().rejects(Alpha::ONE_PERCENT));
    }

    fn run(pairs: u32) -> ShadowComparison {
        let latency = RatioSettings::default().with_margin(1.25);
        let settings = ShadowSettings::default().with_latency(latency);
        let mut shadow = ShadowComparison::new(settings).unwrap();
        let mut random = Random::new(4);
        for _ in 0..pairs {
            let mut one = |score: f64| {
                let latency = (0.2 * random.normal()).exp();
                let response = ShadowResponse::new(score).unwrap();
                ShadowAnswer::Given(response.with_latency(latency).unwrap())
            };
            let (champion, candidate) = (one(0.3), one(0.31));
            shadow.observe(champion, candidate);
        }
        shadow
    }

    #[test]
    fn equal_latencies_are_proven_not_worse() {
        let shadow = run(1_000);
        assert!(shadow.latency().not_worse().rejects(Alpha::FIVE_PERCENT));
        assert!(!shadow.latency().worse().rejects(Alpha::ONE_PERCENT));
        assert_eq!((shadow.pairs(), shadow.cost().pairs()), (1_000, 0));
    }

    #[test]
    fn a_stored_comparison_is_checked_and_goes_on() {
        let shadow = run(20);
        let text = serde_json::to_string(&shadow).unwrap();
        assert_eq!(
            serde_json::from_str::<ShadowComparison>(&text).unwrap(),
            shadow
        );
        for (from, to) in [
            ("\"requests\":20", "\"requests\":19"),
            ("\"requests\":20", "\"requests\":21"),
            ("\"missing\":0", "\"missing\":1"),
            ("\"highest_score\":1.0", "\"highest_score\":2.0"),
            ("\"tolerance\":0.01", "\"tolerance\":-1.0"),
            ("\"bins\":20", "\"bins\":21"),
        ] {
            let tampered = text.replacen(from, to, 1);
            assert_ne!(tampered, text, "{from}");
            assert!(
                serde_json::from_str::<ShadowComparison>(&tampered).is_err(),
                "{to}"
            );
        }
    }

    #[test]
    fn hostile_values_are_refused_before_they_are_compared() {
        assert!(ShadowResponse::new(f64::NAN).is_err());
        let response = ShadowResponse::new(0.0).unwrap();
        assert!(response.with_latency(-1.0).is_err());
        assert!(response.with_cost(f64::INFINITY).is_err());
        let settings = ShadowSettings::default();
        for settings in [
            settings.with_tolerance(f64::NAN),
            settings.with_bins(0),
            settings.with_score_range(1.0, 1.0),
            settings.with_cost(RatioSettings::default().with_clip(0.0)),
        ] {
            assert!(ShadowComparison::new(settings).is_err(), "{settings:?}");
        }
    }
}
