use noops_core::{Alpha, LogE, Share};
use serde::{Deserialize, Serialize};

use self::binomial::BinomialEvidence;
pub use self::concentrations::{Concentration, Concentrations};
use self::odds::Odds;
pub use self::settings::CountSettings;
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::interval::Interval;

pub(crate) mod binomial;
mod concentrations;
pub(crate) mod dirichlet;
pub(crate) mod odds;
mod settings;

/// Compares how often something happens in two arms at a fixed share, valid at every look.
///
/// Only the events themselves (failures, timeouts, conversions) are shown to it, not the requests: if the rates are equal, an event
/// falls to the candidate with a probability that is the candidate's share of the traffic, whatever the common rate does.
///
/// # Formula
///
/// With share t and allowed ratio M, the null hypothesis is p0 = t M / (t M + 1 − t), where M is 1 unless set otherwise. For S of
/// n events in the candidate, the e-process of one concentration k is
///
/// E = B(k p0 + S, k (1 − p0) + n − S) / B(k p0, k (1 − p0)) / (p0^S (1 − p0)^(n − S))
///
/// (Lindon and Malek, "Anytime-valid inference for multinomial count data", 2022), the mean over a beta law of likelihood ratios.
/// With a one-sided alternative the beta law is cut off at p0, so that the null hypothesis becomes "the ratio is at
/// most (at least) M". The evidence is the weighted mean over all [`Concentrations`].
///
/// # Error rates
///
/// P(the evidence ever reaches 1/alpha) <= alpha under the null hypothesis, at any number of looks, by Ville's inequality. Non-inferiority:
/// set `null_ratio` to the margin and the alternative to [`Less`](crate::batch::Alternative::Less); a rejection proves
/// that the candidate's rate is below M times the champion's.
///
/// # Numerical notes
///
/// The share has to be the same for all events and must have been chosen before them. If it changes, use
/// [`RateComparison`](crate::sequential::RateComparison), which takes the share of every event: pooling the counts of a ramp condemns identical
/// models when the base rate drifts. Events have to be independent given the share: of a unit that stays in one arm, count one event.
/// The result does not depend on the order of the events, and nothing as large as ln B is subtracted: a trillion events leave the e-value
/// ten digits.
///
/// # Complexity
///
/// Constant per look and concentration; a one-sided alternative adds an incomplete beta function, whose steps grow with the root of the
/// number of events. Nothing is allocated after construction.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::batch::Alternative;
/// use noops_canary::sequential::{CountMixture, CountSettings};
/// use noops_core::{Alpha, Share};
///
/// let mut failures = CountMixture::new(Share::from_ratio(0.1)?, CountSettings::default())?;
/// failures.observe_counts(60, 30);
/// failures.observe(Arm::Challenger);
/// assert!(failures.max_log_e().rejects(Alpha::FIVE_PERCENT));
/// assert!(failures.rate_ratio_interval(Alpha::FIVE_PERCENT).is_above(1.0));
///
/// // Not worse than 1.5 times the champion?
/// let margin = CountSettings::default().with_null_ratio(1.5).with_alternative(Alternative::Less);
/// let mut safe = CountMixture::new(Share::from_ratio(0.5)?, margin)?;
/// safe.observe_counts(210, 190);
/// assert!(safe.max_log_e().rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawCountMixture", into = "RawCountMixture")]
pub struct CountMixture {
    share: Share,
    settings: CountSettings,
    evidence: BinomialEvidence,
}

impl CountMixture {
    /// Starts without events.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for a share of nothing or of everything, at which there is only one side to fall on;
    /// [`CanaryError::Setting`] for a null ratio outside \[0.01, 100\].
    pub fn new(share: Share, settings: CountSettings) -> Result<Self, CanaryError> {
        let null = null_odds(share, settings.null_ratio())?;
        Ok(Self {
            share,
            evidence: BinomialEvidence::new(
                null,
                settings.alternative(),
                settings.concentrations(),
            ),
            settings,
        })
    }

    /// Takes one event of an arm.
    pub fn observe(&mut self, arm: Arm) {
        match arm {
            Arm::Champion => self.observe_counts(1, 0),
            Arm::Challenger => self.observe_counts(0, 1),
        }
    }

    /// Takes the events of a batch and then looks once.
    pub fn observe_counts(&mut self, champion: u64, candidate: u64) {
        self.evidence.observe(candidate, champion);
    }

    /// The evidence as it stands; it falls again when an excess turns out to be chance.
    #[must_use]
    pub fn log_e(&self) -> LogE {
        self.evidence.log_e()
    }

    /// The largest evidence of all looks, which is what Ville's inequality bounds.
    #[must_use]
    pub fn max_log_e(&self) -> LogE {
        self.evidence.max_log_e()
    }

    /// The anytime-valid p-value: 1 over the largest evidence, at most 1.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        self.evidence.p_value()
    }

    /// The events of one arm.
    #[must_use]
    pub fn events(&self, arm: Arm) -> u64 {
        match arm {
            Arm::Champion => self.evidence.failures(),
            Arm::Challenger => self.evidence.successes(),
        }
    }

    /// The rate of the candidate over that of the champion; `None` before the champion's first event, which bounds it.
    #[must_use]
    pub fn rate_ratio(&self) -> Option<f64> {
        let (candidate, champion) = (self.evidence.successes(), self.evidence.failures());
        let counts = Odds::of_counts(candidate as f64, champion as f64);
        (champion > 0).then(|| counts.over(share_odds(self.share)))
    }

    /// The confidence sequence of the rate ratio, candidate over champion: it holds the truth at all looks at once with probability
    /// `1 - alpha`.
    ///
    /// # Formula
    ///
    /// All ratios d whose p = t d / (t d + 1 − t) has B(k p0 + S, …) / B(k p0, …) / (p^S (1 − p)^(n − S)) < 1/alpha, found as roots of a convex
    /// function. The two-sided mixture is used whatever the alternative, so a one-sided test may reject a little
    /// before the interval leaves the null ratio.
    #[must_use]
    pub fn rate_ratio_interval(&self, alpha: Alpha) -> Interval {
        let interval = self.evidence.odds_interval(alpha);
        let share = share_odds(self.share);
        Interval::between(interval.lower.over(share), interval.upper.over(share))
    }

    /// The share of the candidate.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &CountSettings {
        &self.settings
    }
}

fn share_odds(share: Share) -> Odds {
    Odds::of_counts(
        f64::from(share.ppm()),
        f64::from(Share::FULL.ppm() - share.ppm()),
    )
}

fn null_odds(share: Share, ratio: f64) -> Result<Odds, CanaryError> {
    if share == Share::ZERO || share == Share::FULL {
        return Err(CanaryError::Input {
            input: "share",
            reason: "leaves one arm without traffic; compare at a share above 0 and below 1",
        });
    }
    if !(0.01..=100.0).contains(&ratio) {
        return Err(CanaryError::Setting {
            name: "null_ratio",
            value: ratio,
            allowed: "from 0.01 to 100",
        });
    }
    Ok(Odds::of_counts(
        f64::from(share.ppm()) * ratio,
        f64::from(Share::FULL.ppm() - share.ppm()),
    ))
}

#[derive(Serialize, Deserialize)]
struct RawCountMixture {
    share: Share,
    settings: CountSettings,
    champion: u64,
    candidate: u64,
    max_log_e: LogE,
}

impl TryFrom<RawCountMixture> for CountMixture {
    type Error = CanaryError;

    fn try_from(raw: RawCountMixture) -> Result<Self, CanaryError> {
        let mut mixture = Self::new(raw.share, raw.settings)?;
        mixture.evidence = mixture
            .evidence
            .restored(raw.candidate, raw.champion, raw.max_log_e)
            .map_err(|reason| CanaryError::State {
                state: "CountMixture",
                reason,
            })?;
        Ok(mixture)
    }
}

impl From<CountMixture> for RawCountMixture {
    fn from(mixture: CountMixture) -> Self {
        Self {
            champion: mixture.evidence.failures(),
            candidate: mixture.evidence.successes(),
            max_log_e: mixture.evidence.max_log_e(),
            share: mixture.share,
            settings: mixture.settings,
        }
    }
}

#[cfg(test)]
mod tests;
