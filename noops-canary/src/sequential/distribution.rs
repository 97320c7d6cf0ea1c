use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::interval::Interval;

/// Compares the whole distributions of a metric in two arms, at any time, with a fixed number of counts.
///
/// Both distribution functions are followed at edges taken from a baseline sample. Each has a band that holds everywhere and at all
/// times; where the functions are further apart than both bands are wide, the distributions differ.
///
/// # Formula
///
/// Half-width after t values `0.85 sqrt((ln ln(e t) + 0.8 ln(1612 / alpha)) / t)` (Howard and Ramdas, "Sequential estimation of
/// quantiles with applications to A/B testing and best-arm identification", 2022, corollary 2), each arm at half the rate.
///
/// # Numerical notes
///
/// Values must be independent, with one distribution per arm. The edges must not depend on the values that are counted, which is why they
/// come from a baseline. Differences between two neighbouring edges are not seen: that costs power, never validity. The bands
/// hold for every distribution at once and are wide; a quantile of interest is found sooner by
/// [`QuantileComparison`](super::QuantileComparison).
///
/// # Complexity
///
/// A binary search per value; two counts per edge.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::sequential::DistributionBand;
/// use noops_core::Alpha;
///
/// let baseline: Vec<f64> = (0..1000).map(f64::from).collect();
/// let mut latency = DistributionBand::from_baseline(&baseline, 100)?;
/// for i in 0..2000 {
///     latency.observe(Arm::Champion, f64::from(i % 1000))?;
///     latency.observe(Arm::Challenger, f64::from(i % 1000) + 300.0)?;
/// }
/// assert!(latency.differs(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawDistributionBand", into = "RawDistributionBand")]
pub struct DistributionBand {
    edges: Vec<f64>,
    champion: Counts,
    challenger: Counts,
    least_ln_p: f64,
}

impl DistributionBand {
    /// Starts without values, with at most `edges` edges at evenly spaced quantiles of the baseline.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless `edges` is from 1 to 10000; [`CanaryError::Empty`] for an empty baseline;
    /// [`CanaryError::NotFinite`] for a value that is NaN or infinite.
    pub fn from_baseline(baseline: &[f64], edges: usize) -> Result<Self, CanaryError> {
        if !(1..=MOST_EDGES).contains(&edges) {
            return Err(CanaryError::Setting {
                name: "edges",
                value: edges as f64,
                allowed: "from 1 to 10000",
            });
        }
        if baseline.is_empty() {
            return Err(CanaryError::Empty);
        }
        if let Some((row, &value)) = baseline.iter().enumerate().find(|(_, x)| !x.is_finite()) {
            return Err(CanaryError::NotFinite {
                column: "baseline",
                row,
                value,
            });
        }
        let mut sorted = baseline.to_vec();
        sorted.sort_by(f64::total_cmp);
        let step = sorted.len() as f64 / (edges as f64 + 1.0);
        let mut chosen: Vec<f64> = (1..=edges)
            .filter_map(|i| sorted.get((i as f64 * step) as usize).copied())
            .collect();
        chosen.dedup();
        Ok(Self {
            champion: Counts::new(chosen.len()),
            challenger: Counts::new(chosen.len()),
            edges: chosen,
            least_ln_p: 0.0,
        })
    }

    /// Takes the next value of an arm.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for NaN; nothing changes then.
    ///
    /// # Complexity
    ///
    /// A binary search. The evidence is looked at by [`look`](Self::look), not here.
    pub fn observe(&mut self, arm: Arm, x: f64) -> Result<(), CanaryError> {
        if x.is_nan() {
            return Err(CanaryError::Input {
                input: "x",
                reason: "is NaN; pass numbers",
            });
        }
        // The first edge at or above the value.
        let bin = self.edges.partition_point(|edge| *edge < x);
        match arm {
            Arm::Champion => self.champion.add(bin),
            Arm::Challenger => self.challenger.add(bin),
        }
        Ok(())
    }

    /// Looks at the values so far and keeps the smallest p-value of all looks, which is returned.
    pub fn look(&mut self) -> f64 {
        self.least_ln_p = self.least_ln_p.min(self.ln_p());
        libm::exp(self.least_ln_p)
    }

    /// Whether the distributions are now further apart than chance explains at rate `alpha`, over all looks.
    #[must_use]
    pub fn differs(&self, alpha: Alpha) -> bool {
        self.ln_p() <= libm::log(alpha.get())
    }

    /// The largest distance between the two distribution functions at an edge; 0 while an arm is empty.
    #[must_use]
    pub fn distance(&self) -> f64 {
        if self.champion.total == 0 || self.challenger.total == 0 {
            return 0.0;
        }
        self.champion
            .shares()
            .zip(self.challenger.shares())
            .map(|(champion, challenger)| (challenger - champion).abs())
            .fold(0.0, f64::max)
    }

    /// The values that the distribution function of an arm can have at each edge, all of them together valid at rate `alpha` over all looks.
    pub fn band(&self, arm: Arm, alpha: Alpha) -> impl Iterator<Item = Interval> + '_ {
        let counts = match arm {
            Arm::Champion => &self.champion,
            Arm::Challenger => &self.challenger,
        };
        let radius = radius(counts.total, libm::log(alpha.get()));
        let empty = counts.total == 0;
        counts.shares().map(move |share| {
            if empty {
                Interval::between(0.0, 1.0)
            } else {
                Interval::between((share - radius).max(0.0), (share + radius).min(1.0))
            }
        })
    }

    /// The edges at which the distribution functions are followed.
    #[must_use]
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The number of values of an arm.
    #[must_use]
    pub fn count(&self, arm: Arm) -> u64 {
        match arm {
            Arm::Champion => self.champion.total,
            Arm::Challenger => self.challenger.total,
        }
    }

    /// The logarithm of the smallest rate at which the bands do not overlap everywhere, rounded up.
    fn ln_p(&self) -> f64 {
        let distance = self.distance();
        let half = std::f64::consts::LN_2;
        let apart = |ln_p: f64| {
            distance
                > radius(self.champion.total, ln_p - half)
                    + radius(self.challenger.total, ln_p - half)
        };
        if !apart(0.0) {
            return 0.0;
        }
        let (mut refuted, mut possible) = (0.0, -1.0);
        // Ends by itself: the radius grows without bound as the rate falls, and a distance is at most 1.
        while apart(possible) {
            refuted = possible;
            possible *= 2.0;
        }
        for _ in 0..60 {
            let middle = 0.5 * (refuted + possible);
            if apart(middle) {
                refuted = middle;
            } else {
                possible = middle;
            }
        }
        refuted
    }
}

/// Half the width of the band of one distribution function; infinite before the first value.
fn radius(total: u64, ln_alpha: f64) -> f64 {
    if total == 0 {
        return f64::INFINITY;
    }
    let t = total as f64;
    let iterated = libm::log1p(libm::log(t));
    0.85 * ((iterated + 0.8 * (libm::log(1612.0) - ln_alpha)) / t).sqrt()
}

/// The values of one arm at or below each edge and above the edge before it; those above the last edge only in the total.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Counts {
    bins: Vec<u64>,
    total: u64,
}

impl Counts {
    fn new(edges: usize) -> Self {
        Self {
            bins: vec![0; edges],
            total: 0,
        }
    }

    fn add(&mut self, bin: usize) {
        if self.total == u64::MAX {
            return;
        }
        self.total += 1;
        if let Some(count) = self.bins.get_mut(bin) {
            *count += 1;
        }
    }

    /// The empirical distribution function at each edge.
    fn shares(&self) -> impl Iterator<Item = f64> + '_ {
        let total = self.total.max(1) as f64;
        self.bins.iter().scan(0_u64, move |below, count| {
            *below = below.saturating_add(*count);
            Some(*below as f64 / total)
        })
    }

    fn is_possible(&self, edges: usize) -> bool {
        let sum = self
            .bins
            .iter()
            .try_fold(0_u64, |sum, count| sum.checked_add(*count));
        self.bins.len() == edges && sum.is_some_and(|sum| sum <= self.total)
    }
}

#[derive(Serialize, Deserialize)]
struct RawDistributionBand {
    edges: Vec<f64>,
    champion: Counts,
    challenger: Counts,
    least_ln_p: f64,
}

impl TryFrom<RawDistributionBand> for DistributionBand {
    type Error = CanaryError;

    fn try_from(raw: RawDistributionBand) -> Result<Self, CanaryError> {
        let damaged = |reason| CanaryError::State {
            state: "DistributionBand",
            reason,
        };
        let count = raw.edges.len();
        if count == 0
            || count > MOST_EDGES
            || !raw.edges.iter().all(|edge| edge.is_finite())
            || !raw.edges.is_sorted_by(|a, b| a < b)
        {
            return Err(damaged("the edges are not finite, not rising or too many"));
        }
        if !raw.champion.is_possible(count) || !raw.challenger.is_possible(count) {
            return Err(damaged(
                "the counts do not belong to the edges or the total",
            ));
        }
        if !(raw.least_ln_p <= 0.0 && raw.least_ln_p.is_finite()) {
            return Err(damaged("the smallest p-value is not a probability"));
        }
        Ok(Self {
            edges: raw.edges,
            champion: raw.champion,
            challenger: raw.challenger,
            least_ln_p: raw.least_ln_p,
        })
    }
}

impl From<DistributionBand> for RawDistributionBand {
    fn from(band: DistributionBand) -> Self {
        Self {
            edges: band.edges,
            champion: band.champion,
            challenger: band.challenger,
            least_ln_p: band.least_ln_p,
        }
    }
}

const MOST_EDGES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Random;

    fn started() -> DistributionBand {
        let mut random = Random::new(99);
        let baseline: Vec<f64> = (0..1000).map(|_| random.normal()).collect();
        DistributionBand::from_baseline(&baseline, 50).unwrap()
    }

    #[test]
    fn widths_are_the_published_ones() {
        for (t, expected) in [(1000, 0.08657), (10_000, 0.02771), (100_000, 0.008_846)] {
            let found = radius(t, 0.05_f64.ln());
            assert!((found - expected).abs() < 6e-6, "{found}");
        }
    }

    #[test]
    fn equal_distributions_rarely_differ_and_a_shift_is_found() {
        let alarms = |shift: f64, n: u32| {
            (0..50)
                .filter(|&seed| {
                    let mut random = Random::new(seed);
                    let mut band = started();
                    for i in 0..n {
                        band.observe(Arm::Champion, random.normal()).unwrap();
                        band.observe(Arm::Challenger, random.normal() + shift)
                            .unwrap();
                        if i % 10 == 0 {
                            band.look();
                        }
                    }
                    band.look() <= 0.05
                })
                .count()
        };
        // scipy.stats.binom.sf(8, 50, 0.05) = 0.0008
        let false_alarms = alarms(0.0, 2000);
        assert!(false_alarms <= 8, "{false_alarms}");
        let found = alarms(0.5, 2000);
        assert!(found >= 48, "{found}");
    }

    #[test]
    fn bad_input_and_damaged_states_are_refused() {
        let mut band = started();
        assert_eq!(band.look(), 1.0);
        band.observe(Arm::Champion, f64::INFINITY).unwrap();
        let before = band.clone();
        assert!(band.observe(Arm::Champion, f64::NAN).is_err());
        assert_eq!(band, before);
        assert!(DistributionBand::from_baseline(&[], 10).is_err());
        assert!(DistributionBand::from_baseline(&[f64::NAN], 10).is_err());
        assert!(DistributionBand::from_baseline(&[1.0], 0).is_err());
        let text = serde_json::to_string(&band).unwrap();
        assert_eq!(
            serde_json::from_str::<DistributionBand>(&text).unwrap(),
            band
        );
        let damaged = text.replace("\"total\":1", "\"total\":1,\"total\":2");
        assert!(serde_json::from_str::<DistributionBand>(&damaged).is_err());
        let damaged = text.replace("\"least_ln_p\":0.0", "\"least_ln_p\":1.0");
        assert!(serde_json::from_str::<DistributionBand>(&damaged).is_err());
    }
}
