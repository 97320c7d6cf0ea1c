//! What a deployment adds to its model, and what becomes of it when it is swapped, shadowed and asked for more than it can do.
//!
//! ```text
//! cargo run --release -p noops-benches --bin serving
//! ```
//!
//! Prints one line of JSON for each measurement, and fails where an answer is wrong, lost or mixed of two versions. On a machine with
//! two cores that do nothing else: what else runs there shows in the 99th percentile first.

mod idle;
mod overload;
mod setting;
mod swaps;

use std::error::Error;

use clap::Parser;

/// Measures a deployment of the perceptron with 32 inputs and two hidden layers of 64.
#[derive(Debug, Parser)]
#[command(name = "serving")]
pub(crate) struct Arguments {
    /// How many calls of each kind are measured
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    calls: u64,
    /// How often the champion is replaced under load
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    swaps: u64,
    /// How long each load lasts, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(50..=600_000))]
    load_ms: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    idle::measure(&arguments)?;
    idle::measure_shadow(&arguments)?;
    swaps::measure(&arguments)?;
    overload::measure(&arguments)
}
