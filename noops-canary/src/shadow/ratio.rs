use noops_core::{LogE, MeanBet, Probability};
use serde::{Deserialize, Serialize};

use super::discordance::DiscordantPairs;
use crate::error::CanaryError;

/// How much slower or dearer a candidate may be, as a ratio.
///
/// # Examples
///
/// ```
/// use noops_canary::shadow::RatioSettings;
///
/// let settings = RatioSettings::default().with_margin(1.25);
/// assert_eq!(settings.margin(), 1.25);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RatioSettings {
    margin: f64,
    harm: f64,
    clip: f64,
    floor: f64,
}

impl RatioSettings {
    /// Sets the non-inferiority margin: the mean ratio that is still acceptable. Default `1.1`.
    #[must_use]
    pub fn with_margin(mut self, margin: f64) -> Self {
        self.margin = margin;
        self
    }

    /// Sets the mean ratio above which the candidate does harm. Default `1`: any rise.
    #[must_use]
    pub fn with_harm(mut self, harm: f64) -> Self {
        self.harm = harm;
        self
    }

    /// Sets the ratio beyond which, and beneath whose inverse, a single pair counts no more. Default `4`.
    #[must_use]
    pub fn with_clip(mut self, clip: f64) -> Self {
        self.clip = clip;
        self
    }

    /// Sets the value that smaller ones are raised to, so that nothing is divided by zero. Default `1e-9`.
    ///
    /// The resolution of the clock, or of the price, is a good choice.
    #[must_use]
    pub fn with_floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }

    /// The non-inferiority margin.
    #[must_use]
    pub fn margin(&self) -> f64 {
        self.margin
    }

    /// The mean ratio above which the candidate does harm.
    #[must_use]
    pub fn harm(&self) -> f64 {
        self.harm
    }

    /// The ratio beyond which a single pair counts no more.
    #[must_use]
    pub fn clip(&self) -> f64 {
        self.clip
    }

    /// The value that smaller ones are raised to.
    #[must_use]
    pub fn floor(&self) -> f64 {
        self.floor
    }

    fn check(&self) -> Result<(), CanaryError> {
        let refuse = |name, value, allowed| {
            Err(CanaryError::Setting {
                name,
                value,
                allowed,
            })
        };
        if !(self.clip > 1.0 && self.clip.is_finite()) {
            return refuse("clip", self.clip, "above 1");
        }
        if !(self.floor > 0.0 && self.floor.is_finite()) {
            return refuse("floor", self.floor, "above 0");
        }
        for (name, ratio) in [("margin", self.margin), ("harm", self.harm)] {
            if !(ratio < self.clip && ratio > 1.0 / self.clip) {
                return refuse(name, ratio, "below `clip` and above its inverse");
            }
        }
        Ok(())
    }

    /// Where a ratio lies between the clips on a logarithmic scale, from 0 to 1.
    fn place(&self, log_ratio: f64) -> f64 {
        let range = libm::log(self.clip);
        ((log_ratio.clamp(-range, range) / range + 1.0) / 2.0).clamp(0.0, 1.0)
    }
}

impl Default for RatioSettings {
    fn default() -> Self {
        Self {
            margin: 1.1,
            harm: 1.0,
            clip: 4.0,
            floor: 1e-9,
        }
    }
}

/// Compares latencies or costs of two models on the same requests, at any time, as often as wanted.
///
/// # Formula
///
/// Each pair gives `log(candidate / champion)`, clipped, and rescaled to \[0, 1\]; [`MeanBet`] tests its mean against the logarithms
/// of the margin and of the harm bound. [`DiscordantPairs`] tests which side wins more often: a median ratio of 1.
///
/// # Numerical notes
///
/// The mean of logarithms is the logarithm of the geometric mean, so what is judged is a typical ratio; a rare request that takes a
/// hundred times as long weighs as much as one that takes `clip` times as long. Watch a tail quantile beside it.
/// Both tests assume that the expected value given the pairs before is on the null hypothesis' side of the bound.
///
/// # Examples
///
/// ```
/// use noops_canary::shadow::{RatioEvidence, RatioSettings};
/// use noops_core::Alpha;
///
/// let mut latency = RatioEvidence::new(RatioSettings::default().with_margin(1.25))?;
/// for _ in 0..200 {
///     latency.observe(0.010, 0.0101);
/// }
/// assert!(latency.not_worse().rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRatioEvidence")]
pub struct RatioEvidence {
    settings: RatioSettings,
    worse: MeanBet,
    not_worse: MeanBet,
    wins: DiscordantPairs,
    sum_of_logs: f64,
    clipped: u64,
    ignored: u64,
}

impl RatioEvidence {
    /// Starts without evidence.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the clip is above 1, the floor above 0, and margin and harm bound lie between the clips.
    pub fn new(settings: RatioSettings) -> Result<Self, CanaryError> {
        settings.check()?;
        let bound =
            |ratio| Probability::new(settings.place(libm::log(ratio))).unwrap_or(Probability::ONE);
        Ok(Self {
            settings,
            worse: MeanBet::new(bound(settings.harm)),
            not_worse: MeanBet::new(bound(settings.margin).complement()),
            wins: DiscordantPairs::default(),
            sum_of_logs: 0.0,
            clipped: 0,
            ignored: 0,
        })
    }

    /// Takes the values of both models on one request. A pair with a negative, infinite or NaN value is counted as ignored.
    pub fn observe(&mut self, champion: f64, candidate: f64) {
        let usable = |value: f64| value >= 0.0 && value.is_finite();
        if !(usable(champion) && usable(candidate)) {
            self.ignored = self.ignored.saturating_add(1);
            return;
        }
        let floor = self.settings.floor;
        let (champion, candidate) = (champion.max(floor), candidate.max(floor));
        let log_ratio = libm::log(candidate) - libm::log(champion);
        let place = self.settings.place(log_ratio);
        self.worse.observe(place);
        self.not_worse.observe(1.0 - place);
        if candidate > champion {
            self.wins.observe_champion_win();
        } else if candidate < champion {
            self.wins.observe_candidate_win();
        } else {
            self.wins.observe_concordant();
        }
        let range = libm::log(self.settings.clip);
        self.sum_of_logs += log_ratio.clamp(-range, range);
        self.clipped = self
            .clipped
            .saturating_add(u64::from(log_ratio.abs() > range));
    }

    /// Evidence that the mean log ratio is below the margin's: not too slow, not too dear. The current value.
    #[must_use]
    pub fn not_worse(&self) -> LogE {
        self.not_worse.log_e()
    }

    /// Evidence that the mean log ratio is above the harm bound's. The largest value ever reached.
    #[must_use]
    pub fn worse(&self) -> LogE {
        self.worse.max_log_e()
    }

    /// Who had the smaller value how often.
    #[must_use]
    pub fn wins(&self) -> &DiscordantPairs {
        &self.wins
    }

    /// The geometric mean of the clipped ratios, candidate over champion; `None` without pairs.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let pairs = self.pairs();
        (pairs > 0).then(|| libm::exp(self.sum_of_logs / pairs as f64))
    }

    /// The pairs compared.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.worse.observations()
    }

    /// The pairs whose ratio was beyond the clip.
    #[must_use]
    pub fn clipped(&self) -> u64 {
        self.clipped
    }

    /// The pairs that could not be compared.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &RatioSettings {
        &self.settings
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRatioEvidence {
    settings: RatioSettings,
    worse: MeanBet,
    not_worse: MeanBet,
    wins: DiscordantPairs,
    sum_of_logs: f64,
    clipped: u64,
    ignored: u64,
}

impl TryFrom<RawRatioEvidence> for RatioEvidence {
    type Error = CanaryError;

    fn try_from(raw: RawRatioEvidence) -> Result<Self, CanaryError> {
        raw.settings.check()?;
        let pairs = raw.worse.observations();
        let (wins, refused) = (&raw.wins, |reason| {
            Err(CanaryError::State {
                state: "RatioEvidence",
                reason,
            })
        });
        let counted = wins
            .champion_wins()
            .saturating_add(wins.candidate_wins())
            .saturating_add(wins.concordant());
        if pairs != raw.not_worse.observations() || pairs != counted || raw.clipped > pairs {
            return refused("its counts of pairs differ");
        }
        let most = libm::log(raw.settings.clip) * pairs as f64;
        let possible = raw.sum_of_logs.abs() <= most * (1.0 + 1e-9);
        if !possible {
            return refused("the sum of log ratios is larger than the clip allows");
        }
        Ok(Self {
            settings: raw.settings,
            worse: raw.worse,
            not_worse: raw.not_worse,
            wins: raw.wins,
            sum_of_logs: raw.sum_of_logs,
            clipped: raw.clipped,
            ignored: raw.ignored,
        })
    }
}

#[cfg(test)]
mod tests {
    use noops_core::Alpha;

    use super::*;
    use crate::simulation::Random;

    fn run(ratio: f64, pairs: u32, seed: u64) -> RatioEvidence {
        let mut random = Random::new(seed);
        let settings = RatioSettings::default().with_margin(1.25);
        let mut evidence = RatioEvidence::new(settings).unwrap();
        for _ in 0..pairs {
            let champion = (0.3 * random.normal()).exp();
            evidence.observe(champion, champion * ratio * (0.3 * random.normal()).exp());
        }
        evidence
    }

    #[test]
    fn at_the_margin_non_inferiority_is_rarely_claimed_at_any_look() {
        let claimed = (0..200)
            .filter(|seed| {
                let evidence = run(1.25, 500, *seed);
                evidence.not_worse.max_log_e().rejects(Alpha::FIVE_PERCENT)
            })
            .count();
        // scipy.stats.binom.sf(20, 200, .05) = .0010
        assert!(claimed <= 20, "{claimed}");
    }

    #[test]
    fn equal_models_are_proven_not_worse_and_slow_ones_worse() {
        for seed in 0..20 {
            assert!(
                run(1.0, 2_000, seed)
                    .not_worse()
                    .rejects(Alpha::FIVE_PERCENT)
            );
            let slow = run(1.5, 500, seed);
            assert!(slow.worse().rejects(Alpha::FIVE_PERCENT));
            assert!(slow.wins().worse().rejects(Alpha::FIVE_PERCENT));
            assert!((slow.ratio().unwrap() - 1.5).abs() < 0.15);
        }
    }

    #[test]
    fn hostile_values_are_counted_or_clipped() {
        let mut evidence = RatioEvidence::new(RatioSettings::default()).unwrap();
        for (champion, candidate) in [(f64::NAN, 1.0), (1.0, -1.0), (f64::INFINITY, 1.0)] {
            evidence.observe(champion, candidate);
        }
        assert_eq!((evidence.ignored(), evidence.pairs()), (3, 0));
        evidence.observe(0.0, 0.0);
        evidence.observe(0.0, f64::MAX);
        assert_eq!((evidence.wins().concordant(), evidence.clipped()), (1, 1));
        assert!(
            evidence
                .ratio()
                .is_some_and(|ratio| (ratio - 2.0).abs() < 1e-12)
        );
    }

    #[test]
    fn settings_that_cannot_be_tested_are_refused() {
        let default = RatioSettings::default();
        let refused = [
            default.with_margin(4.0),
            default.with_margin(f64::NAN),
            default.with_harm(0.25),
            default.with_clip(1.0),
            default.with_floor(0.0),
        ];
        for settings in refused {
            assert!(RatioEvidence::new(settings).is_err(), "{settings:?}");
        }
    }

    #[test]
    fn tampered_state_is_refused() {
        let evidence = run(1.0, 3, 1);
        let text = serde_json::to_string(&evidence).unwrap();
        assert_eq!(
            serde_json::from_str::<RatioEvidence>(&text).unwrap(),
            evidence
        );
        let tampered = text.replace("\"clipped\":0", "\"clipped\":9");
        assert!(serde_json::from_str::<RatioEvidence>(&tampered).is_err());
    }
}
