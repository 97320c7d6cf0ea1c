//! Counting numbers between edges, at the speed of memory.
//!
//! For up to [`COMPARED`] edges every value is compared with every edge, which has no branch and no table: the count above an edge is a
//! sum of comparison masks, and the bins are differences of those sums. With more edges a table finds the bin. All paths give the same
//! integers, which `tests.rs` holds against the scalar twin.

mod float;
mod lookup;
mod scalar;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use fearless_simd::{Level, Simd, dispatch};

pub(crate) use self::float::Float;
pub(crate) use self::lookup::Lookup;

/// The edges of a column, made ready for counting.
#[derive(Clone, Debug)]
pub(crate) struct Edges<T> {
    edges: Vec<T>,
    /// Where nothing unusual lies, both ends included.
    ordinary: (T, T),
    lookup: Option<Lookup<T>>,
    level: Level,
}

impl<T: Float> Edges<T> {
    /// Takes ascending finite edges and the range of the reference; without a range every value is unusual.
    pub(crate) fn new(edges: &[f64], range: Option<(f64, f64)>) -> Self {
        Self::at_level(edges, range, Level::new())
    }

    pub(crate) fn at_level(edges: &[f64], range: Option<(f64, f64)>, level: Level) -> Self {
        let edges: Vec<T> = edges.iter().map(|edge| T::at_most(*edge)).collect();
        let ordinary = match range {
            Some((min, max)) => (T::at_least(min), T::at_most(max)),
            None => (T::INFINITY, T::NEG_INFINITY),
        };
        let lookup = if edges.len() > COMPARED {
            Some(Lookup::new(&edges, STEPS))
        } else {
            None
        };
        Self {
            edges,
            ordinary,
            lookup,
            level,
        }
    }

    /// Adds the values to `tally`, which was made for as many edges.
    pub(crate) fn count(&self, values: &[T], tally: &mut Tally) {
        for block in values.chunks(BLOCK) {
            match &self.lookup {
                Some(lookup) => self.look_up(lookup, block, tally),
                None => self.compare(block, tally),
            }
        }
    }

    fn compare(&self, block: &[T], tally: &mut Tally) {
        tally.above.iter_mut().for_each(|above| *above = 0);
        let ordinary = T::compare(
            self.level,
            &self.edges,
            self.ordinary,
            block,
            &mut tally.above,
        );
        let unusual = self.unusual(block, ordinary);
        tally.add_differences(block.len() as u64, unusual);
    }

    fn look_up(&self, lookup: &Lookup<T>, block: &[T], tally: &mut Tally) {
        // One comparison tells whether all are ordinary, and has the block in the cache for what follows.
        let ordinary = T::compare(self.level, &[T::INFINITY], self.ordinary, block, &mut [0]);
        lookup.count(&self.edges, block, self.level, &mut tally.bins);
        tally.take_out_of_the_outer_bins(self.unusual(block, ordinary));
    }

    fn unusual(&self, block: &[T], ordinary: u64) -> Unusual {
        let extraordinary = (block.len() as u64).saturating_sub(ordinary);
        if extraordinary == 0 {
            return Unusual::default();
        }
        let (level, range) = (self.level, self.ordinary);
        dispatch!(level, simd => simd.vectorize(
            #[inline(always)]
            || {
                // Mostly they are NaN, as nulls are here, which is cheaper to see than to tell all kinds apart.
                let nan = block.iter().map(|value| u64::from(value.is_not_a_number())).sum();
                if nan == extraordinary {
                    Unusual { nan, ..Unusual::default() }
                } else {
                    Unusual::among(block, range)
                }
            }
        ))
    }
}

/// How many values fell where; the bins hold the finite ones.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) bins: Vec<u64>,
    pub(crate) unusual: Unusual,
    /// Values above each edge, within one block.
    above: Vec<u64>,
}

impl Tally {
    pub(crate) fn new(edges: usize) -> Self {
        Self {
            bins: vec![0; edges.saturating_add(1)],
            unusual: Unusual::default(),
            above: vec![0; edges],
        }
    }

    fn add_differences(&mut self, values: u64, unusual: Unusual) {
        let finite = values
            .saturating_sub(unusual.nan)
            .saturating_sub(unusual.positive_infinity)
            .saturating_sub(unusual.negative_infinity);
        let mut left = finite;
        let mut bins = self.bins.iter_mut();
        for above in &self.above {
            let above = above.saturating_sub(unusual.positive_infinity);
            if let Some(bin) = bins.next() {
                *bin = bin.saturating_add(left.saturating_sub(above));
            }
            left = above;
        }
        if let Some(bin) = bins.next() {
            *bin = bin.saturating_add(left);
        }
        self.unusual.add(unusual);
    }

    /// The lookup has put NaN and the infinities there.
    fn take_out_of_the_outer_bins(&mut self, unusual: Unusual) {
        if let Some(first) = self.bins.first_mut() {
            *first = first.saturating_sub(unusual.nan.saturating_add(unusual.negative_infinity));
        }
        if let Some(last) = self.bins.last_mut() {
            *last = last.saturating_sub(unusual.positive_infinity);
        }
        self.unusual.add(unusual);
    }
}

/// Values that are not numbers, or not among those of the reference. `below` and `above` count finite values only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unusual {
    pub(crate) nan: u64,
    pub(crate) positive_infinity: u64,
    pub(crate) negative_infinity: u64,
    pub(crate) below: u64,
    pub(crate) above: u64,
}

impl Unusual {
    #[inline(always)]
    fn among<T: Float>(values: &[T], (min, max): (T, T)) -> Self {
        let mut found = Self::default();
        let known = min <= max;
        for value in values {
            found.nan += u64::from(value.is_not_a_number());
            found.positive_infinity += u64::from(*value == T::INFINITY);
            found.negative_infinity += u64::from(*value == T::NEG_INFINITY);
            found.below += u64::from(known & (*value < min) & (*value > T::NEG_INFINITY));
            found.above += u64::from(known & (*value > max) & (*value < T::INFINITY));
        }
        found
    }

    fn add(&mut self, more: Self) {
        self.nan = self.nan.saturating_add(more.nan);
        self.positive_infinity = self
            .positive_infinity
            .saturating_add(more.positive_infinity);
        self.negative_infinity = self
            .negative_infinity
            .saturating_add(more.negative_infinity);
        self.below = self.below.saturating_add(more.below);
        self.above = self.above.saturating_add(more.above);
    }
}

/// Values that are counted before the counters are added up: 32 KiB of `f64`, which a first- or at worst a second-level cache holds.
pub(crate) const BLOCK: usize = 4_096;

/// Edges up to which comparing with each is faster than a table; measured.
pub(crate) const COMPARED: usize = 32;

/// Steps of the table for more edges: 32 KiB while no step has two edges.
const STEPS: usize = 2_048;
