use std::num::NonZeroUsize;

use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::disparity::{Baseline, Disparity, DisparityEstimate, OddsAggregate, Shape};
use super::four_fifths::Selection;
use super::group_metric::GroupMetric;
use super::groups::Groups;
use super::measure::Measure;
use super::predictions::Predictions;
use super::settings::FairnessSettings;
use crate::error::CanaryError;
use crate::interval::Interval;
use crate::offline::check::check_length;

/// Metrics by group and over all rows, and every disparity between the groups.
///
/// # Numerical notes
///
/// Rows are taken as independent. The interval of a group's rate is Wilson's, of a mean Student's, of an area DeLong's on the scale of
/// log-odds, of the balanced accuracy Zou and Donner's from two Wilson intervals; F1 and R² have none
/// ([`compare_disparity`](super::compare_disparity) bootstraps them).
///
/// # Complexity
///
/// O(n) for each metric (O(n log n) at worst for areas).
///
/// # Examples
///
/// ```
/// use noops_canary::offline::fairness::{
///     Disparity, FairnessSettings, GroupMetric, GroupedMetrics, Groups, Predictions,
/// };
/// use noops_core::Alpha;
///
/// let decisions = [true, true, true, false, true, false, false, false];
/// let groups = Groups::of_values(&["a", "a", "a", "a", "b", "b", "b", "b"])?;
/// let metrics = GroupedMetrics::of(
///     &Predictions::decisions(&decisions)?,
///     &groups,
///     &FairnessSettings::default(),
/// )?;
/// let parity = metrics
///     .disparity(Disparity::demographic_parity_difference())
///     .ok_or("it cannot be measured")?;
/// assert_eq!(parity.value(), 0.5);
/// assert!(parity.interval().is_some_and(|interval| interval.contains(0.0)), "eight rows show nothing");
/// let rate = metrics.groups()[0].interval(GroupMetric::SelectionRate, Alpha::FIVE_PERCENT);
/// assert!(rate.is_some_and(|interval| interval.contains(0.5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupedMetrics {
    overall: GroupSummary,
    groups: Vec<GroupSummary>,
    settings: FairnessSettings,
}

impl GroupedMetrics {
    /// Measures every metric that the predictions allow, in every group.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Length`] if predictions and groups have different numbers of rows.
    pub fn of(
        predictions: &Predictions<'_>,
        groups: &Groups,
        settings: &FairnessSettings,
    ) -> Result<Self, CanaryError> {
        check_length("groups", predictions.rows(), groups.rows())?;
        let summary = |name: &str, rows: &[usize]| {
            let measured = predictions.metrics().into_iter().map(|metric| Measured {
                metric,
                measure: predictions.measure(metric, rows),
            });
            GroupSummary {
                name: name.to_owned(),
                rows: rows.len() as u64,
                measured: measured.collect(),
            }
        };
        let all: Vec<usize> = (0..predictions.rows()).collect();
        let members = groups.split(0..groups.rows());
        let named = groups.names().iter().zip(&members);
        Ok(Self {
            overall: summary("overall", &all),
            groups: named.map(|(name, rows)| summary(name, rows)).collect(),
            settings: *settings,
        })
    }

    /// All rows together.
    #[must_use]
    pub fn overall(&self) -> &GroupSummary {
        &self.overall
    }

    /// The groups, in the order of their numbers; small ones and those without rows are reported too.
    #[must_use]
    pub fn groups(&self) -> &[GroupSummary] {
        &self.groups
    }

    /// Which groups are judged, and how sure intervals are.
    #[must_use]
    pub fn settings(&self) -> FairnessSettings {
        self.settings
    }

    /// The judged group in which a metric is least, the first of equals; `None` where it is defined in none.
    #[must_use]
    pub fn group_min(&self, metric: GroupMetric) -> Option<&GroupSummary> {
        self.extreme(metric, |value, best| value < best)
    }

    /// The judged group in which a metric is greatest, the first of equals; `None` where it is defined in none.
    #[must_use]
    pub fn group_max(&self, metric: GroupMetric) -> Option<&GroupSummary> {
        self.extreme(metric, |value, best| value > best)
    }

    /// A disparity over the judged groups; `None` where it cannot be measured.
    ///
    /// # Formula
    ///
    /// Differences between groups: Newcombe's (1998) interval, in the form of Zou and Donner (2008) that takes any metric, of every pair at
    /// `alpha / pairs`; the greatest difference lies between the greatest lower and the greatest upper end. All else: from an interval for each
    /// group (and the overall value) at `alpha` over their number. Equalized odds share `alpha` between both rates.
    ///
    /// # Error rates
    ///
    /// By Bonferroni's inequality all intervals used hold at once with probability `1 - alpha` as far as each has its level, so no choice of the worst groups
    /// after the fact can break it; with many groups it is wide.
    ///
    /// # Complexity
    ///
    /// O(g²) for differences between g groups, else O(g).
    #[must_use]
    pub fn disparity(&self, disparity: Disparity) -> Option<DisparityEstimate> {
        let metrics = disparity.metrics();
        let (mut judged, mut small, mut undefined) = (Vec::new(), Vec::new(), Vec::new());
        let mut names = Vec::new();
        for group in self.groups.iter().filter(|group| group.rows > 0) {
            if !self.settings.judges(group.rows) {
                small.push(group.name.clone());
            } else if metrics.iter().any(|metric| group.value(*metric).is_none()) {
                undefined.push(group.name.clone());
            } else {
                names.push(group.name.clone());
                judged.push(group);
            }
        }
        let alpha = self
            .settings
            .alpha()
            .split(NonZeroUsize::new(metrics.len()).unwrap_or(NonZeroUsize::MIN));
        let (mut values, mut lower, mut upper) = (Vec::new(), Vec::new(), Vec::new());
        for metric in &metrics {
            let measures: Vec<&Measure> = judged
                .iter()
                .filter_map(|group| group.measure(*metric))
                .collect();
            let overall = self.overall.measure(*metric);
            let of_groups: Vec<f64> = measures.iter().filter_map(|m| m.value()).collect();
            let of_all = overall.and_then(Measure::value);
            values.push(disparity.shape().of(&of_groups, of_all)?);
            if let Some(interval) = interval(disparity.shape(), &measures, overall, alpha) {
                lower.push(interval.lower());
                upper.push(interval.upper());
            }
        }
        let known = undefined.is_empty() && lower.len() == metrics.len();
        let interval = disparity
            .combine(&lower)
            .zip(disparity.combine(&upper))
            .map(|(lower, upper)| Interval::between(lower, upper))
            .filter(|_| known);
        Some(DisparityEstimate {
            disparity,
            value: disparity.combine(&values)?,
            interval,
            judged: names,
            small,
            undefined,
        })
    }

    /// Every disparity that fairlearn names, in its order, as far as it can be measured.
    #[must_use]
    pub fn disparities(&self) -> Vec<DisparityEstimate> {
        named().filter_map(|named| self.disparity(named)).collect()
    }

    /// How many each group has, and how many of them were decided positive, for [`four_fifths`](super::four_fifths).
    #[must_use]
    pub fn selections(&self) -> Vec<Selection> {
        let selection = |group: &GroupSummary| {
            let Some(Measure::Share(rate)) = group.measure(GroupMetric::SelectionRate) else {
                return None;
            };
            Selection::new(group.name.as_str(), rate.hits(), rate.rows()).ok()
        };
        self.groups.iter().filter_map(selection).collect()
    }

    fn extreme(
        &self,
        metric: GroupMetric,
        better: impl Fn(f64, f64) -> bool,
    ) -> Option<&GroupSummary> {
        let mut best: Option<(&GroupSummary, f64)> = None;
        for group in &self.groups {
            if let Some(value) = group.value(metric)
                && self.settings.judges(group.rows)
                && best.is_none_or(|(_, best)| better(value, best))
            {
                best = Some((group, value));
            }
        }
        best.map(|(group, _)| group)
    }
}

/// One group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupSummary {
    name: String,
    rows: u64,
    measured: Vec<Measured>,
}

impl GroupSummary {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// A metric; `None` where it was not measured or is undefined.
    #[must_use]
    pub fn value(&self, metric: GroupMetric) -> Option<f64> {
        self.measure(metric)?.value()
    }

    /// The two-sided `1 - alpha` interval of a metric, for this group alone; `None` where none is known.
    #[must_use]
    pub fn interval(&self, metric: GroupMetric, alpha: Alpha) -> Option<Interval> {
        self.measure(metric)?.interval(alpha)
    }

    fn measure(&self, metric: GroupMetric) -> Option<&Measure> {
        let measured = self
            .measured
            .iter()
            .find(|measured| measured.metric == metric);
        measured.map(|measured| &measured.measure)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Measured {
    metric: GroupMetric,
    measure: Measure,
}

/// The interval of the disparity of one metric; `None` where a group has none, or where there is nothing to compare.
fn interval(
    shape: Shape,
    groups: &[&Measure],
    overall: Option<&Measure>,
    alpha: Alpha,
) -> Option<Interval> {
    let parts = match shape {
        _ if groups.len() < 2 => return None,
        Shape::Difference(Baseline::BetweenGroups) => {
            groups.len().saturating_mul(groups.len() - 1) / 2
        }
        Shape::Ratio(Baseline::BetweenGroups) | Shape::Minimum | Shape::Maximum => groups.len(),
        Shape::Difference(Baseline::ToOverall) | Shape::Ratio(Baseline::ToOverall) => {
            groups.len().saturating_add(1)
        }
    };
    let alpha = alpha.split(NonZeroUsize::new(parts)?);
    let bounded: Vec<Bounded> = groups
        .iter()
        .map(|measure| Bounded::of(measure, alpha))
        .collect::<Option<_>>()?;
    let lowers = || bounded.iter().map(|bounded| bounded.interval.lower());
    let uppers = || bounded.iter().map(|bounded| bounded.interval.upper());
    let (least_lower, most_lower) = (lowers().reduce(f64::min)?, lowers().reduce(f64::max)?);
    let (least_upper, most_upper) = (uppers().reduce(f64::min)?, uppers().reduce(f64::max)?);
    let over = |value: f64, divisor: f64| (divisor > 0.0).then(|| (value / divisor).min(1.0));
    let ends = match shape {
        Shape::Minimum => Interval::between(least_lower, least_upper),
        Shape::Maximum => Interval::between(most_lower, most_upper),
        Shape::Difference(Baseline::BetweenGroups) => pairwise(&bounded),
        Shape::Difference(Baseline::ToOverall) => {
            let overall = Bounded::of(overall?, alpha)?.interval;
            let nearest = (most_lower - overall.upper()).max(overall.lower() - least_upper);
            let farthest = (most_upper - overall.lower()).max(overall.upper() - least_lower);
            Interval::between(nearest.max(0.0), farthest.max(0.0))
        }
        Shape::Ratio(_) if least_lower < 0.0 => return None,
        Shape::Ratio(Baseline::BetweenGroups) => {
            let upper = over(least_upper, most_lower).unwrap_or(1.0);
            Interval::between(over(least_lower, most_upper)?, upper)
        }
        Shape::Ratio(Baseline::ToOverall) => {
            let overall = Bounded::of(overall?, alpha)?.interval;
            if overall.lower() < 0.0 {
                return None;
            }
            let lower = over(least_lower, overall.upper())?.min(over(overall.lower(), most_upper)?);
            let high = over(overall.upper(), most_lower).unwrap_or(1.0);
            let upper = over(least_upper, overall.lower()).unwrap_or(1.0).min(high);
            Interval::between(lower, upper)
        }
    };
    Some(ends)
}

/// Newcombe's interval of the greatest difference of any pair.
fn pairwise(groups: &[Bounded]) -> Interval {
    let (mut nearest, mut farthest) = (0.0_f64, 0.0_f64);
    for (index, first) in groups.iter().enumerate() {
        for second in groups.iter().skip(index + 1) {
            let (low, high) = if first.value <= second.value {
                (first, second)
            } else {
                (second, first)
            };
            let difference = high.value - low.value;
            let below = libm::hypot(
                high.value - high.interval.lower(),
                low.interval.upper() - low.value,
            );
            let above = libm::hypot(
                high.interval.upper() - high.value,
                low.value - low.interval.lower(),
            );
            nearest = nearest.max(difference - below);
            // Of the other way round too: the pair may truly be in the other order.
            farthest = farthest.max(difference + above).max(below - difference);
        }
    }
    Interval::between(nearest, farthest)
}

struct Bounded {
    value: f64,
    interval: Interval,
}

impl Bounded {
    fn of(measure: &Measure, alpha: Alpha) -> Option<Self> {
        let (value, interval) = (measure.value()?, measure.interval(alpha)?);
        Some(Self { value, interval })
    }
}

/// What fairlearn has a function for.
fn named() -> impl Iterator<Item = Disparity> {
    use GroupMetric as M;
    let both = [Baseline::BetweenGroups, Baseline::ToOverall];
    let twofold = [
        M::SelectionRate,
        M::TruePositiveRate,
        M::FalsePositiveRate,
        M::TrueNegativeRate,
        M::FalseNegativeRate,
        M::Accuracy,
        M::ZeroOneLoss,
    ];
    let minima = [
        M::Accuracy,
        M::BalancedAccuracy,
        M::Precision,
        M::TruePositiveRate,
        M::RocAuc,
        M::RSquared,
        M::F1,
    ];
    let maxima = [
        M::ZeroOneLoss,
        M::MeanAbsoluteError,
        M::MeanSquaredError,
        M::LogLoss,
    ];
    let derived = twofold.into_iter().flat_map(move |metric| {
        both.into_iter().flat_map(move |baseline| {
            [
                Disparity::Difference(metric, baseline),
                Disparity::Ratio(metric, baseline),
            ]
        })
    });
    let odds = [OddsAggregate::WorstCase, OddsAggregate::Mean]
        .into_iter()
        .flat_map(move |aggregate| {
            both.into_iter().flat_map(move |baseline| {
                [
                    Disparity::EqualizedOddsDifference(aggregate, baseline),
                    Disparity::EqualizedOddsRatio(aggregate, baseline),
                ]
            })
        });
    derived
        .chain(odds)
        .chain(minima.into_iter().map(Disparity::GroupMinimum))
        .chain(maxima.into_iter().map(Disparity::GroupMaximum))
}
