//! The answers of one batch, as one of its callers sees them.

use std::sync::Arc;

use noops_core::{Error, Scores};

/// Scores of a caller's rows, which lie among those of the batch they were run in.
#[derive(Clone, Debug)]
pub struct Scored {
    scores: Arc<Scores>,
    first: usize,
    rows: usize,
    /// Which rows of the batch broke the output contract; none of them leaves.
    broken: Option<Arc<[bool]>>,
}

impl Scored {
    pub(super) fn new(scores: Scores, broken: Option<Vec<bool>>) -> Self {
        Self {
            first: 0,
            rows: scores.rows(),
            scores: Arc::new(scores),
            broken: broken.map(Into::into),
        }
    }

    pub(super) fn none() -> Self {
        Self {
            scores: Arc::new(Scores::none()),
            first: 0,
            rows: 0,
            broken: None,
        }
    }

    /// Pieces of one request, one behind the other.
    pub(super) fn joined(pieces: &[Self], width: usize) -> Result<Self, Error> {
        let mut values = Vec::new();
        let mut broken = Vec::new();
        for piece in pieces {
            for row in 0..piece.rows {
                let scores = piece.row(row).filter(|scores| scores.len() == width);
                broken.push(scores.is_none());
                match scores {
                    Some(scores) => values.extend_from_slice(scores),
                    None => values.extend(std::iter::repeat_n(f32::NAN, width)),
                }
            }
        }
        let broken = broken.contains(&true).then_some(broken);
        Ok(Self::new(Scores::new(width, values)?, broken))
    }

    /// The part of another caller, `rows` rows from `first`.
    pub(super) fn part(&self, first: usize, rows: usize) -> Self {
        Self {
            first: self.first.saturating_add(first),
            rows,
            ..self.clone()
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether there may be rows that broke the output contract.
    pub(crate) fn has_broken_rows(&self) -> bool {
        self.broken.is_some()
    }

    /// The numbers of one row; `None` past the last, and where they broke the output contract.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&[f32]> {
        if row >= self.rows {
            return None;
        }
        let row = self.first.checked_add(row)?;
        if let Some(broken) = &self.broken
            && broken.get(row).copied().unwrap_or(true)
        {
            return None;
        }
        self.scores.row(row)
    }

    /// The first number of each row, `None` where the row broke the output contract.
    pub fn firsts(&self) -> impl Iterator<Item = Option<f32>> {
        (0..self.rows).map(|row| self.row(row)?.first().copied())
    }

    /// The scores of the batch, and where in it a row lies.
    pub(crate) fn shared_row(&self, row: usize) -> Option<(Arc<Scores>, usize)> {
        self.row(row)?;
        Some((self.scores.clone(), self.first + row))
    }
}
