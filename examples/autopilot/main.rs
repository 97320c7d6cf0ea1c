//! A model that lives through a year without anybody.
//!
//! Predicts, when a flight is scheduled, whether it will arrive more than 15 minutes late; trains on January 2013 and replays the
//! rest of the year through the runtime a host would embed, on an injected clock. The model is watched, retrained when labels
//! show harm, compared with its successor in shadow and in a ramp, and replaced or not, by the policies in `examples/policies`.
//! Two accidents happen on the way that the control loop knows nothing of.
//!
//! ```text
//! cargo run --release --example autopilot
//! cargo run --release --example autopilot -- --months 2 --out /tmp/autopilot
//! cargo run --release --example autopilot -- --verify-audit
//! ```

mod accidents;
mod audit;
mod failure;
mod features;
mod files;
mod flights;
mod history;
mod latency;
mod network;
mod output;
mod quality;
mod replay;
mod report;
mod screen;
mod settings;
mod summary;
#[cfg(test)]
mod tests;
mod trainer;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use noops_serve::verify_decisions;

use crate::failure::{Failure, fail};
use crate::flights::Flights;
use crate::output::{Identity, Output};
use crate::replay::Replay;
use crate::screen::Screen;
use crate::world::World;

/// Replays a year of flights through a model that looks after itself.
#[derive(Debug, Parser)]
#[command(name = "autopilot")]
struct Arguments {
    /// Where state and reports go; a run that was cut off goes on from there
    #[arg(long, value_name = "DIR", default_value = "target/autopilot")]
    out: PathBuf,
    /// What all randomness comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many months to replay, from February on
    #[arg(long, value_name = "K", default_value_t = 11, value_parser = clap::value_parser!(u8).range(1..=11))]
    months: u8,
    /// Show nothing but errors
    #[arg(long)]
    quiet: bool,
    /// Check the audit log of an earlier run instead: the signature, the chain, the witness, and every decision in it
    #[arg(long)]
    verify_audit: bool,
    /// The flights
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/flights-2013.parquet"), hide_default_value = true)]
    data: PathBuf,
    /// The policies: every .yaml file in this folder
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/policies"), hide_default_value = true)]
    policies: PathBuf,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = if arguments.verify_audit {
        verify(&arguments)
    } else {
        run(&arguments).await
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say_error(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let started = latency::stopwatch();
    // All input is checked before anything is written.
    let flights = Arc::new(Flights::read(&arguments.data)?);
    let policies = settings::read_policies(&arguments.policies)?;
    let identity = Identity::new(
        arguments.seed,
        flights.digest,
        &policies,
        &settings::control()?,
    );
    let output = Output::open(&arguments.out, &identity).await?;

    let screen = Screen::new(arguments.quiet);
    let world = World::new(flights, &output, arguments.seed)?;
    let mut replay = Replay::begin(world, policies, &output, &screen).await?;
    replay
        .run_until(
            flights::midnight_after_months(arguments.months),
            &output,
            &screen,
        )
        .await?;
    let (report, timeline) = summary::summarise(&replay, &output, arguments.seed, started).await?;
    output.write_reports(&report, &timeline)?;
    screen.finish(&report::table::render(&report), &output);
    Ok(())
}

fn verify(arguments: &Arguments) -> Result<(), Failure> {
    let log = Output::verify(&arguments.out)?;
    let verified = verify_decisions(log.entries()).map_err(|error| fail(error.to_string()))?;
    if !arguments.quiet {
        say(&format!(
            "audit log whole: {} entries chained, {} of them signed, {} decisions taken again with the same outcome",
            verified.entries(),
            log.checkpoint().checkpoint().size(),
            verified.decisions()
        ));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a program speaks to its user")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a program speaks to its user")]
fn say_error(failure: &Failure) {
    eprintln!("autopilot: {failure}");
}
