use super::runs::Run;

/// Bounds between ascending runs, and how many values lie below each and above the last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cut {
    pub(super) edges: Vec<f64>,
    pub(super) counts: Vec<u64>,
}

/// Cuts ascending runs into about `bins` bins of equal share.
///
/// A bin never splits a run. A run that holds a bin's share by itself is alone in its bin, as far as the reference goes: the bound below
/// it is the end of the run before. Every bin holds a reference value, because every bound ends a run and the last run's end is never a
/// bound.
pub(super) fn quantile_cut(runs: impl Iterator<Item = Run>, total: u64, bins: usize) -> Cut {
    let bins = bins as u128;
    let total = u128::from(total);
    let mut cut = Cut::default();
    let mut seen = 0_u128;
    let mut closed = 0_u128;
    // What `seen * bins` has to reach for the next bin to be full.
    let mut full = total;
    let mut previous = None;
    let mut close = |edge: f64, seen: u128, closed: &mut u128| {
        cut.edges.push(edge);
        cut.counts
            .push(u64::try_from(seen - *closed).unwrap_or(u64::MAX));
        *closed = seen;
        (seen.saturating_mul(bins) / total.max(1) + 1).saturating_mul(total)
    };
    for run in runs {
        let held = u128::from(run.count);
        let heavy = held * bins >= total;
        if let Some(previous) = previous
            && heavy
            && seen > closed
        {
            full = close(previous, seen, &mut closed);
        }
        seen += held;
        let due = seen.saturating_mul(bins) >= full;
        if (heavy || due) && seen < total {
            full = close(run.high, seen, &mut closed);
        }
        previous = Some(run.high);
    }
    cut.counts
        .push(u64::try_from(seen - closed).unwrap_or(u64::MAX));
    cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quantile_edges(sorted: &[f64], bins: usize) -> Vec<f64> {
        let runs = sorted.chunk_by(|a, b| a == b).map(|run| Run {
            low: run[0],
            high: run[0],
            count: run.len() as u64,
        });
        quantile_cut(runs, sorted.len() as u64, bins).edges
    }

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

    #[test]
    fn more_bins_than_values_and_full_counters_are_cut_too() {
        let edges = quantile_edges(&[1.0, 2.0, 3.0], usize::MAX);
        assert_eq!(edges, vec![1.0, 2.0]);
        let full = [1.0, 2.0, 3.0].map(|value| Run {
            low: value,
            high: value,
            count: u64::MAX,
        });
        let cut = quantile_cut(full.into_iter(), u64::MAX, usize::MAX);
        assert_eq!(cut.counts.len(), cut.edges.len() + 1);
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
            let runs = sorted.chunk_by(|a, b| a == b).map(|run| Run { low: run[0], high: run[0], count: run.len() as u64 });
            let cut = quantile_cut(runs, sorted.len() as u64, bins);
            prop_assert!(cut.counts.iter().map(|count| *count as usize).eq(counts));
        }
    }
}
