//! What happened as one JSON object, whose keys are a promise to programs that read it.

use noops_core::Timestamp;
use noops_policy::slo::{
    AlertReason, BudgetStatus, BudgetTier, Burn, BurnRateRule, FactorChange, TierChange,
};
use serde::Serialize;

use crate::failure::{Failure, fail};
use crate::objective::Watched;
use crate::replay::{Replay, Turn};

/// All of it.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    objective: &'a str,
    service: &'a str,
    target: f64,
    rules: &'a [BurnRateRule],
    factor_changes: &'a [FactorChange],
    from: Timestamp,
    to: Timestamp,
    rows: u64,
    budget: &'a BudgetStatus,
    remaining: Option<f64>,
    tier: BudgetTier,
    tier_changes: &'a [TierChange],
    burns: &'a [Burn],
    alerts: Vec<Alert<'a>>,
    held_back: u64,
    late: u64,
    early: u64,
}

impl<'a> Document<'a> {
    pub(crate) fn of(watched: &'a Watched, replay: &'a Replay) -> Self {
        let report = &replay.report;
        Self {
            objective: watched.objective.name(),
            service: watched.objective.service(),
            target: watched.objective.target().ratio(),
            rules: watched.rules.rules(),
            factor_changes: watched.rules.changes(),
            from: replay.from,
            to: report.at(),
            rows: replay.rows,
            budget: report.budget(),
            remaining: report.budget().remaining(),
            tier: report.tier(),
            tier_changes: &replay.tiers,
            burns: report.burns(),
            alerts: replay.alerts.iter().map(Alert::of).collect(),
            held_back: replay.held_back,
            late: report.late(),
            early: report.early(),
        }
    }

    pub(crate) fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self)
            .map_err(|error| fail(format!("cannot write the replay as JSON: {error}")))
    }
}

/// An alert that fired or was resolved.
#[derive(Debug, Serialize)]
struct Alert<'a> {
    at: Timestamp,
    event: &'static str,
    rule: &'a BurnRateRule,
    reason: AlertReason,
    long: &'a Burn,
    short: &'a Burn,
    threshold: f64,
    lower_bound: Option<f64>,
    lasted_seconds: Option<u64>,
}

impl<'a> Alert<'a> {
    fn of(turn: &'a Turn) -> Self {
        let alert = &turn.alert;
        Self {
            at: turn.at,
            event: if turn.has_fired() {
                "fired"
            } else {
                "resolved"
            },
            rule: alert.rule(),
            reason: alert.reason(),
            long: alert.long(),
            short: alert.short(),
            threshold: alert.threshold(),
            lower_bound: alert.lower_bound(),
            lasted_seconds: turn.lasted.map(|lasted| lasted.as_secs()),
        }
    }
}
