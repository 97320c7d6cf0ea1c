//! The compiled form of an ensemble.

use std::sync::Arc;

use noops_core::{Error, ErrorKind};

use super::accumulate::{Aggregate, Precision};
use super::builder::{ForestBuilder, Tree};
use super::linked::Linked;
use super::perfect::Perfect;
use super::transform::PostTransform;

/// An immutable ensemble of trees, built by a [`ForestBuilder`](super::ForestBuilder); a clone shares the trees.
///
/// The score of output `k` of a row `x` is `f(b + A_t w_t(x))_k`, where `w_t(x)` is the weight of the leaf of tree `t` that `x` falls
/// into, `A` is the [`Aggregate`], `b` the base values and `f` the [`PostTransform`]. Weights are added in the order of the trees, so
/// that the score of a row has the same bits in every batch.
///
/// Trees of at most eight questions are laid out as full trees without pointers and are walked several at a time without
/// branches; others are walked along links.
#[derive(Clone, Debug)]
pub struct Forest {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    features: usize,
    outputs: usize,
    trees: usize,
    base: Vec<f64>,
    divisor: f64,
    aggregate: Aggregate,
    transform: PostTransform,
    layout: Layout,
}

#[derive(Debug)]
enum Layout {
    PerfectSingle(Perfect<f32>),
    PerfectDouble(Perfect<f64>),
    LinkedSingle(Linked<f32>),
    LinkedDouble(Linked<f64>),
}

/// Space that scoring writes in, to be kept between calls by whoever scores often.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(super) lanes: Vec<super::perfect::Lane>,
    sums: Vec<f64>,
    single: Vec<f32>,
    double: Vec<f64>,
}

impl Forest {
    pub(super) fn compile(builder: ForestBuilder) -> Result<Self, Error> {
        let ForestBuilder {
            features,
            outputs,
            trees,
            aggregate,
            rounds,
            precision,
            base,
            transform,
            ..
        } = builder;
        let divisor = match (aggregate, rounds) {
            (Aggregate::Average, Some(rounds)) => rounds.get() as f64,
            (Aggregate::Average, None) => trees.len().max(1) as f64,
            _ => 1.0,
        };
        let count = trees.len();
        let layout = match precision {
            Precision::Single => match perfect(&trees, aggregate) {
                Some(perfect) => Layout::PerfectSingle(perfect),
                None => Layout::LinkedSingle(Linked::new(&trees)?),
            },
            Precision::Double => match perfect(&trees, aggregate) {
                Some(perfect) => Layout::PerfectDouble(perfect),
                None => Layout::LinkedDouble(Linked::new(&trees)?),
            },
        };
        let shared = Shared {
            features,
            outputs,
            trees: count,
            base,
            divisor,
            aggregate,
            transform,
            layout,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// How many columns a row has.
    #[must_use]
    pub fn features(&self) -> usize {
        self.shared.features
    }

    /// How many scores a row gets.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.shared.transform.width(self.shared.outputs)
    }

    /// How many trees there are.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.shared.trees
    }

    /// What is done to the sums of a row.
    #[must_use]
    pub fn transform(&self) -> PostTransform {
        self.shared.transform
    }

    /// Scores rows of `width` values that lie one behind the other, and appends [`outputs`](Self::outputs) scores a row. NaN is a
    /// missing value; infinities are compared as any number.
    ///
    /// # Errors
    ///
    /// `Invalid` when `width` is not the number of features, or the rows are not whole.
    ///
    /// # Complexity
    ///
    /// For each row, the sum of the depths of the trees.
    pub fn score(&self, rows: &[f32], width: usize, out: &mut Vec<f32>) -> Result<(), Error> {
        self.score_with(rows, width, &mut Scratch::default(), out)
    }

    /// As [`score`](Self::score), in space that is kept between calls.
    ///
    /// # Errors
    ///
    /// As [`score`](Self::score).
    pub fn score_with(
        &self,
        rows: &[f32],
        width: usize,
        scratch: &mut Scratch,
        out: &mut Vec<f32>,
    ) -> Result<(), Error> {
        let shared = self.shared.as_ref();
        if width != shared.features || width == 0 || !rows.len().is_multiple_of(width) {
            return Err(Error::new(
                ErrorKind::Invalid,
                "score rows with a tree ensemble",
                "the rows must have one value per feature of the model",
            )
            .with("features", shared.features)
            .with("width", width)
            .with("values", rows.len()));
        }
        let Scratch {
            lanes,
            sums,
            single,
            double,
        } = scratch;
        for tile in rows.chunks(width.saturating_mul(TILE)) {
            let count = tile.len() / width;
            let cells = count.saturating_mul(shared.outputs);
            match &shared.layout {
                Layout::PerfectSingle(trees) => {
                    zero(single, cells);
                    trees.add(tile, width, lanes, single, shared.outputs);
                    shared.finish(single, sums, out);
                }
                Layout::PerfectDouble(trees) => {
                    zero(double, cells);
                    trees.add(tile, width, lanes, double, shared.outputs);
                    shared.finish(double, sums, out);
                }
                Layout::LinkedSingle(trees) => {
                    zero(single, cells);
                    trees.add(tile, width, shared.aggregate, single, shared.outputs);
                    shared.finish(single, sums, out);
                }
                Layout::LinkedDouble(trees) => {
                    zero(double, cells);
                    trees.add(tile, width, shared.aggregate, double, shared.outputs);
                    shared.finish(double, sums, out);
                }
            }
        }
        Ok(())
    }
}

impl Shared {
    fn finish<V: super::accumulate::Real>(
        &self,
        cells: &[V],
        sums: &mut Vec<f64>,
        out: &mut Vec<f32>,
    ) {
        for row in cells.chunks(self.outputs.max(1)) {
            sums.clear();
            let with_base = row.iter().zip(&self.base);
            if self.aggregate == Aggregate::Average {
                sums.extend(with_base.map(|(sum, base)| sum.to_double() / self.divisor + base));
            } else {
                sums.extend(with_base.map(|(sum, base)| sum.to_double() + base));
            }
            self.transform.apply(sums, out);
        }
    }
}

/// The trees in full, where all are shallow and ask nothing special.
fn perfect<V: super::accumulate::Real>(trees: &[Tree], aggregate: Aggregate) -> Option<Perfect<V>> {
    match aggregate {
        Aggregate::Sum | Aggregate::Average => Perfect::new(trees),
        Aggregate::Minimum | Aggregate::Maximum => None,
    }
}

fn zero<V: super::accumulate::Real>(cells: &mut Vec<V>, count: usize) {
    cells.clear();
    cells.resize(count, V::default());
}

/// As many rows as are walked through one tree before the next: more of them use a tree while it is in the nearest cache, fewer
/// leave it room there.
const TILE: usize = 64;

#[cfg(test)]
mod tests;
