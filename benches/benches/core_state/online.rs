//! Reading the features of one entity to serve it.

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use criterion::{BenchmarkId, Criterion};
use noops_benches::{
    Folder, WIDE_FEATURES, poll_once, wide_entity, wide_rows, wide_values, wide_view,
};
use noops_core::{FeatureFrame, InMemoryFeatures, OnlineFeatures, SqlDatabase, Timestamp};
use tokio::runtime::Runtime;

use crate::bare_row::BareRow;

pub(crate) fn bench(criterion: &mut Criterion, runtime: &Runtime) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("online")?;
    let rows = wide_rows(ENTITIES)?;
    let memory = InMemoryFeatures::new(wide_view());
    poll_once(memory.push(&rows)).ok_or("the features in memory wait")??;
    let database = runtime.block_on(SqlDatabase::open(&folder.path().join("features.sqlite")))?;
    let sqlite = database.features(wide_view())?;
    runtime.block_on(sqlite.push(&rows))?;

    let map: HashMap<i64, Vec<f64>> = (0..ENTITIES).map(|key| (key, wide_values(key))).collect();
    let text = serde_json::to_string(&wide_values(ASKED))?;
    let file = folder.path().join("bare.sqlite");
    let mut bare = runtime.block_on(BareRow::create(&file, ENTITIES, &text))?;

    let entity = wide_entity(ASKED)?;
    let expected = wide_values(ASKED);
    let now = Timestamp::from_second(1)?;
    let deadline = Duration::from_secs(1);

    let mut group = criterion.benchmark_group("core/online");
    group.bench_function(BenchmarkId::new("noops-memory", WIDE_FEATURES), |bencher| {
        bencher.iter(|| {
            let frame = poll_once(memory.online(black_box(&entity), now, deadline));
            assert!(matches!(&frame, Some(Ok(frame)) if agrees(frame, &expected)));
            frame
        });
    });
    group.bench_function(BenchmarkId::new("floor-map", WIDE_FEATURES), |bencher| {
        bencher.iter(|| {
            let row = map.get(black_box(&ASKED)).cloned();
            assert!(row.as_ref().is_some_and(|row| *row == expected));
            row
        });
    });
    group.bench_function(BenchmarkId::new("noops-sqlite", WIDE_FEATURES), |bencher| {
        bencher.iter(|| {
            let frame = runtime.block_on(sqlite.online(black_box(&entity), now, deadline));
            assert!(frame.as_ref().is_ok_and(|frame| agrees(frame, &expected)));
            frame
        });
    });
    group.bench_function(BenchmarkId::new("floor-select", WIDE_FEATURES), |bencher| {
        bencher.iter(|| {
            let row = runtime.block_on(bare.read(black_box(ASKED)));
            assert!(row.as_ref().is_ok_and(|row| row.len() == text.len()));
            row
        });
    });
    group.finish();
    runtime.block_on(database.close());
    Ok(())
}

fn agrees(frame: &FeatureFrame, expected: &[f64]) -> bool {
    let columns = frame.values().columns().iter();
    let found = columns.filter_map(|column| column.as_primitive_opt::<Float64Type>());
    found
        .map(|column| column.iter().next().flatten())
        .eq(expected.iter().copied().map(Some))
}

const ENTITIES: i64 = 1000;
const ASKED: i64 = 700;
