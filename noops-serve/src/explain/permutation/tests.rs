use noops_core::Column;

use super::*;

/// `3 x₀ − x₁ + 0 x₂ + [code = 2]`.
fn model(batch: &Batch) -> Result<Vec<f32>, Error> {
    let rows = batch.numbers().chunks(3).zip(batch.codes());
    Ok(rows
        .map(|(x, &code)| 3.0 * x[0] - x[1] + f32::from(u8::from(code == 2)))
        .collect())
}

fn rows() -> Batch {
    let mut random = SplitMix64(1);
    let mut number = || Column::Number((0..200).map(|_| random.unit() as f32).collect());
    let columns = [number(), number(), number()];
    let codes = Column::Category((0..200).map(|row| row % 2 + 1).collect());
    Batch::new(columns.into_iter().chain([codes]).collect()).unwrap()
}

/// The negated mean squared error against what the model says itself.
fn fit(rows: &Batch) -> impl Fn(&[f32]) -> f64 + use<> {
    let truth = model(rows).unwrap();
    move |scores| {
        let errors = scores.iter().zip(&truth);
        -errors.map(|(s, y)| f64::from((s - y).powi(2))).sum::<f64>() / truth.len() as f64
    }
}

#[test]
fn a_linear_model_loses_twice_the_variance_of_what_is_shuffled() {
    // Over all orders, the mean of (x_i − x_π(i))² is 2 var(x); the error is w² times that.
    let rows = rows();
    let found = PermutationImportance::default()
        .with_repeats(NonZeroUsize::new(200).unwrap())
        .measure(&mut model, &rows, &FeatureGroups::each(4), fit(&rows))
        .unwrap();
    assert_eq!(found.baseline(), 0.0);
    assert_eq!(found.evaluations(), 200 * (1 + 4 * 200));
    let variance = |values: &[f32]| {
        let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / 200.0;
        values
            .iter()
            .map(|&x| (f64::from(x) - mean).powi(2))
            .sum::<f64>()
            / 200.0
    };
    for (index, weight) in [(0, 3.0), (1, 1.0), (2, 0.0)] {
        let Some(Column::Number(values)) = rows.column(index) else {
            panic!("a number")
        };
        let expected = 2.0 * weight * weight * variance(&values);
        let importance = found.importances()[index];
        let error = importance.standard_error().unwrap();
        assert!(
            (importance.mean() - expected).abs() <= 4.0 * error,
            "{importance:?}, {expected}"
        );
    }
    let code = found.importances()[3];
    assert!(
        (code.mean() - 0.5).abs() <= 4.0 * code.standard_error().unwrap(),
        "{code:?}"
    );
    let ranked: Vec<usize> = found.top(2).iter().map(Importance::group).collect();
    assert_eq!(ranked, [0, 3]);
}

#[test]
fn a_group_is_shuffled_as_one() {
    // x₀ − x₁ of two equal columns: together they say nothing, apart they say much.
    let values = || Column::Number((0..50).map(|row| row as f32).collect());
    let rows = Batch::new(vec![values(), values()]).unwrap();
    let mut difference =
        |batch: &Batch| Ok(batch.numbers().chunks(2).map(|x| x[0] - x[1]).collect());
    let fit = |scores: &[f32]| -scores.iter().map(|s| f64::from(s.abs())).sum::<f64>();
    let method = PermutationImportance::default();
    let groups = FeatureGroups::new(2, [vec![0, 1]]).unwrap();
    let together = method
        .measure(&mut difference, &rows, &groups, fit)
        .unwrap();
    assert_eq!(together.importances()[0].mean(), 0.0);
    let apart = method
        .measure(&mut difference, &rows, &FeatureGroups::each(2), fit)
        .unwrap();
    assert!(apart.importances().iter().all(|found| found.mean() > 100.0));
}

#[test]
fn a_loss_is_worse_when_it_is_higher() {
    let rows = rows();
    let groups = FeatureGroups::each(4);
    let method = PermutationImportance::default().with_seed(3);
    let fit = fit(&rows);
    let higher = method.measure(&mut model, &rows, &groups, &fit).unwrap();
    let lower = method
        .with_better(Better::Lower)
        .measure(&mut model, &rows, &groups, |scores| -fit(scores))
        .unwrap();
    assert_eq!(higher.importances(), lower.importances());
}

#[test]
fn the_shuffles_depend_on_the_seed_and_on_nothing_else() {
    let rows = rows();
    let measure = |method: PermutationImportance| {
        method
            .measure(&mut model, &rows, &FeatureGroups::each(4), fit(&rows))
            .unwrap()
    };
    let method = PermutationImportance::default();
    let small = method
        .clone()
        .with_batch_rows(NonZeroUsize::new(7).unwrap());
    assert_eq!(measure(method.clone()), measure(small));
    assert_ne!(measure(method.clone()), measure(method.with_seed(1)));
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let rows = rows();
    let method = PermutationImportance::default();
    let groups = FeatureGroups::each(4);
    assert!(
        method
            .measure(&mut model, &rows, &FeatureGroups::each(3), |_| 0.0)
            .is_err()
    );
    assert!(
        method
            .measure(&mut model, &rows.take(&[]), &groups, |_| 0.0)
            .is_err()
    );
    assert!(
        method
            .measure(&mut model, &rows, &groups, |_| f64::NAN)
            .is_err()
    );
    let one = method.with_repeats(NonZeroUsize::MIN);
    let found = one.measure(&mut model, &rows, &groups, fit(&rows)).unwrap();
    assert_eq!(found.importances()[0].standard_error(), None);
}
