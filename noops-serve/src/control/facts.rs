//! What policies may speak of.

use jiff::Timestamp;
use noops_canary::judge::{Judgement, Verdict};
use noops_canary::rollout::{Decision, Rollout, Stage};
use noops_core::{Error, ErrorKind, LogE, Registration};
use noops_drift::GateVerdict;
use noops_policy::{FactDecl, FactSchema, FactValue, Facts, PolicyError};

use super::candidate::{Candidate, Offline};
use super::judge_settings::LOSS;
use super::state::{ControlState, live_share};

/// The facts the controller knows: what conditions of policies are type-checked against.
///
/// A fact that does not apply (`rollout.pairs` without a rollout) is missing, and a condition that needs it is unknown.
///
/// # Errors
///
/// Never in practice: the declarations are constant and a test loads them.
///
/// # Examples
///
/// ```
/// use noops_policy::PolicySet;
///
/// let policy = "
/// policy: retrain-on-harm
/// owner: ml-platform
/// enforcement: hard-mandatory
/// rules:
///   - name: harmed
///     effect: trigger
///     action: retrain
///     when: harm.max_e >= 20.0
///     because: labels show that predictions are off
/// ";
/// PolicySet::load(&[("retrain.yaml", policy)], &noops_serve::fact_schema()?)?;
/// # Ok::<(), noops_policy::PolicyError>(())
/// ```
pub fn fact_schema() -> Result<FactSchema, PolicyError> {
    let count = |name: &str, meaning: &str| FactDecl::int(name).with_min(0.0).with_meaning(meaning);
    let ratio = |name: &str, meaning: &str| {
        FactDecl::double(name)
            .with_min(0.0)
            .with_max(1.0)
            .with_meaning(meaning)
    };
    let amount = |name: &str, unit: &str, meaning: &str| {
        FactDecl::double(name)
            .with_min(0.0)
            .with_unit(unit)
            .with_meaning(meaning)
    };
    let number = |name: &str, meaning: &str| FactDecl::double(name).with_meaning(meaning);
    let flag = |name: &str, meaning: &str| FactDecl::bool(name).with_meaning(meaning);
    let text = |name: &str, meaning: &str| FactDecl::text(name).with_meaning(meaning);
    FactSchema::new(vec![
        amount(
            "champion.age_days",
            "days",
            "since the champion was promoted",
        ),
        flag(
            "gate.failed",
            "the batch of inputs that is being collected is broken",
        ),
        count("gate.rows", "rows in that batch so far"),
        count("gate.violations", "constraints it violates"),
        flag("gate.quarantined", "inputs are in quarantine"),
        count(
            "gate.healthy_batches",
            "whole batches in a row that passed since the quarantine began",
        ),
        ratio("drift.share", "features whose distribution has drifted"),
        amount(
            "drift.worst_psi",
            "PSI",
            "the largest population stability index of a feature",
        ),
        amount(
            "drift.score_psi",
            "PSI",
            "the population stability index of the scores",
        ),
        count("service.requests", "rows asked for since the batch began"),
        ratio(
            "service.success_ratio",
            "rows answered by the arm they were assigned to",
        ),
        ratio(
            "service.slow_ratio",
            "rows answered later than the latency objective",
        ),
        ratio(
            "service.repaired_ratio",
            "rows with a value that broke the contract and was repaired",
        ),
        amount(
            "harm.max_e",
            "e-value",
            "the largest evidence so far that labels contradict the champion beyond the tolerance",
        ),
        count("harm.blocks", "blocks of labels that evidence rests on"),
        count("harm.labels", "labels it rests on"),
        number("harm.mean_residual", "label minus prediction on average"),
        flag("training.running", "a candidate is being trained"),
        amount(
            "training.days_since",
            "days",
            "since the last training began",
        ),
        flag("candidate.first", "there is no champion yet"),
        flag(
            "candidate.data_passed",
            "the rows held out from training pass the gate that the others suggest",
        ),
        ratio("candidate.auc", "the candidate's registered AUC"),
        ratio("candidate.brier", "the candidate's registered Brier score"),
        text(
            "candidate.offline",
            "the offline gate: non-inferior, inferior or undecided",
        ),
        number(
            "candidate.offline_difference",
            "Brier score of the candidate minus the champion's, on the same holdout",
        ),
        flag("rollout.active", "a candidate is being compared"),
        text("rollout.stage", "shadow or ramp"),
        ratio("rollout.share", "the candidate's share of the traffic"),
        text(
            "rollout.verdict",
            "the judge: promote, continue, rollback, insufficient or inconclusive",
        ),
        text(
            "rollout.proposal",
            "what the rollout would do next: stay, advance, promote or rollback",
        ),
        count(
            "rollout.pairs",
            "requests both arms have scored and whose label is in",
        ),
        number(
            "rollout.mean_difference",
            "Brier score of the candidate minus the champion's, on the same requests",
        ),
        amount(
            "rollout.e_not_worse",
            "e-value",
            "evidence that the candidate is not worse than the margin allows",
        ),
        amount(
            "rollout.e_worse",
            "e-value",
            "evidence that the candidate is worse",
        ),
        count(
            "automation.failed_candidates",
            "candidates in a row that were refused or rolled back",
        ),
    ])
}

/// The facts of this moment.
#[derive(Debug)]
pub(super) struct FactBook {
    facts: Facts,
    now: Timestamp,
}

impl FactBook {
    pub(super) fn new(schema: &FactSchema, now: Timestamp) -> Self {
        Self {
            facts: Facts::new(schema),
            now,
        }
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set(&mut self, name: &str, value: impl Into<FactValue>) -> Result<(), Error> {
        self.facts
            .set(name, value, self.now)
            .map_err(|error| Error::new(ErrorKind::Invalid, "state a fact", error.to_string()))
    }

    fn set_count(&mut self, name: &str, value: u64) -> Result<(), Error> {
        self.set(name, i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// States what holds for the champion and everything around it.
    pub(super) fn state(&mut self, state: &ControlState) -> Result<(), Error> {
        self.set(
            "champion.age_days",
            days_between(state.champion.since, self.now),
        )?;
        self.set("candidate.first", false)?;
        if let Some(report) = &state.gate.report {
            self.set("gate.failed", report.verdict() == GateVerdict::Fail)?;
            self.set_count("gate.rows", report.rows())?;
            self.set_count("gate.violations", report.violations().len() as u64)?;
        }
        self.set("gate.quarantined", state.gate.quarantined_since.is_some())?;
        self.set_count("gate.healthy_batches", state.gate.healthy_batches)?;
        if let Some(drift) = &state.drift.summary {
            self.set("drift.share", drift.share_drifted)?;
            self.set("drift.worst_psi", drift.worst_psi)?;
            self.set("drift.score_psi", drift.score_psi)?;
        }
        let service = &state.service;
        self.set_count("service.requests", service.requests)?;
        if service.requests > 0 {
            let ratio = |part: u64| part as f64 / service.requests as f64;
            self.set("service.success_ratio", ratio(service.succeeded))?;
            self.set("service.slow_ratio", ratio(service.slow))?;
            self.set("service.repaired_ratio", ratio(service.repaired))?;
        }
        let harm = state.harm.evidence();
        self.set("harm.max_e", e_value(harm.max()))?;
        self.set_count("harm.blocks", harm.blocks())?;
        self.set_count("harm.labels", harm.labels())?;
        self.set("harm.mean_residual", harm.mean_residual())?;
        self.set("training.running", state.training.is_some())?;
        self.set(
            "training.days_since",
            days_between(state.last_training, self.now),
        )?;
        self.set("rollout.active", state.experiment.is_some())?;
        self.set(
            "rollout.share",
            live_share(state.experiment.as_ref()).ratio(),
        )?;
        self.set_count("automation.failed_candidates", state.failed_candidates)
    }

    /// States what holds for a candidate that was just trained.
    pub(super) fn trained(&mut self, candidate: &Candidate) -> Result<(), Error> {
        self.metrics(&candidate.registration)?;
        match candidate.data {
            GateVerdict::Pass => self.set("candidate.data_passed", true)?,
            GateVerdict::Fail => self.set("candidate.data_passed", false)?,
            GateVerdict::Undecided => (),
        }
        match &candidate.offline {
            Offline::First => self.set("candidate.first", true),
            Offline::Compared {
                verdict,
                difference,
            } => {
                self.set("candidate.offline", *verdict)?;
                self.set("candidate.offline_difference", *difference)
            }
        }
    }

    /// States what a version was registered with, whoever did it.
    pub(super) fn metrics(&mut self, registration: &Registration) -> Result<(), Error> {
        for (name, metric) in [("candidate.auc", "auc"), ("candidate.brier", "brier")] {
            if let Some(value) = registration.metrics.get(metric) {
                self.set(name, *value)?;
            }
        }
        Ok(())
    }

    /// States what holds for the rollout under way.
    pub(super) fn rollout(
        &mut self,
        rollout: &Rollout,
        judgement: &Judgement,
        proposal: Option<&Decision>,
    ) -> Result<(), Error> {
        let stage = rollout.stage();
        self.set("rollout.active", true)?;
        self.set("rollout.share", rollout.share().ratio())?;
        self.set(
            "rollout.stage",
            if stage == Stage::Shadow {
                "shadow"
            } else {
                "ramp"
            },
        )?;
        self.set("rollout.verdict", verdict_name(judgement.verdict()))?;
        self.set("rollout.proposal", proposal_name(proposal))?;
        let Some(loss) = judgement.metric(LOSS) else {
            return Ok(());
        };
        self.set_count("rollout.pairs", loss.n_candidate())?;
        if let Some(difference) = loss.estimate().value() {
            self.set("rollout.mean_difference", difference)?;
        }
        self.set("rollout.e_not_worse", e_value(loss.not_worse()))?;
        self.set("rollout.e_worse", e_value(loss.worse()))
    }
}

fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Promote => "promote",
        Verdict::Continue { .. } => "continue",
        Verdict::RollBack { .. } => "rollback",
        Verdict::Insufficient { .. } => "insufficient",
        Verdict::Inconclusive { .. } => "inconclusive",
    }
}

fn proposal_name(proposal: Option<&Decision>) -> &'static str {
    match proposal {
        Some(Decision::Advance { .. }) => "advance",
        Some(Decision::Promote) => "promote",
        Some(Decision::RollBack { .. }) => "rollback",
        _ => "stay",
    }
}

/// An e-value as a fact: facts are finite.
fn e_value(log_e: LogE) -> f64 {
    log_e.value().min(1e12)
}

fn days_between(from: Timestamp, to: Timestamp) -> f64 {
    (to.duration_since(from).as_secs_f64() / 86_400.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declarations_are_legal() {
        assert!(fact_schema().unwrap().len() > 30);
    }
}
