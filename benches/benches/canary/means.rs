//! Tests of means: Welch's, and by permutation.

use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use noops_benches::normal_numbers;
use noops_canary::batch::{
    PermutationSettings, PermutationStatistic, TestSettings, permutation_test, welch_t_test,
};

use crate::measure::{group, peer, same};
use crate::peers;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    welch(criterion)?;
    permutation(criterion)
}

fn welch(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let champion = normal_numbers(1, ROWS, 0.0);
    let candidate = normal_numbers(2, ROWS, 0.01);
    let settings = TestSettings::default();
    let mut group = group(criterion, "welch", 2 * ROWS);
    let found = same(&mut group, "noops", ROWS, || {
        welch_t_test(black_box(&champion), black_box(&candidate), &settings).ok()
    });
    let p_value = found.ok_or("the test refuses its samples")?.p_value();
    let test = || peers::anofox_welch(black_box(&champion), black_box(&candidate));
    peer(&mut group, "anofox", ROWS, p_value, 1e-9, test);
    let test = || peers::hypors_welch(black_box(&champion), black_box(&candidate));
    peer(&mut group, "hypors", ROWS, p_value, 1e-9, test);
    let _ = same(&mut group, "floor-sum", ROWS, || {
        let values = black_box(&champion).iter().chain(black_box(&candidate));
        values.sum::<f64>()
    });
    group.finish();
    Ok(())
}

fn permutation(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let champion = normal_numbers(3, FEW, 0.0);
    let candidate = normal_numbers(4, FEW, 0.05);
    let settings = PermutationSettings::default().with_permutations(PERMUTATIONS);
    let mut group = group(criterion, "permutation", 2 * FEW);
    group.sample_size(10);
    let found = same(&mut group, "noops", FEW, || {
        let statistic = PermutationStatistic::StudentisedMeanDifference;
        let (champion, candidate) = (black_box(&champion), black_box(&candidate));
        permutation_test(champion, candidate, statistic, &settings).ok()
    });
    let p_value = found.ok_or("the test refuses its samples")?.p_value();
    // Other permutations: two p-values from ten thousand each differ by less than five standard deviations, at most 0.0354.
    let test = || {
        let (champion, candidate) = (black_box(&champion), black_box(&candidate));
        peers::anofox_permutation(champion, candidate, PERMUTATIONS as usize)
    };
    peer(&mut group, "anofox", FEW, p_value, 0.036, test);
    group.finish();
    Ok(())
}

const ROWS: usize = 200_000;
const FEW: usize = 1_000;
const PERMUTATIONS: u32 = 9_999;
