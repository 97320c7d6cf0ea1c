use noops_core::{Probability, Share, Timestamp};

use super::*;
use crate::direction::Direction;
use crate::rollout::OnInconclusive;
use crate::simulation::Random;

mod alarms;
mod bad_input;
mod explanation;
mod forecasts;
mod kinds;
mod paired;
mod slices;
mod stored;
mod verdicts;

fn share(ratio: f64) -> Share {
    Share::from_ratio(ratio).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn half_more() -> Tolerance {
    Tolerance::relative(0.5).unwrap()
}

fn errors() -> MetricSpec {
    MetricSpec::new("errors", MetricKind::Rate).with_margin(half_more())
}

/// A specification for requests that are each assigned by themselves.
fn spec(metrics: impl IntoIterator<Item = MetricSpec>) -> JudgeSpec {
    JudgeSpec::new(metrics)
        .unwrap()
        .with_units(Units::Independent)
}

fn judge(metrics: impl IntoIterator<Item = MetricSpec>) -> Judge {
    Judge::new(spec(metrics)).unwrap()
}

fn flag(is: bool) -> Option<f64> {
    Some(f64::from(u8::from(is)))
}

/// Shows requests one a second, every second one the challenger's, each with the values that `values` has for it.
fn alternate<const N: usize>(
    judge: &mut Judge,
    requests: u64,
    values: impl Fn(u64, Arm) -> [Option<f64>; N],
) {
    let start = judge.requests(Arm::Champion) + judge.requests(Arm::Challenger);
    for request in start..start + requests {
        let arm = if request % 2 == 0 {
            Arm::Champion
        } else {
            Arm::Challenger
        };
        let values = values(request, arm);
        let second = at(i64::try_from(request).unwrap());
        let observation =
            Observation::new(second, Unit::of_number(request), arm, share(0.5), &values);
        judge.observe(&observation).unwrap();
    }
}

/// One failure in `champion` requests of the champion, one in `challenger` of the challenger.
fn failing(champion: u64, challenger: u64) -> impl Fn(u64, Arm) -> [Option<f64>; 1] {
    move |request, arm| {
        let every = match arm {
            Arm::Champion => champion,
            Arm::Challenger => challenger,
        };
        [flag((request / 2) % every == 0)]
    }
}

fn rolled_back(cause: Cause) -> Verdict {
    Verdict::RollBack { because: cause }
}
