//! Joins feature rows with entity rows in a stream, and says how fast that was, how much memory it took and whether it was right.
//!
//! ```text
//! cargo run --release -p noops-benches --bin as_of
//! cargo run --release -p noops-benches --bin as_of -- --feature-rows 50000000 --entity-rows 10000000
//! cargo run --release -p noops-benches --bin as_of -- --held --repeat 5 --write /tmp/as-of
//! ```
//!
//! Prints one line of JSON. Fails when a sampled answer is not what the naive rule says.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, RecordBatch};
use clap::Parser;
use noops_benches::{AsOfOracle, AsOfWorkload};
use noops_core::{AsOfJoin, FeatureFrame, Knowledge, Timestamp};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

/// Joins feature rows with entity rows in a stream, and checks a sample of the answers.
#[derive(Debug, Parser)]
#[command(name = "as_of")]
struct Arguments {
    /// How many rows of twenty features there are
    #[arg(long, value_name = "N", default_value_t = 5_000_000, value_parser = clap::value_parser!(u64).range(1..=MOST_ROWS))]
    feature_rows: u64,
    /// How many entity rows ask for them
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=MOST_ROWS))]
    entity_rows: u64,
    /// Of how many entities the rows are; a fiftieth of the feature rows unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_KEYS))]
    keys: Option<u64>,
    /// By how much feature rows may be known later than they happen
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    late_seconds: u64,
    /// How many rows there are in a batch of feature rows, and in a question
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    batch: u64,
    /// How many answers are compared with those of the naive rule
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    sample: u64,
    /// Make all rows before, and keep all answers, as a library of data frames does
    #[arg(long)]
    held: bool,
    /// With --held, join so many times and take the fastest
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    repeat: u64,
    /// Also write the rows as `features.parquet` and `entities.parquet`, and what comes of them as `expected.json`
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(line) => {
            say(&line);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<Value, Box<dyn Error>> {
    let keys = arguments.keys.unwrap_or(arguments.feature_rows / 50);
    let workload = AsOfWorkload::new(arguments.feature_rows, arguments.entity_rows, keys)
        .with_latest(Duration::from_secs(arguments.late_seconds));
    let sampled = Sampled::new(&workload, arguments.sample);
    let start = now();
    let joined = if arguments.held {
        hold(&workload, arguments, sampled)?
    } else {
        stream(&workload, arguments, sampled)?
    };
    let wall = start.elapsed().as_secs_f64();
    // Before anything else takes memory.
    let peak = peak_memory();
    if joined.sampled.wrong > 0 {
        let (wrong, checked) = (joined.sampled.wrong, joined.sampled.checked);
        return Err(
            format!("{wrong} of {checked} answers are not what the naive rule says").into(),
        );
    }
    let join = joined.spent.as_secs_f64();
    let line = json!({
        "implementation": "noops",
        "operation": "as-of join",
        "held": arguments.held,
        "feature_rows": arguments.feature_rows,
        "entity_rows": arguments.entity_rows,
        "keys": keys.max(1),
        "features": AsOfWorkload::FEATURES,
        "late_seconds": arguments.late_seconds,
        "ttl_microseconds": workload.ttl().as_micros() as u64,
        "wall_seconds": wall,
        "join_seconds": join,
        "entity_rows_per_second": arguments.entity_rows as f64 / join,
        "feature_rows_per_second": arguments.feature_rows as f64 / join,
        "peak_memory_mib": peak.map(|bytes| bytes >> 20),
        "present": joined.totals.present,
        "sum": joined.totals.sum,
        "checked": joined.sampled.checked,
    });
    if let Some(directory) = &arguments.write {
        write(&workload, arguments.batch, directory, &line)?;
    }
    Ok(line)
}

/// What came of a join.
struct Joined {
    /// The time in the join alone: without making rows and looking at answers.
    spent: Duration,
    totals: Totals,
    sampled: Sampled,
}

/// Rows are made as they are read, and answers are dropped as they come.
fn stream(
    workload: &AsOfWorkload,
    arguments: &Arguments,
    mut sampled: Sampled,
) -> Result<Joined, Box<dyn Error>> {
    let making = Arc::new(AtomicU64::new(0));
    let rows = Timed {
        rows: workload.features(arguments.batch),
        nanoseconds: Arc::clone(&making),
    };
    let mut join = AsOfJoin::new(workload.view(), Knowledge::AtRowTime, rows)?;
    let mut totals = Totals::default();
    let mut joining = Duration::ZERO;
    for chunk in workload.entity_chunks(arguments.batch) {
        let (entities, times) = workload.entities(chunk.clone())?;
        let start = now();
        let frame = join.join(&entities, &times)?;
        joining += start.elapsed();
        totals.add(&frame);
        sampled.check(chunk.start, &frame);
    }
    let making = Duration::from_nanos(making.load(Ordering::Relaxed));
    Ok(Joined {
        spent: joining.saturating_sub(making),
        totals,
        sampled,
    })
}

/// All rows are there before, and all answers afterwards.
fn hold(
    workload: &AsOfWorkload,
    arguments: &Arguments,
    mut sampled: Sampled,
) -> Result<Joined, Box<dyn Error>> {
    let features = workload.features(arguments.batch);
    let features = features.collect::<Result<Vec<RecordBatch>, _>>()?;
    let mut questions: Vec<(u64, RecordBatch, Vec<Timestamp>)> = Vec::new();
    for chunk in workload.entity_chunks(arguments.batch) {
        let (entities, times) = workload.entities(chunk.clone())?;
        questions.push((chunk.start, entities, times));
    }
    let mut fastest = Duration::MAX;
    let mut frames: Vec<FeatureFrame> = Vec::new();
    for _ in 0..arguments.repeat {
        frames.clear();
        let rows = features.clone().into_iter().map(Ok);
        let start = now();
        let mut join = AsOfJoin::new(workload.view(), Knowledge::AtRowTime, rows)?;
        for (_, entities, times) in &questions {
            frames.push(join.join(entities, times)?);
        }
        fastest = fastest.min(start.elapsed());
    }
    let mut totals = Totals::default();
    for ((first, _, _), frame) in questions.iter().zip(&frames) {
        totals.add(frame);
        sampled.check(*first, frame);
    }
    Ok(Joined {
        spent: fastest,
        totals,
        sampled,
    })
}

/// Feature rows, and the time that it took to make them.
struct Timed<I> {
    rows: I,
    nanoseconds: Arc<AtomicU64>,
}

impl<I: Iterator> Iterator for Timed<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let start = now();
        let next = self.rows.next();
        let spent = start.elapsed().as_nanos() as u64;
        self.nanoseconds.fetch_add(spent, Ordering::Relaxed);
        next
    }
}

/// What another program can compare its answers with.
#[derive(Default)]
struct Totals {
    /// The entity rows that have features.
    present: u64,
    /// The sum of all values.
    sum: f64,
}

impl Totals {
    fn add(&mut self, frame: &FeatureFrame) {
        let columns = frame.values().columns();
        if let Some(first) = columns.first() {
            self.present += (first.len() - first.null_count()) as u64;
        }
        for column in columns {
            if let Some(column) = column.as_primitive_opt::<Float64Type>() {
                self.sum += column.iter().flatten().sum::<f64>();
            }
        }
    }
}

/// Answers that are compared with those of the naive rule.
struct Sampled {
    oracle: AsOfOracle,
    every: u64,
    checked: u64,
    wrong: u64,
}

impl Sampled {
    fn new(workload: &AsOfWorkload, sample: u64) -> Self {
        let every = (workload.entity_rows() / sample).max(1);
        let rows = (0..workload.entity_rows()).step_by(every as usize);
        Self {
            oracle: AsOfOracle::new(workload, rows),
            every,
            checked: 0,
            wrong: 0,
        }
    }

    /// Looks at the answers for the entity rows from `first`.
    fn check(&mut self, first: u64, frame: &FeatureFrame) {
        for (at, row) in (first..).take(frame.times().len()).enumerate() {
            if row.is_multiple_of(self.every) {
                self.checked += 1;
                self.wrong += u64::from(!self.oracle.agrees(row, frame, at));
            }
        }
    }
}

fn write(
    workload: &AsOfWorkload,
    batch: u64,
    directory: &Path,
    line: &Value,
) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(directory)?;
    let features = workload
        .features(batch)
        .map(|rows| rows.map_err(Box::<dyn Error>::from));
    write_table(&directory.join("features.parquet"), features)?;
    let entities = workload
        .entity_chunks(batch)
        .map(|rows| workload.entity_table(rows).map_err(Box::<dyn Error>::from));
    write_table(&directory.join("entities.parquet"), entities)?;
    fs::write(directory.join("expected.json"), format!("{line}\n"))?;
    Ok(())
}

fn write_table(
    file: &Path,
    batches: impl Iterator<Item = Result<RecordBatch, Box<dyn Error>>>,
) -> Result<(), Box<dyn Error>> {
    let mut writer: Option<ArrowWriter<File>> = None;
    for batch in batches {
        let batch = batch?;
        let mut open = match writer.take() {
            Some(open) => open,
            None => ArrowWriter::try_new(File::create(file)?, batch.schema(), None)?,
        };
        open.write(&batch)?;
        writer = Some(open);
    }
    if let Some(writer) = writer {
        writer.close()?;
    }
    Ok(())
}

/// The most memory that this process has had, in bytes, where the operating system says so.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes << 10)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement is the one thing that needs the real clock"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "a program speaks to its user")]
fn say(line: &Value) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "a program speaks to its user")]
fn complain(error: &dyn Error) {
    eprintln!("error: {error}");
}

const MOST_ROWS: u64 = 10_000_000_000;
const MOST_KEYS: u64 = 1_000_000_000;
