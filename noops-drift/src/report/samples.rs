use serde::{Deserialize, Serialize};

use crate::error::DriftError;
use crate::statistic::{
    Comparison, SortedSample, TestSettings, WassersteinSettings, anderson_darling,
    cramer_von_mises, energy_distance, ks_two_sample, kuiper, mann_whitney, wasserstein,
};

/// What the values of a column themselves say, beyond their counts in bins.
///
/// Each is a plain test of its own, without tolerance, at the error rate of the settings; the verdict of a column does
/// not listen to them, so asking seven questions of every column does not raise its false alarms. Nulls and NaN are left
/// out. Infinities are values for the statistics that only look at the order; the distances that measure along the axis
/// are absent then.
///
/// Filled by [`DriftReport::of_frames`](crate::DriftReport::of_frames).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleStatistics {
    ks: Comparison,
    kuiper: Comparison,
    cramer_von_mises: Comparison,
    anderson_darling: Comparison,
    mann_whitney: Comparison,
    wasserstein: Option<Comparison>,
    energy: Option<Comparison>,
}

impl SampleStatistics {
    pub(super) fn compare(
        reference: &SortedSample,
        current: &SortedSample,
        settings: &TestSettings,
    ) -> Result<Self, DriftError> {
        let unscaled = WassersteinSettings::from(settings.clone());
        Ok(Self {
            ks: ks_two_sample(reference, current, settings)?,
            kuiper: kuiper(reference, current, settings)?,
            cramer_von_mises: cramer_von_mises(reference, current, settings)?,
            anderson_darling: anderson_darling(reference, current, settings)?,
            mann_whitney: mann_whitney(reference, current, settings)?,
            wasserstein: if_measurable(wasserstein(reference, current, &unscaled))?,
            energy: if_measurable(energy_distance(reference, current, settings))?,
        })
    }

    /// The Kolmogorov–Smirnov test.
    pub fn ks(&self) -> &Comparison {
        &self.ks
    }

    /// Kuiper's test.
    pub fn kuiper(&self) -> &Comparison {
        &self.kuiper
    }

    /// The Cramér–von Mises test.
    pub fn cramer_von_mises(&self) -> &Comparison {
        &self.cramer_von_mises
    }

    /// The Anderson–Darling test.
    pub fn anderson_darling(&self) -> &Comparison {
        &self.anderson_darling
    }

    /// The Mann–Whitney test.
    pub fn mann_whitney(&self) -> &Comparison {
        &self.mann_whitney
    }

    /// The Wasserstein-1 distance, in the unit of the values; nothing with infinite values, or with values too far
    /// apart for it to be a number.
    pub fn wasserstein(&self) -> Option<&Comparison> {
        self.wasserstein.as_ref()
    }

    /// The energy distance; nothing where [`wasserstein`](Self::wasserstein) is nothing.
    pub fn energy(&self) -> Option<&Comparison> {
        self.energy.as_ref()
    }
}

/// A distance along the axis has no value for some samples, which is no reason to withhold the others.
fn if_measurable(
    outcome: Result<Comparison, DriftError>,
) -> Result<Option<Comparison>, DriftError> {
    match outcome {
        Ok(comparison) => Ok(Some(comparison)),
        Err(DriftError::InvalidInput { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
