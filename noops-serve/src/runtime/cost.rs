//! What rows cost, learned while they run.

use std::sync::atomic::{AtomicU64, Ordering};

use super::sync::Mutex;

/// The online model `a·n + b` of how long a batch of `n` rows takes: `a` for each row, `b` for each batch.
///
/// # Formula
///
/// Least squares over the batches that were timed, each weighing 2 % less than the one after it. A batch that took more than four
/// times what was expected counts as four times: it was the machine that was busy, unless it happens again. Where all batches were
/// alike, `a` and `b` keep their proportion.
#[derive(Debug)]
pub(crate) struct CostModel {
    /// Two floats, to be read together without a lock: nanoseconds a row and a batch.
    present: AtomicU64,
    sums: Mutex<Sums>,
}

/// What a batch costs, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchCost {
    row_ns: f32,
    batch_ns: f32,
}

impl BatchCost {
    /// Nanoseconds that each row adds.
    #[must_use]
    pub fn row_ns(self) -> f32 {
        self.row_ns
    }

    /// Nanoseconds that a batch takes whatever its rows.
    #[must_use]
    pub fn batch_ns(self) -> f32 {
        self.batch_ns
    }

    /// Nanoseconds for a batch of `rows`.
    #[must_use]
    pub fn predict_ns(self, rows: usize) -> f64 {
        f64::from(self.row_ns) * rows as f64 + f64::from(self.batch_ns)
    }
}

#[derive(Debug, Default)]
struct Sums {
    weight: f64,
    rows: f64,
    rows_squared: f64,
    time: f64,
    rows_time: f64,
}

impl CostModel {
    /// A model that has seen two batches: their rows and nanoseconds.
    pub(crate) fn new(small: (usize, u64), large: (usize, u64)) -> Self {
        let model = Self {
            present: AtomicU64::new(pack(0.0, 0.0)),
            sums: Mutex::new(Sums::default()),
        };
        let mut sums = model.sums.lock();
        for (rows, nanoseconds) in [small, large] {
            sums.add(rows as f64, nanoseconds as f64);
        }
        model.publish(&sums);
        drop(sums);
        model
    }

    /// What a batch costs at present.
    pub(crate) fn present(&self) -> BatchCost {
        let packed = self.present.load(Ordering::Relaxed);
        BatchCost {
            row_ns: f32::from_bits((packed >> 32) as u32),
            batch_ns: f32::from_bits(packed as u32),
        }
    }

    /// Learns from a batch that was timed.
    pub(crate) fn learn(&self, rows: usize, nanoseconds: u64) {
        let expected = self.present().predict_ns(rows);
        let nanoseconds = (nanoseconds as f64).min(LARGEST_SURPRISE * expected.max(1.0));
        let mut sums = self.sums.lock();
        sums.add(rows as f64, nanoseconds);
        self.publish(&sums);
    }

    fn publish(&self, sums: &Sums) {
        let before = self.present();
        let (row, batch) = sums.line(before);
        self.present
            .store(pack(row as f32, batch as f32), Ordering::Relaxed);
    }
}

impl Sums {
    fn add(&mut self, rows: f64, time: f64) {
        for sum in [
            &mut self.weight,
            &mut self.rows,
            &mut self.rows_squared,
            &mut self.time,
            &mut self.rows_time,
        ] {
            *sum *= REMEMBERED;
        }
        self.weight += 1.0;
        self.rows += rows;
        self.rows_squared += rows * rows;
        self.time += time;
        self.rows_time += rows * time;
    }

    /// Nanoseconds a row and a batch; neither is negative.
    fn line(&self, before: BatchCost) -> (f64, f64) {
        let (mean_rows, mean_time) = (self.rows / self.weight, self.time / self.weight);
        let variance = self.rows_squared / self.weight - mean_rows * mean_rows;
        if variance.is_nan() || variance <= SMALLEST_SPREAD * mean_rows * mean_rows {
            let (row, batch) = (f64::from(before.row_ns), f64::from(before.batch_ns));
            let expected = row * mean_rows + batch;
            if expected <= 0.0 {
                return (0.0, mean_time);
            }
            return (row * mean_time / expected, batch * mean_time / expected);
        }
        let covariance = self.rows_time / self.weight - mean_rows * mean_time;
        let row = (covariance / variance).clamp(0.0, mean_time / mean_rows.max(1.0));
        (row, (mean_time - row * mean_rows).max(0.0))
    }
}

fn pack(row: f32, batch: f32) -> u64 {
    (u64::from(row.to_bits()) << 32) | u64::from(batch.to_bits())
}

const REMEMBERED: f64 = 0.98;
const LARGEST_SURPRISE: f64 = 4.0;
/// The square of the coefficient of variation of batch sizes below which they say nothing of `a` and `b` apart.
const SMALLEST_SPREAD: f64 = 0.01;

#[cfg(not(any(loom, shuttle)))]
#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f32, expected: f32) -> bool {
        (value - expected).abs() <= 0.02 * expected
    }

    #[test]
    fn two_batches_make_a_line() {
        let cost = CostModel::new((1, 3_100), (64, 14_400)).present();
        // (14,400 - 3,100) / 63 = 179.4 and 3,100 - 179.4 = 2,920.6, but for the older one weighing a little less.
        assert!(close(cost.row_ns(), 179.4), "{cost:?}");
        assert!(close(cost.batch_ns(), 2_920.6), "{cost:?}");
        assert!((cost.predict_ns(64) - 14_400.0).abs() < 1.0);
    }

    #[test]
    fn a_machine_that_became_slower_is_noticed_within_a_hundred_batches() {
        let model = CostModel::new((1, 3_100), (64, 14_400));
        for rows in (0..200).map(|batch| 1 + batch * 7 % 64) {
            model.learn(rows, 2 * (2_920 + 179 * rows as u64));
        }
        let cost = model.present();
        assert!(
            close(cost.row_ns(), 358.0) && close(cost.batch_ns(), 5_840.0),
            "{cost:?}"
        );
    }

    #[test]
    fn one_batch_that_was_interrupted_changes_little() {
        let model = CostModel::new((1, 3_100), (64, 14_400));
        for rows in (0..200).map(|batch| 1 + batch * 7 % 64) {
            model.learn(rows, 2_920 + 179 * rows as u64);
        }
        model.learn(1, 10_000_000);
        assert!(model.present().predict_ns(1) < 1.3 * 3_100.0);
    }

    #[test]
    fn batches_of_one_size_leave_what_is_known_of_the_row() {
        let model = CostModel::new((1, 3_000), (64, 15_000));
        for _ in 0..500 {
            model.learn(1, 6_000);
        }
        let before = model.present();
        assert!((before.predict_ns(1) - 6_000.0).abs() < 60.0, "{before:?}");
        // (15,000 - 6,000) / 63: what the two sizes said when there were two.
        assert!(close(before.row_ns(), 142.9), "{before:?}");
        for _ in 0..500 {
            model.learn(1, 12_000);
        }
        let after = model.present();
        assert!(close(after.row_ns(), 2.0 * before.row_ns()), "{after:?}");
    }

    #[test]
    fn nothing_is_negative_or_infinite_whatever_comes() {
        let model = CostModel::new((0, 0), (0, 0));
        for (rows, time) in [
            (0, 0),
            (usize::MAX, u64::MAX),
            (1, u64::MAX),
            (5, 0),
            (1, 1),
        ] {
            model.learn(rows, time);
            let cost = model.present();
            assert!(cost.row_ns() >= 0.0 && cost.batch_ns() >= 0.0, "{cost:?}");
            assert!(cost.predict_ns(10).is_finite(), "{cost:?}");
        }
    }
}
