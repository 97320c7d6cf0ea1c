//! Rows for runtimes that promise nothing about the bits of a row among others.

use std::num::NonZeroUsize;

use noops_core::{Error, ErrorKind};

/// How rows reach a foreign runtime, so that no row's scores depend on the others.
///
/// Such a runtime may choose another kernel, and with it another order of additions, for another number of rows. What it does is found
/// out when a model is loaded: rows of noise are scored alone and among others, at every place, and compared to the last bit. Later
/// batches are cut into blocks of exactly the sizes that were compared. This is a probe and no proof: it cannot see a kernel that chooses
/// its way by the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Batching {
    /// In blocks of 64, 32, 16, 8, 4, 2 and 1 rows, which were found to change no bit.
    Blocks,
    /// One by one, because together they changed bits.
    OneByOne,
    /// In blocks of the rows that the model was made for, the last filled up with zeros.
    Fixed(NonZeroUsize),
    /// One by one, each in a block of the rows that the model was made for, because its place changed bits.
    FixedOneByOne(NonZeroUsize),
}

impl Batching {
    /// Finds out how a model of `columns` inputs must be run; `fixed` are the rows it was made for, if it cannot take others.
    pub(super) fn probe(
        fixed: Option<NonZeroUsize>,
        columns: usize,
        mut run: impl FnMut(&[f32], usize) -> Result<Vec<f32>, Error>,
    ) -> Result<Self, Error> {
        let (careful, bold) = match fixed {
            None => (Self::OneByOne, Self::Blocks),
            Some(rows) => (Self::FixedOneByOne(rows), Self::Fixed(rows)),
        };
        // An odd number, so that blocks of every size come up.
        let rows = fixed.map_or(2 * LARGEST - 1, |rows| rows.get().saturating_mul(2));
        let noise = noise(rows.saturating_mul(columns));
        let expected = careful.run(&noise, rows, columns, &mut run)?;
        let found = bold.run(&noise, rows, columns, &mut run)?;
        // A second time in reverse, so that rows have other places.
        let reversed: Vec<f32> = noise
            .chunks(columns.max(1))
            .rev()
            .flatten()
            .copied()
            .collect();
        let backwards = bold.run(&reversed, rows, columns, &mut run)?;
        let width = backwards.len().checked_div(rows).unwrap_or(0).max(1);
        let backwards: Vec<f32> = backwards.chunks(width).rev().flatten().copied().collect();
        let alike = |scores: &[f32]| {
            let pairs = scores.iter().zip(&expected);
            scores.len() == expected.len()
                && pairs
                    .into_iter()
                    .all(|(one, other)| one.to_bits() == other.to_bits())
        };
        Ok(if alike(&found) && alike(&backwards) {
            bold
        } else {
            careful
        })
    }

    /// Scores `rows` rows of `columns` values by a function that takes values and the number of rows in them.
    pub(super) fn run(
        self,
        values: &[f32],
        rows: usize,
        columns: usize,
        mut run: impl FnMut(&[f32], usize) -> Result<Vec<f32>, Error>,
    ) -> Result<Vec<f32>, Error> {
        let mut scores = Vec::new();
        let (mut values, mut left) = (values, rows);
        while left > 0 {
            let block = match self {
                // The largest power of two that is left.
                Self::Blocks => (1_usize << left.ilog2()).min(LARGEST),
                Self::OneByOne | Self::FixedOneByOne(_) => 1,
                Self::Fixed(rows) => rows.get().min(left),
            };
            let (now, later) = values
                .split_at_checked(block.saturating_mul(columns))
                .ok_or_else(|| {
                    let error = Error::new(
                        ErrorKind::Invalid,
                        "run a model",
                        "the rows have other columns than the model",
                    );
                    error.with("columns expected", columns)
                })?;
            let answers = match self {
                Self::Blocks | Self::OneByOne => run(now, block)?,
                Self::Fixed(rows) if rows.get() == block => run(now, block)?,
                Self::Fixed(rows) | Self::FixedOneByOne(rows) => {
                    let mut padded = now.to_vec();
                    padded.resize(rows.get().saturating_mul(columns), 0.0);
                    let mut answers = run(&padded, rows.get())?;
                    let width = answers.len().checked_div(rows.get()).unwrap_or(0);
                    answers.truncate(width.saturating_mul(block));
                    answers
                }
            };
            scores.extend(answers);
            (values, left) = (later, left - block);
        }
        Ok(scores)
    }
}

/// Numbers between -2 and 2 that have nothing to do with each other.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 22) as f32 - 2.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// Rows of the largest block: more together gain little, and cost more to compare at load.
const LARGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn doubled(values: &[f32], _: usize) -> Result<Vec<f32>, Error> {
        Ok(values.iter().map(|x| x * 2.0).collect())
    }

    #[test]
    fn a_runtime_that_keeps_rows_apart_gets_them_together() {
        let batching = Batching::probe(None, 1, doubled).unwrap();
        assert_eq!(batching, Batching::Blocks);
        let mut sizes = Vec::new();
        let values: Vec<f32> = (0..141_u16).map(f32::from).collect();
        let scores = batching.run(&values, 141, 1, |values, rows| {
            sizes.push(rows);
            doubled(values, rows)
        });
        assert_eq!(scores.unwrap(), doubled(&values, 141).unwrap());
        assert_eq!(sizes, [64, 64, 8, 4, 1]);
    }

    #[test]
    fn a_runtime_that_mixes_rows_gets_them_one_by_one() {
        let mixed = |values: &[f32], rows: usize| {
            let shift = if rows == 8 { f32::EPSILON } else { 0.0 };
            Ok(values.iter().map(|x| x + shift).collect())
        };
        assert_eq!(Batching::probe(None, 1, mixed).unwrap(), Batching::OneByOne);
    }

    #[test]
    fn a_model_of_a_fixed_batch_is_filled_up() {
        let three = NonZeroUsize::new(3).unwrap();
        let strict = |values: &[f32], rows: usize| {
            assert_eq!((rows, values.len()), (3, 6));
            Ok(values.chunks(2).map(|row| row.iter().sum()).collect())
        };
        let batching = Batching::probe(Some(three), 2, strict).unwrap();
        assert_eq!(batching, Batching::Fixed(three));
        let scores = batching.run(&[1.0; 8], 4, 2, strict).unwrap();
        assert_eq!(scores, [2.0; 4]);
        assert!(
            batching.run(&[1.0; 7], 4, 2, strict).is_err(),
            "a value is missing"
        );
        let placed = |values: &[f32], _: usize| {
            Ok(values
                .iter()
                .zip(0_u8..)
                .map(|(x, place)| x + f32::from(place))
                .collect())
        };
        assert_eq!(
            Batching::probe(Some(three), 1, placed).unwrap(),
            Batching::FixedOneByOne(three)
        );
    }
}
