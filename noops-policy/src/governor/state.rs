use std::collections::BTreeMap;

use jiff::Timestamp;
use noops_core::Digest;
use serde::Deserialize;

use super::error::GovernorError;
use super::fence::FenceGuard;
use super::frozen::Frozen;
use super::run::Run;
use super::settings::GovernorSettings;
use super::{Governor, Switch};

/// A governor as it is stored, before it is believed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGovernor {
    settings: GovernorSettings,
    switch: Switch,
    latest: Option<Timestamp>,
    runs: Vec<Run>,
    #[serde(default)]
    frozen: BTreeMap<String, Frozen>,
    #[serde(default)]
    looks: BTreeMap<String, u64>,
    #[serde(default)]
    keys: BTreeMap<Digest, Timestamp>,
    #[serde(default)]
    fence: FenceGuard,
    #[serde(default)]
    overflow: Option<Timestamp>,
    #[serde(default)]
    kills: u64,
}

impl TryFrom<RawGovernor> for Governor {
    type Error = GovernorError;

    /// A record of the future would count for longer than anything that happened; it is no state of ours.
    fn try_from(raw: RawGovernor) -> Result<Self, GovernorError> {
        for (what, count, limit) in [
            ("runs", raw.runs.len(), Self::MAX_RUNS),
            ("frozen targets", raw.frozen.len(), Self::MAX_RUNS),
            ("idempotency keys", raw.keys.len(), Self::MAX_RUNS),
            ("fleets", raw.looks.len(), Self::MAX_FLEETS),
        ] {
            if count > limit {
                return Err(GovernorError::TooMuch { what, count, limit });
            }
        }
        let runs = raw.runs.iter().map(|run| run.at);
        let frozen = raw.frozen.values().map(Frozen::turned);
        let latest = raw.latest;
        let past = |at: &Timestamp| latest.is_some_and(|latest| *at <= latest);
        let mut times = runs.chain(frozen).chain(raw.keys.values().copied());
        if let Some(at) = times.find(|at| !past(at)) {
            return Err(GovernorError::Future { at, latest });
        }
        let mut runs = raw.runs;
        // Rows and reversals are read in the order of time.
        runs.sort_by_key(|run| run.at);
        Ok(Self {
            settings: raw.settings,
            switch: raw.switch,
            latest,
            runs,
            frozen: raw.frozen,
            looks: raw.looks,
            keys: raw.keys,
            fence: raw.fence,
            overflow: raw.overflow,
            kills: raw.kills,
        })
    }
}
