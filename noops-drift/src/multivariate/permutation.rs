use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::random::Random;
use crate::error::DriftError;
use crate::statistic::comparison::{Measured, VISIBLE_POWER};

/// The error rate, the number of permutations and the sample size of a permutation test.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::multivariate::PermutationSettings;
///
/// let settings = PermutationSettings::default().with_alpha(Alpha::ONE_PERCENT).with_permutations(999);
/// assert_eq!(settings.permutations(), 999);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PermutationSettings {
    alpha: Alpha,
    relevant: Option<f64>,
    permutations: u32,
    max_rows: usize,
    seed: u64,
}

impl PermutationSettings {
    /// Sets how often data without drift may be called drifted; 5 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the true value of the statistic that "no drift" must be able to rule out; 0.1 unless set.
    #[must_use]
    pub fn with_relevant(mut self, relevant: f64) -> Self {
        self.relevant = Some(relevant);
        self
    }

    /// Sets the number of permutations, 499 unless set. With N of them the smallest p-value is 1 / (N + 1), which must be
    /// below alpha.
    #[must_use]
    pub fn with_permutations(mut self, permutations: u32) -> Self {
        self.permutations = permutations;
        self
    }

    /// Sets how many rows of each side take part at most, chosen at random by the seed; 500 unless set, from 2 to 20,000.
    #[must_use]
    pub fn with_max_rows(mut self, rows: usize) -> Self {
        self.max_rows = rows;
        self
    }

    /// Sets what all random choices derive from; 0 unless set.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How often data without drift may be called drifted.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The true value of the statistic that "no drift" must be able to rule out.
    #[must_use]
    pub fn relevant(&self) -> f64 {
        self.relevant.unwrap_or(RELEVANT)
    }

    /// The number of permutations.
    #[must_use]
    pub fn permutations(&self) -> u32 {
        self.permutations
    }

    /// How many rows of each side take part at most.
    #[must_use]
    pub fn max_rows(&self) -> usize {
        self.max_rows
    }

    /// What all random choices derive from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn validate(&self) -> Result<(), DriftError> {
        let permutations = f64::from(self.permutations);
        if self.permutations > MOST_PERMUTATIONS || self.alpha.get() * (permutations + 1.0) <= 1.0 {
            return Err(DriftError::InvalidSetting {
                setting: "permutations",
                value: permutations,
                allowed: "at least 1 / alpha and at most 1000000",
            });
        }
        if !(2..=MOST_ROWS).contains(&self.max_rows) {
            return Err(DriftError::InvalidSetting {
                setting: "max_rows",
                value: self.max_rows as f64,
                allowed: "from 2 to 20000 rows",
            });
        }
        let relevant = self.relevant();
        if !(0.0..=MOST_RELEVANT).contains(&relevant) {
            return Err(DriftError::InvalidSetting {
                setting: "relevant",
                value: relevant,
                allowed: "a number from 0 to 1e9",
            });
        }
        Ok(())
    }
}

impl Default for PermutationSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::FIVE_PERCENT,
            relevant: None,
            permutations: 499,
            max_rows: 500,
            seed: 0,
        }
    }
}

/// The statistic of the data as they are, and of the same rows with the two samples mixed at random.
pub(super) struct PermutationLaw {
    observed: f64,
    // Largest first.
    permuted: Vec<f64>,
}

impl PermutationLaw {
    /// `statistic` is called with a mask of the pooled rows that says which count as reference: first the true one.
    pub(super) fn draw(
        n_reference: usize,
        n_current: usize,
        settings: &PermutationSettings,
        mut statistic: impl FnMut(&[bool]) -> f64,
    ) -> Self {
        let mut mask = vec![true; n_reference];
        mask.resize(n_reference.saturating_add(n_current), false);
        let observed = statistic(&mask);
        let mut random = Random::new(settings.seed, PERMUTATIONS);
        let mut permuted = Vec::with_capacity(settings.permutations as usize);
        for _ in 0..settings.permutations {
            random.shuffle(&mut mask);
            permuted.push(statistic(&mask));
        }
        permuted.sort_by(|a, b| b.total_cmp(a));
        Self { observed, permuted }
    }

    /// p = (k + 1) / (N + 1), with k of N permuted statistics at least the observed one (Davison and Hinkley, 1997).
    pub(super) fn measure(&self, alpha: Alpha) -> Measured {
        // Sums of the same terms in another order may differ in the last bits; such ties count as ties.
        let reached = self.observed * (1.0 - 1e-12);
        let exceeded = self
            .permuted
            .iter()
            .take_while(|value| **value >= reached)
            .count();
        let draws = self.permuted.len() as f64 + 1.0;
        // The p-value is below alpha while fewer than this many permuted statistics reach the observed one.
        let mut spared = ((alpha.get() * draws).ceil() as usize).saturating_sub(2);
        // The product may be rounded up to beyond a whole number.
        if (spared as f64 + 1.0) / draws >= alpha.get() {
            spared = spared.saturating_sub(1);
        }
        let critical = self.permuted.get(spared).copied();
        let noisy = ((1.0 - VISIBLE_POWER) * draws) as usize;
        let noise = self.permuted.get(noisy).copied();
        Measured {
            statistic: self.observed,
            p_value: (exceeded as f64 + 1.0) / draws,
            critical,
            // A distance of δ is measured as at least δ minus the noise, by the triangle inequality, and the noise of the
            // permuted rows is below this four times in five.
            visible_from: critical
                .zip(noise)
                .map(|(critical, noise)| critical + noise),
        }
    }
}

const RELEVANT: f64 = 0.1;
const MOST_RELEVANT: f64 = 1e9;
const MOST_PERMUTATIONS: u32 = 1_000_000;
pub(super) const MOST_ROWS: usize = 20_000;

/// Purposes of random streams.
const PERMUTATIONS: u64 = 1;
pub(super) const REFERENCE_SAMPLE: u64 = 2;
pub(super) const CURRENT_SAMPLE: u64 = 3;
pub(super) const DIRECTIONS: u64 = 4;
pub(super) const FREQUENCIES: u64 = 5;
pub(super) const BANDWIDTH_SAMPLE: u64 = 6;
