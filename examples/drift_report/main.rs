//! Has a data set drifted? Compares two files column by column, with one error rate for all columns together.
//!
//! ```text
//! cargo run --release --example drift_report -- REFERENCE CURRENT
//! cargo run --release --example drift_report -- january.parquet february.csv --columns age,city --alpha 0.01
//! cargo run --release --example drift_report -- REFERENCE CURRENT --html report.html --expectations table.yaml --fail-on-drift
//! cargo run --release --example drift_report -- REFERENCE CURRENT --json
//! ```
//!
//! Files are Parquet, CSV or Arrow IPC, told apart by their first bytes; the two need not be of one kind.
//!
//! The verdict of a column is that of its PSI and of its rates of nulls, NaN and new categories, and the error rate holds for all columns
//! together: the probability that any is called drifted wrongly is at most alpha, and with it their expected share (FDR). The other
//! statistics describe a column and have no say in its verdict.
//!
//! # JSON
//!
//! One object. Of every column: `n_reference` and `n_current` are the usable values (finite numbers, or texts), `null_rate_…` the share of
//! nulls among all rows, and PSI, `js_distance_base2`, `hellinger`, `tv` and `chi2` are over the usable values in the bins of the reference.
//! `ks`, `wasserstein`, `cramer_von_mises`, `mann_whitney` and `energy_distance` are of the values themselves and have scipy's scale; the
//! statistic of `mann_whitney` is that of `scipy.stats.mannwhitneyu(reference, current)`, the U of the reference. They are absent for texts,
//! beyond 10 million rows, and where they have no value. `chi2` is there for texts only. Columns come in the order of the files, and
//! what could not be compared is listed with its reason in `not_compared`, absent when there is nothing to list, and with `--expectations` the
//! violated rules in `expectations`.
//!
//! # Exit codes
//!
//! 0 whatever the verdict, 1 when something cannot be read, 2 for a command line that makes no sense. With `--fail-on-drift` 3 when a column
//! drifted, when a rule of `--expectations` is violated, and when a column of the reference is gone or holds something else.

mod check;
mod compare;
mod document;
#[path = "../autopilot/failure.rs"]
mod failure;
mod frame;
mod pair;
mod plan;
mod read;
#[cfg(test)]
mod tests;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use noops_core::{Alpha, Clock, SystemClock};

use crate::check::Checked;
use crate::compare::Compared;
use crate::document::Document;
use crate::failure::{Failure, fail};
use crate::frame::printable;
use crate::plan::Plan;
use crate::read::Table;

/// Compares the columns of two files and says which have drifted.
#[derive(Debug, Parser)]
#[command(name = "drift_report")]
struct Arguments {
    /// What the model learned from, or any other data to compare with: Parquet, CSV or Arrow IPC
    #[arg(value_name = "REFERENCE")]
    reference: PathBuf,
    /// The data in question
    #[arg(value_name = "CURRENT")]
    current: PathBuf,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Also write a page for a browser
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
    /// How often unchanged data may be called drifted, all columns together
    #[arg(long, value_name = "A", default_value = "0.05", value_parser = parse_alpha)]
    alpha: Alpha,
    /// Compare these columns only, and fail if one cannot be compared
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// Check the current file against the rules in this YAML file
    #[arg(long, value_name = "FILE")]
    expectations: Option<PathBuf>,
    /// Exit with 3 when anything drifted or broke a rule
    #[arg(long)]
    fail_on_drift: bool,
}

/// What there is to say, and how to leave.
#[derive(Debug)]
struct Told {
    text: String,
    warning: Option<String>,
    finding: Finding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Nothing,
    Something,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let fail_on_drift = arguments.fail_on_drift;
    match run(&arguments, &SystemClock) {
        Ok(told) => {
            if let Some(warning) = &told.warning {
                say_error(warning);
            }
            say(told.text.trim_end());
            if fail_on_drift && told.finding == Finding::Something {
                ExitCode::from(DRIFTED)
            } else {
                ExitCode::SUCCESS
            }
        }
        Err(failure) => {
            say_error(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, clock: &dyn Clock) -> Result<Told, Failure> {
    let reference = Table::open(&arguments.reference)?;
    let current = Table::open(&arguments.current)?;
    let plan = Plan::of(&reference, &current, arguments.columns.as_deref())?;
    let checked = match &arguments.expectations {
        Some(rules) => Some(Checked::of(&current, rules, clock.now())?),
        None => None,
    };
    let compared = Compared::of(&reference, &current, &plan, arguments.alpha)?;
    if let Some(out) = &arguments.html {
        write_page(out, &compared.report().to_html())?;
    }
    let document = Document::of(&compared, &plan, checked.as_ref());
    let text = if arguments.json {
        document.to_json()?
    } else {
        words::tell(
            &document,
            &compared,
            &arguments.reference,
            &arguments.current,
        )
    };
    let finding = document.drifted()
        || plan.broken().next().is_some()
        || checked.as_ref().is_some_and(Checked::is_violated);
    Ok(Told {
        text,
        warning: warning(&plan),
        finding: if finding {
            Finding::Something
        } else {
            Finding::Nothing
        },
    })
}

/// One line for all that is left out.
fn warning(plan: &Plan) -> Option<String> {
    if plan.left_out.is_empty() {
        return None;
    }
    let each = plan
        .left_out
        .iter()
        .map(|column| format!("`{}` {}", printable(&column.name), column.reason));
    Some(format!(
        "left out: {}",
        each.collect::<Vec<String>>().join("; ")
    ))
}

/// The page appears complete or not at all.
fn write_page(out: &std::path::Path, page: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| fail(format!("cannot write `{}`: {error}", out.display()));
    let mut partial = out.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, page).map_err(failed)?;
    std::fs::rename(&partial, out).map_err(failed)
}

fn parse_alpha(text: &str) -> Result<Alpha, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "write a number between 0 and 1, such as `0.01`".to_owned())?;
    Alpha::new(number).map_err(|error| error.to_string())
}

#[expect(clippy::print_stdout, reason = "a program speaks to its user")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a program speaks to its user")]
fn say_error(text: &str) {
    eprintln!("drift_report: {text}");
}

/// The exit code of `--fail-on-drift`.
const DRIFTED: u8 = 3;
