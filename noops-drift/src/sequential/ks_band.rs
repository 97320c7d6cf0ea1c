use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::iterated_logarithm::IteratedLogarithm;
use super::reference::ReferenceCdf;
use crate::error::DriftError;

/// Has a distribution function left its band? A Kolmogorov–Smirnov test that may be repeated for ever.
///
/// It sees every kind of shift and says where it is. Betting ([`PitBet`](super::PitBet)) finds a shift of location or
/// spread in half the rows; the band finds a shift that leaves the first four moments of the ranks alone.
///
/// # Formula
///
/// D_t is the largest distance between the empirical distribution function of the first t values and that of the
/// reference, over the bounds of the reference's cells. The alarm is raised when
///
/// D_t > 0.85 √((ln(1 + ln t) + C) / t) + √(ln(4 / alpha) / 2n) + s,
///
/// where C solves the equation of Howard and Ramdas (Bernoulli 2022, theorem 2) for alpha / 2 and s is the rank error of
/// the reference's sketch. The first term bounds the stream's distance from the truth at all t at once, the others that of
/// the reference, with alpha / 2 each. The distance at the bounds of cells is never above the full one, so cells cost
/// power (a shift within a cell is not seen) and no validity.
///
/// # Error rate
///
/// The probability that the alarm ever rises without drift is at most alpha, over the randomness of reference and stream.
/// Values must be independent. Rows without a value are counted and take no part.
///
/// # Complexity
///
/// O(log c) per row for c cells; the distance is looked at when the rows have grown by a 64th since the last look, and
/// whenever [`look`](Self::look) asks for it, in O(c).
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::sequential::{KsBand, ReferenceCdf};
/// use noops_drift::statistic::SortedSample;
///
/// let reference: Vec<f64> = (0..5_000).map(f64::from).collect();
/// let mut band = KsBand::new(ReferenceCdf::of_sample(&SortedSample::new(&reference)), Alpha::ONE_PERCENT);
/// for row in 0..400 {
///     band.observe(f64::from(2_500 + row * 1_547 % 2_500));
/// }
/// let reading = band.look();
/// assert!(reading.alarmed_at().is_some_and(|row| row < 200));
/// assert!(reading.distance() > reading.bound());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawKsBand", into = "RawKsBand")]
pub struct KsBand {
    reference: ReferenceCdf,
    alpha: Alpha,
    boundary: IteratedLogarithm,
    reference_error: f64,
    counts: Vec<u64>,
    values: u64,
    missing: u64,
    next_look: u64,
    alarmed_at: Option<u64>,
}

impl KsBand {
    /// Starts without rows.
    #[must_use]
    pub fn new(reference: ReferenceCdf, alpha: Alpha) -> Self {
        let half = (0.5 * alpha.get()).max(f64::MIN_POSITIVE);
        Self {
            boundary: IteratedLogarithm::new(half),
            reference_error: reference.band(half),
            counts: vec![0; reference.counts().len()],
            reference,
            alpha,
            values: 0,
            missing: 0,
            next_look: 1,
            alarmed_at: None,
        }
    }

    /// Counts the next row; NaN is a row without a value.
    pub fn observe(&mut self, value: f64) {
        if value.is_nan() {
            self.missing = self.missing.saturating_add(1);
            return;
        }
        // At the end of what can be counted the shares stay as they are.
        if self.values == u64::MAX {
            return;
        }
        if let Some(count) = self.counts.get_mut(self.reference.cell_of(value)) {
            *count += 1;
            self.values += 1;
        }
        if self.values >= self.next_look {
            self.raise();
        }
    }

    /// Looks at the distance now, and raises the alarm if it is beyond the bound.
    pub fn look(&mut self) -> BandReading {
        self.raise();
        let (distance, at) = self.distance();
        BandReading {
            values: self.values,
            missing: self.missing,
            distance,
            bound: self.bound(),
            at,
            alarmed_at: self.alarmed_at,
        }
    }

    /// The reference it watches.
    #[must_use]
    pub fn reference(&self) -> &ReferenceCdf {
        &self.reference
    }

    /// Forgets all rows. Every restart has the whole error rate again: restart after an alarm, not at will.
    pub fn reset(&mut self) {
        *self = Self::new(self.reference.clone(), self.alpha);
    }

    fn raise(&mut self) {
        if self.alarmed_at.is_none() && self.distance().0 > self.bound() {
            self.alarmed_at = Some(self.values);
        }
        self.next_look = self.values.saturating_add((self.values / 64).max(1));
    }

    fn bound(&self) -> f64 {
        self.boundary.bound(self.values) + self.reference_error
    }

    fn distance(&self) -> (f64, Option<f64>) {
        let mut most = 0.0;
        let mut at = None;
        if self.values == 0 || self.reference.values() == 0 {
            return (most, at);
        }
        let n = self.reference.values() as f64;
        let t = self.values as f64;
        let mut upto = 0_u64;
        let cells = self.counts.iter().zip(self.reference.cumulative());
        for ((count, expected), edge) in cells.zip(self.reference.edges()) {
            upto = upto.saturating_add(*count);
            let distance = (upto as f64 / t - expected as f64 / n).abs();
            if distance > most {
                most = distance;
                at = Some(*edge);
            }
        }
        (most, at)
    }
}

/// The distance of a stream from its reference, and the band it should stay in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct BandReading {
    values: u64,
    missing: u64,
    distance: f64,
    bound: f64,
    at: Option<f64>,
    alarmed_at: Option<u64>,
}

impl BandReading {
    /// The values that took part.
    pub fn values(&self) -> u64 {
        self.values
    }

    /// The rows without a value.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// The largest distance of the two distribution functions at a bound of a cell, from 0 to 1.
    pub fn distance(&self) -> f64 {
        self.distance
    }

    /// The distance beyond which the alarm is raised. Above 1 no distance raises it yet.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// Where the distance is largest; nothing while there is no distance.
    pub fn at(&self) -> Option<f64> {
        self.at
    }

    /// The number of values at the first look that raised the alarm; nothing while none has.
    pub fn alarmed_at(&self) -> Option<u64> {
        self.alarmed_at
    }
}

#[derive(Serialize, Deserialize)]
struct RawKsBand {
    reference: ReferenceCdf,
    alpha: Alpha,
    counts: Vec<u64>,
    values: u64,
    missing: u64,
    next_look: u64,
    alarmed_at: Option<u64>,
}

impl From<KsBand> for RawKsBand {
    fn from(band: KsBand) -> Self {
        Self {
            reference: band.reference,
            alpha: band.alpha,
            counts: band.counts,
            values: band.values,
            missing: band.missing,
            next_look: band.next_look,
            alarmed_at: band.alarmed_at,
        }
    }
}

impl TryFrom<RawKsBand> for KsBand {
    type Error = DriftError;

    fn try_from(raw: RawKsBand) -> Result<Self, DriftError> {
        let invalid = |reason: &str| DriftError::InvalidState {
            state: "band",
            reason: reason.to_owned(),
        };
        if raw.counts.len() != raw.reference.counts().len() {
            return Err(invalid("the counts do not have the cells of the reference"));
        }
        let sum = raw
            .counts
            .iter()
            .try_fold(0_u64, |sum, count| sum.checked_add(*count));
        if sum != Some(raw.values) {
            return Err(invalid("the counts do not add up to the values"));
        }
        if raw
            .alarmed_at
            .is_some_and(|row| row == 0 || row > raw.values)
        {
            return Err(invalid("the alarm is at a value that was not counted"));
        }
        if raw.next_look > raw.values.saturating_add((raw.values / 64).max(1)) {
            return Err(invalid("the next look is too far away"));
        }
        let mut band = Self::new(raw.reference, raw.alpha);
        band.counts = raw.counts;
        band.values = raw.values;
        band.missing = raw.missing;
        band.next_look = raw.next_look;
        band.alarmed_at = raw.alarmed_at;
        Ok(band)
    }
}
