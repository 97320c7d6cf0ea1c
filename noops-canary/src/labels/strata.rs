use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::matured::Matured;
use crate::assignment::Arm;
use crate::error::CanaryError;

/// Matured exposures counted by arrival bucket and arm, so that only contemporaries are compared.
///
/// # Formula
///
/// With exposures `n`, label sums `s` (0 for a censored exposure) and total `N` in a bucket, arms 0 and 1 for champion and
/// candidate, and sums over buckets: the difference is `Σ (s1 n0 - s0 n1) / N  /  Σ n1 n0 / N` and the ratio
/// `Σ s1 n0 / N  /  Σ s0 n1 / N` (Mantel and Haenszel; Greenland and Robins 1985). A bucket with one arm only says nothing
/// about the other and has no weight.
///
/// # Numerical notes
///
/// These are estimates. For a decision feed the matured exposures to a test that is stratified or ramp-aware too.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::labels::{ArrivalStrata, LabelledExposure, LateLabelSettings, LateLabels};
/// use noops_core::{Share, Timestamp};
///
/// let mut labels = LateLabels::new(LateLabelSettings::default())?;
/// for (id, arm) in [("a", Arm::Champion), ("b", Arm::Challenger)] {
///     let served_at = Timestamp::from_second(10)?;
///     labels.observe_exposure(id, LabelledExposure::new(served_at, arm, Share::from_ratio(0.5)?))?;
///     labels.observe_label(id, Timestamp::from_second(60)?, 1.0)?;
/// }
/// let mut strata = ArrivalStrata::default();
/// for matured in labels.release_before(Timestamp::from_second(100_000)?) {
///     strata.add(&matured);
/// }
/// assert_eq!(strata.ratio(), Some(1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArrivalStrata {
    strata: BTreeMap<i64, ArrivalStratum>,
}

impl ArrivalStrata {
    /// Counts an exposure.
    pub fn add(&mut self, matured: &Matured) {
        let stratum = self.strata.entry(matured.bucket()).or_default();
        let counts = match matured.exposure().arm() {
            Arm::Champion => &mut stratum.champion,
            Arm::Challenger => &mut stratum.candidate,
        };
        counts.exposures = counts.exposures.saturating_add(1);
        if let Some(label) = matured.label() {
            counts.labelled = counts.labelled.saturating_add(1);
            // Labels are finite, and so is what a sum of huge ones is held at.
            counts.label_sum = (counts.label_sum + label).clamp(f64::MIN, f64::MAX);
        }
    }

    /// The strata with their buckets, in order of time.
    pub fn strata(&self) -> impl Iterator<Item = (i64, &ArrivalStratum)> {
        self.strata
            .iter()
            .map(|(bucket, stratum)| (*bucket, stratum))
    }

    /// The difference of mean labels per exposure, candidate minus champion; `None` without a bucket that has both arms.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        let (candidate, champion, weight) = self.weighted();
        finite((candidate - champion) / weight)
    }

    /// The ratio of mean labels per exposure, candidate over champion; `None` if the champion has none to compare with.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let (candidate, champion, _) = self.weighted();
        finite(candidate / champion)
    }

    /// Everything in one stratum, which is what must not be compared while the share changes.
    #[must_use]
    pub fn pooled(&self) -> ArrivalStratum {
        let mut pooled = ArrivalStratum::default();
        for stratum in self.strata.values() {
            pooled.champion.merge(&stratum.champion);
            pooled.candidate.merge(&stratum.candidate);
        }
        pooled
    }

    /// The sums of the formula: candidate's and champion's weighted label sums, and the weights.
    fn weighted(&self) -> (f64, f64, f64) {
        let (mut candidate, mut champion, mut weight) = (0.0, 0.0, 0.0);
        for stratum in self.strata.values() {
            let n0 = stratum.champion.exposures as f64;
            let n1 = stratum.candidate.exposures as f64;
            if n0 > 0.0 && n1 > 0.0 {
                let total = n0 + n1;
                candidate += stratum.candidate.label_sum * (n0 / total);
                champion += stratum.champion.label_sum * (n1 / total);
                weight += n1 * (n0 / total);
            }
        }
        (candidate, champion, weight)
    }
}

/// The counts of one arrival bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArrivalStratum {
    champion: ArmCounts,
    candidate: ArmCounts,
}

impl ArrivalStratum {
    /// The champion's counts.
    #[must_use]
    pub fn champion(&self) -> &ArmCounts {
        &self.champion
    }

    /// The candidate's counts.
    #[must_use]
    pub fn candidate(&self) -> &ArmCounts {
        &self.candidate
    }
}

/// The counts of one arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawArmCounts")]
pub struct ArmCounts {
    exposures: u64,
    labelled: u64,
    label_sum: f64,
}

impl ArmCounts {
    /// The matured exposures.
    #[must_use]
    pub fn exposures(&self) -> u64 {
        self.exposures
    }

    /// Those whose label came in time.
    #[must_use]
    pub fn labelled(&self) -> u64 {
        self.labelled
    }

    /// Those whose label did not come in time.
    #[must_use]
    pub fn censored(&self) -> u64 {
        self.exposures.saturating_sub(self.labelled)
    }

    /// The sum of the labels: the number of positives where labels are 0 and 1.
    #[must_use]
    pub fn label_sum(&self) -> f64 {
        self.label_sum
    }

    /// The mean label per exposure, censored ones as 0; `None` without exposures.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        finite(self.label_sum / self.exposures as f64)
    }

    fn merge(&mut self, other: &Self) {
        self.exposures = self.exposures.saturating_add(other.exposures);
        self.labelled = self.labelled.saturating_add(other.labelled);
        self.label_sum = (self.label_sum + other.label_sum).clamp(f64::MIN, f64::MAX);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawArmCounts {
    exposures: u64,
    labelled: u64,
    label_sum: f64,
}

impl TryFrom<RawArmCounts> for ArmCounts {
    type Error = CanaryError;

    fn try_from(raw: RawArmCounts) -> Result<Self, CanaryError> {
        let impossible = raw.labelled == 0 && raw.label_sum != 0.0;
        if raw.labelled > raw.exposures || impossible || !raw.label_sum.is_finite() {
            return Err(CanaryError::State {
                state: "ArmCounts",
                reason: "its labels are more than its exposures, or do not sum to what is stored",
            });
        }
        Ok(Self {
            exposures: raw.exposures,
            labelled: raw.labelled,
            label_sum: raw.label_sum,
        })
    }
}

fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_counts_are_refused() {
        let counts = |exposures: u64, labelled: u64, label_sum: f64| {
            let stored = serde_json::json!({
                "exposures": exposures, "labelled": labelled, "label_sum": label_sum,
            });
            serde_json::from_value::<ArmCounts>(stored)
        };
        assert_eq!(counts(4, 2, 3.0).unwrap().mean(), Some(0.75));
        assert!(counts(2, 3, 1.0).is_err());
        assert!(counts(2, 0, 1.0).is_err());
    }
}
