use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::{check_finite, check_length};
use super::metric::Metric;
use crate::error::CanaryError;
use crate::interval::Interval;

/// How good the order is that one model's scores give the results of each query.
///
/// Means over queries, which count alike; their standard errors hold for independent queries.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::RankingEvaluation;
///
/// // Two queries of three results each.
/// let evaluation = RankingEvaluation::of(
///     &[0.9, 0.5, 0.1, 0.2, 0.7, 0.4],
///     &[1.0, 0.0, 1.0, 1.0, 0.0, 0.0],
///     &[1, 1, 1, 2, 2, 2],
///     3,
/// )?;
/// assert_eq!(evaluation.mean_reciprocal_rank().value(), (1.0 + 1.0 / 3.0) / 2.0);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankingEvaluation {
    ndcg: Metric,
    mean_average_precision: Metric,
    mean_reciprocal_rank: Metric,
    precision: Metric,
    depth: u64,
    queries_left_out: u64,
}

impl RankingEvaluation {
    /// Evaluates the first `depth` results of each query, in descending order of `scores`, by their `relevances` (0 is irrelevant).
    ///
    /// Equal scores are an order the model does not know: NDCG takes the mean over all of them, the other metrics the worst.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without rows, [`CanaryError::Length`] if the columns differ in length, [`CanaryError::NotFinite`] for a value that is NaN or
    /// infinite, [`CanaryError::Setting`] for a depth of 0, and [`CanaryError::Input`] for a negative relevance, for relevances too large to add, or
    /// if no query has a relevant result.
    ///
    /// # Complexity
    ///
    /// O(n log n).
    pub fn of(
        scores: &[f64],
        relevances: &[f64],
        queries: &[u64],
        depth: usize,
    ) -> Result<Self, CanaryError> {
        check_finite("scores", scores)?;
        check_length("relevances", scores.len(), relevances.len())?;
        check_finite("relevances", relevances)?;
        check_length("queries", scores.len(), queries.len())?;
        if depth == 0 {
            return Err(CanaryError::Setting {
                name: "depth",
                value: 0.0,
                allowed: "of at least 1",
            });
        }
        if relevances.iter().any(|relevance| *relevance < 0.0) {
            return Err(CanaryError::Input {
                input: "relevances",
                reason: "holds a negative one; start relevances at 0",
            });
        }
        if !relevances.iter().sum::<f64>().is_finite() {
            return Err(CanaryError::Input {
                input: "relevances",
                reason: "holds values too large to add; pass smaller ones",
            });
        }
        let mut results: BTreeMap<u64, Vec<Ranked>> = BTreeMap::new();
        for ((score, relevance), query) in scores.iter().zip(relevances).zip(queries) {
            results.entry(*query).or_default().push(Ranked {
                // Both zeros are one score.
                score: *score + 0.0,
                relevance: *relevance,
            });
        }
        let asked = results.len();
        let mut columns = Columns::default();
        for mut ranked in results.into_values() {
            if ranked.iter().any(|result| result.relevance > 0.0) {
                columns.push(&mut ranked, depth);
            }
        }
        let answered = columns.ndcg.len();
        if answered == 0 {
            return Err(CanaryError::Input {
                input: "relevances",
                reason: "holds no relevant result for any query; pass queries that have one",
            });
        }
        let share = Interval::between(0.0, 1.0);
        Ok(Self {
            ndcg: Metric::mean(&columns.ndcg, share),
            mean_average_precision: Metric::mean(&columns.average_precision, share),
            mean_reciprocal_rank: Metric::mean(&columns.reciprocal_rank, share),
            precision: Metric::mean(&columns.precision, share),
            depth: depth as u64,
            queries_left_out: (asked - answered) as u64,
        })
    }

    /// The normalised discounted cumulative gain.
    ///
    /// # Formula
    ///
    /// `sum_i rel_i / log2(i + 1)` over the first results, over the same sum of the best order (Järvelin and Kekäläinen, 2002), with linear gains as in
    /// scikit-learn; tied results share the mean of their gains (McSherry and Najork, 2008).
    #[must_use]
    pub fn ndcg(&self) -> &Metric {
        &self.ndcg
    }

    /// The mean over queries of the average precision.
    ///
    /// # Formula
    ///
    /// The sum of the precision at each relevant result among the first `depth`, over the smaller of `depth` and the number of relevant results.
    #[must_use]
    pub fn mean_average_precision(&self) -> &Metric {
        &self.mean_average_precision
    }

    /// The mean over queries of one over the rank of the first relevant result, 0 if it lies beyond `depth`.
    #[must_use]
    pub fn mean_reciprocal_rank(&self) -> &Metric {
        &self.mean_reciprocal_rank
    }

    /// The mean over queries of the relevant results among the first `depth`, over `depth`, however few results a query has.
    #[must_use]
    pub fn precision(&self) -> &Metric {
        &self.precision
    }

    /// The results of a query that count.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.depth
    }

    /// The queries without a relevant result, which no order can answer: they are left out of all metrics.
    #[must_use]
    pub fn queries_left_out(&self) -> u64 {
        self.queries_left_out
    }
}

#[derive(Clone, Copy)]
struct Ranked {
    score: f64,
    relevance: f64,
}

#[derive(Default)]
struct Columns {
    ndcg: Vec<f64>,
    average_precision: Vec<f64>,
    reciprocal_rank: Vec<f64>,
    precision: Vec<f64>,
}

impl Columns {
    fn push(&mut self, ranked: &mut [Ranked], depth: usize) {
        // Irrelevant results first among equals.
        ranked.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then(a.relevance.total_cmp(&b.relevance))
        });
        self.ndcg.push(ndcg(ranked, depth));
        let all = ranked
            .iter()
            .filter(|result| result.relevance > 0.0)
            .count();
        let (mut hits, mut precisions, mut first) = (0.0, 0.0, 0.0);
        for (result, rank) in ranked.iter().take(depth).zip(1_u64..) {
            if result.relevance > 0.0 {
                hits += 1.0;
                precisions += hits / rank as f64;
                if first == 0.0 {
                    first = 1.0 / rank as f64;
                }
            }
        }
        self.average_precision
            .push(precisions / all.min(depth) as f64);
        self.reciprocal_rank.push(first);
        self.precision.push(hits / depth as f64);
    }
}

/// The gain of ranked results with ties averaged, over the gain of the best order.
fn ndcg(ranked: &[Ranked], depth: usize) -> f64 {
    let mut gain = 0.0;
    let mut rank = 0_usize;
    for ties in ranked.chunk_by(|a, b| a.score == b.score) {
        let mean = ties.iter().map(|result| result.relevance).sum::<f64>() / ties.len() as f64;
        for _ in ties {
            rank += 1;
            if rank <= depth {
                gain += mean * discount(rank);
            }
        }
    }
    let mut best: Vec<f64> = ranked.iter().map(|result| result.relevance).collect();
    best.sort_by(|a, b| b.total_cmp(a));
    let ideal: f64 = best
        .iter()
        .take(depth)
        .zip(1_usize..)
        .map(|(relevance, rank)| relevance * discount(rank))
        .sum();
    // Relevances too small to be discounted are all lost.
    if ideal > 0.0 {
        (gain / ideal).min(1.0)
    } else {
        0.0
    }
}

fn discount(rank: usize) -> f64 {
    1.0 / libm::log2(rank as f64 + 1.0)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn metrics_equal_scikit_learn_and_their_definitions() {
        let cases: Value =
            serde_json::from_str(include_str!("../../testdata/offline.json")).unwrap();
        for case in cases["ranking"].as_array().unwrap() {
            let column =
                |key: &str| -> Vec<f64> { serde_json::from_value(case[key].clone()).unwrap() };
            let queries: Vec<u64> = serde_json::from_value(case["queries"].clone()).unwrap();
            let depth = case["depth"].as_u64().unwrap() as usize;
            let evaluation =
                RankingEvaluation::of(&column("scores"), &column("relevances"), &queries, depth)
                    .unwrap();
            let found = [
                (evaluation.ndcg(), "ndcg"),
                (evaluation.mean_average_precision(), "map"),
                (evaluation.mean_reciprocal_rank(), "mrr"),
                (evaluation.precision(), "precision"),
            ];
            for (found, key) in found {
                let (found, expected) = (found.value(), case[key].as_f64().unwrap());
                assert!(
                    (found - expected).abs() <= 1e-10 * expected,
                    "{key}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn a_constant_score_earns_nothing_from_the_order_of_rows() {
        let constant = RankingEvaluation::of(&[0.5; 3], &[1.0, 0.0, 0.0], &[1, 1, 1], 1).unwrap();
        assert_eq!(constant.mean_reciprocal_rank().value(), 0.0);
        assert!((constant.ndcg().value() - 1.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn queries_without_relevant_results_are_counted() {
        let evaluation =
            RankingEvaluation::of(&[0.1, 0.2, 0.3], &[1.0, 0.0, 0.0], &[1, 2, 2], 5).unwrap();
        assert_eq!(evaluation.queries_left_out(), 1);
        assert_eq!(evaluation.ndcg().n(), 1);
        assert!(RankingEvaluation::of(&[0.1], &[0.0], &[1], 5).is_err());
    }

    #[test]
    fn hostile_input_is_refused() {
        assert!(RankingEvaluation::of(&[f64::NAN], &[1.0], &[1], 1).is_err());
        assert!(RankingEvaluation::of(&[0.1], &[-1.0], &[1], 1).is_err());
        assert!(RankingEvaluation::of(&[0.1], &[f64::INFINITY], &[1], 1).is_err());
        assert!(RankingEvaluation::of(&[0.1; 2], &[f64::MAX; 2], &[1, 2], 1).is_err());
        assert!(RankingEvaluation::of(&[0.1], &[1.0], &[1], 0).is_err());
        assert!(RankingEvaluation::of(&[], &[], &[], 1).is_err());
        assert!(RankingEvaluation::of(&[0.1], &[1.0], &[], 1).is_err());
        let deep = RankingEvaluation::of(&[0.1], &[1.0], &[1], usize::MAX).unwrap();
        assert_eq!(deep.ndcg().value(), 1.0);
    }
}
