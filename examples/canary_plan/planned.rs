//! The library's answers.

use noops_canary::CanaryError;
use noops_canary::judge::{JudgeSpec, MetricKind};
use noops_canary::planning::{
    Plan, PlanSettings, RampPlan, Requirement, StagePlan, StageSketch, Traffic,
};
use noops_core::Share;

use crate::asked::{Asked, AskedRamp};
use crate::failure::{Failure, fail};
use crate::words::printable;

/// Every stage, and the ramp if one was to be suggested.
#[derive(Debug)]
pub(crate) struct Planned<'a> {
    pub(crate) spec: &'a JudgeSpec,
    pub(crate) asked: &'a Asked,
    pub(crate) plan: Plan,
    pub(crate) ramp: Option<Ramp<'a>>,
}

/// A ramp with the question that it answers.
#[derive(Debug)]
pub(crate) struct Ramp<'a> {
    pub(crate) asked: &'a AskedRamp,
    pub(crate) plan: RampPlan,
}

impl<'a> Planned<'a> {
    pub(crate) fn of(spec: &'a JudgeSpec, asked: &'a Asked) -> Result<Self, Failure> {
        let stages: Vec<StageSketch> = asked
            .shares
            .iter()
            .map(|share| match asked.minutes {
                Some(minutes) => StageSketch::new(*share).with_max_minutes(minutes),
                None => StageSketch::new(*share),
            })
            .collect();
        let settings = PlanSettings::default().with_effects([asked.effect]);
        let plan = Plan::new(spec, &asked.baselines, &stages, asked.per_second, &settings)
            .map_err(refused)?;
        let ramp = asked.ramp.as_ref().map(|ramp| {
            let traffic = Traffic::new(asked.per_second, Share::ZERO)?;
            let plan = RampPlan::new(
                spec,
                &ramp.metric,
                &ramp.baseline,
                &traffic,
                &ramp.minutes,
                &ramp.settings,
            )?;
            Ok(Ramp { asked: ramp, plan })
        });
        Ok(Self {
            spec,
            asked,
            plan,
            ramp: ramp.transpose().map_err(refused)?,
        })
    }

    /// The stages one after the other, each until an identical candidate is proven; `None` where one never is.
    pub(crate) fn minutes_of_proofs(&self) -> Option<f64> {
        let minutes = |stage: &StagePlan| stage.promotion().map(|needed| needed.minutes());
        self.plan.stages().iter().map(minutes).sum()
    }

    /// The stages one after the other, as long as they were said to last.
    pub(crate) fn minutes_of_stages(&self) -> Option<f64> {
        let stages = self.plan.stages().len() as f64;
        self.asked.minutes.map(|minutes| minutes * stages)
    }

    /// The requests of both arms in so many minutes.
    pub(crate) fn requests_in(&self, minutes: f64) -> f64 {
        self.asked.per_second * 60.0 * minutes
    }

    /// Whether requests of this metric are pairs, and its effects margins.
    pub(crate) fn is_paired(&self, name: &str) -> bool {
        let mut metrics = self.spec.metrics().iter();
        metrics
            .any(|metric| metric.name() == name && matches!(metric.kind(), MetricKind::Paired(_)))
    }
}

/// The slowest metric to find a candidate that is so much worse, and what that takes four times of five; `None` if all are only watched.
pub(crate) fn slowest_to_find(stage: &StagePlan) -> Option<(&str, Option<Requirement>)> {
    let found = stage.metrics().iter().filter_map(|metric| {
        let harm = metric.harms().first()?;
        Some((metric.name(), harm.eighty()))
    });
    let minutes =
        |needed: &Option<Requirement>| needed.map_or(f64::INFINITY, |needed| needed.minutes());
    found.max_by(|(_, one), (_, other)| minutes(one).total_cmp(&minutes(other)))
}

fn refused(error: CanaryError) -> Failure {
    fail(printable(&error.to_string()))
}
