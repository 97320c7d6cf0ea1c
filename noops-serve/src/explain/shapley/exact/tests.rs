use noops_core::Column;
use noops_stats::SplitMix64;
use proptest::prelude::*;

use super::*;

fn numbers(rows: &[&[f32]]) -> Batch {
    let width = rows[0].len();
    let column = |at: usize| Column::Number(rows.iter().map(|row| row[at]).collect());
    Batch::new((0..width).map(column).collect()).unwrap()
}

fn values(explanation: &Explanation) -> Vec<f64> {
    explanation
        .attributions()
        .iter()
        .map(|part| part.value())
        .collect()
}

#[test]
fn of_a_linear_model_they_are_weight_times_distance_from_the_mean() {
    let weights = [2.0, -1.0, 0.5];
    let mut model = |batch: &Batch| {
        let rows = batch.numbers().chunks(3);
        Ok(rows
            .map(|x| x.iter().zip(weights).map(|(x, w)| x * w).sum())
            .collect())
    };
    let background = numbers(&[&[0.0, 1.0, 2.0], &[2.0, 3.0, 4.0]]);
    let rows = numbers(&[&[4.0, 0.0, 1.0], &[1.0, 2.0, 3.0]]);
    let groups = FeatureGroups::each(3);
    let explained = ExactShapley::default()
        .explain(&mut model, &rows, &background, &groups)
        .unwrap();
    assert_eq!(values(&explained[0]), [6.0, 2.0, -1.0]);
    assert_eq!(values(&explained[1]), [0.0, 0.0, 0.0]);
    assert_eq!(
        (explained[0].base_value(), explained[0].prediction()),
        (1.5, 8.5)
    );
    assert_eq!(
        explained[0].evaluations(),
        2 + 1 + 2 * 6,
        "with the background"
    );
    assert_eq!(explained[1].evaluations(), 1 + 2 * 6, "without it");
}

/// `tanh(x₀ x₁) + x₂ max(x₃, 0) − |x₁ − x₃|`, as `testdata` was made with.
fn curved(batch: &Batch) -> Result<Vec<f32>, Error> {
    let rows = batch.numbers().chunks(4);
    Ok(rows
        .map(|x| (x[0] * x[1]).tanh() + x[2] * x[3].max(0.0) - (x[1] - x[3]).abs())
        .collect())
}

#[test]
fn they_are_those_of_the_shap_package() {
    // shap.explainers.Exact(curved, shap.maskers.Independent(background))(row), shap 0.51, in double precision, with
    // background = [[0, 0, 0, 0], [1, -1, .5, 2], [-.5, .25, 1, -1]] and row = [1.5, .75, -2, 1].
    let background = numbers(&[
        &[0.0, 0.0, 0.0, 0.0],
        &[1.0, -1.0, 0.5, 2.0],
        &[-0.5, 0.25, 1.0, -1.0],
    ]);
    let row = numbers(&[&[1.5, 0.75, -2.0, 1.0]]);
    let explained = ExactShapley::default()
        .explain(&mut curved, &row, &background, &FeatureGroups::each(4))
        .unwrap();
    for (found, expected) in values(&explained[0]).iter().zip(SHAP) {
        assert!((found - expected).abs() < 1e-6, "{found} and {expected}");
    }
    assert!((explained[0].base_value() - SHAP_BASE).abs() < 1e-6);
    assert!(explained[0].completeness_gap() < 1e-12);
}

/// The definition: the mean over all orders of what a group adds to those before it.
fn by_orders(worth: &dyn Fn(usize) -> f64, players: usize) -> Vec<f64> {
    fn orders(left: Vec<usize>) -> Vec<Vec<usize>> {
        if left.is_empty() {
            return vec![Vec::new()];
        }
        let with = |&first: &usize| {
            let rest: Vec<usize> = left.iter().copied().filter(|&p| p != first).collect();
            orders(rest).into_iter().map(move |mut order| {
                order.insert(0, first);
                order
            })
        };
        left.iter().flat_map(with).collect()
    }
    let all = orders((0..players).collect());
    let mut values = vec![0.0; players];
    for order in &all {
        let mut set = 0;
        for &player in order {
            values[player] += (worth(set | 1 << player) - worth(set)) / all.len() as f64;
            set |= 1 << player;
        }
    }
    values
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn they_are_what_the_definition_says(seed in 0_u64..1000, players in 1_usize..6) {
        // A random game: the answer depends on which columns hold a one.
        let mut random = SplitMix64(seed);
        let table: Vec<f32> = (0..1 << players).map(|_| random.unit() as f32).collect();
        let of = |x: &[f32]| x.iter().enumerate().map(|(at, &x)| (x as usize) << at).sum::<usize>();
        let mut model = |batch: &Batch| Ok(batch.numbers().chunks(players).map(|x| table[of(x)]).collect());
        let (row, zero) = (vec![1.0; players], vec![0.0; players]);
        let explained = ExactShapley::default()
            .with_batch_rows(NonZeroUsize::new(3).unwrap())
            .explain(&mut model, &numbers(&[&row]), &numbers(&[&zero]), &FeatureGroups::each(players))
            .unwrap();
        let expected = by_orders(&|set| f64::from(table[set]), players);
        for (found, expected) in values(&explained[0]).iter().zip(expected) {
            prop_assert!((found - expected).abs() < 1e-12);
        }
    }
}

#[test]
fn categories_take_part_and_groups_count_once() {
    let mut model = |batch: &Batch| {
        let rows = batch.numbers().chunks(2).zip(batch.codes());
        Ok(rows.map(|(x, &code)| x[0] * x[1] + code as f32).collect())
    };
    let batch = |x: f32, code: u32, y: f32| {
        let columns = [
            Column::Number(vec![x]),
            Column::Category(vec![code]),
            Column::Number(vec![y]),
        ];
        Batch::new(columns.into()).unwrap()
    };
    let groups = FeatureGroups::new(3, [vec![0, 2], vec![1]]).unwrap();
    let explained = ExactShapley::default()
        .explain(
            &mut model,
            &batch(2.0, 3, 5.0),
            &batch(0.0, 1, 0.0),
            &groups,
        )
        .unwrap();
    assert_eq!(values(&explained[0]), [10.0, 2.0]);
}

#[test]
fn sixteen_groups_are_the_most() {
    let mut sum = |batch: &Batch| {
        let width = batch.number_columns();
        Ok(batch
            .numbers()
            .chunks(width)
            .map(|x| x.iter().sum())
            .collect())
    };
    let mut explain = |width: usize, method: ExactShapley| {
        let (row, zero) = (vec![1.0; width], vec![0.0; width]);
        method.explain(
            &mut sum,
            &numbers(&[&row]),
            &numbers(&[&zero]),
            &FeatureGroups::each(width),
        )
    };
    let explained = explain(16, ExactShapley::default()).unwrap();
    assert!(
        values(&explained[0])
            .iter()
            .all(|value| (value - 1.0).abs() < 1e-9)
    );
    assert!(explain(17, ExactShapley::default()).is_err());
    let few = NonZeroU64::new(1023).unwrap();
    assert!(explain(10, ExactShapley::default().with_max_evaluations(few)).is_err());
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let rows = numbers(&[&[1.0, 2.0]]);
    let groups = FeatureGroups::each(2);
    let explain = |rows: &Batch, background: &Batch, groups: &FeatureGroups| {
        let mut model = |batch: &Batch| Ok(vec![0.0; batch.rows()]);
        ExactShapley::default().explain(&mut model, rows, background, groups)
    };
    assert!(explain(&rows, &rows.take(&[]), &groups).is_err());
    assert!(explain(&rows, &numbers(&[&[1.0]]), &groups).is_err());
    assert!(explain(&rows, &rows, &FeatureGroups::each(3)).is_err());
    assert!(explain(&rows.take(&[]), &rows, &groups).unwrap().is_empty());
    let mut nothing = |_: &Batch| Ok(vec![f32::NAN]);
    assert!(
        ExactShapley::default()
            .explain(&mut nothing, &rows, &rows, &groups)
            .is_err()
    );
}
const SHAP: [f64; 4] = [
    0.415_044_659_833_686_94,
    1.272_905_462_943_880_7,
    -2.083_333_333_333_333_5,
    0.333_333_333_333_333_15,
];
const SHAP_BASE: f64 = -1.378_649_052_575_786_8;
