use std::collections::BTreeMap;

use noops_core::Probability;
use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::question::{Question, Wanted, alarm_needs, must_be_proven, requests_for_outcomes};
use super::requirement::{Clock, HarmPlan, ProofPlan, Requirement};
use super::settings::PlanSettings;
use super::stage_sketch::StageSketch;
use super::traffic::Traffic;
use crate::error::CanaryError;
use crate::judge::{JudgeSpec, MetricKind, MetricSpec};

/// How long a rollout takes and what it can find, before it begins.
///
/// For every stage and metric: the requests and minutes until a candidate that is identical is proven not to be worse than the margin, and
/// until one that is worse by a given effect is found out, with given probabilities.
///
/// # Formula
///
/// The evidence of a judge is a mixture of exponentials of a random walk, so that the sum at which it reaches `1 / alpha` after `n` steps is
/// a curve `b(n)`. What is planned is the law of the first step at which the walk crosses it. For counts of up to some ten thousand events
/// that law is worked out exactly, over every count. Beyond, and for means, it is that of a Brownian motion with the walk's mean and
/// spread through the curve raised by the mean overshoot (Siegmund, 1985), from Fortet's integral equation
///
/// ```text
/// P(W(t) > b(t)) = integral over u of P(first crossing in du) P(W(t) > b(t) | W(u) = b(u))
/// ```
///
/// A promotion needs all of `G` guardrails, so each is sized for a probability of `1 - beta / (G + 1)`, where `1 - beta` is the power.
/// Rollback is planned at the part of its error rate that the metric has by weight, with all other metrics silent.
///
/// # Numerical notes
///
/// Every stage is planned as if nothing had been seen before it. A judge keeps its evidence from stage to stage, so the later stages are
/// quicker than planned. Independent units are assumed at the given rate of requests: with sticky units, plan with the rate of *new* units, or
/// inflate by [`design_effect`](super::design_effect). Where a margin has a relative and an absolute part, the sooner of the two limits is
/// taken, at half the error rate. Pairs come at the share of the requests that are mirrored, and their effects are told in margins.
/// That a goal is better is not planned for. Against simulations of the engines, medians and 80 % points agree within 15 %.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
///
/// use noops_canary::judge::{JudgeSpec, MetricKind, MetricSpec, Tolerance};
/// use noops_canary::planning::{Baseline, Plan, PlanSettings, StageSketch};
/// use noops_core::{Probability, Share};
///
/// let errors = MetricSpec::new("errors", MetricKind::Rate).with_margin(Tolerance::relative(0.25)?);
/// let spec = JudgeSpec::new([errors])?;
/// let baselines = BTreeMap::from([("errors".to_owned(), Baseline::Rate(Probability::new(0.02)?))]);
/// let stage = |share| Share::from_ratio(share).map(|share| StageSketch::new(share).with_max_minutes(60.0));
/// let plan = Plan::new(&spec, &baselines, &[stage(0.1)?, stage(0.5)?], 25.0, &PlanSettings::default())?;
/// let half = plan.stages()[1].metric("errors").and_then(|metric| metric.proof()).and_then(|proof| proof.half());
/// // Some 560 events in a hundred requests for two of them.
/// assert!(half.is_some_and(|half| (20_000..36_000).contains(&half.requests())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    stages: Vec<StagePlan>,
}

impl Plan {
    /// Plans every stage by itself.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without a stage; [`CanaryError::Setting`] for a rate of requests or a duration that is not above zero, or
    /// settings out of range; [`CanaryError::Specification`] naming a metric without a baseline, or with one that does not fit.
    ///
    /// # Complexity
    ///
    /// For every stage, metric and effect, the law of a first passage: at most some hundred points and their squares, or, exactly, at most 20,000
    /// steps times the width of a binomial law.
    pub fn new(
        spec: &JudgeSpec,
        baselines: &BTreeMap<String, Baseline>,
        stages: &[StageSketch],
        requests_per_second: f64,
        settings: &PlanSettings,
    ) -> Result<Self, CanaryError> {
        if stages.is_empty() {
            return Err(CanaryError::Empty);
        }
        settings.check()?;
        let baselines = spec
            .metrics()
            .iter()
            .map(|metric| Baseline::of(metric, baselines.get(metric.name())));
        let baselines = baselines.collect::<Result<Vec<Baseline>, _>>()?;
        let stages = stages.iter().map(|stage| {
            let traffic = Traffic::new(requests_per_second, stage.share())?;
            StagePlan::new(spec, &baselines, stage, traffic, settings)
        });
        Ok(Self {
            stages: stages.collect::<Result<Vec<_>, _>>()?,
        })
    }

    /// The stages, in the order given.
    #[must_use]
    pub fn stages(&self) -> &[StagePlan] {
        &self.stages
    }
}

/// What one stage can find, and how long it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StagePlan {
    stage: StageSketch,
    metrics: Vec<MetricPlan>,
}

impl StagePlan {
    fn new(
        spec: &JudgeSpec,
        baselines: &[Baseline],
        stage: &StageSketch,
        traffic: Traffic,
        settings: &PlanSettings,
    ) -> Result<Self, CanaryError> {
        if let Some(minutes) = stage
            .max_minutes()
            .filter(|minutes| !(*minutes > 0.0 && minutes.is_finite()))
        {
            return Err(CanaryError::Setting {
                name: "max_minutes",
                value: minutes,
                allowed: "that is finite and above 0",
            });
        }
        let metrics = spec.metrics().iter().zip(baselines);
        let metrics = metrics.map(|(metric, baseline)| {
            let question = Question {
                metric,
                baseline,
                share: stage.share(),
            };
            MetricPlan::new(spec, &question, stage, traffic, settings)
        });
        Ok(Self {
            stage: *stage,
            metrics: metrics.collect(),
        })
    }

    /// The stage that was planned.
    #[must_use]
    pub fn stage(&self) -> &StageSketch {
        &self.stage
    }

    /// The metrics, in the order of the specification.
    #[must_use]
    pub fn metrics(&self) -> &[MetricPlan] {
        &self.metrics
    }

    /// The metric of this name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&MetricPlan> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// What a promotion of an identical candidate needs, with at least the power of the settings; `None` where a metric is never proven.
    #[must_use]
    pub fn promotion(&self) -> Option<Requirement> {
        let proofs = self
            .metrics
            .iter()
            .filter_map(|metric| metric.proof.as_ref());
        let needed = proofs
            .map(|proof| proof.promotion())
            .collect::<Option<Vec<_>>>()?;
        needed
            .into_iter()
            .max_by(|one, other| one.minutes().total_cmp(&other.minutes()))
    }

    /// The metric that a promotion waits for longest.
    #[must_use]
    pub fn slowest(&self) -> Option<&str> {
        let proofs = self
            .metrics
            .iter()
            .filter_map(|metric| metric.proof.as_ref().map(|proof| (metric, proof)));
        let minutes = |proof: &ProofPlan| {
            proof
                .promotion
                .map_or(f64::INFINITY, |needed| needed.minutes())
        };
        let slowest = proofs.max_by(|(_, one), (_, other)| minutes(one).total_cmp(&minutes(other)));
        slowest.map(|(metric, _)| metric.name.as_str())
    }
}

/// How long one metric takes in one stage, and what it can find.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricPlan {
    name: String,
    proof: Option<ProofPlan>,
    harms: Vec<HarmPlan>,
    smallest_effect: Option<f64>,
}

impl MetricPlan {
    fn new(
        spec: &JudgeSpec,
        question: &Question<'_>,
        stage: &StageSketch,
        traffic: Traffic,
        settings: &PlanSettings,
    ) -> Self {
        let metric = question.metric;
        // Pairs come as the requests that are mirrored.
        let per_request = match metric.kind() {
            MetricKind::Paired(_) => stage.share().ratio(),
            _ => 1.0,
        };
        let clock = Clock {
            traffic,
            per_request,
        };
        let proof = must_be_proven(metric).then(|| {
            let passages = question.proof(spec.alpha_promote()).passages();
            let least = requests_for_outcomes(spec, question);
            let by = |probability: f64| {
                clock.requirement(
                    passages
                        .requests(probability)
                        .map(|requests| requests.max(least)),
                )
            };
            ProofPlan {
                half: by(0.5),
                eighty: by(0.8),
                ninety: by(0.9),
                promotion: by(promotion_power(spec, settings)),
            }
        });
        let needed = alarm_needs(spec, metric);
        let harms = settings.effects().iter().filter_map(|&effect| {
            let passages = question.harm(effect, needed?).passages();
            Some(HarmPlan {
                effect,
                half: clock.requirement(passages.requests(0.5)),
                eighty: clock.requirement(passages.requests(0.8)),
            })
        });
        let within = stage
            .max_minutes()
            .map(|minutes| traffic.requests_in(minutes) * per_request);
        let smallest_effect = within.zip(needed).and_then(|(requests, needed)| {
            smallest_effect(
                |effect| question.harm(effect, needed),
                requests,
                settings.power(),
            )
        });
        Self {
            name: metric.name().to_owned(),
            proof,
            harms: harms.collect(),
            smallest_effect,
        }
    }

    /// The metric's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it takes to prove that an identical candidate is not worse; `None` for a metric that need not be proven.
    #[must_use]
    pub fn proof(&self) -> Option<&ProofPlan> {
        self.proof.as_ref()
    }

    /// What it takes to find each effect of the settings; empty for a metric that is only watched.
    #[must_use]
    pub fn harms(&self) -> &[HarmPlan] {
        &self.harms
    }

    /// The smallest effect that is found within the stage with the power of the settings; `None` without a duration, for a metric that is
    /// only watched, and where not even a thousandfold effect is found.
    #[must_use]
    pub fn smallest_effect(&self) -> Option<f64> {
        self.smallest_effect
    }
}

/// `1 - beta / (G + 1)`: all of G guardrails are proven together with the power asked for.
fn promotion_power(spec: &JudgeSpec, settings: &PlanSettings) -> f64 {
    let guardrails = spec
        .metrics()
        .iter()
        .filter(|metric: &&MetricSpec| must_be_proven(metric))
        .count();
    1.0 - (1.0 - settings.power().get()) / (guardrails as f64 + 1.0)
}

/// The smallest effect found within so many requests, by bisection on its logarithm.
fn smallest_effect(harm: impl Fn(f64) -> Wanted, requests: f64, power: Probability) -> Option<f64> {
    let found = |effect: f64| {
        harm(effect)
            .passages_within(requests)
            .probability_within(requests)
            >= power.get()
    };
    let (mut low, mut high) = (1.0, LARGEST_EFFECT);
    if !found(high) {
        return None;
    }
    for _ in 0..BISECTIONS {
        let middle = f64::sqrt(low * high);
        if found(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

const LARGEST_EFFECT: f64 = 1000.0;
const BISECTIONS: u32 = 20;
