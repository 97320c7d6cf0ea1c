//! Features in Parquet files: training frames that do not know the future, and the two checks on those who do.
//!
//! ```text
//! cargo run --release --example features -- demo --out /tmp/features
//! cargo run --release --example features -- train --view VIEW.json --rows DIR --entities FILE.parquet --time COLUMN --out FRAME.parquet
//! cargo run --release --example features -- leakage --view VIEW.json --rows DIR --frame FILE.parquet --time COLUMN
//! cargo run --release --example features -- parity --view VIEW.json --rows DIR --served FILE.parquet --time COLUMN
//! ```
//!
//! `leakage` and `parity` end with a failure when they find something, so that a pipeline stops.

mod demo;
#[path = "../autopilot/failure.rs"]
mod failure;
mod frame;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use noops_core::{
    Clock, DatasetSnapshot, FeatureSource, FeatureView, Knowledge, LeakageReport, ParquetFeatures,
    ParquetSettings, SystemClock, Tolerance, feature_parity, leakage,
};

use crate::failure::{Failure, fail};
use crate::table::{read, times, write};

/// Builds training frames from feature rows, and checks frames and served vectors against them.
#[derive(Debug, Parser)]
#[command(name = "features")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the features of entities as they were known at a time of each
    Train {
        #[command(flatten)]
        rows: Rows,
        /// Whom to find features for: the key columns, a time, and anything else that shall stay, such as labels
        #[arg(long, value_name = "FILE")]
        entities: PathBuf,
        /// The column of the entities with the time of each
        #[arg(long, value_name = "COLUMN")]
        time: String,
        /// Where the frame goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Add the status and the age of every feature to the frame
        #[arg(long)]
        status: bool,
    },
    /// Look for values in a training frame that were not known at the time of their row
    Leakage {
        #[command(flatten)]
        rows: Rows,
        /// The frame: the key columns, a time and features
        #[arg(long, value_name = "FILE")]
        frame: PathBuf,
        /// The column of the frame with the time of each row
        #[arg(long, value_name = "COLUMN")]
        time: String,
    },
    /// Compare features as they were served with what was known then
    Parity {
        #[command(flatten)]
        rows: Rows,
        /// The log: the key columns, a time and features
        #[arg(long, value_name = "FILE")]
        served: PathBuf,
        /// The column of the log with the time of each row
        #[arg(long, value_name = "COLUMN")]
        time: String,
        /// How far two numbers may be apart
        #[arg(long, value_name = "X", default_value_t = 0.0)]
        tolerance: f64,
    },
    /// Write a small data set to try the others on
    Demo {
        /// The folder it goes to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// What all randomness comes from
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
    },
}

/// Where the feature rows are and how they are written.
#[derive(Debug, Args)]
struct Rows {
    /// The definition of the features
    #[arg(long, value_name = "FILE")]
    view: PathBuf,
    /// The feature rows: a Parquet file, or a folder of them
    #[arg(long, value_name = "PATH")]
    rows: PathBuf,
    /// The column of event times
    #[arg(long, value_name = "COLUMN", default_value = "event_time")]
    event_time: String,
    /// The column of known-at times
    #[arg(
        long,
        value_name = "COLUMN",
        default_value = "known_at",
        conflicts_with = "no_known_at"
    )]
    known_at: String,
    /// The rows do not say when they became known: take their event time, and see no leak through late data
    #[arg(long)]
    no_known_at: bool,
}

impl Rows {
    fn open(&self) -> Result<ParquetFeatures, Failure> {
        let text = std::fs::read(&self.view).map_err(|error| {
            fail(format!(
                "cannot read the view `{}`: {error}",
                self.view.display()
            ))
        })?;
        let view: FeatureView = serde_json::from_slice(&text).map_err(|error| {
            fail(format!(
                "`{}` is not the definition of a view: {error}",
                self.view.display()
            ))
        })?;
        let settings = ParquetSettings::default().with_event_time_column(&self.event_time);
        let settings = if self.no_known_at {
            settings.with_known_at_event_time()
        } else {
            settings.with_known_at_column(&self.known_at)
        };
        Ok(ParquetFeatures::open(view, &self.rows, settings)?)
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run(Arguments::parse().command, &SystemClock).await {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            say_error(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, clock: &dyn Clock) -> Result<String, Failure> {
    match command {
        Command::Train {
            rows,
            entities,
            time,
            out,
            status,
        } => {
            let source = rows.open()?;
            let entities = read(&entities)?;
            let asked = times(&entities, &time)?;
            let frame = source
                .as_of(&entities, &asked, Knowledge::AtRowTime)
                .await?;
            let provenance = if status {
                frame::Provenance::Written
            } else {
                frame::Provenance::LeftOut
            };
            let joined = frame::join(&entities, &frame, provenance)?;
            write(&out, &joined)?;
            let view = source.view();
            let batches = [joined];
            let snapshot = DatasetSnapshot::of(view, &batches, Knowledge::AtRowTime, clock.now())?;
            Ok(format!(
                "{} rows of view {} ({}) in {}\n{}snapshot {}",
                snapshot.rows(),
                view.name(),
                view.version().short(),
                out.display(),
                frame::counts(&frame),
                snapshot.digest(),
            ))
        }
        Command::Leakage { rows, frame, time } => {
            let source = rows.open()?;
            let frame = read(&frame)?;
            let asked = times(&frame, &time)?;
            let report = leakage(&source, &frame, &asked, &frame, clock.now()).await?;
            if report.is_clean() {
                return Ok(format!("{report}{}", clean(&report)));
            }
            Err(fail(format!("the frame knows its future\n{report}")))
        }
        Command::Parity {
            rows,
            served,
            time,
            tolerance,
        } => {
            let source = rows.open()?;
            let served = read(&served)?;
            let asked = times(&served, &time)?;
            let tolerance = Tolerance::new(tolerance, 0.0)?;
            let report = feature_parity(&served, &asked, &source, tolerance).await?;
            if report.agrees() {
                return Ok(format!("{report}served as known"));
            }
            Err(fail(format!("serving and training disagree\n{report}")))
        }
        Command::Demo { out, seed } => demo::write(&out, seed).await,
    }
}

/// What it is worth that no leak was found.
fn clean(report: &LeakageReport) -> String {
    let features = report.features().iter();
    let (telling, unexplained) =
        features.fold((0_u64, 0_u64), |(telling, unexplained), feature| {
            (telling + feature.telling, unexplained + feature.unexplained)
        });
    let verdict = if telling == 0 {
        "no leak could show: nothing that became known later differs from what was known then"
    } else {
        "no leak found"
    };
    if unexplained == 0 {
        return verdict.to_owned();
    }
    format!("{verdict}; {unexplained} cells hold neither what was known then nor what is known now")
}

#[expect(clippy::print_stdout, reason = "a program speaks to its user")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a program speaks to its user")]
fn say_error(failure: &Failure) {
    eprintln!("features: {failure}");
}

#[cfg(test)]
mod tests;
