use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use super::settings::PairSettings;
use crate::error::CanaryError;
use crate::interval::Interval;
use crate::sequential::counts::binomial::BinomialEvidence;

/// What the two models did on the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairedResult {
    /// Both were right.
    Both,
    /// Only the champion was right.
    ChampionOnly,
    /// Only the candidate was right.
    CandidateOnly,
    /// Neither was right.
    Neither,
}

/// McNemar's test of paired yes-or-no results, valid at every look.
///
/// Both models answer the same requests, and only the discordant pairs, on which one is right and the other wrong, tell them apart:
/// with equal accuracy each kind is as likely as the other. That is why pairs need so few requests.
///
/// # Formula
///
/// The beta-binomial mixture of [`CountMixture`](crate::sequential::CountMixture) for the candidate's share of the discordant pairs, against ½
/// or the null share of the settings.
///
/// # Error rates
///
/// P(the evidence ever reaches 1/alpha) <= alpha at any number of looks, if the pairs are independent.
///
/// # Complexity
///
/// As [`CountMixture`](crate::sequential::CountMixture) for a discordant pair; a concordant one is only counted.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::{PairSettings, PairedResult, SequentialMcNemar};
/// use noops_core::Alpha;
///
/// let mut accuracy = SequentialMcNemar::new(PairSettings::default())?;
/// accuracy.observe_counts(40, 10);
/// accuracy.observe(PairedResult::Both);
/// assert!(accuracy.max_log_e().rejects(Alpha::FIVE_PERCENT));
/// assert!(accuracy.candidate_share_interval(Alpha::FIVE_PERCENT).is_below(0.5));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawMcNemar", into = "RawMcNemar")]
pub struct SequentialMcNemar {
    settings: PairSettings,
    evidence: BinomialEvidence,
    both: u64,
    neither: u64,
}

impl SequentialMcNemar {
    /// Starts without pairs.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] for a null share outside \[0.001, 0.999\].
    pub fn new(settings: PairSettings) -> Result<Self, CanaryError> {
        Ok(Self {
            evidence: settings.evidence()?,
            settings,
            both: 0,
            neither: 0,
        })
    }

    /// Takes one pair.
    pub fn observe(&mut self, result: PairedResult) {
        match result {
            PairedResult::Both => self.both = self.both.saturating_add(1),
            PairedResult::Neither => self.neither = self.neither.saturating_add(1),
            PairedResult::ChampionOnly => self.evidence.observe(0, 1),
            PairedResult::CandidateOnly => self.evidence.observe(1, 0),
        }
    }

    /// Takes the discordant pairs of a batch and then looks once.
    pub fn observe_counts(&mut self, champion_only: u64, candidate_only: u64) {
        self.evidence.observe(candidate_only, champion_only);
    }

    /// The evidence as it stands.
    #[must_use]
    pub fn log_e(&self) -> LogE {
        self.evidence.log_e()
    }

    /// The largest evidence of all looks.
    #[must_use]
    pub fn max_log_e(&self) -> LogE {
        self.evidence.max_log_e()
    }

    /// The anytime-valid p-value: 1 over the largest evidence, at most 1.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        self.evidence.p_value()
    }

    /// How many pairs came out as `result`.
    #[must_use]
    pub fn pairs(&self, result: PairedResult) -> u64 {
        match result {
            PairedResult::Both => self.both,
            PairedResult::Neither => self.neither,
            PairedResult::ChampionOnly => self.evidence.failures(),
            PairedResult::CandidateOnly => self.evidence.successes(),
        }
    }

    /// The confidence sequence of the candidate's share of the discordant pairs, from the two-sided mixture.
    #[must_use]
    pub fn candidate_share_interval(&self, alpha: Alpha) -> Interval {
        let odds = self.evidence.odds_interval(alpha);
        Interval::between(odds.lower.p(), odds.upper.p())
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &PairSettings {
        &self.settings
    }
}

#[derive(Serialize, Deserialize)]
struct RawMcNemar {
    settings: PairSettings,
    both: u64,
    champion_only: u64,
    candidate_only: u64,
    neither: u64,
    max_log_e: LogE,
}

impl TryFrom<RawMcNemar> for SequentialMcNemar {
    type Error = CanaryError;

    fn try_from(raw: RawMcNemar) -> Result<Self, CanaryError> {
        let mut test = Self::new(raw.settings)?;
        test.evidence = test
            .evidence
            .restored(raw.candidate_only, raw.champion_only, raw.max_log_e)
            .map_err(|reason| CanaryError::State {
                state: "SequentialMcNemar",
                reason,
            })?;
        test.both = raw.both;
        test.neither = raw.neither;
        Ok(test)
    }
}

impl From<SequentialMcNemar> for RawMcNemar {
    fn from(test: SequentialMcNemar) -> Self {
        Self {
            both: test.both,
            champion_only: test.evidence.failures(),
            candidate_only: test.evidence.successes(),
            neither: test.neither,
            max_log_e: test.evidence.max_log_e(),
            settings: test.settings,
        }
    }
}
