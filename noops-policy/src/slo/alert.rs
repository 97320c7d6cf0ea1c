use jiff::Timestamp;
use noops_stats::special::binomial_sf;
use serde::{Deserialize, Serialize};

use crate::slo::evidence::{Evidence, lower_bound, observations};
use crate::slo::{BurnRateRule, LowTraffic, Severity, SloError, Tally, Target};

/// The burn of an error budget over one window, with the counts behind it.
///
/// # Formula
///
/// burn rate = (bad / total) / budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burn {
    #[serde(with = "crate::slo::duration_text")]
    window: std::time::Duration,
    tally: Tally,
    rate: Option<f64>,
    coverage: f64,
}

impl Burn {
    pub(crate) fn new(
        window: std::time::Duration,
        tally: Tally,
        target: Target,
        coverage: f64,
    ) -> Self {
        Self {
            window,
            tally,
            rate: tally.bad_ratio().map(|ratio| ratio / target.budget()),
            coverage,
        }
    }

    /// The window.
    pub fn window(&self) -> std::time::Duration {
        self.window
    }

    /// Bad and all events of the window.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// How many times faster than allowed the budget burns; none without events.
    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// The part of the window during which somebody watched, between 0 and 1.
    pub fn coverage(&self) -> f64 {
        self.coverage
    }
}

/// Whether a rule fires.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    /// A window has no events, and what is known does not settle it.
    #[default]
    Unknown,
    /// The budget does not burn too fast, or that is not proven.
    Ok,
    /// The budget burns too fast over both windows.
    Firing,
}

/// Why a rule is in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertReason {
    /// A window that decides has no events.
    NoEvents,
    /// The long window burns no faster than the factor.
    LongWindow,
    /// The long window burns too fast and the short one no longer does: it is over.
    ShortWindow,
    /// Both windows burn too fast, on too few events to prove it.
    NotProven,
    /// Both windows burn too fast.
    BothWindows,
}

/// A rule, its state, and the numbers that led to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct SloAlert {
    rule: BurnRateRule,
    state: AlertState,
    since: Timestamp,
    reason: AlertReason,
    long: Burn,
    short: Burn,
    threshold: f64,
    lower_bound: Option<f64>,
    evidence: Option<f64>,
    change: Option<AlertState>,
}

impl SloAlert {
    /// The rule.
    pub fn rule(&self) -> &BurnRateRule {
        &self.rule
    }

    /// The severity of the rule.
    pub fn severity(&self) -> Severity {
        self.rule.severity()
    }

    /// The state.
    pub fn state(&self) -> AlertState {
        self.state
    }

    /// When the rule came into its state.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Why.
    pub fn reason(&self) -> AlertReason {
        self.reason
    }

    /// The burn over the long window.
    pub fn long(&self) -> &Burn {
        &self.long
    }

    /// The burn over the short window.
    pub fn short(&self) -> &Burn {
        &self.short
    }

    /// The bad ratio above which the rule fires.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The lower confidence bound of the long window's bad ratio, where that guards the rule and the ratio is above the
    /// threshold at all.
    pub fn lower_bound(&self) -> Option<f64> {
        self.lower_bound
    }

    /// The evidence of this epoch, where an e-process guards the rule.
    pub fn evidence(&self) -> Option<f64> {
        self.evidence
    }

    /// The state before, where this observation changed it.
    pub fn changed_from(&self) -> Option<AlertState> {
        self.change
    }
}

/// The memory of one rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleMemory {
    state: AlertState,
    since: Timestamp,
    evidence: Evidence,
    counted: Tally,
}

/// What a rule looks at.
pub(crate) struct Look {
    pub(crate) now: Timestamp,
    pub(crate) long: Burn,
    pub(crate) short: Burn,
    /// Everything ever counted.
    pub(crate) lifetime: Tally,
    /// The parts that one observation counts.
    pub(crate) unit: u64,
}

impl RuleMemory {
    pub(crate) fn new(rule: &BurnRateRule, now: Timestamp, lifetime: Tally) -> Self {
        Self {
            state: AlertState::Unknown,
            since: now,
            evidence: Evidence::new(epoch(rule, now)),
            counted: lifetime,
        }
    }

    /// A stored memory that no time before `clock` wrote is refused.
    pub(crate) fn check(&self, clock: Timestamp) -> Result<(), SloError> {
        if self.since <= clock {
            Ok(())
        } else {
            Err(SloError::State {
                problem: format!("a rule changed at `{}`, which is yet to come", self.since),
            })
        }
    }

    pub(crate) fn observe(
        &mut self,
        rule: &BurnRateRule,
        target: Target,
        guard: LowTraffic,
        look: &Look,
    ) -> SloAlert {
        let threshold = rule.threshold(target);
        let fresh = look.lifetime.since(self.counted);
        self.counted = look.lifetime;
        let above = |burn: &Burn| burn.tally().bad_ratio().map(|ratio| ratio > threshold);
        let (mut bound, mut evidence) = (None, None);
        let proven = match guard {
            LowTraffic::None => true,
            // The bound is never above the ratio, so a calm window need not be bounded.
            LowTraffic::Bound(_) if above(&look.long) != Some(true) => false,
            LowTraffic::Bound(alpha) => {
                // The bound is above the threshold exactly where so many bad events are this unlikely at it: one tail instead
                // of the search for the bound, which is for the words.
                let (bad, total) = observations(look.long.tally(), look.unit);
                let proves = binomial_sf(bad, total, threshold) < alpha.get();
                if proves != (self.state == AlertState::Firing) {
                    bound = Some(lower_bound(look.long.tally(), look.unit, alpha));
                }
                proves
            }
            LowTraffic::EProcess(alpha) => {
                self.evidence.enter(epoch(rule, look.now));
                let (bad, total) = observations(fresh, look.unit);
                self.evidence.observe(threshold, bad, total);
                evidence = Some(self.evidence.value());
                self.evidence.proves(alpha)
            }
        };
        // A rule that fires has been proven; it ends where the windows say so, not where the proof thins out.
        let proven = proven || self.state == AlertState::Firing;
        let (state, reason) = match (above(&look.long), above(&look.short)) {
            (Some(false), _) => (AlertState::Ok, AlertReason::LongWindow),
            (_, Some(false)) => (AlertState::Ok, AlertReason::ShortWindow),
            (Some(true), Some(true)) if proven => (AlertState::Firing, AlertReason::BothWindows),
            (Some(true), Some(true)) => (AlertState::Ok, AlertReason::NotProven),
            (None, _) | (_, None) => (AlertState::Unknown, AlertReason::NoEvents),
        };
        let change = (state != self.state).then_some(self.state);
        if change.is_some() {
            self.state = state;
            self.since = look.now;
        }
        SloAlert {
            rule: *rule,
            state,
            since: self.since,
            reason,
            long: look.long,
            short: look.short,
            threshold,
            lower_bound: bound,
            evidence,
            change,
        }
    }
}

/// The number of the long window since 1970 that contains `now`.
fn epoch(rule: &BurnRateRule, now: Timestamp) -> i64 {
    let long = i64::try_from(rule.long().as_secs()).unwrap_or(i64::MAX);
    now.as_second().checked_div_euclid(long).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use noops_core::Alpha;
    use noops_stats::SplitMix64;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);
    const SHORT: Duration = Duration::from_secs(300);

    fn target() -> Target {
        Target::new(0.999).unwrap()
    }

    fn rule() -> BurnRateRule {
        BurnRateRule::new(Severity::Page, LONG, SHORT, 14.4).unwrap()
    }

    fn look(long: Tally, short: Tally) -> Look {
        Look {
            now: Timestamp::UNIX_EPOCH,
            long: Burn::new(LONG, long, target(), 1.0),
            short: Burn::new(SHORT, short, target(), 1.0),
            lifetime: long,
            unit: 1,
        }
    }

    #[track_caller]
    fn fires(guard: LowTraffic, long: Tally, short: Tally) -> SloAlert {
        let mut memory = RuleMemory::new(&rule(), Timestamp::UNIX_EPOCH, Tally::default());
        memory.observe(&rule(), target(), guard, &look(long, short))
    }

    // Pyrra issue 1925: one bad of ten is a burn rate of 100.
    #[test]
    fn one_bad_of_ten_does_not_page() {
        let one = Tally::of(1, 10);
        for alpha in [Alpha::ONE_PERCENT, Alpha::FIVE_PERCENT] {
            for guard in [LowTraffic::Bound(alpha), LowTraffic::EProcess(alpha)] {
                let alert = fires(guard, one, one);
                assert_eq!(alert.state(), AlertState::Ok, "{guard:?}");
                assert_eq!(alert.reason(), AlertReason::NotProven);
                assert!((alert.long().rate().unwrap() - 100.0).abs() < 1e-9);
            }
        }
        assert_eq!(
            fires(LowTraffic::None, one, one).state(),
            AlertState::Firing
        );
    }

    #[test]
    fn an_empty_window_is_unknown_unless_the_other_settles_it() {
        let (none, calm, bad) = (Tally::default(), Tally::of(0, 1000), Tally::of(900, 1000));
        let guard = LowTraffic::default();
        assert_eq!(fires(guard, none, none).state(), AlertState::Unknown);
        assert_eq!(fires(guard, bad, none).state(), AlertState::Unknown);
        assert_eq!(fires(guard, calm, none).state(), AlertState::Ok);
        assert_eq!(fires(guard, bad, calm).reason(), AlertReason::ShortWindow);
        assert_eq!(fires(guard, bad, bad).state(), AlertState::Firing);
    }

    #[test]
    fn a_rule_that_fires_ends_with_its_windows_not_with_its_proof() {
        let mut memory = RuleMemory::new(&rule(), Timestamp::UNIX_EPOCH, Tally::default());
        let mut observe = |bad: u64, total: u64| {
            let tally = Tally::of(bad, total);
            let guard = LowTraffic::default();
            memory.observe(&rule(), target(), guard, &look(tally, tally))
        };
        assert_eq!(observe(30, 100).changed_from(), Some(AlertState::Unknown));
        let thin = observe(1, 10);
        assert_eq!(thin.state(), AlertState::Firing);
        assert_eq!(thin.changed_from(), None);
        assert_eq!(observe(0, 10).changed_from(), Some(AlertState::Firing));
        assert_eq!(observe(1, 10).state(), AlertState::Ok);
    }

    // 4 000 windows of 20 to 219 events whose true ratio is the threshold. A true rate of at most 0.01 gives more than 66 with
    // probability below 1e-4 (scipy.stats.binom.sf(66, 4000, 0.01) = 5.5e-5).
    #[test]
    fn false_pages_at_low_traffic_stay_within_alpha() {
        let threshold = rule().threshold(target());
        let mut random = SplitMix64(7);
        let mut pages = 0;
        for _ in 0..4_000 {
            let total = 20 + random.below(200) as u64;
            let bad = (0..total).filter(|_| random.unit() < threshold).count() as u64;
            let tally = Tally::of(bad, total);
            let alert = fires(LowTraffic::Bound(Alpha::ONE_PERCENT), tally, tally);
            pages += u32::from(alert.state() == AlertState::Firing);
        }
        assert!(pages <= 66, "{pages}");
    }

    // At ten times the threshold and 100 events the bound at 0.01 needs 6 bad; P(X >= 6 | 100, 0.144) = 0.997
    // (scipy.stats.binom.sf(5, 100, 0.144)). Fewer than 475 of 500 then has probability below 1e-9.
    #[test]
    fn a_real_outage_pages_at_low_traffic() {
        let mut random = SplitMix64(8);
        let mut pages = 0;
        for _ in 0..500 {
            let bad = (0..100).filter(|_| random.unit() < 0.144).count() as u64;
            let tally = Tally::of(bad, 100);
            let alert = fires(LowTraffic::Bound(Alpha::ONE_PERCENT), tally, tally);
            pages += u32::from(alert.state() == AlertState::Firing);
        }
        assert!(pages >= 475, "{pages}");
    }
}
