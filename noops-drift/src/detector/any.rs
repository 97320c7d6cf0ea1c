use noops_core::Probability;
use serde::{Deserialize, Serialize};

use super::{
    Adwin, AdwinSettings, Cusum, CusumSettings, Ddm, DdmSettings, Detector, DetectorKind,
    EDetector, EDetectorSettings, Eddm, EddmSettings, Fhddm, FhddmSettings, HddmA, HddmASettings,
    HddmW, HddmWSettings, Kswin, KswinSettings, PageHinkley, PageHinkleySettings, State, is_share,
    is_usable,
};
use crate::error::DriftError;

/// A detector whose kind is chosen at run time, owned and storable.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{AnyDetector, Detector, DetectorKind};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let reference = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
/// let kind: DetectorKind = "adwin".parse()?;
/// let mut detector = AnyDetector::fit(kind, &reference)?;
/// assert!(!detector.update(1.0).is_drift());
/// assert_eq!(detector.name(), "adwin");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AnyDetector {
    /// ADWIN.
    Adwin(Adwin),
    /// The Page–Hinkley test.
    PageHinkley(PageHinkley),
    /// The cumulative sum chart.
    Cusum(Cusum),
    /// The drift detection method.
    Ddm(Ddm),
    /// The early drift detection method.
    Eddm(Eddm),
    /// HDDM-A.
    HddmA(HddmA),
    /// HDDM-W.
    HddmW(HddmW),
    /// FHDDM.
    Fhddm(Fhddm),
    /// KSWIN.
    Kswin(Kswin),
    /// The e-detector.
    EDetector(EDetector),
}

impl AnyDetector {
    /// Makes a detector with default settings, taking from the reference what a default cannot know.
    ///
    /// CUSUM takes mean and standard deviation from it. The e-detector takes the mean, and as tolerance the error it has
    /// with a probability of 5 % (√(ln 20 / 2n), by Hoeffding's inequality for independent rows), so its promise holds with
    /// a confidence of 95 %. The others learn from the stream alone and take nothing: feed them the reference first if it is
    /// to count.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for a CUSUM if the reference has no finite values or all are equal, and for an
    /// e-detector if it has none or one outside \[0, 1\].
    ///
    /// # Complexity
    ///
    /// O(n) for n reference rows.
    pub fn fit(kind: DetectorKind, reference: &[f64]) -> Result<Self, DriftError> {
        Ok(match kind {
            DetectorKind::Adwin => Self::Adwin(Adwin::new(AdwinSettings::default())?),
            DetectorKind::PageHinkley => {
                Self::PageHinkley(PageHinkley::new(PageHinkleySettings::default())?)
            }
            DetectorKind::Cusum => Self::Cusum(fit_cusum(reference)?),
            DetectorKind::Ddm => Self::Ddm(Ddm::new(DdmSettings::default())?),
            DetectorKind::Eddm => Self::Eddm(Eddm::new(EddmSettings::default())?),
            DetectorKind::HddmA => Self::HddmA(HddmA::new(HddmASettings::default())?),
            DetectorKind::HddmW => Self::HddmW(HddmW::new(HddmWSettings::default())?),
            DetectorKind::Fhddm => Self::Fhddm(Fhddm::new(FhddmSettings::default())?),
            DetectorKind::Kswin => Self::Kswin(Kswin::new(KswinSettings::default())?),
            DetectorKind::EDetector => Self::EDetector(fit_e_detector(reference)?),
        })
    }

    /// The kind of the detector.
    #[must_use]
    pub fn kind(&self) -> DetectorKind {
        match self {
            Self::Adwin(_) => DetectorKind::Adwin,
            Self::PageHinkley(_) => DetectorKind::PageHinkley,
            Self::Cusum(_) => DetectorKind::Cusum,
            Self::Ddm(_) => DetectorKind::Ddm,
            Self::Eddm(_) => DetectorKind::Eddm,
            Self::HddmA(_) => DetectorKind::HddmA,
            Self::HddmW(_) => DetectorKind::HddmW,
            Self::Fhddm(_) => DetectorKind::Fhddm,
            Self::Kswin(_) => DetectorKind::Kswin,
            Self::EDetector(_) => DetectorKind::EDetector,
        }
    }

    fn inner(&self) -> &dyn Detector {
        match self {
            Self::Adwin(detector) => detector,
            Self::PageHinkley(detector) => detector,
            Self::Cusum(detector) => detector,
            Self::Ddm(detector) => detector,
            Self::Eddm(detector) => detector,
            Self::HddmA(detector) => detector,
            Self::HddmW(detector) => detector,
            Self::Fhddm(detector) => detector,
            Self::Kswin(detector) => detector,
            Self::EDetector(detector) => detector,
        }
    }
}

impl Detector for AnyDetector {
    fn update(&mut self, value: f64) -> State {
        match self {
            Self::Adwin(detector) => detector.update(value),
            Self::PageHinkley(detector) => detector.update(value),
            Self::Cusum(detector) => detector.update(value),
            Self::Ddm(detector) => detector.update(value),
            Self::Eddm(detector) => detector.update(value),
            Self::HddmA(detector) => detector.update(value),
            Self::HddmW(detector) => detector.update(value),
            Self::Fhddm(detector) => detector.update(value),
            Self::Kswin(detector) => detector.update(value),
            Self::EDetector(detector) => detector.update(value),
        }
    }

    fn reset(&mut self) {
        match self {
            Self::Adwin(detector) => detector.reset(),
            Self::PageHinkley(detector) => detector.reset(),
            Self::Cusum(detector) => detector.reset(),
            Self::Ddm(detector) => detector.reset(),
            Self::Eddm(detector) => detector.reset(),
            Self::HddmA(detector) => detector.reset(),
            Self::HddmW(detector) => detector.reset(),
            Self::Fhddm(detector) => detector.reset(),
            Self::Kswin(detector) => detector.reset(),
            Self::EDetector(detector) => detector.reset(),
        }
    }

    fn name(&self) -> &'static str {
        self.kind().name()
    }

    fn ignored(&self) -> u64 {
        self.inner().ignored()
    }
}

fn fit_cusum(reference: &[f64]) -> Result<Cusum, DriftError> {
    let (mut rows, mut mean, mut squares) = (0_u64, 0.0_f64, 0.0_f64);
    for value in reference.iter().copied().filter(|value| is_usable(*value)) {
        rows += 1;
        let gap = value - mean;
        mean += gap / rows as f64;
        squares += gap * (value - mean);
    }
    let standard_deviation = (squares / rows.saturating_sub(1).max(1) as f64).sqrt();
    if rows < 2 || standard_deviation <= 0.0 {
        return Err(DriftError::InvalidInput {
            input: "reference",
            reason: "has no two different finite values; pass more rows".to_owned(),
        });
    }
    Cusum::new(CusumSettings::default().with_reference(mean, standard_deviation))
}

fn fit_e_detector(reference: &[f64]) -> Result<EDetector, DriftError> {
    let (mut rows, mut sum) = (0_u64, 0.0_f64);
    for value in reference.iter().copied().filter(|value| is_usable(*value)) {
        if !is_share(value) {
            return Err(DriftError::InvalidInput {
                input: "reference",
                reason: format!(
                    "has the value `{value}`, and an e-detector needs values from 0 to 1; scale the column or choose another detector"
                ),
            });
        }
        rows += 1;
        sum += value;
    }
    if rows == 0 {
        return Err(DriftError::InvalidInput {
            input: "reference",
            reason: "has no finite values; pass at least one".to_owned(),
        });
    }
    let mean = Probability::new((sum / rows as f64).clamp(0.0, 1.0)).unwrap_or(Probability::ZERO);
    let tolerance = (20.0_f64.ln() / (2.0 * rows as f64)).sqrt().min(1.0);
    let settings = EDetectorSettings::default()
        .with_reference_mean(mean)
        .with_tolerance(tolerance);
    EDetector::new(settings)
}
