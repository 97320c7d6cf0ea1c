use fearless_simd::{Level, Simd, dispatch};

use super::{BLOCK, Float};

/// A table from equal steps of the range of many edges to the edges within a step.
///
/// Quantile edges of most columns have few edges in any step, and all of those are compared without a branch. Where many edges share a
/// step, as in columns with heavy tails, the bin is found by bisection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lookup<T> {
    scale: Scale,
    steps: Steps<T>,
}

/// By the most edges that a step has.
#[derive(Clone, Debug, PartialEq)]
enum Steps<T> {
    One(Box<[Step<T, 1>]>),
    Two(Box<[Step<T, 2>]>),
    Four(Box<[Step<T, 4>]>),
    Many,
}

/// How many edges are below a step, and those within it; infinities where it has fewer.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step<T, const N: usize> {
    below: u32,
    within: [T; N],
}

impl<T: Float> Lookup<T> {
    /// Takes ascending finite edges, and how many steps the table may have: at most 65,536.
    pub(crate) fn new(edges: &[T], steps: usize) -> Self {
        let scale = Scale::new(edges, steps);
        let most = edges
            .chunk_by(|a, b| scale.step(a.widen()) == scale.step(b.widen()))
            .map(<[T]>::len)
            .max();
        let steps = match most.unwrap_or(0) {
            0 | 1 => Steps::One(fill(edges, scale, steps)),
            2 => Steps::Two(fill(edges, scale, steps)),
            3 | 4 => Steps::Four(fill(edges, scale, steps)),
            _ => Steps::Many,
        };
        Self { scale, steps }
    }

    /// How many of the edges, which are those of [`new`](Self::new), are below the value.
    #[inline(always)]
    pub(crate) fn bin(&self, edges: &[T], value: T) -> usize {
        let position = self.scale.step(value.widen());
        match &self.steps {
            Steps::One(steps) => bin(steps, value, position),
            Steps::Two(steps) => bin(steps, value, position),
            Steps::Four(steps) => bin(steps, value, position),
            Steps::Many => edges.partition_point(|edge| *edge < value),
        }
    }

    /// Adds at most [`BLOCK`] values to `bins`; NaN goes to the first bin.
    pub(super) fn count(&self, edges: &[T], values: &[T], level: Level, bins: &mut [u64]) {
        match &self.steps {
            Steps::One(steps) => self.count_in(steps, values, level, bins),
            Steps::Two(steps) => self.count_in(steps, values, level, bins),
            Steps::Four(steps) => self.count_in(steps, values, level, bins),
            Steps::Many => {
                for value in values {
                    let bin = edges.partition_point(|edge| edge < value);
                    if let Some(count) = bins.get_mut(bin) {
                        *count += 1;
                    }
                }
            }
        }
    }

    fn count_in<const N: usize>(
        &self,
        steps: &[Step<T, N>],
        block: &[T],
        level: Level,
        bins: &mut [u64],
    ) {
        let scale = self.scale;
        let mut positions = [0_u16; BLOCK];
        dispatch!(level, simd => simd.vectorize(
            #[inline(always)]
            || {
                for (position, value) in positions.iter_mut().zip(block) {
                    *position = scale.step(value.widen());
                }
            }
        ));
        for (value, position) in block.iter().zip(&positions) {
            if let Some(count) = bins.get_mut(bin(steps, *value, *position)) {
                *count += 1;
            }
        }
    }
}

fn fill<T: Float, const N: usize>(edges: &[T], scale: Scale, steps: usize) -> Box<[Step<T, N>]> {
    let empty = Step {
        below: 0,
        within: [T::INFINITY; N],
    };
    let mut table = vec![empty; steps];
    let mut passed = 0_u32;
    let mut left = edges;
    for (position, slot) in table.iter_mut().enumerate() {
        slot.below = passed;
        let here = left.partition_point(|edge| usize::from(scale.step(edge.widen())) <= position);
        let (within, rest) = left.split_at(here);
        for (slot, edge) in slot.within.iter_mut().zip(within) {
            *slot = *edge;
        }
        passed += here as u32;
        left = rest;
    }
    table.into_boxed_slice()
}

#[inline(always)]
fn bin<T: Float, const N: usize>(steps: &[Step<T, N>], value: T, position: u16) -> usize {
    steps.get(usize::from(position)).map_or(0, |step| {
        let mut bin = step.below;
        for edge in step.within {
            bin += u32::from(edge < value);
        }
        bin as usize
    })
}

/// Equal steps from the first edge to the last.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scale {
    first: f64,
    steps_per_unit: f64,
    last_step: f64,
}

impl Scale {
    fn new<T: Float>(edges: &[T], steps: usize) -> Self {
        let first = edges.first().map_or(0.0, |edge| edge.widen());
        let last = edges.last().map_or(0.0, |edge| edge.widen());
        let last_step = steps.saturating_sub(1) as f64;
        let steps_per_unit = last_step / (last - first);
        Self {
            first,
            steps_per_unit: if steps_per_unit.is_finite() {
                steps_per_unit
            } else {
                0.0
            },
            last_step,
        }
    }

    /// Which step a value is in. It is monotone in the value, which is all that the table needs; a NaN is in the first.
    #[inline(always)]
    fn step(self, value: f64) -> u16 {
        let position = ((value - self.first) * self.steps_per_unit)
            .max(0.0)
            .min(self.last_step);
        // Adding 2^52 leaves the nearest whole number in the low bits, which unlike a cast is one operation.
        (position + 4_503_599_627_370_496.0).to_bits() as u16
    }
}
