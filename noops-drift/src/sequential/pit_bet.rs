mod polynomial_bets;

use fearless_simd::{Level, Simd, dispatch};
use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use self::polynomial_bets::{PolynomialBets, PolynomialWealth};
use super::aspect::{DriftAspect, GateEvidence, Lead};
use super::budget::ErrorBudget;
use super::change_prior::Stake;
use super::rate_bet::{BETS, RateBet, RateWealth};
use super::rate_interval::RateInterval;
use super::reference::ReferenceCdf;
use crate::error::DriftError;

/// Has a number drifted from its reference? Bets on every row, and may be read after every row for ever.
///
/// # Formula
///
/// A row's value falls in a cell of the [`ReferenceCdf`] that spans F̂ from a to b. Four aspects have a score each: the
/// mean over \[a, b\] of the Legendre polynomials P1 (location), P2 (spread), P3 (skew) and P4 (tails). That is the
/// conditional mean of the polynomial at the randomised probability integral transform, so ties and point masses need no
/// random numbers. Let g be such a score, centred so that its mean over the reference is 0, V its total variation from
/// cell to cell, and ε the largest distance between the true distribution function F and F̂ (see [`ReferenceCdf`]).
/// Summation by parts gives
///
/// E_F\[g\] = −Σ (g(c + 1) − g(c)) (F − F̂)(edge c) <= V ε,
///
/// and the same for −g, so for every λ > 0 both (1 ± λ g) / (1 + λ V ε) have mean at most 1 under *every* law within ε of
/// the reference: they are e-variables. There are two λ for each of the four scores and two signs. Rows without a
/// value (NaN) leave these bets alone, and four more bet that the rate of missing rows has left the Clopper–Pearson
/// interval of the reference. The evidence is the average of all products, a fifth of it for each aspect. A quarter of
/// the capital comes in later, spread over all rows, so that a change after a long quiet time is still found.
///
/// # Error rate
///
/// The probability that the alarm ever rises without drift, over any number of looks, is at most alpha, over the
/// randomness of reference and stream together: a quarter of alpha is spent on ε (four fifths of it) and the missing rate
/// (one fifth), and the alarm is raised at 4 / (3 alpha), by Ville's inequality.
///
/// At a reference of 20,000 rows and alpha 0.01, the median delay on normal data is about 40 rows for a shift of one
/// standard deviation, 95 for half of one, and 115 for a standard deviation that is 1.5 times as large. At a reference of
/// 2,000 rows they are about 45, 140 and 390.
///
/// # Numerical notes
///
/// A shift smaller than the error of the reference is never found: about V ε in the mean of a score. The guarantee needs
/// independent reference rows and rows whose law, given the past, is within the reference's error. It ends where the
/// stream is autocorrelated. Wealth beyond 1e200 is cut off, which only lowers the evidence.
///
/// # Complexity
///
/// O(1) for the cell of most columns and O(log c) where many of the c cells lie close together, and some 30
/// multiplications per row. The state is 20 wealths; the scores take 32 bytes a cell, and a table of cells 16 to 40 KiB.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::sequential::{DriftAspect, PitBet, ReferenceCdf};
/// use noops_drift::statistic::SortedSample;
///
/// let reference: Vec<f64> = (0..5_000).map(f64::from).collect();
/// let cdf = ReferenceCdf::of_sample(&SortedSample::new(&reference));
/// let mut gate = PitBet::new(cdf, Alpha::ONE_PERCENT);
/// // Steps through the whole reference …
/// for row in 0..1_000 {
///     gate.observe(f64::from(row * 3_089 % 5_000));
/// }
/// assert!(!gate.evidence().alarmed());
/// // … and then only its upper half.
/// for row in 0..150 {
///     gate.observe(f64::from(2_500 + row * 1_547 % 2_500));
/// }
/// assert!(gate.evidence().alarmed());
/// assert_eq!(gate.evidence().aspect(), Some(DriftAspect::Location));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawPitBet", into = "RawPitBet")]
pub struct PitBet {
    reference: ReferenceCdf,
    budget: ErrorBudget,
    polynomials: PolynomialBets,
    missing_bet: RateBet,
    rows: u64,
    missing: u64,
    max: f64,
}

impl PitBet {
    /// Starts without evidence.
    ///
    /// # Complexity
    ///
    /// O(c) for c cells, and a search for the bounds of the missing rate.
    #[must_use]
    pub fn new(reference: ReferenceCdf, alpha: Alpha) -> Self {
        Self::with_budget(reference, ErrorBudget::of(alpha))
    }

    pub(super) fn with_budget(reference: ReferenceCdf, budget: ErrorBudget) -> Self {
        let for_missing = budget.reference() * MISSING_PART;
        let polynomials = PolynomialBets::new(&reference, budget.reference() - for_missing);
        let trials = reference.values().saturating_add(reference.missing());
        let interval = RateInterval::clopper_pearson(reference.missing(), trials, for_missing);
        Self {
            reference,
            budget,
            polynomials,
            missing_bet: RateBet::new(interval),
            rows: 0,
            missing: 0,
            max: 1.0,
        }
    }

    /// Counts the next row; NaN is a row without a value.
    pub fn observe(&mut self, value: f64) {
        let stake = Stake::at(self.rows.saturating_add(1));
        self.bet(value, stake);
    }

    /// Counts the next row, whose stake is known, and returns the evidence.
    pub(super) fn bet(&mut self, value: f64, stake: Stake) -> f64 {
        let cell = self.cell_of(value);
        dispatch!(Level::new(), simd => simd.vectorize(
            #[inline(always)]
            || self.bet_on(simd, value, cell, stake)
        ))
    }

    #[inline(always)]
    pub(super) fn cell_of(&self, value: f64) -> usize {
        self.polynomials.cell_of(self.reference.edges(), value)
    }

    /// Counts the next row, whose cell and stake are known, and returns the evidence.
    #[inline(always)]
    pub(super) fn bet_on<S: Simd>(
        &mut self,
        simd: S,
        value: f64,
        cell: usize,
        stake: Stake,
    ) -> f64 {
        self.rows = self.rows.saturating_add(1);
        let (values, missing) = if value.is_nan() {
            self.missing = self.missing.saturating_add(1);
            (
                self.polynomials.skip(stake.fresh),
                self.missing_bet.hit(stake.fresh),
            )
        } else {
            (
                self.polynomials.bet(simd, cell, stake.fresh),
                self.missing_bet.miss(stake.fresh),
            )
        };
        let evidence = evidence(values, missing, stake.reserve);
        if evidence > self.max {
            self.max = evidence;
        }
        evidence
    }

    /// What the rows say.
    pub fn evidence(&self) -> GateEvidence {
        let sums = self.polynomials.sums();
        let wealths = VALUE_ASPECTS
            .into_iter()
            .zip(sums)
            .chain([(DriftAspect::Missingness, self.missing_bet.sum())]);
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
    pub fn reference(&self) -> &ReferenceCdf {
        &self.reference
    }

    /// How many rows were counted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many of them had no value.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// Forgets all rows. Every restart has the whole error rate again: restart after an alarm, not at will.
    pub fn reset(&mut self) {
        *self = Self::with_budget(self.reference.clone(), self.budget);
    }

    pub(super) fn budget(&self) -> ErrorBudget {
        self.budget
    }

    pub(super) fn current(&self) -> f64 {
        evidence(
            self.polynomials.sum(),
            self.missing_bet.sum(),
            Stake::reserve_after(self.rows),
        )
    }
}

/// The average of all bets, of which every aspect has a fifth, and the capital that is not staked yet.
#[inline(always)]
fn evidence(values: f64, missing: f64, reserve: f64) -> f64 {
    (values + missing) * EACH + reserve
}

#[derive(Serialize, Deserialize)]
struct RawPitBet {
    reference: ReferenceCdf,
    budget: ErrorBudget,
    wealth: PolynomialWealth,
    missing_wealth: RateWealth,
    rows: u64,
    missing: u64,
    max: f64,
}

impl From<PitBet> for RawPitBet {
    fn from(gate: PitBet) -> Self {
        Self {
            wealth: gate.polynomials.wealth(),
            missing_wealth: gate.missing_bet.wealth(),
            reference: gate.reference,
            budget: gate.budget,
            rows: gate.rows,
            missing: gate.missing,
            max: gate.max,
        }
    }
}

impl TryFrom<RawPitBet> for PitBet {
    type Error = DriftError;

    fn try_from(raw: RawPitBet) -> Result<Self, DriftError> {
        let invalid = |reason: &str| DriftError::InvalidState {
            state: "number gate",
            reason: reason.to_owned(),
        };
        if !raw.wealth.is_valid() || !raw.missing_wealth.is_valid() {
            return Err(invalid("a wealth is not a number from 0 to 1e200"));
        }
        if raw.missing > raw.rows {
            return Err(invalid("more rows are missing than were counted"));
        }
        let fresh = raw.wealth.is_fresh() && raw.missing_wealth.is_fresh();
        if raw.rows == 0 && !fresh {
            return Err(invalid("there is evidence without a row"));
        }
        let mut gate = Self::with_budget(raw.reference, raw.budget);
        gate.polynomials.resume(&raw.wealth);
        gate.missing_bet.resume(&raw.missing_wealth);
        gate.rows = raw.rows;
        gate.missing = raw.missing;
        if !raw.max.is_finite() || raw.max < 1.0 || raw.max < gate.current() {
            return Err(invalid("the largest evidence is below the evidence now"));
        }
        gate.max = raw.max;
        Ok(gate)
    }
}

/// The scores in the order of their degrees.
const VALUE_ASPECTS: [DriftAspect; 4] = [
    DriftAspect::Location,
    DriftAspect::Spread,
    DriftAspect::Skew,
    DriftAspect::Tails,
];
/// The weight of a bet: five aspects have equally many.
const EACH: f64 = 1.0 / (5 * BETS) as f64;
const MISSING_PART: f64 = 0.2;
