use std::error::Error;
use std::fmt;

use noops_core::Share;

/// Why a canary input was refused.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CanaryError {
    /// A setting is outside the values for which the method is valid.
    Setting {
        /// The name of the setting.
        name: &'static str,
        /// The value that was given.
        value: f64,
        /// The values that are accepted.
        allowed: &'static str,
    },
    /// The minimum duration of a stage is above its maximum. Stage `0` is the shadow stage.
    GateDurations {
        /// The position of the stage in the plan.
        stage: usize,
    },
    /// A ramp stage does not raise the share.
    ShareNotRaised {
        /// The position of the ramp stage.
        index: usize,
        /// The share of that stage.
        share: Share,
        /// The share in force before it.
        previous: Share,
    },
    /// Two columns that describe the same rows have different lengths.
    Length {
        /// The column that differs.
        column: &'static str,
        /// The number of rows expected.
        expected: usize,
        /// The number of rows found.
        found: usize,
    },
    /// A prediction is not a probability.
    NotAProbability {
        /// The column that holds it.
        column: &'static str,
        /// The row, counted from zero.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// There are no rows.
    Empty,
}

impl fmt::Display for CanaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting {
                name,
                value,
                allowed,
            } => write!(f, "`{name}` is `{value}`; set it to a value {allowed}"),
            Self::GateDurations { stage } => write!(
                f,
                "stage `{stage}` has a minimum duration above its maximum; lower `min_duration` or raise `max_duration`"
            ),
            Self::ShareNotRaised {
                index,
                share,
                previous,
            } => write!(
                f,
                "ramp stage `{index}` has share `{} ppm` after `{} ppm`; give each stage a larger share than the one before",
                share.ppm(),
                previous.ppm()
            ),
            Self::Length {
                column,
                expected,
                found,
            } => write!(
                f,
                "column `{column}` has `{found}` rows where `{expected}` are expected; pass columns of equal length"
            ),
            Self::NotAProbability { column, row, value } => write!(
                f,
                "column `{column}` holds `{value}` in row `{row}`; pass probabilities from 0 to 1"
            ),
            Self::Empty => write!(f, "there are no rows; pass at least one"),
        }
    }
}

impl Error for CanaryError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_culprit() {
        let error = CanaryError::NotAProbability {
            column: "candidate",
            row: 7,
            value: 1.5,
        };
        let text = error.to_string();
        assert!(text.contains("`candidate`"));
        assert!(text.contains("`7`"));
        assert!(text.contains("`1.5`"));
    }
}
