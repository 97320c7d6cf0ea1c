//! The judgement as one JSON object, whose keys are a promise to programs that read it.

use noops_canary::Interval;
use noops_canary::judge::{
    AaReport, Judgement, MetricJudgement, MetricVerdict, Needs, Role, Scale, SliceJudgement,
    Verdict,
};
use noops_core::LogE;
use serde::Serialize;

use crate::failure::{Failure, fail};
use crate::replay::{Decided, Replay};
use crate::trace::e_value;

/// What is said of a candidate.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    verdict: &'static str,
    because: String,
    metrics: Vec<Metric<'a>>,
    slices: Vec<Slice<'a>>,
    srm: Mismatch,
    needs: Needed<'a>,
    n_champion: u64,
    n_candidate: u64,
    first_decision: Option<Decision>,
    explanation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aa: Option<Check>,
}

impl<'a> Document<'a> {
    pub(crate) fn of(replay: &'a Replay) -> Self {
        let judgement = &replay.judgement;
        Self {
            verdict: verdict(judgement.verdict()),
            because: because(judgement.verdict()),
            metrics: judgement.metrics().iter().map(Metric::of).collect(),
            slices: judgement.slices().iter().map(Slice::of).collect(),
            srm: Mismatch::of(judgement),
            needs: Needed::of(judgement.verdict()),
            n_champion: judgement.n_champion(),
            n_candidate: judgement.n_candidate(),
            first_decision: replay.decided.as_ref().map(Decision::of),
            explanation: judgement.explain(),
            aa: replay.check.as_ref().map(Check::of),
        }
    }

    pub(crate) fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self)
            .map_err(|error| fail(format!("cannot write the judgement as JSON: {error}")))
    }
}

/// The verdict in one word.
pub(crate) fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Promote => "promote",
        Verdict::Continue { .. } => "continue",
        Verdict::RollBack { .. } => "roll_back",
        Verdict::Insufficient { .. } => "insufficient",
        Verdict::Inconclusive { .. } => "inconclusive",
    }
}

fn because(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Promote => "the candidate is proven no worse than every margin allows".to_owned(),
        Verdict::Continue { needs } => needs.to_string(),
        Verdict::RollBack { because } | Verdict::Inconclusive { because, .. } => {
            because.to_string()
        }
        Verdict::Insufficient { because } => because.to_string(),
    }
}

/// One metric of the candidate against the champion; a bound that is infinite is null.
#[derive(Debug, Serialize)]
struct Metric<'a> {
    name: &'a str,
    arm: &'static str,
    role: Role,
    scale: Scale,
    n_champion: u64,
    n_candidate: u64,
    champion: Option<f64>,
    candidate: Option<f64>,
    estimate: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    margin: Option<f64>,
    e_value: f64,
    anytime_p_value: f64,
    e_not_worse: f64,
    e_worse: f64,
    missing: f64,
    verdict: MetricVerdict,
}

impl<'a> Metric<'a> {
    fn of(metric: &'a MetricJudgement) -> Self {
        let estimate = metric.estimate();
        let evidence = match metric.role() {
            Role::Guardrail | Role::Goal => metric.not_worse(),
            Role::Alarm | Role::Watched => metric.worse(),
        };
        Self {
            name: metric.name(),
            arm: CANDIDATE,
            role: metric.role(),
            scale: estimate.scale(),
            n_champion: metric.n_champion(),
            n_candidate: metric.n_candidate(),
            champion: finite(metric.champion_level()),
            candidate: finite(metric.candidate_level()),
            estimate: finite(estimate.value()),
            lower: lower(&estimate.interval()),
            upper: upper(&estimate.interval()),
            margin: finite(metric.margin()),
            e_value: e_value(evidence),
            anytime_p_value: p_value(evidence),
            e_not_worse: e_value(metric.not_worse()),
            e_worse: e_value(metric.worse()),
            missing: metric.missing(),
            verdict: metric.verdict(),
        }
    }
}

/// One metric where a column has one value.
#[derive(Debug, Serialize)]
struct Slice<'a> {
    column: &'a str,
    value: &'a str,
    metric: &'a str,
    n_champion: u64,
    n_candidate: u64,
    scale: Scale,
    estimate: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    e_worse: f64,
    anytime_p_value: f64,
    verdict: MetricVerdict,
}

impl<'a> Slice<'a> {
    fn of(slice: &'a SliceJudgement) -> Self {
        let estimate = slice.estimate();
        Self {
            column: slice.column(),
            value: slice.value(),
            metric: slice.metric(),
            n_champion: slice.n_champion(),
            n_candidate: slice.n_candidate(),
            scale: estimate.scale(),
            estimate: finite(estimate.value()),
            lower: lower(&estimate.interval()),
            upper: upper(&estimate.interval()),
            e_worse: e_value(slice.worse()),
            anytime_p_value: p_value(slice.worse()),
            verdict: slice.verdict(),
        }
    }
}

/// Whether the arms got their shares.
#[derive(Debug, Serialize)]
struct Mismatch {
    p_value: f64,
    verdict: &'static str,
}

impl Mismatch {
    fn of(judgement: &Judgement) -> Self {
        Self {
            p_value: judgement.mismatch().p_value(),
            verdict: if judgement.mismatch().is_mismatched() {
                "mismatch"
            } else {
                "no_mismatch"
            },
        }
    }
}

/// What a promotion still needs; nulls unless the verdict is `continue` and it is on its way.
#[derive(Debug, Default, Serialize)]
struct Needed<'a> {
    requests: Option<u64>,
    minutes: Option<f64>,
    metric: Option<&'a str>,
}

impl<'a> Needed<'a> {
    fn of(verdict: &'a Verdict) -> Self {
        let of = |needs: &'a Needs| Self {
            requests: needs.requests(),
            minutes: finite(needs.minutes()),
            metric: needs.metric(),
        };
        match verdict {
            Verdict::Continue { needs } => of(needs),
            _ => Self::default(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Decision {
    verdict: &'static str,
    requests: u64,
    time: String,
}

impl Decision {
    fn of(decided: &Decided) -> Self {
        Self {
            verdict: verdict(&decided.verdict),
            requests: decided.requests,
            time: decided.at.to_string(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Check {
    replicates: u64,
    false_alarms: u64,
    false_alarm_rate: f64,
    stated_rate: f64,
    promotions: u64,
    broken: bool,
}

impl Check {
    fn of(report: &AaReport) -> Self {
        Self {
            replicates: report.replicates(),
            false_alarms: report.false_alarms(),
            false_alarm_rate: report.false_alarm_rate().get(),
            stated_rate: report.stated_rate().get(),
            promotions: report.promotions(),
            broken: report.is_broken(),
        }
    }
}

fn lower(interval: &Interval) -> Option<f64> {
    finite(Some(interval.lower()))
}

fn upper(interval: &Interval) -> Option<f64> {
    finite(Some(interval.upper()))
}

fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}

fn p_value(evidence: LogE) -> f64 {
    (-evidence.get()).exp().min(1.0)
}

/// The arm that is judged against the champion.
const CANDIDATE: &str = "candidate";
