use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use super::Judge;
use super::alarms::{self, SliceTest};
use super::decide;
use super::evidence;
use super::explain;
use super::metric_spec::{MetricSpec, Role};
use super::mismatch::MismatchJudgement;
use super::state::MetricState;
use super::verdict::{Shortfall, Verdict};
use crate::assignment::Arm;
use crate::interval::Interval;

/// A verdict with the evidence it rests on.
///
/// # Examples
///
/// ```
/// use noops_canary::judge::{Judge, JudgeSpec, MetricKind, MetricSpec, Tolerance};
///
/// let errors = MetricSpec::new("errors", MetricKind::Rate).with_margin(Tolerance::relative(0.5)?);
/// let judgement = Judge::new(JudgeSpec::new([errors])?)?.judgement();
/// assert_eq!(judgement.metrics().len(), 1);
/// assert!(judgement.explain().starts_with("Insufficient data"));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    verdict: Verdict,
    metrics: Vec<MetricJudgement>,
    slices: Vec<SliceJudgement>,
    mismatch: MismatchJudgement,
    alpha_promote: Alpha,
    alpha_rollback: Alpha,
    n_champion: u64,
    n_candidate: u64,
    repeats: u64,
    unremembered: u64,
}

impl Judgement {
    pub(super) fn of(judge: &Judge) -> Self {
        let spec = judge.spec();
        let alarms = alarms::alarms(judge);
        let metrics = spec.metrics().iter().zip(&judge.metrics);
        let metrics = metrics.map(|(metric, state)| {
            let alarm = alarms.iter().find(|alarm| alarm.covers(metric));
            MetricJudgement::of(judge, metric, state, alarm)
        });
        Self {
            verdict: judge.verdict(),
            metrics: metrics.collect(),
            slices: alarms::slice_tests(judge)
                .iter()
                .map(|test| SliceJudgement::of(judge, test))
                .collect(),
            mismatch: MismatchJudgement::of(judge),
            alpha_promote: spec.alpha_promote(),
            alpha_rollback: spec.alpha_rollback(),
            n_champion: judge.requests(Arm::Champion),
            n_candidate: judge.requests(Arm::Challenger),
            repeats: judge.repeats(),
            unremembered: judge.unremembered(),
        }
    }

    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Each metric, in the order of the specification.
    #[must_use]
    pub fn metrics(&self) -> &[MetricJudgement] {
        &self.metrics
    }

    /// The metric of this name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&MetricJudgement> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// Each metric of each slice, in the order in which the slices were first seen.
    #[must_use]
    pub fn slices(&self) -> &[SliceJudgement] {
        &self.slices
    }

    /// Whether the arms got their shares.
    #[must_use]
    pub fn mismatch(&self) -> &MismatchJudgement {
        &self.mismatch
    }

    /// The error rate at which a promotion is proven.
    #[must_use]
    pub fn alpha_promote(&self) -> Alpha {
        self.alpha_promote
    }

    /// The error rate of a rollback, over all metrics and slices.
    #[must_use]
    pub fn alpha_rollback(&self) -> Alpha {
        self.alpha_rollback
    }

    /// The champion's requests.
    #[must_use]
    pub fn n_champion(&self) -> u64 {
        self.n_champion
    }

    /// The candidate's requests.
    #[must_use]
    pub fn n_candidate(&self) -> u64 {
        self.n_candidate
    }

    /// Requests of units that had been counted already.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        self.repeats
    }

    /// Requests of units for which there was no memory.
    #[must_use]
    pub fn unremembered(&self) -> u64 {
        self.unremembered
    }

    /// One paragraph for a person: the verdict, the estimates with their evidence, the data it rests on, and what would have changed it.
    #[must_use]
    pub fn explain(&self) -> String {
        explain::paragraph(self)
    }
}

/// What an estimate is: a ratio or a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Candidate over champion.
    Ratio,
    /// Candidate minus champion.
    Difference,
}

/// An estimate with its interval, on the scale of the metric's margin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    scale: Scale,
    value: Option<f64>,
    interval: Interval,
}

impl Estimate {
    pub(super) fn new(scale: Scale, value: Option<f64>, interval: Interval) -> Self {
        Self {
            scale,
            value: value.filter(|value| value.is_finite()),
            interval,
        }
    }

    /// A ratio or a difference.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The estimate; `None` before there is anything to estimate it from.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.value
    }

    /// The interval: each end is a bound at the error rate of a promotion, valid at every look. Paired losses have none.
    #[must_use]
    pub fn interval(&self) -> Interval {
        self.interval
    }
}

/// What is known of one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricVerdict {
    /// Proven to do harm, alone or with its group.
    Worse,
    /// Proven to be better.
    Better,
    /// Proven to be no worse than the margin.
    NotWorse,
    /// Nothing is proven yet.
    Undecided,
    /// There is too little data, or it is not sound.
    Insufficient,
    /// Reported only.
    Watched,
}

impl MetricVerdict {
    /// The verdict in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::NotWorse => "not worse",
            Self::Undecided => "undecided",
            Self::Insufficient => "insufficient",
            Self::Watched => "watched",
        }
    }
}

/// One metric: estimate, evidence, data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricJudgement {
    name: String,
    role: Role,
    verdict: MetricVerdict,
    n_champion: u64,
    n_candidate: u64,
    champion_events: Option<u64>,
    candidate_events: Option<u64>,
    champion_level: Option<f64>,
    candidate_level: Option<f64>,
    estimate: Estimate,
    margin: Option<f64>,
    provable_margin: Option<f64>,
    not_worse: LogE,
    better: LogE,
    worse: LogE,
    alpha_harm: Option<Alpha>,
    missing: f64,
    clipped: u64,
    threshold: Option<f64>,
    shortfall: Option<Shortfall>,
}

impl MetricJudgement {
    fn of(
        judge: &Judge,
        metric: &MetricSpec,
        state: &MetricState,
        alarm: Option<&alarms::Alarm<'_>>,
    ) -> Self {
        let measure = &state.measure;
        let estimate = evidence::estimate(metric, measure, judge.spec().alpha_promote());
        let better = measure.better(metric.direction());
        let shortfall = decide::shortfall(judge, metric, state);
        let proven = metric.must_be_proven() && decide::is_proven(judge, metric, state);
        let verdict = match &shortfall {
            _ if metric.role() == Role::Watched => MetricVerdict::Watched,
            _ if alarm.is_some_and(alarms::Alarm::rings) => MetricVerdict::Worse,
            Some(_) => MetricVerdict::Insufficient,
            None if proven && better.rejects(decide::goal_alpha(judge)) => MetricVerdict::Better,
            None if proven => MetricVerdict::NotWorse,
            None => MetricVerdict::Undecided,
        };
        Self {
            name: metric.name().to_owned(),
            role: metric.role(),
            verdict,
            n_champion: measure.outcomes(Arm::Champion),
            n_candidate: measure.outcomes(Arm::Challenger),
            champion_events: measure.events(Arm::Champion),
            candidate_events: measure.events(Arm::Challenger),
            champion_level: measure.level(Arm::Champion),
            candidate_level: measure.level(Arm::Challenger),
            margin: evidence::limit(metric, measure, metric.margin(), estimate.scale()),
            provable_margin: evidence::provable_margin(metric, measure, &estimate),
            estimate,
            not_worse: measure.not_worse(metric.direction(), metric.margin(), 1.0),
            better,
            worse: measure.worse(metric.direction(), metric.harm(), 1.0),
            alpha_harm: alarm.map(alarms::Alarm::alpha),
            missing: decide::missing_share(judge, state),
            clipped: measure.clipped(),
            threshold: state.threshold(),
            shortfall,
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// What is known.
    #[must_use]
    pub fn verdict(&self) -> MetricVerdict {
        self.verdict
    }

    /// The champion's outcomes that are judged (pairs, for paired losses; events, where there are no requests).
    #[must_use]
    pub fn n_champion(&self) -> u64 {
        self.n_champion
    }

    /// The candidate's outcomes that are judged.
    #[must_use]
    pub fn n_candidate(&self) -> u64 {
        self.n_candidate
    }

    /// The champion's events, where events are counted.
    #[must_use]
    pub fn champion_events(&self) -> Option<u64> {
        self.champion_events
    }

    /// The candidate's events, where events are counted.
    #[must_use]
    pub fn candidate_events(&self) -> Option<u64> {
        self.candidate_events
    }

    /// The champion's mean or rate, over all its outcomes; compare the arms by the estimate, which allows for a ramp.
    #[must_use]
    pub fn champion_level(&self) -> Option<f64> {
        self.champion_level
    }

    /// The candidate's mean or rate.
    #[must_use]
    pub fn candidate_level(&self) -> Option<f64> {
        self.candidate_level
    }

    /// The estimate with its interval.
    #[must_use]
    pub fn estimate(&self) -> &Estimate {
        &self.estimate
    }

    /// Where, on the scale of the estimate, a candidate is just too bad.
    #[must_use]
    pub fn margin(&self) -> Option<f64> {
        self.margin
    }

    /// The margin, on the scale of the estimate, that would just have been proven; `None` where none would.
    #[must_use]
    pub fn provable_margin(&self) -> Option<f64> {
        self.provable_margin
    }

    /// The evidence that the candidate is not worse than the margin.
    #[must_use]
    pub fn not_worse(&self) -> LogE {
        self.not_worse
    }

    /// The evidence that the candidate is better.
    #[must_use]
    pub fn better(&self) -> LogE {
        self.better
    }

    /// The evidence that the candidate is worse than the harm bound.
    #[must_use]
    pub fn worse(&self) -> LogE {
        self.worse
    }

    /// The error rate at which harm is proven, alone or with its group; `None` where nothing is alarmed on.
    #[must_use]
    pub fn alpha_harm(&self) -> Option<Alpha> {
        self.alpha_harm
    }

    /// The larger of the arms' shares of missing values.
    #[must_use]
    pub fn missing(&self) -> f64 {
        self.missing
    }

    /// How many values lay outside the range of a mean, or block means outside that of paired losses.
    #[must_use]
    pub fn clipped(&self) -> u64 {
        self.clipped
    }

    /// The threshold above which values are events; `None` while it is being learned, or where there is none.
    #[must_use]
    pub fn threshold(&self) -> Option<f64> {
        self.threshold
    }

    /// What is lacking before anything can be said for the candidate.
    #[must_use]
    pub fn shortfall(&self) -> Option<&Shortfall> {
        self.shortfall.as_ref()
    }
}

/// One metric in one slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceJudgement {
    column: String,
    value: String,
    metric: String,
    n_champion: u64,
    n_candidate: u64,
    estimate: Estimate,
    worse: LogE,
    verdict: MetricVerdict,
}

impl SliceJudgement {
    fn of(judge: &Judge, test: &SliceTest<'_>) -> Self {
        let spec = judge.spec();
        let n_champion = test.measure.outcomes(Arm::Champion);
        let n_candidate = test.measure.outcomes(Arm::Challenger);
        let enough = n_champion.min(n_candidate) >= spec.min_outcomes_of(test.metric);
        Self {
            column: spec
                .slices()
                .get(test.slice.column())
                .cloned()
                .unwrap_or_default(),
            value: test.slice.value().to_owned(),
            metric: test.metric.name().to_owned(),
            n_champion,
            n_candidate,
            estimate: evidence::estimate(test.metric, test.measure, spec.alpha_promote()),
            worse: test.evidence,
            verdict: match (test.rejected, enough) {
                (true, _) => MetricVerdict::Worse,
                (false, true) => MetricVerdict::Undecided,
                (false, false) => MetricVerdict::Insufficient,
            },
        }
    }

    /// The column.
    #[must_use]
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The metric.
    #[must_use]
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// The champion's outcomes here.
    #[must_use]
    pub fn n_champion(&self) -> u64 {
        self.n_champion
    }

    /// The candidate's outcomes here.
    #[must_use]
    pub fn n_candidate(&self) -> u64 {
        self.n_candidate
    }

    /// The estimate with its interval, which is not corrected for the number of slices.
    #[must_use]
    pub fn estimate(&self) -> &Estimate {
        &self.estimate
    }

    /// The evidence that the candidate is worse here.
    #[must_use]
    pub fn worse(&self) -> LogE {
        self.worse
    }

    /// Worse, undecided, or insufficient: with too few outcomes to expect that harm would be seen.
    #[must_use]
    pub fn verdict(&self) -> MetricVerdict {
        self.verdict
    }
}
