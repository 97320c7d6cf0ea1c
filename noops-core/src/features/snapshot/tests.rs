use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, IntervalDayTimeArray,
    LargeStringArray, ListArray, NullArray, StringArray, StringViewArray, StructArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::features::fixture::view;

fn one(column: impl Array + 'static) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([("x", Arc::new(column) as ArrayRef, true)]).unwrap()
}

fn digest(batch: RecordBatch) -> Digest {
    dataset_digest(&[batch]).unwrap()
}

#[test]
fn matches_the_formula_computed_elsewhere() {
    // hashlib: le=lambda n:struct.pack('<Q',n); P=lambda *p:sha256(b''.join(le(len(q))+q for q in p))
    // P(b'noops-dataset-1', le(3), b'i', b'int64', sha256(b'\1'+le(7)+b'\0'+b'\1'+struct.pack('<q',-1)),
    //   b't', b'text', sha256(b'\1'+le(1)+b'a'+b'\1'+le(0)+b'\0'))
    let batch = RecordBatch::try_from_iter_with_nullable([
        (
            "i",
            Arc::new(Int64Array::from(vec![Some(7), None, Some(-1)])) as ArrayRef,
            true,
        ),
        (
            "t",
            Arc::new(StringArray::from(vec![Some("a"), Some(""), None])) as ArrayRef,
            true,
        ),
    ]);
    let published = "aff4e6e04135d625d332ab5be49b3414ecfbb52ad0f7fb759200f59b3c0a5057";
    assert_eq!(digest(batch.unwrap()).to_string(), published);
}

#[test]
fn encodings_of_the_same_values_digest_the_same() {
    let texts = vec![Some("a"), None, Some("b"), Some("a"), Some("")];
    let plain = digest(one(StringArray::from(texts.clone())));
    assert_eq!(digest(one(LargeStringArray::from(texts.clone()))), plain);
    assert_eq!(digest(one(StringViewArray::from(texts.clone()))), plain);
    let dictionary: DictionaryArray<Int32Type> = texts.into_iter().collect();
    assert_eq!(digest(one(dictionary)), plain);

    // A dictionary whose value is null, not its key.
    let keys = Int32Array::from(vec![1, 0, 2, 1, 3]);
    let values = StringArray::from(vec![None, Some("a"), Some("b"), Some("")]);
    let dictionary = DictionaryArray::try_new(keys, Arc::new(values)).unwrap();
    assert_eq!(digest(one(dictionary)), plain);
}

#[test]
fn what_lies_under_a_null_does_not_count() {
    let under = |hidden: i64| {
        let nulls = NullBuffer::from(vec![true, false]);
        digest(one(Int64Array::new(vec![1, hidden].into(), Some(nulls))))
    };
    assert_eq!(under(0), under(i64::MAX));
}

#[test]
fn an_offset_does_not_count() {
    let whole = StringArray::from(vec!["z", "a", "b", "z"]);
    let part = one(whole).slice(1, 2);
    assert_eq!(digest(part), digest(one(StringArray::from(vec!["a", "b"]))));
}

#[test]
fn null_empty_and_absent_are_three_things() {
    let null = digest(one(StringArray::from(vec![None::<&str>])));
    let empty = digest(one(StringArray::from(vec![""])));
    let untyped = digest(one(NullArray::new(1)));
    let absent = dataset_digest(&[]).unwrap();
    let no_rows = digest(one(StringArray::from(Vec::<&str>::new())));
    let all = [null, empty, untyped, absent, no_rows];
    for (index, left) in all.iter().enumerate() {
        for right in all.iter().skip(index + 1) {
            assert_ne!(left, right);
        }
    }
}

#[test]
fn floats_count_by_their_bits() {
    let of = |bits: u64| digest(one(Float64Array::from(vec![f64::from_bits(bits)])));
    assert_ne!(of(0), of(1 << 63), "0.0 and -0.0");
    assert_ne!(
        of(0x7ff8_0000_0000_0000),
        of(0x7ff8_0000_0000_0001),
        "two NaNs"
    );
    assert_eq!(of(0x7ff8_0000_0000_0001), of(0x7ff8_0000_0000_0001));
}

#[test]
fn names_types_and_the_order_of_columns_count() {
    let column = |values: Vec<i64>| Arc::new(Int64Array::from(values)) as ArrayRef;
    let batch =
        |columns: Vec<(&str, ArrayRef)>| digest(RecordBatch::try_from_iter(columns).unwrap());
    let original = batch(vec![("a", column(vec![1])), ("b", column(vec![2]))]);
    let others = [
        batch(vec![("b", column(vec![2])), ("a", column(vec![1]))]),
        batch(vec![("a", column(vec![2])), ("b", column(vec![1]))]),
        batch(vec![("a", column(vec![1])), ("c", column(vec![2]))]),
        batch(vec![("a", column(vec![1]))]),
        batch(vec![
            ("a", column(vec![1])),
            ("b", Arc::new(Int32Array::from(vec![2])) as ArrayRef),
        ]),
    ];
    assert!(others.iter().all(|other| *other != original));
}

#[test]
fn metadata_and_declared_nullability_do_not_count() {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let with = |nullable: bool| {
        let field = Field::new("x", DataType::Int64, nullable);
        let field = field.with_metadata([("note".to_owned(), nullable.to_string())].into());
        let schema = Arc::new(Schema::new(vec![field]));
        digest(RecordBatch::try_new(schema, vec![Arc::clone(&column)]).unwrap())
    };
    assert_eq!(with(true), with(false));
}

#[test]
fn nested_values_count_and_their_boundaries_do() {
    let lists = |rows: &[Option<Vec<i64>>]| -> ListArray {
        let mut builder = ListBuilder::new(Int64Builder::new());
        for row in rows {
            if let Some(values) = row {
                builder.values().append_slice(values);
            }
            builder.append(row.is_some());
        }
        builder.finish()
    };
    let rows = [Some(vec![1, 2]), None, Some(vec![]), Some(vec![3])];
    let whole = digest(one(lists(&rows)));
    let parts = [one(lists(&rows[..1])), one(lists(&rows[1..]))];
    assert_eq!(dataset_digest(&parts).unwrap(), whole);
    let moved = [Some(vec![1]), None, Some(vec![2]), Some(vec![3])];
    assert_ne!(digest(one(lists(&moved))), whole);

    let wrapped = |value: i64| {
        let field = Arc::new(Field::new("v", DataType::Int64, true));
        let column: ArrayRef = Arc::new(Int64Array::from(vec![value]));
        digest(one(StructArray::from(vec![(field, column)])))
    };
    assert_ne!(wrapped(1), wrapped(2));
}

#[test]
fn what_has_no_canonical_form_is_refused_by_name() {
    let batch = one(IntervalDayTimeArray::new_null(1));
    let refused = dataset_digest(&[batch]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("`x`"), "{refused}");
}

#[test]
fn batches_of_different_columns_are_refused() {
    let batches = [
        one(Int64Array::from(vec![1])),
        one(Int32Array::from(vec![1])),
    ];
    assert_eq!(
        dataset_digest(&batches).unwrap_err().kind(),
        ErrorKind::Invalid
    );
}

#[test]
fn a_backfill_behind_a_snapshot_is_noticed() {
    let rows = [one(Float64Array::from(vec![Some(1.0), None]))];
    let at = Timestamp::UNIX_EPOCH;
    let snapshot = DatasetSnapshot::of(&view(), &rows, Knowledge::AtRowTime, at).unwrap();
    assert_eq!((snapshot.rows(), snapshot.view()), (2, view().version()));
    assert!(snapshot.matches(&rows).unwrap());
    let filled = [one(Float64Array::from(vec![Some(1.0), Some(0.0)]))];
    assert!(!snapshot.matches(&filled).unwrap());
    let json = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(
        serde_json::from_str::<DatasetSnapshot>(&json).unwrap(),
        snapshot
    );
}

proptest! {
    #[test]
    fn the_cut_into_batches_does_not_count(
        rows in vec((option::of(any::<i64>()), option::of("[a-c]{0,3}")), 0..40),
        cuts in vec(0_usize..40, 0..4),
    ) {
        let batch = table(&rows);
        let mut edges: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).collect();
        edges.extend([0, rows.len()]);
        edges.sort_unstable();
        let parts: Vec<RecordBatch> = edges
            .windows(2)
            .map(|edge| batch.slice(edge[0], edge[1] - edge[0]))
            .collect();
        prop_assert_eq!(dataset_digest(&parts).unwrap(), digest(batch));
    }

    #[test]
    fn two_tables_digest_the_same_exactly_when_they_are_the_same(
        left in vec((option::of(0_i64..3), option::of("[ab]{0,1}")), 0..4),
        right in vec((option::of(0_i64..3), option::of("[ab]{0,1}")), 0..4),
    ) {
        let same = digest(table(&left)) == digest(table(&right));
        prop_assert_eq!(same, left == right);
    }
}

fn table(rows: &[(Option<i64>, Option<String>)]) -> RecordBatch {
    let numbers: Int64Array = rows.iter().map(|row| row.0).collect();
    let texts: StringArray = rows.iter().map(|row| row.1.as_deref()).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("n", Arc::new(numbers) as ArrayRef, true),
        ("t", Arc::new(texts) as ArrayRef, true),
    ])
    .unwrap()
}
