use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::backoff::Backoff;
use super::class::{ActionClass, Heading, Scaling};
use super::fleet::FleetLimits;
use super::limit::{BlastRadius, Budget, FlapLimit, TotalBudget};
use crate::action::Action;

/// How fast and how far automation may act. What is not set is not limited.
///
/// Messages ([`ActionClass::Message`]) change nothing; only the cooldown, the back-off and the budget of their own action limit
/// them, so that whatever else is exhausted a person can be called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct GovernorSettings {
    cooldowns: BTreeMap<Action, Duration>,
    budgets: BTreeMap<Action, Budget>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    backoffs: BTreeMap<Action, Backoff>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    automatic: BTreeMap<Action, Budget>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    blast_radii: BTreeMap<ActionClass, BlastRadius>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<TotalBudget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_depth: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flap: Option<FlapLimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fleet: Option<FleetLimits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_fact_age: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permit_life: Option<Duration>,
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
        self.budgets.insert(action, Budget::new(actions, window));
        self
    }

    /// Sets the cooldown that grows when an action is repeated on one target.
    #[must_use]
    pub fn with_backoff(mut self, action: Action, backoff: Backoff) -> Self {
        self.backoffs.insert(action, backoff);
        self
    }

    /// Sets how often an action may run within a sliding window before a person must approve each further run.
    #[must_use]
    pub fn with_automatic(mut self, action: Action, actions: u32, window: Duration) -> Self {
        self.automatic.insert(action, Budget::new(actions, window));
        self
    }

    /// Sets how many targets a class of actions may reach.
    #[must_use]
    pub fn with_blast_radius(mut self, class: ActionClass, radius: BlastRadius) -> Self {
        self.blast_radii.insert(class, radius);
        self
    }

    /// Sets how many actions there may be over everything.
    #[must_use]
    pub fn with_total(mut self, total: TotalBudget) -> Self {
        self.total = Some(total);
        self
    }

    /// Sets how long a chain of actions that cause actions may be; an action that no other caused has depth zero.
    #[must_use]
    pub fn with_max_depth(mut self, depth: u32) -> Self {
        self.max_depth = Some(depth);
        self
    }

    /// Sets when a target counts as flapping. A scale action must then say which way it goes.
    #[must_use]
    pub fn with_flap(mut self, flap: FlapLimit) -> Self {
        self.flap = Some(flap);
        self
    }

    /// Sets what must be true of the fleet. Everything but a message then needs a [`Fleet`](super::Fleet). Without it, a count
    /// that a request comes with is held to the default limits on age and change.
    #[must_use]
    pub fn with_fleet(mut self, fleet: FleetLimits) -> Self {
        self.fleet = Some(fleet);
        self
    }

    /// Sets how old the facts may be when the action is executed. Everything but a message then needs a
    /// [`FactBasis`](super::FactBasis).
    #[must_use]
    pub fn with_max_fact_age(mut self, age: Duration) -> Self {
        self.max_fact_age = Some(age);
        self
    }

    /// Sets how long a permit may be executed and its key is recognised.
    #[must_use]
    pub fn with_permit_life(mut self, life: Duration) -> Self {
        self.permit_life = Some(life);
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

    /// The cooldown that grows when an action is repeated on one target.
    pub fn backoff(&self, action: Action) -> Option<Backoff> {
        self.backoffs.get(&action).copied()
    }

    /// How often an action may run without a person.
    pub fn automatic(&self, action: Action) -> Option<Budget> {
        self.automatic.get(&action).copied()
    }

    /// How many targets a class of actions may reach.
    pub fn blast_radius(&self, class: ActionClass) -> Option<BlastRadius> {
        self.blast_radii.get(&class).copied()
    }

    /// How many actions there may be over everything.
    pub fn total(&self) -> Option<TotalBudget> {
        self.total
    }

    /// How long a chain of actions that cause actions may be.
    pub fn max_depth(&self) -> Option<u32> {
        self.max_depth
    }

    /// When a target counts as flapping.
    pub fn flap(&self) -> Option<FlapLimit> {
        self.flap
    }

    /// What must be true of the fleet.
    pub fn fleet(&self) -> Option<FleetLimits> {
        self.fleet
    }

    /// How old the facts may be when the action is executed.
    pub fn max_fact_age(&self) -> Option<Duration> {
        self.max_fact_age
    }

    /// How long a permit may be executed and its key is recognised: a day, unless it is set.
    pub fn permit_life(&self) -> Duration {
        self.permit_life.unwrap_or(DAY)
    }

    /// How long after a run of an action, and after `repeats` repetitions, it may not run on the same target.
    pub(super) fn pause(&self, action: Action, repeats: u32) -> Option<Duration> {
        let backoff = self.backoff(action).map(|backoff| backoff.pause(repeats));
        self.cooldown(action).max(backoff)
    }

    /// How long a run of an action matters; none if it never does.
    pub(super) fn memory(&self, action: Action) -> Option<Duration> {
        let budget = self.budget(action).map(|budget| budget.window());
        let backoff = self.backoff(action).map(|backoff| backoff.memory());
        let own = self.cooldown(action).max(budget).max(backoff);
        let class = ActionClass::of(action);
        if class == ActionClass::Message {
            return own;
        }
        // Without its direction a scale action has none; with it, either.
        let heading = Heading::of(action, Some(Scaling::Down));
        let flap = self.flap.filter(|_| heading.is_some());
        let fleet = self
            .fleet
            .filter(|_| heading.is_some_and(Heading::takes_capacity));
        own.max(self.automatic(action).map(|budget| budget.window()))
            .max(self.blast_radius(class).map(|radius| radius.window()))
            .max(self.total.map(|total| total.window()))
            .max(flap.map(|flap| flap.window()))
            // A count still counts at the very end of its age.
            .max(fleet.map(|fleet| fleet.max_age().saturating_add(Duration::from_nanos(1))))
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
