use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// What a detector is read from, before settings and track are checked against each other.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored<S, T> {
    pub(super) settings: S,
    pub(super) track: T,
    pub(super) ignored: u64,
}

/// Fails with the contradiction unless it holds.
pub(super) fn require(
    state: &'static str,
    holds: bool,
    contradiction: &str,
) -> Result<(), DriftError> {
    if holds {
        Ok(())
    } else {
        Err(DriftError::InvalidState {
            state,
            reason: contradiction.to_owned(),
        })
    }
}

/// Fails unless `value` is at least `least` and at most `most`; NaN is neither.
pub(super) fn check_setting(
    setting: &'static str,
    value: f64,
    least: f64,
    most: f64,
    allowed: &'static str,
) -> Result<(), DriftError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(DriftError::InvalidSetting {
            setting,
            value,
            allowed,
        })
    }
}
