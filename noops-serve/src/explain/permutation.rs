//! What a model loses when a feature is shuffled.

use std::num::NonZeroUsize;

use noops_core::{Batch, Error};
use noops_stats::SplitMix64;

use super::FeatureGroups;
use super::model::{Asked, refuse};

/// Which way a metric improves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Better {
    /// As accuracy does.
    #[default]
    Higher,
    /// As a loss does.
    Lower,
}

/// Permutation importance: how much worse a metric gets when the values of a group of features are shuffled among the rows
/// (Breiman, 2001; Fisher, Rudin and Dominici, 2019).
///
/// It speaks of the model and the rows given, not of the world: shuffling correlated features one by one makes rows that cannot be,
/// so put them into one [group](FeatureGroups).
///
/// # Examples
///
/// ```
/// use noops_core::{Batch, Column, Error};
/// use noops_serve::explain::{FeatureGroups, PermutationImportance};
///
/// let rows = Batch::new(vec![Column::Number(vec![0.0, 1.0, 2.0, 3.0]), Column::Number(vec![5.0, 1.0, 4.0, 2.0])])?;
/// let mut model = |batch: &Batch| -> Result<Vec<f32>, Error> { Ok(batch.numbers().chunks(2).map(|row| row[0]).collect()) };
/// let fit = |scores: &[f32]| -scores.iter().zip([0.0, 1.0, 2.0, 3.0]).map(|(score, y)| f64::from((score - y).powi(2))).sum::<f64>();
/// let found = PermutationImportance::default().measure(&mut model, &rows, &FeatureGroups::each(2), fit)?;
/// assert!(found.importances()[0].mean() > 0.0);
/// assert_eq!(found.importances()[1].mean(), 0.0, "the model does not look at it");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PermutationImportance {
    repeats: NonZeroUsize,
    better: Better,
    seed: u64,
    batch_rows: NonZeroUsize,
}

impl Default for PermutationImportance {
    /// Five repeats of a metric that is better when higher.
    fn default() -> Self {
        Self {
            repeats: NonZeroUsize::MIN.saturating_add(4),
            better: Better::Higher,
            seed: 0,
            batch_rows: NonZeroUsize::MIN.saturating_add(1023),
        }
    }
}

impl PermutationImportance {
    /// Shuffles each group this often.
    #[must_use]
    pub fn with_repeats(mut self, repeats: NonZeroUsize) -> Self {
        self.repeats = repeats;
        self
    }

    /// Says which way the metric improves.
    #[must_use]
    pub fn with_better(mut self, better: Better) -> Self {
        self.better = better;
        self
    }

    /// Draws from another seed. The shuffles of a group depend on the seed, the group's index and the repeat alone.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Asks the model about at most so many rows at once.
    #[must_use]
    pub fn with_batch_rows(mut self, rows: NonZeroUsize) -> Self {
        self.batch_rows = rows;
        self
    }

    /// Measures every group. The metric gets the scores of all rows in their order.
    ///
    /// # Errors
    ///
    /// Refuses groups of other columns than the rows have, no rows, scores or metrics that are not finite; and whatever the model
    /// fails with.
    ///
    /// # Complexity
    ///
    /// Scores `rows × (1 + groups × repeats)` rows.
    pub fn measure(
        &self,
        model: &mut impl FnMut(&Batch) -> Result<Vec<f32>, Error>,
        rows: &Batch,
        groups: &FeatureGroups,
        mut metric: impl FnMut(&[f32]) -> f64,
    ) -> Result<Importances, Error> {
        if rows.rows() == 0 {
            return Err(refuse("there are no rows"));
        }
        let mut asked = Asked::new(model, rows, groups, self.batch_rows.get())?;
        let mut measured = |scores: Vec<f64>| {
            let scores: Vec<f32> = scores.into_iter().map(|score| score as f32).collect();
            let value = metric(&scores);
            if value.is_finite() {
                Ok(value)
            } else {
                Err(refuse("the metric is not finite").with("metric", value))
            }
        };
        let baseline = measured(asked.scores(rows)?)?;
        let places = groups.places(rows)?;
        let mut order: Vec<usize> = (0..rows.rows()).collect();
        let mut importances = Vec::with_capacity(groups.len());
        for group in 0..groups.len() {
            let mut drops = Vec::with_capacity(self.repeats.get().min(1 << 16));
            for repeat in 0..self.repeats.get() {
                let mut random = stream(self.seed, group, repeat);
                random.shuffle(&mut order);
                let batch = Batch::from_rows(
                    rows.rows(),
                    rows.kinds().into(),
                    shuffled(rows.numbers(), &places.numbers, group, &order),
                    shuffled(rows.codes(), &places.codes, group, &order),
                )?;
                let value = measured(asked.scores(&batch)?)?;
                drops.push(match self.better {
                    Better::Higher => baseline - value,
                    Better::Lower => value - baseline,
                });
                // The next shuffle starts from the same order, whatever came before.
                order.sort_unstable();
            }
            importances.push(Importance::of(group, &drops));
        }
        Ok(Importances {
            baseline,
            importances,
            evaluations: asked.take_evaluations(),
        })
    }
}

/// The importance of every group.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Importances {
    baseline: f64,
    importances: Vec<Importance>,
    evaluations: u64,
}

impl Importances {
    /// The metric with nothing shuffled.
    #[must_use]
    pub fn baseline(&self) -> f64 {
        self.baseline
    }

    /// Each group, in order.
    #[must_use]
    pub fn importances(&self) -> &[Importance] {
        &self.importances
    }

    /// The `count` most important groups, the most important first.
    #[must_use]
    pub fn top(&self, count: usize) -> Vec<Importance> {
        let mut ranked = self.importances.clone();
        ranked.sort_by(|one, other| other.mean.total_cmp(&one.mean));
        ranked.truncate(count);
        ranked
    }

    /// How many rows the model scored.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }
}

/// How much worse the metric gets without what a group says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Importance {
    group: usize,
    mean: f64,
    standard_error: Option<f64>,
}

impl Importance {
    fn of(group: usize, drops: &[f64]) -> Self {
        let count = drops.len() as f64;
        let mean = drops.iter().sum::<f64>() / count;
        let squares: f64 = drops.iter().map(|drop| (drop - mean).powi(2)).sum();
        Self {
            group,
            mean,
            standard_error: (drops.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt()),
        }
    }

    /// The index of the group: of the column, where every column is a group of its own.
    #[must_use]
    pub fn group(&self) -> usize {
        self.group
    }

    /// The mean loss over the repeats, in the metric's unit; below zero where the shuffled values happened to do better.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard error of the mean over shuffles of these rows; `None` with one repeat. What other rows would say is not in it.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        self.standard_error
    }
}

/// A stream of random numbers of its own for each shuffle.
fn stream(seed: u64, group: usize, repeat: usize) -> SplitMix64 {
    let mut state = seed;
    for part in [group as u64, repeat as u64] {
        state = SplitMix64(state ^ part.wrapping_mul(0xd1b5_4a32_d192_ed03)).next();
    }
    SplitMix64(state)
}

/// The values of all rows, those of one group taken from the rows in another order.
fn shuffled<T: Copy>(values: &[T], places: &[usize], group: usize, order: &[usize]) -> Vec<T> {
    let width = places.len();
    let mut out = Vec::with_capacity(values.len());
    if width == 0 {
        return out;
    }
    for (row, &other) in values.chunks_exact(width).zip(order) {
        let start = other.saturating_mul(width);
        let donor = values
            .get(start..start.saturating_add(width))
            .unwrap_or(row);
        let cells = row.iter().zip(donor).zip(places);
        out.extend(cells.map(|((own, other), &place)| if place == group { *other } else { *own }));
    }
    out
}

#[cfg(test)]
mod tests;
