//! Is the candidate at least as good on labelled history? Compares the scores of two models on the same rows.
//!
//! ```text
//! cargo run --release --example evaluate -- CHAMPION CANDIDATE --label L --score S
//! cargo run --release --example evaluate -- champion.parquet candidate.parquet --label late --score p --group carrier --group origin
//! cargo run --release --example evaluate -- CHAMPION CANDIDATE --label L --score S --group G --max-disparity 0.1
//! cargo run --release --example evaluate -- CHAMPION CANDIDATE --label L --score S --json
//! ```
//!
//! Both files hold the same rows in the same order: Parquet, CSV or Arrow IPC, each with the label (a flag, or 0 and 1) and the score of
//! one model, the probability of a positive label. Group columns and `--block` are taken from the champion's file, and must agree where the
//! candidate's has them too. Rows are counted from 0.
//!
//! A gate decides: AUC, log loss, Brier score and accuracy must be proven not to be worse than the champion's by more than their
//! margins, log loss in every group too, and with `--max-disparity` the candidate's demographic parity and equalized odds differences must
//! be proven to be at most that. What is not proven is undecided, which is no pass. Each end of an interval is a bound at `--alpha`
//! (those of disparities together), except that fairness and AUC take rows as independent: with `--block` their intervals are too short where
//! rows of a block fall together.
//!
//! AUC is compared by DeLong's test, means over rows by their paired differences, F1 and the calibration error by a paired
//! bootstrap of 1000 resamples, or fewer with more than 20,000 rows.
//!
//! # JSON
//!
//! One object: `verdict` is `pass`, `fail` or `undecided`; `metrics` with the champion's value, the candidate's and their difference, each
//! with its ends, null where unknown; `slices` and `fairness` by group column, the last of `fairness` by all of them crossed if there are
//! several; `criteria` with what the gate asked.
//!
//! # Exit codes
//!
//! 0 whatever the verdict, 1 when something cannot be read or compared, 2 for a command line that makes no sense.

#[path = "../canary_judge/columns.rs"]
mod columns;
mod compare;
mod document;
#[path = "../autopilot/failure.rs"]
mod failure;
mod fair;
#[path = "../drift_report/frame.rs"]
mod frame;
#[path = "../drift_report/read.rs"]
mod read;
mod rows;
#[cfg(test)]
mod tests;
mod words;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use noops_core::Alpha;

use crate::compare::{Asked, Compared};
use crate::document::Document;
use crate::failure::{Failure, fail};
use crate::rows::{Columns, Rows};

/// Compares a candidate with the champion on labelled rows.
#[derive(Debug, Parser)]
#[command(name = "evaluate")]
struct Arguments {
    /// The rows as the champion scored them: Parquet, CSV or Arrow IPC
    #[arg(value_name = "CHAMPION")]
    champion: PathBuf,
    /// The same rows as the candidate scored them
    #[arg(value_name = "CANDIDATE")]
    candidate: PathBuf,
    /// The column with what came true
    #[arg(long, value_name = "L")]
    label: String,
    /// The column with the probability of a positive label
    #[arg(long, value_name = "S")]
    score: String,
    /// Compare by the values of this column, too; may be given several times
    #[arg(long = "group", value_name = "G")]
    groups: Vec<String>,
    /// Rows with the same value here fall together, such as those of a day or a customer
    #[arg(long, value_name = "B")]
    block: Option<String>,
    /// From which score on a row is called positive
    #[arg(long, value_name = "T", default_value = "0.5", value_parser = parse_share)]
    threshold: f64,
    /// The error rate of each bound
    #[arg(long, value_name = "A", default_value = "0.05", value_parser = parse_alpha)]
    alpha: Alpha,
    /// By how much the AUC may be lower
    #[arg(long, value_name = "M", default_value = "0.01", value_parser = parse_margin)]
    auc_margin: f64,
    /// By how much the log loss may be higher
    #[arg(long, value_name = "M", default_value = "0.01", value_parser = parse_margin)]
    log_loss_margin: f64,
    /// By how much the Brier score may be higher
    #[arg(long, value_name = "M", default_value = "0.005", value_parser = parse_margin)]
    brier_margin: f64,
    /// By how much the accuracy may be lower
    #[arg(long, value_name = "M", default_value = "0.01", value_parser = parse_margin)]
    accuracy_margin: f64,
    /// By how much the log loss may be higher in any group
    #[arg(long, value_name = "M", default_value = "0.05", value_parser = parse_margin)]
    slice_margin: f64,
    /// How far apart the candidate's groups may be
    #[arg(long, value_name = "D", value_parser = parse_share)]
    max_disparity: Option<f64>,
    /// The rows below which a group is not judged
    #[arg(long, value_name = "N", default_value = "100")]
    min_rows: u64,
    /// The resamples of the bootstrap
    #[arg(long, value_name = "N")]
    resamples: Option<u32>,
    /// The seed of the bootstrap
    #[arg(long, value_name = "N", default_value = "0")]
    seed: u64,
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
    let mut groups: Vec<String> = Vec::new();
    for name in &arguments.groups {
        if !groups.contains(name) {
            groups.push(name.clone());
        }
    }
    let columns = Columns {
        label: arguments.label.clone(),
        score: arguments.score.clone(),
        groups,
        block: arguments.block.clone(),
    };
    let rows = Rows::read(&arguments.champion, &arguments.candidate, &columns)?;
    let asked = Asked {
        alpha: arguments.alpha,
        threshold: arguments.threshold,
        auc_margin: arguments.auc_margin,
        log_loss_margin: arguments.log_loss_margin,
        brier_margin: arguments.brier_margin,
        accuracy_margin: arguments.accuracy_margin,
        slice_margin: arguments.slice_margin,
        max_disparity: arguments.max_disparity,
        min_rows: arguments.min_rows,
        resamples: arguments.resamples,
        seed: arguments.seed,
    };
    let compared = Compared::of(&rows, &columns.groups, &asked)?;
    if arguments.json {
        Document::of(&compared).to_json()
    } else {
        Ok(words::tell(&compared))
    }
}

fn parse_alpha(text: &str) -> Result<Alpha, String> {
    let alpha = Alpha::new(number(text)?).map_err(|error| error.to_string())?;
    if alpha.get() < 0.5 {
        Ok(alpha)
    } else {
        Err("write an error rate below 0.5".to_owned())
    }
}

fn parse_margin(text: &str) -> Result<f64, String> {
    let margin = number(text)?;
    if margin > 0.0 && margin.is_finite() {
        Ok(margin)
    } else {
        Err("write a number above 0, since being equal cannot be proven".to_owned())
    }
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = number(text)?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("write a number from 0 to 1".to_owned())
    }
}

fn number(text: &str) -> Result<f64, String> {
    text.parse()
        .map_err(|_| "write a number, such as `0.01`".to_owned())
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
    eprintln!("evaluate: {failure}");
}
