use noops_core::Alpha;
use serde_json::Value;

use super::*;
use crate::error::CanaryError;
use crate::simulation::Random;

fn stored() -> Value {
    serde_json::from_str(include_str!("../../../testdata/fairness.json")).unwrap()
}

fn column<T: serde::de::DeserializeOwned>(case: &Value, key: &str) -> Vec<T> {
    serde_json::from_value(case[key].clone()).unwrap()
}

fn metric(name: &str) -> GroupMetric {
    let name = name.trim_end_matches("_score");
    let name = match name {
        "recall" => "true_positive_rate",
        "r2" => "r_squared",
        name => name,
    };
    GroupMetric::ALL
        .into_iter()
        .find(|metric| metric.name() == name)
        .unwrap()
}

fn close(found: Option<f64>, expected: &Value, what: &str) {
    let (found, expected) = (found.unwrap(), expected.as_f64().unwrap());
    assert!(
        (found - expected).abs() <= 1e-10 * expected.abs().max(1e-3),
        "{what}: {found} {expected}"
    );
}

fn value(metrics: &GroupedMetrics, disparity: Disparity) -> Option<f64> {
    metrics.disparity(disparity).map(|found| found.value())
}

fn frames_agree(metrics: &GroupedMetrics, frames: &Value) {
    for (name, frame) in frames.as_object().unwrap() {
        let of = metric(name);
        close(metrics.overall().value(of), &frame["overall"], name);
        for group in metrics.groups() {
            close(group.value(of), &frame["by_group"][group.name()], name);
        }
        close(
            value(metrics, Disparity::GroupMinimum(of)),
            &frame["group_min"],
            name,
        );
        close(
            value(metrics, Disparity::GroupMaximum(of)),
            &frame["group_max"],
            name,
        );
        let least = metrics.group_min(of).unwrap().value(of);
        close(least, &frame["group_min"], name);
        let most = metrics.group_max(of).unwrap().value(of);
        close(most, &frame["group_max"], name);
        for (baseline, method) in [
            (Baseline::BetweenGroups, "between_groups"),
            (Baseline::ToOverall, "to_overall"),
        ] {
            let difference = value(metrics, Disparity::Difference(of, baseline));
            close(difference, &frame[format!("difference_{method}")], name);
            if let Some(ratio) = frame.get(format!("ratio_{method}")) {
                close(value(metrics, Disparity::Ratio(of, baseline)), ratio, name);
            }
        }
    }
}

fn named(call: &str) -> Disparity {
    let mut parts = call.split('/');
    let name = parts.next().unwrap();
    let baseline = match parts.next() {
        Some("to_overall") => Baseline::ToOverall,
        _ => Baseline::BetweenGroups,
    };
    let aggregate = match parts.next() {
        Some("mean") => OddsAggregate::Mean,
        _ => OddsAggregate::WorstCase,
    };
    let base = |suffix: &str| match name.trim_end_matches(suffix) {
        "demographic_parity" => GroupMetric::SelectionRate,
        "equal_opportunity" => GroupMetric::TruePositiveRate,
        other => metric(other),
    };
    match name {
        "equalized_odds_difference" => Disparity::EqualizedOddsDifference(aggregate, baseline),
        "equalized_odds_ratio" => Disparity::EqualizedOddsRatio(aggregate, baseline),
        name if name.ends_with("_difference") => {
            Disparity::Difference(base("_difference"), baseline)
        }
        name if name.ends_with("_ratio") => Disparity::Ratio(base("_ratio"), baseline),
        name if name.ends_with("_group_min") => Disparity::GroupMinimum(base("_group_min")),
        _ => Disparity::GroupMaximum(base("_group_max")),
    }
}

fn derived_agree(metrics: &GroupedMetrics, derived: &Value) {
    let all: Vec<Disparity> = metrics
        .disparities()
        .iter()
        .map(DisparityEstimate::disparity)
        .collect();
    for (call, expected) in derived.as_object().unwrap() {
        close(value(metrics, named(call)), expected, call);
        assert!(
            all.contains(&named(call)),
            "{call} is not among all disparities"
        );
    }
}

#[test]
fn metrics_by_group_and_every_disparity_equal_fairlearn() {
    for case in stored()["binary"].as_array().unwrap() {
        let (scores, labels) = (
            column::<f64>(case, "scores"),
            column::<bool>(case, "labels"),
        );
        let threshold = case["threshold"].as_f64().unwrap();
        let predictions = Predictions::scores(&scores, &labels, threshold).unwrap();
        let groups = Groups::of_values(&column::<String>(case, "groups")).unwrap();
        let settings = FairnessSettings::default();
        let metrics = GroupedMetrics::of(&predictions, &groups, &settings).unwrap();
        frames_agree(&metrics, &case["frames"]);
        derived_agree(&metrics, &case["derived"]);
        let decisions: Vec<bool> = scores.iter().map(|score| *score >= threshold).collect();
        let labelled = Predictions::labelled(&decisions, &labels).unwrap();
        let of_decisions = GroupedMetrics::of(&labelled, &groups, &settings).unwrap();
        assert_eq!(
            of_decisions.disparity(Disparity::equalized_odds_difference()),
            metrics.disparity(Disparity::equalized_odds_difference())
        );
    }
}

#[test]
fn metrics_of_predicted_numbers_equal_fairlearn() {
    for case in stored()["regression"].as_array().unwrap() {
        let (predicted, actual) = (column::<f64>(case, "predicted"), column(case, "actual"));
        let predictions = Predictions::regression(&predicted, &actual).unwrap();
        let groups = Groups::of_values(&column::<String>(case, "groups")).unwrap();
        let metrics =
            GroupedMetrics::of(&predictions, &groups, &FairnessSettings::default()).unwrap();
        frames_agree(&metrics, &case["frames"]);
        derived_agree(&metrics, &case["derived"]);
    }
}

/// Decisions of groups by the number selected and the number of rows.
fn counted(counts: &[(usize, usize)], settings: &FairnessSettings) -> GroupedMetrics {
    let (mut decisions, mut ids) = (Vec::new(), Vec::new());
    for ((selected, rows), id) in counts.iter().zip(0..) {
        decisions.extend((0..*rows).map(|row| row < *selected));
        ids.extend((0..*rows).map(|_| id));
    }
    let names = (0..counts.len()).map(|group| format!("group {group}"));
    let groups = Groups::new(&ids, names).unwrap();
    GroupedMetrics::of(
        &Predictions::decisions(&decisions).unwrap(),
        &groups,
        settings,
    )
    .unwrap()
}

#[test]
fn the_interval_of_two_groups_is_newcombes_and_of_one_wilsons() {
    for case in stored()["intervals"].as_array().unwrap() {
        let metrics = counted(&column(case, "counts"), &FairnessSettings::default());
        let parity = metrics
            .disparity(Disparity::demographic_parity_difference())
            .unwrap();
        let interval = parity.interval().unwrap();
        close(Some(interval.lower()), &case["difference"][0], "lower");
        close(Some(interval.upper()), &case["difference"][1], "upper");
        for (group, wilson) in metrics
            .groups()
            .iter()
            .zip(case["wilson"].as_array().unwrap())
        {
            let interval = group
                .interval(GroupMetric::SelectionRate, Alpha::FIVE_PERCENT)
                .unwrap();
            close(Some(interval.lower()), &wilson[0], "lower");
            close(Some(interval.upper()), &wilson[1], "upper");
        }
    }
}

#[test]
fn the_interval_of_a_mean_is_students() {
    for case in stored()["mean_intervals"].as_array().unwrap() {
        let errors: Vec<f64> = column(case, "errors");
        let actual = vec![0.0; errors.len()];
        let groups = Groups::new(&vec![0; errors.len()], ["all"]).unwrap();
        let predictions = Predictions::regression(&errors, &actual).unwrap();
        let metrics =
            GroupedMetrics::of(&predictions, &groups, &FairnessSettings::default()).unwrap();
        let interval = metrics.groups()[0]
            .interval(GroupMetric::MeanAbsoluteError, Alpha::FIVE_PERCENT)
            .unwrap();
        close(Some(interval.lower()), &case["interval"][0], "lower");
        close(Some(interval.upper()), &case["interval"][1], "upper");
    }
}

#[test]
fn intervals_of_disparities_hold_the_truth_as_often_as_promised_also_where_groups_tie() {
    let mut random = Random::new(3);
    let baselines = [Baseline::BetweenGroups, Baseline::ToOverall];
    let rate = GroupMetric::SelectionRate;
    for rates in [[0.4, 0.4, 0.4], [0.2, 0.4, 0.6]] {
        let (least, most, mean): (f64, f64, f64) = (rates[0], rates[2], 0.4);
        let truth = |disparity: Disparity| match disparity {
            Disparity::Difference(_, Baseline::BetweenGroups) => most - least,
            Disparity::Difference(..) => (most - mean).max(mean - least),
            Disparity::Ratio(_, Baseline::BetweenGroups) => least / most,
            Disparity::Ratio(..) => (least / mean).min(mean / most),
            Disparity::GroupMinimum(_) => least,
            _ => most,
        };
        let mut asked: Vec<(Disparity, usize)> = baselines
            .into_iter()
            .flat_map(|baseline| {
                [
                    Disparity::Difference(rate, baseline),
                    Disparity::Ratio(rate, baseline),
                ]
            })
            .chain([Disparity::GroupMinimum(rate), Disparity::GroupMaximum(rate)])
            .map(|disparity| (disparity, 0))
            .collect();
        for _ in 0..500 {
            let counts =
                rates.map(|rate| ((0..80).filter(|_| random.uniform() < rate).count(), 80));
            let metrics = counted(&counts, &FairnessSettings::default());
            for (disparity, missed) in &mut asked {
                let interval = metrics.disparity(*disparity).unwrap().interval().unwrap();
                // The truth may be the very end of what can be, up to rounding.
                let truth = truth(*disparity);
                *missed += usize::from(
                    interval.is_below(truth - 1e-12) || interval.is_above(truth + 1e-12),
                );
            }
        }
        for (disparity, missed) in asked {
            // scipy.stats.binom.sf(41, 500, 0.05) = 0.0009
            assert!(missed <= 41, "{disparity:?}: {missed}");
        }
    }
}

#[test]
fn a_rate_without_rows_is_undefined_and_leaves_nothing_known() {
    let decisions = [true, false, true, false, true, false];
    let labels = [true, true, true, false, false, false];
    let groups = Groups::new(&[0, 0, 0, 1, 1, 1], ["a", "b"]).unwrap();
    let predictions = Predictions::labelled(&decisions, &labels).unwrap();
    let metrics = GroupedMetrics::of(&predictions, &groups, &FairnessSettings::default()).unwrap();
    assert_eq!(
        metrics.groups()[1].value(GroupMetric::TruePositiveRate),
        None
    );
    let odds = metrics
        .disparity(Disparity::equal_opportunity_difference())
        .unwrap();
    assert_eq!(odds.undefined(), ["b"]);
    assert_eq!((odds.value(), odds.interval()), (0.0, None));
    assert_eq!(metrics.disparity(Disparity::equalized_odds_ratio()), None);
}

#[test]
fn small_groups_are_reported_and_not_judged() {
    let settings = FairnessSettings::default().with_minimum_rows(20);
    let metrics = counted(&[(10, 20), (15, 30), (3, 3), (0, 0)], &settings);
    let parity = metrics
        .disparity(Disparity::demographic_parity_difference())
        .unwrap();
    assert_eq!(parity.value(), 0.0);
    assert_eq!(parity.judged(), ["group 0", "group 1"]);
    assert_eq!(parity.small(), ["group 2"]);
    assert_eq!(
        metrics.groups()[2].value(GroupMetric::SelectionRate),
        Some(1.0)
    );
    assert_eq!(metrics.groups()[3].rows(), 0);
    assert_eq!(
        metrics
            .group_max(GroupMetric::SelectionRate)
            .map(GroupSummary::name),
        Some("group 0")
    );
    assert_eq!(metrics.selections()[2].selected(), 3);
}

#[test]
fn a_single_group_has_a_disparity_of_none_and_no_interval() {
    let metrics = counted(&[(10, 20)], &FairnessSettings::default());
    let parity = metrics
        .disparity(Disparity::demographic_parity_difference())
        .unwrap();
    assert_eq!((parity.value(), parity.interval()), (0.0, None));
}

#[test]
fn hostile_columns_are_refused_and_huge_numbers_are_undefined() {
    assert_eq!(Predictions::decisions(&[]), Err(CanaryError::Empty));
    assert!(Predictions::labelled(&[true], &[]).is_err());
    for wrong in [f64::NAN, f64::INFINITY] {
        assert!(Predictions::scores(&[wrong], &[true], 0.5).is_err());
        assert!(Predictions::scores(&[0.5], &[true], wrong).is_err());
        assert!(Predictions::regression(&[wrong], &[1.0]).is_err());
        assert!(Predictions::regression(&[1.0], &[wrong]).is_err());
    }
    let groups = Groups::new(&[0, 1, 0, 1], ["a", "b"]).unwrap();
    let settings = FairnessSettings::default();
    let short = Predictions::decisions(&[true]).unwrap();
    assert!(GroupedMetrics::of(&short, &groups, &settings).is_err());
    let huge = [f64::MAX, f64::MIN, f64::MAX, f64::MIN];
    let zero = [0.0, f64::MAX, 1.0, -1.0];
    let predictions = Predictions::regression(&huge, &zero).unwrap();
    let metrics = GroupedMetrics::of(&predictions, &groups, &settings).unwrap();
    assert_eq!(metrics.overall().value(GroupMetric::MeanSquaredError), None);
    for found in metrics.disparities() {
        assert!(found.value().is_finite());
    }
    let text = serde_json::to_string(&metrics).unwrap();
    assert!(serde_json::from_str::<GroupedMetrics>(&text).is_ok());
}
