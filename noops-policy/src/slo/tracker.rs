use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::slo::alert::{Look, RuleMemory};
use crate::slo::budget::Rolling;
use crate::slo::coverage::{Coverage, Stretch};
use crate::slo::history::{History, StoredHistory, second_of};
use crate::slo::ladder::TierMemory;
use crate::slo::window::back;
use crate::slo::{
    BudgetStatus, BudgetingMethod, Burn, BurnRateRules, Objective, Recorded, SloError, SloReport,
    SloSettings, Span, Tally, Window, duration_text,
};

/// Counts the events of one objective and says what they mean.
///
/// Events count at the time they happened, whenever they arrive: a late one lands in the bucket of its time, and one that is
/// older than everything kept is counted as late. Tell the time with [`SloTracker::advance`] or [`SloTracker::observe`]: an
/// event stamped further ahead of it than [`SloSettings::lead`] is counted as early and nowhere else, so that one wrong clock
/// cannot empty the windows. Time that goes backwards changes nothing.
///
/// A window is read from the bucket that contains its start: to a thirtieth of the shortest window (and at most a minute) where
/// it is shorter than twelve hours, and to a quarter of an hour where it is longer. It is never read short.
///
/// # Complexity
///
/// A record adds to two counters. An observation reads every window in constant time, after work linear in the buckets from the
/// oldest that changed since the last one.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::slo::{
///     AlertState, BurnRateRules, Kind, Objective, Outcome, SloSettings, SloTracker, Target, Window,
/// };
///
/// let month = Duration::from_secs(30 * 86_400);
/// let target = Target::from_percent(99.9)?;
/// let objective = Objective::new("checkout", Kind::Availability, target, Window::rolling(month)?)?;
/// let rules = BurnRateRules::for_target(target, month)?;
/// let start = Timestamp::UNIX_EPOCH;
/// let mut tracker = SloTracker::new(objective, rules, SloSettings::default(), start)?;
///
/// for second in 0..10 {
///     let outcome = if second == 3 { Outcome::Bad } else { Outcome::Good };
///     tracker.record(Timestamp::from_second(second)?, outcome);
/// }
/// // One bad of ten burns at a hundred times the pace, and pages nobody.
/// let report = tracker.observe(Timestamp::from_second(10)?);
/// assert_eq!(report.alerts()[0].state(), AlertState::Ok);
///
/// tracker.record_many(Timestamp::from_second(11)?, 0, 90);
/// let report = tracker.observe(Timestamp::from_second(12)?);
/// assert_eq!(report.alerts()[0].state(), AlertState::Firing);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawTracker", into = "RawTracker")]
pub struct SloTracker {
    objective: Objective,
    rules: BurnRateRules,
    settings: SloSettings,
    started: Timestamp,
    latest: Timestamp,
    history: History,
    coverage: Coverage,
    memories: Vec<RuleMemory>,
    tier: TierMemory,
}

/// How an event went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As promised.
    Good,
    /// Not as promised.
    Bad,
}

impl SloTracker {
    /// Begins to count at `started`.
    ///
    /// # Errors
    ///
    /// [`SloError::Setting`] where the rules were made for another target; [`SloError::Duration`] for slices that are longer
    /// than the shortest window of a rule or too many to keep, and for a lead above a day.
    pub fn new(
        objective: Objective,
        rules: BurnRateRules,
        settings: SloSettings,
        started: Timestamp,
    ) -> Result<Self, SloError> {
        settings.check()?;
        if rules.target() != objective.target() {
            return Err(SloError::Setting {
                name: "rules",
                problem: format!(
                    "made for a target of {} and the objective has {}; derive them from its target",
                    rules.target(),
                    objective.target()
                ),
            });
        }
        let windows = rules.windows();
        let kept = windows
            .last()
            .copied()
            .unwrap_or_default()
            .max(longest(objective.window()));
        let shortest = windows.first().copied().unwrap_or(kept);
        if let BudgetingMethod::Timeslices { slice, .. }
        | BudgetingMethod::RatioTimeslices { slice } = objective.budgeting()
            && slice.length() > shortest
        {
            return Err(SloError::Duration {
                what: "a slice",
                given: duration_text::format(slice.length()),
                allowed: format!(
                    "at most the shortest window, `{}`",
                    duration_text::format(shortest)
                ),
            });
        }
        let mut history = History::new(
            objective.budgeting(),
            seconds(shortest),
            seconds(kept),
            seconds(settings.lead()),
            started,
        )?;
        history.settle();
        let memories = rules
            .rules()
            .iter()
            .map(|rule| RuleMemory::new(rule, started, Tally::default()))
            .collect();
        Ok(Self {
            coverage: Coverage::new(
                second_of(started),
                seconds(settings.heartbeat()),
                seconds(kept),
            ),
            objective,
            rules,
            settings,
            started,
            latest: started,
            history,
            memories,
            tier: TierMemory::default(),
        })
    }

    /// The objective.
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// The rules.
    pub fn rules(&self) -> &BurnRateRules {
        &self.rules
    }

    /// The settings.
    pub fn settings(&self) -> &SloSettings {
        &self.settings
    }

    /// Counts one event at the time it happened.
    #[inline]
    pub fn record(&mut self, at: Timestamp, outcome: Outcome) -> Recorded {
        let bad = u64::from(outcome == Outcome::Bad);
        self.history.record(at, Tally::of(bad, 1))
    }

    /// Counts so many good and bad events that happened at one time, such as what a counter grew by.
    pub fn record_many(&mut self, at: Timestamp, good: u32, bad: u32) -> Recorded {
        let (good, bad) = (u64::from(good), u64::from(bad));
        self.history
            .record(at, Tally::of(bad, good.saturating_add(bad)))
    }

    /// Counts one event by its value, which the threshold of the objective judges.
    ///
    /// # Errors
    ///
    /// [`SloError::Setting`] where the indicator of the objective is not a threshold.
    pub fn record_value(&mut self, at: Timestamp, value: f64) -> Result<Recorded, SloError> {
        match self.objective.indicator().judge(value) {
            Some(true) => Ok(self.record(at, Outcome::Good)),
            Some(false) => Ok(self.record(at, Outcome::Bad)),
            None => Err(SloError::Setting {
                name: "indicator",
                problem: "it counts good and bad events; record outcomes, or give it a threshold"
                    .to_owned(),
            }),
        }
    }

    /// Tells the time, which is also a sign of life for [`Burn::coverage`].
    pub fn advance(&mut self, now: Timestamp) {
        self.latest = self.latest.max(now);
        self.history.advance(self.latest);
        self.coverage.watch(second_of(self.latest));
    }

    /// What is known at `now`, or at the latest known time where that is later.
    pub fn observe(&mut self, now: Timestamp) -> SloReport {
        self.advance(now);
        self.history.settle();
        let now = self.latest;
        let target = self.objective.target();
        let lifetime = self.history.lifetime(now);
        let unit = self.history.unit();
        let burns: Vec<Burn> = self
            .rules
            .windows()
            .into_iter()
            .map(|window| self.burn(window, now))
            .collect();
        let guard = self.settings.low_traffic();
        let looks: Vec<Look> = self
            .rules
            .rules()
            .iter()
            .map(|rule| Look {
                now,
                long: self.burn(rule.long(), now),
                short: self.burn(rule.short(), now),
                lifetime,
                unit,
            })
            .collect();
        let alerts = self
            .rules
            .rules()
            .iter()
            .zip(&mut self.memories)
            .zip(&looks)
            .map(|((rule, memory), look)| memory.observe(rule, target, guard, look))
            .collect();
        let recent = looks
            .iter()
            .map(|look| look.long)
            .filter(|burn| burn.rate().is_some())
            .min_by_key(Burn::window);
        let budget = self.budget(now, recent.and_then(|burn| burn.rate()));
        let calendar = match self.objective.window() {
            Window::Rolling(_) => None,
            Window::Calendar(_) => Some(budget.window().start()),
        };
        let tier_change = self
            .tier
            .step(self.settings.ladder(), budget.consumed(), calendar, now);
        SloReport {
            at: now,
            objective: self.objective.name().to_owned(),
            fact_prefix: self.objective.fact_prefix(),
            budget,
            tier: self.tier.tier(),
            tier_change,
            burns,
            alerts,
            late: self.history.late(),
            early: self.history.early(),
        }
    }

    /// Adds what another replica of the same objective counted. Its alerts and tier are left out: they follow from the
    /// counts at the next observation.
    ///
    /// Merging the same replica twice counts its events twice.
    ///
    /// # Errors
    ///
    /// [`SloError::State`] where objective, rules or settings differ, or there are more events than can be added up; nothing
    /// has then changed.
    pub fn merge(&mut self, other: &Self) -> Result<(), SloError> {
        if self.objective != other.objective
            || self.rules != other.rules
            || self.settings != other.settings
        {
            return Err(SloError::State {
                problem: "replicas of different objectives, rules or settings cannot be merged"
                    .to_owned(),
            });
        }
        self.history.merge(&other.history)?;
        self.coverage.merge(&other.coverage);
        self.started = self.started.min(other.started);
        self.latest = self.latest.max(other.latest);
        Ok(())
    }

    fn burn(&self, window: Duration, now: Timestamp) -> Burn {
        let span = Span::between(back(now, window), now);
        Burn::new(
            window,
            self.history.read(span),
            self.objective.target(),
            self.coverage
                .part(second_of(span.start()), second_of(span.end())),
        )
    }

    fn budget(&self, now: Timestamp, recent_burn: Option<f64>) -> BudgetStatus {
        let window = self.objective.window().span(now);
        let since = window.start().max(self.started).min(now);
        let length = window.length().as_secs_f64();
        let passed = Span::between(since, now).length().as_secs_f64() / length;
        let rolling = match self.objective.window() {
            Window::Rolling(_) => Rolling::Always,
            Window::Calendar(_) => Rolling::AtEnd,
        };
        BudgetStatus::new(
            now,
            window,
            self.history.read(Span::between(window.start(), now)),
            self.objective.target(),
            if passed.is_finite() { passed } else { 0.0 },
            recent_burn,
            rolling,
        )
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTracker {
    objective: Objective,
    rules: BurnRateRules,
    settings: SloSettings,
    started: Timestamp,
    latest: Timestamp,
    history: StoredHistory,
    watched: Vec<Stretch>,
    memories: Vec<RuleMemory>,
    tier: TierMemory,
}

impl TryFrom<RawTracker> for SloTracker {
    type Error = SloError;

    fn try_from(raw: RawTracker) -> Result<Self, SloError> {
        let mut tracker = Self::new(raw.objective, raw.rules, raw.settings, raw.started)?;
        if raw.memories.len() != tracker.memories.len() || raw.latest < raw.started {
            return Err(SloError::State {
                problem: "its times and rules do not fit each other".to_owned(),
            });
        }
        for memory in &raw.memories {
            memory.check(raw.latest)?;
        }
        tracker.history.restore(&raw.history)?;
        tracker
            .coverage
            .restore(&raw.watched, second_of(raw.latest))?;
        tracker.latest = raw.latest;
        tracker.memories = raw.memories;
        tracker.tier = raw.tier;
        Ok(tracker)
    }
}

impl From<SloTracker> for RawTracker {
    fn from(tracker: SloTracker) -> Self {
        Self {
            history: tracker.history.to_stored(),
            watched: tracker.coverage.stretches().to_vec(),
            objective: tracker.objective,
            rules: tracker.rules,
            settings: tracker.settings,
            started: tracker.started,
            latest: tracker.latest,
            memories: tracker.memories,
            tier: tracker.tier,
        }
    }
}

/// The longest that a window can be.
fn longest(window: &Window) -> Duration {
    match window {
        Window::Rolling(window) => window.length(),
        // Months of 31 days, quarters of 92, leap years, and an hour of daylight saving.
        Window::Calendar(window) => window
            .unit()
            .nominal_length()
            .saturating_add(Duration::from_secs(3 * 86_400)),
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
