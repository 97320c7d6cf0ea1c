use noops_core::{LogE, Share};
use serde::{Deserialize, Serialize};

use crate::assignment::Arm;
use crate::error::CanaryError;

/// Compares how often bad things happen in two arms, while the share of traffic between them changes.
///
/// Only the bad events (failures, timeouts, fallbacks) are shown to it, each with the share that was in force when its request was
/// served. Requests are not counted: what matters is on which side a bad event falls, compared with what the share predicts. The
/// comparison is therefore valid for any common rise and fall of the base rate, also one that happens while the ramp moves,
/// where pooling the counts of all stages raises false alarms for identical models.
///
/// # Formula
///
/// Given an event at share `t`, it falls to the challenger with probability `p(g) = t g / (t g + 1 - t)`, where `g` is the rate
/// ratio. Null hypothesis: `g <= R`. The e-process is the mean over a grid of ratios `g_j > R` of the likelihood ratios of
/// `p(g_j)` against `p(R)` (a mixture after Lindon and Malek, "Anytime-valid inference for multinomial count data"). Each
/// factor has expectation at most 1 for every ratio up to `R`, so the process is valid at any look.
///
/// # Numerical notes
///
/// The share must be chosen before the request is seen, and the events must be independent given the shares; a single outage that
/// fails a thousand requests of one arm is one event, not a thousand. The grid reaches 20 times `R`; larger ratios are
/// detected too, only a little later than they could be.
///
/// **The error rate holds only with at most one event per unit and stage.** A sticky [`Assignment`](crate::Assignment) sends a
/// unit to one arm for as long as the share stands, so that its repeated failures all fall on the same side. With a share of
/// 1 %, one unit that always fails, whichever model serves it, is enough for a false alarm if it happens to be assigned to
/// the challenger: by its third event the e-value is 494, above the 40 at which a default [`Judge`](crate::Judge) rolls
/// back. Nothing here knows the unit of an event, so the host has to leave out the repeats.
///
/// # Examples
///
/// ```
/// use noops_canary::{Arm, RateComparison};
/// use noops_core::{Alpha, Share};
///
/// let mut failures = RateComparison::new(1.0)?;
/// let share = Share::from_ratio(0.05)?;
/// for _ in 0..5 {
///     failures.observe(Arm::Challenger, share);
/// }
/// assert!(failures.evidence().rejects(Alpha::ONE_PERCENT));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateComparison {
    max_ratio: f64,
    log_ratios: [f64; GRID.len()],
    max_evidence: LogE,
    champion_events: u64,
    challenger_events: u64,
    uninformative: u64,
    // Mantel-Haenszel sums over the events, each its own stratum.
    challenger_weight: f64,
    champion_weight: f64,
}

impl RateComparison {
    /// Starts without evidence against "the challenger's rate is at most `max_ratio` times the champion's".
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the ratio lies between 0.01 and 100.
    pub fn new(max_ratio: f64) -> Result<Self, CanaryError> {
        if !(0.01..=100.0).contains(&max_ratio) {
            return Err(CanaryError::Setting {
                name: "max_rate_ratio",
                value: max_ratio,
                allowed: "from 0.01 to 100",
            });
        }
        Ok(Self {
            max_ratio,
            log_ratios: [0.0; GRID.len()],
            max_evidence: LogE::default(),
            champion_events: 0,
            challenger_events: 0,
            uninformative: 0,
            challenger_weight: 0.0,
            champion_weight: 0.0,
        })
    }

    /// Takes one bad event: the arm it happened in and the challenger's share in force when the request was served.
    ///
    /// Show it only the first event of a unit in a stage: see the numerical notes of [`RateComparison`].
    ///
    /// With a share of zero or of everything there is only one side to fall on; such events are counted in
    /// [`uninformative`](Self::uninformative) and contribute nothing.
    ///
    /// # Complexity
    ///
    /// One logarithm per point of a fixed grid.
    pub fn observe(&mut self, arm: Arm, share: Share) {
        if share == Share::ZERO || share == Share::FULL {
            self.uninformative = self.uninformative.saturating_add(1);
            return;
        }
        let theta = share.ratio();
        match arm {
            Arm::Champion => {
                self.champion_events = self.champion_events.saturating_add(1);
                self.champion_weight += theta;
            }
            Arm::Challenger => {
                self.challenger_events = self.challenger_events.saturating_add(1);
                self.challenger_weight += 1.0 - theta;
            }
        }
        let null = (theta * self.max_ratio + 1.0 - theta).ln();
        for (log_ratio, factor) in self.log_ratios.iter_mut().zip(GRID) {
            let alternative = (theta * self.max_ratio * factor + 1.0 - theta).ln();
            *log_ratio += null - alternative;
            if arm == Arm::Challenger {
                *log_ratio += factor.ln();
            }
        }
        self.max_evidence = self.max_evidence.max(self.current());
    }

    /// The largest evidence ever reached that the challenger's rate is above the allowed ratio.
    #[must_use]
    pub fn evidence(&self) -> LogE {
        self.max_evidence
    }

    /// The evidence as it stands now; it falls again when the excess turns out to be chance.
    #[must_use]
    pub fn current(&self) -> LogE {
        LogE::mean(&self.log_ratios.map(LogE::new))
    }

    /// The rate ratio, challenger over champion, by Mantel and Haenszel with each event as its own stratum.
    ///
    /// `None` before the champion's first event: nothing bounds the ratio from above.
    #[must_use]
    pub fn rate_ratio(&self) -> Option<f64> {
        (self.champion_weight > 0.0).then(|| self.challenger_weight / self.champion_weight)
    }

    /// The events of one arm that count.
    #[must_use]
    pub fn events(&self, arm: Arm) -> u64 {
        match arm {
            Arm::Champion => self.champion_events,
            Arm::Challenger => self.challenger_events,
        }
    }

    /// The events at a share of zero or of everything, which say nothing about the ratio.
    #[must_use]
    pub fn uninformative(&self) -> u64 {
        self.uninformative
    }

    /// The ratio up to which the challenger is allowed to be worse.
    #[must_use]
    pub fn max_ratio(&self) -> f64 {
        self.max_ratio
    }
}

/// Alternatives as multiples of the allowed ratio, denser near it, where a choice matters most.
const GRID: [f64; 14] = [
    1.05, 1.1, 1.2, 1.3, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 9.0, 13.0, 20.0,
];

#[cfg(test)]
mod tests {
    use noops_core::Alpha;

    use super::*;
    use crate::simulation::Random;

    /// Identical arms: shares 1, 5, 25 and 50 % for six hours each while the base rate drifts from 1 to 3 %.
    fn ramp(
        seed: u64,
        ratio: f64,
        max_ratio: f64,
        shown: impl Fn(Share) -> Share,
    ) -> RateComparison {
        let mut random = Random::new(seed);
        let mut comparison = RateComparison::new(max_ratio).unwrap();
        for hour in 0..24_u32 {
            let ppm = match hour / 6 {
                0 => 10_000,
                1 => 50_000,
                2 => 250_000,
                _ => 500_000,
            };
            let share = Share::from_ppm(ppm).unwrap();
            let base = 0.01 + 0.02 * f64::from(hour) / 23.0;
            for _ in 0..1500 {
                let arm = if random.uniform() < share.ratio() {
                    Arm::Challenger
                } else {
                    Arm::Champion
                };
                let rate = if arm == Arm::Challenger {
                    base * ratio
                } else {
                    base
                };
                if random.uniform() < rate {
                    comparison.observe(arm, shown(share));
                }
            }
        }
        comparison
    }

    fn alarms(runs: u64, ratio: f64, max_ratio: f64) -> usize {
        (0..runs)
            .filter(|&seed| {
                ramp(seed, ratio, max_ratio, |share| share)
                    .evidence()
                    .rejects(Alpha::FIVE_PERCENT)
            })
            .count()
    }

    #[test]
    fn identical_arms_rarely_alarm_while_the_ramp_and_the_base_rate_move() {
        let alarms = alarms(200, 1.0, 1.0);
        // scipy.stats.binom.sf(20, 200, 0.05) = 0.0011
        assert!(alarms <= 20, "{alarms}");
    }

    #[test]
    fn the_allowed_ratio_itself_rarely_alarms() {
        let alarms = alarms(200, 1.5, 1.5);
        assert!(alarms <= 20, "{alarms}");
    }

    #[test]
    fn twice_the_failures_are_found() {
        let alarms = alarms(50, 2.0, 1.0);
        assert!(alarms >= 48, "{alarms}");
    }

    #[test]
    fn forgetting_the_ramp_would_alarm_for_identical_arms() {
        // What pooling does: every event is judged at the mean share of the whole ramp.
        let pooled = Share::from_ppm(202_500).unwrap();
        let alarms = (0..50)
            .filter(|&seed| {
                ramp(seed, 1.0, 1.0, |_| pooled)
                    .evidence()
                    .rejects(Alpha::FIVE_PERCENT)
            })
            .count();
        assert!(alarms >= 20, "{alarms}");
    }

    #[test]
    fn the_rate_ratio_is_estimated_across_the_ramp() {
        let estimate = ramp(1, 2.0, 1.0, |share| share).rate_ratio().unwrap();
        assert!((1.6..2.5).contains(&estimate), "{estimate}");
    }

    #[test]
    fn evidence_is_the_mean_of_likelihood_ratios() {
        let mut comparison = RateComparison::new(1.25).unwrap();
        let events = [
            (Arm::Challenger, 0.1),
            (Arm::Champion, 0.1),
            (Arm::Challenger, 0.5),
            (Arm::Challenger, 0.25),
        ];
        for (arm, share) in events {
            comparison.observe(arm, Share::from_ratio(share).unwrap());
        }
        let p = |theta: f64, ratio: f64| theta * ratio / (theta * ratio + 1.0 - theta);
        let likelihood = |ratio: f64| {
            events
                .iter()
                .map(|(arm, theta)| match arm {
                    Arm::Challenger => p(*theta, ratio),
                    Arm::Champion => 1.0 - p(*theta, ratio),
                })
                .product::<f64>()
        };
        let sum: f64 = GRID
            .iter()
            .map(|g| likelihood(1.25 * g) / likelihood(1.25))
            .sum();
        let naive = sum / GRID.len() as f64;
        assert!((comparison.current().value() - naive).abs() < 1e-12 * naive);
    }

    #[test]
    fn one_sided_shares_say_nothing() {
        let mut comparison = RateComparison::new(1.0).unwrap();
        comparison.observe(Arm::Challenger, Share::FULL);
        comparison.observe(Arm::Champion, Share::ZERO);
        assert_eq!(comparison.uninformative(), 2);
        assert_eq!(comparison.evidence(), LogE::default());
        assert_eq!(comparison.rate_ratio(), None);
    }

    #[test]
    fn a_unit_that_always_fails_looks_like_harm_by_its_third_event() {
        let mut comparison = RateComparison::new(1.1).unwrap();
        let judged_at = Alpha::new(0.025).unwrap();
        // numpy: mean over the grid of (g (0.01 R + 0.99) / (0.01 R g + 0.99)) ** n = 4.36, 39.3, 494.0
        for (alarm, expected) in [(false, 4.365), (false, 39.335), (true, 493.965)] {
            comparison.observe(Arm::Challenger, Share::from_ppm(10_000).unwrap());
            let found = comparison.evidence();
            assert!((found.value() - expected).abs() < 1e-3, "{found}");
            assert_eq!(found.rejects(judged_at), alarm, "{found}");
        }
    }

    #[test]
    fn resumed_evidence_goes_on_exactly() {
        let mut unbroken = ramp(3, 1.3, 1.0, |share| share);
        let text = serde_json::to_string(&unbroken).unwrap();
        let mut resumed: RateComparison = serde_json::from_str(&text).unwrap();
        for comparison in [&mut unbroken, &mut resumed] {
            comparison.observe(Arm::Challenger, Share::from_ppm(123_456).unwrap());
        }
        assert_eq!(unbroken, resumed);
    }

    #[test]
    fn event_counters_stay_at_their_largest_value() {
        let mut comparison = RateComparison::new(1.0).unwrap();
        comparison.champion_events = u64::MAX;
        comparison.challenger_events = u64::MAX;
        comparison.uninformative = u64::MAX;
        for (arm, ppm) in [(Arm::Champion, 1), (Arm::Challenger, 1), (Arm::Champion, 0)] {
            comparison.observe(arm, Share::from_ppm(ppm).unwrap());
        }
        assert_eq!(comparison.events(Arm::Champion), u64::MAX);
        assert_eq!(comparison.events(Arm::Challenger), u64::MAX);
        assert_eq!(comparison.uninformative(), u64::MAX);
    }

    #[test]
    fn ratios_without_meaning_are_refused() {
        for ratio in [f64::NAN, f64::INFINITY, 0.0, -1.0, 1e9] {
            assert!(RateComparison::new(ratio).is_err(), "{ratio}");
        }
    }
}
