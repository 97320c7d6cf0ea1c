mod benefit;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::check::{as_number, contradiction, invalid, one_per_score};
use crate::error::DriftError;

pub(crate) use self::benefit::calibration_helps;
pub use self::benefit::{Calibration, expected_calibration_error};

/// Turns the score of a classifier into a probability, learned from rows whose labels are known.
///
/// # Formula
///
/// Isotonic regression: the non-decreasing function with the least weighted squared error to the labels, got by pooling
/// adjacent violators (Ayer et al., 1955; Zadrozny and Elkan, 2002). Rows of one score are joined first. Between two
/// steps it is linear, below the smallest and above the largest score constant, as scikit-learn's
/// `IsotonicRegression(out_of_bounds="clip")` does it.
///
/// # Numerical notes
///
/// The order of rows does not matter beyond the rounding of sums. A score that is NaN gets the share of positives, which
/// is what is known of a row without a score.
///
/// # Complexity
///
/// Fitting is O(n log n), a look-up O(log k) for k steps.
///
/// # Examples
///
/// ```
/// use noops_drift::performance::Calibrator;
///
/// // A model that says 0.9 and is right in half of the cases.
/// let calibrator = Calibrator::fit(&[0.1, 0.1, 0.9, 0.9], &[false, false, true, false])?;
/// assert_eq!(calibrator.calibrate(0.9), 0.5);
/// assert_eq!(calibrator.calibrate(0.5), 0.25);
/// # Ok::<(), noops_drift::DriftError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawCalibrator")]
pub struct Calibrator {
    knots: Vec<Knot>,
    base_rate: f64,
    rows: u64,
}

impl Calibrator {
    /// Learns from scores and labels.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when there is no row, the lengths differ or a score is not finite.
    pub fn fit(scores: &[f64], labels: &[bool]) -> Result<Self, DriftError> {
        one_per_score("labels", scores.len(), labels.len())?;
        let points = scores.iter().zip(labels).map(|(&score, &label)| Point {
            score,
            mean: as_number(label),
            weight: 1.0,
        });
        Self::from_points(points.collect())
    }

    /// Learns from rows that count by their weight. A row of weight 0 is as good as absent.
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit), and when a weight is negative, not finite, or all of them are 0.
    pub fn fit_weighted(
        scores: &[f64],
        labels: &[bool],
        weights: &[f64],
    ) -> Result<Self, DriftError> {
        one_per_score("labels", scores.len(), labels.len())?;
        one_per_score("weights", scores.len(), weights.len())?;
        if let Some(row) = weights
            .iter()
            .position(|weight| !(0.0..=HEAVIEST).contains(weight))
        {
            return Err(invalid(
                "weights",
                format!(
                    "has a weight at row `{row}` that is no number from 0 to 1e100; scale them"
                ),
            ));
        }
        let points = scores
            .iter()
            .zip(labels)
            .zip(weights)
            .map(|((&score, &label), &weight)| Point {
                score,
                mean: as_number(label),
                weight,
            });
        Self::from_points(points.collect())
    }

    fn from_points(mut points: Vec<Point>) -> Result<Self, DriftError> {
        if let Some(row) = points.iter().position(|point| !point.score.is_finite()) {
            return Err(invalid(
                "scores",
                format!("has a value at row `{row}` that is not finite; leave the row out"),
            ));
        }
        points.retain(|point| point.weight > 0.0);
        let weight: f64 = points.iter().map(|point| point.weight).sum();
        if points.is_empty() {
            return Err(invalid(
                "scores",
                "has no rows that count; pass at least one",
            ));
        }
        let positive: f64 = points.iter().map(|point| point.weight * point.mean).sum();
        let rows = points.len() as u64;
        Ok(Self {
            knots: knots(&pool(points)),
            base_rate: (positive / weight).clamp(0.0, 1.0),
            rows,
        })
    }

    /// The probability of a positive label at this score.
    #[must_use]
    pub fn calibrate(&self, score: f64) -> f64 {
        if score.is_nan() {
            return self.base_rate;
        }
        let above = self.knots.partition_point(|knot| knot.score < score);
        let left = above.checked_sub(1).and_then(|at| self.knots.get(at));
        match (left, self.knots.get(above)) {
            (Some(left), Some(right)) => between(left, right, score),
            (Some(end), None) | (None, Some(end)) => end.probability,
            (None, None) => self.base_rate,
        }
    }

    /// The share of positives, by weight, in the rows it learned from.
    #[must_use]
    pub fn base_rate(&self) -> f64 {
        self.base_rate
    }

    /// Rows it learned from.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

/// A corner of the calibration curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Knot {
    score: f64,
    probability: f64,
}

#[derive(Deserialize)]
struct RawCalibrator {
    knots: Vec<Knot>,
    base_rate: f64,
    rows: u64,
}

impl TryFrom<RawCalibrator> for Calibrator {
    type Error = DriftError;

    fn try_from(raw: RawCalibrator) -> Result<Self, DriftError> {
        let probability = |value: &f64| (0.0..=1.0).contains(value);
        let refused = |reason: &str| Err(contradiction("calibrator", reason));
        if raw.knots.is_empty() || raw.rows == 0 {
            return refused("it has learned from no rows");
        }
        if !probability(&raw.base_rate)
            || !raw.knots.iter().all(|knot| probability(&knot.probability))
        {
            return refused("one of its probabilities is not between 0 and 1");
        }
        if !raw.knots.iter().all(|knot| knot.score.is_finite()) {
            return refused("one of its scores is not finite");
        }
        let rising = |pair: &[Knot]| match pair {
            [left, right] => left.score < right.score && left.probability <= right.probability,
            _ => true,
        };
        if !raw.knots.windows(2).all(rising) {
            return refused("its curve falls");
        }
        Ok(Self {
            knots: raw.knots,
            base_rate: raw.base_rate,
            rows: raw.rows,
        })
    }
}

/// A labelled row, or rows of one score.
#[derive(Clone, Copy)]
struct Point {
    score: f64,
    mean: f64,
    weight: f64,
}

/// Neighbouring scores that share a probability.
#[derive(Clone, Copy)]
struct Pool {
    first: f64,
    last: f64,
    mean: f64,
    weight: f64,
}

impl Pool {
    fn join(self, next: Self) -> Self {
        let weight = self.weight + next.weight;
        Self {
            first: self.first,
            last: next.last,
            mean: (self.mean * self.weight + next.mean * next.weight) / weight,
            weight,
        }
    }
}

/// Joins equal scores, then neighbours as long as a left one has the larger mean.
fn pool(mut points: Vec<Point>) -> Vec<Pool> {
    points.sort_unstable_by(|a, b| {
        a.score
            .total_cmp(&b.score)
            .then(a.mean.total_cmp(&b.mean))
            .then(a.weight.total_cmp(&b.weight))
    });
    let mut pools: Vec<Pool> = Vec::new();
    for tied in points.chunk_by(|a, b| a.score == b.score) {
        let single = tied.iter().map(|point| Pool {
            first: point.score,
            last: point.score,
            mean: point.mean,
            weight: point.weight,
        });
        let Some(mut newest) = single.reduce(Pool::join) else {
            continue;
        };
        while let Some(left) = pools.pop_if(|left| left.mean >= newest.mean) {
            newest = left.join(newest);
        }
        pools.push(newest);
    }
    pools
}

fn knots(pools: &[Pool]) -> Vec<Knot> {
    let mut knots = Vec::with_capacity(2 * pools.len());
    for pool in pools {
        let probability = pool.mean.clamp(0.0, 1.0);
        knots.push(Knot {
            score: pool.first,
            probability,
        });
        if pool.last > pool.first {
            knots.push(Knot {
                score: pool.last,
                probability,
            });
        }
    }
    knots
}

/// Halves first, so that the width of the widest interval is finite.
fn between(left: &Knot, right: &Knot, score: f64) -> f64 {
    let width = right.score / 2.0 - left.score / 2.0;
    let way = if width > 0.0 {
        ((score / 2.0 - left.score / 2.0) / width).clamp(0.0, 1.0)
    } else {
        1.0
    };
    let probability = left.probability + way * (right.probability - left.probability);
    probability.clamp(left.probability, right.probability)
}

/// Leaves room for a sum of any number of weights.
const HEAVIEST: f64 = 1e100;
