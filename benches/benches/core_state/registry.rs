//! Reading a version and the history of an alias, and moving an alias durably.

use std::collections::HashMap;
use std::error::Error;
use std::fs::OpenOptions;
use std::hint::black_box;
use std::io::Write;

use criterion::{BenchmarkId, Criterion};
use noops_benches::{Folder, fill_registry, poll_once};
use noops_core::{
    Alias, AliasMove, AliasTarget, Digest, FencingToken, InMemoryRegistry, ModelName,
    ModelRegistry, ModelVersion, SqlDatabase, SqlRegistry, Timestamp,
};
use tokio::runtime::Runtime;

use crate::bare_row::BareRow;

pub(crate) fn bench(criterion: &mut Criterion, runtime: &Runtime) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("registry")?;
    let model: ModelName = "bench".parse()?;
    let memory = InMemoryRegistry::new();
    let database = runtime.block_on(SqlDatabase::open(&folder.path().join("models.sqlite")))?;
    let sqlite = database.registry();
    let filled = poll_once(fill_registry(&memory, &model, VERSIONS));
    let digests = filled.ok_or("the registry in memory waits")??;
    runtime.block_on(fill_registry(&sqlite, &model, VERSIONS))?;

    let middle = *digests.get(digests.len() / 2).ok_or("no version")?;
    version(
        criterion,
        runtime,
        &folder,
        &model,
        middle,
        (&memory, &sqlite),
    )?;
    alias_history(criterion, runtime, &model, (&memory, &sqlite))?;
    move_alias(criterion, runtime, &folder, &model, &digests, &sqlite)?;
    runtime.block_on(database.close());
    Ok(())
}

fn version(
    criterion: &mut Criterion,
    runtime: &Runtime,
    folder: &Folder,
    model: &ModelName,
    digest: Digest,
    (memory, sqlite): (&InMemoryRegistry, &SqlRegistry),
) -> Result<(), Box<dyn Error>> {
    let expected = runtime.block_on(sqlite.version(model, &digest))?;
    let map: HashMap<Digest, ModelVersion> = HashMap::from([(digest, expected.clone())]);
    let text = serde_json::to_string(&expected)?;
    let file = folder.path().join("bare.sqlite");
    let mut bare = runtime.block_on(BareRow::create(&file, VERSIONS as i64, &text))?;

    let mut group = criterion.benchmark_group("core/registry-version");
    group.bench_function(BenchmarkId::new("noops-memory", VERSIONS), |bencher| {
        bencher.iter(|| {
            let found = poll_once(memory.version(model, black_box(&digest)));
            assert!(matches!(&found, Some(Ok(found)) if found.digest() == digest));
            found
        });
    });
    group.bench_function(BenchmarkId::new("floor-map", VERSIONS), |bencher| {
        bencher.iter(|| {
            let found = map.get(black_box(&digest)).cloned();
            assert!(found.as_ref().is_some_and(|found| found.digest() == digest));
            found
        });
    });
    group.bench_function(BenchmarkId::new("noops-sqlite", VERSIONS), |bencher| {
        bencher.iter(|| {
            let found = runtime.block_on(sqlite.version(model, black_box(&digest)));
            assert!(found.as_ref().is_ok_and(|found| found.digest() == digest));
            found
        });
    });
    group.bench_function(BenchmarkId::new("floor-select", VERSIONS), |bencher| {
        bencher.iter(|| {
            let found = runtime.block_on(bare.read(black_box(7)));
            assert!(found.as_ref().is_ok_and(|found| found.len() == text.len()));
            found
        });
    });
    group.finish();
    Ok(())
}

fn alias_history(
    criterion: &mut Criterion,
    runtime: &Runtime,
    model: &ModelName,
    (memory, sqlite): (&InMemoryRegistry, &SqlRegistry),
) -> Result<(), Box<dyn Error>> {
    let champion = Alias::champion();
    let expected = runtime.block_on(sqlite.alias_history(model, &champion))?;
    let at = Timestamp::from_second(VERSIONS as i64 / 2)?;
    let live = AliasTarget::live_at(&expected, at);
    assert_eq!((expected.len() as u64, live.is_some()), (VERSIONS, true));

    let mut group = criterion.benchmark_group("core/alias-history");
    group.bench_function(BenchmarkId::new("noops-memory", VERSIONS), |bencher| {
        bencher.iter(|| {
            let history = poll_once(memory.alias_history(model, black_box(&champion)));
            assert!(
                matches!(&history, Some(Ok(history)) if AliasTarget::live_at(history, at) == live)
            );
            history
        });
    });
    group.bench_function(BenchmarkId::new("floor-copy", VERSIONS), |bencher| {
        bencher.iter(|| {
            let history = black_box(&expected).clone();
            assert_eq!(history.len(), expected.len());
            history
        });
    });
    group.bench_function(BenchmarkId::new("noops-sqlite", VERSIONS), |bencher| {
        bencher.iter(|| {
            let history = runtime.block_on(sqlite.alias_history(model, black_box(&champion)));
            assert!(
                history
                    .as_ref()
                    .is_ok_and(|history| AliasTarget::live_at(history, at) == live)
            );
            history
        });
    });
    group.finish();
    Ok(())
}

fn move_alias(
    criterion: &mut Criterion,
    runtime: &Runtime,
    folder: &Folder,
    model: &ModelName,
    digests: &[Digest],
    sqlite: &SqlRegistry,
) -> Result<(), Box<dyn Error>> {
    let [first, second, ..] = digests else {
        return Err("two versions are needed".into());
    };
    let mut change = AliasMove {
        alias: Alias::challenger(),
        from: None,
        to: Some(*first),
        at: Timestamp::UNIX_EPOCH,
        token: FencingToken::NONE,
    };
    runtime.block_on(sqlite.move_alias(model, &change))?;
    (change.from, change.to) = (Some(*first), Some(*second));

    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.path().join("bare.log"))?;
    let line = format!("{}\n", serde_json::to_string(&change)?);

    let mut group = criterion.benchmark_group("core/move-alias");
    group.bench_function(BenchmarkId::new("noops-sqlite", 1), |bencher| {
        bencher.iter(|| {
            let moved = runtime.block_on(sqlite.move_alias(model, black_box(&change)));
            assert!(moved.as_ref().is_ok_and(|moved| moved.digest == change.to));
            (change.from, change.to) = (change.to, change.from);
            moved
        });
    });
    group.bench_function(BenchmarkId::new("floor-append-fsync", 1), |bencher| {
        bencher.iter(|| {
            let written = log.write_all(line.as_bytes()).and_then(|()| log.sync_all());
            assert!(written.is_ok());
        });
    });
    group.finish();
    Ok(())
}

const VERSIONS: u64 = 100;
