//! What a program without a library would write; also the oracle of the benchmarks.

use noops_drift::{Binning, Profile};

/// Counts numbers between ascending edges by binary search: no nulls, no NaN, no range.
pub(crate) fn count(edges: &[f64], values: impl IntoIterator<Item = f64>) -> Vec<u64> {
    let mut bins = vec![0_u64; edges.len() + 1];
    for value in values {
        if let Some(bin) = bins.get_mut(edges.partition_point(|edge| *edge < value)) {
            *bin += 1;
        }
    }
    bins
}

/// The edges of the first column of a profile.
pub(crate) fn edges(profile: &Profile) -> Option<Vec<f64>> {
    match profile.columns().first()?.binning() {
        Binning::Number { edges, .. } => Some(edges.clone()),
        Binning::Category { .. } => None,
    }
}

/// A copy in ascending order, by the standard library.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Distances of two samples, from the definitions, with F and G the empirical distribution functions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Distances {
    /// max |F - G|
    pub(crate) kolmogorov: f64,
    /// ∫ |F - G|
    pub(crate) wasserstein: f64,
    /// The root of 2 ∫ (F - G)²
    pub(crate) energy: f64,
    /// The share of pairs whose current value is the larger.
    pub(crate) larger: f64,
}

impl Distances {
    /// Of two samples without ties between them.
    pub(crate) fn between(reference: &[f64], current: &[f64]) -> Self {
        let mut pooled: Vec<(f64, Side)> = reference
            .iter()
            .map(|value| (*value, Side::Reference))
            .chain(current.iter().map(|value| (*value, Side::Current)))
            .collect();
        pooled.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (n, m) = (reference.len() as f64, current.len() as f64);
        let (mut below_reference, mut below_current) = (0.0, 0.0);
        let (mut kolmogorov, mut area, mut square, mut pairs) = (0.0_f64, 0.0, 0.0, 0.0);
        let mut before = pooled.first().map_or(0.0, |(value, _)| *value);
        for (value, side) in pooled {
            let gap: f64 = below_reference / n - below_current / m;
            kolmogorov = kolmogorov.max(gap.abs());
            area += gap.abs() * (value - before);
            square += gap * gap * (value - before);
            before = value;
            match side {
                Side::Reference => below_reference += 1.0,
                Side::Current => {
                    below_current += 1.0;
                    pairs += below_reference;
                }
            }
        }
        Self {
            kolmogorov,
            wasserstein: area,
            energy: (2.0 * square).sqrt(),
            larger: pairs / (n * m),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Reference,
    Current,
}

/// Whether two numbers that were computed in different ways are the same.
pub(crate) fn agree(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}
