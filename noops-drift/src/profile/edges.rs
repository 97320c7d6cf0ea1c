/// The upper bounds of `bins` bins of about equal share of ascending finite `sorted` values.
///
/// A bin never splits equal values. A value that holds a bin's share by itself is alone in its bin, as far as the
/// reference goes: the bound below it is the next smaller value seen. Every bin holds a reference value, because every
/// bound is one and the largest value is never a bound.
pub(super) fn quantile_edges(sorted: &[f64], bins: usize) -> Vec<f64> {
    let total = sorted.len() as u128;
    let bins = bins as u128;
    let mut edges = Vec::new();
    let mut seen = 0_u128;
    let mut closed = 0_u128;
    let mut previous = None;
    for run in sorted.chunk_by(|a, b| a == b) {
        let Some(value) = run.first().copied() else {
            continue;
        };
        let held = run.len() as u128;
        let heavy = held * bins >= total;
        if let Some(previous) = previous
            && heavy
            && seen > closed
        {
            edges.push(previous);
            closed = seen;
        }
        seen += held;
        let due = seen * bins / total > closed * bins / total;
        if (heavy || due) && seen < total {
            edges.push(value);
            closed = seen;
        }
        previous = Some(value);
    }
    edges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::quantile_edges;

    #[test]
    fn distinct_values_are_cut_at_quantiles() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile_edges(&sorted, 4), vec![25.0, 50.0, 75.0]);
    }

    #[test]
    fn a_point_mass_is_alone_in_its_bin() {
        let mut sorted = vec![-3.0, -2.0, -1.0];
        sorted.extend([0.0; 60]);
        sorted.extend((1..=37).map(f64::from));
        let edges = quantile_edges(&sorted, 10);
        assert_eq!(edges.first(), Some(&-1.0));
        assert_eq!(edges.get(1), Some(&0.0));
        assert!(edges.iter().skip(2).all(|edge| *edge > 0.0));
    }

    #[test]
    fn a_constant_has_one_bin() {
        assert!(quantile_edges(&[7.0; 50], 10).is_empty());
    }

    #[test]
    fn nothing_has_one_bin() {
        assert!(quantile_edges(&[], 10).is_empty());
    }

    proptest! {
        #[test]
        fn every_bin_holds_a_reference_value(mut values in prop::collection::vec(-20_i32..20, 1..200), bins in 1_usize..30) {
            values.sort_unstable();
            let sorted: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
            let edges = quantile_edges(&sorted, bins);
            let mut counts = vec![0_usize; edges.len() + 1];
            for value in &sorted {
                counts[edges.partition_point(|edge| edge < value)] += 1;
            }
            prop_assert!(edges.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(counts.iter().all(|count| *count > 0));
        }
    }
}
