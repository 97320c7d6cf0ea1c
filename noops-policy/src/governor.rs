use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::Action;

/// How fast automation may act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct GovernorSettings {
    cooldowns: BTreeMap<Action, Duration>,
    budgets: BTreeMap<Action, Budget>,
}

impl GovernorSettings {
    /// Sets the least time between two runs of an action on one target.
    #[must_use]
    pub fn with_cooldown(mut self, action: Action, cooldown: Duration) -> Self {
        self.cooldowns.insert(action, cooldown);
        self
    }

    /// Sets how often an action may run within a sliding window, over all targets together.
    #[must_use]
    pub fn with_budget(mut self, action: Action, actions: u32, window: Duration) -> Self {
        self.budgets.insert(action, Budget { actions, window });
        self
    }

    /// The least time between two runs of an action on one target.
    pub fn cooldown(&self, action: Action) -> Option<Duration> {
        self.cooldowns.get(&action).copied()
    }

    /// How often an action may run.
    pub fn budget(&self, action: Action) -> Option<Budget> {
        self.budgets.get(&action).copied()
    }

    /// How long a run of an action matters.
    fn memory(&self, action: Action) -> Option<Duration> {
        let window = self.budget(action).map(|budget| budget.window);
        self.cooldown(action).max(window)
    }
}

/// A number of actions within a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    actions: u32,
    window: Duration,
}

impl Budget {
    /// The number of actions.
    pub fn actions(&self) -> u32 {
        self.actions
    }

    /// The window.
    pub fn window(&self) -> Duration {
        self.window
    }
}

/// The guard between a decision and an action: a kill switch, cooldowns and budgets.
///
/// A decision says that an action may happen; the governor says that it may happen now. It is pure state: ask with
/// [`Governor::check`] and, once the action is begun, tell it with [`Governor::record`]. A clock that goes backwards opens
/// no gate: the latest recorded time counts as now until the clock has caught up.
///
/// An action without settings is limited by the kill switch only.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::{Action, Governor, GovernorSettings};
///
/// let settings = GovernorSettings::default()
///     .with_cooldown(Action::Retrain, Duration::from_secs(3600))
///     .with_budget(Action::Retrain, 3, Duration::from_secs(86_400));
/// let mut governor = Governor::new(settings);
///
/// let now = Timestamp::UNIX_EPOCH;
/// assert!(governor.check(Action::Retrain, "fraud", now).is_ok());
/// governor.record(Action::Retrain, "fraud", now);
/// let refusal = governor.check(Action::Retrain, "fraud", now).unwrap_err();
/// assert_eq!(
///     refusal.to_string(),
///     "retrain of `fraud` is cooling down until `1970-01-01T01:00:00Z`"
/// );
/// assert!(governor.check(Action::Retrain, "churn", now).is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Governor {
    settings: GovernorSettings,
    switch: Switch,
    latest: Option<Timestamp>,
    runs: Vec<Run>,
}

impl Governor {
    /// Governs with no action on record.
    pub fn new(settings: GovernorSettings) -> Self {
        Self {
            settings,
            switch: Switch::Running,
            latest: None,
            runs: Vec::new(),
        }
    }

    /// The settings.
    pub fn settings(&self) -> &GovernorSettings {
        &self.settings
    }

    /// Says whether an action on a target may begin at `now`. It changes nothing.
    ///
    /// # Errors
    ///
    /// The first [`Refusal`] of: kill switch, empty target, cooldown, budget.
    ///
    /// # Complexity
    ///
    /// Linear in the runs on record; those that no longer matter are forgotten.
    pub fn check(&self, action: Action, target: &str, now: Timestamp) -> Result<(), Refusal> {
        let refuse = |reason: RefusalReason| {
            Err(Refusal {
                action,
                target: target.to_owned(),
                reason,
            })
        };
        if self.switch == Switch::Killed {
            return refuse(RefusalReason::KillSwitch);
        }
        if target.trim().is_empty() {
            return refuse(RefusalReason::NoTarget);
        }
        let now = self.forward(now);
        if let Some(cooldown) = self.settings.cooldown(action) {
            let until = self
                .runs
                .iter()
                .filter(|run| run.action == action && run.target == target)
                .map(|run| after(run.at, cooldown))
                .max();
            if let Some(until) = until.filter(|until| now < *until) {
                return refuse(RefusalReason::Cooldown { until });
            }
        }
        if let Some(budget) = self.settings.budget(action) {
            let mut ends: Vec<Timestamp> = self
                .runs
                .iter()
                .filter(|run| run.action == action)
                .map(|run| after(run.at, budget.window))
                .filter(|end| now < *end)
                .collect();
            ends.sort_unstable();
            let limit = usize::try_from(budget.actions).unwrap_or(usize::MAX);
            if ends.len() >= limit {
                // The run whose end leaves one place free; no run's end frees a place in a budget of none.
                let until = ends.get(ends.len() - limit).copied();
                return refuse(RefusalReason::Budget {
                    actions: budget.actions,
                    window: budget.window,
                    until,
                });
            }
        }
        Ok(())
    }

    /// Puts an action on record.
    pub fn record(&mut self, action: Action, target: &str, now: Timestamp) {
        let now = self.forward(now);
        self.latest = Some(now);
        let settings = &self.settings;
        self.runs.retain(|run| {
            settings
                .memory(run.action)
                .is_some_and(|memory| now < after(run.at, memory))
        });
        if settings.memory(action).is_some() {
            self.runs.push(Run {
                action,
                target: target.to_owned(),
                at: now,
            });
        }
    }

    /// Stops every action until [`Governor::resume`].
    pub fn kill(&mut self) {
        self.switch = Switch::Killed;
    }

    /// Ends a [`Governor::kill`]. What is on record stays on record.
    pub fn resume(&mut self) {
        self.switch = Switch::Running;
    }

    /// Whether the kill switch is thrown.
    pub fn is_killed(&self) -> bool {
        self.switch == Switch::Killed
    }

    fn forward(&self, now: Timestamp) -> Timestamp {
        self.latest.map_or(now, |latest| latest.max(now))
    }
}

/// An action that may not begin now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    action: Action,
    target: String,
    reason: RefusalReason,
}

impl Refusal {
    /// The action.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The target.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Why.
    pub fn reason(&self) -> &RefusalReason {
        &self.reason
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = self.action;
        let target = &self.target;
        match &self.reason {
            RefusalReason::KillSwitch => {
                write!(f, "{action} of `{target}` is stopped by the kill switch")
            }
            RefusalReason::NoTarget => {
                write!(
                    f,
                    "{action} has no target; an empty target never means all of them"
                )
            }
            RefusalReason::Cooldown { until } => {
                write!(f, "{action} of `{target}` is cooling down until `{until}`")
            }
            RefusalReason::Budget {
                actions,
                window,
                until,
            } => {
                write!(
                    f,
                    "{action} of `{target}` exceeds the budget of `{actions}` in `{window:?}`"
                )?;
                match until {
                    Some(until) => write!(f, "; wait until `{until}`"),
                    None => write!(f, "; raise the budget to allow any"),
                }
            }
        }
    }
}

impl std::error::Error for Refusal {}

/// Why an action may not begin now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// Everything is stopped.
    KillSwitch,
    /// The target is empty.
    NoTarget,
    /// The action ran on this target too recently.
    Cooldown {
        /// When it may run on it again.
        until: Timestamp,
    },
    /// The action ran too often.
    Budget {
        /// How often it may run.
        actions: u32,
        /// Within which time.
        window: Duration,
        /// When it may run again; none when the budget allows none at all.
        until: Option<Timestamp>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Switch {
    Running,
    Killed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    action: Action,
    target: String,
    at: Timestamp,
}

/// A time past the end of time is the end of time.
fn after(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn governor() -> Governor {
        Governor::new(
            GovernorSettings::default()
                .with_cooldown(Action::Retrain, seconds(10))
                .with_budget(Action::Retrain, 2, seconds(100)),
        )
    }

    #[test]
    fn budgets_count_over_all_targets_and_free_up_one_by_one() {
        let mut governor = governor();
        governor.record(Action::Retrain, "a", at(0));
        governor.record(Action::Retrain, "b", at(30));
        let refusal = governor.check(Action::Retrain, "c", at(50)).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "retrain of `c` exceeds the budget of `2` in `100s`; wait until `1970-01-01T00:01:40Z`"
        );
        assert!(governor.check(Action::Retrain, "c", at(100)).is_ok());
        assert!(governor.check(Action::Promote, "c", at(50)).is_ok());
    }

    #[test]
    fn a_budget_of_none_is_never_free() {
        let settings = GovernorSettings::default().with_budget(Action::Notify, 0, seconds(1));
        let refusal = Governor::new(settings)
            .check(Action::Notify, "a", at(0))
            .unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "notify of `a` exceeds the budget of `0` in `1s`; raise the budget to allow any"
        );
    }

    #[test]
    fn the_kill_switch_stops_everything_until_resumed() {
        let mut governor = governor();
        governor.kill();
        for action in Action::ALL {
            let refusal = governor.check(action, "a", at(0)).unwrap_err();
            assert_eq!(refusal.reason(), &RefusalReason::KillSwitch);
        }
        governor.resume();
        assert!(governor.check(Action::Retrain, "a", at(0)).is_ok());
    }

    #[test]
    fn an_empty_target_never_means_everything() {
        let refusal = governor().check(Action::Rollback, " ", at(0)).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "rollback has no target; an empty target never means all of them"
        );
    }

    #[test]
    fn a_clock_that_goes_backwards_opens_nothing() {
        let mut governor = governor();
        governor.record(Action::Retrain, "a", at(1000));
        assert!(governor.check(Action::Retrain, "a", at(0)).is_err());
        governor.record(Action::Retrain, "b", at(0));
        // The run recorded by the wrong clock counts from the latest time known.
        assert!(governor.check(Action::Retrain, "b", at(1005)).is_err());
        assert!(governor.check(Action::Retrain, "b", at(1010)).is_err());
        assert!(governor.check(Action::Retrain, "b", at(1100)).is_ok());
    }

    #[test]
    fn times_at_the_end_of_time_are_refused_not_overflown() {
        let mut governor = Governor::new(
            GovernorSettings::default().with_cooldown(Action::Retrain, Duration::MAX),
        );
        governor.record(Action::Retrain, "a", at(0));
        assert!(governor.check(Action::Retrain, "a", at(1)).is_err());
    }

    proptest! {
        #[test]
        fn resumed_state_behaves_like_unbroken_state_and_the_budget_is_never_exceeded(
            steps in prop::collection::vec((0_usize..3, -20_i64..60), 1..60)
        ) {
            let mut unbroken = governor();
            let mut resumed = governor();
            let mut clock = 0_i64;
            let mut begun: Vec<i64> = Vec::new();
            let mut latest = 0_i64;
            for (target, step) in steps {
                clock = (clock + step).max(0);
                let target = ["a", "b", "c"][target];
                let json = serde_json::to_string(&resumed).unwrap();
                resumed = serde_json::from_str(&json).unwrap();
                let answer = unbroken.check(Action::Retrain, target, at(clock));
                prop_assert_eq!(&answer, &resumed.check(Action::Retrain, target, at(clock)));
                if answer.is_ok() {
                    latest = latest.max(clock);
                    begun.push(latest);
                    unbroken.record(Action::Retrain, target, at(clock));
                    resumed.record(Action::Retrain, target, at(clock));
                }
                prop_assert!(begun.iter().filter(|begun| latest - **begun < 100).count() <= 2);
            }
        }
    }
}
