use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ArmTally, LateLabels, Open, Told};
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::labels::settings::LateLabelSettings;

/// What is stored of [`LateLabels`]: everything but what follows from it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLateLabels {
    settings: LateLabelSettings,
    open: BTreeMap<String, Open>,
    waiting: BTreeMap<String, Told>,
    settled: BTreeMap<String, i64>,
    released_before: Option<i64>,
    champion: ArmTally,
    challenger: ArmTally,
    late: u64,
    duplicates: u64,
    late_exposures: u64,
    unmatched: u64,
    contradictory: u64,
}

impl TryFrom<RawLateLabels> for LateLabels {
    type Error = CanaryError;

    fn try_from(raw: RawLateLabels) -> Result<Self, CanaryError> {
        let mut labels = Self::new(raw.settings)?;
        let refused = |reason| {
            Err(CanaryError::State {
                state: "LateLabels",
                reason,
            })
        };
        let counts = |arm: Arm| {
            raw.open
                .values()
                .filter(move |open| open.exposure.arm() == arm)
        };
        if counts(Arm::Champion).count() as u64 != raw.champion.open
            || counts(Arm::Challenger).count() as u64 != raw.challenger.open
        {
            return refused("the open exposures are not as many as were counted");
        }
        if raw.open.len().saturating_add(raw.waiting.len()) > raw.settings.capacity() {
            return refused("more wait than the capacity allows");
        }
        if raw.waiting.keys().any(|id| raw.open.contains_key(id)) {
            return refused("a label waits for an exposure that is there");
        }
        let settled = |id: &String| raw.settled.contains_key(id);
        if raw.open.keys().any(settled) || raw.waiting.keys().any(settled) {
            return refused("a released exposure waits as well");
        }
        let labels_told = raw.open.values().filter_map(|open| open.label);
        let mut told = raw.waiting.values().copied().chain(labels_told);
        if told.any(|told| !told.value.is_finite()) {
            return refused("a label is not a finite number");
        }
        labels.released_before = raw.released_before;
        for (id, open) in &raw.open {
            let bucket = labels.bucket_of(open.exposure.served_at());
            if labels.is_released(bucket) {
                return refused("an open exposure is in a released bucket");
            }
            let arrivals = labels.arrivals.entry(bucket).or_default();
            arrivals.insert(id.clone());
        }
        let unreleased = |bucket: &i64| !labels.is_released(*bucket);
        if raw.settled.values().any(unreleased) {
            return refused("a released exposure is in a bucket that is not");
        }
        Ok(Self {
            open: raw.open,
            waiting: raw.waiting,
            settled: raw.settled,
            champion: raw.champion,
            challenger: raw.challenger,
            late: raw.late,
            duplicates: raw.duplicates,
            late_exposures: raw.late_exposures,
            unmatched: raw.unmatched,
            contradictory: raw.contradictory,
            ..labels
        })
    }
}

impl From<LateLabels> for RawLateLabels {
    fn from(labels: LateLabels) -> Self {
        Self {
            settings: labels.settings,
            open: labels.open,
            waiting: labels.waiting,
            settled: labels.settled,
            released_before: labels.released_before,
            champion: labels.champion,
            challenger: labels.challenger,
            late: labels.late,
            duplicates: labels.duplicates,
            late_exposures: labels.late_exposures,
            unmatched: labels.unmatched,
            contradictory: labels.contradictory,
        }
    }
}
