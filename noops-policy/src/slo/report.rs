use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::slo::{BudgetStatus, BudgetTier, Burn, SloAlert, TierChange};

/// What is known of an objective at a moment: its budget, its burn over every window, and its alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct SloReport {
    pub(crate) at: Timestamp,
    pub(crate) objective: String,
    pub(crate) fact_prefix: String,
    pub(crate) budget: BudgetStatus,
    pub(crate) tier: BudgetTier,
    pub(crate) tier_change: Option<TierChange>,
    pub(crate) burns: Vec<Burn>,
    pub(crate) alerts: Vec<SloAlert>,
    pub(crate) late: u64,
    pub(crate) early: u64,
}

impl SloReport {
    /// The moment it is about: the one asked for, or the latest known where that is later.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The name of the objective.
    pub fn objective(&self) -> &str {
        &self.objective
    }

    /// What the facts of the objective begin with.
    pub fn fact_prefix(&self) -> &str {
        &self.fact_prefix
    }

    /// The error budget over the window of the objective.
    pub fn budget(&self) -> &BudgetStatus {
        &self.budget
    }

    /// The tier of the budget in force.
    pub fn tier(&self) -> BudgetTier {
        self.tier
    }

    /// The change of tier, where this observation brought one.
    pub fn tier_change(&self) -> Option<TierChange> {
        self.tier_change
    }

    /// The burn over every window of the rules, shortest first.
    pub fn burns(&self) -> &[Burn] {
        &self.burns
    }

    /// Every rule and its state, in the order of the rules.
    pub fn alerts(&self) -> &[SloAlert] {
        &self.alerts
    }

    /// The rules whose state this observation changed.
    pub fn changes(&self) -> impl Iterator<Item = &SloAlert> {
        self.alerts
            .iter()
            .filter(|alert| alert.changed_from().is_some())
    }

    /// The events that came too late to be counted, ever.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// The events stamped too far ahead to be counted, ever.
    pub fn early(&self) -> u64 {
        self.early
    }
}
