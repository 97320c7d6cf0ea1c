use noops_core::Alpha;
use noops_stats::special::clopper_pearson_lower;
use serde::{Deserialize, Serialize};

use crate::slo::{SloError, Tally};

/// What a rule asks of few events before it believes them.
///
/// One bad request of ten is a burn rate of 100 at a target of 99.9 %, and no reason to wake anybody.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LowTraffic {
    /// Nothing: the bad ratio as it is.
    None,
    /// The one-sided exact lower confidence bound of the bad ratio must exceed the threshold (Clopper and Pearson, 1934).
    ///
    /// Of independent events whose true bad ratio is at most the threshold, one look fires with at most this probability.
    /// It is a promise for one look, not for looking all the time: windows that overlap are looked at again and again.
    Bound(Alpha),
    /// A mixture of likelihood ratios against the threshold must reach 1 / alpha (Ville, 1939).
    ///
    /// Of independent events whose true bad ratio is at most the threshold, the rule fires at all within one epoch, however
    /// often it is looked at, with at most this probability. Evidence starts anew each long window, so that an old outage
    /// does not count for ever: over `k` epochs the probability of any false alarm is at most `k` × alpha.
    EProcess(Alpha),
}

impl Default for LowTraffic {
    /// The confidence bound at one in a hundred.
    fn default() -> Self {
        Self::Bound(Alpha::ONE_PERCENT)
    }
}

/// Evidence that a bad ratio is above a threshold, which may be looked at after every event.
///
/// # Formula
///
/// E = mean over j of Π (p_j / p_0)^x ((1 - p_j) / (1 - p_0))^(1 - x), where x is 1 for a bad event, p_0 is the threshold, and
/// p_j = p_0 + (1 - p_0) / 2^j for j = 1 to 6. Its expectation stays at most 1 while the true ratio is at most p_0, so it ever
/// reaches 1 / alpha with probability at most alpha.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawEvidence")]
pub(crate) struct Evidence {
    epoch: i64,
    log_ratios: [f64; ALTERNATIVES],
    highest: f64,
}

impl Evidence {
    pub(crate) fn new(epoch: i64) -> Self {
        Self {
            epoch,
            log_ratios: [0.0; ALTERNATIVES],
            highest: 1.0,
        }
    }

    /// Starts anew with an epoch that is later.
    pub(crate) fn enter(&mut self, epoch: i64) {
        if epoch > self.epoch {
            *self = Self::new(epoch);
        }
    }

    /// Takes in what was counted since the last call.
    pub(crate) fn observe(&mut self, threshold: f64, bad: u64, total: u64) {
        if total == 0 || !(threshold > 0.0 && threshold < 1.0) {
            return;
        }
        let good = total.saturating_sub(bad) as f64;
        let bad = bad as f64;
        let mut step = 1.0;
        for log_ratio in &mut self.log_ratios {
            step *= 0.5;
            let alternative = threshold + (1.0 - threshold) * step;
            // (1 - p_j) / (1 - p_0) is 1 - 1 / 2^j.
            *log_ratio +=
                bad * (libm::log(alternative) - libm::log(threshold)) + good * libm::log1p(-step);
        }
        self.highest = self.highest.max(self.value());
    }

    /// The evidence now.
    pub(crate) fn value(&self) -> f64 {
        let sum: f64 = self.log_ratios.iter().map(|log| libm::exp(*log)).sum();
        let mean = sum / ALTERNATIVES as f64;
        // What is stored must be a number that can be written down; beyond this nothing is left to be proven.
        if mean.is_infinite() { f64::MAX } else { mean }
    }

    /// Whether it reached 1 / alpha within the epoch.
    pub(crate) fn proves(&self, alpha: Alpha) -> bool {
        self.highest >= 1.0 / alpha.get()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvidence {
    epoch: i64,
    log_ratios: [f64; ALTERNATIVES],
    highest: f64,
}

impl TryFrom<RawEvidence> for Evidence {
    type Error = SloError;

    fn try_from(raw: RawEvidence) -> Result<Self, SloError> {
        if raw.highest >= 1.0 && raw.log_ratios.iter().all(|log| log.is_finite()) {
            Ok(Self {
                epoch: raw.epoch,
                log_ratios: raw.log_ratios,
                highest: raw.highest,
            })
        } else {
            Err(SloError::State {
                problem: "its evidence is no product of likelihood ratios".to_owned(),
            })
        }
    }
}

/// The lower confidence bound of a bad ratio at one-sided error `alpha`.
pub(crate) fn lower_bound(tally: Tally, unit: u64, alpha: Alpha) -> f64 {
    let (bad, total) = observations(tally, unit);
    clopper_pearson_lower(bad, total, alpha.get())
}

/// Parts as whole observations, bad ones rounded down: of ratio slices the bound is an approximation on the safe side.
pub(crate) fn observations(tally: Tally, unit: u64) -> (u64, u64) {
    let whole = |parts: u64| parts.checked_div(unit).unwrap_or(parts);
    (whole(tally.bad()), whole(tally.total()))
}

const ALTERNATIVES: usize = 6;

#[cfg(test)]
mod tests {
    use noops_stats::SplitMix64;

    use super::*;

    fn bound(bad: u64, total: u64, alpha: f64) -> f64 {
        lower_bound(Tally::of(bad, total), 1, Alpha::new(alpha).unwrap())
    }

    // scipy.stats.beta.ppf(alpha, bad, total - bad + 1)
    #[test]
    fn few_bad_events_are_no_proof() {
        let close = |left: f64, right: f64| (left - right).abs() < 5e-5;
        assert!(close(bound(1, 10, 0.05), 0.0051));
        assert!(close(bound(1, 1, 0.01), 0.01));
        assert!(close(bound(2, 10, 0.01), 0.0155));
        assert!(close(bound(5, 100, 0.01), 0.0130));
        assert_eq!(bound(0, 1000, 0.01), 0.0);
    }

    // Each stream is 400 events at the threshold itself, looked at after every one; 2 000 streams at alpha 0.05. A true rate
    // of at most 0.05 gives more than 138 with probability below 1e-4 (scipy.stats.binom.sf(138, 2000, 0.05) = 8.6e-5).
    #[test]
    fn evidence_at_the_threshold_seldom_proves_anything() {
        let threshold = 0.0144;
        let alpha = Alpha::FIVE_PERCENT;
        let mut random = SplitMix64(11);
        let mut alarms = 0;
        for _ in 0..2_000 {
            let mut evidence = Evidence::new(0);
            for _ in 0..400 {
                evidence.observe(threshold, u64::from(random.unit() < threshold), 1);
            }
            alarms += u32::from(evidence.proves(alpha));
        }
        assert!(alarms <= 138, "{alarms}");
    }

    // A total outage: ten events in a row decide at one in a hundred.
    #[test]
    fn an_outage_is_proven_by_a_handful_of_events() {
        let mut evidence = Evidence::new(0);
        evidence.observe(0.0144, 2, 2);
        assert!(evidence.proves(Alpha::ONE_PERCENT));
        let mut weak = Evidence::new(0);
        weak.observe(0.0144, 1, 10);
        assert!(!weak.proves(Alpha::ONE_PERCENT));
    }

    #[test]
    fn batches_and_single_events_weigh_the_same() {
        let (mut batch, mut single) = (Evidence::new(0), Evidence::new(0));
        batch.observe(0.1, 3, 20);
        for index in 0..20 {
            single.observe(0.1, u64::from(index < 3), 1);
        }
        assert!((batch.value() / single.value() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_later_epoch_starts_anew_and_an_earlier_one_does_not() {
        let mut evidence = Evidence::new(5);
        evidence.observe(0.01, 5, 5);
        evidence.enter(4);
        assert!(evidence.proves(Alpha::ONE_PERCENT));
        evidence.enter(6);
        assert!(!evidence.proves(Alpha::ONE_PERCENT));
    }

    #[test]
    fn hostile_counts_and_thresholds_are_no_trap() {
        let mut evidence = Evidence::new(i64::MIN);
        for threshold in [0.0, 1.0, f64::NAN, -1.0, 1e-300] {
            evidence.observe(threshold, u64::MAX, 0);
            evidence.observe(threshold, u64::MAX, 1);
        }
        assert!(!evidence.value().is_nan());
        assert!(
            serde_json::from_str::<Evidence>(
                r#"{"epoch":0,"log_ratios":[0,0,0,0,0,0],"highest":0.5}"#
            )
            .is_err()
        );
    }
}
