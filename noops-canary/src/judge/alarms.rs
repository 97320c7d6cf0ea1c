use noops_core::{Alpha, LogE};
use noops_stats::e_benjamini_hochberg;

use super::Judge;
use super::measure::Measure;
use super::metric_spec::{Criticality, MetricSpec, Role};
use super::slices::Slice;
use super::verdict::Cause;
use crate::sequential::log_sum_exp;

/// Evidence of harm with the error rate it is held against: one critical metric, or a group of others.
pub(super) struct Alarm<'a> {
    /// Of the metric, where it is the only one; else of the group.
    name: &'a str,
    group: &'a str,
    critical: bool,
    alpha: Alpha,
    evidence: LogE,
    members: usize,
}

impl<'a> Alarm<'a> {
    /// The alarm that a metric's harm counts for.
    fn around(judge: &'a Judge, metric: &'a MetricSpec) -> Self {
        let mut alarm = Self {
            name: metric.name(),
            group: metric.group(),
            critical: metric.criticality() == Criticality::Critical,
            alpha: metrics_alpha(judge),
            evidence: LogE::default(),
            members: 0,
        };
        let members: Vec<_> = harmful(judge)
            .filter(|(member, _)| alarm.covers(member))
            .collect();
        let weight: f64 = members.iter().map(|(member, _)| member.weight()).sum();
        let of_all: f64 = harmful(judge).map(|(member, _)| member.weight()).sum();
        alarm.members = members.len();
        // In range: a share of an error rate.
        alarm.alpha = Alpha::new(alarm.alpha.get() * weight / of_all).unwrap_or(alarm.alpha);
        alarm.evidence = match members.as_slice() {
            [(member, state)] => state.measure.worse(member.direction(), member.harm(), 1.0),
            several => LogE::new(log_sum_exp(several.iter().map(|(member, state)| {
                let evidence = match state.measure.paired() {
                    // An average is only an e-process of evidence as it stands now, not of the largest it ever was.
                    Some(loss) => loss.worse_now(),
                    None => state.measure.worse(member.direction(), member.harm(), 1.0),
                };
                evidence.get() + libm::log(member.weight() / weight)
            }))),
        };
        alarm
    }

    pub(super) fn rings(&self) -> bool {
        self.evidence.rejects(self.alpha)
    }

    pub(super) fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// Whether a metric's harm counts here.
    pub(super) fn covers(&self, metric: &MetricSpec) -> bool {
        match metric.criticality() {
            _ if metric.role() == Role::Watched => false,
            Criticality::Critical => self.critical && self.name == metric.name(),
            Criticality::Normal => !self.critical && self.group == metric.group(),
        }
    }

    fn cause(&self) -> Cause {
        // A group of one is that one.
        if self.members == 1 {
            Cause::Metric(self.name.to_owned())
        } else {
            Cause::Group(self.group.to_owned())
        }
    }
}

/// Every alarm of a judge, in the order of its metrics.
pub(super) fn alarms(judge: &Judge) -> Vec<Alarm<'_>> {
    let mut alarms: Vec<Alarm<'_>> = Vec::new();
    for (metric, _) in harmful(judge) {
        if !alarms.iter().any(|alarm| alarm.covers(metric)) {
            alarms.push(Alarm::around(judge, metric));
        }
    }
    alarms
}

/// The first alarm that rings: of the metrics, then of the slices.
pub(super) fn harm(judge: &Judge) -> Option<Cause> {
    let of_metrics = alarms(judge).into_iter().find(Alarm::rings);
    of_metrics.map(|alarm| alarm.cause()).or_else(|| {
        let tests = slice_tests(judge);
        let rejected = tests.into_iter().find(|test| test.rejected)?;
        Some(Cause::Slice {
            metric: rejected.metric.name().to_owned(),
            column: judge.spec().slices().get(rejected.slice.column())?.clone(),
            value: rejected.slice.value().to_owned(),
        })
    })
}

/// The evidence of harm on one metric in one slice.
pub(super) struct SliceTest<'a> {
    /// How many slices came before.
    place: usize,
    pub(super) slice: &'a Slice,
    pub(super) metric: &'a MetricSpec,
    pub(super) measure: &'a Measure,
    pub(super) evidence: LogE,
    pub(super) rejected: bool,
}

/// Every metric of every slice, judged together by e-BH, weighted.
///
/// Slices turn up while the judge runs. Were each given an equal part of however many there are, every newcomer would be a fresh
/// chance of a false alarm. The weights are those of an endless list instead, in the order of arrival, and sum to one: an average with
/// these weights is one e-process over all that will ever come, and e-BH rejects nothing before it reaches `1 / alpha`.
pub(super) fn slice_tests(judge: &Judge) -> Vec<SliceTest<'_>> {
    let spec = judge.spec();
    let mut tests: Vec<SliceTest<'_>> = Vec::new();
    for (place, slice) in judge.slices.iter().enumerate() {
        for (metric, measure) in slice.metrics(spec) {
            if metric.role() != Role::Watched {
                tests.push(SliceTest {
                    place,
                    slice,
                    metric,
                    measure,
                    evidence: measure.worse(metric.direction(), metric.harm(), 1.0),
                    rejected: false,
                });
            }
        }
    }
    if let Some(alpha) = slices_alpha(judge) {
        let count = tests.len() as f64;
        let per_slice = tests.iter().filter(|test| test.place == 0).count();
        let evidence: Vec<LogE> = tests
            .iter()
            .map(|test| {
                let weight = weight_of_slice(test.place) / per_slice as f64;
                LogE::new(test.evidence.get() + libm::log(count * weight))
            })
            .collect();
        let rejected = e_benjamini_hochberg(&evidence, alpha);
        for (test, rejected) in tests.iter_mut().zip(rejected) {
            test.rejected = rejected;
        }
    }
    tests
}

/// The part of the error rate of a rollback that the metrics have: half of it where there are slices.
pub(super) fn metrics_alpha(judge: &Judge) -> Alpha {
    slices_alpha(judge).unwrap_or(judge.spec().alpha_rollback())
}

/// The part that the slices have.
pub(super) fn slices_alpha(judge: &Judge) -> Option<Alpha> {
    let spec = judge.spec();
    let half = std::num::NonZeroUsize::MIN.saturating_add(1);
    (!spec.slices().is_empty()).then(|| spec.alpha_rollback().split(half))
}

fn harmful(judge: &Judge) -> impl Iterator<Item = (&MetricSpec, &super::state::MetricState)> {
    let metrics = judge.spec().metrics().iter().zip(&judge.metrics);
    metrics.filter(|(metric, _)| metric.role() != Role::Watched)
}

/// The part of the slices' error rate for one slice: `8 / ((n + 7)(n + 8))` for the nth, which sums to one without an end.
///
/// The first eight get from a ninth down to a thirtieth.
fn weight_of_slice(place: usize) -> f64 {
    let first = place as f64 + EVEN_SLICES;
    EVEN_SLICES / (first * (first + 1.0))
}

const EVEN_SLICES: f64 = 8.0;

#[cfg(test)]
mod tests {
    use super::weight_of_slice;

    #[test]
    fn the_weights_of_the_slices_sum_to_one_and_never_to_more() {
        let sum: f64 = (0..100_000).map(weight_of_slice).sum();
        // What is left after n slices is 8 / (n + 8).
        assert!((sum + 8.0 / 100_008.0 - 1.0).abs() < 1e-12, "{sum}");
    }
}
