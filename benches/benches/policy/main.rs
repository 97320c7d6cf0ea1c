//! Policies, each part beside the least that it could cost. Other policy engines are in `benches/policy-peers`.
//!
//! `cargo bench -p noops-benches --bench policy`
//!
//! | group | what |
//! | --- | --- |
//! | `policy/gate` | one gate of six clauses: the condition, the verdict of a set, the whole decision |
//! | `policy/rules` | a verdict over a thousand rules |
//! | `policy/threads` | threads that ask the same set |
//! | `policy/load` | parsing, checking and compiling |
//! | `slo/record`, `slo/observe` | counting an event, and saying what all of them mean |
//! | `alert/step` | an event among ten thousand alerts that fire |
//! | `cost/reserve` | setting money aside in four budgets at once |

mod alerts;
mod gate;
mod load;
mod rules;
mod slo;
mod spending;
mod threads;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = noops_benches::criterion();
    gate::bench(&mut criterion)?;
    rules::bench(&mut criterion)?;
    threads::bench(&mut criterion)?;
    load::bench(&mut criterion)?;
    slo::bench(&mut criterion)?;
    alerts::bench(&mut criterion)?;
    spending::bench(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
