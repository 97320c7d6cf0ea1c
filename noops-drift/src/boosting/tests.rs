use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::testing::{Draws as _, SplitMix64};

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter()
        .map(|x| x.as_f64().unwrap_or(f64::NAN))
        .collect()
}

fn matrix(columns: Vec<Vec<f64>>) -> Matrix {
    Matrix::from_columns(columns).unwrap()
}

fn fit(features: &Matrix, targets: &[f64], loss: Loss, settings: &BoostingSettings) -> Boosted {
    let binned = Binned::new(features, settings.bins()).unwrap();
    let rows = all_rows(features.rows()).unwrap();
    Boosted::fit(&binned, &rows, targets, None, loss, settings).unwrap()
}

/// Three columns, of which the second has gaps, and a target of the first two.
fn example(rows: usize, seed: u64) -> (Matrix, Vec<f64>) {
    let mut random = SplitMix64(seed);
    let mut columns = vec![Vec::new(), Vec::new(), Vec::new()];
    let mut targets = Vec::new();
    for _ in 0..rows {
        let [a, b, c] = [random.bell(), random.bell(), random.bell()];
        let gap = random.unit() < 0.2;
        columns[0].push(a);
        columns[1].push(if gap { f64::NAN } else { b });
        columns[2].push(c);
        targets.push(if gap { 2.0 } else { a * b } + 0.2 * random.bell());
    }
    (matrix(columns), targets)
}

#[test]
fn models_agree_with_scikit_learn() {
    let data: Value = serde_json::from_str(include_str!("../../testdata/boosting.json")).unwrap();
    let cases = data["boosting"]["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let columns = case["columns"].as_array().unwrap();
        let features = matrix(columns.iter().map(numbers).collect());
        let loss = if case["kind"] == "squared" {
            Loss::Squared
        } else {
            Loss::Logistic
        };
        let settings = BoostingSettings::default()
            .with_rounds(case["rounds"].as_u64().unwrap() as u32)
            .with_depth(case["depth"].as_u64().unwrap() as u32)
            .with_min_child_weight(1e-3);
        let found = fit(&features, &numbers(&case["targets"]), loss, &settings)
            .predict(&features)
            .unwrap();
        for (found, expected) in found.iter().zip(numbers(&case["raw"])) {
            // scikit-learn keeps gradients in single precision.
            assert!(
                (found - expected).abs() < 2e-6,
                "{found} is not {expected}: {}",
                case["call"]
            );
        }
    }
}

#[test]
fn an_interaction_and_the_meaning_of_gaps_are_learned() {
    let (features, targets) = example(4_000, 1);
    let (fresh, truth) = example(2_000, 2);
    let model = fit(
        &features,
        &targets,
        Loss::Squared,
        &BoostingSettings::default(),
    );
    let found = model.predict(&fresh).unwrap();
    let error: f64 = found
        .iter()
        .zip(&truth)
        .map(|(f, t)| (f - t) * (f - t))
        .sum::<f64>()
        / 2_000.0;
    // The noise has variance 0.04, the target about 1.7.
    assert!(error < 0.15, "{error}");
    let shares = model.gain_shares();
    assert!(
        shares[2] < 0.05 && shares[0] > 0.1 && shares[1] > 0.1,
        "{shares:?}"
    );
}

#[test]
fn log_odds_find_the_rates() {
    let feature: Vec<f64> = (0..2_000).map(|row| f64::from(row % 2)).collect();
    let targets: Vec<f64> = (0..2_000)
        .map(|row| {
            if row % 2 == 0 {
                f64::from(row / 2 % 10 == 0)
            } else {
                f64::from(row / 2 % 10 < 7)
            }
        })
        .collect();
    let features = matrix(vec![feature]);
    let model = fit(
        &features,
        &targets,
        Loss::Logistic,
        &BoostingSettings::default(),
    );
    let found = model.predict(&features).unwrap();
    assert!(
        (probability(found[0]) - 0.1).abs() < 0.01,
        "{}",
        probability(found[0])
    );
    assert!(
        (probability(found[1]) - 0.7).abs() < 0.01,
        "{}",
        probability(found[1])
    );
}

#[test]
fn a_whole_weight_is_that_many_copies() {
    // Few enough values that each has its own bin, with or without copies.
    let (features, targets) = example(120, 3);
    let settings = BoostingSettings::default()
        .with_l2(0.0)
        .with_min_child_weight(0.0);
    let weights: Vec<f64> = (0..120).map(|row| f64::from(row % 3 + 1)).collect();
    let binned = Binned::new(&features, 255).unwrap();
    let rows = all_rows(120).unwrap();
    let weighted = Boosted::fit(
        &binned,
        &rows,
        &targets,
        Some(&weights),
        Loss::Squared,
        &settings,
    )
    .unwrap();
    let copied = |values: &[f64]| -> Vec<f64> {
        let rows = values.iter().enumerate();
        rows.flat_map(|(row, x)| std::iter::repeat_n(*x, row % 3 + 1))
            .collect()
    };
    let copies = matrix(
        features
            .columns()
            .iter()
            .map(|column| copied(column))
            .collect(),
    );
    let copied = fit(&copies, &copied(&targets), Loss::Squared, &settings);
    let found = weighted.predict(&features).unwrap();
    for (a, b) in found.iter().zip(copied.predict(&features).unwrap()) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }
}

#[test]
fn nothing_to_learn_is_the_mean() {
    let constant = matrix(vec![vec![1.0; 50]]);
    let targets: Vec<f64> = (0..50).map(f64::from).collect();
    let model = fit(
        &constant,
        &targets,
        Loss::Squared,
        &BoostingSettings::default(),
    );
    assert!((model.predict(&constant).unwrap()[7] - 24.5).abs() < 1e-9);
    assert_eq!(model.gain_shares(), vec![0.0]);
}

#[test]
fn an_infinity_is_to_a_tree_what_it_was_in_fitting() {
    let feature = [f64::MAX, f64::INFINITY, f64::MIN, f64::NEG_INFINITY].repeat(20);
    let features = matrix(vec![feature]);
    // The two largest differ in their target, and so do the two smallest; no tree can tell either pair apart.
    let targets = [0.0, 1.0, 2.0, 4.0].repeat(20);
    let settings = BoostingSettings::default();
    let model = fit(&features, &targets, Loss::Squared, &settings);
    let found = model.predict(&features).unwrap();
    for (row, expected) in [0.5, 0.5, 3.0, 3.0].into_iter().enumerate() {
        assert!((found[row] - expected).abs() < 0.01, "{found:?}");
    }
}

#[test]
fn a_stored_model_is_the_same_and_a_damaged_one_is_refused() {
    let (features, targets) = example(400, 4);
    let model = fit(
        &features,
        &targets,
        Loss::Squared,
        &BoostingSettings::default().with_rounds(3),
    );
    let text = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<Boosted>(&text).unwrap(), model);
    let sound: Value = serde_json::from_str(&text).unwrap();
    type Damage = fn(&mut Value);
    let damages: [(&str, Damage); 5] = [
        ("out of order", |v| {
            v["trees"][0]["nodes"][0]["Split"]["right"] = 0.into()
        }),
        ("no right child", |v| {
            let nodes = v["trees"][0]["nodes"].as_array_mut().unwrap();
            nodes.truncate(1);
        }),
        ("not there", |v| {
            v["trees"][0]["nodes"][0]["Split"]["column"] = 99.into()
        }),
        ("number of gains", |v| v["width"] = 2.into()),
        ("base", |v| v["base"] = 1e300.into()),
    ];
    for (expected, damage) in damages {
        let mut damaged = sound.clone();
        damage(&mut damaged);
        let error = serde_json::from_value::<Boosted>(damaged)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error} does not say {expected}");
    }
}

#[test]
fn bad_input_is_named() {
    let features = matrix(vec![vec![1.0, 2.0]]);
    let binned = Binned::new(&features, 255).unwrap();
    let settings = BoostingSettings::default();
    let tried = |rows: &[u32], targets: &[f64], weights: Option<&[f64]>| {
        Boosted::fit(&binned, rows, targets, weights, Loss::Squared, &settings)
            .unwrap_err()
            .to_string()
    };
    assert!(tried(&[0, 1], &[1.0], None).contains("`targets`"));
    assert!(tried(&[0, 1], &[1.0, f64::NAN], None).contains("`targets`"));
    assert!(tried(&[], &[1.0, 2.0], None).contains("`rows`"));
    assert!(tried(&[2], &[1.0, 2.0], None).contains("`rows`"));
    assert!(tried(&[0, 0], &[1.0, 2.0], None).contains("ascend"));
    assert!(tried(&[0, 1], &[1.0, 2.0], Some(&[0.0, 0.0])).contains("`weights`"));
    assert!(tried(&[0, 1], &[1.0, 2.0], Some(&[-1.0, 1.0])).contains("`weights`"));
    assert!(settings.clone().with_depth(9).validate().is_err());
    assert!(settings.clone().with_bins(256).validate().is_err());
    assert!(
        settings
            .clone()
            .with_learning_rate(f64::NAN)
            .validate()
            .is_err()
    );
    assert_eq!(
        Binned::new(&matrix(vec![vec![]]), 9).unwrap_err(),
        DriftError::NoRows
    );
}

#[test]
fn folds_deal_every_row_once() {
    let dealt = fold_rows(10, 23, 5, 7);
    assert!(dealt.iter().all(|fold| (4..=5).contains(&fold.len())));
    let mut all: Vec<u32> = dealt.concat();
    all.sort_unstable();
    assert_eq!(all, (10..33).collect::<Vec<u32>>());
    assert_eq!(rows_outside(&dealt, 0).len(), 23 - dealt[0].len());
    assert_ne!(dealt, fold_rows(10, 23, 5, 8));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_numbers_give_numbers(
        rows in prop::collection::vec((any::<f64>(), -3_i8..3, -1e150_f64..1e150), 1..60),
        logistic in any::<bool>(),
    ) {
        let features = matrix(vec![
            rows.iter().map(|row| row.0).collect(),
            rows.iter().map(|row| f64::from(row.1)).collect(),
        ]);
        let settings = BoostingSettings::default()
            .with_rounds(5)
            .with_min_child_weight(0.0)
            .with_l2(0.0)
            .with_learning_rate(1.0);
        let (loss, targets): (Loss, Vec<f64>) = if logistic {
            (Loss::Logistic, rows.iter().map(|row| f64::from(row.2 > 0.0)).collect())
        } else {
            (Loss::Squared, rows.iter().map(|row| row.2).collect())
        };
        let model = fit(&features, &targets, loss, &settings);
        prop_assert!(model.predict(&features).unwrap().iter().all(|score| score.is_finite()));
        let text = serde_json::to_string(&model).unwrap();
        prop_assert_eq!(serde_json::from_str::<Boosted>(&text).unwrap(), model);
    }

    #[test]
    fn bins_keep_the_order_of_values(values in prop::collection::vec(-20_i16..20, 1..200), most in 2_u32..20) {
        let column: Vec<f64> = values.iter().map(|x| f64::from(*x)).collect();
        let binned = Binned::new(&matrix(vec![column.clone()]), most).unwrap();
        let own = &binned.columns()[0];
        prop_assert!(own.edges().len() < most as usize);
        prop_assert!(own.edges().windows(2).all(|pair| pair[0] < pair[1]));
        for (x, a) in column.iter().zip(own.codes()) {
            for (y, b) in column.iter().zip(own.codes()) {
                prop_assert!(x < y || a >= b);
            }
        }
    }
}
