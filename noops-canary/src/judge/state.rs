use noops_core::{Share, Timestamp};
use serde::{Deserialize, Serialize};

use super::measure::{Measure, Threshold};
use super::metric_spec::{MetricKind, MetricSpec};
use super::observation::SliceValue;
use super::slices::Slices;
use super::spec::JudgeSpec;
use super::units::{UnitTable, Units};
use super::{Counts, Judge};
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::sequential::RateComparison;
use crate::shadow::PairedLoss;

/// What has been seen of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct MetricState {
    pub(super) measure: Measure,
    threshold: Option<Threshold>,
    per_request: bool,
    missing_champion: u64,
    missing_challenger: u64,
    /// The first value, and whether another has been seen.
    first: Option<f64>,
    varies: bool,
    /// Over all the challenger's requests, judged or not: bad events, and the sum of the values.
    spent_events: u64,
    spent_sum: f64,
}

impl MetricState {
    pub(super) fn new(spec: &MetricSpec) -> Result<Self, CanaryError> {
        Ok(Self {
            measure: Measure::new(spec)?,
            threshold: Threshold::of(spec.kind()),
            per_request: spec.is_per_request(),
            missing_champion: 0,
            missing_challenger: 0,
            first: None,
            varies: false,
            spent_events: 0,
            spent_sum: 0.0,
        })
    }

    pub(super) fn is_per_request(&self) -> bool {
        self.per_request
    }

    /// Takes a value of a request, whether it will be judged or not, and turns it into what is judged.
    #[inline]
    pub(super) fn receive(&mut self, arm: Arm, value: Option<f64>) -> Option<f64> {
        let Some(value) = value else {
            let missing = match arm {
                Arm::Champion => &mut self.missing_champion,
                Arm::Challenger => &mut self.missing_challenger,
            };
            *missing = missing.saturating_add(1);
            return None;
        };
        match self.first {
            None => self.first = Some(value),
            Some(first) => self.varies |= first != value,
        }
        let value = match &mut self.threshold {
            None => value,
            Some(threshold) => threshold.exceeds(arm, value)?,
        };
        if arm == Arm::Challenger {
            // Finite, so that it can be stored.
            self.spent_sum = (self.spent_sum + value).clamp(f64::MIN, f64::MAX);
            self.spent_events = self.spent_events.saturating_add(u64::from(value != 0.0));
        }
        Some(value)
    }

    #[inline]
    pub(super) fn judge(&mut self, arm: Arm, theta: f64, value: Option<f64>) {
        if let Some(value) = value {
            self.measure.add(arm, theta, value);
        }
    }

    pub(super) fn is_of_events(&self) -> bool {
        matches!(self.measure, Measure::Events(_))
    }

    pub(super) fn event(&mut self, arm: Arm, share: Share) {
        self.varies = true;
        if arm == Arm::Challenger {
            self.spent_events = self.spent_events.saturating_add(1);
        }
        self.measure.add(arm, share.ratio(), 1.0);
    }

    pub(super) fn paired_mut(&mut self) -> Option<&mut PairedLoss> {
        self.measure.paired_mut()
    }

    /// Whether all values seen so far are one and the same.
    pub(super) fn is_constant(&self) -> bool {
        self.per_request && !self.varies
    }

    pub(super) fn missing(&self, arm: Arm) -> u64 {
        match arm {
            Arm::Champion => self.missing_champion,
            Arm::Challenger => self.missing_challenger,
        }
    }

    pub(super) fn spent_events(&self) -> u64 {
        self.spent_events
    }

    pub(super) fn spent_sum(&self) -> f64 {
        self.spent_sum
    }

    pub(super) fn threshold(&self) -> Option<f64> {
        self.threshold.as_ref().and_then(Threshold::value)
    }

    /// Whether this is the state of such a metric.
    fn fits(&self, spec: &MetricSpec) -> bool {
        let threshold = matches!(
            spec.kind(),
            MetricKind::Above { .. } | MetricKind::Tail { .. }
        );
        let finite = self.first.is_none_or(f64::is_finite) && self.spent_sum.is_finite();
        finite
            && fits(&self.measure, spec)
            && self.per_request == spec.is_per_request()
            && self.threshold.is_some() == threshold
            && self
                .threshold
                .as_ref()
                .is_none_or(|threshold| threshold.fits(spec.kind()))
    }
}

/// Whether a measure is of a metric's kind.
pub(super) fn fits(measure: &Measure, spec: &MetricSpec) -> bool {
    match (measure, spec.kind()) {
        (
            Measure::Rate(_),
            MetricKind::Rate | MetricKind::Above { .. } | MetricKind::Tail { .. },
        )
        | (Measure::Events(_), MetricKind::Events) => true,
        (Measure::Mean(mean), MetricKind::Mean { lower, upper }) => {
            mean.lower() == *lower && mean.width() == upper - lower
        }
        (Measure::Paired(loss), MetricKind::Paired(settings)) => loss.settings() == settings,
        _ => false,
    }
}

/// What is stored of a judge, before it is checked.
#[derive(Serialize, Deserialize)]
pub(super) struct RawJudge {
    spec: JudgeSpec,
    metrics: Vec<MetricState>,
    slices: Slices,
    units: Option<UnitTable>,
    traffic: RateComparison,
    counts: Counts,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
}

impl TryFrom<RawJudge> for Judge {
    type Error = CanaryError;

    fn try_from(raw: RawJudge) -> Result<Self, CanaryError> {
        let refuse = |reason| CanaryError::State {
            state: "judge",
            reason,
        };
        let specs = raw.spec.metrics();
        let same = specs.len() == raw.metrics.len()
            && raw
                .metrics
                .iter()
                .zip(specs)
                .all(|(state, spec)| state.fits(spec));
        if !same {
            return Err(refuse("its metrics are not those of its specification"));
        }
        if !raw.slices.fit(&raw.spec) {
            return Err(refuse("its slices are not those of its specification"));
        }
        let remembered = match raw.spec.units() {
            Units::Independent => None,
            Units::Sticky(remembered) => Some(remembered),
        };
        if raw.units.as_ref().map(UnitTable::limit) != remembered {
            return Err(refuse(
                "its memory of units is not that of its specification",
            ));
        }
        if raw.first_at > raw.last_at {
            return Err(refuse("its first request came after its last"));
        }
        Ok(Self {
            scratch: Vec::with_capacity(raw.metrics.len()),
            spec: raw.spec,
            metrics: raw.metrics,
            slices: raw.slices,
            units: raw.units,
            traffic: raw.traffic,
            counts: raw.counts,
            first_at: raw.first_at,
            last_at: raw.last_at,
        })
    }
}

impl From<Judge> for RawJudge {
    fn from(judge: Judge) -> Self {
        Self {
            spec: judge.spec,
            metrics: judge.metrics,
            slices: judge.slices,
            units: judge.units,
            traffic: judge.traffic,
            counts: judge.counts,
            first_at: judge.first_at,
            last_at: judge.last_at,
        }
    }
}

impl SliceValue {
    /// A value beyond those that are slices of their own.
    pub(super) const BEYOND: Self = Self(u32::MAX);
}
