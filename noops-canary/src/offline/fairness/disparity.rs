use serde::{Deserialize, Serialize};

use super::group_metric::GroupMetric;
use crate::direction::Direction;
use crate::interval::Interval;
use crate::offline::gate::Finding;

/// How the metrics of the groups become one number.
///
/// These are fairlearn's `difference`, `ratio`, `group_min` and `group_max` of any metric, and its named disparities as constructors.
///
/// # Formula
///
/// With the metric `m_g` of each group and `m` of all rows: the difference between groups is `max m_g - min m_g`, to the overall value
/// `max |m_g - m|`; the ratio between groups is `min m_g / max m_g`, to the overall value the least of `m_g / m` and `m / m_g`. Equalized odds take the
/// worse, or the mean, of what the true and the false positive rate give (Hardt, Price and Srebro, 2016).
///
/// # Numerical notes
///
/// Where fairlearn gives 0 to a rate that a group has no rows for (a true positive rate without positives), the metric is undefined here: the
/// group is named in [`DisparityEstimate::undefined`] and the disparity has no interval, so that it decides nothing. Ratios are
/// undefined where all groups have 0 (fairlearn: NaN) and for negative values, whose ratio has no meaning.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::fairness::{Baseline, Disparity, GroupMetric};
///
/// let parity = Disparity::demographic_parity_difference();
/// assert_eq!(parity, Disparity::Difference(GroupMetric::SelectionRate, Baseline::BetweenGroups));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Disparity {
    /// The largest difference.
    Difference(GroupMetric, Baseline),
    /// The least ratio, at most 1.
    Ratio(GroupMetric, Baseline),
    /// The least value of any group: how well the worst served group is served, for what should be high.
    GroupMinimum(GroupMetric),
    /// The greatest value of any group: for a loss, the bounded group loss (Agarwal, Dudík and Wu, 2019).
    GroupMaximum(GroupMetric),
    /// The difference in true and in false positive rates.
    EqualizedOddsDifference(OddsAggregate, Baseline),
    /// The ratio of true and of false positive rates.
    EqualizedOddsRatio(OddsAggregate, Baseline),
}

impl Disparity {
    /// The difference of selection rates between groups.
    #[must_use]
    pub fn demographic_parity_difference() -> Self {
        Self::Difference(GroupMetric::SelectionRate, Baseline::BetweenGroups)
    }

    /// The ratio of selection rates between groups.
    #[must_use]
    pub fn demographic_parity_ratio() -> Self {
        Self::Ratio(GroupMetric::SelectionRate, Baseline::BetweenGroups)
    }

    /// The larger of the differences of true and of false positive rates between groups.
    #[must_use]
    pub fn equalized_odds_difference() -> Self {
        Self::EqualizedOddsDifference(OddsAggregate::WorstCase, Baseline::BetweenGroups)
    }

    /// The lesser of the ratios of true and of false positive rates between groups.
    #[must_use]
    pub fn equalized_odds_ratio() -> Self {
        Self::EqualizedOddsRatio(OddsAggregate::WorstCase, Baseline::BetweenGroups)
    }

    /// The difference of true positive rates between groups.
    #[must_use]
    pub fn equal_opportunity_difference() -> Self {
        Self::Difference(GroupMetric::TruePositiveRate, Baseline::BetweenGroups)
    }

    /// The ratio of true positive rates between groups.
    #[must_use]
    pub fn equal_opportunity_ratio() -> Self {
        Self::Ratio(GroupMetric::TruePositiveRate, Baseline::BetweenGroups)
    }

    /// Which way the number is better: low for differences and maxima, high for ratios and minima.
    ///
    /// The maximum of what should be high (an accuracy), and the minimum of what should be low, say nothing about fairness.
    #[must_use]
    pub fn direction(self) -> Direction {
        match self {
            Self::Difference(..) | Self::GroupMaximum(_) | Self::EqualizedOddsDifference(..) => {
                Direction::LowerIsBetter
            }
            Self::Ratio(..) | Self::GroupMinimum(_) | Self::EqualizedOddsRatio(..) => {
                Direction::HigherIsBetter
            }
        }
    }

    /// The metrics it is taken of.
    pub(super) fn metrics(self) -> Vec<GroupMetric> {
        match self {
            Self::Difference(metric, _)
            | Self::Ratio(metric, _)
            | Self::GroupMinimum(metric)
            | Self::GroupMaximum(metric) => vec![metric],
            Self::EqualizedOddsDifference(..) | Self::EqualizedOddsRatio(..) => {
                vec![
                    GroupMetric::TruePositiveRate,
                    GroupMetric::FalsePositiveRate,
                ]
            }
        }
    }

    /// What is done to each of its metrics.
    pub(super) fn shape(self) -> Shape {
        match self {
            Self::Difference(_, baseline) | Self::EqualizedOddsDifference(_, baseline) => {
                Shape::Difference(baseline)
            }
            Self::Ratio(_, baseline) | Self::EqualizedOddsRatio(_, baseline) => {
                Shape::Ratio(baseline)
            }
            Self::GroupMinimum(_) => Shape::Minimum,
            Self::GroupMaximum(_) => Shape::Maximum,
        }
    }

    /// How what its metrics give becomes one number.
    pub(super) fn aggregate(self) -> OddsAggregate {
        match self {
            Self::EqualizedOddsDifference(aggregate, _)
            | Self::EqualizedOddsRatio(aggregate, _) => aggregate,
            _ => OddsAggregate::WorstCase,
        }
    }

    /// One number from what each metric gives.
    pub(super) fn combine(self, parts: &[f64]) -> Option<f64> {
        let worst = match self.direction() {
            Direction::LowerIsBetter => f64::max,
            Direction::HigherIsBetter => f64::min,
        };
        match self.aggregate() {
            OddsAggregate::WorstCase => parts.iter().copied().reduce(worst),
            OddsAggregate::Mean if parts.is_empty() => None,
            OddsAggregate::Mean => Some(parts.iter().sum::<f64>() / parts.len() as f64),
        }
    }
}

/// What groups are compared with.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// Each other.
    #[default]
    BetweenGroups,
    /// The value over all rows, those of small groups included.
    ToOverall,
}

/// How equalized odds become one number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum OddsAggregate {
    /// The worse of the true and the false positive rate.
    #[default]
    WorstCase,
    /// Their mean.
    Mean,
}

/// A disparity with its interval, and who was left out of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DisparityEstimate {
    pub(super) disparity: Disparity,
    pub(super) value: f64,
    pub(super) interval: Option<Interval>,
    pub(super) judged: Vec<String>,
    pub(super) small: Vec<String>,
    pub(super) undefined: Vec<String>,
}

impl DisparityEstimate {
    /// What a [`Gate`](crate::offline::Gate) is shown, for a criterion with [`Rule::AtMost`](crate::offline::Rule::AtMost) or
    /// [`Rule::AtLeast`](crate::offline::Rule::AtLeast); without an interval it decides nothing.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding::Estimate {
            value: self.value,
            interval: self.interval.unwrap_or(Interval::UNBOUNDED),
        }
    }

    /// What was measured.
    #[must_use]
    pub fn disparity(&self) -> Disparity {
        self.disparity
    }

    /// The disparity of these rows.
    ///
    /// Differences are biased upwards and ratios downwards: groups that are treated alike still differ by chance, the more so the more and the
    /// smaller they are.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The two-sided `1 - alpha` interval, valid for the greatest and least of all judged groups at once; `None` where a judged group has no
    /// interval or no value, or where there is nothing to compare.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.interval
    }

    /// The groups it is taken over.
    #[must_use]
    pub fn judged(&self) -> &[String] {
        &self.judged
    }

    /// The groups left out for having fewer than the minimum of rows.
    #[must_use]
    pub fn small(&self) -> &[String] {
        &self.small
    }

    /// The groups left out of the value because a metric is undefined in them; as nothing is known of them, there is no interval then.
    #[must_use]
    pub fn undefined(&self) -> &[String] {
        &self.undefined
    }
}

/// What is done to one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Difference(Baseline),
    Ratio(Baseline),
    Minimum,
    Maximum,
}

impl Shape {
    /// Whether groups are compared with all rows.
    pub(super) fn needs_overall(self) -> bool {
        matches!(
            self,
            Self::Difference(Baseline::ToOverall) | Self::Ratio(Baseline::ToOverall)
        )
    }

    /// The disparity of the values of the groups.
    pub(super) fn of(self, groups: &[f64], overall: Option<f64>) -> Option<f64> {
        let least = groups.iter().copied().reduce(f64::min)?;
        let most = groups.iter().copied().reduce(f64::max)?;
        let value = match self {
            Self::Minimum => least,
            Self::Maximum => most,
            Self::Difference(Baseline::BetweenGroups) => most - least,
            Self::Difference(Baseline::ToOverall) => {
                let overall = overall?;
                (most - overall).max(overall - least)
            }
            Self::Ratio(Baseline::BetweenGroups) => ratio(least, most)?,
            Self::Ratio(Baseline::ToOverall) => {
                let overall = overall?;
                ratio(least, overall)?.min(ratio(most, overall)?)
            }
        };
        Some(value).filter(|value| value.is_finite())
    }

    /// How many contrasts so many groups have.
    pub(super) fn number_of_contrasts(self, groups: usize) -> usize {
        match self {
            Self::Minimum | Self::Maximum => groups,
            Self::Difference(Baseline::BetweenGroups) | Self::Ratio(Baseline::BetweenGroups) => {
                groups.saturating_mul(groups.saturating_sub(1))
            }
            Self::Difference(Baseline::ToOverall) | Self::Ratio(Baseline::ToOverall) => {
                groups.saturating_mul(2)
            }
        }
    }

    /// The smooth functions of the values whose greatest (least, for ratios and minima) is the disparity; `None` where one is undefined.
    pub(super) fn contrasts(self, groups: &[f64], overall: Option<f64>) -> Option<Vec<f64>> {
        let pairs = |join: fn(f64, f64) -> f64| -> Vec<f64> {
            let firsts = groups.iter().enumerate();
            let ordered = firsts.flat_map(|(i, a)| {
                let others = groups.iter().enumerate().filter(move |(j, _)| *j != i);
                others.map(move |(_, b)| join(*a, *b))
            });
            ordered.collect()
        };
        let both_ways = |join: fn(f64, f64) -> f64, overall: f64| -> Vec<f64> {
            let ways = groups
                .iter()
                .flat_map(|value| [join(*value, overall), join(overall, *value)]);
            ways.collect()
        };
        let contrasts = match self {
            Self::Minimum | Self::Maximum => groups.to_vec(),
            Self::Difference(Baseline::BetweenGroups) => pairs(|a, b| a - b),
            Self::Difference(Baseline::ToOverall) => both_ways(|a, b| a - b, overall?),
            Self::Ratio(Baseline::BetweenGroups) => pairs(quotient),
            Self::Ratio(Baseline::ToOverall) => both_ways(quotient, overall?),
        };
        contrasts
            .iter()
            .all(|contrast| contrast.is_finite())
            .then_some(contrasts)
    }
}

/// The ratio of two values that are not negative, turned to be at most 1.
fn ratio(first: f64, second: f64) -> Option<f64> {
    let (least, most) = (first.min(second), first.max(second));
    (least >= 0.0 && most > 0.0).then(|| least / most)
}

/// NaN where a ratio has no meaning.
fn quotient(first: f64, second: f64) -> f64 {
    if first >= 0.0 && second > 0.0 {
        first / second
    } else {
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_disparity_is_the_extreme_of_its_contrasts(
            groups in prop::collection::vec(0.01..1.0_f64, 2..7),
            overall in 0.01..1.0_f64,
        ) {
            for baseline in [Baseline::BetweenGroups, Baseline::ToOverall] {
                for (shape, sign) in [
                    (Shape::Difference(baseline), 1.0),
                    (Shape::Ratio(baseline), -1.0),
                    (Shape::Maximum, 1.0),
                    (Shape::Minimum, -1.0),
                ] {
                    let value = shape.of(&groups, Some(overall)).unwrap();
                    let contrasts = shape.contrasts(&groups, Some(overall)).unwrap();
                    prop_assert_eq!(contrasts.len(), shape.number_of_contrasts(groups.len()));
                    let extreme = contrasts
                        .iter()
                        .map(|contrast| sign * contrast)
                        .fold(f64::NEG_INFINITY, f64::max);
                    prop_assert!((sign * extreme - value).abs() < 1e-12, "{shape:?}");
                }
            }
        }
    }

    #[test]
    fn a_ratio_of_nothing_to_nothing_and_of_negative_values_is_undefined() {
        let shape = Shape::Ratio(Baseline::BetweenGroups);
        assert_eq!(shape.of(&[0.0, 0.0], None), None);
        assert_eq!(shape.of(&[-0.5, 0.5], None), None);
        assert_eq!(shape.of(&[0.0, 0.5], None), Some(0.0));
        assert_eq!(shape.contrasts(&[0.0, 0.5], None), None);
        assert_eq!(shape.of(&[], None), None);
        assert_eq!(
            Shape::Ratio(Baseline::ToOverall).of(&[-0.5, 0.5], Some(0.4)),
            None
        );
        assert_eq!(
            Shape::Difference(Baseline::ToOverall).of(&[0.5], None),
            None
        );
    }
}
