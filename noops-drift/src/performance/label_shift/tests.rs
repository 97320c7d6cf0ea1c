use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::statistic::Verdict;
use crate::testing::{Draws as _, SplitMix64};

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

fn draw(random: &mut SplitMix64, confusion: [[f64; 2]; 2], labels: [u64; 2]) -> [u64; 4] {
    let first = random.counts(&confusion[0], labels[0]);
    let second = random.counts(&confusion[1], labels[1]);
    [first[0], second[0], first[1], second[1]]
}

#[test]
fn shares_weights_and_their_errors_agree_with_numpy() {
    let text = include_str!("../../../testdata/performance.json");
    let oracle: Value = serde_json::from_str(text).unwrap();
    let oracle = &oracle["label_shift"];
    let counts: Vec<u64> = numbers(&oracle["counts"])
        .into_iter()
        .map(|x| x as u64)
        .collect();
    let predicted: Vec<u64> = numbers(&oracle["predicted"])
        .into_iter()
        .map(|x| x as u64)
        .collect();
    let reference = ConfusionCounts::from_counts(3, &counts).unwrap();
    let shift =
        LabelShift::estimate(&reference, &predicted, &LabelShiftSettings::default()).unwrap();
    let z = oracle["z"].as_f64().unwrap();
    assert!((shift.condition().unwrap() - oracle["condition"].as_f64().unwrap()).abs() < 1e-10);
    let expected = numbers(&oracle["shares"]);
    for ((share, expected), sd) in shift
        .shares()
        .unwrap()
        .iter()
        .zip(&expected)
        .zip(numbers(&oracle["sd"]))
    {
        assert!((share.value() - expected).abs() < 1e-10);
        assert!(
            (share.upper() - (expected + z * sd)).abs() < 1e-8,
            "{share:?}"
        );
        assert!(
            (share.lower() - (expected - z * sd)).abs() < 1e-8,
            "{share:?}"
        );
    }
    for (weight, expected) in shift
        .weights()
        .unwrap()
        .iter()
        .zip(numbers(&oracle["weights"]))
    {
        assert!((weight.value() - expected).abs() < 1e-10);
        assert!(weight.lower() < expected && expected < weight.upper());
    }
}

#[test]
fn shares_are_within_their_intervals_and_unchanged_ones_pass_the_test() {
    let mut random = SplitMix64(5);
    let confusion = [[0.8, 0.2], [0.3, 0.7]];
    let (runs, mut missed, mut alarms) = (400, 0, 0);
    for run in 0..runs {
        let reference =
            ConfusionCounts::from_counts(2, &draw(&mut random, confusion, [700, 300])).unwrap();
        let (truth, labels) = if run % 2 == 0 {
            (0.7, [700, 300])
        } else {
            (0.4, [400, 600])
        };
        // The labels of a batch are a sample too.
        let drawn = random.counts(&[truth, 1.0 - truth], labels[0] + labels[1]);
        let now = draw(&mut random, confusion, [drawn[0], drawn[1]]);
        let predicted = [now[0] + now[1], now[2] + now[3]];
        let shift =
            LabelShift::estimate(&reference, &predicted, &LabelShiftSettings::default()).unwrap();
        let share = shift.shares().unwrap()[0];
        missed += i32::from(truth < share.lower() || truth > share.upper());
        alarms += i32::from(run % 2 == 0 && shift.comparison().verdict() == Verdict::Drift);
    }
    // scipy.stats.binom.sf(35, 400, 0.05) is 6e-4, and of (21, 200, 0.05) 5e-4.
    assert!(missed <= 35, "{missed} of {runs}");
    assert!(alarms <= 21, "{alarms} of {}", runs / 2);
}

#[test]
fn a_classifier_that_cannot_tell_gives_no_estimates() {
    let blind = ConfusionCounts::from_counts(2, &[500, 500, 500, 500]).unwrap();
    let shift = LabelShift::estimate(&blind, &[900, 100], &LabelShiftSettings::default()).unwrap();
    assert!(shift.shares().is_none() && shift.weights().is_none() && shift.condition().is_none());
    let nearly = ConfusionCounts::from_counts(2, &[502, 500, 498, 500]).unwrap();
    let shift = LabelShift::estimate(&nearly, &[500, 500], &LabelShiftSettings::default()).unwrap();
    assert!(shift.shares().is_none() && shift.condition().unwrap() > 100.0);
}

#[test]
fn hostile_counts_are_refused() {
    assert!(ConfusionCounts::new(1).is_err());
    assert!(ConfusionCounts::new(usize::MAX).is_err());
    assert!(ConfusionCounts::from_counts(2, &[1, 2, 3]).is_err());
    assert!(serde_json::from_str::<ConfusionCounts>(r#"{"classes":3,"counts":[1]}"#).is_err());
    let mut counts = ConfusionCounts::new(2).unwrap();
    assert!(counts.observe(2, 0).is_err() && counts.observe(0, 2).is_err());
    let settings = LabelShiftSettings::default();
    assert!(LabelShift::estimate(&counts, &[1, 1], &settings).is_err());
    let full = ConfusionCounts::from_counts(2, &[u64::MAX; 4]).unwrap();
    assert!(
        LabelShift::estimate(&full, &[u64::MAX, 1], &settings)
            .unwrap()
            .shares()
            .is_none()
    );
    let sound = ConfusionCounts::from_counts(2, &[9, 1, 1, 9]).unwrap();
    assert!(LabelShift::estimate(&sound, &[0, 0], &settings).is_err());
    assert!(LabelShift::estimate(&sound, &[1, 1, 1], &settings).is_err());
    assert!(
        LabelShift::estimate(&sound, &[1, 1], &settings.with_largest_condition(f64::NAN)).is_err()
    );
}

proptest! {
    #[test]
    fn shares_sum_to_one_and_parts_add_up(
        counts in prop::collection::vec(1_u64..200, 9),
        more in prop::collection::vec(0_u64..200, 9),
        predicted in prop::collection::vec(0_u64..500, 3),
    ) {
        prop_assume!(predicted.iter().sum::<u64>() > 0);
        let mut reference = ConfusionCounts::from_counts(3, &counts).unwrap();
        reference.merge(&ConfusionCounts::from_counts(3, &more).unwrap()).unwrap();
        let whole: Vec<u64> = counts.iter().zip(&more).map(|(a, b)| a + b).collect();
        prop_assert_eq!(&reference, &ConfusionCounts::from_counts(3, &whole).unwrap());
        let shift = LabelShift::estimate(&reference, &predicted, &LabelShiftSettings::default()).unwrap();
        if let Some(shares) = shift.shares() {
            let sum: f64 = shares.iter().map(Estimate::value).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9);
        }
    }
}
