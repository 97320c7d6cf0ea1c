use noops_core::Column;

use super::*;
use crate::explain::ExactShapley;

fn random_rows(seed: u64, rows: usize) -> Batch {
    let mut random = SplitMix64(seed);
    let mut column = || Column::Number((0..rows).map(|_| random.unit() as f32 * 2.0).collect());
    Batch::new((0..WIDTH).map(|_| column()).collect()).unwrap()
}

/// Products of two and of three, a maximum, and a feature that does nothing.
fn model(batch: &Batch) -> Result<Vec<f32>, Error> {
    let rows = batch.numbers().chunks(WIDTH);
    Ok(rows
        .map(|x| x[0] * x[1] - x[2] * x[3] * x[4] + x[1].max(x[5]) + x[0])
        .collect())
}

fn explain(method: &SampledShapley, rows: &Batch, background: &Batch) -> Vec<Explanation> {
    let groups = FeatureGroups::each(WIDTH);
    method
        .explain(&mut model, rows, background, &groups)
        .unwrap()
}

fn budget(evaluations: u64) -> NonZeroU64 {
    NonZeroU64::new(evaluations).unwrap()
}

#[test]
fn the_exact_values_are_within_the_standard_errors() {
    let (rows, background) = (random_rows(1, 20), random_rows(2, 10));
    let groups = FeatureGroups::each(WIDTH);
    let exact = ExactShapley::default()
        .explain(&mut model, &rows, &background, &groups)
        .unwrap();
    let method = SampledShapley::default()
        .with_wanted_error(0.0)
        .with_budget(budget(12_001));
    let sampled = explain(&method, &rows, &background);
    let (mut within_two, mut all) = (0, 0);
    for (sampled, exact) in sampled.iter().zip(&exact) {
        for (estimate, truth) in sampled.attributions().iter().zip(exact.attributions()) {
            let off = (estimate.value() - truth.value()).abs();
            let error = estimate.standard_error().unwrap();
            assert!(off <= 5.0 * error + 1e-6, "{estimate:?} and {truth:?}");
            within_two += usize::from(off <= 2.0 * error + 1e-6);
            all += 1;
        }
        assert!((sampled.base_value() - exact.base_value()).abs() < 1e-12);
        assert_eq!(sampled.attributions()[6].value(), 0.0, "it does nothing");
    }
    assert!(within_two * 100 >= all * 90, "{within_two} of {all}");
}

#[test]
fn they_add_up_whatever_is_drawn() {
    let (rows, background) = (random_rows(3, 10), random_rows(4, 3));
    for seed in 0..5 {
        let method = SampledShapley::default()
            .with_budget(budget(100))
            .with_seed(seed);
        for explained in explain(&method, &rows, &background) {
            assert!(explained.completeness_gap() < 1e-12, "{explained:?}");
        }
    }
}

#[test]
fn it_stops_at_the_wanted_error_or_at_the_budget() {
    let (row, background) = (random_rows(5, 1), random_rows(6, 4));
    let worst = |explained: &Explanation| {
        let errors = explained.attributions().iter();
        errors
            .filter_map(|part| part.standard_error())
            .fold(0.0, f64::max)
    };
    let method = SampledShapley::default().with_wanted_error(0.02);
    let good = &explain(&method, &row, &background)[0];
    assert!(worst(good) <= 0.02, "{good:?}");
    assert!(good.evaluations() < 20_000, "{}", good.evaluations());
    let poor = &explain(&method.with_budget(budget(400)), &row, &background)[0];
    assert!(worst(poor) > 0.02);
    assert!(poor.evaluations() <= 4 + 400, "{}", poor.evaluations());
    let nan = SampledShapley::default().with_wanted_error(f64::NAN);
    let spent = &explain(&nan.with_budget(budget(1000)), &row, &background)[0];
    assert!(spent.evaluations() > 900);
}

#[test]
fn a_row_is_told_the_same_alone_and_beside_others() {
    let (rows, background) = (random_rows(7, 3), random_rows(8, 4));
    let method = SampledShapley::default().with_budget(budget(500));
    let together = explain(&method, &rows, &background);
    let small = method
        .clone()
        .with_batch_rows(NonZeroUsize::new(5).unwrap());
    for (row, expected) in together.iter().enumerate() {
        let alone = explain(&small, &rows.take(&[row]), &background);
        assert_eq!(alone[0].attributions(), expected.attributions());
    }
    assert_ne!(explain(&method.with_seed(9), &rows, &background), together);
}

#[test]
fn one_group_takes_all_the_difference() {
    let (row, background) = (random_rows(9, 1), random_rows(10, 2));
    let groups = FeatureGroups::new(WIDTH, [(0..WIDTH).collect()]).unwrap();
    let method = SampledShapley::default();
    let explained = &method
        .explain(&mut model, &row, &background, &groups)
        .unwrap()[0];
    let part = explained.attributions()[0];
    assert!((part.value() - (explained.prediction() - explained.base_value())).abs() < 1e-12);
    assert_eq!(
        (part.standard_error(), explained.evaluations()),
        (Some(0.0), 3)
    );
}

#[test]
fn a_budget_below_two_rounds_is_refused() {
    let (row, background) = (random_rows(11, 1), random_rows(12, 5));
    let needed = 2 * 2 * 5 * (WIDTH as u64 - 1) + 1;
    let groups = FeatureGroups::each(WIDTH);
    let try_with = |evaluations| {
        let method = SampledShapley::default().with_budget(budget(evaluations));
        method.explain(&mut model, &row, &background, &groups)
    };
    assert!(try_with(needed).is_ok());
    let error = try_with(needed - 1).unwrap_err().to_string();
    assert!(error.contains(&format!("needed `{needed}`")), "{error}");
}

const WIDTH: usize = 7;
