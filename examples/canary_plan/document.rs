//! The plan as one JSON object, whose keys are a promise to programs that read it.

use noops_canary::planning::{MetricPlan, Requirement, StagePlan};
use serde::Serialize;

use crate::failure::{Failure, fail};
use crate::planned::{Planned, Ramp};
use crate::words;

/// How long a rollout takes and what it finds.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    requests_per_second: f64,
    effect: f64,
    stages: Vec<Stage<'a>>,
    total: Total,
    #[serde(skip_serializing_if = "Option::is_none")]
    ramp: Option<SuggestedRamp<'a>>,
    explanation: String,
}

impl<'a> Document<'a> {
    pub(crate) fn of(planned: &'a Planned<'a>) -> Self {
        let stages = planned.plan.stages().iter();
        Self {
            requests_per_second: planned.asked.per_second,
            effect: planned.asked.effect,
            stages: stages.map(|stage| Stage::of(stage, planned)).collect(),
            total: Total {
                minutes_of_proofs: planned.minutes_of_proofs(),
                minutes_of_stages: planned.minutes_of_stages(),
            },
            ramp: planned.ramp.as_ref().map(SuggestedRamp::of),
            explanation: words::tell(planned),
        }
    }

    pub(crate) fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self)
            .map_err(|error| fail(format!("cannot write the plan as JSON: {error}")))
    }
}

/// One stage by itself.
#[derive(Debug, Serialize)]
struct Stage<'a> {
    share: f64,
    minutes: Option<f64>,
    requests: Option<f64>,
    promotion: Option<Needed>,
    slowest: Option<&'a str>,
    metrics: Vec<Metric<'a>>,
}

impl<'a> Stage<'a> {
    fn of(stage: &'a StagePlan, planned: &Planned<'_>) -> Self {
        let minutes = stage.stage().max_minutes();
        Self {
            share: stage.stage().share().ratio(),
            minutes,
            requests: minutes.map(|minutes| planned.requests_in(minutes)),
            promotion: Needed::of(stage.promotion()),
            slowest: stage.slowest(),
            metrics: stage.metrics().iter().map(Metric::of).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Metric<'a> {
    name: &'a str,
    proof: Option<Proof>,
    harm: Option<Harm>,
    smallest_effect: Option<f64>,
}

impl<'a> Metric<'a> {
    fn of(metric: &'a MetricPlan) -> Self {
        Self {
            name: metric.name(),
            proof: metric.proof().map(|proof| Proof {
                p50: Needed::of(proof.half()),
                p80: Needed::of(proof.eighty()),
                p90: Needed::of(proof.ninety()),
                with_all: Needed::of(proof.promotion()),
            }),
            harm: metric.harms().first().map(|harm| Harm {
                effect: harm.effect(),
                p50: Needed::of(harm.half()),
                p80: Needed::of(harm.eighty()),
            }),
            smallest_effect: metric.smallest_effect(),
        }
    }
}

/// That an identical candidate is no worse than the margin.
#[derive(Debug, Serialize)]
struct Proof {
    p50: Option<Needed>,
    p80: Option<Needed>,
    p90: Option<Needed>,
    with_all: Option<Needed>,
}

/// That a candidate which is worse is found out.
#[derive(Debug, Serialize)]
struct Harm {
    effect: f64,
    p50: Option<Needed>,
    p80: Option<Needed>,
}

#[derive(Debug, Serialize)]
struct Needed {
    requests: u64,
    minutes: f64,
}

impl Needed {
    fn of(needed: Option<Requirement>) -> Option<Self> {
        needed.map(|needed| Self {
            requests: needed.requests(),
            minutes: needed.minutes(),
        })
    }
}

/// The stages one after the other.
#[derive(Debug, Serialize)]
struct Total {
    minutes_of_proofs: Option<f64>,
    minutes_of_stages: Option<f64>,
}

#[derive(Debug, Serialize)]
struct SuggestedRamp<'a> {
    metric: &'a str,
    effect: f64,
    budget: f64,
    complete: bool,
    detection: f64,
    expected_excess: f64,
    stages: Vec<SuggestedShare>,
}

impl<'a> SuggestedRamp<'a> {
    fn of(ramp: &'a Ramp<'a>) -> Self {
        let stages = ramp.plan.shares().iter().map(|chosen| SuggestedShare {
            share: chosen.share().ratio(),
            detection: chosen.detection(),
            expected_excess: chosen.expected_excess(),
        });
        Self {
            metric: &ramp.asked.metric,
            effect: ramp.asked.settings.effect(),
            budget: ramp.asked.settings.budget(),
            complete: ramp.plan.is_complete(),
            detection: ramp.plan.detection(),
            expected_excess: ramp.plan.expected_excess(),
            stages: stages.collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct SuggestedShare {
    share: f64,
    detection: f64,
    expected_excess: f64,
}
