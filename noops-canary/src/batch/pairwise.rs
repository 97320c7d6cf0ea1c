use noops_stats::two_sample::{key_of, value_of};

/// A value for every pair of values, too many to be formed.
///
/// What it counts must grow with the bound, and no value may be NaN.
pub(crate) trait Pairwise {
    /// How many pairs there are.
    fn total(&self) -> u128;
    /// The smallest value.
    fn lowest(&self) -> f64;
    /// The largest value.
    fn highest(&self) -> f64;
    /// How many values are at most `bound`.
    fn at_most(&self, bound: f64) -> u128;
    /// The values above `low` and at most `high`, in any order.
    fn between(&self, low: f64, high: f64) -> Vec<f64>;
    /// How many values may be formed.
    fn room(&self) -> u128;
}

/// The value of this rank, counted from 1 in ascending order.
///
/// A bracket is narrowed by counting until the values left in it may be formed. Where to count next is interpolated on either
/// side of the rank, as if the values were spread evenly, and every third time it halves the floating-point numbers of the
/// bracket, so that no data need more than some 200 counts; few need more than 20.
pub(crate) fn select(pairs: &impl Pairwise, rank: u128) -> f64 {
    let rank = rank.clamp(1, pairs.total().max(1));
    let (mut low, mut high) = (pairs.lowest(), pairs.highest());
    let mut below = pairs.at_most(low);
    if below >= rank {
        return low;
    }
    let mut up_to = pairs.total();
    let mut turn = Turn::Under;
    while up_to.saturating_sub(below) > pairs.room() {
        let part = (rank - below) as f64 / (up_to - below) as f64;
        let Some(pivot) = pivot(low, high, part, turn) else {
            return high;
        };
        turn = turn.next();
        let count = pairs.at_most(pivot);
        if count >= rank {
            high = pivot;
            up_to = count;
        } else {
            low = pivot;
            below = count;
        }
    }
    let mut left = pairs.between(low, high);
    let at = (rank - below - 1) as usize;
    if at >= left.len() {
        return high;
    }
    *left.select_nth_unstable_by(at, f64::total_cmp).1
}

/// The middle value, or the mean of the two middle ones.
pub(crate) fn median(pairs: &impl Pairwise) -> f64 {
    let total = pairs.total();
    let lower = select(pairs, total.div_ceil(2));
    if total % 2 == 1 {
        return lower;
    }
    0.5 * lower + 0.5 * select(pairs, total / 2 + 1)
}

/// Where the next count is made.
#[derive(Clone, Copy)]
enum Turn {
    Under,
    Over,
    Halve,
}

impl Turn {
    fn next(self) -> Self {
        match self {
            Self::Under => Self::Over,
            Self::Over => Self::Halve,
            Self::Halve => Self::Under,
        }
    }
}

/// A number strictly inside the bracket, if there is one.
fn pivot(low: f64, high: f64, part: f64, turn: Turn) -> Option<f64> {
    let inside = |pivot: f64| Some(pivot + 0.0).filter(|pivot| *pivot > low && *pivot < high);
    let interpolated = |part: f64| {
        let part = part.clamp(0.0, 1.0);
        inside(low * (1.0 - part) + high * part)
    };
    let found = match turn {
        Turn::Under => interpolated(part - SLACK),
        Turn::Over => interpolated(part + SLACK),
        Turn::Halve => None,
    };
    found.or_else(|| {
        let (low_key, high_key) = (key_of(low), key_of(high));
        inside(value_of(low_key + high_key.saturating_sub(low_key) / 2))
    })
}

/// How far from the interpolated place a count is made, so that both ends of the bracket move.
const SLACK: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that were formed after all.
    struct Listed(Vec<f64>);

    impl Pairwise for Listed {
        fn total(&self) -> u128 {
            self.0.len() as u128
        }

        fn lowest(&self) -> f64 {
            self.0.iter().copied().fold(f64::INFINITY, f64::min)
        }

        fn highest(&self) -> f64 {
            self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
        }

        fn at_most(&self, bound: f64) -> u128 {
            self.0.iter().filter(|value| **value <= bound).count() as u128
        }

        fn between(&self, low: f64, high: f64) -> Vec<f64> {
            let inside = |value: &f64| *value > low && *value <= high;
            self.0.iter().copied().filter(inside).collect()
        }

        fn room(&self) -> u128 {
            0
        }
    }

    #[test]
    fn every_rank_is_found_without_forming_anything() {
        let inf = f64::INFINITY;
        let tiny = f64::from_bits(1);
        let sorted = vec![
            -inf, -1e308, -1.0, -1.0, -tiny, 0.0, 0.0, tiny, 1e-300, 2.0, 1e308, inf,
        ];
        let listed = Listed(sorted.clone());
        for (value, rank) in sorted.iter().zip(1..) {
            assert_eq!(select(&listed, rank), *value, "rank {rank}");
        }
        assert_eq!(select(&listed, 0), -inf);
        assert_eq!(select(&listed, 99), inf);
    }

    #[test]
    fn a_rank_next_to_zero_is_found() {
        let tiny = f64::from_bits(1);
        let listed = Listed(vec![-tiny, 0.0]);
        assert_eq!(select(&listed, 1), -tiny);
        assert_eq!(select(&listed, 2), 0.0);
    }

    #[test]
    fn the_median_of_two_is_their_mean() {
        assert_eq!(median(&Listed(vec![1.0, 4.0])), 2.5);
        assert_eq!(median(&Listed(vec![1.0, 3.0, 9.0])), 3.0);
    }

    #[test]
    fn keys_keep_the_order() {
        let ordered = [
            f64::NEG_INFINITY,
            -2.0,
            -1e-310,
            0.0,
            1e-310,
            2.0,
            f64::INFINITY,
        ];
        for pair in ordered.windows(2) {
            assert!(key_of(pair[0]) < key_of(pair[1]));
            assert_eq!(value_of(key_of(pair[0])), pair[0]);
        }
    }
}
