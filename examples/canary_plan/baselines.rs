//! What is known of the champion, as it is written on a command line.

use std::collections::BTreeMap;

use noops_canary::judge::{JudgeSpec, MetricKind, MetricSpec};
use noops_canary::planning::Baseline;
use noops_core::Probability;

use crate::failure::{Failure, fail};
use crate::shares::ratio;
use crate::words::printable;

/// A baseline for every metric of the specification.
pub(crate) fn parse(
    given: &[String],
    spec: &JudgeSpec,
) -> Result<BTreeMap<String, Baseline>, Failure> {
    let mut baselines = BTreeMap::new();
    for text in given {
        // No value has this sign, but a name may.
        let (name, value) = text
            .rsplit_once('=')
            .ok_or_else(|| fail(format!("baseline `{text}` has no `=`; write `NAME=VALUE`")))?;
        let metric = spec
            .metrics()
            .iter()
            .find(|metric| metric.name() == name)
            .ok_or_else(|| {
                fail(format!(
                    "baseline `{text}` is of metric `{name}`, which the specification does not have; it has {}",
                    names(spec)
                ))
            })?;
        if let MetricKind::Tail { .. } = metric.kind() {
            return Err(fail(format!(
                "baseline `{text}` is of a tail quantile, which is exceeded as often as it says; leave it out"
            )));
        }
        let baseline = of(metric, value.trim()).ok_or_else(|| {
            fail(format!(
                "baseline `{text}` is not {}",
                form(metric.kind()).replace("{}", name)
            ))
        })?;
        if baselines.insert(name.to_owned(), baseline).is_some() {
            return Err(fail(format!(
                "metric `{name}` has two baselines; give it one"
            )));
        }
    }
    for metric in spec.metrics() {
        let name = metric.name();
        if let MetricKind::Tail { quantile, .. } = metric.kind() {
            baselines.insert(name.to_owned(), Baseline::Rate(quantile.complement()));
        } else if !baselines.contains_key(name) {
            let name = printable(name);
            return Err(fail(format!(
                "metric `{name}` has no baseline; add `--baseline` with {}",
                form(metric.kind()).replace("{}", &name)
            )));
        }
    }
    Ok(baselines)
}

fn of(metric: &MetricSpec, value: &str) -> Option<Baseline> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    match metric.kind() {
        MetricKind::Rate | MetricKind::Events | MetricKind::Above { .. } => {
            Some(Baseline::Rate(Probability::new(ratio(value)?).ok()?))
        }
        MetricKind::Mean { .. } => {
            let (mean, spread) = value.split_once(['±', ':'])?;
            Some(Baseline::Mean {
                mean: number(mean)?,
                standard_deviation: number(spread)?,
            })
        }
        MetricKind::Paired(_) => {
            let (spread, pairs) = value.split_once('@')?;
            Some(Baseline::Paired {
                standard_deviation: number(spread)?,
                pairs_per_block: number(pairs)?,
            })
        }
        _ => None,
    }
}

/// How a baseline of such a metric is written, with a place for the name.
fn form(kind: &MetricKind) -> &'static str {
    match kind {
        MetricKind::Mean { .. } => {
            "a mean and the standard deviation of one value, such as `{}=200±80` or `{}=200:80`"
        }
        MetricKind::Paired(_) => {
            "the standard deviation of a block's mean difference and the pairs of a block, such as `{}=0.03@50`"
        }
        _ => "a rate from 0 to 1, such as `{}=0.02` or `{}=2%`",
    }
}

fn names(spec: &JudgeSpec) -> String {
    let names = spec.metrics().iter();
    let names = names.map(|metric| format!("`{}`", printable(metric.name())));
    names.collect::<Vec<_>>().join(", ")
}
