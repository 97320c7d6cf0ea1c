use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use proptest::prelude::*;

use super::{Binning, Profile, ProfileSettings};
use crate::counts::Counts;
use crate::error::DriftError;

fn frame(numbers: Vec<Option<f64>>, words: Vec<Option<&str>>) -> RecordBatch {
    let x: ArrayRef = Arc::new(Float64Array::from(numbers));
    let word: ArrayRef = Arc::new(StringArray::from(words));
    RecordBatch::try_from_iter([("x", x), ("word", word)]).unwrap()
}

fn small() -> RecordBatch {
    frame(
        vec![
            Some(1.0),
            Some(2.0),
            None,
            Some(f64::NAN),
            Some(f64::INFINITY),
            Some(3.0),
        ],
        vec![Some("b"), Some("a"), Some("b"), None, Some("c"), Some("b")],
    )
}

fn profile() -> Profile {
    Profile::fit(&[small()], &ProfileSettings::default()).unwrap()
}

#[test]
fn every_row_is_counted_once() {
    let profile = profile();
    let x = profile.column("x").unwrap().counts();
    assert_eq!(
        (x.missing(), x.not_finite(), x.present(), x.rows()),
        (1, 2, 3, 6)
    );
    let word = profile.column("word").unwrap();
    assert_eq!(word.counts().bins(), &[1, 3, 1]);
    assert_eq!(word.counts().missing(), 1);
    let Binning::Category { categories } = word.binning() else {
        panic!("{word:?}")
    };
    assert_eq!(categories, &["a", "b", "c"]);
}

#[test]
fn the_reference_counted_again_is_the_profile() {
    let profile = profile();
    let mut counts = Counts::new(&profile);
    counts.observe(&profile, &small()).unwrap();
    for (column, again) in profile.columns().iter().zip(counts.columns()) {
        assert_eq!(column.counts(), again);
    }
}

#[test]
fn strange_values_are_told_apart() {
    let profile = profile();
    let mut counts = Counts::new(&profile);
    let later = frame(
        vec![Some(0.0), Some(9.0), Some(2.5)],
        vec![Some("z"), Some("a"), None],
    );
    counts.observe(&profile, &later).unwrap();
    let [x, word] = counts.columns() else {
        panic!("{counts:?}")
    };
    assert_eq!((x.below(), x.above(), x.out_of_range()), (1, 1, 2));
    assert_eq!((word.unseen(), word.missing()), (1, 1));
}

#[test]
fn integers_booleans_and_dictionaries_are_read() {
    let dictionary: DictionaryArray<Int32Type> = [Some("u"), None, Some("v")].into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "small",
            Arc::new(Int32Array::from(vec![1, 2, 3])) as ArrayRef,
        ),
        (
            "large",
            Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])) as ArrayRef,
        ),
        (
            "flag",
            Arc::new(BooleanArray::from(vec![true, false, true])) as ArrayRef,
        ),
        ("word", Arc::new(dictionary) as ArrayRef),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let profile = Profile::fit(&[batch], &ProfileSettings::default()).unwrap();
    let present: Vec<u64> = profile
        .columns()
        .iter()
        .map(|column| column.counts().present())
        .collect();
    assert_eq!(present, vec![3, 2, 3, 2]);
    assert_eq!(profile.column("flag").unwrap().counts().bins(), &[1, 2]);
}

#[test]
fn rare_categories_beyond_the_cap_are_unlisted() {
    let words = vec![Some("a"), Some("a"), Some("b"), Some("b"), Some("c")];
    let settings = ProfileSettings::default().with_max_categories(NonZeroUsize::new(2).unwrap());
    let profile = Profile::fit(&[frame(vec![None; 5], words)], &settings).unwrap();
    let word = profile.column("word").unwrap().counts();
    assert_eq!((word.bins(), word.unseen()), (&[2, 2][..], 1));
}

#[test]
fn a_frame_that_fails_in_one_column_is_counted_in_none() {
    let profile = profile();
    let mut counts = Counts::new(&profile);
    let x: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let without = RecordBatch::try_from_iter([("x", x.clone())]).unwrap();
    let missing = counts.observe(&profile, &without);
    assert_eq!(
        missing,
        Err(DriftError::MissingColumn {
            column: "word".to_owned()
        })
    );
    let changed = RecordBatch::try_from_iter([("x", x.clone()), ("word", x)]).unwrap();
    let changed = counts.observe(&profile, &changed);
    assert!(matches!(changed, Err(DriftError::TypeChanged { column, .. }) if column == "word"));
    assert_eq!(counts, Counts::new(&profile));
}

#[test]
fn a_name_that_two_columns_of_a_batch_have_is_refused() {
    let x: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
    let single = RecordBatch::try_from_iter([("x", x.clone())]).unwrap();
    let double = RecordBatch::try_from_iter([("x", x.clone()), ("x", x)]).unwrap();
    let duplicate = DriftError::DuplicateColumn {
        column: "x".to_owned(),
    };
    let chosen = ProfileSettings::default().with_columns(["x"]);
    for settings in [ProfileSettings::default(), chosen] {
        let first = Profile::fit(std::slice::from_ref(&double), &settings);
        assert_eq!(first, Err(duplicate.clone()));
        let later = Profile::fit(&[single.clone(), double.clone()], &settings);
        assert_eq!(later, Err(duplicate.clone()));

        let profile = Profile::fit(std::slice::from_ref(&single), &settings).unwrap();
        let mut counts = Counts::new(&profile);
        assert_eq!(counts.observe(&profile, &double), Err(duplicate.clone()));
        assert_eq!(counts, Counts::new(&profile));
    }
}

#[test]
fn counts_of_another_profile_are_refused() {
    let settings = ProfileSettings::default();
    let one = Profile::of_values("score", &[1.0, 2.0], &settings).unwrap();
    let other = Profile::of_values("score", &[1.0, 3.0], &settings).unwrap();
    let mut counts = Counts::new(&one);
    assert!(matches!(
        counts.observe_value(&other, 1.0),
        Err(DriftError::ProfileMismatch { .. })
    ));
    assert!(matches!(
        counts.merge(&Counts::new(&other)),
        Err(DriftError::ProfileMismatch { .. })
    ));
    let frame = profile();
    assert!(matches!(
        Counts::new(&frame).observe_value(&frame, 1.0),
        Err(DriftError::NotOneNumber { columns: 2 })
    ));
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    let settings = ProfileSettings::default();
    assert_eq!(Profile::fit(&[], &settings), Err(DriftError::NoRows));
    assert_eq!(
        Profile::of_values("x", &[], &settings),
        Err(DriftError::NoRows)
    );
    let unknown = Profile::fit(&[small()], &settings.with_columns(["y"]));
    assert_eq!(
        unknown,
        Err(DriftError::MissingColumn {
            column: "y".to_owned()
        })
    );
}

#[test]
fn a_stored_profile_is_the_same_and_an_altered_one_is_refused() {
    let profile = profile();
    let stored = serde_json::to_string(&profile).unwrap();
    let read: Profile = serde_json::from_str(&stored).unwrap();
    assert_eq!((&read, read.digest()), (&profile, profile.digest()));
    for (good, bad) in [
        ("\"version\":2", "\"version\":1"),
        ("\"rows\":6", "\"rows\":7"),
        ("\"a\",\"b\"", "\"b\",\"a\""),
    ] {
        let altered = stored.replace(good, bad);
        assert_ne!(altered, stored);
        assert!(serde_json::from_str::<Profile>(&altered).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_split_and_order_merges_to_the_same_counts(
        values in prop::collection::vec(prop_oneof![any::<f64>(), Just(f64::NAN), -3.0_f64..3.0], 1..100),
        cuts in prop::collection::vec(0_usize..100, 0..6),
    ) {
        let reference: Vec<f64> = (0..50).map(|i| f64::from(i % 17) - 8.0).collect();
        let profile = Profile::of_values("x", &reference, &ProfileSettings::default()).unwrap();
        let mut whole = Counts::new(&profile);
        whole.observe_values(&profile, &values).unwrap();

        let mut bounds: Vec<usize> = cuts.into_iter().map(|cut| cut.min(values.len())).collect();
        bounds.extend([0, values.len()]);
        bounds.sort_unstable();
        let mut merged = Counts::new(&profile);
        for pair in bounds.windows(2).rev() {
            let mut part = Counts::new(&profile);
            part.observe_values(&profile, &values[pair[0]..pair[1]]).unwrap();
            merged.merge(&part).unwrap();
        }
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(whole.columns()[0].rows(), values.len() as u64);
    }

    #[test]
    fn any_values_make_a_profile_that_survives_storage(values in prop::collection::vec(any::<f64>(), 1..60)) {
        let profile = Profile::of_values("x", &values, &ProfileSettings::default()).unwrap();
        let stored = serde_json::to_string(&profile).unwrap();
        let read: Profile = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(read, profile);
    }
}
