mod embedding;
mod settings;
#[cfg(test)]
mod tests;

use noops_core::Digest;
use serde::{Deserialize, Serialize};

pub use self::embedding::MeanEmbedding;
pub use self::settings::MmdSettings;
use super::permutation::{
    BANDWIDTH_SAMPLE, CURRENT_SAMPLE, FREQUENCIES, PermutationLaw, REFERENCE_SAMPLE,
};
use super::projection::dot;
use super::random::Random;
use super::rows::{MOST, Rows, invalid};
use super::sample::Sample;
use super::scaler::{Scaler, require_width};
use crate::error::DriftError;
use crate::matrix::Matrix;
use crate::statistic::comparison::{Comparison, Measured, Method, VISIBLE_POWER};

/// Maximum mean discrepancy by random Fourier features: compares whole distributions of rows from sums that merge exactly.
///
/// Each row becomes D numbers, a window of rows their sum, and two windows add up whatever the order: replicas and days are
/// embedded apart and [merged](MeanEmbedding::merge). Where the rows themselves are at hand,
/// [`compare_rows`](Self::compare_rows) is far more sensitive than [`compare`](Self::compare).
///
/// # Formula
///
/// z(x) = √(2/D) (cos w_1·x, sin w_1·x, …, cos w_(D/2)·x, sin w_(D/2)·x) with w_j normal of deviation 1/h, h the median distance
/// of standardised reference rows (Rahimi and Recht, 2007; Gretton and others, 2012). The statistic is the distance of the mean
/// embeddings, ‖z̄_reference − z̄_current‖, from 0 to √2; its square estimates the MMD² of the Gaussian kernel of bandwidth h.
///
/// # Error rates
///
/// [`compare`](Self::compare) uses a bound, not a law. With s = √(1/n + 1/m), without drift the distance d exceeds its mean, which
/// is at most s, by more than s √(2 ln(1/p)) with probability at most p (McDiarmid, since ‖z‖ = 1), so
/// p = exp(−(d/s − 1)²/2). The probability of a false alarm is at most alpha for any n and m, and in practice far less: it pays
/// with power for needing nothing but two sums. [`compare_rows`](Self::compare_rows) permutes, and its error rate is at most alpha with
/// any number of rows: it draws scales, bandwidth and features anew from both sides together, which no relabelling changes.
///
/// # Assumptions
///
/// Rows are independent. For the bound the reference rows take part in choosing scales and bandwidth, an effect of order 1/√n
/// that the slack of the bound covers many times over.
///
/// # Numerical notes
///
/// Features are added up as integers in units of 2^−32, so that sums do not depend on order or grouping; a mean is off by at most
/// 1.2e-10 for it. Rows with a NaN or an infinity are left out and counted; columns that are constant in the reference (for
/// [`compare_rows`](Self::compare_rows), over both sides) do not take part. Cosines come from the platform's mathematics
/// library, whose last bit may differ between platforms.
///
/// `visible_from` of [`compare`](Self::compare) is proven; that of [`compare_rows`](Self::compare_rows) is approximate: the
/// critical value plus the 80 % point of the permuted statistic, enough for four alarms in five if the noise of drifted rows
/// is that of the permuted ones. Both are about the distance that the drawn features show.
///
/// # Complexity
///
/// O(D d) per row of d columns; an embedding is D integers.
///
/// # Examples
///
/// ```
/// use noops_drift::Matrix;
/// use noops_drift::multivariate::{MmdSettings, RandomFourierMmd};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rise: Vec<f64> = (0..900).map(f64::from).collect();
/// let fall: Vec<f64> = rise.iter().rev().copied().collect();
/// let reference = Matrix::from_columns(vec![rise.clone(), rise.clone()])?;
/// let mmd = RandomFourierMmd::fit(&reference, &MmdSettings::default())?;
///
/// // Two replicas embed what they saw; the sums add up.
/// let half = Matrix::from_columns(vec![rise, fall])?;
/// let mut seen = mmd.embed(&half)?;
/// seen.merge(&mmd.embed(&half)?)?;
/// assert_eq!(seen.rows(), 1_800);
/// assert!(mmd.compare(&seen)?.verdict().is_drift());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawMmd")]
pub struct RandomFourierMmd {
    settings: MmdSettings,
    scaler: Scaler,
    frequencies: Rows,
    reference: MeanEmbedding,
}

impl RandomFourierMmd {
    /// Draws the features and embeds the reference.
    ///
    /// # Errors
    ///
    /// [`DriftError::NoRows`] without a complete row, [`DriftError::InvalidSetting`] for a setting out of range and
    /// [`DriftError::InvalidInput`] for more rows than an embedding holds.
    pub fn fit(reference: &Matrix, settings: &MmdSettings) -> Result<Self, DriftError> {
        settings.validate()?;
        let scaler = Scaler::fit(reference)?;
        let scaled = scaler.apply(reference)?;
        let frequencies = draw_frequencies(&scaled.rows, settings);
        let mut mean =
            MeanEmbedding::empty(map_digest(&scaler, &frequencies), 2 * frequencies.len());
        embed_rows(&frequencies, &scaled.rows, &mut mean)?;
        mean.leave_out(scaled.left_out);
        Ok(Self {
            settings: settings.clone(),
            scaler,
            frequencies,
            reference: mean,
        })
    }

    /// Embeds the complete rows of a matrix.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for another number of columns than the reference has, or more rows than an embedding holds.
    pub fn embed(&self, rows: &Matrix) -> Result<MeanEmbedding, DriftError> {
        let scaled = self.scaler.apply(rows)?;
        let mut mean = MeanEmbedding::empty(self.reference.map(), self.reference.features());
        embed_rows(&self.frequencies, &scaled.rows, &mut mean)?;
        mean.leave_out(scaled.left_out);
        Ok(mean)
    }

    /// Compares an embedding with that of the reference, by a bound that holds for any number of rows.
    ///
    /// Without a row, or a column that varies in the reference, it is undecided.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for an embedding that another reference made.
    pub fn compare(&self, current: &MeanEmbedding) -> Result<Comparison, DriftError> {
        let (n_reference, n_current) = (self.reference.rows(), current.rows());
        let statistic = self.reference.distance(current)?;
        if n_reference == 0 || n_current == 0 || self.frequencies.len() == 0 {
            return Ok(Comparison::blind(
                Method::MaximumMeanDiscrepancy,
                n_reference,
                n_current,
            ));
        }
        let alpha = self.settings.test().alpha();
        let spread = (1.0 / n_reference as f64 + 1.0 / n_current as f64).sqrt();
        let excess = (statistic / spread - 1.0).max(0.0);
        let beyond = |tail: f64| spread * (1.0 + (-2.0 * tail.ln()).sqrt());
        let (critical, noise) = (beyond(alpha.get()), beyond(1.0 - VISIBLE_POWER));
        let measured = Measured {
            statistic,
            p_value: (-0.5 * excess * excess).exp(),
            critical: within_reach(critical),
            visible_from: within_reach(critical + noise),
        };
        Ok(Comparison::judge(
            Method::MaximumMeanDiscrepancy,
            n_reference,
            n_current,
            measured,
            alpha,
            self.settings.test().relevant(),
        ))
    }

    /// Compares rows with rows of the reference by permutation; of each side at most
    /// [`max_rows`](super::PermutationSettings::max_rows) take part.
    ///
    /// Without a complete row on either side, or a column that varies, it is undecided.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for another number of columns than the reference has.
    pub fn compare_rows(
        &self,
        reference: &Matrix,
        current: &Matrix,
    ) -> Result<Comparison, DriftError> {
        let test = self.settings.test();
        require_width(self.scaler.width(), reference.width())?;
        require_width(self.scaler.width(), current.width())?;
        let reference = Sample::of(reference, test, REFERENCE_SAMPLE)?;
        let current = Sample::of(current, test, CURRENT_SAMPLE)?;
        let (n_reference, n_current) = (reference.rows(), current.rows());
        let (of_reference, of_current) = (n_reference as u64, n_current as u64);
        let pooled = if n_reference == 0 || n_current == 0 {
            Rows::new(0, Vec::new())
        } else {
            reference.pooled(&current)?
        };
        if pooled.len() == 0 {
            return Ok(Comparison::blind(
                Method::MaximumMeanDiscrepancy,
                of_reference,
                of_current,
            ));
        }
        let frequencies = draw_frequencies(&pooled, &self.settings);
        let empty = MeanEmbedding::empty(self.reference.map(), 2 * frequencies.len());
        let mut embedded = Vec::with_capacity(pooled.len());
        let mut total = empty.clone();
        for row in pooled.iter() {
            let mut one = empty.clone();
            one.add(frequencies.iter().map(|frequency| dot(row, frequency)))?;
            total.merge(&one)?;
            embedded.push(one);
        }
        let law = PermutationLaw::draw(n_reference, n_current, test, |mask| {
            let mut of_reference = empty.clone();
            for (row, is) in embedded.iter().zip(mask) {
                if *is {
                    of_reference.absorb(row);
                }
            }
            of_reference.distance_to_rest(&total)
        });
        let measured = law.measure(test.alpha());
        Ok(Comparison::judge(
            Method::MaximumMeanDiscrepancy,
            of_reference,
            of_current,
            Measured {
                visible_from: measured.visible_from.and_then(within_reach),
                ..measured
            },
            test.alpha(),
            test.relevant(),
        ))
    }

    /// The embedding of the reference.
    pub fn reference(&self) -> &MeanEmbedding {
        &self.reference
    }

    /// The columns that do not take part, because they are constant in the reference.
    #[must_use]
    pub fn dropped_columns(&self) -> Vec<usize> {
        self.scaler.dropped()
    }

    /// Rows of the reference that were left out, because they are not complete.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.reference.left_out()
    }
}

impl TryFrom<RawMmd> for RandomFourierMmd {
    type Error = DriftError;

    fn try_from(raw: RawMmd) -> Result<Self, DriftError> {
        raw.settings.validate()?;
        let RawMmd {
            settings,
            scaler,
            frequencies,
            reference,
        } = raw;
        let wanted = if scaler.kept() == 0 {
            0
        } else {
            settings.features() as usize / 2
        };
        if frequencies.width() != scaler.kept() || frequencies.len() != wanted {
            return Err(invalid(
                "its features are not those of its columns and settings",
            ));
        }
        if reference.map() != map_digest(&scaler, &frequencies)
            || reference.features() != 2 * frequencies.len()
        {
            return Err(invalid("its embedding was not made with its features"));
        }
        Ok(Self {
            settings,
            scaler,
            frequencies,
            reference,
        })
    }
}

fn embed_rows(frequencies: &Rows, rows: &Rows, mean: &mut MeanEmbedding) -> Result<(), DriftError> {
    for row in rows.iter() {
        mean.add(frequencies.iter().map(|frequency| dot(row, frequency)))?;
    }
    Ok(())
}

/// Nothing for a distance that no two mean embeddings have.
fn within_reach(distance: f64) -> Option<f64> {
    (distance <= std::f64::consts::SQRT_2).then_some(distance)
}

/// What an embedding depends on: two embeddings of one map can be compared.
fn map_digest(scaler: &Scaler, frequencies: &Rows) -> Digest {
    Digest::of_json(&(scaler, frequencies))
}

fn draw_frequencies(reference: &Rows, settings: &MmdSettings) -> Rows {
    let seed = settings.test().seed();
    let width = reference.width();
    // Sorted, so that which rows are chosen does not depend on the order in which they come.
    let chosen = &mut Random::new(seed, BANDWIDTH_SAMPLE);
    let bandwidth = median_distance(&reference.sorted().sample(BANDWIDTH_ROWS, chosen));
    let mut random = Random::new(seed, FREQUENCIES);
    let draws = width.saturating_mul(settings.features() as usize / 2);
    let values = (0..draws)
        .map(|_| (random.normal() / bandwidth).clamp(-MOST, MOST))
        .collect();
    Rows::new(width, values)
}

/// The median distance of two different rows, 1 when there are none.
fn median_distance(rows: &Rows) -> f64 {
    let mut distances = Vec::new();
    for (index, one) in rows.iter().enumerate() {
        for other in rows.iter().skip(index + 1) {
            let squared: f64 = one.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum();
            // Many rows may be equal; their distance says nothing about a scale.
            if squared > 0.0 {
                distances.push(squared.sqrt());
            }
        }
    }
    distances.sort_by(f64::total_cmp);
    distances
        .get(distances.len() / 2)
        .copied()
        .filter(|median| *median > 0.0)
        .unwrap_or(1.0)
}

const BANDWIDTH_ROWS: usize = 300;

#[derive(Deserialize)]
struct RawMmd {
    settings: MmdSettings,
    scaler: Scaler,
    frequencies: Rows,
    reference: MeanEmbedding,
}
