//! Requests with ten metrics, as a judge gets them.

use std::error::Error;

use noops_benches::SplitMix64;
use noops_canary::judge::{MetricKind, MetricSpec, Tolerance, Unit};
use noops_canary::{Arm, Direction};
use noops_core::{Probability, Share, Timestamp};

/// One request, in the form in which it is observed.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) at: Timestamp,
    pub(crate) unit: Unit,
    pub(crate) arm: Arm,
    pub(crate) share: Share,
    pub(crate) values: [Option<f64>; METRICS],
}

/// Four rates, five means and a tail, each a guardrail.
pub(crate) fn metrics() -> Result<Vec<MetricSpec>, Box<dyn Error>> {
    let guardrail = |name: String, kind: MetricKind, margin: f64| {
        let margin = Tolerance::relative(margin)?;
        Ok::<_, Box<dyn Error>>(MetricSpec::new(name, kind).with_margin(margin))
    };
    let mut metrics = Vec::with_capacity(METRICS);
    for place in 0..RATES.len() {
        metrics.push(guardrail(format!("rate-{place}"), MetricKind::Rate, 0.5)?);
    }
    for (place, upper) in UPPERS.into_iter().enumerate() {
        let kind = MetricKind::Mean { lower: 0.0, upper };
        let mean = guardrail(format!("mean-{place}"), kind, 0.1)?;
        metrics.push(if place == 0 {
            mean.with_direction(Direction::HigherIsBetter)
        } else {
            mean
        });
    }
    let tail = MetricKind::Tail {
        quantile: Probability::new(0.95)?,
        learn_from: 1_000,
    };
    metrics.push(guardrail("tail".to_owned(), tail, 0.25)?);
    Ok(metrics)
}

/// Requests of one unit each, numbered from `first` on, while `share` is in force. The candidate is a little better.
pub(crate) fn requests(
    first: u64,
    count: usize,
    share: Share,
) -> Result<Vec<Request>, Box<dyn Error>> {
    let mut generator = SplitMix64::new(first);
    (first..)
        .take(count)
        .map(|number| {
            let arm = if generator.next_f64() < share.ratio() {
                Arm::Challenger
            } else {
                Arm::Champion
            };
            Ok(Request {
                at: Timestamp::from_second(i64::try_from(number / 100)?)?,
                unit: Unit::of_number(number),
                arm,
                share,
                values: values(arm, &mut generator),
            })
        })
        .collect()
}

fn values(arm: Arm, generator: &mut SplitMix64) -> [Option<f64>; METRICS] {
    let badness = match arm {
        Arm::Champion => 1.0,
        Arm::Challenger => 0.97,
    };
    let rates = RATES.map(|rate| f64::from(u8::from(generator.next_f64() < rate * badness)));
    // Of the first mean, more is better.
    let goods = [1.0 / badness, badness, badness, badness, badness];
    let means = goods
        .into_iter()
        .zip(UPPERS)
        .map(|(factor, upper)| 0.5 * factor * upper * generator.next_f64())
        .collect::<Vec<_>>();
    let latency = 1_000.0 * badness * generator.next_f64();
    let mut all = rates.into_iter().chain(means).chain([latency]);
    std::array::from_fn(|_| all.next())
}

pub(crate) const METRICS: usize = 10;
const RATES: [f64; 4] = [0.5, 0.1, 0.05, 0.01];
const UPPERS: [f64; 5] = [1.0, 1.0, 10.0, 100.0, 1_000.0];
