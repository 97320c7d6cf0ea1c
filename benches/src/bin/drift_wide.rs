//! Counts a stream of wide batches in the cells of a profile, and says how fast that was beside reading them, and how much memory it took.
//!
//! ```text
//! cargo run --release -p noops-benches --bin drift_wide                   # 1,000 columns of 3.3 million rows, 26 GB
//! cargo run --release -p noops-benches --bin drift_wide -- --rows 100000  # a second, for a check
//! ```
//!
//! Prints one line of JSON. Fails when the counts of a column are not those of a binary search per value, or when columns are said to
//! have drifted that have not.

use std::error::Error;
use std::fs;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use clap::Parser;
use noops_benches::{SplitMix64, frame, read_batch, reference_numbers};
use noops_drift::{
    Binning, ColumnCounts, Counts, DriftSettings, Profile, ProfileBuilder, ProfileSettings,
    Quantiles,
};
use serde_json::{Value, json};

/// Counts a stream of wide batches in the cells of a profile.
#[derive(Debug, Parser)]
#[command(name = "drift_wide")]
struct Arguments {
    /// How many columns of numbers there are
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    columns: u64,
    /// How many rows are counted
    #[arg(long, value_name = "N", default_value_t = 3_300_000, value_parser = clap::value_parser!(u64).range(1..=MOST_ROWS))]
    rows: u64,
    /// From how many rows the profile is learned
    #[arg(long, value_name = "N", default_value_t = 32_768, value_parser = clap::value_parser!(u64).range(2..=MOST_ROWS))]
    reference_rows: u64,
    /// How many rows there are in a batch
    #[arg(long, value_name = "N", default_value_t = 8_192, value_parser = clap::value_parser!(u64).range(2..=10_000_000))]
    batch: u64,
    /// In how many bins a column is cut
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=10_000))]
    bins: u64,
    /// How many buckets of a column are kept while the profile is learned
    #[arg(long, value_name = "N", default_value_t = 1_024, value_parser = clap::value_parser!(u64).range(16..=1_000_000))]
    buckets: u64,
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
    let learned = learn(arguments)?;
    let profile = &learned.profile;
    let counted = count(arguments, profile)?;
    let start = now();
    let report = profile.compare(&counted.counts, &DriftSettings::default())?;
    let comparing = start.elapsed();
    // Before anything else takes memory.
    let peak = peak_memory();

    if counted.counts.columns().first().map(ColumnCounts::bins) != Some(counted.expected.as_slice())
    {
        return Err("the counts are not those of a binary search per value".into());
    }
    let drifted = report.drifted().count();
    // All come from one distribution: the probability that a single one is called is 5 %.
    if drifted > 2 {
        return Err(format!("{drifted} columns are said to have drifted, and none has").into());
    }
    let bytes = 8.0 * arguments.columns as f64 * arguments.rows as f64;
    let (reading, counting) = (counted.reading, counted.counting);
    Ok(json!({
        "implementation": "noops",
        "operation": "wide stream",
        "columns": arguments.columns,
        "rows": arguments.rows,
        "reference_rows": arguments.reference_rows,
        "batch_rows": arguments.batch,
        "bins": arguments.bins,
        "gigabytes": bytes / 1e9,
        "learn_seconds": learned.spent.as_secs_f64(),
        "count_seconds": counting.as_secs_f64(),
        "read_seconds": reading.as_secs_f64(),
        "compare_seconds": comparing.as_secs_f64(),
        "count_gigabytes_per_second": bytes / 1e9 / counting.as_secs_f64(),
        "read_gigabytes_per_second": bytes / 1e9 / reading.as_secs_f64(),
        "share_of_read": reading.as_secs_f64() / counting.as_secs_f64(),
        "drifted": drifted,
        "sum": counted.sum,
        "peak_memory_mib": peak.map(|bytes| bytes >> 20),
    }))
}

/// A profile, and the time that learning it took, without making the rows.
struct Learned {
    profile: Profile,
    spent: Duration,
}

fn learn(arguments: &Arguments) -> Result<Learned, Box<dyn Error>> {
    let bins = NonZeroUsize::try_from(arguments.bins as usize)?;
    let buckets = NonZeroUsize::try_from(arguments.buckets as usize)?;
    let settings = ProfileSettings::default()
        .with_bins(bins)
        .with_quantiles(Quantiles::Bounded { buckets });
    let mut builder = ProfileBuilder::new(settings);
    let mut spent = Duration::ZERO;
    let mut first = 0;
    while first < arguments.reference_rows {
        let rows = arguments.batch.min(arguments.reference_rows - first);
        // In every batch the first rows are the ends of the range.
        let batch = batch_of(arguments.columns, |column| {
            reference_numbers(seed(REFERENCE, column, first), rows as usize)
        })?;
        let start = now();
        builder.observe(&batch)?;
        spent += start.elapsed();
        first += rows;
    }
    let start = now();
    let profile = builder.finish()?;
    spent += start.elapsed();
    Ok(Learned { profile, spent })
}

/// What came of the stream.
struct Counted {
    counts: Counts,
    /// The bins of the first column, by binary search.
    expected: Vec<u64>,
    counting: Duration,
    reading: Duration,
    sum: f64,
}

fn count(arguments: &Arguments, profile: &Profile) -> Result<Counted, Box<dyn Error>> {
    let edges = edges(profile).ok_or("the profile has no numeric column")?;
    let mut counted = Counted {
        counts: Counts::new(profile),
        expected: vec![0; edges.len() + 1],
        counting: Duration::ZERO,
        reading: Duration::ZERO,
        sum: 0.0,
    };
    let mut first = 0;
    let mut turn = Turn::CountFirst;
    while first < arguments.rows {
        let rows = arguments.batch.min(arguments.rows - first);
        let batch = batch_of(arguments.columns, |column| {
            SplitMix64::new(seed(CURRENT, column, first)).numbers(rows as usize)
        })?;
        // In turns, because the second finds more of the batch in the caches.
        match turn {
            Turn::CountFirst => {
                counted.observe(profile, &batch)?;
                counted.read(&batch)?;
                turn = Turn::ReadFirst;
            }
            Turn::ReadFirst => {
                counted.read(&batch)?;
                counted.observe(profile, &batch)?;
                turn = Turn::CountFirst;
            }
        }
        for value in SplitMix64::new(seed(CURRENT, 0, first)).numbers(rows as usize) {
            let bin = edges.partition_point(|edge| *edge < value);
            if let Some(expected) = counted.expected.get_mut(bin) {
                *expected += 1;
            }
        }
        first += rows;
    }
    Ok(counted)
}

#[derive(Clone, Copy, Debug)]
enum Turn {
    CountFirst,
    ReadFirst,
}

impl Counted {
    fn observe(&mut self, profile: &Profile, batch: &RecordBatch) -> Result<(), Box<dyn Error>> {
        let start = now();
        self.counts.observe(profile, batch)?;
        self.counting += start.elapsed();
        Ok(())
    }

    fn read(&mut self, batch: &RecordBatch) -> Result<(), Box<dyn Error>> {
        let start = now();
        let sum = read_batch(batch).ok_or("a column is no `Float64`")?;
        self.reading += start.elapsed();
        self.sum += sum;
        Ok(())
    }
}

fn batch_of(
    columns: u64,
    values: impl Fn(u64) -> Vec<f64>,
) -> Result<RecordBatch, noops_core::Error> {
    frame((0..columns).map(|column| Arc::new(Float64Array::from(values(column))) as ArrayRef))
}

/// Of the numbers of a column from a row on.
fn seed(stream: u64, column: u64, first: u64) -> u64 {
    SplitMix64::new(SplitMix64::new(stream ^ column).next_u64() ^ first).next_u64()
}

fn edges(profile: &Profile) -> Option<Vec<f64>> {
    match profile.columns().first()?.binning() {
        Binning::Number { edges, .. } => Some(edges.clone()),
        Binning::Category { .. } => None,
    }
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
/// Far apart, so that no column of one is a column of the other.
const REFERENCE: u64 = 1 << 40;
const CURRENT: u64 = 1 << 41;
