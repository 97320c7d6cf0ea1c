use super::metric::{Metric, sample_variance};

/// The area under the ROC curve with DeLong's standard error; `None` unless both classes occur.
pub(super) fn auc(predicted: &[f64], labels: &[bool]) -> Option<Metric> {
    let ranks = midranks(predicted);
    let (positive, positive_ranks) = class(predicted, &ranks, labels, true);
    let (negative, negative_ranks) = class(predicted, &ranks, labels, false);
    if positive.is_empty() || negative.is_empty() {
        return None;
    }
    let positive_places = placements(&positive, &positive_ranks, negative.len());
    let negative_places = placements(&negative, &negative_ranks, positive.len());
    let value = positive_places.iter().sum::<f64>() / positive.len() as f64;
    let standard_error = match (
        sample_variance(&positive_places),
        sample_variance(&negative_places),
    ) {
        (Some(p), Some(n)) => Some((p / positive.len() as f64 + n / negative.len() as f64).sqrt()),
        _ => None,
    };
    Some(Metric::new(value, standard_error, predicted.len(), 1.0))
}

fn class(predicted: &[f64], ranks: &[f64], labels: &[bool], wanted: bool) -> (Vec<f64>, Vec<f64>) {
    predicted
        .iter()
        .zip(ranks)
        .zip(labels)
        .filter(|(_, label)| **label == wanted)
        .map(|((value, rank), _)| (*value, *rank))
        .unzip()
}

/// For each value, the share of the other class that lies below it, ties counting half.
fn placements(values: &[f64], ranks: &[f64], others: usize) -> Vec<f64> {
    let within = midranks(values);
    let rank_pairs = ranks.iter().zip(within);
    rank_pairs
        .map(|(rank, within)| (rank - within) / others as f64)
        .collect()
}

/// Ranks from 1, ties sharing their mean rank, in the order of `values`.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut ordered: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranked: Vec<(usize, f64)> = Vec::with_capacity(values.len());
    let mut below = 0.0;
    for ties in ordered.chunk_by(|a, b| a.0 == b.0) {
        let count = ties.len() as f64;
        let rank = below + (count + 1.0) / 2.0;
        ranked.extend(ties.iter().map(|(_, row)| (*row, rank)));
        below += count;
    }
    ranked.sort_unstable_by_key(|(row, _)| *row);
    ranked.into_iter().map(|(_, rank)| rank).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(predicted: &[f64], labels: &[bool]) -> Option<f64> {
        let of = |wanted: bool| -> Vec<f64> {
            let rows = predicted.iter().zip(labels);
            rows.filter(|(_, label)| **label == wanted)
                .map(|(p, _)| *p)
                .collect()
        };
        let (positive, negative) = (of(true), of(false));
        let wins: f64 = positive
            .iter()
            .flat_map(|p| negative.iter().map(move |n| (p, n)))
            .map(|(p, n)| {
                if p > n {
                    1.0
                } else if p == n {
                    0.5
                } else {
                    0.0
                }
            })
            .sum();
        let comparisons = positive.len() * negative.len();
        (comparisons > 0).then(|| wins / comparisons as f64)
    }

    #[test]
    fn ties_share_their_mean_rank() {
        assert_eq!(midranks(&[0.3, 0.1, 0.3, 0.9]), [2.5, 1.0, 2.5, 4.0]);
    }

    #[test]
    fn one_class_has_no_area() {
        assert_eq!(auc(&[0.1, 0.2], &[true, true]), None);
    }

    proptest! {
        #[test]
        fn area_equals_the_share_of_won_comparisons(
            rows in prop::collection::vec((0u8..12, any::<bool>()), 0..60),
        ) {
            let predicted: Vec<f64> = rows.iter().map(|row| f64::from(row.0) / 12.0).collect();
            let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
            match (auc(&predicted, &labels), naive(&predicted, &labels)) {
                (Some(fast), Some(slow)) => prop_assert!((fast.value() - slow).abs() < 1e-12),
                (fast, slow) => prop_assert!(fast.is_none() && slow.is_none()),
            }
        }
    }
}
