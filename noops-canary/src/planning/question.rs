use noops_core::{Alpha, Share};

use super::baseline::Baseline;
use super::laws::{self, Levels, Limit};
use super::passage::Passage;
use super::walk::Walk;
use crate::judge::{JudgeSpec, MetricKind, MetricSpec, Role, Tolerance};
use crate::sequential::MeanLimit;

/// How much evidence is asked of one metric, and for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) metric: &'a MetricSpec,
    pub(super) baseline: &'a Baseline,
    pub(super) share: Share,
}

/// What has to happen, with the requests that a step of its walk takes.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    walks: Vec<(Walk, f64)>,
    how_many: HowMany,
}

/// How many of the limits of a tolerance have to be rejected.
#[derive(Clone, Copy, Debug, PartialEq)]
enum HowMany {
    One,
    All,
}

impl Question<'_> {
    /// Proof of a candidate that is identical: that it is not worse than the margin.
    ///
    /// The judge averages the evidence against a relative and an absolute limit, so that one of them with twice the evidence is enough.
    pub(super) fn proof(&self, alpha: Alpha) -> Wanted {
        let margin = self.metric.margin();
        let side = -self.metric.direction().harm_sign();
        let both = if margin.relative_part().is_some() && margin.absolute_part().is_some() {
            std::f64::consts::LN_2
        } else {
            0.0
        };
        let needed = both - libm::log(alpha.get());
        Wanted {
            walks: self.walks(margin, side, 1.0, needed),
            how_many: HowMany::One,
        }
    }

    /// Harm by a candidate that is `effect` times worse.
    pub(super) fn harm(&self, effect: f64, needed: f64) -> Wanted {
        let side = self.metric.direction().harm_sign();
        let truth = if side > 0.0 { effect } else { 1.0 / effect };
        Wanted {
            walks: self.walks(self.metric.harm(), side, truth, needed),
            how_many: HowMany::All,
        }
    }

    fn walks(&self, tolerance: &Tolerance, side: f64, truth: f64, needed: f64) -> Vec<(Walk, f64)> {
        let theta = self.share.ratio();
        match (self.metric.kind(), self.baseline) {
            (
                MetricKind::Mean { lower, upper },
                Baseline::Mean {
                    mean,
                    standard_deviation,
                },
            ) => {
                let width = upper - lower;
                let spread = standard_deviation / width;
                let levels = Levels {
                    champion: (mean - lower) / width,
                    candidate: ((mean + mean.abs() * (truth - 1.0) - lower) / width)
                        .clamp(0.0, 1.0),
                    champion_spread: spread,
                    candidate_spread: spread,
                };
                let limits = self.limits(tolerance).into_iter();
                let walk = |limit| {
                    laws::of_means(
                        Limit::rescaled(limit, *lower, width),
                        side,
                        theta,
                        &levels,
                        needed,
                    )
                };
                limits.filter_map(walk).map(|walk| (walk, 1.0)).collect()
            }
            (
                MetricKind::Paired(settings),
                Baseline::Paired {
                    standard_deviation,
                    pairs_per_block,
                },
            ) => {
                let range = settings.block_range();
                let place = |difference: f64| (difference / range + 1.0) / 2.0;
                // The effect of a pair is told in margins; an identical candidate has none.
                let shift = if side > 0.0 {
                    truth * settings.margin().abs()
                } else {
                    0.0
                };
                let mean = place(shift.min(range));
                let spread = standard_deviation / (2.0 * range);
                let walk = if side > 0.0 {
                    laws::of_bets(place(settings.harm()), mean, spread, needed)
                } else {
                    laws::of_bets(1.0 - place(settings.margin()), 1.0 - mean, spread, needed)
                };
                walk.map(|walk| (walk, *pairs_per_block))
                    .into_iter()
                    .collect()
            }
            (_, Baseline::Rate(rate)) => {
                let rate = rate.get();
                let per_event = 1.0 / (rate * (1.0 - theta + theta * truth));
                let candidate = (rate * truth).clamp(0.0, 1.0);
                let spread = |rate: f64| (rate * (1.0 - rate)).max(0.0).sqrt();
                let levels = Levels {
                    champion: rate,
                    candidate,
                    champion_spread: spread(rate),
                    candidate_spread: spread(candidate),
                };
                let walk = |limit: MeanLimit| {
                    if limit.difference() == 0.0 {
                        let ratio = limit.ratio().max(SMALLEST_RATIO);
                        laws::of_rates(ratio, side, theta, truth, needed)
                            .map(|walk| (walk, per_event))
                    } else {
                        let limit = Limit::rescaled(limit, 0.0, 1.0);
                        laws::of_means(limit, side, theta, &levels, needed).map(|walk| (walk, 1.0))
                    }
                };
                self.limits(tolerance)
                    .into_iter()
                    .filter_map(walk)
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn limits(&self, tolerance: &Tolerance) -> Vec<MeanLimit> {
        tolerance.limits(self.metric.direction()).collect()
    }
}

impl Wanted {
    /// The laws of the requests until each part of it happens.
    pub(super) fn passages(&self) -> Passages {
        self.passages_by(MOST_REQUESTS, Passage::of)
    }

    /// The same up to so many requests, and quicker.
    pub(super) fn passages_within(&self, requests: f64) -> Passages {
        self.passages_by(requests.min(MOST_REQUESTS), Passage::smooth)
    }

    fn passages_by(&self, requests: f64, law: impl Fn(&Walk, f64) -> Passage) -> Passages {
        let passage = |(walk, per_step): &(Walk, f64)| (law(walk, requests / per_step), *per_step);
        Passages {
            passages: self.walks.iter().map(passage).collect(),
            how_many: self.how_many,
        }
    }
}

/// When what is wanted happens.
#[derive(Clone, Debug)]
pub(super) struct Passages {
    passages: Vec<(Passage, f64)>,
    how_many: HowMany,
}

impl Passages {
    /// The requests by which it happens with this probability.
    ///
    /// Of two limits, the sooner where one is enough and the later where both are needed: what they share is not known.
    pub(super) fn requests(&self, probability: f64) -> Option<f64> {
        let each = self
            .passages
            .iter()
            .map(|(passage, per_step)| passage.quantile(probability).map(|steps| steps * per_step));
        match self.how_many {
            HowMany::One => each.flatten().min_by(f64::total_cmp),
            HowMany::All if self.passages.is_empty() => None,
            HowMany::All => each
                .collect::<Option<Vec<f64>>>()?
                .into_iter()
                .max_by(f64::total_cmp),
        }
    }

    /// The probability that it happens within so many requests.
    pub(super) fn probability_within(&self, requests: f64) -> f64 {
        let requests = requests.min(MOST_REQUESTS);
        let each = self
            .passages
            .iter()
            .map(|(passage, per_step)| passage.probability_by(requests / per_step));
        match self.how_many {
            HowMany::One => each.fold(0.0, f64::max),
            HowMany::All if self.passages.is_empty() => 0.0,
            HowMany::All => each.fold(1.0, f64::min),
        }
    }

    /// The expected requests until it happens, or until so many have come.
    pub(super) fn mean_until(&self, requests: f64) -> f64 {
        let requests = requests.min(MOST_REQUESTS);
        let each = self
            .passages
            .iter()
            .map(|(passage, per_step)| passage.mean_until(requests / per_step) * per_step);
        match self.how_many {
            HowMany::One => each.fold(requests, f64::min),
            HowMany::All if self.passages.is_empty() => requests,
            HowMany::All => each.fold(0.0, f64::max).min(requests),
        }
    }
}

/// The logarithm of the e-value that rolls back on one metric while all others of its group show nothing; `None` for one that is only
/// watched.
///
/// The judge's average over a group and its split of the error rate cancel: what is left is the metric's weight among all.
pub(super) fn alarm_needs(spec: &JudgeSpec, metric: &MetricSpec) -> Option<f64> {
    if metric.role() == Role::Watched {
        return None;
    }
    let harmful = spec
        .metrics()
        .iter()
        .filter(|other| other.role() != Role::Watched);
    let weights: f64 = harmful.map(MetricSpec::weight).sum();
    let parts = if spec.slices().is_empty() { 1.0 } else { 2.0 };
    let needed = -libm::log(spec.alpha_rollback().get() / parts * metric.weight() / weights);
    needed.is_finite().then_some(needed)
}

/// Whether promotion waits for this metric.
pub(super) fn must_be_proven(metric: &MetricSpec) -> bool {
    matches!(metric.role(), Role::Guardrail | Role::Goal)
}

/// The requests until each arm has the outcomes below which nothing is proven; of events, the events.
pub(super) fn requests_for_outcomes(spec: &JudgeSpec, question: &Question<'_>) -> f64 {
    let needed = question
        .metric
        .min_outcomes()
        .unwrap_or(spec.min_outcomes())
        .max(1) as f64;
    let theta = question.share.ratio();
    let rarer = theta.min(1.0 - theta);
    match (question.metric.kind(), question.baseline) {
        (MetricKind::Paired(_), _) => needed,
        (MetricKind::Events, Baseline::Rate(rate)) => needed / (rarer * rate.get()),
        (MetricKind::Tail { learn_from, .. }, _) => {
            f64::from(*learn_from) / (1.0 - theta) + needed / rarer
        }
        _ => needed / rarer,
    }
}

/// Beyond this nothing is waited for.
pub(super) const MOST_REQUESTS: f64 = 1e11;
/// Instead of a ratio of zero, of which there is no logarithm.
pub(super) const SMALLEST_RATIO: f64 = 0.001;
