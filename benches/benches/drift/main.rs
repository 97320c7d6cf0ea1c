//! Drift, each part beside the least that it could cost and beside the crates that others use for it.
//!
//! `cargo bench -p noops-benches --bench drift`
//!
//! | group | what |
//! | --- | --- |
//! | `drift/observe-…` | counting numbers in the cells of a profile, beside a read of the same memory |
//! | `drift/comparison…` | a whole frame against a stored profile |
//! | `drift/wide` | a batch of a thousand columns |
//! | `drift/psi` | one statistic of counts |
//! | `drift/ks` and other statistics of samples | a million values against a million |
//! | `drift/monitor` | a live row under an error budget |
//! | `drift/adwin`, `drift/page-hinkley`, `drift/detector` | streaming change detectors |
//! | `drift/profile` | learning a profile |
//! | `drift/mmd`, `drift/sliced-wasserstein` | many columns at once |

mod comparison;
mod detectors;
mod monitor;
mod multivariate;
mod naive;
mod observe;
mod peers;
mod profile;
mod psi;
mod samples;
mod wide;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = noops_benches::criterion();
    observe::bench(&mut criterion)?;
    comparison::bench(&mut criterion)?;
    wide::bench(&mut criterion)?;
    psi::bench(&mut criterion)?;
    samples::bench(&mut criterion)?;
    monitor::bench(&mut criterion)?;
    detectors::bench(&mut criterion)?;
    profile::bench(&mut criterion)?;
    multivariate::bench(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
