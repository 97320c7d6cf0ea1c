mod hostile;
mod simulation;

use serde_json::Value;

use super::permutation::PermutationLaw;
use super::*;
use crate::matrix::Matrix;
use crate::testing::{Draws as _, SplitMix64};

/// What the tests have in common, so that each claim is checked of all of them.
fn permutation_tests(
    reference: &Matrix,
    current: &Matrix,
    settings: &PermutationSettings,
) -> Vec<(&'static str, crate::statistic::Comparison)> {
    let energy = EnergyTest::fit(reference, settings).unwrap();
    let sliced_settings = SlicedWassersteinSettings::default()
        .with_test(settings.clone())
        .with_directions(16);
    let sliced = SlicedWasserstein::fit(reference, &sliced_settings).unwrap();
    let mmd_settings = MmdSettings::default()
        .with_test(settings.clone())
        .with_features(64);
    let mmd = RandomFourierMmd::fit(reference, &mmd_settings).unwrap();
    vec![
        ("energy", energy.compare(current).unwrap()),
        ("sliced Wasserstein", sliced.compare(current).unwrap()),
        ("mmd", mmd.compare_rows(reference, current).unwrap()),
    ]
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../../testdata/multivariate.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

fn matrix(value: &Value) -> Matrix {
    Matrix::from_columns(value.as_array().unwrap().iter().map(numbers).collect()).unwrap()
}

fn column(matrix: &Matrix, index: usize) -> Matrix {
    Matrix::from_columns(vec![matrix.columns()[index].clone()]).unwrap()
}

fn quick() -> PermutationSettings {
    PermutationSettings::default().with_permutations(39)
}

fn close(ours: f64, theirs: f64) {
    assert!(
        (ours - theirs).abs() <= 1e-10 * theirs.abs(),
        "{ours} is not {theirs}"
    );
}

#[test]
fn one_column_gives_the_energy_and_wasserstein_distances_of_scipy() {
    let golden = golden();
    let (reference, current) = (matrix(&golden["reference"]), matrix(&golden["current"]));
    let energies = numbers(&golden["one_column"]["energy"]);
    let wassersteins = numbers(&golden["one_column"]["wasserstein"]);
    for (index, (energy, wasserstein)) in energies.iter().zip(&wassersteins).enumerate() {
        let (reference, current) = (column(&reference, index), column(&current, index));
        let test = EnergyTest::fit(&reference, &quick()).unwrap();
        close(test.compare(&current).unwrap().statistic(), *energy);
        let settings = SlicedWassersteinSettings::default().with_test(quick());
        let test = SlicedWasserstein::fit(&reference, &settings).unwrap();
        close(test.compare(&current).unwrap().statistic(), *wasserstein);
    }
}

#[test]
fn several_columns_give_the_distances_of_scipy() {
    let golden = golden();
    let (reference, current) = (matrix(&golden["reference"]), matrix(&golden["current"]));
    let energy = EnergyTest::fit(&reference, &quick())
        .unwrap()
        .compare(&current)
        .unwrap();
    close(
        energy.statistic(),
        golden["energy"]["value"].as_f64().unwrap(),
    );

    // Random directions and features approximate, the closer the more there are.
    let settings = SlicedWassersteinSettings::default()
        .with_test(quick())
        .with_directions(2_000);
    let sliced = SlicedWasserstein::fit(&reference, &settings)
        .unwrap()
        .compare(&current)
        .unwrap();
    let expected = golden["sliced_wasserstein"]["value"].as_f64().unwrap();
    assert!(
        (sliced.statistic() - expected).abs() < 0.03,
        "{}",
        sliced.statistic()
    );
    let settings = MmdSettings::default()
        .with_test(quick())
        .with_features(4_096);
    let mmd = RandomFourierMmd::fit(&reference, &settings).unwrap();
    let mmd = mmd.compare(&mmd.embed(&current).unwrap()).unwrap();
    let expected = golden["mmd"]["value"].as_f64().unwrap();
    assert!(
        (mmd.statistic() - expected).abs() < 0.04,
        "{} {expected}",
        mmd.statistic()
    );
}

#[test]
fn components_errors_and_p_value_are_those_of_scikit_learn_and_scipy() {
    let golden = golden();
    let (reference, current) = (matrix(&golden["reference"]), matrix(&golden["current"]));
    let pca = &golden["pca"];
    let settings = PrincipalComponentsSettings::default();
    let components = PrincipalComponents::fit(&reference, &settings).unwrap();
    assert_eq!(
        Some(components.components() as u64),
        pca["components"].as_u64()
    );
    for (ours, theirs) in components
        .explained_variance()
        .iter()
        .zip(numbers(&pca["explained"]))
    {
        close(*ours, theirs);
    }
    let errors = components.errors(&current).unwrap();
    assert_eq!(errors.len(), 90);
    for (ours, theirs) in errors.iter().zip(numbers(&pca["current_errors"])) {
        close(*ours, theirs);
    }
    let held_out = numbers(&pca["held_out_errors"]);
    close(
        components.reference_error(),
        held_out.iter().sum::<f64>() / held_out.len() as f64,
    );
    let comparison = components.compare(&current).unwrap();
    close(
        comparison.statistic(),
        pca["difference"].as_f64().unwrap().abs(),
    );
    let expected = pca["p_value"].as_f64().unwrap();
    assert!(
        (comparison.p_value() - expected).abs() <= 1e-6 * expected,
        "{}",
        comparison.p_value()
    );
    assert_eq!((comparison.n_reference(), comparison.n_current()), (60, 90));
}

#[test]
fn p_values_count_the_permutations_that_reach_the_statistic() {
    // Five values of the statistic in a row: the data's own and four permuted ones.
    let settings = PermutationSettings::default().with_permutations(19);
    let mut calls = 0_u32;
    let law = PermutationLaw::draw(3, 2, &settings, |mask| {
        assert_eq!((mask.len(), mask.iter().filter(|is| **is).count()), (5, 3));
        calls += 1;
        f64::from(if calls == 1 { 17 } else { calls })
    });
    // Permuted values are 2, …, 20; 17, 18, 19 and 20 reach 17.
    let measured = law.measure(noops_core::Alpha::new(0.3).unwrap());
    assert_eq!(measured.p_value, 5.0 / 20.0);
    // p is below 0.3 while at most four permuted values reach the statistic: beyond 16.
    assert_eq!(measured.critical, Some(16.0));
    // 0.07 · 100 is a little more than 7, but a p-value of 7 / 100 is not below 0.07.
    let hundred = PermutationSettings::default().with_permutations(99);
    let mut calls = 0_u32;
    let law = PermutationLaw::draw(3, 2, &hundred, |_| {
        calls += 1;
        f64::from(calls)
    });
    let seven = law.measure(noops_core::Alpha::new(0.07).unwrap());
    assert_eq!(seven.critical, Some(95.0), "five of 2, …, 100 are larger");
    let blank =
        PermutationLaw::draw(2, 2, &settings, |_| 0.0).measure(noops_core::Alpha::FIVE_PERCENT);
    assert_eq!(blank.p_value, 1.0, "ties count against drift");
}

#[test]
fn the_same_seed_gives_the_same_answer_and_states_survive_storage() {
    let golden = golden();
    let (reference, current) = (matrix(&golden["reference"]), matrix(&golden["current"]));
    let settings = quick().with_max_rows(40);
    assert_eq!(
        permutation_tests(&reference, &current, &settings),
        permutation_tests(&reference, &current, &settings)
    );
    let other = permutation_tests(&reference, &current, &settings.clone().with_seed(1));
    assert_ne!(permutation_tests(&reference, &current, &settings), other);

    let energy = EnergyTest::fit(&reference, &settings).unwrap();
    let stored: EnergyTest = through_json(&energy);
    assert_eq!(stored.compare(&current), energy.compare(&current));
    let sliced = SlicedWasserstein::fit(&reference, &SlicedWassersteinSettings::default()).unwrap();
    assert_eq!(through_json(&sliced), sliced);
    let pca =
        PrincipalComponents::fit(&reference, &PrincipalComponentsSettings::default()).unwrap();
    assert_eq!(through_json(&pca), pca);
    let mmd = RandomFourierMmd::fit(&reference, &MmdSettings::default()).unwrap();
    let stored: RandomFourierMmd = through_json(&mmd);
    // An embedding made before the restart fits the reference read after it.
    assert_eq!(
        stored.compare(&mmd.embed(&current).unwrap()),
        mmd.compare(&mmd.embed(&current).unwrap())
    );
}

#[test]
fn the_unit_of_a_column_does_not_matter_however_small() {
    let golden = golden();
    let (reference, current) = (matrix(&golden["reference"]), matrix(&golden["current"]));
    // A power of two, so that standardising gives the same bits.
    let tiny = |matrix: &Matrix| {
        let scale = 2.0_f64.powi(-300);
        let columns = matrix
            .columns()
            .iter()
            .map(|column| column.iter().map(|x| x * scale).collect());
        Matrix::from_columns(columns.collect::<Vec<Vec<f64>>>()).unwrap()
    };
    let settings = quick().with_max_rows(50);
    assert_eq!(
        permutation_tests(&reference, &current, &settings),
        permutation_tests(&tiny(&reference), &tiny(&current), &settings)
    );
}

fn through_json<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

/// Two columns with this correlation, each with mean 0 and deviation 1.
fn correlated(rows: usize, correlation: f64, random: &mut SplitMix64) -> Matrix {
    let own = (1.0 - correlation * correlation).sqrt();
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let shared = random.bell();
        one.push(shared);
        other.push(correlation * shared + own * random.bell());
    }
    Matrix::from_columns(vec![one, other]).unwrap()
}
