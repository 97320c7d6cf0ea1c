#[cfg(test)]
mod tests;

use noops_core::Probability;

use super::check::invalid;
use crate::error::DriftError;
use noops_stats::special::normal_sf;

/// The number of successes in independent trials that each have their own probability.
///
/// # Formula
///
/// The mass function is the product of the polynomials (1 − p_i) + p_i z, multiplied out one trial at a time; masses
/// below 1e-40 at either end are dropped. When that would take too long, the distribution function is Φ(x) + γ(1 − x²)φ(x)/6 at
/// x = (k + ½ − μ)/σ, clipped to \[0, 1\], with mean μ, variance σ² = Σ p(1 − p) and skewness
/// γ = Σ p(1 − p)(1 − 2p)/σ³ (Volkova, 1996; Hong, 2013).
///
/// # Numerical notes
///
/// The exact law is right to about 1e-13 relative, down to masses of 1e-25. The refined normal one is used only for variances of 400 or more,
/// where its absolute error is below 1e-4.
///
/// # Complexity
///
/// O(n σ) for the exact law of n trials that are neither certain nor impossible, used while that is below some 10^8 steps or σ is below 20;
/// O(n) for the other.
///
/// # Examples
///
/// ```
/// use noops_core::Probability;
/// use noops_drift::performance::PoissonBinomial;
///
/// let law = PoissonBinomial::new(&[0.5, 0.5, 1.0])?;
/// assert_eq!(law.mass(2), 0.5);
/// assert_eq!(law.at_most(2), 0.75);
/// assert_eq!(law.quantile(Probability::ONE), 3);
/// # Ok::<(), noops_drift::DriftError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct PoissonBinomial {
    trials: u64,
    mean: f64,
    variance: f64,
    law: Law,
}

impl PoissonBinomial {
    /// The law of the sum of trials with these probabilities; no trials give 0 for certain.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when one is not between 0 and 1.
    pub fn new(probabilities: &[f64]) -> Result<Self, DriftError> {
        if let Some(trial) = probabilities
            .iter()
            .position(|probability| !(0.0..=1.0).contains(probability))
        {
            return Err(invalid(
                "probabilities",
                format!(
                    "has a value at trial `{trial}` that is not between 0 and 1; clamp or leave it out"
                ),
            ));
        }
        Ok(Self::of(probabilities.iter().copied()))
    }

    /// Takes what is no probability as impossible.
    pub(crate) fn of(probabilities: impl Iterator<Item = f64>) -> Self {
        let probabilities: Vec<f64> = probabilities
            .map(|p| if p.is_nan() { 0.0 } else { p.clamp(0.0, 1.0) })
            .collect();
        let certain = probabilities.iter().filter(|p| **p >= 1.0).count() as u64;
        let open = || {
            probabilities
                .iter()
                .copied()
                .filter(|p| *p > 0.0 && *p < 1.0)
        };
        let uncertain = open().count();
        let mean = certain as f64 + open().sum::<f64>();
        let variance: f64 = open().map(|p| p * (1.0 - p)).sum();
        let steps = uncertain as f64 * (WIDTH_IN_DEVIATIONS * variance.sqrt() + 30.0);
        let law = if variance < NORMAL_FROM_VARIANCE || steps <= MOST_STEPS {
            Law::exact(certain, open())
        } else {
            let third: f64 = open().map(|p| p * (1.0 - p) * (1.0 - 2.0 * p)).sum();
            Law::Normal {
                skewness: third / (variance * variance.sqrt()),
            }
        };
        Self {
            trials: probabilities.len() as u64,
            mean,
            variance,
            law,
        }
    }

    /// The probability of exactly this many successes.
    #[must_use]
    pub fn mass(&self, successes: u64) -> f64 {
        match &self.law {
            Law::Exact { first, mass, .. } => at(mass, *first, successes).unwrap_or(0.0),
            Law::Normal { .. } => {
                let below = successes
                    .checked_sub(1)
                    .map_or(0.0, |less| self.at_most(less));
                (self.at_most(successes) - below).max(0.0)
            }
        }
    }

    /// The probability of at most this many successes.
    #[must_use]
    pub fn at_most(&self, successes: u64) -> f64 {
        if successes >= self.trials {
            return 1.0;
        }
        match &self.law {
            Law::Exact { first, below, .. } if successes < *first || below.is_empty() => 0.0,
            Law::Exact { first, below, .. } => at(below, *first, successes).unwrap_or(1.0),
            Law::Normal { skewness } => self.refined(successes, *skewness),
        }
    }

    /// The probability of more than this many successes, right also when it is tiny.
    #[must_use]
    pub fn more_than(&self, successes: u64) -> f64 {
        if successes >= self.trials {
            return 0.0;
        }
        match &self.law {
            Law::Exact { first, .. } if successes < *first => 1.0,
            Law::Exact { first, above, .. } => at(above, *first, successes).unwrap_or(0.0),
            Law::Normal { skewness } => 1.0 - self.refined(successes, *skewness),
        }
    }

    /// The smallest number of successes that is not exceeded with at least this probability.
    #[must_use]
    pub fn quantile(&self, probability: Probability) -> u64 {
        let (mut low, mut high) = (0, self.trials);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at_most(middle) >= probability.get() {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// How many trials.
    #[must_use]
    pub fn trials(&self) -> u64 {
        self.trials
    }

    /// The expected number of successes.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The variance of the number of successes.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// Whether the law is exact and not the refined normal one.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        matches!(self.law, Law::Exact { .. })
    }

    /// Numbers of successes with their probabilities; nothing when the law is not exact.
    pub(crate) fn masses(&self) -> Option<impl Iterator<Item = (u64, f64)> + '_> {
        match &self.law {
            Law::Exact { first, mass, .. } => Some((*first..).zip(mass.iter().copied())),
            Law::Normal { .. } => None,
        }
    }

    fn refined(&self, successes: u64, skewness: f64) -> f64 {
        let x = (successes as f64 + 0.5 - self.mean) / self.variance.sqrt();
        let density = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
        (normal_sf(-x) + skewness * (1.0 - x * x) * density / 6.0).clamp(0.0, 1.0)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Law {
    /// Masses of `first`, `first` + 1, …, with the sums of all up to each and of all after each.
    Exact {
        first: u64,
        mass: Vec<f64>,
        below: Vec<f64>,
        above: Vec<f64>,
    },
    Normal {
        skewness: f64,
    },
}

impl Law {
    fn exact(certain: u64, probabilities: impl Iterator<Item = f64>) -> Self {
        let mut first = certain;
        let mut mass = vec![1.0];
        for (trial, p) in probabilities.enumerate() {
            let mut from_left = 0.0;
            for cell in &mut mass {
                let before = *cell;
                *cell = before * (1.0 - p) + from_left * p;
                from_left = before;
            }
            mass.push(from_left * p);
            while mass.len() > 1 && mass.last().is_some_and(|last| *last < DROPPED) {
                mass.pop();
            }
            if trial % TRIM_EVERY == 0 {
                first += trim_front(&mut mass);
            }
        }
        first += trim_front(&mut mass);
        let below = running(mass.iter());
        let mut above = running(mass.iter().skip(1).rev());
        above.reverse();
        above.push(0.0);
        Self::Exact {
            first,
            mass,
            below,
            above,
        }
    }
}

fn trim_front(mass: &mut Vec<f64>) -> u64 {
    let small = mass.iter().take_while(|cell| **cell < DROPPED).count();
    let small = small.min(mass.len().saturating_sub(1));
    mass.drain(..small);
    small as u64
}

fn running<'a>(masses: impl Iterator<Item = &'a f64>) -> Vec<f64> {
    let mut sum = 0.0;
    let add = |mass: &f64| {
        sum += mass;
        f64::min(sum, 1.0)
    };
    masses.map(add).collect()
}

fn at(values: &[f64], first: u64, successes: u64) -> Option<f64> {
    let index = usize::try_from(successes.checked_sub(first)?).ok()?;
    values.get(index).copied()
}

const DROPPED: f64 = 1e-40;
const TRIM_EVERY: usize = 64;
/// Masses above [`DROPPED`] reach some 13.5 standard deviations to either side.
const WIDTH_IN_DEVIATIONS: f64 = 27.0;
const NORMAL_FROM_VARIANCE: f64 = 400.0;
const MOST_STEPS: f64 = 1e8;
