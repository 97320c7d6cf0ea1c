//! How long single calls take, the slow ones too: reads of features to serve, and reads of the registry.
//!
//! ```text
//! cargo run --release -p noops-benches --bin latency
//! ```
//!
//! Prints one line of JSON for each kind of call, with the fields that the programs in `peers/` print.

use std::error::Error;
use std::time::{Duration, Instant};

use clap::Parser;
use noops_benches::{
    Folder, SplitMix64, WIDE_FEATURES, fill_registry, microseconds, wide_entity, wide_rows,
    wide_view,
};
use noops_core::{
    Alias, CellStatus, Digest, InMemoryFeatures, InMemoryRegistry, ModelName, ModelRegistry,
    OnlineFeatures, SqlDatabase, Timestamp,
};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

/// Measures single calls, one after the other.
#[derive(Debug, Parser)]
#[command(name = "latency")]
struct Arguments {
    /// How many calls of each kind are measured
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    calls: u64,
    /// How many entities have features
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    entities: u64,
    /// How many versions the model has
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    versions: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let folder = Folder::new("latency")?;
    let database = runtime.block_on(SqlDatabase::open(&folder.path().join("noops.sqlite")))?;

    let memory = InMemoryFeatures::new(wide_view());
    online(&runtime, &arguments, "memory", &memory)?;
    let sqlite = database.features(wide_view())?;
    online(&runtime, &arguments, "sqlite", &sqlite)?;

    registry(&runtime, &arguments, "memory", &InMemoryRegistry::new())?;
    registry(&runtime, &arguments, "sqlite", &database.registry())?;
    runtime.block_on(database.close());
    Ok(())
}

fn online(
    runtime: &Runtime,
    arguments: &Arguments,
    store: &str,
    features: &dyn OnlineFeatures,
) -> Result<(), Box<dyn Error>> {
    let entities = i64::try_from(arguments.entities)?;
    runtime.block_on(features.push(&wide_rows(entities)?))?;
    let mut questions = Vec::new();
    for entity in 0..entities {
        questions.push(wide_entity(entity)?);
    }
    let at = Timestamp::from_second(1)?;
    let mut generator = SplitMix64::new(10);
    measure(
        arguments.calls,
        &format!("online of {WIDE_FEATURES} features"),
        store,
        || {
            let asked = generator.next_u64() % arguments.entities;
            let question = questions.get(asked as usize).ok_or("no such entity")?;
            let start = now();
            let frame = runtime.block_on(features.online(question, at, DEADLINE))?;
            let spent = start.elapsed();
            let whole = frame.count(0, CellStatus::Present) == 1
                && frame.values().num_columns() == WIDE_FEATURES;
            whole
                .then_some(spent)
                .ok_or_else(|| "features are missing".into())
        },
    )
}

fn registry(
    runtime: &Runtime,
    arguments: &Arguments,
    store: &str,
    registry: &dyn ModelRegistry,
) -> Result<(), Box<dyn Error>> {
    let model: ModelName = "bench".parse()?;
    let champion = Alias::champion();
    let digests = runtime.block_on(fill_registry(registry, &model, arguments.versions))?;
    let mut generator = SplitMix64::new(11);
    measure(arguments.calls, "registry version", store, || {
        let asked = generator.next_u64() % arguments.versions;
        let digest: Digest = *digests.get(asked as usize).ok_or("no such version")?;
        let start = now();
        let found = runtime.block_on(registry.version(&model, &digest))?;
        let spent = start.elapsed();
        let right = found.digest() == digest;
        right
            .then_some(spent)
            .ok_or_else(|| "it is another version".into())
    })?;
    measure(arguments.calls, "registry alias", store, || {
        let start = now();
        let history = runtime.block_on(registry.alias_history(&model, &champion))?;
        let spent = start.elapsed();
        let newest = history.last().and_then(|target| target.digest);
        let right = newest == digests.last().copied();
        right
            .then_some(spent)
            .ok_or_else(|| "it points elsewhere".into())
    })
}

/// Makes calls, a tenth more of them before, and prints how long they took.
fn measure(
    calls: u64,
    operation: &str,
    store: &str,
    mut call: impl FnMut() -> Result<Duration, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    for _ in 0..calls / 10 {
        call()?;
    }
    let mut spent: Vec<Duration> = Vec::new();
    for _ in 0..calls {
        spent.push(call()?);
    }
    spent.sort_unstable();
    let total: Duration = spent.iter().sum();
    let line = json!({
        "implementation": "noops",
        "operation": operation,
        "store": store,
        "calls": calls,
        "p50_microseconds": microseconds(&spent, 0.5),
        "p99_microseconds": microseconds(&spent, 0.99),
        "max_microseconds": microseconds(&spent, 1.0),
        "per_second": calls as f64 / total.as_secs_f64(),
    });
    say(&line);
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement is the one thing that needs the real clock"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "a program speaks to its user")]
fn say(line: &serde_json::Value) {
    println!("{line}");
}

const DEADLINE: Duration = Duration::from_secs(1);
