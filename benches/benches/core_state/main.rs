//! What is remembered: registry, artifacts, features, the audit log and telemetry, each beside the least that it could cost.
//!
//! `cargo bench -p noops-benches --bench core_state`
//!
//! What is durable is written to `NOOPS_BENCH_DIR`, and otherwise to the folder for temporary files: it must not be held in memory.

mod artifacts;
mod audit;
mod bare_row;
mod features;
mod merkle;
mod online;
mod registry;
mod telemetry;

use std::error::Error;

use tokio::runtime::{Builder, Runtime};

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = noops_benches::criterion();
    // Callers wait on their own thread; what blocks, and SQLite, have threads of their own.
    let runtime: Runtime = Builder::new_current_thread().enable_all().build()?;
    registry::bench(&mut criterion, &runtime)?;
    artifacts::bench(&mut criterion, &runtime)?;
    features::bench(&mut criterion)?;
    online::bench(&mut criterion, &runtime)?;
    audit::bench(&mut criterion, &runtime)?;
    merkle::bench(&mut criterion)?;
    telemetry::bench(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
