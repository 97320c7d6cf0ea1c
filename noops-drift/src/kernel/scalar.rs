use super::Float;

/// The twin of every kernel, in the fewest words: what they all must agree with, and what runs where there is none.
pub(crate) fn compare<T: Float>(
    edges: &[T],
    (min, max): (T, T),
    values: &[T],
    above: &mut [u64],
) -> u64 {
    for (edge, above) in edges.iter().zip(above) {
        *above += values
            .iter()
            .map(|value| u64::from(value > edge))
            .sum::<u64>();
    }
    values
        .iter()
        .map(|value| u64::from((*value >= min) & (*value <= max)))
        .sum()
}
