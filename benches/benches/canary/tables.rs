//! Tests of counts, above all of two proportions: a hundred in a hundred thousand against forty.

use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use noops_canary::Direction;
use noops_canary::batch::{
    Margin, Proportion, Stratum, TestSettings, fisher_exact, mantel_haenszel, mc_nemar,
    two_proportions, two_proportions_non_inferiority,
};
use noops_core::Alpha;

use crate::measure::{group, peer, same};
use crate::peers::{self, Table};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let champion = Proportion::new(100, 100_000)?;
    let candidate = Proportion::new(40, 100_000)?;
    fisher(criterion, champion, candidate)?;
    score(criterion, champion, candidate)?;
    discordance(criterion)?;
    strata(criterion, champion, candidate)
}

fn fisher(
    criterion: &mut Criterion,
    champion: Proportion,
    candidate: Proportion,
) -> Result<(), Box<dyn Error>> {
    let mut group = group(criterion, "fisher", 1);
    // The odds ratio and its interval take most of it; the peers do without the exact ones.
    let found = same(&mut group, "noops", TRIALS, || {
        let settings = TestSettings::default();
        fisher_exact(black_box(champion), black_box(candidate), &settings).ok()
    });
    let p_value = found.ok_or("the test refuses its counts")?.p_value();
    assert!((p_value - 4.106e-7).abs() < 1e-10);
    let find = || peers::anofox_fisher(black_box(&TABLE));
    peer(&mut group, "anofox", TRIALS, p_value, 1e-12, find);
    // A wrong answer is measured all the same: it is what a program would wait for.
    let found = same(&mut group, "statrs", TRIALS, || {
        peers::statrs_fisher(black_box(&TABLE))
    });
    assert!(found.is_some_and(|p_value| (0.0..=1.0).contains(&p_value)));
    group.finish();
    Ok(())
}

fn score(
    criterion: &mut Criterion,
    champion: Proportion,
    candidate: Proportion,
) -> Result<(), Box<dyn Error>> {
    let mut group = group(criterion, "two-proportions", 1);
    let found = same(&mut group, "noops", TRIALS, || {
        let settings = TestSettings::default();
        two_proportions(black_box(champion), black_box(candidate), &settings).ok()
    });
    let p_value = found.ok_or("the test refuses its counts")?.p_value();
    let margin = Margin::new(Direction::LowerIsBetter, 0.0005)?;
    let found = same(&mut group, "noops-non-inferiority", TRIALS, || {
        let (champion, candidate) = (black_box(champion), black_box(candidate));
        two_proportions_non_inferiority(champion, candidate, margin, Alpha::FIVE_PERCENT).ok()
    });
    assert!(found.is_some_and(|found| found.rejects(Alpha::FIVE_PERCENT)));
    let find = || peers::anofox_two_proportions(black_box(&TABLE));
    peer(&mut group, "anofox", TRIALS, p_value, 1e-12, find);
    group.finish();
    Ok(())
}

/// Exact, over sixty pairs that only the candidate gets right and forty that only the champion does.
fn discordance(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let mut group = group(criterion, "mc-nemar", 1);
    let found = same(&mut group, "noops", 100, || {
        mc_nemar(black_box(40), black_box(60), &TestSettings::default()).ok()
    });
    group.finish();
    let p_value = found.ok_or("the test refuses its counts")?.p_value();
    // scipy.stats.binomtest(40, 100).pvalue
    assert!((p_value - 0.056_887_933_640_98).abs() < 1e-10);
    Ok(())
}

fn strata(
    criterion: &mut Criterion,
    champion: Proportion,
    candidate: Proportion,
) -> Result<(), Box<dyn Error>> {
    let evening = [Proportion::new(200, 50_000)?, Proportion::new(120, 50_000)?];
    let [by_champion, by_candidate] = evening;
    let strata = [
        Stratum::new(champion, candidate),
        Stratum::new(by_champion, by_candidate),
    ];
    let mut group = group(criterion, "mantel-haenszel", 1);
    let found = same(&mut group, "noops", strata.len(), || {
        mantel_haenszel(black_box(&strata), &TestSettings::default()).ok()
    });
    group.finish();
    assert!(found.is_some_and(|found| found.p_value() < 1e-9));
    Ok(())
}

const TRIALS: usize = 100_000;
const TABLE: Table = [[100, 99_900], [40, 99_960]];
