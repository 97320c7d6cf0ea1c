//! Shapley values by sampled orders.

use std::num::{NonZeroU64, NonZeroUsize};

use noops_core::{Batch, Error};
use noops_stats::SplitMix64;

use super::exact::mean;
use crate::explain::model::{Asked, FromFirst, Mixture, RowValues, check_background, refuse};
use crate::explain::{Explanation, FeatureGroups, Method};

/// Shapley values estimated by walking from background rows to the explained one, one group after the other in random orders
/// (Castro, Gómez and Tejada, 2009), each order also backwards (Mitchell, Cooper, Frank and Holmes, 2022).
///
/// A round walks from every background row once. Every walk ends where it should, so the attributions add up to the prediction
/// minus the mean over the background whatever was drawn. The standard error of a group is that of a stratified mean, the background
/// rows being the strata: `√(s² / (rows × rounds))` with s² pooled within them.
///
/// Rounds are added until every standard error is small enough or the budget is spent; which it was, the standard errors say. They
/// are estimates too, small by chance where few rounds were walked, and an interaction that no walk came across is in none of them.
///
/// # Examples
///
/// ```
/// use noops_core::{Batch, Column, Error};
/// use noops_serve::explain::{FeatureGroups, SampledShapley};
///
/// let mut model = |batch: &Batch| -> Result<Vec<f32>, Error> { Ok(batch.numbers().chunks(2).map(|row| row[0] - 2.0 * row[1]).collect()) };
/// let row = Batch::new(vec![Column::Number(vec![4.0]), Column::Number(vec![3.0])])?;
/// let zero = Batch::new(vec![Column::Number(vec![0.0]), Column::Number(vec![0.0])])?;
/// let explained = SampledShapley::default().explain(&mut model, &row, &zero, &FeatureGroups::each(2))?;
/// let parts = explained[0].attributions();
/// assert_eq!((parts[0].value(), parts[1].value()), (4.0, -6.0));
/// assert_eq!(parts[0].standard_error(), Some(0.0), "an additive model has no interactions to sample");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SampledShapley {
    wanted_error: f64,
    budget: NonZeroU64,
    seed: u64,
    batch_rows: NonZeroUsize,
}

impl Default for SampledShapley {
    /// Until every standard error is below 0.01 in the model's unit, or 2¹⁶ rows were scored for a row.
    fn default() -> Self {
        Self {
            wanted_error: 0.01,
            budget: NonZeroU64::MIN.saturating_add((1 << 16) - 1),
            seed: 0,
            batch_rows: NonZeroUsize::MIN.saturating_add(1023),
        }
    }
}

impl SampledShapley {
    /// Stops when every standard error is at most this, in the model's unit. Zero, a negative number or NaN spend the budget.
    #[must_use]
    pub fn with_wanted_error(mut self, error: f64) -> Self {
        self.wanted_error = error;
        self
    }

    /// Scores at most so many rows for each row explained, those of the background not counted.
    #[must_use]
    pub fn with_budget(mut self, evaluations: NonZeroU64) -> Self {
        self.budget = evaluations;
        self
    }

    /// Draws from another seed. What a row is told depends on the seed and the row alone, not on its neighbours.
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

    /// Explains every row.
    ///
    /// # Errors
    ///
    /// Refuses a budget below two rounds, an empty background or one of other columns, groups of other columns, and scores that
    /// are not finite; and whatever the model fails with.
    ///
    /// # Complexity
    ///
    /// For m groups and n background rows: n rows scored once, then for each row explained 1 + 2 n (m − 1) a round.
    pub fn explain(
        &self,
        model: &mut impl FnMut(&Batch) -> Result<Vec<f32>, Error>,
        rows: &Batch,
        background: &Batch,
        groups: &FeatureGroups,
    ) -> Result<Vec<Explanation>, Error> {
        check_background(rows, background)?;
        let mut asked = Asked::new(model, background, groups, self.batch_rows.get())?;
        let players = groups.len();
        let steps = (players as u64).saturating_sub(1);
        let round = steps
            .saturating_mul(background.rows() as u64)
            .saturating_mul(2);
        let most = self.budget.get().saturating_sub(1);
        // With one group there is but one order.
        let rounds = most.checked_div(round).unwrap_or(2);
        if rounds < 2 {
            return Err(refuse(
                "the budget does not cover two rounds: allow more, or give fewer background rows",
            )
            .with("budget", self.budget)
            .with("needed", round.saturating_mul(2).saturating_add(1)));
        }
        let starts = asked.scores(background)?;
        let base = mean(&starts);
        let mut explanations = Vec::with_capacity(rows.rows());
        for row in 0..rows.rows() {
            let prediction = asked.scores(&rows.take(&[row]))?;
            let prediction = prediction.first().copied().unwrap_or(base);
            let mut strata = Strata::new(players, background.rows());
            let mut random = SplitMix64(self.seed);
            for _ in 0..rounds {
                let walk = Walk {
                    row: RowValues::of(rows, row),
                    background,
                    starts: &starts,
                    end: prediction,
                    players,
                };
                walk.round(&mut asked, &mut random, &mut strata)?;
                if strata.settled(self.wanted_error) {
                    break;
                }
            }
            explanations.push(Explanation::new(
                Method::SampledShapley,
                base,
                prediction,
                strata.estimates(),
                asked.take_evaluations(),
            ));
        }
        Ok(explanations)
    }
}

/// What a round of walks needs to know.
struct Walk<'a> {
    row: RowValues<'a>,
    background: &'a Batch,
    starts: &'a [f64],
    end: f64,
    players: usize,
}

impl Walk<'_> {
    /// One random order from every background row, forwards and backwards.
    fn round<F: FnMut(&Batch) -> Result<Vec<f32>, Error>>(
        &self,
        asked: &mut Asked<'_, F>,
        random: &mut SplitMix64,
        strata: &mut Strata,
    ) -> Result<(), Error> {
        let orders: Vec<Order> = self
            .starts
            .iter()
            .map(|_| Order::draw(self.players, random))
            .collect();
        let mixtures = orders.iter().enumerate().flat_map(|(other, order)| {
            let second = RowValues::of(self.background, other);
            let steps = 1..self.players;
            let forwards = steps
                .clone()
                .map(|end| FromFirst::Before(&order.places, end));
            let backwards = steps
                .rev()
                .map(|start| FromFirst::NotBefore(&order.places, start));
            forwards.chain(backwards).map(move |from_first| Mixture {
                first: self.row,
                second,
                from_first,
            })
        });
        let mut scores = Vec::new();
        asked.mixtures(mixtures, |score| scores.push(score))?;
        let steps = self.players.saturating_sub(1);
        let mut scores = scores.into_iter();
        for (stratum, (order, &start)) in orders.iter().zip(self.starts).enumerate() {
            let mut added = vec![0.0; self.players];
            let walks: [&mut dyn Iterator<Item = &usize>; 2] =
                [&mut order.order.iter(), &mut order.order.iter().rev()];
            for walk in walks {
                let mut before = start;
                let stops = scores.by_ref().take(steps).chain([self.end]);
                for (after, &player) in stops.zip(walk) {
                    if let Some(sum) = added.get_mut(player) {
                        *sum += (after - before) / 2.0;
                    }
                    before = after;
                }
            }
            strata.add(stratum, &added);
        }
        Ok(())
    }
}

/// An order of the groups, and the place of each group in it.
struct Order {
    order: Vec<usize>,
    places: Vec<usize>,
}

impl Order {
    fn draw(players: usize, random: &mut SplitMix64) -> Self {
        let mut order: Vec<usize> = (0..players).collect();
        random.shuffle(&mut order);
        let mut places = vec![0; players];
        for (place, &player) in order.iter().enumerate() {
            if let Some(slot) = places.get_mut(player) {
                *slot = place;
            }
        }
        Self { order, places }
    }
}

/// What each group added, by the background row it was walked from: mean and sum of squared deviations (Welford).
struct Strata {
    players: usize,
    draws: Vec<u64>,
    means: Vec<f64>,
    squares: Vec<f64>,
}

impl Strata {
    fn new(players: usize, strata: usize) -> Self {
        let cells = players.saturating_mul(strata);
        Self {
            players,
            draws: vec![0; strata],
            means: vec![0.0; cells],
            squares: vec![0.0; cells],
        }
    }

    fn add(&mut self, stratum: usize, added: &[f64]) {
        let Some(draws) = self.draws.get_mut(stratum) else {
            return;
        };
        *draws += 1;
        let count = *draws as f64;
        let start = stratum.saturating_mul(self.players);
        let means = self.means.iter_mut().skip(start);
        let squares = self.squares.iter_mut().skip(start);
        for ((mean, square), value) in means.zip(squares).zip(added) {
            let before = value - *mean;
            *mean += before / count;
            *square += before * (value - *mean);
        }
    }

    /// Whether every standard error is small enough, and rests on enough draws to be believed.
    fn settled(&self, wanted: f64) -> bool {
        let freedom: u64 = self.draws.iter().map(|draws| draws.saturating_sub(1)).sum();
        let alone = self.players < 2;
        (alone || freedom >= LEAST_FREEDOM)
            && self
                .estimates()
                .all(|(_, error)| error.is_some_and(|error| error <= wanted))
    }

    /// Value and standard error of each group.
    fn estimates(&self) -> impl Iterator<Item = (f64, Option<f64>)> + '_ {
        let strata = self.draws.len() as f64;
        let all: u64 = self.draws.iter().sum();
        let freedom: u64 = self.draws.iter().map(|draws| draws.saturating_sub(1)).sum();
        (0..self.players).map(move |player| {
            let of =
                |cells: &[f64]| -> f64 { cells.iter().skip(player).step_by(self.players).sum() };
            let variance = of(&self.squares) / freedom as f64;
            let error = (freedom > 0).then(|| (variance / all as f64).sqrt());
            (of(&self.means) / strata, error)
        })
    }
}

/// Fewer degrees of freedom say too little about a variance to stop for it.
const LEAST_FREEDOM: u64 = 32;

#[cfg(test)]
mod tests;
