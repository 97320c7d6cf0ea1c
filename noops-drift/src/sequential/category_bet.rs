use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::aspect::{DriftAspect, GateEvidence, Lead};
use super::budget::ErrorBudget;
use super::category_reference::CategoryReference;
use super::change_prior::Stake;
use super::rate_bet::{BETS, RateBet, RateWealth};
use super::rate_interval::RateInterval;
use crate::error::DriftError;

/// Has a category drifted from its reference? Bets on every row, and may be read after every row for ever.
///
/// # Formula
///
/// The listed categories, the unlisted ones and the missing ones are cells. The reference gives each cell c an interval
/// \[l, u\] for its probability, of Clopper and Pearson, such that all of them hold at once (Bonferroni). A bet that cell
/// c has a probability q > u multiplies its wealth by q / u when a row falls into c and by (1 − q) / (1 − u) when not.
/// Only the marginal probability p of c matters for its mean,
///
/// 1 + (q − u)(p − u) / (u (1 − u)) <= 1 for every p <= u,
///
/// whatever the other cells do, so the product is an e-process for *every* multinomial within the intervals, and so is the
/// mirror image below l. The evidence is the average over all cells and four bets each (odds ratios of 1.5 and 8 to the
/// bound, up and down); an average of e-processes of the same stream is one. A quarter of the capital comes in
/// later, spread over all rows, so that a change after a long quiet time is still found.
///
/// # Error rate
///
/// The probability that the alarm ever rises without drift, over any number of looks, is at most alpha, over the
/// randomness of reference and stream: a quarter of alpha is spent on the intervals, and the alarm is raised at
/// 4 / (3 alpha), by Ville's inequality.
///
/// # Numerical notes
///
/// It looks for single categories that became more or less frequent. A shift that is spread thinly over many categories,
/// each within the error of the reference, is not found. A category that the reference does not have may have any
/// probability that would have hidden from it: a single unseen value proves nothing. Rows must be independent.
///
/// # Complexity
///
/// 4 (k + 2) multiplications per row for k listed categories.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::sequential::{CategoryBet, CategoryReference, DriftAspect};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let reference = CategoryReference::new(&[7_000, 2_500, 500])?;
/// let mut gate = CategoryBet::new(reference, Alpha::ONE_PERCENT);
/// for _ in 0..40 {
///     gate.observe(0);
///     gate.observe(2);
/// }
/// assert!(gate.evidence().alarmed());
/// assert_eq!(gate.evidence().aspect(), Some(DriftAspect::Category(2)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawCategoryBet", into = "RawCategoryBet")]
pub struct CategoryBet {
    reference: CategoryReference,
    budget: ErrorBudget,
    bets: Vec<RateBet>,
    rows: u64,
    max: f64,
}

impl CategoryBet {
    /// Starts without evidence.
    ///
    /// # Complexity
    ///
    /// A search for the bounds of each category, of some 60 binomial tails.
    #[must_use]
    pub fn new(reference: CategoryReference, alpha: Alpha) -> Self {
        Self::with_budget(reference, ErrorBudget::of(alpha))
    }

    pub(super) fn with_budget(reference: CategoryReference, budget: ErrorBudget) -> Self {
        let trials = reference.rows();
        let failure =
            (budget.reference() / reference.cells().count() as f64).max(f64::MIN_POSITIVE);
        let bets = reference
            .cells()
            .map(|count| RateBet::new(RateInterval::clopper_pearson(count, trials, failure)))
            .collect();
        Self {
            reference,
            budget,
            bets,
            rows: 0,
            max: 1.0,
        }
    }

    /// Counts the next row, of the category at this place; a place beyond the listed ones is unlisted.
    pub fn observe(&mut self, category: usize) {
        self.count(Some(category));
    }

    /// Counts the next row, whose category is not listed.
    pub fn observe_unlisted(&mut self) {
        self.count(Some(usize::MAX));
    }

    /// Counts the next row, which has no value.
    pub fn observe_missing(&mut self) {
        self.count(None);
    }

    /// Counts the next row, whose stake is known, and returns the evidence.
    pub(super) fn bet(&mut self, category: Option<usize>, stake: Stake) -> f64 {
        self.rows = self.rows.saturating_add(1);
        let listed = self.reference.counts().len();
        let cell = category.map_or(listed + 1, |place| place.min(listed));
        let mut sum = 0.0;
        for (place, bet) in self.bets.iter_mut().enumerate() {
            sum += if place == cell {
                bet.hit(stake.fresh)
            } else {
                bet.miss(stake.fresh)
            };
        }
        let evidence = sum / self.bettors() + stake.reserve;
        if evidence > self.max {
            self.max = evidence;
        }
        evidence
    }

    /// What the rows say.
    pub fn evidence(&self) -> GateEvidence {
        let listed = self.reference.counts().len();
        let wealths = self.bets.iter().enumerate().map(|(place, bet)| {
            let aspect = match place.checked_sub(listed) {
                None => DriftAspect::Category(place),
                Some(0) => DriftAspect::Unlisted,
                Some(_) => DriftAspect::Missingness,
            };
            (aspect, bet.sum())
        });
        GateEvidence::new(
            self.rows,
            self.current(),
            self.max,
            self.budget.needed(),
            Lead::of(wealths),
        )
    }

    /// The reference it watches.
    #[must_use]
    pub fn reference(&self) -> &CategoryReference {
        &self.reference
    }

    /// How many rows were counted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Forgets all rows. Every restart has the whole error rate again: restart after an alarm, not at will.
    pub fn reset(&mut self) {
        *self = Self::with_budget(self.reference.clone(), self.budget);
    }

    pub(super) fn budget(&self) -> ErrorBudget {
        self.budget
    }

    pub(super) fn current(&self) -> f64 {
        let sum: f64 = self.bets.iter().map(RateBet::sum).sum();
        sum / self.bettors() + Stake::reserve_after(self.rows)
    }

    fn count(&mut self, category: Option<usize>) {
        let stake = Stake::at(self.rows.saturating_add(1));
        self.bet(category, stake);
    }

    /// At least eight: unlisted and missing rows are always watched.
    fn bettors(&self) -> f64 {
        (self.bets.len() * BETS) as f64
    }
}

#[derive(Serialize, Deserialize)]
struct RawCategoryBet {
    reference: CategoryReference,
    budget: ErrorBudget,
    wealth: Vec<RateWealth>,
    rows: u64,
    max: f64,
}

impl From<CategoryBet> for RawCategoryBet {
    fn from(gate: CategoryBet) -> Self {
        Self {
            wealth: gate.bets.iter().map(RateBet::wealth).collect(),
            reference: gate.reference,
            budget: gate.budget,
            rows: gate.rows,
            max: gate.max,
        }
    }
}

impl TryFrom<RawCategoryBet> for CategoryBet {
    type Error = DriftError;

    fn try_from(raw: RawCategoryBet) -> Result<Self, DriftError> {
        let invalid = |reason: &str| DriftError::InvalidState {
            state: "category gate",
            reason: reason.to_owned(),
        };
        if raw.wealth.len() != raw.reference.cells().count() {
            return Err(invalid(
                "the wealth does not have the cells of the reference",
            ));
        }
        if !raw.wealth.iter().all(RateWealth::is_valid) {
            return Err(invalid("a wealth is not a number from 0 to 1e200"));
        }
        if raw.rows == 0 && !raw.wealth.iter().all(RateWealth::is_fresh) {
            return Err(invalid("there is evidence without a row"));
        }
        let mut gate = Self::with_budget(raw.reference, raw.budget);
        for (bet, wealth) in gate.bets.iter_mut().zip(&raw.wealth) {
            bet.resume(wealth);
        }
        gate.rows = raw.rows;
        if !raw.max.is_finite() || raw.max < 1.0 || raw.max < gate.current() {
            return Err(invalid("the largest evidence is below the evidence now"));
        }
        gate.max = raw.max;
        Ok(gate)
    }
}
