//! Which values share a bucket.

/// Values that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    smallest: u64,
    largest: u64,
    count: u64,
}

impl Bucket {
    pub(super) fn new(index: usize, count: u64) -> Self {
        let (smallest, largest) = limits(index);
        Self {
            smallest,
            largest,
            count,
        }
    }

    /// The smallest value that belongs here.
    #[must_use]
    pub fn smallest(self) -> u64 {
        self.smallest
    }

    /// The largest value that belongs here.
    #[must_use]
    pub fn largest(self) -> u64 {
        self.largest
    }

    /// How many values were recorded.
    #[must_use]
    pub fn count(self) -> u64 {
        self.count
    }

    /// The value that stands for all of them: the middle, at most one part in 32 from any.
    #[must_use]
    pub fn middle(self) -> u64 {
        let width = self.largest.saturating_sub(self.smallest);
        self.smallest.saturating_add(width / 2)
    }
}

/// The bucket of a value: 0 has one of its own, and the others are placed by `value - 1`, so that a bucket ends with a round number
/// instead of beginning with one.
pub(super) fn index_of(value: u64) -> usize {
    value.checked_sub(1).map_or(0, |below| 1 + place(below))
}

/// Sixteen places in every octave, and one for each number below 16.
fn place(number: u64) -> usize {
    let octave = u64::BITS - 1 - (number | 1).leading_zeros();
    if octave < SUB_BITS {
        return number as usize;
    }
    let shift = octave - SUB_BITS;
    // At most 60 * 16 + 15.
    ((shift + 1) << SUB_BITS) as usize + ((number >> shift) as usize & (SUB_BUCKETS - 1))
}

/// The smallest and the largest value of a bucket.
pub(super) fn limits(index: usize) -> (u64, u64) {
    let Some(place) = index.checked_sub(1) else {
        return (0, 0);
    };
    if place < SUB_BUCKETS {
        return (place as u64 + 1, place as u64 + 1);
    }
    let shift = (place / SUB_BUCKETS - 1).min(MAX_SHIFT) as u32;
    let first = ((SUB_BUCKETS + place % SUB_BUCKETS) as u64) << shift;
    let last = first.saturating_add(1_u64 << shift);
    (first.saturating_add(1), last)
}

const SUB_BITS: u32 = 4;
const SUB_BUCKETS: usize = 1 << SUB_BITS;
const MAX_SHIFT: usize = 59;
/// One for 0, 16 for 1 to 16, and 16 for each of the 60 octaves above.
pub(super) const BUCKETS: usize = 1 + SUB_BUCKETS + (MAX_SHIFT + 1) * SUB_BUCKETS;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        let mut next = 0;
        for index in 0..BUCKETS {
            let (smallest, largest) = limits(index);
            assert_eq!(smallest, next);
            assert_eq!((index_of(smallest), index_of(largest)), (index, index));
            next = largest.wrapping_add(1);
        }
        assert_eq!(next, 0, "the last one ends with the largest number");
    }

    #[test]
    fn a_power_of_two_ends_a_bucket() {
        for power in 0..64 {
            let (_, largest) = limits(index_of(1 << power));
            assert_eq!(largest, 1 << power);
        }
    }

    #[test]
    fn small_numbers_are_exact() {
        for value in 0..=32 {
            assert_eq!(limits(index_of(value)), (value, value));
        }
    }

    proptest! {
        #[test]
        fn the_middle_is_within_one_part_in_32(value in any::<u64>(), shift in 0u32..64) {
            let value = value >> shift;
            let bucket = Bucket::new(index_of(value), 1);
            prop_assert!(bucket.smallest() <= value && value <= bucket.largest());
            prop_assert!(bucket.middle().abs_diff(value) <= value / 32);
        }
    }
}
