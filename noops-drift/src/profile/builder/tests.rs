use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int8Array, Int64Array,
    RecordBatch, RecordBatchOptions, StringArray, TimestampMillisecondArray, TimestampSecondArray,
};
use arrow_schema::Schema;
use proptest::prelude::*;

use super::*;
use crate::counts::Counts;
use crate::profile::{Binning, Distinct, Quantiles};

fn bounded(buckets: usize) -> ProfileSettings {
    let buckets = NonZeroUsize::new(buckets).unwrap();
    ProfileSettings::default().with_quantiles(Quantiles::Bounded { buckets })
}

fn numbers(values: &[f64]) -> RecordBatch {
    let x: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
    RecordBatch::try_from_iter([("x", x)]).unwrap()
}

fn texts(values: &[&str]) -> RecordBatch {
    let x: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
    RecordBatch::try_from_iter([("x", x)]).unwrap()
}

fn learned(batches: &[RecordBatch], settings: &ProfileSettings) -> Profile {
    Profile::fit(batches, settings).unwrap()
}

#[test]
fn a_stored_builder_goes_on_as_if_unbroken() {
    for settings in [ProfileSettings::default(), bounded(8)] {
        let mut unbroken = ProfileBuilder::new(settings.clone());
        unbroken.observe(&numbers(&[3.0, 1.0, 2.0])).unwrap();
        let stored = serde_json::to_string(&unbroken).unwrap();
        let mut resumed: ProfileBuilder = serde_json::from_str(&stored).unwrap();
        assert_eq!(resumed, unbroken);
        for builder in [&mut unbroken, &mut resumed] {
            builder.observe(&numbers(&[5.0, f64::NAN])).unwrap();
        }
        let (unbroken, resumed) = (unbroken.finish().unwrap(), resumed.finish().unwrap());
        assert_eq!(resumed.digest(), unbroken.digest());
        assert_eq!(resumed.columns()[0].counts().present(), 4);
    }
}

#[test]
fn a_batch_without_rows_leaves_no_trace_wherever_it_comes() {
    let settings = ProfileSettings::default();
    let expected = learned(&[numbers(&[1.0, 2.0])], &settings);
    let narrow: ArrayRef = Arc::new(Float32Array::from(Vec::<f32>::new()));
    let narrow = RecordBatch::try_from_iter([("x", narrow)]).unwrap();
    for batches in [
        [narrow.clone(), numbers(&[1.0, 2.0])],
        [numbers(&[1.0, 2.0]), narrow.clone()],
        [texts(&[]), numbers(&[1.0, 2.0])],
    ] {
        assert_eq!(learned(&batches, &settings).digest(), expected.digest());
    }
    let mut builder = ProfileBuilder::new(settings.clone());
    builder.observe(&narrow).unwrap();
    assert_eq!(builder, ProfileBuilder::new(settings));
    assert_eq!(builder.finish(), Err(DriftError::NoRows));
}

#[test]
fn a_batch_that_is_refused_leaves_no_trace() {
    let mut builder = ProfileBuilder::new(
        ProfileSettings::default().with_max_distinct_categories(NonZeroUsize::new(2).unwrap()),
    );
    assert!(builder.observe(&texts(&["a", "b", "c"])).is_err());
    assert!(builder.observe_values("y", &[1.0]).is_ok());
    let before = builder.clone();
    let missing = builder.observe_values("x", &[1.0]);
    assert_eq!(
        missing,
        Err(DriftError::MissingColumn {
            column: "y".to_owned()
        })
    );
    assert_eq!(builder, before);
}

#[test]
fn types_that_differ_between_batches_merge_in_any_order() {
    let narrow: ArrayRef = Arc::new(Float32Array::from(vec![0.5, 1.5]));
    let whole: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None]));
    let batches: Vec<RecordBatch> = [narrow, whole]
        .into_iter()
        .map(|x| RecordBatch::try_from_iter([("x", x)]).unwrap())
        .chain([numbers(&[0.5, -1.0])])
        .collect();
    let settings = ProfileSettings::default();
    let expected = learned(&batches, &settings);
    let mut backwards = batches.clone();
    backwards.reverse();
    assert_eq!(learned(&backwards, &settings).digest(), expected.digest());
    let mut merged = ProfileBuilder::new(settings.clone());
    for batch in &backwards {
        let mut part = ProfileBuilder::new(settings.clone());
        part.observe(batch).unwrap();
        merged.merge(&part).unwrap();
    }
    assert_eq!(merged.finish().unwrap().digest(), expected.digest());
    assert_eq!(
        expected.columns()[0].types(),
        ["Float32", "Float64", "Int64"]
    );
    assert_eq!(expected.columns()[0].distinct(), Distinct::Exactly(4));
}

#[test]
fn times_of_another_unit_are_refused() {
    let seconds: ArrayRef = Arc::new(TimestampSecondArray::from(vec![1, 2]));
    let millis: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![1_000, 2_000]));
    let zoned = TimestampSecondArray::from(vec![1, 2]).with_timezone("Europe/Vienna");
    let batch = |x: &ArrayRef| RecordBatch::try_from_iter([("x", x.clone())]).unwrap();
    let changed = || DriftError::TypeChanged {
        column: "x".to_owned(),
        expected: "timestamp in seconds",
        found: "timestamp in milliseconds",
    };
    let settings = ProfileSettings::default();
    let both = Profile::fit(&[batch(&seconds), batch(&millis)], &settings);
    assert_eq!(both, Err(changed()));
    let of = |x: &ArrayRef| {
        let mut builder = ProfileBuilder::new(settings.clone());
        builder.observe(&batch(x)).unwrap();
        builder
    };
    assert_eq!(of(&seconds).merge(&of(&millis)), Err(changed()));
    let profile = of(&seconds).finish().unwrap();
    let mut counts = Counts::new(&profile);
    assert_eq!(counts.observe(&profile, &batch(&millis)), Err(changed()));
    assert_eq!(counts, Counts::new(&profile));
    // A zone changes how a time is written, and plain numbers have whatever unit they are meant to have.
    let plain: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    for same in [Arc::new(zoned) as ArrayRef, plain] {
        assert_eq!(counts.observe(&profile, &batch(&same)), Ok(()));
    }
}

#[test]
fn builders_of_other_columns_are_told_which_is_missing() {
    let settings = ProfileSettings::default();
    let of = |names: &[&str]| {
        let x: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        let columns = names.iter().map(|name| (*name, x.clone()));
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut builder = ProfileBuilder::new(settings.clone());
        builder.observe(&batch).unwrap();
        builder
    };
    let missing = |column: &str| {
        Err(DriftError::MissingColumn {
            column: column.to_owned(),
        })
    };
    assert_eq!(of(&["a", "b"]).merge(&of(&["a"])), missing("b"));
    assert_eq!(of(&["a"]).merge(&of(&["a", "b"])), missing("b"));
    assert_eq!(of(&["a", "b"]).merge(&of(&["c", "b"])), missing("a"));
    assert!(matches!(
        of(&["a", "b"]).merge(&of(&["b", "a"])),
        Err(DriftError::InvalidInput { .. })
    ));
    assert!(matches!(
        of(&["a"]).merge(&ProfileBuilder::new(bounded(4))),
        Err(DriftError::InvalidInput { .. })
    ));
}

#[test]
fn sliced_columns_with_nulls_across_blocks_are_read_at_their_offset() {
    let rows = 10_007_usize;
    let kept = |row: usize| (!row.is_multiple_of(5)).then_some(row);
    let wide: Float64Array = (0..rows).map(|row| kept(row).map(|r| r as f64)).collect();
    let narrow: Float32Array = (0..rows).map(|row| kept(row).map(|r| r as f32)).collect();
    let whole: Int64Array = (0..rows).map(|row| kept(row).map(|r| r as i64)).collect();
    let flag: BooleanArray = (0..rows).map(|row| kept(row).map(|r| r % 3 == 0)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("wide", Arc::new(wide)),
        ("narrow", Arc::new(narrow)),
        ("whole", Arc::new(whole)),
        ("flag", Arc::new(flag)),
    ];
    let (start, many) = (13, 9_001);
    let batch = RecordBatch::try_from_iter(columns)
        .unwrap()
        .slice(start, many);
    let inside: Vec<usize> = (start..start + many).filter_map(kept).collect();
    let profile = learned(std::slice::from_ref(&batch), &ProfileSettings::default());
    let mut counts = Counts::new(&profile);
    counts.observe(&profile, &batch).unwrap();
    for (column, again) in profile.columns().iter().zip(counts.columns()) {
        assert_eq!(column.counts(), again, "{}", column.name());
        assert_eq!(again.missing(), (many - inside.len()) as u64);
        let Binning::Number { edges, .. } = column.binning() else {
            panic!("{column:?}")
        };
        let mut bins = vec![0_u64; edges.len() + 1];
        for row in &inside {
            let value = match column.name() {
                "flag" => f64::from(u8::from(row % 3 == 0)),
                _ => *row as f64,
            };
            bins[edges.partition_point(|edge| *edge < value)] += 1;
        }
        assert_eq!(again.bins(), bins, "{}", column.name());
    }
}

#[test]
fn dictionaries_with_null_and_repeated_words_are_read_as_their_texts() {
    let keys = Int8Array::from(vec![Some(0), Some(1), None, Some(2), Some(3), Some(0)]);
    let words = StringArray::from(vec![Some("a"), None, Some("a"), Some("b")]);
    let dictionary = DictionaryArray::<Int8Type>::new(keys, Arc::new(words));
    let plain = StringArray::from(vec![Some("a"), None, None, Some("a"), Some("b"), Some("a")]);
    let batch = |column: ArrayRef| RecordBatch::try_from_iter([("x", column)]).unwrap();
    let settings = ProfileSettings::default();
    for (start, many) in [(0, 6), (1, 4), (2, 1), (3, 3)] {
        let coded = learned(&[batch(Arc::new(dictionary.slice(start, many)))], &settings);
        let read = learned(&[batch(Arc::new(plain.slice(start, many)))], &settings);
        assert_eq!(coded.columns()[0].binning(), read.columns()[0].binning());
        assert_eq!(coded.columns()[0].counts(), read.columns()[0].counts());
    }
    let empty = DictionaryArray::<Int8Type>::new(
        Int8Array::from(vec![None, None]),
        Arc::new(StringArray::from(Vec::<&str>::new())),
    );
    let nothing = learned(&[batch(Arc::new(empty))], &settings);
    assert_eq!(nothing.columns()[0].counts().missing(), 2);
}

#[test]
fn a_frame_without_columns_has_rows_only() {
    let options = RecordBatchOptions::new().with_row_count(Some(3));
    let batch =
        RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
    let profile = learned(std::slice::from_ref(&batch), &ProfileSettings::default());
    assert_eq!((profile.rows(), profile.columns().len()), (3, 0));
    let mut counts = Counts::new(&profile);
    counts.observe(&profile, &batch).unwrap();
    assert_eq!(counts.rows(), 3);
}

#[test]
fn a_bounded_profile_of_numbers_about_zero_counts_the_reference_again() {
    let tiny = f64::from_bits(1);
    let mut values = vec![0.0; 60];
    values.extend([
        -1e300,
        -3.0,
        -tiny,
        -tiny,
        tiny,
        0.5,
        7.0,
        f64::MAX,
        f64::MIN,
    ]);
    values.extend((0..40).map(|i| f64::from(i - 20) * 1.37));
    for buckets in 1..40 {
        let profile = learned(&[numbers(&values)], &bounded(buckets));
        let mut counts = Counts::new(&profile);
        counts.observe_values(&profile, &values).unwrap();
        assert_eq!(&counts.columns()[0], profile.columns()[0].counts());
        let range = profile.columns()[0].binning().range().unwrap();
        assert_eq!((range.min(), range.max()), (f64::MIN, f64::MAX));
        let stored = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&stored).unwrap(), profile);
    }
}

#[test]
fn settings_beyond_all_data_ask_for_no_memory() {
    let most = NonZeroUsize::MAX;
    let settings = ProfileSettings::default()
        .with_bins(most)
        .with_resolution(most)
        .with_max_categories(most)
        .with_max_distinct_categories(most)
        .with_quantiles(Quantiles::Bounded { buckets: most });
    let profile = learned(&[numbers(&[1.0, 2.0, 2.0])], &settings);
    assert_eq!(profile.columns()[0].counts().bins(), [1, 2]);
}

#[test]
fn an_altered_builder_is_refused() {
    let mut builder = ProfileBuilder::new(bounded(4));
    builder
        .observe(&numbers(&[1.0, 2.0, f64::NAN, f64::INFINITY]))
        .unwrap();
    let stored = serde_json::to_string(&builder).unwrap();
    assert_eq!(
        serde_json::from_str::<ProfileBuilder>(&stored).unwrap(),
        builder
    );
    for (good, bad) in [
        ("\"rows\":4", "\"rows\":5"),
        ("\"nan\":1", "\"nan\":18446744073709551615"),
        ("\"limit\":4", "\"limit\":0"),
        ("\"limit\":4", "\"limit\":null"),
        ("\"dropped_bits\":0", "\"dropped_bits\":64"),
        ("[\"Float64\"]", "[]"),
    ] {
        assert!(stored.contains(good), "{good} in {stored}");
        let altered = stored.replace(good, bad);
        assert!(
            serde_json::from_str::<ProfileBuilder>(&altered).is_err(),
            "{bad}"
        );
    }
}

proptest! {
    #[test]
    fn any_split_order_and_empty_batches_learn_the_same_bytes(
        values in prop::collection::vec(prop_oneof![any::<f64>(), Just(f64::NAN), (-5_i32..5).prop_map(f64::from)], 1..80),
        cuts in prop::collection::vec(0_usize..80, 0..5),
        buckets in prop::option::of(1_usize..20),
    ) {
        let settings = buckets.map_or_else(ProfileSettings::default, bounded);
        let whole = learned(&[numbers(&values)], &settings);
        let mut bounds: Vec<usize> = cuts.into_iter().map(|cut| cut.min(values.len())).collect();
        bounds.extend([0, values.len()]);
        bounds.sort_unstable();
        let mut merged = ProfileBuilder::new(settings.clone());
        for pair in bounds.windows(2).rev() {
            let mut part = ProfileBuilder::new(settings.clone());
            part.observe(&numbers(&values[pair[0]..pair[1]])).unwrap();
            let stored = serde_json::to_string(&part).unwrap();
            merged.merge(&serde_json::from_str(&stored).unwrap()).unwrap();
        }
        let merged = merged.finish().unwrap();
        prop_assert_eq!(serde_json::to_string(&merged).unwrap(), serde_json::to_string(&whole).unwrap());
        let mut counts = Counts::new(&whole);
        counts.observe_values(&whole, &values).unwrap();
        prop_assert_eq!(&counts.columns()[0], whole.columns()[0].counts());
    }
}
