use noops_core::{LogE, Probability};
use serde::{Deserialize, Serialize};

use super::metric_spec::{MetricKind, MetricSpec};
use super::tolerance::Tolerance;
use crate::assignment::Arm;
use crate::direction::Direction;
use crate::error::CanaryError;
use crate::sequential::{MeanDifference, MeanLimit, RateComparison};
use crate::shadow::PairedLoss;

/// What has been seen of one metric, in all or in one slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    Rate(RateMeasure),
    Events(RateComparison),
    Mean(MeanDifference),
    Paired(Box<PairedLoss>),
}

/// Events among requests: by their ratio, and by the difference of their rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RateMeasure {
    events: RateComparison,
    rates: MeanDifference,
}

impl Measure {
    pub(super) fn new(spec: &MetricSpec) -> Result<Self, CanaryError> {
        Ok(match spec.kind() {
            MetricKind::Rate | MetricKind::Above { .. } | MetricKind::Tail { .. } => {
                Self::Rate(RateMeasure {
                    events: RateComparison::new(),
                    rates: MeanDifference::new(0.0, 1.0)?,
                })
            }
            MetricKind::Events => Self::Events(RateComparison::new()),
            MetricKind::Mean { lower, upper } => Self::Mean(MeanDifference::new(*lower, *upper)?),
            MetricKind::Paired(settings) => Self::Paired(Box::new(PairedLoss::new(*settings)?)),
        })
    }

    /// Takes a value that has been checked: finite, and 0 or 1 for a rate.
    #[inline]
    pub(super) fn add(&mut self, arm: Arm, theta: f64, value: f64) {
        match self {
            Self::Rate(measure) => {
                if value != 0.0 {
                    measure.events.count(arm, theta, 1);
                }
                measure.rates.add(arm, theta, value);
            }
            Self::Mean(mean) => mean.add(arm, theta, value),
            Self::Events(events) => events.count(arm, theta, 1),
            Self::Paired(_) => {}
        }
    }

    pub(super) fn paired(&self) -> Option<&PairedLoss> {
        match self {
            Self::Paired(loss) => Some(loss),
            _ => None,
        }
    }

    pub(super) fn paired_mut(&mut self) -> Option<&mut PairedLoss> {
        match self {
            Self::Paired(loss) => Some(loss),
            _ => None,
        }
    }

    /// Requests with a value (events, where there are no requests; pairs, where both arms see the same requests).
    pub(super) fn outcomes(&self, arm: Arm) -> u64 {
        match self {
            Self::Rate(measure) => measure.rates.outcomes(arm),
            Self::Mean(mean) => mean.outcomes(arm),
            Self::Events(events) => events.events(arm),
            Self::Paired(loss) => loss.pairs(),
        }
    }

    /// Bad events of one arm, where events are counted.
    pub(super) fn events(&self, arm: Arm) -> Option<u64> {
        match self {
            Self::Rate(measure) => Some(measure.events.events(arm)),
            Self::Events(events) => Some(events.events(arm)),
            Self::Mean(_) | Self::Paired(_) => None,
        }
    }

    /// The mean (the rate) of one arm.
    pub(super) fn level(&self, arm: Arm) -> Option<f64> {
        match self {
            Self::Rate(measure) => measure.rates.mean(arm),
            Self::Mean(mean) => mean.mean(arm),
            Self::Events(_) | Self::Paired(_) => None,
        }
    }

    /// Values outside the range of a mean, or block means outside that of paired losses.
    pub(super) fn clipped(&self) -> u64 {
        match self {
            Self::Mean(mean) => mean.clipped(),
            Self::Paired(loss) => loss.clamped_blocks(),
            Self::Rate(_) | Self::Events(_) => 0,
        }
    }

    /// The evidence that the candidate is worse than the tolerance, as if every outcome had come `times` times.
    ///
    /// The null hypothesis is that one of the limits is kept, so the weakest evidence counts.
    pub(super) fn worse(&self, direction: Direction, harm: &Tolerance, times: f64) -> LogE {
        let side = direction.harm_sign();
        let weakest = match self {
            Self::Rate(measure) => measure
                .evidence(direction, harm, side, times)
                .reduce(f64::min),
            Self::Events(events) => {
                Some(events.log_e(harm.ratio(direction).unwrap_or(1.0), side, times))
            }
            Self::Mean(mean) => harm
                .limits(direction)
                .map(|limit| mean.log_e(limit, side, times))
                .reduce(f64::min),
            Self::Paired(loss) => return loss.worse(),
        };
        weakest.map_or(LogE::default(), LogE::new)
    }

    /// The evidence that the candidate is not worse than the margin.
    ///
    /// The null hypothesis is that every limit is exceeded, so any fixed average of the evidence against each is evidence.
    pub(super) fn not_worse(&self, direction: Direction, margin: &Tolerance, times: f64) -> LogE {
        let side = -direction.harm_sign();
        let mean_of = |logs: &mut dyn Iterator<Item = f64>| {
            let logs: [Option<f64>; 2] = [logs.next(), logs.next()];
            match logs {
                [Some(one), Some(other)] => LogE::mean(&[LogE::new(one), LogE::new(other)]),
                [Some(one), None] | [None, Some(one)] => LogE::new(one),
                [None, None] => LogE::default(),
            }
        };
        match self {
            Self::Rate(measure) => mean_of(&mut measure.evidence(direction, margin, side, times)),
            Self::Events(events) => {
                LogE::new(events.log_e(margin.ratio(direction).unwrap_or(1.0), side, times))
            }
            Self::Mean(mean) => mean_of(
                &mut margin
                    .limits(direction)
                    .map(|limit| mean.log_e(limit, side, times)),
            ),
            Self::Paired(loss) => loss.not_worse(),
        }
    }

    /// The evidence that the candidate is better.
    pub(super) fn better(&self, direction: Direction) -> LogE {
        match self {
            Self::Paired(loss) => loss.better(),
            _ => self.not_worse(direction, &Tolerance::NONE, 1.0),
        }
    }
}

impl RateMeasure {
    pub(crate) fn comparison(&self) -> &RateComparison {
        &self.events
    }

    pub(crate) fn rates(&self) -> &MeanDifference {
        &self.rates
    }

    /// One log e-value per limit: relative limits, and no difference at all, by the ratio; absolute ones by the difference.
    fn evidence<'a>(
        &'a self,
        direction: Direction,
        tolerance: &'a Tolerance,
        side: f64,
        times: f64,
    ) -> impl Iterator<Item = f64> + 'a {
        let equal = tolerance.is_none().then_some(1.0);
        let ratio = tolerance.ratio(direction).or(equal);
        let by_ratio = ratio.map(|ratio| self.events.log_e(ratio, side, times));
        let amount = tolerance.absolute_part();
        let by_difference = amount
            .and_then(|amount| MeanLimit::absolute(direction.harm_sign() * amount).ok())
            .map(|limit| self.rates.log_e(limit, side, times));
        by_ratio.into_iter().chain(by_difference)
    }
}

/// Learns a high quantile of the champion's values and then turns values into events above it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawThreshold", into = "RawThreshold")]
pub(super) struct Threshold {
    quantile: Option<Probability>,
    learn_from: usize,
    learned: Vec<f64>,
    threshold: Option<f64>,
}

impl Threshold {
    /// For metrics that have one.
    pub(super) fn of(kind: &MetricKind) -> Option<Self> {
        match kind {
            MetricKind::Above { threshold } => Some(Self {
                quantile: None,
                learn_from: 0,
                learned: Vec::new(),
                threshold: Some(*threshold),
            }),
            MetricKind::Tail {
                quantile,
                learn_from,
            } => Some(Self {
                quantile: Some(*quantile),
                learn_from: *learn_from as usize,
                learned: Vec::with_capacity(*learn_from as usize),
                threshold: None,
            }),
            _ => None,
        }
    }

    /// Whether a value is above the threshold; `None` while it is being learned.
    pub(super) fn exceeds(&mut self, arm: Arm, value: f64) -> Option<f64> {
        match self.threshold {
            Some(threshold) => Some(if value > threshold { 1.0 } else { 0.0 }),
            None => {
                if arm == Arm::Champion {
                    self.learn(value);
                }
                None
            }
        }
    }

    /// Whether this is the threshold of a metric of such a kind.
    pub(super) fn fits(&self, kind: &MetricKind) -> bool {
        match kind {
            MetricKind::Above { threshold } => self.threshold == Some(*threshold),
            MetricKind::Tail {
                quantile,
                learn_from,
            } => self.quantile == Some(*quantile) && self.learn_from == *learn_from as usize,
            _ => false,
        }
    }

    /// The threshold, once it is known.
    pub(super) fn value(&self) -> Option<f64> {
        self.threshold
    }

    fn learn(&mut self, value: f64) {
        self.learned.push(value);
        if self.learned.len() < self.learn_from {
            return;
        }
        self.learned.sort_unstable_by(f64::total_cmp);
        let quantile = self.quantile.map_or(0.0, Probability::get);
        // The smallest value that the wanted share of values does not exceed.
        let rank = (quantile * self.learned.len() as f64).ceil() as usize;
        let place = rank.clamp(1, self.learned.len()) - 1;
        self.threshold = self.learned.get(place).copied();
        self.learned = Vec::new();
    }
}

#[derive(Serialize, Deserialize)]
struct RawThreshold {
    quantile: Option<Probability>,
    learn_from: usize,
    learned: Vec<f64>,
    threshold: Option<f64>,
}

impl TryFrom<RawThreshold> for Threshold {
    type Error = CanaryError;

    fn try_from(raw: RawThreshold) -> Result<Self, CanaryError> {
        let finite = raw
            .learned
            .iter()
            .chain(&raw.threshold)
            .all(|v| v.is_finite());
        let known = raw.threshold.is_some();
        if !finite
            || (known && !raw.learned.is_empty())
            || (!known && raw.learned.len() >= raw.learn_from)
        {
            return Err(CanaryError::State {
                state: "threshold",
                reason: "it is neither learned nor being learned",
            });
        }
        Ok(Self {
            quantile: raw.quantile,
            learn_from: raw.learn_from,
            learned: raw.learned,
            threshold: raw.threshold,
        })
    }
}

impl From<Threshold> for RawThreshold {
    fn from(threshold: Threshold) -> Self {
        Self {
            quantile: threshold.quantile,
            learn_from: threshold.learn_from,
            learned: threshold.learned,
            threshold: threshold.threshold,
        }
    }
}
