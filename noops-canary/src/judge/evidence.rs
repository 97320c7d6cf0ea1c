use noops_core::Alpha;

use super::judgement::{Estimate, Scale};
use super::measure::Measure;
use super::metric_spec::MetricSpec;
use super::tolerance::Tolerance;
use crate::direction::Direction;
use crate::interval::Interval;

/// The estimate of a metric on the scale of its margin, with an interval each end of which is a bound at `alpha`, valid at every look.
pub(super) fn estimate(metric: &MetricSpec, measure: &Measure, alpha: Alpha) -> Estimate {
    let relative = metric.margin().relative_part().is_some();
    let by_ratio = relative || metric.margin().is_none();
    let (scale, value, interval) = match measure {
        Measure::Rate(rate) if by_ratio => {
            let events = rate.comparison();
            let interval = Interval::between(events.lower_bound(alpha), events.upper_bound(alpha));
            (Scale::Ratio, events.rate_ratio(), interval)
        }
        Measure::Rate(rate) => {
            let rates = rate.rates();
            let interval = Interval::between(rates.lower_bound(alpha), rates.upper_bound(alpha));
            (Scale::Difference, rates.difference(), interval)
        }
        Measure::Events(events) => {
            let interval = Interval::between(events.lower_bound(alpha), events.upper_bound(alpha));
            (Scale::Ratio, events.rate_ratio(), interval)
        }
        Measure::Mean(mean) if relative => (Scale::Ratio, mean.ratio(), mean.ratio_bounds(alpha)),
        Measure::Mean(mean) => {
            let interval = Interval::between(mean.lower_bound(alpha), mean.upper_bound(alpha));
            (Scale::Difference, mean.difference(), interval)
        }
        Measure::Paired(loss) => (
            Scale::Difference,
            loss.mean_difference(),
            Interval::UNBOUNDED,
        ),
    };
    Estimate::new(scale, value, interval)
}

/// The value on the scale of the estimate at which a candidate is just too bad.
pub(super) fn limit(
    metric: &MetricSpec,
    measure: &Measure,
    tolerance: &Tolerance,
    scale: Scale,
) -> Option<f64> {
    if let Some(loss) = measure.paired() {
        return Some(loss.settings().margin());
    }
    match scale {
        Scale::Ratio => tolerance.ratio(metric.direction()),
        Scale::Difference => tolerance
            .absolute_part()
            .map(|amount| metric.direction().harm_sign() * amount),
    }
}

/// The smallest margin, on the scale of the estimate, that would have been proven: the far end of the interval, unless that lies where
/// intervals are cut off.
pub(super) fn provable_margin(
    metric: &MetricSpec,
    measure: &Measure,
    estimate: &Estimate,
) -> Option<f64> {
    let interval = estimate.interval();
    let end = match metric.direction() {
        Direction::LowerIsBetter => interval.upper(),
        Direction::HigherIsBetter => interval.lower(),
    };
    let cut_off = match (estimate.scale(), measure) {
        (Scale::Ratio, _) => !(0.0 < end && end < WIDEST_RATIO),
        (Scale::Difference, Measure::Mean(mean)) => end.abs() >= mean.width(),
        (Scale::Difference, _) => end.abs() >= 1.0,
    };
    Some(end).filter(|_| !cut_off)
}

/// Where the interval of a ratio of means ends at the latest.
const WIDEST_RATIO: f64 = 1000.0;
