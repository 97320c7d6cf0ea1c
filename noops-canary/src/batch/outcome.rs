use noops_core::{Alpha, Probability};
use serde::{Deserialize, Serialize};

use super::method::Method;
use super::settings::Alternative;
use crate::interval::Interval;

/// What a test of fixed size found, once.
///
/// The p-value is the chance of a result at least as extreme if the null hypothesis holds **and the data are looked at once**. To
/// look again and again, use what is in [`sequential`](crate::sequential).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestOutcome {
    method: Method,
    alternative: Alternative,
    statistic: Option<f64>,
    degrees_of_freedom: Option<f64>,
    p_value: Probability,
    estimate: Option<f64>,
    interval: Option<Interval>,
    alpha: Alpha,
    effect: Option<Effect>,
    n_champion: u64,
    n_candidate: u64,
}

impl TestOutcome {
    pub(crate) fn new(
        method: Method,
        alternative: Alternative,
        p_value: f64,
        alpha: Alpha,
        sizes: Sizes,
    ) -> Self {
        Self {
            method,
            alternative,
            statistic: None,
            degrees_of_freedom: None,
            // A NaN counts as no evidence.
            p_value: Probability::new(p_value.clamp(0.0, 1.0)).unwrap_or(Probability::ONE),
            estimate: None,
            interval: None,
            alpha,
            effect: None,
            n_champion: sizes.champion,
            n_candidate: sizes.candidate,
        }
    }

    pub(crate) fn with_statistic(mut self, statistic: f64) -> Self {
        self.statistic = Some(statistic).filter(|statistic| statistic.is_finite());
        self
    }

    pub(crate) fn with_degrees_of_freedom(mut self, degrees: f64) -> Self {
        self.degrees_of_freedom = Some(degrees).filter(|degrees| degrees.is_finite());
        self
    }

    pub(crate) fn with_estimate(mut self, estimate: f64, interval: Option<Interval>) -> Self {
        self.estimate = Some(estimate).filter(|estimate| estimate.is_finite());
        self.interval = interval;
        self
    }

    pub(crate) fn with_effect(mut self, kind: EffectKind, value: f64) -> Self {
        self.effect = value.is_finite().then_some(Effect { kind, value });
        self
    }

    /// The test.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// What was tested against the null hypothesis.
    #[must_use]
    pub fn alternative(&self) -> Alternative {
        self.alternative
    }

    /// The statistic, as the test's own page defines it; `None` where it is infinite or the test has none.
    #[must_use]
    pub fn statistic(&self) -> Option<f64> {
        self.statistic
    }

    /// The degrees of freedom of the law the p-value comes from, if it has any.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> Option<f64> {
        self.degrees_of_freedom
    }

    /// The p-value.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        self.p_value.get()
    }

    /// Whether the null hypothesis is rejected at `alpha`.
    #[must_use]
    pub fn rejects(&self, alpha: Alpha) -> bool {
        self.p_value() <= alpha.get()
    }

    /// The estimate the interval is about, in the metric's own units, candidate relative to champion.
    #[must_use]
    pub fn estimate(&self) -> Option<f64> {
        self.estimate
    }

    /// The confidence interval of the estimate at level `1 - alpha`; bounded on one side only for a one-sided alternative.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.interval
    }

    /// The error rate of the interval.
    ///
    /// A test of equivalence at α has the interval of error rate 2 α, and this is 2 α. Decide by [`rejects`](Self::rejects) with
    /// the α that was planned, never with this one.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// How large the difference is, without units.
    #[must_use]
    pub fn effect(&self) -> Option<Effect> {
        self.effect
    }

    /// The number of the champion's values (pairs, for a paired test).
    #[must_use]
    pub fn n_champion(&self) -> u64 {
        self.n_champion
    }

    /// The number of the candidate's values (pairs, for a paired test).
    #[must_use]
    pub fn n_candidate(&self) -> u64 {
        self.n_candidate
    }
}

/// How many values each side has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) champion: u64,
    pub(crate) candidate: u64,
}

impl Sizes {
    pub(crate) fn of<T>(champion: &[T], candidate: &[T]) -> Self {
        Self {
            champion: champion.len() as u64,
            candidate: candidate.len() as u64,
        }
    }
}

/// The size of a difference without units, and what it is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    kind: EffectKind,
    value: f64,
}

impl Effect {
    /// What it is measured by.
    #[must_use]
    pub fn kind(&self) -> EffectKind {
        self.kind
    }

    /// How large it is.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }
}

/// What an effect is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EffectKind {
    /// The difference of means over the pooled standard deviation, corrected for small samples (Hedges' g).
    HedgesG,
    /// The mean of paired differences over their standard deviation (Cohen's d of the differences).
    CohensDz,
    /// P(candidate > champion) + P(equal) / 2, the common-language effect size.
    ProbabilityOfSuperiority,
    /// Cohen's h, the difference of two proportions on the arcsine scale.
    CohensH,
    /// The odds ratio, candidate over champion.
    OddsRatio,
    /// The matched-pairs rank-biserial correlation.
    RankBiserial,
    /// Cramér's V.
    CramersV,
    /// The largest distance between two distribution functions.
    KolmogorovDistance,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Proportion, TestSettings, fisher_exact, kolmogorov_smirnov, mann_whitney};

    fn of(p_value: f64) -> TestOutcome {
        let sizes = Sizes::of(&[0.0], &[0.0]);
        let sided = Alternative::TwoSided;
        TestOutcome::new(Method::Welch, sided, p_value, Alpha::FIVE_PERCENT, sizes)
    }

    #[test]
    fn what_is_not_a_number_is_no_evidence() {
        assert_eq!(of(f64::NAN).p_value(), 1.0);
        assert_eq!(of(1.0 + 1e-9).p_value(), 1.0);
        assert_eq!(of(-1e-300).p_value(), 0.0);
    }

    #[test]
    fn a_stored_p_value_that_is_no_probability_is_refused() {
        let text = serde_json::to_string(&of(0.25)).unwrap();
        assert_eq!(
            serde_json::from_str::<TestOutcome>(&text).unwrap(),
            of(0.25)
        );
        for wrong in ["-0.25", "1.25", "null"] {
            let tampered = text.replacen("0.25", wrong, 1);
            assert!(
                serde_json::from_str::<TestOutcome>(&tampered).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn an_exact_p_value_at_the_level_rejects() {
        // Of the 20 orders of three against three one is as extreme on each side.
        let (low, high) = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]);
        let greater = TestSettings::default().with_alternative(Alternative::Greater);
        let both = TestSettings::default();
        let (none, all) = (
            Proportion::new(0, 3).unwrap(),
            Proportion::new(3, 3).unwrap(),
        );
        for (settings, level) in [(greater, 0.05), (both, 0.1)] {
            let level = Alpha::new(level).unwrap();
            let ranks = mann_whitney(&low, &high, &settings).unwrap();
            let table = fisher_exact(none, all, &settings).unwrap();
            for outcome in [ranks, table] {
                assert!(outcome.rejects(level), "{outcome:?}");
            }
        }
        let apart = kolmogorov_smirnov(&low, &high, &both).unwrap();
        assert!(apart.rejects(Alpha::new(0.1).unwrap()), "{apart:?}");
    }
}
