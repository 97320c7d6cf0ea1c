use std::fmt;

use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use super::Judge;
use super::decide;
use super::metric_spec::MetricSpec;
use super::state::MetricState;
use super::tolerance::Tolerance;
use crate::assignment::Arm;

/// About how much more it takes to prove what a promotion needs, if everything goes on as it did.
///
/// `None` where it would never be proven: the estimate itself is not better than the margin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Needs {
    requests: Option<u64>,
    minutes: Option<f64>,
    metric: Option<String>,
}

impl Needs {
    /// The requests of both arms together (pairs, for paired losses; events, where nothing but events is reported).
    #[must_use]
    pub fn requests(&self) -> Option<u64> {
        self.requests
    }

    /// The minutes, at the rate at which requests came so far.
    #[must_use]
    pub fn minutes(&self) -> Option<f64> {
        self.minutes
    }

    /// The metric that takes longest.
    #[must_use]
    pub fn metric(&self) -> Option<&str> {
        self.metric.as_deref()
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metric = self.metric().unwrap_or("the slowest metric");
        match (self.requests, self.minutes) {
            (Some(requests), Some(minutes)) => write!(
                f,
                "about {requests} more requests, {minutes:.0} minutes at the present rate, until `{metric}` is proven"
            ),
            (Some(requests), None) => {
                write!(
                    f,
                    "about {requests} more requests until `{metric}` is proven"
                )
            }
            _ => write!(
                f,
                "`{metric}` is not on its way to being proven: its estimate is not inside what has to be proven"
            ),
        }
    }
}

/// What the slowest of the metrics that are not proven needs; of the goals, none of which is better yet, the quickest counts.
pub(super) fn needs<'a>(
    judge: &Judge,
    unproven: impl Iterator<Item = (&'a MetricSpec, &'a MetricState)>,
    goals: impl Iterator<Item = (&'a MetricSpec, &'a MetricState)>,
) -> Needs {
    let not_worse = unproven.map(|(metric, state)| {
        let question = Question::NotWorse(*metric.margin());
        Growth::of(judge, metric, state, question)
    });
    let better = goals
        .map(|(metric, state)| Growth::of(judge, metric, state, Question::Better))
        .min_by(|a, b| a.times.total_cmp(&b.times));
    let slowest = not_worse
        .chain(better)
        .max_by(|a, b| a.times.total_cmp(&b.times));
    slowest.map_or_else(Needs::default, |growth| growth.needs(judge))
}

/// What has to be proven of a metric.
#[derive(Clone, Copy)]
enum Question {
    NotWorse(Tolerance),
    Better,
}

/// How many times the evidence so far it takes to prove something of a metric; infinite where more of the same proves nothing.
struct Growth<'a> {
    metric: &'a str,
    times: f64,
    so_far: f64,
}

impl<'a> Growth<'a> {
    fn of(judge: &Judge, metric: &'a MetricSpec, state: &MetricState, question: Question) -> Self {
        let measure = &state.measure;
        let (tolerance, alpha) = match question {
            Question::NotWorse(margin) => (margin, judge.spec().alpha_promote()),
            Question::Better => (Tolerance::NONE, decide::goal_alpha(judge)),
        };
        let (times, so_far) = match (measure.paired(), question) {
            (Some(loss), Question::NotWorse(_)) => (
                times_at_this_growth(loss.not_worse(), alpha),
                loss.pairs() as f64,
            ),
            (Some(loss), Question::Better) => (
                times_at_this_growth(loss.better(), alpha),
                loss.pairs() as f64,
            ),
            (None, _) => {
                let direction = metric.direction();
                let proven = |times: f64| {
                    measure
                        .not_worse(direction, &tolerance, times)
                        .rejects(alpha)
                };
                let events = measure.outcomes(Arm::Champion) as f64
                    + measure.outcomes(Arm::Challenger) as f64;
                let judged = judged(judge);
                // Events without requests are counted themselves.
                let so_far = if judged > 0.0 { judged } else { events };
                (times_until(proven), so_far)
            }
        };
        Self {
            metric: metric.name(),
            times,
            so_far,
        }
    }

    fn needs(&self, judge: &Judge) -> Needs {
        let more = (self.times - 1.0).max(0.0);
        let finite = self.times.is_finite();
        let minutes = minutes_so_far(judge).filter(|_| finite);
        Needs {
            requests: finite.then(|| ((more * self.so_far).ceil() as u64).max(1)),
            minutes: minutes.map(|minutes| more * minutes),
            metric: Some(self.metric.to_owned()),
        }
    }
}

fn times_until(proven: impl Fn(f64) -> bool) -> f64 {
    if !proven(MOST_TIMES) {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (1.0, MOST_TIMES);
    for _ in 0..BISECTIONS {
        // On the log scale, since it may be a tenth more or a thousand times as much.
        let middle = (low * high).sqrt();
        if proven(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// Extrapolates the mean growth of the log e-value; nothing while it does not grow.
fn times_at_this_growth(evidence: LogE, alpha: Alpha) -> f64 {
    let needed = -libm::log(alpha.get());
    if evidence.get() <= 0.0 || evidence.get() >= needed {
        // Where there is enough, only the observed mean difference stands in the way, of which nothing can be foretold.
        return f64::INFINITY;
    }
    needed / evidence.get()
}

fn minutes_so_far(judge: &Judge) -> Option<f64> {
    let (first, last) = judge.first_at.zip(judge.last_at)?;
    let minutes = last.duration_since(first).as_secs_f64() / 60.0;
    (minutes > 0.0 && judged(judge) > 0.0).then_some(minutes)
}

fn judged(judge: &Judge) -> f64 {
    judge.traffic.events(Arm::Champion) as f64 + judge.traffic.events(Arm::Challenger) as f64
}

const MOST_TIMES: f64 = 1e6;
const BISECTIONS: u32 = 40;
