use proptest::prelude::*;

use super::*;

fn matrix(rows: &[[f64; 2]]) -> Matrix {
    let column = |index: usize| rows.iter().map(|row| row[index]).collect();
    Matrix::from_columns(vec![column(0), column(1)]).unwrap()
}

/// The mean over all pairs of the kernel that the features stand for.
fn mean_kernel(frequencies: &Rows, one: &Rows, other: &Rows) -> f64 {
    let mut sum = 0.0;
    for x in one.iter() {
        for y in other.iter() {
            let difference: Vec<f64> = x.iter().zip(y).map(|(a, b)| a - b).collect();
            let kernel: f64 = frequencies.iter().map(|w| dot(w, &difference).cos()).sum();
            sum += kernel / frequencies.len() as f64;
        }
    }
    sum / (one.len() * other.len()) as f64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_distance_of_embeddings_is_the_kernel_distance_over_all_pairs(
        reference in prop::collection::vec(prop::array::uniform2(-4.0_f64..4.0), 2..20),
        current in prop::collection::vec(prop::array::uniform2(-4.0_f64..4.0), 1..20),
    ) {
        let settings = MmdSettings::default().with_features(32);
        let (reference, current) = (matrix(&reference), matrix(&current));
        let mmd = RandomFourierMmd::fit(&reference, &settings).unwrap();
        let x = mmd.scaler.apply(&reference).unwrap().rows;
        let y = mmd.scaler.apply(&current).unwrap().rows;
        let squared = mean_kernel(&mmd.frequencies, &x, &x) + mean_kernel(&mmd.frequencies, &y, &y)
            - 2.0 * mean_kernel(&mmd.frequencies, &x, &y);
        let statistic = mmd.compare(&mmd.embed(&current).unwrap()).unwrap().statistic();
        // Each mean feature is rounded by at most 2^-33.
        prop_assert!((statistic * statistic - squared).abs() < 1e-8, "{} {}", statistic * statistic, squared);
    }

    #[test]
    fn any_split_and_order_of_the_rows_gives_the_same_bytes(
        rows in prop::collection::vec(prop::array::uniform2(-4.0_f64..4.0), 2..30),
        cut in 0_usize..30,
    ) {
        let mmd = RandomFourierMmd::fit(&matrix(&rows), &MmdSettings::default()).unwrap();
        let whole = mmd.embed(&matrix(&rows)).unwrap();
        let (head, tail) = rows.split_at(cut.min(rows.len()));
        let reversed: Vec<[f64; 2]> = head.iter().rev().copied().collect();
        let mut merged = mmd.embed(&matrix(tail)).unwrap();
        merged.merge(&mmd.embed(&matrix(&reversed)).unwrap()).unwrap();
        prop_assert_eq!(
            serde_json::to_vec(&merged).unwrap(),
            serde_json::to_vec(&whole).unwrap()
        );
        prop_assert_eq!(&whole, mmd.reference());
    }
}

#[test]
fn embeddings_of_different_references_do_not_mix() {
    let one =
        RandomFourierMmd::fit(&matrix(&[[0.0, 1.0], [1.0, 0.0]]), &MmdSettings::default()).unwrap();
    let other =
        RandomFourierMmd::fit(&matrix(&[[0.0, 1.0], [2.0, 0.0]]), &MmdSettings::default()).unwrap();
    let mut mine = one.embed(&matrix(&[[0.5, 0.5]])).unwrap();
    let before = mine.clone();
    assert!(mine.merge(other.reference()).is_err());
    assert_eq!(mine, before);
    assert_eq!(
        one.compare(other.reference()).unwrap_err().to_string(),
        "input `embedding` was made for another reference; embed the rows again"
    );
}

#[test]
fn the_bound_is_the_one_stated() {
    let rows: Vec<[f64; 2]> = (0..50)
        .map(|i| [f64::from(i), f64::from(i * i % 7)])
        .collect();
    let mmd = RandomFourierMmd::fit(&matrix(&rows), &MmdSettings::default()).unwrap();
    let same = mmd.compare(mmd.reference()).unwrap();
    assert_eq!((same.statistic(), same.p_value()), (0.0, 1.0));
    let spread = (2.0_f64 / 50.0).sqrt();
    let critical = spread * (1.0 + (2.0 * 20.0_f64.ln()).sqrt());
    assert!((same.critical().unwrap() - critical).abs() < 1e-12);

    // One row against fifty shows nothing: no two mean embeddings are further apart than √2.
    let lone = mmd
        .compare(&mmd.embed(&matrix(&rows[..1])).unwrap())
        .unwrap();
    assert_eq!((lone.critical(), lone.visible_from()), (None, None));

    let far: Vec<[f64; 2]> = rows.iter().map(|row| [row[0] + 500.0, row[1]]).collect();
    let moved = mmd.compare(&mmd.embed(&matrix(&far)).unwrap()).unwrap();
    let excess = moved.statistic() / spread - 1.0;
    assert!((moved.p_value() - (-0.5 * excess * excess).exp()).abs() < 1e-12);
    assert!(moved.verdict().is_drift());
}
