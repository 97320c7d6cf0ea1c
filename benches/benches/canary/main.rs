//! Canaries, each part beside the least that it could cost and beside the crates that others use for it.
//!
//! `cargo bench -p noops-benches --bench canary`
//!
//! | group | what |
//! | --- | --- |
//! | `canary/bucket`, `canary/arm` | assigning units to arms |
//! | `canary/judge…`, `canary/verdict…` | requests into a judge of ten metrics, and what it says of them |
//! | `canary/rate-…`, `canary/mean-…` | the two engines of a judge, alone |
//! | `canary/count-mixture-…` and other sequences | anytime-valid tests and confidence sequences, alone |
//! | `canary/srm-…` | mismatches of the sample ratio |
//! | `canary/pair-…`, `canary/mcnemar-…`, `canary/sign-…` | both models on the same requests |
//! | `canary/mann-whitney` and other tests | tests of fixed size |
//! | `canary/auc`, `canary/fairness` and other metrics | offline evaluation of a million rows |
//! | `canary/rollout-…`, `canary/group-sequential` | steps of a rollout, looks on a schedule |

mod assignment;
mod fairness;
mod judge;
mod means;
mod measure;
mod mismatch;
mod offline;
mod pairs;
mod peers;
mod ranks;
mod rates;
mod rollout;
mod sequences;
mod tables;
mod traffic;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = noops_benches::criterion();
    assignment::bench(&mut criterion)?;
    judge::bench(&mut criterion)?;
    rates::bench(&mut criterion)?;
    sequences::bench(&mut criterion)?;
    mismatch::bench(&mut criterion)?;
    pairs::bench(&mut criterion)?;
    means::bench(&mut criterion)?;
    ranks::bench(&mut criterion)?;
    tables::bench(&mut criterion)?;
    offline::bench(&mut criterion)?;
    fairness::bench(&mut criterion)?;
    rollout::bench(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
