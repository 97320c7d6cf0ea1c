use serde::{Deserialize, Serialize};

use crate::detector::LARGEST;
use crate::detector::stored::require;
use crate::error::DriftError;

/// A window in buckets of 2^i values, row i holding those of one size, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Histogram {
    rows: Box<[Row; ROWS]>,
    /// The row with the largest, hence oldest, buckets.
    last: usize,
    width: u64,
    total: f64,
    /// The sum of squared deviations from the mean of the window.
    squares: f64,
}

impl Histogram {
    pub(super) fn width(&self) -> u64 {
        self.width
    }

    pub(super) fn mean(&self) -> f64 {
        if self.width == 0 {
            0.0
        } else {
            self.total / self.width as f64
        }
    }

    pub(super) fn variance(&self) -> f64 {
        if self.width == 0 {
            0.0
        } else {
            self.squares / self.width as f64
        }
    }

    pub(super) fn clear(&mut self) {
        self.rows.fill(Row::default());
        self.last = 0;
        self.width = 0;
        self.total = 0.0;
        self.squares = 0.0;
    }

    #[inline]
    pub(super) fn insert(&mut self, value: f64) {
        let before = self.width as f64;
        if self.width > 0 {
            let gap = value - self.total / before;
            self.squares += before * gap * gap / (before + 1.0);
        }
        self.width = self.width.saturating_add(1);
        self.total += value;
        let bucket = Bucket {
            total: value,
            squares: 0.0,
        };
        let [first, ..] = self.rows.as_mut();
        if first.push(bucket) {
            self.compress();
        }
    }

    /// Whether old and new differ at a border between buckets, both sides having more than `least` + 1 values.
    pub(super) fn has_cut(&self, delta: f64, least: u64) -> bool {
        let width = self.width as f64;
        let log_term = (2.0 * width.ln() / delta).ln();
        if log_term.is_nan() {
            return false;
        }
        // The bound needs a positive logarithm; below it no border can be told from chance.
        let log_term = log_term.max(0.0);
        let spread = 2.0 * self.variance().max(0.0) * log_term;
        let linear = 2.0 / 3.0 * log_term;
        let least = least as f64;
        // Not the running sum: its rounding errors pile up, and would all be laid at the door of one side.
        let whole: f64 = self.rows.iter().take(self.last + 1).map(Row::total).sum();
        // From the newest on, where sides are small and so must be summed and not got by subtraction.
        let (mut new, mut new_total) = (0.0_f64, 0.0_f64);
        for (i, row) in self.rows.iter().enumerate().take(self.last + 1) {
            let size = bucket_size(i);
            for bucket in row.buckets().rev() {
                new += size;
                new_total += bucket.total;
                let old = width - new;
                if old <= least + 1.0 {
                    return false;
                }
                if new <= least + 1.0 {
                    continue;
                }
                let inverse = 1.0 / (old - least + 1.0) + 1.0 / (new - least + 1.0);
                let (old_mean, new_mean) = ((whole - new_total) / old, new_total / new);
                let gap = (old_mean - new_mean).abs();
                let rounding = ROUNDING * (old_mean.abs() + new_mean.abs());
                let beyond = gap - linear * inverse - rounding;
                // gap > √(spread · inverse) + linear · inverse, without the root
                if beyond > 0.0 && beyond * beyond > spread * inverse {
                    return true;
                }
            }
        }
        false
    }

    /// Drops the oldest bucket and adds the others up afresh.
    pub(super) fn drop_oldest(&mut self) {
        if let Some(row) = self.rows.get_mut(self.last) {
            row.drop_front(1);
        }
        while self.last > 0 && self.rows.get(self.last).is_none_or(|row| row.filled == 0) {
            self.last -= 1;
        }
        let (mut width, mut total, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
        for (i, row) in self.rows.iter().enumerate().take(self.last + 1).rev() {
            let size = bucket_size(i);
            for bucket in row.buckets() {
                if width > 0.0 {
                    let gap = total / width - bucket.total / size;
                    squares += width * size * gap * gap / (width + size);
                }
                squares += bucket.squares;
                total += bucket.total;
                width += size;
            }
        }
        // Widths are whole numbers below 5 · 2^30, which both types hold exactly.
        self.width = width as u64;
        self.total = total;
        self.squares = squares;
    }

    pub(super) fn validate(&self) -> Result<(), DriftError> {
        let inner = self.rows.iter().take(self.last);
        require(
            STATE,
            self.last < ROWS
                && self.rows.iter().all(|row| usize::from(row.filled) <= MOST)
                && inner.clone().all(|row| row.filled > 0),
            "its rows are not filled as inserting fills them",
        )?;
        require(
            STATE,
            self.rows
                .iter()
                .skip(self.last + 1)
                .all(|row| row.filled == 0)
                && (self.last == 0 || self.rows.get(self.last).is_some_and(|row| row.filled > 0)),
            "its last row is not the last one filled",
        )?;
        let width: u64 = self
            .rows
            .iter()
            .enumerate()
            .map(|(i, row)| u64::from(row.filled) << i)
            .sum();
        require(
            STATE,
            width == self.width,
            "its width is not that of its buckets",
        )?;
        let most = LARGEST * 4.0 * (width as f64 + 1.0);
        let can_be = |total: f64, squares: f64| {
            total.abs() <= most && (0.0..=most * LARGEST * 4.0).contains(&squares)
        };
        require(
            STATE,
            can_be(self.total, self.squares)
                && self
                    .rows
                    .iter()
                    .flat_map(Row::buckets)
                    .all(|bucket| can_be(bucket.total, bucket.squares)),
            "a sum is beyond what its values can reach",
        )
    }

    /// Joins the two oldest buckets of each row that is one too full into one of the next row.
    fn compress(&mut self) {
        let mut overflow = false;
        let mut carried: Option<Bucket> = None;
        for (i, row) in self.rows.iter_mut().enumerate() {
            let too_full = match carried.take() {
                Some(bucket) => {
                    self.last = self.last.max(i);
                    row.push(bucket)
                }
                None => usize::from(row.filled) > MOST,
            };
            if !too_full {
                break;
            }
            if i + 1 == ROWS {
                overflow = true;
                break;
            }
            carried = row.join_front(bucket_size(i));
        }
        if overflow {
            self.drop_oldest();
        }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            rows: Box::new([Row::default(); ROWS]),
            last: 0,
            width: 0,
            total: 0.0,
            squares: 0.0,
        }
    }
}

/// Buckets of one size, oldest first; one place more than a row keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Row {
    buckets: [Bucket; MOST + 1],
    filled: u8,
}

impl Row {
    fn buckets(&self) -> impl DoubleEndedIterator<Item = &Bucket> {
        self.buckets.iter().take(usize::from(self.filled))
    }

    fn total(&self) -> f64 {
        self.buckets().map(|bucket| bucket.total).sum()
    }

    /// Adds a bucket and says whether the row is now one too full.
    #[inline]
    fn push(&mut self, bucket: Bucket) -> bool {
        if let Some(place) = self.buckets.get_mut(usize::from(self.filled)) {
            *place = bucket;
            self.filled += 1;
        }
        usize::from(self.filled) > MOST
    }

    /// Takes the two oldest buckets of `size` values out, as one.
    fn join_front(&mut self, size: f64) -> Option<Bucket> {
        let [first, second, ..] = self.buckets;
        if self.filled < 2 {
            return None;
        }
        self.drop_front(2);
        let gap = first.total / size - second.total / size;
        Some(Bucket {
            total: first.total + second.total,
            squares: first.squares + second.squares + size * gap * gap / 2.0,
        })
    }

    fn drop_front(&mut self, count: u8) {
        let count = count.min(self.filled);
        self.buckets.rotate_left(usize::from(count));
        self.filled -= count;
        for place in self.buckets.iter_mut().skip(usize::from(self.filled)) {
            *place = Bucket::default();
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Bucket {
    total: f64,
    squares: f64,
}

/// How many values a bucket of row `i` holds; `i` is below [`ROWS`].
fn bucket_size(i: usize) -> f64 {
    (1_u64 << i) as f64
}

/// Settings in numbers of values beyond it make no sense: a full histogram has at least 9 · 2^29 − 4 values.
pub(super) const LARGEST_WINDOW: u64 = 1 << 31;

/// How many buckets of one size are kept.
const MOST: usize = 5;

/// Rows of buckets; the last holds buckets of 2^29 values.
const ROWS: usize = 30;

/// More than the relative error of a mean of at most 180 buckets, of which the oldest has a tenth of the values.
const ROUNDING: f64 = 1e-12;

const STATE: &str = "ADWIN window";
