//! Shapley values by all coalitions.

use std::num::{NonZeroU64, NonZeroUsize};

use noops_core::{Batch, Error};

use crate::explain::model::{Asked, FromFirst, Mixture, RowValues, check_background, refuse};
use crate::explain::{Explanation, FeatureGroups, Method};

/// The exact Shapley values of up to sixteen groups of features.
///
/// `φᵢ = Σ_{S ∌ i} |S|! (m − |S| − 1)! / m! · (v(S ∪ i) − v(S))` over all coalitions S of the other groups, in double precision
/// over the model's single.
///
/// # Examples
///
/// ```
/// use noops_core::{Batch, Column, Error};
/// use noops_serve::explain::{ExactShapley, FeatureGroups};
///
/// let mut product = |batch: &Batch| -> Result<Vec<f32>, Error> { Ok(batch.numbers().chunks(2).map(|row| row[0] * row[1]).collect()) };
/// let row = Batch::new(vec![Column::Number(vec![4.0]), Column::Number(vec![3.0])])?;
/// let zero = Batch::new(vec![Column::Number(vec![0.0]), Column::Number(vec![0.0])])?;
/// let explained = ExactShapley::default().explain(&mut product, &row, &zero, &FeatureGroups::each(2))?;
/// assert_eq!(explained[0].attributions()[0].value(), 6.0, "the two share what neither does alone");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExactShapley {
    max_evaluations: NonZeroU64,
    batch_rows: NonZeroUsize,
}

impl Default for ExactShapley {
    /// At most 2²² rows scored for each row explained.
    fn default() -> Self {
        Self {
            max_evaluations: NonZeroU64::MIN.saturating_add((1 << 22) - 1),
            batch_rows: NonZeroUsize::MIN.saturating_add(1023),
        }
    }
}

impl ExactShapley {
    /// The most groups that can be explained.
    pub const MAX_GROUPS: usize = 16;

    /// Refuses what would score more rows for one row explained.
    #[must_use]
    pub fn with_max_evaluations(mut self, evaluations: NonZeroU64) -> Self {
        self.max_evaluations = evaluations;
        self
    }

    /// Asks the model about at most so many rows at once.
    #[must_use]
    pub fn with_batch_rows(mut self, rows: NonZeroUsize) -> Self {
        self.batch_rows = rows;
        self
    }

    /// Explains every row.
    ///
    /// # Errors
    ///
    /// Refuses more than [`MAX_GROUPS`](Self::MAX_GROUPS) groups or more evaluations than allowed, an empty background or one of
    /// other columns, groups of other columns, and scores that are not finite; and whatever the model fails with.
    ///
    /// # Complexity
    ///
    /// For m groups and n background rows: n rows scored once, then n (2^m − 2) + 1 for each row explained, and O(m 2^m) additions.
    pub fn explain(
        &self,
        model: &mut impl FnMut(&Batch) -> Result<Vec<f32>, Error>,
        rows: &Batch,
        background: &Batch,
        groups: &FeatureGroups,
    ) -> Result<Vec<Explanation>, Error> {
        check_background(rows, background)?;
        let players = u32::try_from(groups.len()).unwrap_or(u32::MAX);
        if groups.len() > Self::MAX_GROUPS {
            return Err(refuse(
                "there are too many groups for all coalitions: sample, or join columns",
            )
            .with("groups", groups.len())
            .with("most", Self::MAX_GROUPS));
        }
        let wanted = (background.rows() as u64).saturating_mul(1 << players);
        if wanted > self.max_evaluations.get() {
            return Err(refuse(
                "all coalitions would take too many evaluations: give fewer background rows",
            )
            .with("evaluations", wanted)
            .with("most", self.max_evaluations));
        }
        let mut asked = Asked::new(model, background, groups, self.batch_rows.get())?;
        let base = mean(&asked.scores(background)?);
        let weights = weights(players);
        let mut explanations = Vec::with_capacity(rows.rows());
        for row in 0..rows.rows() {
            let prediction = asked.scores(&rows.take(&[row]))?;
            let prediction = prediction.first().copied().unwrap_or(base);
            let worth = worths(&mut asked, rows, row, background, base, prediction, players)?;
            let values = (0..players).map(|player| (value(player, &worth, &weights), None));
            explanations.push(Explanation::new(
                Method::ExactShapley,
                base,
                prediction,
                values,
                asked.take_evaluations(),
            ));
        }
        Ok(explanations)
    }
}

/// `v(S)` for every coalition S, whose groups are the bits of its index.
fn worths<F: FnMut(&Batch) -> Result<Vec<f32>, Error>>(
    asked: &mut Asked<'_, F>,
    rows: &Batch,
    row: usize,
    background: &Batch,
    base: f64,
    prediction: f64,
    players: u32,
) -> Result<Vec<f64>, Error> {
    let full = (1_u32 << players) - 1;
    let first = RowValues::of(rows, row);
    let mixtures = (1..full).flat_map(|coalition| {
        (0..background.rows()).map(move |other| Mixture {
            first,
            second: RowValues::of(background, other),
            from_first: FromFirst::Bits(coalition),
        })
    });
    let count = background.rows() as f64;
    let mut worth = vec![base];
    let (mut sum, mut seen) = (0.0, 0);
    asked.mixtures(mixtures, |score| {
        sum += score;
        seen += 1;
        if seen == background.rows() {
            worth.push(sum / count);
            (sum, seen) = (0.0, 0);
        }
    })?;
    if full > 0 {
        worth.push(prediction);
    }
    Ok(worth)
}

/// `|S|! (m − |S| − 1)! / m!` for every size of S.
fn weights(players: u32) -> Vec<f64> {
    let mut weights = Vec::new();
    // 1 / (m · C(m − 1, s)), the binomial coefficient step by step.
    let mut choose = 1.0;
    for size in 0..players {
        weights.push(1.0 / (f64::from(players) * choose));
        choose *= f64::from(players - 1 - size) / f64::from(size + 1);
    }
    weights
}

fn value(player: u32, worth: &[f64], weights: &[f64]) -> f64 {
    let bit = 1_usize << player;
    let without = worth.iter().enumerate().filter(|(set, _)| set & bit == 0);
    without
        .map(|(set, alone)| {
            let together = worth.get(set | bit).unwrap_or(alone);
            let weight = weights.get(set.count_ones() as usize).unwrap_or(&0.0);
            weight * (together - alone)
        })
        .sum()
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests;
