use noops_core::Probability;
use noops_stats::special::normal_upper_quantile;
use serde::{Deserialize, Serialize};

use super::laws::{self, Levels, Limit};
use super::passage::Passage;
use super::question::{MOST_REQUESTS, SMALLEST_RATIO, alarm_needs, must_be_proven};
use super::traffic::Traffic;
use super::walk::Walk;
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::interval::Interval;
use crate::judge::{Judge, Measure, MetricSpec};
use crate::sequential::{MeanDifference, MeanLimit, RateComparison, log_sum_exp};

/// How likely a rollout that is under way is to be decided by a given time, from the evidence so far.
///
/// # Formula
///
/// The evidence of a judge is a mixture whose terms are known now and grow with a random walk: see [`Plan`](super::Plan). Its chance to reach
/// the threshold in time is averaged over the effect, of which the estimate so far and its standard error make a normal law (the predictive
/// probability of Spiegelhalter, Freedman and Blackburn, 1986, with a flat prior), at 16 points of equal probability.
///
/// # Numerical notes
///
/// It is a forecast, not a guarantee: it assumes that traffic and share stay, that the units are independent, and, early on, that the
/// estimate is near normal. Looking at it, and stopping for futility, raises neither error rate: only evidence promotes, and only evidence
/// or a budget rolls back. Metrics that compare pairs are not forecast, because their state holds no spread, nor are events before a judge has
/// seen requests; nor that a goal is better, and harm in single slices. What else stands in the way of a promotion, such as too few outcomes or a
/// mismatch of the shares, is not looked at.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::judge::{Judge, JudgeSpec, MetricKind, MetricSpec, Observation, Tolerance, Unit};
/// use noops_canary::planning::{Forecast, FutilityVerdict, Traffic};
/// use noops_core::{Probability, Share, Timestamp};
///
/// let errors = MetricSpec::new("errors", MetricKind::Rate).with_margin(Tolerance::relative(0.5)?);
/// let mut judge = Judge::new(JudgeSpec::new([errors])?)?;
/// let half = Share::from_ratio(0.5)?;
/// for request in 0..2_000_u64 {
///     let arm = if request % 2 == 0 { Arm::Champion } else { Arm::Challenger };
///     let failed = f64::from(u8::from(request % 40 < 2));
///     let at = Timestamp::from_second(request as i64)?;
///     judge.observe(&Observation::new(at, Unit::of_number(request), arm, half, &[Some(failed)]))?;
/// }
/// let forecast = Forecast::of(&judge, &Traffic::new(1.0, half)?, 60.0 * 24.0)?;
/// let proven = forecast.metric("errors").map(|metric| metric.proven());
/// assert!(proven.is_some_and(|proven| proven > 0.7));
/// assert_eq!(forecast.futility(Probability::new(0.1)?), FutilityVerdict::Continue);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    minutes: f64,
    metrics: Vec<MetricForecast>,
    unforeseen: Vec<String>,
}

impl Forecast {
    /// Looks so many minutes ahead.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the minutes are finite and above 0.
    ///
    /// # Complexity
    ///
    /// For each limit of a metric's margin and of its harm, 16 laws of a first passage, each of at most some hundred points and their squares.
    pub fn of(judge: &Judge, traffic: &Traffic, minutes: f64) -> Result<Self, CanaryError> {
        if !(minutes > 0.0 && minutes.is_finite()) {
            return Err(CanaryError::Setting {
                name: "minutes",
                value: minutes,
                allowed: "that is finite and above 0",
            });
        }
        let requests = traffic.requests_in(minutes);
        let mut metrics = Vec::new();
        let mut unforeseen = Vec::new();
        for (metric, measure) in judge.spec().metrics().iter().zip(judge.measures()) {
            let Some(outlook) = Outlook::new(judge, metric, measure, traffic, requests) else {
                unforeseen.push(metric.name().to_owned());
                continue;
            };
            let proof = must_be_proven(metric).then(|| outlook.proven());
            let harm =
                alarm_needs(judge.spec(), metric).map_or(0.0, |needed| outlook.harmful(needed));
            metrics.push(MetricForecast {
                name: metric.name().to_owned(),
                must_be_proven: proof.is_some(),
                proven: proof.unwrap_or(0.0),
                harmful: harm,
            });
        }
        Ok(Self {
            minutes,
            metrics,
            unforeseen,
        })
    }

    /// How far it looks ahead.
    #[must_use]
    pub fn minutes(&self) -> f64 {
        self.minutes
    }

    /// The metrics that are foreseen, in the order of the specification.
    #[must_use]
    pub fn metrics(&self) -> &[MetricForecast] {
        &self.metrics
    }

    /// The metric of this name, if it is foreseen.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&MetricForecast> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// The metrics that cannot be foreseen.
    #[must_use]
    pub fn unforeseen(&self) -> &[String] {
        &self.unforeseen
    }

    /// The probability that all foreseen guardrails are proven by then.
    ///
    /// How the metrics hang together is not known, so it is an interval: from Bonferroni's bound to the least likely of them.
    #[must_use]
    pub fn promotion(&self) -> Interval {
        let proofs = self.metrics.iter().filter(|metric| metric.must_be_proven);
        let (missing, least) = proofs.fold((0.0, 1.0), |(missing, least), metric| {
            (
                missing + 1.0 - metric.proven,
                f64::min(least, metric.proven),
            )
        });
        Interval::between(f64::max(1.0 - missing, 0.0), least)
    }

    /// The probability of a decision by then, promotion or rollback: an interval, for the same reason.
    #[must_use]
    pub fn decision(&self) -> Interval {
        let promotion = self.promotion();
        let likeliest = self
            .metrics
            .iter()
            .map(|metric| metric.harmful)
            .fold(0.0, f64::max);
        let together: f64 = self.metrics.iter().map(|metric| metric.harmful).sum();
        Interval::between(
            promotion.lower().max(likeliest),
            (promotion.upper() + together).min(1.0),
        )
    }

    /// Whether to go on at all: stop where a guardrail is less likely to be proven in time than `least`.
    ///
    /// It binds nobody. Whoever goes on regardless keeps every error rate.
    #[must_use]
    pub fn futility(&self, least: Probability) -> FutilityVerdict {
        let proofs = self.metrics.iter().filter(|metric| metric.must_be_proven);
        let hopeless = proofs.min_by(|one, other| one.proven.total_cmp(&other.proven));
        match hopeless {
            Some(metric) if metric.proven < least.get() => FutilityVerdict::Stop {
                metric: metric.name.clone(),
                probability: metric.proven,
            },
            _ => FutilityVerdict::Continue,
        }
    }
}

/// How likely one metric is to be decided in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricForecast {
    name: String,
    must_be_proven: bool,
    proven: f64,
    harmful: f64,
}

impl MetricForecast {
    /// The metric's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The probability that it is proven not to be worse than its margin; 0 for a metric that need not be proven.
    #[must_use]
    pub fn proven(&self) -> f64 {
        self.proven
    }

    /// The probability that harm is found by this metric alone.
    #[must_use]
    pub fn harmful(&self) -> f64 {
        self.harmful
    }
}

/// Whether it is worth going on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FutilityVerdict {
    /// Every guardrail may still be proven in time.
    Continue,
    /// This one hardly will.
    Stop {
        /// The guardrail that is least likely to be proven.
        metric: String,
        /// The probability that it is.
        probability: f64,
    },
}

/// What is seen of one metric, and how much more will be.
struct Outlook<'a> {
    judge: &'a Judge,
    metric: &'a MetricSpec,
    events: Option<EventOutlook<'a>>,
    outcomes: Option<&'a MeanDifference>,
    theta: f64,
    requests: f64,
}

/// Events, and how often they come.
struct EventOutlook<'a> {
    comparison: &'a RateComparison,
    /// Events a request.
    rate: f64,
}

impl<'a> Outlook<'a> {
    fn new(
        judge: &'a Judge,
        metric: &'a MetricSpec,
        measure: &'a Measure,
        traffic: &Traffic,
        requests: f64,
    ) -> Option<Self> {
        let seen = judge.requests(Arm::Champion) as f64 + judge.requests(Arm::Challenger) as f64;
        let (events, outcomes) = match measure {
            Measure::Rate(rates) => {
                let means = rates.rates();
                let seen =
                    means.outcomes(Arm::Champion) as f64 + means.outcomes(Arm::Challenger) as f64;
                (EventOutlook::new(rates.comparison(), seen), Some(means))
            }
            Measure::Events(comparison) => (EventOutlook::new(comparison, seen), None),
            Measure::Mean(means) => (None, Some(means)),
            Measure::Paired(_) => return None,
        };
        (events.is_some() || outcomes.is_some()).then_some(Self {
            judge,
            metric,
            events,
            outcomes,
            theta: traffic.share().ratio(),
            requests: requests.min(MOST_REQUESTS),
        })
    }

    fn proven(&self) -> f64 {
        let tested: Vec<MeanLimit> = self
            .metric
            .margin()
            .limits(self.metric.direction())
            .collect();
        let several = if tested.len() > 1 {
            std::f64::consts::LN_2
        } else {
            0.0
        };
        let needed = several - libm::log(self.judge.spec().alpha_promote().get());
        let side = -self.metric.direction().harm_sign();
        let each = tested
            .iter()
            .map(|&limit| self.probability(limit, side, needed));
        each.fold(0.0, f64::max)
    }

    fn harmful(&self, needed: f64) -> f64 {
        let side = self.metric.direction().harm_sign();
        let tested: Vec<MeanLimit> = self.metric.harm().limits(self.metric.direction()).collect();
        let each = tested
            .iter()
            .map(|&limit| self.probability(limit, side, needed));
        each.fold(1.0, f64::min)
    }

    /// The probability that a limit is rejected in time, averaged over the effect.
    fn probability(&self, limit: MeanLimit, side: f64, needed: f64) -> f64 {
        let now = match (&self.events, self.outcomes) {
            (Some(events), _) if limit.difference() == 0.0 => events
                .comparison
                .log_terms(limit.ratio().max(SMALLEST_RATIO), side),
            (_, Some(means)) => means.log_terms(limit, side),
            _ => return 0.0,
        };
        if log_sum_exp(now.iter().copied()) >= needed {
            return 1.0;
        }
        let mean = POINTS.map(|point| {
            let walk = match (&self.events, self.outcomes) {
                (Some(events), _) if limit.difference() == 0.0 => {
                    events.walk(limit.ratio(), side, self.theta, point, needed)
                }
                (_, Some(means)) => walk_of_means(means, limit, side, self.theta, point, needed),
                _ => None,
            };
            walk.map_or(0.0, |(walk, per_step)| {
                let steps = self.requests / per_step;
                Passage::smooth(&walk, steps).probability_by(steps)
            })
        });
        (mean.iter().sum::<f64>() / POINTS.len() as f64).clamp(0.0, 1.0)
    }
}

impl<'a> EventOutlook<'a> {
    fn new(comparison: &'a RateComparison, requests: f64) -> Option<Self> {
        let events =
            comparison.events(Arm::Champion) as f64 + comparison.events(Arm::Challenger) as f64;
        // Half an event, so that none so far does not mean none ever.
        (requests > 0.0).then_some(Self {
            comparison,
            rate: (events + 0.5) / (requests + 1.0),
        })
    }

    /// The walk from here, and the requests of a step, with the effect at one point of its law.
    fn walk(
        &self,
        ratio: f64,
        side: f64,
        theta: f64,
        point: f64,
        needed: f64,
    ) -> Option<(Walk, f64)> {
        let ratio = ratio.max(SMALLEST_RATIO);
        let champion = self.comparison.events(Arm::Champion) as f64;
        let candidate = self.comparison.events(Arm::Challenger) as f64;
        let shrunk = libm::log((candidate + 0.5) * (1.0 - theta) / ((champion + 0.5) * theta));
        let observed = self.comparison.rate_ratio().filter(|ratio| *ratio > 0.0);
        let log_ratio = observed.map_or(shrunk, libm::log);
        let error = (1.0 / (candidate + 0.5) + 1.0 / (champion + 0.5)).sqrt();
        let truth = libm::exp(log_ratio + normal_quantile(point) * error);
        let walk = laws::of_rates(ratio, side, theta, truth, needed)?;
        let walk = walk.starting_here(&self.comparison.log_terms(ratio, side))?;
        Some((walk, 1.0 / self.rate))
    }
}

/// The same for outcomes.
fn walk_of_means(
    means: &MeanDifference,
    limit: MeanLimit,
    side: f64,
    theta: f64,
    point: f64,
    needed: f64,
) -> Option<(Walk, f64)> {
    let (lower, width) = (means.lower(), means.width());
    let place = |value: f64| (value - lower) / width;
    let champion = place(means.mean(Arm::Champion)?);
    // Both arms' scores together spread as one outcome does, times the weight: the weights of the arms add up to one.
    let spread = (means.score_squares() / means.weight()).sqrt();
    let error = spread / means.weight().sqrt();
    let difference = means.difference()? / width + normal_quantile(point) * error;
    let levels = Levels {
        champion,
        candidate: (champion + difference).clamp(0.0, 1.0),
        champion_spread: spread,
        candidate_spread: spread,
    };
    let walk = laws::of_means(
        Limit::rescaled(limit, lower, width),
        side,
        theta,
        &levels,
        needed,
    )?;
    Some((walk.starting_here(&means.log_terms(limit, side))?, 1.0))
}

fn normal_quantile(probability: f64) -> f64 {
    normal_upper_quantile(1.0 - probability)
}

/// The middles of sixteen equal parts.
const POINTS: [f64; 16] = [
    0.031_25, 0.093_75, 0.156_25, 0.218_75, 0.281_25, 0.343_75, 0.406_25, 0.468_75, 0.531_25,
    0.593_75, 0.656_25, 0.718_75, 0.781_25, 0.843_75, 0.906_25, 0.968_75,
];
