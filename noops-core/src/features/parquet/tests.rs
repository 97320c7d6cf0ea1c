mod contract;

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, StringArray, TimestampNanosecondArray};
use arrow_schema::{Field, Schema};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::features::fixture::{Row, at, drivers, rows, view};
use crate::features::{FeatureType, OnlineFeatures, materialise};
use crate::{CellStatus, InMemoryFeatures};

/// A folder of its own, which goes when it is dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "noops-parquet-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, batch: &RecordBatch) -> PathBuf {
        let path = self.0.join(name);
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(3))
            .build();
        let file = File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn open(folder: &Folder) -> Result<ParquetFeatures, Error> {
    let settings = ParquetSettings::default().with_batch_rows(2);
    ParquetFeatures::open(view(), &folder.0, settings)
}

const HISTORY: [Row; 7] = [
    (1, 10, 10, Some(1.0), Some("Oslo")),
    (2, 10, 12, Some(2.0), None),
    (3, 11, 12, None, Some("Rome")),
    (1, 20, 25, Some(3.0), Some("Bern")),
    (2, 5, 30, Some(4.0), None),
    (3, 90, 40, Some(f64::NAN), None),
    (1, 15, 95, Some(99.0), None),
];

async fn frame(source: &dyn FeatureSource, times: &[i64], knowledge: Knowledge) -> FeatureFrame {
    let times: Vec<Timestamp> = times.iter().map(|second| at(*second)).collect();
    let asked: Vec<i64> = (0..times.len() as i64).map(|row| row % 4).collect();
    let entities = drivers(&asked);
    source.as_of(&entities, &times, knowledge).await.unwrap()
}

async fn in_memory(history: &[Row]) -> InMemoryFeatures {
    let store = InMemoryFeatures::new(view());
    store.push(&rows(history)).await.unwrap();
    store
}

/// Equality that takes NaN for NaN.
fn same(left: &FeatureFrame, right: &FeatureFrame) -> bool {
    format!("{left:?}") == format!("{right:?}")
}

#[tokio::test]
async fn a_backfill_does_not_leak_through_files_either() {
    let folder = Folder::new();
    folder.write("a.parquet", &rows(&HISTORY));
    let source = open(&folder).unwrap();
    let entities = drivers(&[1, 1]);
    let times = [at(94), at(95)];
    let known = source
        .as_of(&entities, &times, Knowledge::AtRowTime)
        .await
        .unwrap();
    let scores = known.values().column(0).as_primitive::<Float64Type>();
    // Known at 95 of second 15, which is older than the row of second 20.
    assert_eq!(scores.values()[..], [3.0, 3.0]);
    let early = [at(16)];
    let entities = drivers(&[1]);
    let then = source
        .as_of(&entities, &early, Knowledge::AtRowTime)
        .await
        .unwrap();
    assert_eq!(
        then.values()
            .column(0)
            .as_primitive::<Float64Type>()
            .value(0),
        1.0
    );
    let later = source
        .as_of(&entities, &early, Knowledge::Until(at(95)))
        .await
        .unwrap();
    assert_eq!(
        later
            .values()
            .column(0)
            .as_primitive::<Float64Type>()
            .value(0),
        99.0
    );
    let gone = source
        .as_of(&entities, &[at(121)], Knowledge::AtRowTime)
        .await
        .unwrap();
    assert_eq!(gone.status(0, 0), Some(CellStatus::OutsideTtl));
}

#[tokio::test]
async fn all_files_of_a_folder_count_in_any_order_of_rows() {
    let mut mixed = HISTORY;
    mixed.reverse();
    let (left, right) = mixed.split_at(3);
    let folder = Folder::new();
    folder.write("a.parquet", &rows(left));
    folder.write("b.parquet", &rows(right));
    folder.write("c.parquet", &rows(&[]));
    fs::write(folder.0.join("notes.txt"), "not data").unwrap();
    let (source, store) = (open(&folder).unwrap(), in_memory(&HISTORY).await);
    let times = [9, 10, 12, 25, 30, 89, 90, 95, 96, 110, 111, 120, 190];
    for knowledge in [
        Knowledge::AtRowTime,
        Knowledge::Until(at(39)),
        Knowledge::Until(at(200)),
    ] {
        let files = frame(&source, &times, knowledge).await;
        assert!(
            same(&files, &frame(&store, &times, knowledge).await),
            "{knowledge:?}"
        );
    }
}

#[tokio::test]
async fn columns_are_found_by_other_names_and_narrower_types() {
    let nanoseconds =
        |second: i64| TimestampNanosecondArray::from(vec![second * 1_000_000_000 + 1]);
    let batch = RecordBatch::try_from_iter([
        ("unused", Arc::new(StringArray::from(vec!["x"])) as ArrayRef),
        ("created", Arc::new(nanoseconds(20)) as ArrayRef),
        ("score", Arc::new(Int32Array::from(vec![7])) as ArrayRef),
        (
            "city",
            Arc::new(StringArray::from(vec!["Oslo"])) as ArrayRef,
        ),
        ("event_timestamp", Arc::new(nanoseconds(10)) as ArrayRef),
        ("driver", Arc::new(Int32Array::from(vec![1])) as ArrayRef),
    ]);
    let folder = Folder::new();
    let path = folder.write("a.parquet", &batch.unwrap());
    let named = ParquetSettings::default().with_event_time_column("event_timestamp");
    let settings = named.clone().with_known_at_column("created");
    let source = ParquetFeatures::open(view(), &path, settings).unwrap();
    let ask = [at(11), at(20), at(21)];
    let entities = drivers(&[1, 1, 1]);
    let found = source
        .as_of(&entities, &ask, Knowledge::AtRowTime)
        .await
        .unwrap();
    // Part of a microsecond after second 20 is not second 20.
    let statuses: Vec<_> = (0..3).map(|row| found.status(row, 0).unwrap()).collect();
    assert_eq!(
        statuses,
        [
            CellStatus::NotFound,
            CellStatus::NotFound,
            CellStatus::Present
        ]
    );

    let honest = named.with_known_at_event_time();
    let source = ParquetFeatures::open(view(), &path, honest).unwrap();
    let found = source
        .as_of(&entities, &ask, Knowledge::AtRowTime)
        .await
        .unwrap();
    assert_eq!(found.status(0, 0), Some(CellStatus::Present));
}

#[tokio::test]
async fn a_span_takes_its_first_moment_and_not_its_last() {
    let folder = Folder::new();
    folder.write("a.parquet", &rows(&HISTORY));
    let source = open(&folder).unwrap();
    let within = |from: i64, until: i64| TimeSpan {
        from: at(from),
        until: at(until),
    };
    let count =
        |batches: Vec<RecordBatch>| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    for (from, until) in [
        (0, 200),
        (12, 25),
        (12, 26),
        (25, 25),
        (95, 96),
        (96, 200),
        (31, 40),
    ] {
        let span = within(from, until);
        let expected = HISTORY
            .iter()
            .filter(|row| span.contains(at(row.2)))
            .count();
        assert_eq!(
            count(source.known_within(span).await.unwrap()),
            expected,
            "{span:?}"
        );
    }
}

#[tokio::test]
async fn files_materialise_into_the_online_features() {
    let folder = Folder::new();
    folder.write("a.parquet", &rows(&HISTORY));
    let (source, online) = (open(&folder).unwrap(), InMemoryFeatures::new(view()));
    for until in [20, 31, 96] {
        materialise(&source, &online, at(until)).await.unwrap();
    }
    let entities = drivers(&[1, 2, 3, 4]);
    let served = online
        .online(&entities, at(96), Duration::from_secs(5))
        .await
        .unwrap();
    let trained = source
        .as_of(&entities, &[at(96); 4], Knowledge::AtRowTime)
        .await
        .unwrap();
    assert!(same(&served, &trained));
}

#[test]
fn rows_out_of_order_beyond_the_bound_are_refused_with_advice_and_sorting_helps() {
    let many: Vec<Row> = (0..500)
        .map(|row| (row % 7, 1000 - row, 1000 - row, Some(row as f64), None))
        .collect();
    let (folder, sorted) = (Folder::new(), Folder::new());
    folder.write("a.parquet", &rows(&many));
    let tight = ParquetSettings::default()
        .with_batch_rows(64)
        .with_max_bytes(4096);
    let source = ParquetFeatures::open(view(), &folder.0, tight.clone()).unwrap();
    let refused = source.join(Knowledge::AtRowTime).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(
        refused.to_string().contains("sort_by_availability"),
        "{refused}"
    );

    let output = sorted.0.join("sorted.parquet");
    assert_eq!(
        sort_by_availability(&folder.0, &output, &tight).unwrap(),
        500
    );
    let names: Vec<_> = fs::read_dir(&sorted.0).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing but the output stays");
    let source = ParquetFeatures::open(view(), &output, tight.clone()).unwrap();
    let mut join = source.join(Knowledge::AtRowTime).unwrap();
    let frame = join.join(&drivers(&[1]), &[at(1000)]).unwrap();
    // The newest row of driver 1 is row 1, of second 999.
    assert_eq!(
        frame
            .values()
            .column(0)
            .as_primitive::<Float64Type>()
            .value(0),
        1.0
    );

    let inside = folder.0.join("sorted.parquet");
    let refused = sort_by_availability(&folder.0, &inside, &tight).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}

#[test]
fn the_bound_holds_for_all_files_together_and_for_what_footers_do_not_tell() {
    // A text that every row repeats: the file has it once, memory has it for each row.
    let city: &'static str = "x".repeat(1 << 16).leak();
    let some: Vec<Row> = (0..64)
        .map(|row| (row % 7, 100 - row, 100 - row, None, Some(city)))
        .collect();
    let folder = Folder::new();
    for file in 0..4 {
        let batch = rows(&some);
        let name = format!("{file}.parquet");
        let out = File::create(folder.0.join(name)).unwrap();
        let mut writer = ArrowWriter::try_new(out, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }
    // 4 MiB of text in each of four files.
    let joined = |mebibytes: u64| {
        let settings = ParquetSettings::default().with_max_bytes(mebibytes << 20);
        let source = ParquetFeatures::open(view(), &folder.0, settings).unwrap();
        let mut join = source.join(Knowledge::AtRowTime)?;
        join.join(&drivers(&[1]), &[at(100)])
    };
    assert_eq!(joined(12).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(joined(64).unwrap().status(0, 1), Some(CellStatus::Present));
}

#[test]
fn a_view_with_two_columns_of_one_name_is_refused_when_it_is_opened() {
    let folder = Folder::new();
    folder.write("a.parquet", &rows(&HISTORY));
    let twice = view().with_feature("driver", FeatureType::Integer);
    let settings = ParquetSettings::default();
    let refused = ParquetFeatures::open(twice, &folder.0, settings).unwrap_err();
    assert!(refused.to_string().contains("`driver`"), "{refused}");
}

#[test]
fn a_missing_or_mistyped_column_names_file_and_column() {
    let whole = rows(&HISTORY);
    for (index, field) in whole.schema().fields().iter().enumerate() {
        let folder = Folder::new();
        let kept: Vec<usize> = (0..whole.num_columns())
            .filter(|column| *column != index)
            .collect();
        folder.write("short.parquet", &whole.project(&kept).unwrap());
        let missing = open(&folder).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::Invalid);
        let text = missing.to_string();
        assert!(
            text.contains("short.parquet") && text.contains(&format!("`{}`", field.name())),
            "{text}"
        );

        let mut fields: Vec<Field> = whole
            .schema()
            .fields()
            .iter()
            .map(|f| f.as_ref().clone())
            .collect();
        let mut columns = whole.columns().to_vec();
        let wrong: ArrayRef = Arc::new(arrow_array::BooleanArray::from(vec![true; HISTORY.len()]));
        fields[index] = Field::new(field.name(), wrong.data_type().clone(), true);
        columns[index] = wrong;
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        let folder = Folder::new();
        folder.write("typed.parquet", &batch);
        let mistyped = open(&folder).unwrap_err();
        assert_eq!(mistyped.kind(), ErrorKind::Invalid);
        assert!(mistyped.to_string().contains("typed.parquet"), "{mistyped}");
    }
}

#[test]
fn a_null_key_or_time_names_file_column_and_row() {
    let whole = rows(&HISTORY[..3]);
    for index in 0..3 {
        let fields = whole
            .schema()
            .fields()
            .iter()
            .map(|f| f.as_ref().clone().with_nullable(true))
            .collect::<Vec<_>>();
        let mut columns = whole.columns().to_vec();
        let keep = arrow_array::UInt32Array::from(vec![Some(0), None, Some(2)]);
        columns[index] = arrow_select::take::take(columns[index].as_ref(), &keep, None).unwrap();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        let folder = Folder::new();
        folder.write("a.parquet", &batch);
        let mut join = match open(&folder).unwrap().join(Knowledge::AtRowTime) {
            Ok(join) => join,
            Err(error) => {
                assert!(error.to_string().contains("row `1`"), "{error}");
                continue;
            }
        };
        let error = join.join(&drivers(&[1]), &[at(100)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("row `1`"), "{error}");
    }
}

#[test]
fn a_file_that_is_cut_or_flipped_is_corrupt_or_reads_whole() {
    let folder = Folder::new();
    let path = folder.write("a.parquet", &rows(&HISTORY));
    let bytes = fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let refused = open(&folder).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Corrupt, "cut to {length}");
        assert!(refused.to_string().contains("a.parquet"), "{refused}");
    }
    for position in (0..bytes.len()).step_by(3) {
        let mut flipped = bytes.clone();
        flipped[position] ^= 0x55;
        fs::write(&path, &flipped).unwrap();
        // Parquet without checksums cannot tell every flip; what must hold is that none of them panics or is named otherwise.
        let answer = open(&folder).and_then(|source| {
            source
                .join(Knowledge::AtRowTime)?
                .join(&drivers(&[1]), &[at(100)])
        });
        if let Err(error) = answer {
            let kinds = [ErrorKind::Corrupt, ErrorKind::Invalid];
            assert!(kinds.contains(&error.kind()), "byte {position}: {error}");
        }
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let folder = Folder::new();
    assert_eq!(open(&folder).unwrap_err().kind(), ErrorKind::NotFound);
    let missing = folder.0.join("missing.parquet");
    let refused = ParquetFeatures::open(view(), &missing, ParquetSettings::default()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    fs::write(&missing, "PAR1 this is no Parquet PAR1").unwrap();
    assert_eq!(open(&folder).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_file_that_changed_since_it_was_opened_is_a_conflict() {
    let folder = Folder::new();
    folder.write("a.parquet", &rows(&HISTORY[..1]));
    let source = open(&folder).unwrap();
    folder.write("a.parquet", &rows(&HISTORY));
    let changed = source.join(Knowledge::AtRowTime).unwrap_err();
    assert_eq!(changed.kind(), ErrorKind::Conflict);
}

#[test]
fn sorting_keeps_every_column_and_the_order_of_equals() {
    let (folder, sorted) = (Folder::new(), Folder::new());
    let extra = |batch: &RecordBatch, numbers: std::ops::Range<i64>| {
        let mut fields: Vec<Field> = batch
            .schema()
            .fields()
            .iter()
            .map(|f| f.as_ref().clone())
            .collect();
        fields.push(Field::new("number", arrow_schema::DataType::Int64, false));
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(Int64Array::from_iter_values(numbers)));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    };
    folder.write(
        "a.parquet",
        &extra(&rows(&[(1, 5, 5, None, None), (1, 3, 3, None, None)]), 0..2),
    );
    folder.write(
        "b.parquet",
        &extra(&rows(&[(1, 1, 5, None, None), (1, 9, 1, None, None)]), 2..4),
    );
    for bytes in [0, u64::MAX] {
        let output = sorted.0.join(format!("{bytes}.parquet"));
        let settings = ParquetSettings::default().with_max_bytes(bytes);
        assert_eq!(
            sort_by_availability(&folder.0, &output, &settings).unwrap(),
            4
        );
        let file = RowFile::open(&output).unwrap();
        let batches: Vec<RecordBatch> = file
            .read(&[5], None, 100)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let numbers: Vec<i64> = batches
            .iter()
            .flat_map(|batch| {
                batch
                    .column(0)
                    .as_primitive::<arrow_array::types::Int64Type>()
                    .values()
                    .to_vec()
            })
            .collect();
        assert_eq!(numbers, [1, 0, 2, 3]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn files_answer_as_memory_does(
        history in vec((0_i64..4, 0_i64..120, 0_i64..120, proptest::option::of(-9.0_f64..9.0)), 0..24),
        cut in 0_usize..24,
        times in vec(0_i64..240, 1..12),
        until in 0_i64..130,
    ) {
        let mut seen = std::collections::BTreeSet::new();
        let history: Vec<Row> = history
            .into_iter()
            .filter(|row| seen.insert((row.0, row.1, row.2)))
            .map(|row| (row.0, row.1, row.2, row.3, None))
            .collect();
        let (left, right) = history.split_at(cut.min(history.len()));
        let folder = Folder::new();
        folder.write("a.parquet", &rows(left));
        folder.write("b.parquet", &rows(right));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = in_memory(&history).await;
            let source = open(&folder).unwrap();
            for knowledge in [Knowledge::AtRowTime, Knowledge::Until(at(until))] {
                let files = frame(&source, &times, knowledge).await;
                let memory = frame(&store, &times, knowledge).await;
                assert!(same(&files, &memory), "{knowledge:?}: {files:?} {memory:?}");
            }
        });
    }
}
