mod settings;

use serde::{Deserialize, Serialize};

pub use self::settings::PrincipalComponentsSettings;
use super::projection::dot;
use super::rows::{Rows, invalid};
use super::scaler::{Scaler, complete_rows};
use super::symmetric_eigen::{Eigen, symmetric_eigen};
use super::welch::{Moments, Welch};
use crate::error::DriftError;
use crate::matrix::Matrix;
use crate::statistic::comparison::{Comparison, Measured, Method, VISIBLE_POWER};
use noops_stats::special::normal_upper_quantile;

/// Reconstruction error: do the columns still move together the way they did?
///
/// The first principal components of the reference say how columns hang together; rows that break the pattern are rebuilt
/// badly from them. It sees changes of dependence, and only these and large shifts; a change along the components it does not.
///
/// # Formula
///
/// The components are learned from every other complete row of the reference, standardised, until they explain a share of the
/// variance (65 % unless set). The error of a row is the Euclidean distance between it and its projection on them. The statistic
/// is the absolute difference of the mean error of current rows and that of the *other* reference rows, tested by Welch's t; the
/// half that was held out has errors as fresh as those of current rows, so fitting does not bias the test.
///
/// # Assumptions
///
/// Rows are independent, and numerous enough for means of errors to be nearly normal: with heavy-tailed columns that takes
/// hundreds of rows. Rows of the reference that alternate between two kinds would be parted by kind: shuffle them first.
///
/// # Numerical notes
///
/// Rows with a NaN or an infinity are left out, and columns that are constant in the reference do not take part. The
/// components come from Jacobi rotations of the exact two-pass correlation matrix. When the components needed are as many as the
/// columns, as with a single column, nothing is lost in rebuilding and the comparison is undecided.
///
/// # Complexity
///
/// Fitting takes O(n d² + 10 d³) for d columns, at most 512: seconds at 512. Comparing takes O(n d k) for k components.
///
/// # Examples
///
/// ```
/// use noops_drift::Matrix;
/// use noops_drift::multivariate::{PrincipalComponents, PrincipalComponentsSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let one: Vec<f64> = (0..400).map(|i| f64::from(i * 37 % 101)).collect();
/// let with_noise: Vec<f64> = one.iter().enumerate().map(|(i, x)| x + (i % 7) as f64).collect();
/// let reference = Matrix::from_columns(vec![one.clone(), with_noise.clone()])?;
/// let components = PrincipalComponents::fit(&reference, &PrincipalComponentsSettings::default())?;
/// assert_eq!(components.components(), 1);
///
/// let unrelated: Vec<f64> = with_noise.iter().rev().copied().collect();
/// let current = Matrix::from_columns(vec![one, unrelated])?;
/// assert!(components.compare(&current)?.verdict().is_drift());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawComponents")]
pub struct PrincipalComponents {
    settings: PrincipalComponentsSettings,
    scaler: Scaler,
    components: Rows,
    explained: Vec<f64>,
    held_out: Vec<f64>,
    left_out: u64,
}

impl PrincipalComponents {
    /// Learns the components from every other complete row of the reference and keeps the errors of the rest.
    ///
    /// # Errors
    ///
    /// [`DriftError::NoRows`] without a complete row, [`DriftError::InvalidInput`] for more than 512 columns and
    /// [`DriftError::InvalidSetting`] for a setting out of range.
    pub fn fit(
        reference: &Matrix,
        settings: &PrincipalComponentsSettings,
    ) -> Result<Self, DriftError> {
        settings.validate()?;
        if reference.width() > MOST_COLUMNS {
            return Err(DriftError::InvalidInput {
                input: "matrix",
                reason: format!(
                    "has `{}` columns; pass at most `{MOST_COLUMNS}`, such as those the model relies on most",
                    reference.width()
                ),
            });
        }
        let halves = Halves::of(reference)?;
        let scaler = Scaler::fit(&halves.fitted)?;
        let fitted = scaler.apply(&halves.fitted)?.rows;
        let eigen = symmetric_eigen(fitted.width(), &covariance(&fitted));
        let spectrum = shares(&eigen);
        let kept = components_for(&spectrum, settings.explained_variance());
        let components: Vec<f64> = eigen
            .into_iter()
            .take(kept)
            .flat_map(|one| one.vector)
            .collect();
        let mut fit = Self {
            settings: settings.clone(),
            components: Rows::new(fitted.width(), components),
            explained: spectrum.into_iter().take(kept).collect(),
            held_out: Vec::new(),
            left_out: halves.left_out,
            scaler,
        };
        fit.held_out = fit.errors(&halves.held_out)?;
        Ok(fit)
    }

    /// The error of every complete row of a matrix, in reference standard deviations.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for another number of columns than the reference has.
    pub fn errors(&self, rows: &Matrix) -> Result<Vec<f64>, DriftError> {
        let scaled = self.scaler.apply(rows)?;
        Ok(scaled.rows.iter().map(|row| self.error(row)).collect())
    }

    /// Compares the mean error of rows with that of the reference.
    ///
    /// With fewer than two complete rows on either side, or nothing that could be lost in rebuilding, it is undecided.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for another number of columns than the reference has.
    pub fn compare(&self, current: &Matrix) -> Result<Comparison, DriftError> {
        let errors = self.errors(current)?;
        let (n_reference, n_current) = (self.held_out.len() as u64, errors.len() as u64);
        let blind = Comparison::blind(Method::ReconstructionError, n_reference, n_current);
        let (Some(reference), Some(current)) = (Moments::of(&self.held_out), Moments::of(&errors))
        else {
            return Ok(blind);
        };
        if self.components() == self.scaler.kept() {
            return Ok(blind);
        }
        let Some(welch) = Welch::of(reference, current) else {
            return Ok(blind);
        };
        let alpha = self.settings.alpha();
        let critical = welch.critical(alpha.get());
        let measured = Measured {
            statistic: welch.difference.abs(),
            p_value: welch.p_value(),
            critical: Some(critical * welch.error),
            visible_from: Some(
                (critical + normal_upper_quantile(1.0 - VISIBLE_POWER)) * welch.error,
            ),
        };
        let relevant = self
            .settings
            .relevant()
            .unwrap_or(RELEVANT_SHARE * reference.mean);
        Ok(Comparison::judge(
            Method::ReconstructionError,
            n_reference,
            n_current,
            measured,
            alpha,
            relevant,
        ))
    }

    /// How many components are kept.
    #[must_use]
    pub fn components(&self) -> usize {
        self.explained.len()
    }

    /// The share of the reference's variance that each component explains, largest first.
    #[must_use]
    pub fn explained_variance(&self) -> &[f64] {
        &self.explained
    }

    /// The mean error of the rows of the reference that the components were not learned from; 0 with fewer than two.
    #[must_use]
    pub fn reference_error(&self) -> f64 {
        Moments::of(&self.held_out).map_or(0.0, |moments| moments.mean)
    }

    /// The columns that do not take part, because they are constant in the reference.
    #[must_use]
    pub fn dropped_columns(&self) -> Vec<usize> {
        self.scaler.dropped()
    }

    /// Rows of the reference that were left out, because they are not complete.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    fn error(&self, row: &[f64]) -> f64 {
        let mut rest = row.to_vec();
        for component in self.components.iter() {
            let along = dot(row, component);
            for (value, direction) in rest.iter_mut().zip(component) {
                *value -= along * direction;
            }
        }
        dot(&rest, &rest).sqrt()
    }
}

impl TryFrom<RawComponents> for PrincipalComponents {
    type Error = DriftError;

    fn try_from(raw: RawComponents) -> Result<Self, DriftError> {
        raw.settings.validate()?;
        let kept = raw.explained.len();
        if raw.components.len() != kept
            || raw.components.width() != raw.scaler.kept()
            || kept > raw.scaler.kept()
            || (kept == 0) != (raw.scaler.kept() == 0)
        {
            return Err(invalid("its components are not those of its columns"));
        }
        if !raw
            .explained
            .iter()
            .all(|share| (0.0..=1.0 + 1e-9).contains(share))
        {
            return Err(invalid("a component explains no share of the variance"));
        }
        if raw
            .components
            .iter()
            .any(|one| (dot(one, one) - 1.0).abs() > 1e-9)
        {
            return Err(invalid("a component has not length one"));
        }
        if !raw
            .held_out
            .iter()
            .all(|error| (0.0..=MOST_ERROR).contains(error))
        {
            return Err(invalid("an error is not a distance"));
        }
        Ok(Self {
            settings: raw.settings,
            scaler: raw.scaler,
            components: raw.components,
            explained: raw.explained,
            held_out: raw.held_out,
            left_out: raw.left_out,
        })
    }
}

/// Every other complete row of the reference, and the rest.
struct Halves {
    fitted: Matrix,
    held_out: Matrix,
    left_out: u64,
}

impl Halves {
    fn of(reference: &Matrix) -> Result<Self, DriftError> {
        let complete = complete_rows(reference);
        let half = |parity: usize| {
            let columns = reference.columns().iter().map(|column| {
                let whole = column.iter().zip(&complete).filter(|(_, whole)| **whole);
                whole
                    .map(|(x, _)| *x)
                    .skip(parity)
                    .step_by(2)
                    .collect::<Vec<f64>>()
            });
            Matrix::from_columns(columns.collect())
        };
        Ok(Self {
            fitted: half(0)?,
            held_out: half(1)?,
            left_out: complete.iter().filter(|whole| !**whole).count() as u64,
        })
    }
}

/// The mean product of every two columns of rows whose columns have mean 0.
fn covariance(rows: &Rows) -> Vec<f64> {
    let width = rows.width();
    let mut sums = vec![0.0; width * width];
    for row in rows.iter() {
        for (line, x) in sums.chunks_exact_mut(width.max(1)).zip(row) {
            for (sum, y) in line.iter_mut().zip(row) {
                *sum += x * y;
            }
        }
    }
    let n = rows.len().max(1) as f64;
    sums.iter().map(|sum| sum / n).collect()
}

/// The share of the whole that each eigenvalue is; rounding may make the smallest a hair negative.
fn shares(eigen: &[Eigen]) -> Vec<f64> {
    let total: f64 = eigen.iter().map(|one| one.value.max(0.0)).sum();
    eigen
        .iter()
        .map(|one| {
            if total > 0.0 {
                one.value.max(0.0) / total
            } else {
                0.0
            }
        })
        .collect()
}

/// The fewest components that explain more than the share wanted; all where none do.
fn components_for(shares: &[f64], wanted: f64) -> usize {
    let mut explained = 0.0;
    for (index, share) in shares.iter().enumerate() {
        explained += share;
        if explained > wanted {
            return index + 1;
        }
    }
    shares.len()
}

const MOST_COLUMNS: usize = 512;

/// A change of the mean error by a tenth is worth knowing of.
const RELEVANT_SHARE: f64 = 0.1;

/// 512 columns of values cut off at 1e9 are not further apart than this.
const MOST_ERROR: f64 = 1e12;

#[derive(Deserialize)]
struct RawComponents {
    settings: PrincipalComponentsSettings,
    scaler: Scaler,
    components: Rows,
    explained: Vec<f64>,
    held_out: Vec<f64>,
    left_out: u64,
}
