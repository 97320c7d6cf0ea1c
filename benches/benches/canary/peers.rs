//! The crates that others use, behind functions that panic on nothing and tell the p-value that they found.

use anofox_statistics::{Alternative, TTestKind};
use hypors::common::TailType;
use statrs::stats_tests::mannwhitneyu::{MannWhitneyUMethod, mannwhitneyu};

pub(crate) fn anofox_welch(champion: &[f64], candidate: &[f64]) -> Option<f64> {
    let (kind, sides) = (TTestKind::Welch, Alternative::TwoSided);
    let found = anofox_statistics::t_test(candidate, champion, kind, sides, 0.0, Some(0.95));
    found.ok().map(|found| found.p_value)
}

pub(crate) fn hypors_welch(champion: &[f64], candidate: &[f64]) -> Option<f64> {
    let (champion, candidate) = (champion.iter().copied(), candidate.iter().copied());
    let found = hypors::t::t_test_ind(candidate, champion, TailType::Two, 0.05, false);
    found.ok().map(|found| found.p_value)
}

pub(crate) fn anofox_mann_whitney(champion: &[f64], candidate: &[f64]) -> Option<f64> {
    let sides = Alternative::TwoSided;
    let found =
        anofox_statistics::mann_whitney_u(candidate, champion, sides, true, false, None, None);
    found.ok().map(|found| found.p_value)
}

pub(crate) fn hypors_mann_whitney(champion: &[f64], candidate: &[f64]) -> Option<f64> {
    let (champion, candidate) = (champion.iter().copied(), candidate.iter().copied());
    let found = hypors::mann_whitney::u_test(candidate, champion, 0.05, TailType::Two);
    found.ok().map(|found| found.p_value)
}

pub(crate) fn statrs_mann_whitney(champion: &[f64], candidate: &[f64]) -> Option<f64> {
    let method = MannWhitneyUMethod::AsymptoticInclContinuityCorrection;
    let sides = statrs::stats_tests::Alternative::TwoSided;
    let found = mannwhitneyu(candidate, champion, method, sides);
    found.ok().map(|(_, p_value)| p_value)
}

/// The shift with its interval, not the p-value.
pub(crate) fn anofox_hodges_lehmann(champion: &[f64], candidate: &[f64]) -> Option<f64> {
    let (sides, level) = (Alternative::TwoSided, Some(0.95));
    let found =
        anofox_statistics::mann_whitney_u(candidate, champion, sides, true, false, level, None);
    found.ok()?.estimate
}

pub(crate) fn anofox_brunner_munzel(champion: &[f64], candidate: &[f64]) -> Option<f64> {
    let sides = Alternative::TwoSided;
    let found = anofox_statistics::brunner_munzel(champion, candidate, sides, Some(0.05));
    found.ok().map(|found| found.p_value)
}

pub(crate) fn anofox_wilcoxon(champion: &[f64], candidate: &[f64]) -> Option<f64> {
    let sides = Alternative::TwoSided;
    let found = anofox_statistics::wilcoxon_signed_rank(
        candidate, champion, sides, true, false, None, None,
    );
    found.ok().map(|found| found.p_value)
}

pub(crate) fn anofox_ks(champion: &[f64], candidate: &[f64]) -> Option<f64> {
    let sides = Alternative::TwoSided;
    let found = anofox_statistics::ks_test_2sample(champion, candidate, sides, Some(false));
    found.ok().map(|found| found.p_value)
}

pub(crate) fn anofox_permutation(
    champion: &[f64],
    candidate: &[f64],
    permutations: usize,
) -> Option<f64> {
    let (sides, seed) = (Alternative::TwoSided, Some(1));
    let found =
        anofox_statistics::permutation_t_test(candidate, champion, sides, permutations, seed);
    found.ok().map(|found| found.p_value)
}

/// Successes and failures of the champion, then of the candidate.
pub(crate) type Table = [[u32; 2]; 2];

pub(crate) fn anofox_fisher(table: &Table) -> Option<f64> {
    let table = table.map(|row| row.map(|count| count as usize));
    let found = anofox_statistics::fisher_exact(&table, Alternative::TwoSided);
    found.ok().map(|found| found.p_value)
}

/// Wrong for large tables, where its search for the other tail ends far from it: 0.466 instead of 4.1e-7 for a hundred in a hundred
/// thousand against forty.
pub(crate) fn statrs_fisher(table: &Table) -> Option<f64> {
    let [[a, b], [c, d]] = table.map(|row| row.map(u64::from));
    let sides = statrs::stats_tests::Alternative::TwoSided;
    statrs::stats_tests::fishers_exact(&[a, b, c, d], sides).ok()
}

pub(crate) fn anofox_two_proportions(table: &Table) -> Option<f64> {
    let [[a, b], [c, d]] = table.map(|row| row.map(|count| count as usize));
    let sides = Alternative::TwoSided;
    let found = anofox_statistics::prop_test_two([c, a], [c + d, a + b], sides, false);
    found.ok().map(|found| found.p_value)
}

/// The area itself: no error, no interval, no test.
pub(crate) fn anofox_area(scores: &[f64], labels: &[bool]) -> Option<f64> {
    anofox_statistics::auc(scores, labels).ok()
}

/// The expected calibration error over bins of equal width, from its curve.
pub(crate) fn anofox_calibration(scores: &[f64], labels: &[bool], bins: usize) -> Option<f64> {
    let curve = anofox_statistics::calibration_curve(scores, labels, bins).ok()?;
    let gaps = curve
        .bins
        .iter()
        .map(|bin| bin.n as f64 * (bin.mean_pred - bin.frac_pos).abs());
    Some(gaps.sum::<f64>() / scores.len() as f64)
}
