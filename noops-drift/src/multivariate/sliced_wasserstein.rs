use serde::{Deserialize, Serialize};

use super::permutation::{
    CURRENT_SAMPLE, DIRECTIONS, PermutationLaw, PermutationSettings, REFERENCE_SAMPLE,
};
use super::projection::{Projection, direction};
use super::random::Random;
use super::sample::Sample;
use crate::error::DriftError;
use crate::matrix::Matrix;
use crate::statistic::comparison::{Comparison, Method};

/// The sliced Wasserstein distance: how far rows moved, averaged over random directions of the space of the columns.
///
/// In standard deviations of the two sides taken together: a shift of one column of d by δ of them moves the average by about
/// δ √(2 / (π d)).
///
/// # Formula
///
/// The mean over L unit vectors u, drawn uniformly by the seed, of the one-dimensional Wasserstein-1 distance between the
/// projections of the two samples on u (Bonneel, Rabin, Peyré and Pfister, 2015); p = (k + 1) / (N + 1) over N random
/// relabellings.
///
/// # Assumptions
///
/// Rows are independent, or at least exchangeable between the sides if nothing drifted. The error rate is then at most alpha
/// with any number of rows, however unequal the sides: scales are those of both sides together, which no relabelling changes.
///
/// # Numerical notes
///
/// Rows with a NaN or an infinity are left out, so a jump in what is missing shows only in `n_current`; columns that are
/// constant over both sides do not take part. One value far beyond all others takes up the scale of its column, which hides
/// what else happens there. With finitely many directions a change of the dependence in many dimensions may be missed; the
/// error rate is kept with any number.
///
/// `visible_from` is approximate: the critical value plus the 80 % point of the permuted statistic, which by the triangle
/// inequality is enough for four alarms in five if the noise of drifted rows is that of the permuted ones. It is about the
/// distance over the directions that were drawn, which is that over all of them only up to their number. In simulations of
/// normal rows it is more than enough.
///
/// # Complexity
///
/// With s rows a side of at most [`max_rows`](PermutationSettings::max_rows): O(L s (d + log s)) and O(L s) per permutation.
///
/// # Examples
///
/// ```
/// use noops_drift::Matrix;
/// use noops_drift::multivariate::{SlicedWasserstein, SlicedWassersteinSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rise: Vec<f64> = (0..80).map(f64::from).collect();
/// let fall: Vec<f64> = rise.iter().rev().copied().collect();
/// let reference = Matrix::from_columns(vec![rise.clone(), rise.clone()])?;
/// let test = SlicedWasserstein::fit(&reference, &SlicedWassersteinSettings::default())?;
///
/// let current = Matrix::from_columns(vec![rise, fall])?;
/// assert!(test.compare(&current)?.verdict().is_drift());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawSlicedWasserstein")]
pub struct SlicedWasserstein {
    settings: SlicedWassersteinSettings,
    reference: Sample,
}

impl SlicedWasserstein {
    /// Keeps a sample of the reference.
    ///
    /// # Errors
    ///
    /// [`DriftError::NoRows`] without a complete row and [`DriftError::InvalidSetting`] for a setting out of range.
    pub fn fit(
        reference: &Matrix,
        settings: &SlicedWassersteinSettings,
    ) -> Result<Self, DriftError> {
        settings.validate()?;
        Ok(Self {
            settings: settings.clone(),
            reference: Sample::of_reference(reference, &settings.test, REFERENCE_SAMPLE)?,
        })
    }

    /// Compares rows with the reference. Without a complete row, or a column that varies, it is undecided.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for another number of columns than the reference has.
    pub fn compare(&self, current: &Matrix) -> Result<Comparison, DriftError> {
        let test = &self.settings.test;
        let current = Sample::of(current, test, CURRENT_SAMPLE)?;
        let pooled = self.reference.pooled(&current)?;
        let (n_reference, n_current) = (self.reference.rows(), current.rows());
        let (of_reference, of_current) = (n_reference as u64, n_current as u64);
        if n_current == 0 || pooled.len() == 0 {
            return Ok(Comparison::blind(
                Method::SlicedWasserstein,
                of_reference,
                of_current,
            ));
        }
        let mut random = Random::new(test.seed(), DIRECTIONS);
        let slices: Vec<Projection> = (0..self.settings.directions)
            .map(|_| Projection::of(&pooled, &direction(pooled.width(), &mut random)))
            .collect();
        let law = PermutationLaw::draw(n_reference, n_current, test, |mask| {
            slices
                .iter()
                .map(|slice| slice.wasserstein(mask))
                .sum::<f64>()
                / slices.len() as f64
        });
        Ok(Comparison::judge(
            Method::SlicedWasserstein,
            of_reference,
            of_current,
            law.measure(test.alpha()),
            test.alpha(),
            test.relevant(),
        ))
    }

    /// Rows of the reference that were left out, because they are not complete.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.reference.left_out()
    }
}

impl TryFrom<RawSlicedWasserstein> for SlicedWasserstein {
    type Error = DriftError;

    fn try_from(raw: RawSlicedWasserstein) -> Result<Self, DriftError> {
        raw.settings.validate()?;
        Ok(Self {
            settings: raw.settings,
            reference: raw.reference,
        })
    }
}

#[derive(Deserialize)]
struct RawSlicedWasserstein {
    settings: SlicedWassersteinSettings,
    reference: Sample,
}

/// How a [`SlicedWasserstein`] is tested, and over how many directions it is averaged.
///
/// # Examples
///
/// ```
/// use noops_drift::multivariate::SlicedWassersteinSettings;
///
/// assert_eq!(SlicedWassersteinSettings::default().with_directions(128).directions(), 128);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SlicedWassersteinSettings {
    test: PermutationSettings,
    directions: u32,
}

impl SlicedWassersteinSettings {
    /// Sets the error rate and the size of the permutation test.
    #[must_use]
    pub fn with_test(mut self, test: PermutationSettings) -> Self {
        self.test = test;
        self
    }

    /// Sets the number of directions, 64 unless set, from 1 to 10,000.
    #[must_use]
    pub fn with_directions(mut self, directions: u32) -> Self {
        self.directions = directions;
        self
    }

    /// The error rate and the size of the permutation test.
    #[must_use]
    pub fn test(&self) -> &PermutationSettings {
        &self.test
    }

    /// The number of directions.
    #[must_use]
    pub fn directions(&self) -> u32 {
        self.directions
    }

    fn validate(&self) -> Result<(), DriftError> {
        if (1..=MOST_DIRECTIONS).contains(&self.directions) {
            return self.test.validate();
        }
        Err(DriftError::InvalidSetting {
            setting: "directions",
            value: f64::from(self.directions),
            allowed: "from 1 to 10000",
        })
    }
}

impl Default for SlicedWassersteinSettings {
    fn default() -> Self {
        Self {
            test: PermutationSettings::default(),
            directions: 64,
        }
    }
}

const MOST_DIRECTIONS: u32 = 10_000;
