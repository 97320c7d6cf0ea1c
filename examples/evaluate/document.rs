//! The comparison as one JSON object, whose keys are a promise to programs that read it.

use std::collections::BTreeMap;

use noops_canary::Interval;
use noops_canary::offline::fairness::{
    DisparityEstimate, FourFifthsVerdict, GroupMetric, GroupSummary,
};
use noops_canary::offline::{
    CriterionResult, GateVerdict, OfflineVerdict, SliceComparison, SliceReport,
};
use serde::Serialize;

use crate::compare::{self, Compared};
use crate::failure::{Failure, fail};
use crate::fair::{self, SHOWN};

/// What is said of two models.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    verdict: GateVerdict,
    because: String,
    rows: u64,
    positives: u64,
    metrics: Vec<Metric>,
    slices: Vec<Slices<'a>>,
    fairness: Vec<Fairness<'a>>,
    criteria: Vec<Criterion<'a>>,
}

impl<'a> Document<'a> {
    pub(crate) fn of(compared: &'a Compared) -> Self {
        Self {
            verdict: compared.gate.verdict(),
            because: compared.gate.explain(),
            rows: compared.rows,
            positives: compared.positives,
            metrics: compared.metrics.iter().map(Metric::of).collect(),
            slices: compared
                .slices
                .iter()
                .map(|(column, report)| Slices::of(column, report))
                .collect(),
            fairness: compared.fairness.iter().map(Fairness::of).collect(),
            criteria: compared.gate.results().iter().map(Criterion::of).collect(),
        }
    }

    pub(crate) fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self)
            .map_err(|error| fail(format!("cannot write the comparison as JSON: {error}")))
    }
}

/// A number with its ends; what is unknown or unbounded is null.
#[derive(Debug, Default, Serialize)]
struct Estimate {
    value: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
}

impl Estimate {
    fn new(value: Option<f64>, interval: Option<Interval>) -> Self {
        let finite = |number: &f64| number.is_finite();
        Self {
            value: value.filter(finite),
            lower: interval.map(|interval| interval.lower()).filter(finite),
            upper: interval.map(|interval| interval.upper()).filter(finite),
        }
    }

    fn of(measured: &compare::Measured) -> Self {
        Self::new(measured.value, measured.interval)
    }
}

/// One metric; differences are the candidate's value less the champion's.
#[derive(Debug, Serialize)]
struct Metric {
    name: &'static str,
    method: &'static str,
    champion: Estimate,
    candidate: Estimate,
    difference: Estimate,
    p_value: Option<f64>,
}

impl Metric {
    fn of(metric: &compare::Metric) -> Self {
        Self {
            name: metric.name,
            method: metric.method,
            champion: Estimate::of(&metric.champion),
            candidate: Estimate::of(&metric.candidate),
            difference: Estimate::of(&metric.difference),
            p_value: metric.p_value,
        }
    }
}

/// The difference in log loss in every group of a column.
#[derive(Debug, Serialize)]
struct Slices<'a> {
    column: &'a str,
    verdict: OfflineVerdict,
    slices: Vec<Slice<'a>>,
}

#[derive(Debug, Serialize)]
struct Slice<'a> {
    value: &'a str,
    rows: u64,
    difference: Estimate,
    margin: f64,
    adjusted_p_value: f64,
    verdict: OfflineVerdict,
}

impl<'a> Slices<'a> {
    fn of(column: &'a str, report: &'a SliceReport) -> Self {
        Self {
            column,
            verdict: report.verdict(),
            slices: report.slices().iter().map(Slice::of).collect(),
        }
    }
}

impl<'a> Slice<'a> {
    fn of(slice: &'a SliceComparison) -> Self {
        let comparison = slice.comparison();
        Self {
            value: slice.slice(),
            rows: comparison.n(),
            difference: Estimate::new(Some(comparison.mean_difference()), comparison.interval()),
            margin: comparison.margin(),
            adjusted_p_value: slice.adjusted_p_value(),
            verdict: slice.verdict(),
        }
    }
}

/// What each group gets.
#[derive(Debug, Serialize)]
struct Fairness<'a> {
    by: &'a str,
    groups: Vec<Group<'a>>,
    disparities: Vec<Disparity>,
    four_fifths: FourFifthsVerdict,
}

#[derive(Debug, Serialize)]
struct Group<'a> {
    name: &'a str,
    rows: u64,
    champion: BTreeMap<&'static str, f64>,
    candidate: BTreeMap<&'static str, f64>,
    four_fifths: Option<FourFifthsVerdict>,
}

#[derive(Debug, Serialize)]
struct Disparity {
    name: &'static str,
    champion: Estimate,
    candidate: Estimate,
}

impl<'a> Fairness<'a> {
    fn of(fairness: &'a fair::Fairness) -> Self {
        let groups = fairness.champion.groups().iter();
        let groups = groups.zip(fairness.candidate.groups());
        let impacts = fairness.four_fifths.groups();
        let disparities = SHOWN.into_iter().map(|(name, disparity)| Disparity {
            name,
            champion: of_disparity(fairness.champion.disparity(disparity())),
            candidate: of_disparity(fairness.candidate.disparity(disparity())),
        });
        Self {
            by: fairness.name(),
            groups: groups
                .map(|(champion, candidate)| Group {
                    name: candidate.name(),
                    rows: candidate.rows(),
                    champion: measured(champion),
                    candidate: measured(candidate),
                    four_fifths: impacts
                        .iter()
                        .find(|impact| impact.selection().group() == candidate.name())
                        .map(|impact| impact.verdict()),
                })
                .collect(),
            disparities: disparities.collect(),
            four_fifths: fairness.four_fifths.verdict(),
        }
    }
}

fn of_disparity(disparity: Option<DisparityEstimate>) -> Estimate {
    disparity.map_or_else(Estimate::default, |disparity| {
        Estimate::new(Some(disparity.value()), disparity.interval())
    })
}

fn measured(group: &GroupSummary) -> BTreeMap<&'static str, f64> {
    let all = GroupMetric::ALL.into_iter();
    all.filter_map(|metric| Some((metric.name(), group.value(metric)?)))
        .collect()
}

/// What was asked of the candidate, and whether it holds.
#[derive(Debug, Serialize)]
struct Criterion<'a> {
    name: &'a str,
    verdict: GateVerdict,
    finding: String,
}

impl<'a> Criterion<'a> {
    fn of(result: &'a CriterionResult) -> Self {
        Self {
            name: result.criterion().name(),
            verdict: result.verdict(),
            finding: result.to_string(),
        }
    }
}
