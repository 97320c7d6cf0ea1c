use crate::slo::{Tally, Target};

/// Time buckets of one width with running sums: a record adds to one bucket, and once settled the sum over any range is one
/// subtraction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ring {
    width: i64,
    weight: Weight,
    /// A power of two of buckets; bucket `i` of time lives in slot `i` modulo the length.
    cells: Vec<Tally>,
    /// The sum of the weights of all buckets up to this one, evicted ones included.
    sums: Vec<Tally>,
    evicted: Tally,
    head: i64,
    /// Sums before this bucket are right.
    dirty: i64,
}

/// What a bucket counts for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weight {
    /// Its events.
    Events,
    /// One, bad if less than the target of its events were good.
    Slice(Target),
    /// [`RATIO_PARTS`], of which as many bad as the part of its events.
    Ratio,
}

impl Ring {
    /// Buckets of `width` seconds, at least `buckets` of them, the newest at `second`.
    pub(crate) fn new(width: i64, buckets: usize, second: i64, weight: Weight) -> Self {
        let width = width.max(1);
        let buckets = buckets.clamp(2, MAX_BUCKETS).next_power_of_two();
        let head = second.div_euclid(width);
        Self {
            width,
            weight,
            cells: vec![Tally::default(); buckets],
            sums: vec![Tally::default(); buckets],
            evicted: Tally::default(),
            head,
            dirty: head,
        }
    }

    pub(crate) fn width(&self) -> i64 {
        self.width
    }

    pub(crate) fn head(&self) -> i64 {
        self.head
    }

    /// The oldest bucket that is held.
    pub(crate) fn oldest(&self) -> i64 {
        self.head
            .saturating_sub(self.cells.len() as i64)
            .saturating_add(1)
    }

    pub(crate) fn bucket(&self, second: i64) -> i64 {
        second.div_euclid(self.width)
    }

    #[inline]
    pub(crate) fn slot(&self, bucket: i64) -> usize {
        // The length is a power of two, so masking is the modulo, of negative buckets too.
        (bucket as usize) & (self.cells.len().wrapping_sub(1))
    }

    /// The bucket in `slot`, which must be the newest: it is never settled, so nothing is marked.
    #[inline]
    pub(crate) fn head_cell(&mut self, slot: usize) -> Option<&mut Tally> {
        self.cells.get_mut(slot)
    }

    /// Adds to a bucket that is held; says nothing of one that is not.
    pub(crate) fn add(&mut self, bucket: i64, tally: Tally) -> Option<()> {
        if bucket < self.oldest() || bucket > self.head {
            return None;
        }
        let slot = self.slot(bucket);
        let cell = self.cells.get_mut(slot)?;
        *cell = cell.plus(tally);
        self.dirty = self.dirty.min(bucket);
        Some(())
    }

    /// Makes `bucket` the newest, handing what falls out to `evict`. An older bucket changes nothing.
    ///
    /// # Complexity
    ///
    /// Linear in the buckets passed, at most all of them.
    pub(crate) fn advance(&mut self, bucket: i64, mut evict: impl FnMut(i64, Tally)) {
        if bucket <= self.head {
            return;
        }
        let held = self.cells.len() as i64;
        let passed = bucket.saturating_sub(self.head).min(held);
        let first = self.oldest();
        for old in first..first.saturating_add(passed) {
            let slot = self.slot(old);
            if let Some(cell) = self.cells.get_mut(slot) {
                let gone = std::mem::take(cell);
                if gone.total() > 0 {
                    self.evicted = self.evicted.plus(self.weight.of(gone));
                    evict(old, gone);
                }
            }
        }
        self.head = bucket;
        self.dirty = self.dirty.max(self.oldest());
    }

    /// Makes the sums right.
    ///
    /// # Complexity
    ///
    /// Linear in the buckets from the oldest that changed since the last call.
    pub(crate) fn settle(&mut self) {
        let mut sum = self.sum_before(self.dirty);
        for bucket in self.dirty..=self.head {
            let slot = self.slot(bucket);
            if let (Some(cell), Some(total)) = (self.cells.get(slot), self.sums.get_mut(slot)) {
                sum = sum.plus(self.weight.of(*cell));
                *total = sum;
            }
        }
        // The newest stays dirty: the fast path adds to it without saying so.
        self.dirty = self.head;
    }

    /// The weights from one bucket to another, both included; those that are not held are left out. Settle first.
    pub(crate) fn sum(&self, from: i64, to: i64) -> Tally {
        let from = from.max(self.oldest());
        let to = to.min(self.head);
        if from > to {
            return Tally::default();
        }
        self.sum_before(to.saturating_add(1))
            .minus(self.sum_before(from))
    }

    /// The weights of everything ever counted up to a bucket, evicted ones included. Settle first.
    pub(crate) fn lifetime(&self, to: i64) -> Tally {
        self.sum_before(to.min(self.head).saturating_add(1))
    }

    /// The weights of what fell out.
    pub(crate) fn evicted(&self) -> Tally {
        self.evicted
    }

    /// Takes over what fell out before a restart.
    pub(crate) fn set_evicted(&mut self, evicted: Tally) {
        self.evicted = evicted;
        self.dirty = self.oldest();
    }

    /// The buckets that hold something, oldest first.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (i64, Tally)> + '_ {
        (self.oldest()..=self.head).filter_map(|bucket| {
            let cell = self.cells.get(self.slot(bucket)).copied()?;
            (cell.total() > 0).then_some((bucket, cell))
        })
    }

    fn sum_before(&self, bucket: i64) -> Tally {
        if bucket <= self.oldest() {
            return self.evicted;
        }
        let slot = self.slot(bucket.saturating_sub(1));
        self.sums.get(slot).copied().unwrap_or_default()
    }
}

impl Weight {
    pub(crate) fn of(self, cell: Tally) -> Tally {
        match self {
            Self::Events => cell,
            _ if cell.total() == 0 => Tally::default(),
            Self::Slice(target) => {
                let good = cell.good() as f64 >= target.ratio() * cell.total() as f64;
                Tally::of(u64::from(!good), 1)
            }
            Self::Ratio => {
                let bad = cell.bad_ratio().unwrap_or(0.0) * RATIO_PARTS as f64;
                Tally::of((bad.round() as u64).min(RATIO_PARTS), RATIO_PARTS)
            }
        }
    }

    /// The parts that one observation counts.
    pub(crate) fn unit(self) -> u64 {
        match self {
            Self::Events | Self::Slice(_) => 1,
            Self::Ratio => RATIO_PARTS,
        }
    }
}

/// A slice counted as a ratio is kept to a part in a thousand million.
pub(crate) const RATIO_PARTS: u64 = 1_000_000_000;
/// More buckets are refused before a ring is made.
pub(crate) const MAX_BUCKETS: usize = 1 << 18;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_range_sums_to_what_a_list_of_events_does(
            steps in prop::collection::vec((0i64..400, 0u64..3, 0u64..3), 1..80),
            from in 0i64..400,
            length in 0i64..80,
        ) {
            let mut ring = Ring::new(7, 8, 0, Weight::Events);
            let mut evicted = Tally::default();
            let mut list: BTreeMap<i64, Tally> = BTreeMap::new();
            for (second, bad, good) in steps {
                let bucket = ring.bucket(second);
                ring.advance(bucket, |_, gone| evicted = evicted.plus(gone));
                let tally = Tally::of(bad, bad + good);
                if ring.add(bucket, tally).is_some() {
                    let entry = list.entry(bucket).or_default();
                    *entry = entry.plus(tally);
                }
                if second % 3 == 0 {
                    ring.settle();
                }
            }
            ring.settle();
            let (from, to) = (ring.bucket(from), ring.bucket(from + length));
            let naive = list
                .range(from.max(ring.oldest())..)
                .filter(|(bucket, _)| **bucket <= to)
                .fold(Tally::default(), |sum, (_, tally)| sum.plus(*tally));
            prop_assert_eq!(ring.sum(from, to), naive);
            let all = list.values().fold(Tally::default(), |sum, tally| sum.plus(*tally));
            prop_assert_eq!(ring.lifetime(ring.head()), all);
            let held = ring.filled().fold(Tally::default(), |sum, (_, tally)| sum.plus(tally));
            prop_assert_eq!(evicted.plus(held), all);
        }
    }

    #[test]
    fn slices_without_events_count_for_nothing() {
        let target = Target::new(0.9).unwrap();
        assert_eq!(Weight::Slice(target).of(Tally::default()).total(), 0);
        assert_eq!(Weight::Slice(target).of(Tally::of(1, 10)), Tally::of(0, 1));
        assert_eq!(Weight::Slice(target).of(Tally::of(2, 10)), Tally::of(1, 1));
        let quarter = Weight::Ratio.of(Tally::of(1, 4));
        assert_eq!(quarter.bad_ratio(), Some(0.25));
    }

    #[test]
    fn the_ends_of_time_are_no_trap() {
        let last = jiff::Timestamp::MAX.as_second();
        for second in [jiff::Timestamp::MIN.as_second(), -1, 0, last] {
            let mut ring = Ring::new(0, 0, second, Weight::Events);
            assert_eq!(ring.add(ring.head(), Tally::of(1, 1)), Some(()));
            ring.advance(last, |_, _| {});
            ring.settle();
            assert_eq!(ring.lifetime(last), Tally::of(1, 1));
        }
    }
}
