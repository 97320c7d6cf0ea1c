//! How long does a rollout take, and what can it find? Plans the stages of a ramp before the first request is served.
//!
//! ```text
//! cargo run --release --example canary_plan -- SPEC.yaml --rate RPS --baseline NAME=VALUE…
//! cargo run --release --example canary_plan -- examples/data/canary/spec.yaml --rate 25 --baseline error=0.02 latency=120±40 slow=10%
//! cargo run --release --example canary_plan -- SPEC.yaml --rate 25 --baseline error=2% --stages 5%,50% --minutes 60 --effect 1.5
//! cargo run --release --example canary_plan -- SPEC.yaml --rate 25 --baseline error=2% --minutes 60 --bad-events-budget 50
//! cargo run --release --example canary_plan -- SPEC.yaml --rate 25 --baseline error=2% --json
//! ```
//!
//! The specification is that of `canary_judge`: `noops_canary::judge::JudgeSpec` in YAML. A baseline is what is known of the champion on one
//! metric: `errors=0.02` or `errors=2%` where something happens or does not, `latency_ms=200±80` or `latency_ms=200:80` for a mean and the
//! standard deviation of one request's value, `loss=0.03@50` for the standard deviation of a block's mean difference of losses and the
//! pairs of a block. A tail quantile needs none: it is exceeded as often as it says.
//!
//! `--rate` is the requests of both arms in a second. Where a unit is judged by its first request alone, as it is unless the specification says
//! that units are independent, give the rate of new units.
//!
//! For every stage and metric, in minutes: until a candidate that is identical is proven no worse than its margin, with probabilities of 50, 80
//! and 90 %, and with that at which all guardrails together are proven four times of five; and until one that is `--effect` times worse is
//! found out. With `--minutes`, the smallest effect that is found four times of five within that time. Every stage is planned as if
//! nothing had been seen before it, so the later stages are quicker than told.
//!
//! `--bad-events-budget` suggests a ramp of as many stages, of `--minutes` each, in which a candidate that is `--effect` times worse
//! causes at most so many bad events beyond the champion's, on average. They are counted on the first metric that counts events, or on `--ramp-by`.
//!
//! # JSON
//!
//! One object: `stages` with `share`, `minutes` and `requests` (null without `--minutes`), `promotion` (`requests` and `minutes` until an
//! identical candidate is promoted four times of five), `slowest` (the metric it waits for) and `metrics`, each with `proof` (null for a
//! metric that need not be proven; `p50`, `p80`, `p90`, `with_all`), `harm` (`effect`, `p50`, `p80`; null for a watched metric) and
//! `smallest_effect`; `total`, of all stages; `ramp`, if it was asked for; `explanation`. What never comes is null. Requests of
//! paired metrics are pairs, and their effects margins.
//!
//! # Exit codes
//!
//! 0 when there is a plan, 1 when something cannot be read or planned, 2 for a command line that makes no sense.

mod asked;
mod baselines;
mod document;
#[path = "../autopilot/failure.rs"]
mod failure;
mod planned;
mod shares;
#[path = "../canary_judge/spec.rs"]
mod spec;
mod tables;
#[cfg(test)]
mod tests;
mod words;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::asked::Asked;
use crate::document::Document;
use crate::failure::{Failure, fail};
use crate::planned::Planned;

/// Says how long a rollout takes and what it can find.
#[derive(Debug, Parser)]
#[command(name = "canary_plan")]
struct Arguments {
    /// What is compared and how surely: YAML
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// Requests of both arms in a second
    #[arg(long, value_name = "RPS", allow_negative_numbers = true)]
    rate: f64,
    /// What is known of the champion on a metric: `errors=0.02`, `latency_ms=200±80` or `loss=0.03@50`
    #[arg(long = "baseline", value_name = "NAME=VALUE", num_args = 1..)]
    baselines: Vec<String>,
    /// The candidate's share in each stage, rising
    #[arg(long, value_name = "SHARES", default_value = "1%,5%,25%,50%")]
    stages: String,
    /// How long each stage lasts
    #[arg(long, value_name = "M", allow_negative_numbers = true)]
    minutes: Option<f64>,
    /// How many times worse a candidate is that should be found
    #[arg(
        long,
        value_name = "R",
        default_value = "2",
        allow_negative_numbers = true
    )]
    effect: f64,
    /// Suggest a ramp in which such a candidate causes at most so many bad events beyond the champion's
    #[arg(
        long,
        value_name = "N",
        requires = "minutes",
        allow_negative_numbers = true
    )]
    bad_events_budget: Option<f64>,
    /// The metric whose events the budget counts
    #[arg(long, value_name = "METRIC", requires = "bad_events_budget")]
    ramp_by: Option<String>,
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
    let spec = spec::read(&arguments.spec)?;
    let asked = Asked::of(arguments, &spec)?;
    let planned = Planned::of(&spec, &asked)?;
    if arguments.json {
        return Document::of(&planned).to_json();
    }
    let mut parts = tables::of(&planned);
    parts.push(words::tell(&planned));
    Ok(parts.join("\n\n"))
}

/// A reader that has seen enough, such as `head`, is no failure.
fn say(text: &str) -> ExitCode {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            say_error(&fail(format!("cannot write the plan: {error}")));
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

#[expect(clippy::print_stderr, reason = "a program speaks to its user")]
fn say_error(failure: &Failure) {
    eprintln!("canary_plan: {failure}");
}
