//! When did a stream drift? Replays a file row by row and prints each alarm as it would have come.
//!
//! ```text
//! cargo run --release --example drift_stream -- FILE --column C --reference-rows N
//! cargo run --release --example drift_stream -- errors.csv --column error --reference-rows 5000 --detector e-detector --alpha 0.0001
//! cargo run --release --example drift_stream -- FILE --column C --reference-rows N --json
//! ```
//!
//! The first N rows are the reference, and the rows after them the stream. Rows are counted from 0. Files are Parquet, CSV or Arrow IPC.
//!
//! Unless a detector is named, an anytime-valid gate watches: while the stream is as the reference, the probability that it ever alarms,
//! over however many rows, is at most alpha (1 % unless set), the error of the finite reference included. A text is watched by its
//! categories, the 100 most frequent ones each. After an alarm the gate starts anew against the same reference, with the whole alpha
//! again: a stream that stays drifted goes on alarming, so the time of the first alarm and the number of alarms mean different things.
//!
//! `--detector` takes one of the change detectors of the literature. The e-detector promises at least 1 / alpha rows between false alarms,
//! on average; the others promise nothing, and take no `--alpha`. CUSUM and the e-detector take the mean from the reference; the others are
//! fed the reference first, and what they say to it is not printed. They restart themselves.
//!
//! Exit codes: 0 whatever the verdict, 1 when something cannot be read, 2 for a command line that makes no sense, and 3 with
//! `--fail-on-drift` when there was an alarm.

#[path = "../autopilot/failure.rs"]
mod failure;
#[path = "../drift_report/frame.rs"]
mod frame;
#[path = "../drift_report/read.rs"]
mod read;
mod rows;
#[cfg(test)]
mod tests;
mod watch;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use noops_core::Alpha;
use noops_drift::detector::DetectorKind;
use serde::Serialize;

use crate::failure::{Failure, fail};
use crate::frame::printable;
use crate::read::Table;
use crate::rows::{Value, rows};
use crate::watch::{Alarm, Watcher};

/// Replays a column of a file as a stream and prints when it drifted.
#[derive(Debug, Parser)]
#[command(name = "drift_stream")]
struct Arguments {
    /// The rows, in the order of their time: Parquet, CSV or Arrow IPC
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The column to watch
    #[arg(long, value_name = "C")]
    column: String,
    /// How many rows at the beginning are the reference
    #[arg(long, value_name = "N")]
    reference_rows: NonZeroUsize,
    /// The error rate, of the gate 0.01 unless set
    #[arg(long, value_name = "A", value_parser = parse_alpha)]
    alpha: Option<Alpha>,
    /// Watch with this change detector and not with the gate
    #[arg(long, value_name = "NAME", value_parser = parse_detector)]
    detector: Option<DetectorKind>,
    /// Print a JSON object per line: each alarm, and the summary
    #[arg(long)]
    json: bool,
    /// Exit with 3 when there was an alarm
    #[arg(long)]
    fail_on_drift: bool,
}

/// What was seen in the end.
#[derive(Debug, Serialize)]
struct Summary {
    reference_rows: u64,
    rows: u64,
    alarms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_alarm: Option<u64>,
    ignored: u64,
    promise: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments, &mut say) {
        Ok(summary) if arguments.fail_on_drift && summary.alarms > 0 => ExitCode::from(DRIFTED),
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            say_error(&failure);
            ExitCode::FAILURE
        }
    }
}

/// Hands each line to `say` as it comes.
fn run(arguments: &Arguments, say: &mut dyn FnMut(&str)) -> Result<Summary, Failure> {
    let table = Table::open(&arguments.file)?;
    let column = printable(&arguments.column);
    let mut stream = rows(&table, &arguments.column)?;
    let wanted = arguments.reference_rows.get();
    let mut reference: Vec<Value> = Vec::new();
    for value in stream.by_ref().take(wanted) {
        reference.push(value?);
    }
    if reference.len() < wanted {
        return Err(fail(format!(
            "`{}` has `{}` rows, fewer than the `{wanted}` of the reference; pass fewer `--reference-rows`",
            arguments.file.display(),
            reference.len()
        )));
    }
    if reference.iter().all(Value::is_missing) {
        return Err(fail(format!(
            "the first `{wanted}` rows of column `{column}` have no value; there is no reference to watch"
        )));
    }
    let mut watcher = match arguments.detector {
        Some(kind) => Watcher::detector(kind, &reference, arguments.alpha, &column)?,
        None => Watcher::gate(&reference, arguments.alpha.unwrap_or(Alpha::ONE_PERCENT))?,
    };
    let mut summary = Summary {
        reference_rows: wanted as u64,
        rows: 0,
        alarms: 0,
        first_alarm: None,
        ignored: 0,
        promise: watcher.promise(),
    };
    drop(reference);
    for value in stream {
        let row = summary.reference_rows + summary.rows;
        summary.rows += 1;
        if let Some(alarm) = watcher.observe(&value?) {
            summary.alarms += 1;
            summary.first_alarm.get_or_insert(row);
            say(&told(row, &alarm, arguments.json)?);
        }
    }
    summary.ignored = watcher.ignored();
    say(&if arguments.json {
        to_json(&summary)?
    } else {
        in_words(&summary, &column)
    });
    Ok(summary)
}

fn told(row: u64, alarm: &Alarm, as_json: bool) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Line<'a> {
        row: u64,
        #[serde(flatten)]
        alarm: &'a Alarm,
    }
    if as_json {
        to_json(&Line { row, alarm })
    } else {
        Ok(format!("row {row}: {alarm}"))
    }
}

fn in_words(summary: &Summary, column: &str) -> String {
    let alarms = match (summary.alarms, summary.first_alarm) {
        (1, Some(first)) => format!("one alarm, at row {first}"),
        (many, Some(first)) => format!("{many} alarms, the first at row {first}"),
        (_, None) => "no alarm".to_owned(),
    };
    let ignored = match summary.ignored {
        0 => String::new(),
        1 => " One value could not be used.".to_owned(),
        some => format!(" {some} values could not be used."),
    };
    format!(
        "`{column}`: {alarms} in {} rows after {} reference rows.{ignored} {}",
        summary.rows, summary.reference_rows, summary.promise
    )
}

fn to_json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| fail(format!("cannot write JSON: {error}")))
}

fn parse_alpha(text: &str) -> Result<Alpha, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "write a number between 0 and 1, such as `0.01`".to_owned())?;
    Alpha::new(number).map_err(|error| error.to_string())
}

fn parse_detector(name: &str) -> Result<DetectorKind, String> {
    DetectorKind::from_name(name).map_err(|error| error.to_string())
}

#[expect(clippy::print_stdout, reason = "a program speaks to its user")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a program speaks to its user")]
fn say_error(failure: &Failure) {
    eprintln!("drift_stream: {failure}");
}

/// The exit code of `--fail-on-drift`.
const DRIFTED: u8 = 3;
