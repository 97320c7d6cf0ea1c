//! What is tried before a model may answer.

use noops_core::{
    Batch, Clock, Column, Contract, Error, ErrorKind, Executor, FeatureKind, ModelVersion, Scores,
};

use super::replica::run;
use crate::runtime::cost::CostModel;

/// What a model has shown.
#[derive(Debug)]
pub(super) struct Probed {
    /// The largest batch, in rows, in which every row had the scores it has alone.
    pub(super) batch_invariant_up_to: usize,
    pub(super) cost: CostModel,
}

/// Runs a model on rows that touch the ends and the middle of every number and walk through every category, in batches of every
/// power of two up to `batch_rows`: it warms up, keeps its output contract, shows up to which size a row's scores are those it has
/// alone, to the last bit, and what a batch costs.
///
/// # Errors
///
/// `Corrupt` when an output breaks the contract; `Invalid` when scores depend on the batch even in small ones.
pub(super) fn probe(
    version: &ModelVersion,
    executor: &mut dyn Executor,
    batch_rows: usize,
    clock: &dyn Clock,
) -> Result<Probed, Error> {
    let contract = &version.registration().contract;
    if contract.rules().is_empty() {
        return Err(
            Error::new(ErrorKind::Invalid, LOAD, "its contract has no features")
                .with("version", version.number()),
        );
    }
    let rows = probe_rows(contract)?;
    let mut alone = Vec::with_capacity(PROBE_ROWS);
    for row in 0..PROBE_ROWS {
        alone.push(checked(version, executor, &rows.take(&[row]))?);
    }
    let mut invariant = 1;
    let mut size = 2;
    while size <= batch_rows {
        let cycled: Vec<usize> = (0..size).map(|row| row % PROBE_ROWS).collect();
        let together = checked(version, executor, &rows.take(&cycled))?;
        let kept = together.iter().zip(cycled).all(|(scores, row)| {
            alone
                .get(row)
                .and_then(|alone| alone.row(0))
                .is_some_and(|alone| same_bits(alone, scores))
        });
        if !kept {
            break;
        }
        invariant = size;
        size *= 2;
    }
    let wanted = PROBE_ROWS.min(batch_rows.max(1));
    // The largest power of two up to that.
    if 2 * invariant <= wanted {
        return Err(Error::new(
            ErrorKind::Invalid,
            LOAD,
            "the score of a row depends on the batch it is in",
        )
        .with("version", version.number())
        .with("batch", invariant * 2));
    }
    let one = fastest(version, executor, &rows.take(&[0]), clock)?;
    let many: Vec<usize> = (0..invariant.min(TIMED_ROWS))
        .map(|row| row % PROBE_ROWS)
        .collect();
    let larger = fastest(version, executor, &rows.take(&many), clock)?;
    Ok(Probed {
        batch_invariant_up_to: invariant,
        cost: CostModel::new((1, one), (many.len(), larger)),
    })
}

fn checked(
    version: &ModelVersion,
    executor: &mut dyn Executor,
    batch: &Batch,
) -> Result<Scores, Error> {
    let scores = run(version, executor, batch)?.scores;
    version
        .registration()
        .contract
        .output()
        .check(&scores, batch.rows())?;
    Ok(scores)
}

/// The shortest of a few runs, in nanoseconds.
fn fastest(
    version: &ModelVersion,
    executor: &mut dyn Executor,
    batch: &Batch,
    clock: &dyn Clock,
) -> Result<u64, Error> {
    let mut fastest = u64::MAX;
    for _ in 0..TIMED_RUNS {
        let start = clock.monotonic();
        run(version, executor, batch)?;
        let took = clock.monotonic().saturating_sub(start);
        fastest = fastest.min(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }
    Ok(fastest)
}

fn same_bits(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

fn probe_rows(contract: &Contract) -> Result<Batch, Error> {
    let columns = contract.rules().iter().enumerate().map(|(index, rule)| {
        match rule.feature().kind() {
            FeatureKind::Number { min, max } => {
                let (min, max) = if max - min < f64::from(f32::MAX) {
                    (*min, *max)
                } else {
                    (-1.0, 1.0)
                };
                // Each feature walks at its own pace, so that rows differ in more than their scale.
                let at = |row: usize| {
                    (min + (max - min) * ((row * (index + 1)) % 5) as f64 / 4.0) as f32
                };
                Column::Number((0..PROBE_ROWS).map(at).collect())
            }
            FeatureKind::Category { categories } => {
                let codes = categories.len() as u32 + 1;
                Column::Category((0..PROBE_ROWS as u32).map(|row| row % codes).collect())
            }
        }
    });
    Batch::new(columns.collect())
}

const LOAD: &str = "load a model version";
const PROBE_ROWS: usize = 16;
/// A batch large enough to tell the cost of a row from that of a batch.
const TIMED_ROWS: usize = 64;
const TIMED_RUNS: usize = 3;
