//! What is asked for, checked against the specification.

use std::collections::BTreeMap;

use noops_canary::judge::{JudgeSpec, MetricKind, MetricSpec, Role};
use noops_canary::planning::{Baseline, RampSettings};
use noops_core::Share;

use crate::Arguments;
use crate::failure::{Failure, fail};
use crate::{baselines, shares};

/// The question that a plan answers.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) per_second: f64,
    pub(crate) shares: Vec<Share>,
    /// How long each stage lasts.
    pub(crate) minutes: Option<f64>,
    /// How many times worse a candidate is that should be found.
    pub(crate) effect: f64,
    /// Of every metric.
    pub(crate) baselines: BTreeMap<String, Baseline>,
    pub(crate) ramp: Option<AskedRamp>,
}

/// A ramp to be suggested.
#[derive(Debug)]
pub(crate) struct AskedRamp {
    pub(crate) metric: String,
    pub(crate) baseline: Baseline,
    /// How long each stage lasts.
    pub(crate) minutes: Vec<f64>,
    pub(crate) settings: RampSettings,
}

impl Asked {
    pub(crate) fn of(arguments: &Arguments, spec: &JudgeSpec) -> Result<Self, Failure> {
        let per_second = in_range("--rate", arguments.rate, 0.0, MOST_PER_SECOND)?;
        let shares = shares::parse(&arguments.stages)?;
        let minutes = arguments
            .minutes
            .map(|minutes| in_range("--minutes", minutes, 0.0, MOST_MINUTES))
            .transpose()?;
        let effect = in_range("--effect", arguments.effect, 1.0, MOST_TIMES_WORSE)?;
        let baselines = baselines::parse(&arguments.baselines, spec)?;
        let mut asked = Self {
            per_second,
            shares,
            minutes,
            effect,
            baselines,
            ramp: None,
        };
        if let Some((budget, minutes)) = arguments.bad_events_budget.zip(minutes) {
            let budget = in_range("--bad-events-budget", budget, 0.0, MOST_BAD_EVENTS)?;
            asked.ramp = Some(asked.ramp_of(arguments, spec, budget, minutes)?);
        }
        Ok(asked)
    }

    fn ramp_of(
        &self,
        arguments: &Arguments,
        spec: &JudgeSpec,
        budget: f64,
        minutes: f64,
    ) -> Result<AskedRamp, Failure> {
        let metric = match &arguments.ramp_by {
            None => spec
                .metrics()
                .iter()
                .find(|metric| counts_bad_events(metric))
                .ok_or_else(|| {
                    fail("no metric of the specification counts bad events and is acted on; leave `--bad-events-budget` out")
                })?,
            Some(name) => spec
                .metrics()
                .iter()
                .find(|metric| metric.name() == name)
                .ok_or_else(|| {
                    fail(format!(
                        "`--ramp-by` names metric `{name}`, which the specification does not have"
                    ))
                })?,
        };
        let name = metric.name();
        let baseline = self.baselines.get(name).copied();
        let baseline = baseline.filter(|_| counts_bad_events(metric)).ok_or_else(|| {
            fail(format!(
                "`--ramp-by` names metric `{name}`, which counts no bad events or is only watched; name one that is acted on and counts them"
            ))
        })?;
        let settings = RampSettings::new(self.effect, budget);
        let settings = match self.shares.last() {
            Some(last) => settings.with_largest_share(*last),
            None => settings,
        };
        Ok(AskedRamp {
            metric: name.to_owned(),
            baseline,
            minutes: vec![minutes; self.shares.len()],
            settings,
        })
    }
}

fn counts_bad_events(metric: &MetricSpec) -> bool {
    let counted = matches!(
        metric.kind(),
        MetricKind::Rate | MetricKind::Events | MetricKind::Above { .. } | MetricKind::Tail { .. }
    );
    counted && metric.role() != Role::Watched
}

fn in_range(option: &str, number: f64, above: f64, most: f64) -> Result<f64, Failure> {
    if number > above && number <= most {
        return Ok(number);
    }
    Err(fail(format!(
        "`{option}` is `{number}`; give a number above {above} and at most {most}"
    )))
}

const MOST_PER_SECOND: f64 = 1e9;
/// Ten years.
const MOST_MINUTES: f64 = 5_256_000.0;
/// What the library plans for.
const MOST_TIMES_WORSE: f64 = 1000.0;
const MOST_BAD_EVENTS: f64 = 1e12;
