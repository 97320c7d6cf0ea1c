use std::collections::BTreeMap;

use libm::{log, log1p};
use noops_core::{LogE, Share};
use serde::{Deserialize, Serialize};

use super::settings::AllocationSettings;
use super::verdict::{ArmAllocation, SampleRatioVerdict};
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::sequential::mixture::log_sum_exp;

/// Watches whether units fall to champion and candidate as a moving share says, and carries what it learns from stage to stage.
///
/// # Formula
///
/// At share t a unit falls to the candidate with probability t g / (t g + 1 − t), where g is the odds ratio between what happens and
/// what should. Null hypothesis: g = 1. The e-process is the mean over a grid of g on both sides of 1 of the likelihood ratios, multiplied
/// over all units at whatever share each was served. A fault that loses every fifth exposure of the candidate has
/// the same g at every share, so no stage has to learn it anew.
///
/// # Error rates
///
/// P(a mismatch is ever reported) <= alpha at any number of looks if the shares are right, also if they change because of what was seen.
///
/// # Numerical notes
///
/// The grid reaches odds ratios of 20 and 1/20, and as near to 1 as 3 %. A smaller distortion is found late or never: at the
/// point where it matters, [`SampleRatioMismatch`](super::SampleRatioMismatch) learns the size itself. Units at a share of nothing or of
/// everything tell nothing, except in the arm that has no share: such a unit is the largest evidence there is.
///
/// # Complexity
///
/// [`observe`](Self::observe) only counts, in the logarithm of the number of distinct shares; [`look`](Self::look) is linear in
/// them. The promise is about the looks taken, so look as often as suits.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::sequential::{AllocationSettings, RampedSampleRatio};
/// use noops_core::Share;
///
/// let mut watch = RampedSampleRatio::new(AllocationSettings::default());
/// watch.observe_counts(9_900, 100, Share::from_ratio(0.01)?);
/// watch.observe(Arm::Champion, Share::from_ratio(0.05)?);
/// assert!(!watch.look().is_mismatch());
/// // Two thirds of what should come.
/// watch.observe_counts(9_660, 340, Share::from_ratio(0.05)?);
/// assert!(watch.look().is_mismatch());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRamped", into = "RawRamped")]
pub struct RampedSampleRatio {
    settings: AllocationSettings,
    strata: BTreeMap<Share, Counts>,
    max_log_e: LogE,
}

impl RampedSampleRatio {
    /// Starts without units. Of the settings only the error rate is used: the grid takes the place of the concentrations.
    #[must_use]
    pub fn new(settings: AllocationSettings) -> Self {
        Self {
            settings,
            strata: BTreeMap::new(),
            max_log_e: LogE::default(),
        }
    }

    /// Takes one unit that fell to an arm at the candidate's share in force when it did.
    pub fn observe(&mut self, arm: Arm, share: Share) {
        match arm {
            Arm::Champion => self.observe_counts(1, 0, share),
            Arm::Challenger => self.observe_counts(0, 1, share),
        }
    }

    /// Takes the units of a batch that was served at the same share.
    pub fn observe_counts(&mut self, champion: u64, candidate: u64, share: Share) {
        let counts = self.strata.entry(share).or_default();
        counts.champion = counts.champion.saturating_add(champion);
        counts.candidate = counts.candidate.saturating_add(candidate);
    }

    /// Evaluates the evidence, remembers the largest, and says whether the ratio is off.
    pub fn look(&mut self) -> SampleRatioVerdict {
        self.max_log_e = self.max_log_e.max(self.log_e());
        let total = self
            .strata
            .values()
            .fold(Counts::default(), |sum, counts| Counts {
                champion: sum.champion.saturating_add(counts.champion),
                candidate: sum.candidate.saturating_add(counts.candidate),
            });
        let expected = |ratio: fn(Share) -> f64| -> f64 {
            self.strata
                .iter()
                .map(|(share, counts)| ratio(*share) * counts.sum())
                .sum()
        };
        let arms = vec![
            ArmAllocation::new(total.champion, expected(|share| 1.0 - share.ratio())),
            ArmAllocation::new(total.candidate, expected(Share::ratio)),
        ];
        SampleRatioVerdict::new(self.max_log_e, self.settings.alpha(), arms)
    }

    /// The evidence as it stands.
    #[must_use]
    pub fn log_e(&self) -> LogE {
        if self.strata.is_empty() {
            return LogE::default();
        }
        let is_impossible = self.strata.iter().any(|(share, counts)| {
            (*share == Share::ZERO && counts.candidate > 0)
                || (*share == Share::FULL && counts.champion > 0)
        });
        if is_impossible {
            return LogE::new(f64::INFINITY);
        }
        let logs = GRID
            .iter()
            .flat_map(|ln_odds| [*ln_odds, -*ln_odds])
            .map(|ln_odds| self.log_likelihood_ratio(ln_odds));
        LogE::new(log_sum_exp(logs) - log(2.0 * GRID.len() as f64))
    }

    /// The largest evidence of all looks.
    #[must_use]
    pub fn max_log_e(&self) -> LogE {
        self.max_log_e
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &AllocationSettings {
        &self.settings
    }

    fn log_likelihood_ratio(&self, ln_odds: f64) -> f64 {
        let excess = libm::expm1(ln_odds);
        self.strata
            .iter()
            .filter(|(share, _)| **share != Share::ZERO && **share != Share::FULL)
            .map(|(share, counts)| {
                let norm = log1p(share.ratio() * excess);
                counts.candidate as f64 * (ln_odds - norm) - counts.champion as f64 * norm
            })
            .sum()
    }
}

/// The units of both arms at one share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    champion: u64,
    candidate: u64,
}

impl Counts {
    fn sum(self) -> f64 {
        self.champion as f64 + self.candidate as f64
    }
}

/// What a bet on exactly these units would have won; no mixture has more, nor had at an earlier look.
fn most_log_e((share, counts): (&Share, &Counts)) -> f64 {
    let bet = |count: u64, p: f64| {
        if count == 0 {
            0.0
        } else {
            count as f64 * -log(p)
        }
    };
    bet(counts.champion, 1.0 - share.ratio()) + bet(counts.candidate, share.ratio())
}

#[derive(Serialize, Deserialize)]
struct RawRamped {
    settings: AllocationSettings,
    strata: BTreeMap<Share, Counts>,
    max_log_e: LogE,
}

impl TryFrom<RawRamped> for RampedSampleRatio {
    type Error = CanaryError;

    fn try_from(raw: RawRamped) -> Result<Self, CanaryError> {
        let contradiction = |reason| CanaryError::State {
            state: "RampedSampleRatio",
            reason,
        };
        // Looks may have been left out, so that the present evidence may well be above the largest one seen.
        if raw.max_log_e.get() < 0.0 {
            return Err(contradiction(
                "the largest evidence is below that of no units",
            ));
        }
        let most: f64 = raw.strata.iter().map(most_log_e).sum();
        if raw.max_log_e.get() > most + 1e-9 * (1.0 + most) {
            return Err(contradiction(
                "the largest evidence is more than so many units can bring",
            ));
        }
        Ok(Self {
            settings: raw.settings,
            strata: raw.strata,
            max_log_e: raw.max_log_e,
        })
    }
}

impl From<RampedSampleRatio> for RawRamped {
    fn from(watch: RampedSampleRatio) -> Self {
        Self {
            settings: watch.settings,
            strata: watch.strata,
            max_log_e: watch.max_log_e,
        }
    }
}

/// Logarithms of odds ratios, each taken with both signs.
const GRID: [f64; 10] = [0.03, 0.06, 0.12, 0.2, 0.35, 0.55, 0.85, 1.3, 2.0, 3.0];
