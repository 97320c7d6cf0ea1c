use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// The kinds of detectors, by the names that users type.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::DetectorKind;
///
/// assert_eq!("hddm-w".parse(), Ok(DetectorKind::HddmW));
/// let error = "hdmm".parse::<DetectorKind>().unwrap_err();
/// assert!(error.to_string().contains("hddm-w"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DetectorKind {
    /// ADWIN.
    Adwin,
    /// The Page–Hinkley test.
    PageHinkley,
    /// The cumulative sum chart.
    Cusum,
    /// The drift detection method.
    Ddm,
    /// The early drift detection method.
    Eddm,
    /// HDDM-A.
    HddmA,
    /// HDDM-W.
    HddmW,
    /// FHDDM.
    Fhddm,
    /// KSWIN.
    Kswin,
    /// The e-detector.
    EDetector,
}

impl DetectorKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Adwin,
        Self::PageHinkley,
        Self::Cusum,
        Self::Ddm,
        Self::Eddm,
        Self::HddmA,
        Self::HddmW,
        Self::Fhddm,
        Self::Kswin,
        Self::EDetector,
    ];

    /// The kind of this name; underscores count as hyphens, and case does not matter.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] with all names if there is no such kind.
    pub fn from_name(name: &str) -> Result<Self, DriftError> {
        let wanted = name.trim().to_ascii_lowercase().replace('_', "-");
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == wanted)
            .ok_or_else(|| DriftError::InvalidInput {
                input: "detector",
                reason: format!(
                    "has no kind `{name}`; choose one of {}",
                    Self::ALL.map(|kind| format!("`{kind}`")).join(", ")
                ),
            })
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Adwin => "adwin",
            Self::PageHinkley => "page-hinkley",
            Self::Cusum => "cusum",
            Self::Ddm => "ddm",
            Self::Eddm => "eddm",
            Self::HddmA => "hddm-a",
            Self::HddmW => "hddm-w",
            Self::Fhddm => "fhddm",
            Self::Kswin => "kswin",
            Self::EDetector => "e-detector",
        }
    }

    /// Whether it watches errors or error rates, so that values outside \[0, 1\] are ignored.
    #[must_use]
    pub fn needs_shares(self) -> bool {
        !matches!(
            self,
            Self::Adwin | Self::PageHinkley | Self::Cusum | Self::Kswin
        )
    }
}

impl FromStr for DetectorKind {
    type Err = DriftError;

    fn from_str(name: &str) -> Result<Self, DriftError> {
        Self::from_name(name)
    }
}

impl fmt::Display for DetectorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
