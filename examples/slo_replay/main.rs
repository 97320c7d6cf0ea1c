//! What would this objective have said of that day? Replays events through an objective and prints budget, burn and every alert.
//!
//! ```text
//! cargo run --release --example slo_replay -- SLO.yaml EVENTS.csv
//! cargo run --release --example slo_replay -- examples/data/policy/slo.sloth.yaml examples/data/policy/bad-day.csv
//! cargo run --release --example slo_replay -- SLO.yaml EVENTS.csv --objective NAME --json
//! ```
//!
//! The objective is written as for Sloth or OpenSLO; where a file has several, `--objective` names one. Its queries are not run: the
//! events stand in for what they would return. The burn-rate rules are derived from target and window.
//!
//! The events are CSV with a header, in the order of time, read line by line. `at` is RFC 3339 or seconds since 1970; beside it stand
//! either `good` and `bad`, which are counts, or `value`, which the threshold of the objective judges, or `outcome`, which is `good` or
//! `bad`. Other columns are passed over; fields are not quoted. The objective is looked at every minute, as a controller would.
//!
//! An alert fires when both windows of a rule burn faster than its factor, and the lower confidence bound of the bad share over the
//! long one is above the rule's threshold too: a single bad request at night is no reason to wake anybody.
//!
//! # JSON
//!
//! One object: `objective`, `target`, `rules`, `from`, `to`, `rows`, `budget`, `tier`, `tier_changes`, `burns`, `alerts`, `held_back`,
//! `late` and `early`. An alert is `fired` or `resolved` at a time, with the rule, the burn over both windows, the threshold, and the
//! `lower_bound` that guards it; `held_back` counts the looks at which a rule burned too fast on too few events to prove it.
//!
//! # Exit codes
//!
//! 0 whatever happened to the objective, 1 when something cannot be read or used, 2 for a command line that makes no sense.

mod document;
mod events;
#[path = "../autopilot/failure.rs"]
mod failure;
mod objective;
mod replay;
#[cfg(test)]
mod tests;
mod timeline;
mod words;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::document::Document;
use crate::failure::{Failure, fail};

/// Replays events through an objective: budget, burn and alerts.
#[derive(Debug, Parser)]
#[command(name = "slo_replay")]
struct Arguments {
    /// The objective as for Sloth or OpenSLO: YAML
    #[arg(value_name = "SLO")]
    slo: PathBuf,
    /// What happened: CSV
    #[arg(value_name = "EVENTS")]
    events: PathBuf,
    /// Which objective, where the file has several
    #[arg(long, value_name = "NAME")]
    objective: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
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
    let slo = objective::read(&arguments.slo, arguments.objective.as_deref())?;
    let replay = replay::replay(&slo, &arguments.events)?;
    if arguments.json {
        Document::of(&slo, &replay).to_json()
    } else {
        Ok(words::tell(&slo, &replay))
    }
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
    eprintln!("slo_replay: {failure}");
}
