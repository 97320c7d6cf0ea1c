//! Is the candidate at least as good? Shows a file of requests to a judge and prints its verdict and why.
//!
//! ```text
//! cargo run --release --example canary_judge -- SPEC.yaml EVENTS
//! cargo run --release --example canary_judge -- examples/data/canary/spec.yaml examples/data/canary/events.parquet
//! cargo run --release --example canary_judge -- SPEC.yaml EVENTS --trace trace.csv --aa 100
//! cargo run --release --example canary_judge -- SPEC.yaml EVENTS --json
//! ```
//!
//! The specification is `noops_canary::judge::JudgeSpec` in YAML: its metrics with kind and margin, its error rates, slices and budgets.
//! Margins belong there and are fixed before the first request: another margin is another test.
//!
//! Every row of the events is a request, in the order in which requests were served: `time` (RFC 3339, a stamp of the file, or seconds
//! since 1970), `unit` (whose request it is: a text or an integer), `arm` (`champion`, or `candidate`, which may be called `challenger`),
//! `share` (of the units that were the candidate's **when the request was served**, from 0 to 1), a column for each metric (an empty
//! cell is a missing value) and one for each slice. The file is Parquet, CSV, Arrow IPC, or JSON lines (`.jsonl`). Rows are counted from 0.
//!
//! The verdict is that after the last row. Its error rates hold however often the judge is asked, so the first look at which it
//! would have promoted or rolled back is told as well; the judge is asked a hundred times, at equal distances.
//!
//! `--aa N` splits the champion's own units in two N times and says how often the judge condemned one half: the realised rate of
//! false alarms on this very traffic.
//!
//! # JSON
//!
//! One object: `verdict` is `promote`, `continue`, `roll_back`, `insufficient` or `inconclusive`. Of every metric, `e_value` is the evidence
//! that the candidate is within its margin for guardrails and goals, and that it is worse for the others, `anytime_p_value` is its
//! inverse, at most 1, and both kinds of evidence are in `e_not_worse` and `e_worse`. Estimates are the candidate's over, or minus, the
//! champion's, as `scale` says; a bound that is infinite is null. `needs` has nulls unless the verdict is `continue`, and where a metric
//! is not on its way to being proven.
//!
//! # Trace
//!
//! CSV with a line for every look and metric, to plot estimates and evidence over time: in a section of its own, or with `--trace` in a
//! file. Unknown and unbounded numbers are empty. With `--json` it is written to a file or not at all.
//!
//! # Exit codes
//!
//! 0 whatever the verdict, 1 when something cannot be read or used, 2 for a command line that makes no sense.

mod columns;
mod document;
mod events;
#[path = "../autopilot/failure.rs"]
mod failure;
#[path = "../drift_report/frame.rs"]
mod frame;
mod lines;
#[path = "../drift_report/read.rs"]
mod read;
mod replay;
mod row;
mod spec;
#[cfg(test)]
mod tests;
mod trace;
mod words;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::document::Document;
use crate::events::Events;
use crate::failure::{Failure, fail};

/// Judges a candidate by the requests that it and the champion served.
#[derive(Debug, Parser)]
#[command(name = "canary_judge")]
struct Arguments {
    /// What is compared and how surely: YAML
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// The requests in the order in which they were served: Parquet, CSV, Arrow IPC or JSON lines
    #[arg(value_name = "EVENTS")]
    events: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Write the trace to this file
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Split the champion's own requests so many times, and report how often that raised an alarm
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    aa: Option<u32>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(text) => say(text.trim_end()),
        Err(failure) => {
            say_error(&failure);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, Failure> {
    let spec = spec::read(&arguments.spec)?;
    let events = Events::open(&arguments.events, &spec)?;
    let replay = replay::replay(&events, &spec, arguments.aa)?;
    let csv = trace::to_csv(&replay.looks);
    if let Some(out) = &arguments.trace {
        trace::write(out, &csv)?;
    }
    if arguments.json {
        return Document::of(&replay).to_json();
    }
    let mut text = words::tell(&replay);
    if arguments.trace.is_none() {
        text.push_str("\n\ntrace:\n");
        text.push_str(&csv);
    }
    Ok(text)
}

/// A reader that has seen enough, such as `head`, is no failure.
fn say(text: &str) -> ExitCode {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            say_error(&fail(format!("cannot write the result: {error}")));
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

#[expect(clippy::print_stderr, reason = "a program speaks to its user")]
fn say_error(failure: &Failure) {
    eprintln!("canary_judge: {failure}");
}
