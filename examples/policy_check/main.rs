//! Are these policies sound, and what do they decide? Checks policy documents, runs their own tests, and decides on facts.
//!
//! ```text
//! cargo run --release --example policy_check -- POLICIES…
//! cargo run --release --example policy_check -- examples/data/policy/policies --facts examples/data/policy/facts.yaml
//! cargo run --release --example policy_check -- POLICIES… --facts FACTS.json --at 2026-03-02T09:00:00Z --json
//! ```
//!
//! `POLICIES` are YAML documents, and folders whose `.yaml` and `.yml` files are taken in the order of their names; one called
//! `*.schema.yaml` is no policy. All documents are loaded together, for a rule of one may be shadowed by, or forbid, what another allows.
//!
//! Conditions are checked against a fact schema: the one that `--schema` names, else `facts.schema.yaml` beside the policies, else the
//! facts that the controller of `noops-serve` states. A schema is a list of declarations: `name`, `type`, and as wanted `unit`, `min`,
//! `max`, `max_age` and `meaning`.
//!
//! Facts are YAML or JSON: dotted names or nested maps, with values, or with records `{value: …, at: TIME}`. A value without a time is
//! taken as true at `--at`, which is now unless it is given. A fact that the file leaves out is missing, and what needs it waits for it.
//!
//! # JSON
//!
//! One object: `ok`; `errors`, each with `file`, `line`, `column`, `message` and `suggestion`, of which all but the message may be null;
//! `tests` with `passed`, `failed` and `failures`; and with facts, `decisions`, one for each action that a rule is about. Of a decision,
//! `policy`, `rule` and `because` are those of the first rule that decided, and `margin` is that of its `clause`: of the one that
//! stands in the way, of the first that waits, or else of the one whose margin is the smallest relative to what it compares. The values
//! of every clause of every rule that decided are in `rules`.
//!
//! # Exit codes
//!
//! 0 when everything is sound, whatever was decided; 1 when something was refused or a test failed; 2 for a command line that makes no
//! sense. Every error is one line on the error stream, or with `--json` a member of the object.

mod check;
mod document;
mod facts;
mod margin;
mod node;
mod problem;
mod schema;
mod source;
#[cfg(test)]
mod tests;
mod words;
mod wrap;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use noops_core::{Clock, SystemClock, Timestamp};

use crate::check::Checked;
use crate::document::Document;

/// Checks policies, runs their tests, and with facts says what they decide.
#[derive(Debug, Parser)]
#[command(name = "policy_check")]
struct Arguments {
    /// Policy documents in YAML, and folders of them
    #[arg(value_name = "POLICIES", required = true)]
    policies: Vec<PathBuf>,
    /// The facts that conditions may speak about: YAML
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// What is known: YAML or JSON
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// The moment of the decisions, such as 2026-03-02T09:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What is said on either stream, and whether all is well.
#[derive(Debug)]
struct Told {
    text: String,
    errors: Vec<String>,
    code: u8,
}

fn main() -> ExitCode {
    let told = run(&Arguments::parse(), &SystemClock);
    for error in &told.errors {
        say_error(error);
    }
    say(told.text.trim_end(), told.code)
}

fn run(arguments: &Arguments, clock: &dyn Clock) -> Told {
    let at = arguments.at.unwrap_or_else(|| clock.now());
    let checked = Checked::of(
        &arguments.policies,
        arguments.schema.as_deref(),
        arguments.facts.as_deref(),
        at,
    );
    let code = if checked.is_sound() { 0 } else { REFUSED };
    if !arguments.json {
        return Told {
            text: words::tell(&checked),
            errors: checked.problems.iter().map(ToString::to_string).collect(),
            code,
        };
    }
    match Document::of(&checked).to_json() {
        Ok(text) => Told {
            text,
            errors: Vec::new(),
            code,
        },
        Err(failure) => Told {
            text: String::new(),
            errors: vec![failure],
            code: REFUSED,
        },
    }
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
    eprintln!("policy_check: {error}");
}

const REFUSED: u8 = 1;
