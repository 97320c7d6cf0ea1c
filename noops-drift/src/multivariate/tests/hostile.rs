use proptest::prelude::*;

use super::*;
use crate::error::DriftError;
use crate::statistic::comparison::Verdict;

#[test]
fn incomplete_rows_are_left_out_and_counted() {
    let reference = Matrix::from_columns(vec![
        vec![1.0, 2.0, f64::NAN, 4.0, 7.0],
        vec![2.0, f64::INFINITY, 3.0, 1.0, 5.0],
    ])
    .unwrap();
    let energy = EnergyTest::fit(&reference, &quick()).unwrap();
    assert_eq!(energy.left_out(), 2);
    let comparison = energy.compare(&reference).unwrap();
    assert_eq!((comparison.n_reference(), comparison.n_current()), (3, 3));
    let mmd = RandomFourierMmd::fit(&reference, &MmdSettings::default()).unwrap();
    assert_eq!((mmd.reference().rows(), mmd.left_out()), (3, 2));
    let pca =
        PrincipalComponents::fit(&reference, &PrincipalComponentsSettings::default()).unwrap();
    assert_eq!(pca.left_out(), 2);
}

#[test]
fn constant_columns_do_not_take_part_and_are_listed() {
    let varying: Vec<f64> = (0..20).map(f64::from).collect();
    let reference =
        Matrix::from_columns(vec![vec![0.1; 20], varying.clone(), vec![-0.0; 20]]).unwrap();
    let elsewhere = Matrix::from_columns(vec![vec![9.0; 20], varying, vec![5.0; 20]]).unwrap();
    let settings = PrincipalComponentsSettings::default();
    let pca = PrincipalComponents::fit(&reference, &settings).unwrap();
    assert_eq!(pca.dropped_columns(), [0, 2]);
    let mmd = RandomFourierMmd::fit(&reference, &MmdSettings::default()).unwrap();
    assert_eq!(mmd.dropped_columns(), [0, 2]);
    let same = mmd.compare(&mmd.embed(&elsewhere).unwrap()).unwrap();
    assert_eq!(same.statistic(), 0.0);
    // The permutation tests see both sides at once, and so a constant that is another one now.
    for (name, comparison) in permutation_tests(&reference, &elsewhere, &quick()) {
        assert!(comparison.verdict().is_drift(), "{name}");
    }
    for (name, comparison) in permutation_tests(&reference, &reference, &quick()) {
        assert!(comparison.statistic() < 1e-6, "{name}");
    }

    let flat = Matrix::from_columns(vec![vec![0.1; 20]]).unwrap();
    for (name, comparison) in permutation_tests(&flat, &flat, &quick()) {
        assert_eq!(
            comparison.verdict(),
            Verdict::Undecided { visible_from: None },
            "{name}"
        );
    }
    let pca = PrincipalComponents::fit(&flat, &PrincipalComponentsSettings::default()).unwrap();
    assert_eq!(pca.components(), 0);
    assert_eq!(
        pca.compare(&flat).unwrap().verdict(),
        Verdict::Undecided { visible_from: None }
    );
}

#[test]
fn a_current_frame_without_a_row_is_undecided_and_a_reference_without_one_is_refused() {
    let empty = Matrix::from_columns(vec![Vec::new(), Vec::new()]).unwrap();
    let missing = Matrix::from_columns(vec![vec![f64::NAN; 3], vec![1.0, 2.0, 3.0]]).unwrap();
    let settings = PrincipalComponentsSettings::default();
    for nothing in [&empty, &missing] {
        assert_eq!(
            EnergyTest::fit(nothing, &quick()).unwrap_err(),
            DriftError::NoRows
        );
        assert_eq!(
            PrincipalComponents::fit(nothing, &settings).unwrap_err(),
            DriftError::NoRows
        );
        assert!(RandomFourierMmd::fit(nothing, &MmdSettings::default()).is_err());
        let some = correlated(20, 0.0, &mut SplitMix64(1));
        for (name, comparison) in permutation_tests(&some, nothing, &quick()) {
            assert_eq!(
                comparison.verdict(),
                Verdict::Undecided { visible_from: None },
                "{name}"
            );
        }
        let pca = PrincipalComponents::fit(&some, &settings).unwrap();
        assert_eq!(pca.compare(nothing).unwrap().n_current(), 0);
    }
}

#[test]
fn another_number_of_columns_is_refused() {
    let some = correlated(20, 0.0, &mut SplitMix64(1));
    let energy = EnergyTest::fit(&some, &quick()).unwrap();
    assert_eq!(
        energy.compare(&column(&some, 0)).unwrap_err().to_string(),
        "input `matrix` has `1` columns where the reference has `2`; pass the columns of the reference in their order"
    );
    let wide = Matrix::from_columns(vec![vec![0.0, 1.0]; 513]).unwrap();
    assert!(PrincipalComponents::fit(&wide, &PrincipalComponentsSettings::default()).is_err());
}

#[test]
fn settings_out_of_range_are_refused() {
    let some = correlated(20, 0.0, &mut SplitMix64(1));
    for settings in [
        PermutationSettings::default().with_permutations(19),
        PermutationSettings::default().with_permutations(u32::MAX),
        PermutationSettings::default().with_max_rows(1),
        PermutationSettings::default().with_max_rows(usize::MAX),
        PermutationSettings::default().with_relevant(f64::NAN),
    ] {
        assert!(EnergyTest::fit(&some, &settings).is_err(), "{settings:?}");
    }
    for features in [0, 3, u32::MAX] {
        let settings = MmdSettings::default().with_features(features);
        assert!(RandomFourierMmd::fit(&some, &settings).is_err());
    }
    for directions in [0, u32::MAX] {
        let settings = SlicedWassersteinSettings::default().with_directions(directions);
        assert!(SlicedWasserstein::fit(&some, &settings).is_err());
    }
    for share in [0.0, 1.0, f64::NAN] {
        let settings = PrincipalComponentsSettings::default().with_explained_variance(share);
        assert!(PrincipalComponents::fit(&some, &settings).is_err());
    }
}

#[test]
fn stored_states_that_contradict_themselves_are_refused() {
    let some = correlated(20, 0.0, &mut SplitMix64(1));
    let edited = |json: String, path: &[&str], value: Value| {
        let mut tree: Value = serde_json::from_str(&json).unwrap();
        let mut place = &mut tree;
        for step in path {
            place = place.get_mut(*step).unwrap();
        }
        *place = value;
        tree.to_string()
    };
    let energy = serde_json::to_string(&EnergyTest::fit(&some, &quick()).unwrap()).unwrap();
    assert!(serde_json::from_str::<EnergyTest>(&energy).is_ok());
    for (path, value) in [
        (&["reference", "columns"][..], serde_json::json!([])),
        (&["reference", "columns"][..], serde_json::json!([[], []])),
        (
            &["reference", "columns"][..],
            serde_json::json!([[1.0], []]),
        ),
        (
            &["reference", "columns"][..],
            serde_json::json!([vec![0.0; 20_001]]),
        ),
        (&["settings", "permutations"][..], serde_json::json!(1)),
    ] {
        let text = edited(energy.clone(), path, value);
        assert!(
            serde_json::from_str::<EnergyTest>(&text).is_err(),
            "{path:?}"
        );
    }
    let fit = RandomFourierMmd::fit(&some, &MmdSettings::default()).unwrap();
    let mmd = serde_json::to_string(&fit).unwrap();
    for (path, value) in [
        (&["reference", "rows"][..], serde_json::json!(0)),
        (&["reference", "rows"][..], serde_json::json!(u64::MAX)),
        (&["reference", "sums"][..], serde_json::json!([1])),
        (&["reference", "sums"][..], serde_json::json!([])),
        (&["settings", "features"][..], serde_json::json!(128)),
        (&["scaler", "width"][..], serde_json::json!(9)),
    ] {
        let text = edited(mmd.clone(), path, value);
        assert!(
            serde_json::from_str::<RandomFourierMmd>(&text).is_err(),
            "{path:?}"
        );
    }
    let fit = PrincipalComponents::fit(&some, &PrincipalComponentsSettings::default()).unwrap();
    let pca = serde_json::to_string(&fit).unwrap();
    for (path, value) in [
        (&["explained"][..], serde_json::json!([])),
        (&["held_out"][..], serde_json::json!([-1.0])),
        (&["components", "values"][..], serde_json::json!([3.0, 4.0])),
    ] {
        let text = edited(pca.clone(), path, value);
        assert!(
            serde_json::from_str::<PrincipalComponents>(&text).is_err(),
            "{path:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_numbers_whatever_make_a_panic_or_a_nan(
        reference in prop::collection::vec((any::<f64>(), any::<f64>()), 1..12),
        current in prop::collection::vec((any::<f64>(), any::<f64>()), 0..12),
    ) {
        let matrix = |rows: &[(f64, f64)]| {
            Matrix::from_columns(vec![
                rows.iter().map(|row| row.0).collect(),
                rows.iter().map(|row| row.1).collect(),
            ])
            .unwrap()
        };
        let (reference, current) = (matrix(&reference), matrix(&current));
        let complete = (0..reference.rows())
            .any(|row| reference.columns().iter().all(|column| column[row].is_finite()));
        prop_assume!(complete);
        let mut comparisons = permutation_tests(&reference, &current, &quick());
        let settings = PrincipalComponentsSettings::default();
        let pca = PrincipalComponents::fit(&reference, &settings).unwrap();
        comparisons.push(("pca", pca.compare(&current).unwrap()));
        let mmd = RandomFourierMmd::fit(&reference, &MmdSettings::default()).unwrap();
        comparisons.push(("bound", mmd.compare(&mmd.embed(&current).unwrap()).unwrap()));
        for (_, comparison) in comparisons {
            prop_assert!(comparison.statistic().is_finite());
            prop_assert!((0.0..=1.0).contains(&comparison.p_value()));
            prop_assert!(comparison.critical().is_none_or(f64::is_finite));
            prop_assert!(comparison.visible_from().is_none_or(f64::is_finite));
        }
    }
}
