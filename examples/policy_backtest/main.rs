//! What would new policies have decided? Runs old and new policies over recorded facts and prints the decisions that differ.
//!
//! ```text
//! cargo run --release --example policy_backtest -- OLD NEW HISTORY.jsonl
//! cd examples/data/policy && cargo run --release --example policy_backtest -- policies policies-next history.jsonl
//! cargo run --release --example policy_backtest -- OLD NEW HISTORY.jsonl --fail-on-change --json
//! ```
//!
//! `OLD` and `NEW` are a policy document in YAML or a folder of them, as for `policy_check`, each with the fact schema that lies beside it
//! as `facts.schema.yaml`; `--schema` is for both. The history is JSON lines: `{"at": TIME, "facts": {NAME: VALUE, …}}`, with `actions` to
//! ask about those only, and `id` to name the moment. It is read with the schema of the new policies; a fact that they no longer have is
//! named with `--retired`.
//!
//! What it cannot know: an action that the new policies allow earlier would have changed the facts that came after it.
//!
//! # JSON
//!
//! One object, `noops_policy::backtest::BacktestReport` as it serialises: counts by action, rule and fact, and the changed decisions
//! themselves, each with both decisions in full.
//!
//! # Exit codes
//!
//! 0 when the history was judged, 1 when something was refused or cannot be read, 2 for a command line that makes no sense, and with
//! `--fail-on-change` 3 when a decision changed.

#[path = "../policy_check/problem.rs"]
mod problem;
#[path = "../policy_check/schema.rs"]
mod schema;
#[path = "../policy_check/source.rs"]
mod source;
#[cfg(test)]
mod tests;
#[path = "../policy_check/wrap.rs"]
mod wrap;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use noops_policy::backtest::{Backtest, BacktestReport, History};
use noops_policy::{FactSchema, PolicySet};

use crate::problem::Problem;
use crate::source::Source;
use crate::wrap::wrapped;

/// Runs new policies over recorded facts and says what would have changed.
#[derive(Debug, Parser)]
#[command(name = "policy_backtest")]
struct Arguments {
    /// The policies in force: a document in YAML, or a folder of them
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The policies to try
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// What was known, moment by moment: JSON lines
    #[arg(value_name = "HISTORY")]
    history: PathBuf,
    /// The facts that conditions may speak about, old and new: YAML
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Pass over this fact of the history, which the new schema does not have
    #[arg(long, value_name = "FACT")]
    retired: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// End with 3 when a decision changed
    #[arg(long)]
    fail_on_change: bool,
}

/// What is said, and whether a decision changed.
#[derive(Debug)]
struct Told {
    text: String,
    changed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(told) => {
            let changed = arguments.fail_on_change && told.changed > 0;
            say(told.text.trim_end(), if changed { CHANGED } else { 0 })
        }
        Err(problems) => {
            for problem in problems {
                say_error(&problem.to_string());
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<Told, Vec<Problem>> {
    let named = arguments.schema.as_deref();
    let (old, new) = match (load(&arguments.old, named), load(&arguments.new, named)) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            let mut problems: Vec<Problem> = Vec::new();
            problems.extend(old.err().into_iter().flatten());
            problems.extend(new.err().into_iter().flatten());
            return Err(problems);
        }
    };
    let history = Source::read_up_to(&arguments.history, MOST_HISTORY).map_err(|one| vec![one])?;
    let report = judge(&old, &new, &history, &arguments.retired).map_err(|one| vec![one])?;
    let text = if arguments.json {
        serde_json::to_string_pretty(&report).map_err(|error| {
            vec![Problem::of_file(
                history.name,
                format!("cannot write the report as JSON: {error}"),
            )]
        })?
    } else {
        tell(&report)
    };
    Ok(Told {
        text,
        changed: report.changed(),
    })
}

/// Policies, or everything that is wrong with them.
fn load(path: &Path, named: Option<&Path>) -> Result<PolicySet, Vec<Problem>> {
    let paths = [path.to_path_buf()];
    let (sources, mut problems) = source::documents(&paths);
    let schema: FactSchema = match schema::choose(named, &paths) {
        Ok(chosen) => chosen.schema,
        Err(problem) => {
            problems.push(problem);
            return Err(problems);
        }
    };
    let texts: Vec<(&str, &str)> = sources
        .iter()
        .map(|source| (source.name.as_str(), source.text.as_str()))
        .collect();
    for one in &texts {
        if let Err(error) = PolicySet::load(&[*one], &schema) {
            problems.push(Problem::refused(one.0, &error));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let shown = path.display().to_string();
    PolicySet::load(&texts, &schema).map_err(|error| vec![Problem::refused(&shown, &error)])
}

fn judge(
    old: &PolicySet,
    new: &PolicySet,
    history: &Source,
    retired: &[String],
) -> Result<BacktestReport, Problem> {
    let moments = History::from_jsonl(&history.name, &history.text, new.schema())
        .with_retired(retired.iter().map(String::as_str));
    Backtest::run(old, new, moments).map_err(|error| match error {
        noops_policy::backtest::BacktestError::Line {
            source,
            at,
            problem,
        } => Problem::at(&source, Some((at.line(), at.column())), problem),
        other => Problem::of_file(history.name.as_str(), other.to_string()),
    })
}

/// The report, with its long lines broken.
fn tell(report: &BacktestReport) -> String {
    let lines = report.to_string();
    let lines: Vec<String> = lines.lines().map(broken).collect();
    lines.join("\n")
}

/// A sentence goes on four blanks further in, and a row of a table under its last column.
fn broken(line: &str) -> String {
    let line = line.trim_end();
    let (head, body) = match line.rsplit_once("  ") {
        Some((head, body)) => (format!("{head}  "), body),
        None => (String::new(), line),
    };
    let start = head.chars().count();
    let further = if head.trim().is_empty() { 4 } else { 0 };
    let indent = " ".repeat(start + further);
    wrapped(&head, body, WIDTH, &indent)
}

/// A reader that has seen enough, such as `head`, is no failure.
fn say(text: &str, code: u8) -> ExitCode {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            say_error(&format!("cannot write the result: {error}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::from(code),
    }
}

#[expect(clippy::print_stderr, reason = "a program speaks to its user")]
fn say_error(error: &str) {
    eprintln!("policy_backtest: {error}");
}

const CHANGED: u8 = 3;
const WIDTH: usize = 100;
const MOST_HISTORY: u64 = 1 << 30;
