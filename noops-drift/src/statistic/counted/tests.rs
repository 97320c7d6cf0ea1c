mod hostile;
mod oracle;
mod simulation;
mod verdict;

use super::{
    chi_square_homogeneity, cramers_v, g_test, hellinger, jensen_shannon_distance,
    jensen_shannon_divergence, kullback_leibler, psi, total_variation,
};
use crate::error::DriftError;
use crate::statistic::{Comparison, LogBase, TestSettings};

/// A statistic of two rows of counts.
type Statistic = fn(&[u64], &[u64], &TestSettings) -> Result<Comparison, DriftError>;

/// Every statistic of counts that has a verdict.
const STATISTICS: [(&str, Statistic); 10] = [
    ("psi", psi),
    ("jensen_shannon_distance base 2", |r, c, settings| {
        jensen_shannon_distance(r, c, LogBase::Two, settings)
    }),
    ("jensen_shannon_distance base e", |r, c, settings| {
        jensen_shannon_distance(r, c, LogBase::E, settings)
    }),
    ("jensen_shannon_divergence base e", |r, c, settings| {
        jensen_shannon_divergence(r, c, LogBase::E, settings)
    }),
    ("kullback_leibler", kullback_leibler),
    ("hellinger", hellinger),
    ("total_variation", total_variation),
    ("chi_square_homogeneity", chi_square_homogeneity),
    ("g_test", g_test),
    ("cramers_v", cramers_v),
];

const TENTHS: [f64; 10] = [0.1; 10];

#[track_caller]
fn close(found: f64, expected: f64, relative: f64) {
    assert!(
        (found / expected - 1.0).abs() <= relative,
        "found {found}, expected {expected}"
    );
}

/// Shares that fall geometrically from cell to cell.
fn tilted(tilt: f64) -> Vec<f64> {
    let weights: Vec<f64> = (0..10)
        .map(|cell| (-tilt * f64::from(cell)).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

/// The true value of a statistic for these shares, got from counts so large that nothing else is in it.
///
/// Statistics in a unit that grows with the rows are scaled to `n` and `m` rows.
fn true_value(name: &str, statistic: Statistic, p: &[f64], q: &[f64], n: u64, m: u64) -> f64 {
    let blow_up = 1e9;
    let counts = |shares: &[f64], rows: u64| -> Vec<u64> {
        shares
            .iter()
            .map(|share| (share * rows as f64 * blow_up).round() as u64)
            .collect()
    };
    let value = statistic(&counts(p, n), &counts(q, m), &TestSettings::default())
        .unwrap()
        .statistic();
    match name {
        "chi_square_homogeneity" | "g_test" => value / blow_up,
        _ => value,
    }
}
