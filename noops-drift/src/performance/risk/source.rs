use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::error::DriftError;
use crate::performance::check::{contradiction, invalid};

/// The losses of a model on its reference, as the sums that bound its risk. Parts add up.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::performance::SourceRisk;
///
/// let source = SourceRisk::fit(&[0.0, 0.0, 1.0, 0.0])?;
/// assert_eq!(source.mean(), 0.25);
/// assert!(source.upper_bound(Alpha::FIVE_PERCENT) > 0.6);
/// # Ok::<(), noops_drift::DriftError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawSourceRisk")]
pub struct SourceRisk {
    rows: u64,
    sum: f64,
    squares: f64,
}

impl SourceRisk {
    /// Takes the losses of the reference, each from 0 to 1.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when there is none or one is no number from 0 to 1.
    pub fn fit(losses: &[f64]) -> Result<Self, DriftError> {
        if losses.is_empty() {
            return Err(invalid("losses", "has no rows; pass at least one"));
        }
        if let Some(row) = losses.iter().position(|loss| !(0.0..=1.0).contains(loss)) {
            return Err(invalid(
                "losses",
                format!(
                    "has a value at row `{row}` that is no number from 0 to 1; scale or clamp it"
                ),
            ));
        }
        Ok(Self {
            rows: losses.len() as u64,
            sum: losses.iter().sum(),
            squares: losses.iter().map(|loss| loss * loss).sum(),
        })
    }

    /// Adds the losses of another part of the reference.
    pub fn merge(&mut self, other: &Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// Rows of the reference.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The mean loss.
    #[must_use]
    pub fn mean(&self) -> f64 {
        (self.sum / self.rows as f64).clamp(0.0, 1.0)
    }

    /// What the true risk exceeds with probability at most alpha, when rows are independent.
    ///
    /// # Formula
    ///
    /// The smaller of two bounds, each at alpha/2. Hoeffding's (1963): the u above the mean m with
    /// n (m ln(m/u) + (1 − m) ln((1 − m)/(1 − u))) = ln(2/alpha), sharp for losses of 0 and 1. And that of Maurer and Pontil (2009):
    /// m + √(2 v ln(4/alpha) / n) + 7 ln(4/alpha) / (3 (n − 1)), v being the sample variance, sharp for losses that vary little.
    #[must_use]
    pub fn upper_bound(&self, alpha: Alpha) -> f64 {
        let rows = self.rows as f64;
        let mean = self.mean();
        let hoeffding = divergence_bound(mean, (2.0 / alpha.get()).ln() / rows);
        if self.rows < 2 {
            return hoeffding;
        }
        let variance = (self.squares / rows - mean * mean).max(0.0) * rows / (rows - 1.0);
        let surprise = (4.0 / alpha.get()).ln();
        let bernstein = mean
            + (2.0 * variance * surprise / rows).sqrt()
            + 7.0 * surprise / (3.0 * (rows - 1.0));
        hoeffding.min(bernstein).clamp(0.0, 1.0)
    }
}

#[derive(Deserialize)]
struct RawSourceRisk {
    rows: u64,
    sum: f64,
    squares: f64,
}

impl TryFrom<RawSourceRisk> for SourceRisk {
    type Error = DriftError;

    fn try_from(raw: RawSourceRisk) -> Result<Self, DriftError> {
        let rows = raw.rows as f64;
        let slack = 1e-6 * (1.0 + rows);
        let sum_fits = (0.0..=rows + slack).contains(&raw.sum);
        // Losses of at most 1 have squares of at most themselves, and variances are not negative.
        let squares_fit = raw.squares <= raw.sum + slack
            && raw.squares * rows + slack * rows >= raw.sum * raw.sum;
        if raw.rows == 0 || !sum_fits || !squares_fit {
            return Err(contradiction(
                "source risk",
                "its sums are not those of losses from 0 to 1",
            ));
        }
        Ok(Self {
            rows: raw.rows,
            sum: raw.sum,
            squares: raw.squares,
        })
    }
}

/// The largest u whose Bernoulli law is within this divergence of one with this mean.
fn divergence_bound(mean: f64, divergence: f64) -> f64 {
    let (mut low, mut high) = (mean, 1.0);
    for _ in 0..BISECTIONS {
        let middle = low + (high - low) / 2.0;
        if bernoulli_divergence(mean, middle) <= divergence {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

fn bernoulli_divergence(p: f64, q: f64) -> f64 {
    let part = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    part(p, q) + part(1.0 - p, 1.0 - q)
}

const BISECTIONS: usize = 60;
