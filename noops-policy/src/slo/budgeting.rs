use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::slo::{SloError, Target, duration_text};

/// What an error budget counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum BudgetingMethod {
    /// Events.
    #[default]
    Occurrences,
    /// Slices of time, each good if at least `target` of its events were. A slice without events is not counted.
    Timeslices {
        /// The length of a slice.
        slice: Slice,
        /// The part of a slice's events that makes it good.
        target: Target,
    },
    /// Slices of time, each counted as the part of its events that was good. A slice without events is not counted.
    RatioTimeslices {
        /// The length of a slice.
        slice: Slice,
    },
}

/// The length of a slice: whole seconds between ten seconds and a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawSlice", into = "RawSlice")]
pub struct Slice(Duration);

impl Slice {
    /// Checks the length.
    ///
    /// # Errors
    ///
    /// [`SloError::Duration`] for less than ten seconds, more than a day, and fractions of a second.
    pub fn new(length: Duration) -> Result<Self, SloError> {
        if length.subsec_nanos() == 0 && (10..=86_400).contains(&length.as_secs()) {
            Ok(Self(length))
        } else {
            Err(SloError::Duration {
                what: "a slice",
                given: duration_text::format(length),
                allowed: "whole seconds between `10s` and `1d`".to_owned(),
            })
        }
    }

    /// The length.
    pub fn length(self) -> Duration {
        self.0
    }
}

#[derive(Serialize, Deserialize)]
struct RawSlice(#[serde(with = "duration_text")] Duration);

impl TryFrom<RawSlice> for Slice {
    type Error = SloError;

    fn try_from(raw: RawSlice) -> Result<Self, SloError> {
        Self::new(raw.0)
    }
}

impl From<Slice> for RawSlice {
    fn from(slice: Slice) -> Self {
        Self(slice.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_that_no_window_could_hold_are_refused() {
        for (length, ok) in [
            (9_999, false),
            (10_000, true),
            (10_500, false),
            (86_401_000, false),
        ] {
            assert_eq!(
                Slice::new(Duration::from_millis(length)).is_ok(),
                ok,
                "{length}"
            );
        }
        assert!(serde_json::from_str::<Slice>("\"1m\"").is_ok());
        assert!(serde_json::from_str::<Slice>("\"1s\"").is_err());
        let unknown = r#"{"timeslices":{"slice":"1m","target":0.9,"x":1}}"#;
        assert!(serde_json::from_str::<BudgetingMethod>(unknown).is_err());
    }
}
