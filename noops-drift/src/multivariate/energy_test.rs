use serde::{Deserialize, Serialize};

use super::permutation::{CURRENT_SAMPLE, PermutationLaw, PermutationSettings, REFERENCE_SAMPLE};
use super::projection::dot;
use super::rows::Rows;
use super::sample::Sample;
use crate::error::DriftError;
use crate::matrix::Matrix;
use crate::statistic::comparison::{Comparison, Method};

/// The energy test: do rows of several columns have one distribution, columns *and* their dependence taken together?
///
/// Energy distance is 0 only between equal distributions, so this sees what no column shows on its own, such as two columns
/// that stop moving together.
///
/// # Formula
///
/// √(2 E|X − Y| − E|X − X′| − E|Y − Y′|) with Euclidean distances and every expectation an average over all pairs (Székely and
/// Rizzo, 2004), each column in standard deviations of the two sides taken together; p = (k + 1) / (N + 1) over N random
/// relabellings.
///
/// # Assumptions
///
/// Rows are independent, or at least exchangeable between the sides if nothing drifted; autocorrelated rows give too many
/// alarms. The error rate is then at most alpha with any number of rows, however unequal the sides and whatever the columns
/// hold: scales are those of both sides together, which no relabelling changes, and equal distances are exactly equal.
///
/// # Numerical notes
///
/// Rows with a NaN or an infinity are left out, so a jump in what is missing shows only in `n_current`; columns that are
/// constant over both sides do not take part. One value far beyond all others takes up the scale of its column, which hides
/// what else happens there. Distances are rounded to multiples of 2^−45 of the extent of the rows, or finer. `visible_from` is
/// approximate: the critical value plus the 80 % point of the permuted statistic, which by the triangle inequality is enough
/// for four alarms in five if the noise of drifted rows is that of the permuted ones. In simulations it is more than enough.
///
/// # Complexity
///
/// With s rows a side of at most [`max_rows`](PermutationSettings::max_rows) each: O(s² d) for the distances of d columns, 8
/// bytes for each of the (2 s)² pairs, and O(s²) per permutation.
///
/// # Examples
///
/// ```
/// use noops_drift::Matrix;
/// use noops_drift::multivariate::{EnergyTest, PermutationSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rise: Vec<f64> = (0..80).map(f64::from).collect();
/// let fall: Vec<f64> = rise.iter().rev().copied().collect();
/// let reference = Matrix::from_columns(vec![rise.clone(), rise.clone()])?;
/// let settings = PermutationSettings::default().with_permutations(99);
/// let test = EnergyTest::fit(&reference, &settings)?;
///
/// // Both columns have the values they had, but they no longer rise together.
/// let current = Matrix::from_columns(vec![rise, fall])?;
/// assert!(test.compare(&current)?.verdict().is_drift());
/// assert!(!test.compare(&reference)?.verdict().is_drift());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawEnergyTest")]
pub struct EnergyTest {
    settings: PermutationSettings,
    reference: Sample,
}

impl EnergyTest {
    /// Keeps a sample of the reference.
    ///
    /// # Errors
    ///
    /// [`DriftError::NoRows`] without a complete row and [`DriftError::InvalidSetting`] for a setting out of range.
    pub fn fit(reference: &Matrix, settings: &PermutationSettings) -> Result<Self, DriftError> {
        Ok(Self {
            settings: settings.clone(),
            reference: Sample::of_reference(reference, settings, REFERENCE_SAMPLE)?,
        })
    }

    /// Compares rows with the reference. Without a complete row, or a column that varies, it is undecided.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for another number of columns than the reference has.
    pub fn compare(&self, current: &Matrix) -> Result<Comparison, DriftError> {
        let current = Sample::of(current, &self.settings, CURRENT_SAMPLE)?;
        let pooled = self.reference.pooled(&current)?;
        let (n_reference, n_current) = (self.reference.rows(), current.rows());
        let (of_reference, of_current) = (n_reference as u64, n_current as u64);
        if n_current == 0 || pooled.len() == 0 {
            return Ok(Comparison::blind(
                Method::EnergyDistance,
                of_reference,
                of_current,
            ));
        }
        let distances = Distances::of(&pooled);
        let law = PermutationLaw::draw(n_reference, n_current, &self.settings, |mask| {
            distances.energy_distance(mask)
        });
        Ok(Comparison::judge(
            Method::EnergyDistance,
            of_reference,
            of_current,
            law.measure(self.settings.alpha()),
            self.settings.alpha(),
            self.settings.relevant(),
        ))
    }

    /// Rows of the reference that were left out, because they are not complete.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.reference.left_out()
    }
}

impl TryFrom<RawEnergyTest> for EnergyTest {
    type Error = DriftError;

    fn try_from(raw: RawEnergyTest) -> Result<Self, DriftError> {
        raw.settings.validate()?;
        Ok(Self {
            settings: raw.settings,
            reference: raw.reference,
        })
    }
}

#[derive(Deserialize)]
struct RawEnergyTest {
    settings: PermutationSettings,
    reference: Sample,
}

/// All pairwise distances of the pooled rows, as whole multiples of a unit: their sums are exact, so that relabellings which
/// mean the same give the same to the last bit.
struct Distances {
    rows: usize,
    pairs: Vec<u64>,
    sums: Vec<u64>,
    total: u128,
    per_unit: f64,
}

impl Distances {
    fn of(pooled: &Rows) -> Self {
        let rows = pooled.len();
        // The sum of a row of distances, each at most 2^bits, fits 64 bits.
        let bits = MOST_BITS - (usize::BITS - rows.leading_zeros());
        // No two rows are further apart than twice the longest row is long, and rows are standardised, so it is no less than 1.
        let longest = pooled.iter().map(|row| dot(row, row)).fold(1.0, f64::max);
        let per_unit = (1_u64 << bits) as f64 / (2.0 * longest.sqrt());
        let mut pairs = Vec::with_capacity(rows.saturating_mul(rows));
        for one in pooled.iter() {
            let others = pooled.iter();
            pairs.extend(others.map(|other| (distance(one, other) * per_unit).round() as u64));
        }
        let sums: Vec<u64> = pairs
            .chunks_exact(rows.max(1))
            .map(|row| row.iter().sum())
            .collect();
        let total = sums.iter().copied().map(u128::from).sum();
        Self {
            rows,
            pairs,
            sums,
            total,
            per_unit,
        }
    }

    /// The sums between and within the samples follow from those within the reference and the row sums.
    fn energy_distance(&self, is_reference: &[bool]) -> f64 {
        let members: Vec<usize> = is_reference
            .iter()
            .enumerate()
            .filter(|(_, is)| **is)
            .map(|(row, _)| row)
            .collect();
        let (mut within, mut of_members) = (0_u128, 0_u128);
        let rows = self.pairs.chunks_exact(self.rows.max(1));
        for ((row, sum), is) in rows.zip(&self.sums).zip(is_reference) {
            if *is {
                let to_members = members.iter().filter_map(|other| row.get(*other));
                within += u128::from(to_members.sum::<u64>());
                of_members += u128::from(*sum);
            }
        }
        let between = of_members - within;
        let rest = self.total - of_members - between;
        let n = members.len() as f64;
        let m = is_reference.len() as f64 - n;
        // Swapping the sides swaps the last two terms, whose sum stays the same to the last bit.
        let squared =
            2.0 * between as f64 / (n * m) - (within as f64 / (n * n) + rest as f64 / (m * m));
        // Rounding may leave a hair below 0.
        (squared / self.per_unit).max(0.0).sqrt()
    }
}

fn distance(one: &[f64], other: &[f64]) -> f64 {
    one.iter()
        .zip(other)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f64>()
        .sqrt()
}

/// Two bits fewer than a sum may have: one for rounding up, one for luck with the bound on the distances.
const MOST_BITS: u32 = 62;
