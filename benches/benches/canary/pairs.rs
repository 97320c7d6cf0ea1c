//! Both models on the same requests.

use std::error::Error;

use criterion::Criterion;
use noops_benches::SplitMix64;
use noops_canary::sequential::{PairSettings, PairedResult, SequentialMcNemar, SequentialSign};
use noops_canary::shadow::{PairedLoss, PairedSettings};
use noops_core::{Alpha, Probability, UnitError};

use crate::measure::sequence;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let pairs = better_candidate()?;
    losses(criterion, &pairs)?;
    correctness(criterion)?;
    signs(criterion, &pairs)
}

fn losses(criterion: &mut Criterion, pairs: &[Pair]) -> Result<(), Box<dyn Error>> {
    let not_worse = sequence(
        criterion,
        "pair",
        pairs,
        |pairs| {
            let mut loss = PairedLoss::new(PairedSettings::default()).ok()?;
            for pair in pairs {
                loss.observe(pair.block, pair.champion, pair.candidate);
            }
            loss.close_before(pairs.len() as u64 / PAIRS_PER_BLOCK);
            Some(loss)
        },
        PairedLoss::not_worse,
        rise,
    )?;
    assert!(not_worse.rejects(Alpha::FIVE_PERCENT));
    Ok(())
}

fn correctness(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let mut generator = SplitMix64::new(4);
    let results: Vec<PairedResult> = (0..PAIRS)
        .map(|_| match generator.next_f64() {
            draw if draw < 0.8 => PairedResult::Both,
            draw if draw < 0.9 => PairedResult::Neither,
            draw if draw < 0.94 => PairedResult::ChampionOnly,
            _ => PairedResult::CandidateOnly,
        })
        .collect();
    let log_e = sequence(
        criterion,
        "mcnemar",
        &results,
        |results| {
            let mut test = SequentialMcNemar::new(PairSettings::default()).ok()?;
            results.iter().for_each(|result| test.observe(*result));
            Some(test)
        },
        SequentialMcNemar::log_e,
        |results| {
            let won = |result: &&PairedResult| **result == PairedResult::CandidateOnly;
            results.iter().filter(won).count() as f64
        },
    )?;
    assert!(log_e.rejects(Alpha::FIVE_PERCENT));
    Ok(())
}

fn signs(criterion: &mut Criterion, pairs: &[Pair]) -> Result<(), Box<dyn Error>> {
    let log_e = sequence(
        criterion,
        "sign",
        pairs,
        |pairs| {
            let mut test = SequentialSign::new(PairSettings::default()).ok()?;
            for pair in pairs {
                test.observe(pair.champion.get(), pair.candidate.get())
                    .ok()?;
            }
            Some(test)
        },
        SequentialSign::log_e,
        rise,
    )?;
    assert!(log_e.rejects(Alpha::FIVE_PERCENT));
    Ok(())
}

struct Pair {
    block: u64,
    champion: Probability,
    candidate: Probability,
}

/// A candidate that loses 0.03 less on average.
fn better_candidate() -> Result<Vec<Pair>, UnitError> {
    let mut generator = SplitMix64::new(3);
    (0..PAIRS as u64)
        .map(|index| {
            let champion = 0.2 + 0.1 * generator.next_f64();
            let candidate = champion - 0.05 + 0.04 * generator.next_f64();
            Ok(Pair {
                block: index / PAIRS_PER_BLOCK,
                champion: Probability::new(champion)?,
                candidate: Probability::new(candidate)?,
            })
        })
        .collect()
}

fn rise(pairs: &[Pair]) -> f64 {
    let rises = pairs
        .iter()
        .map(|pair| pair.candidate.get() - pair.champion.get());
    rises.sum()
}

const PAIRS: usize = 10_000;
const PAIRS_PER_BLOCK: u64 = 100;
