use std::error::Error;
use std::fmt;

use noops_core::{Share, Timestamp};

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
    /// A sample has fewer values than the method needs.
    TooFew {
        /// The sample.
        column: &'static str,
        /// The values it needs.
        needed: usize,
        /// The values it has.
        found: usize,
    },
    /// A value is NaN or infinite.
    NotFinite {
        /// The column that holds it.
        column: &'static str,
        /// The row, counted from zero.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// All values are the same, so nothing can be compared.
    Constant {
        /// The sample, or the samples.
        column: &'static str,
    },
    /// An argument cannot be worked with.
    Input {
        /// The argument.
        input: &'static str,
        /// What is wrong with it and what to do.
        reason: &'static str,
    },
    /// A named part of a specification (a metric, a stage, an arm, a ring) cannot be used.
    Specification {
        /// The part, for example `metric latency`.
        part: String,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// An event is from further before the latest one than is allowed.
    TimeBackwards {
        /// When the latest event was.
        latest: Timestamp,
        /// When this one was.
        found: Timestamp,
    },
    /// A stored state contradicts itself: it was altered, damaged or written by another program.
    State {
        /// The type of the state.
        state: &'static str,
        /// The contradiction.
        reason: &'static str,
    },
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
            Self::TooFew {
                column,
                needed,
                found,
            } => write!(
                f,
                "column `{column}` has `{found}` values; pass at least `{needed}`"
            ),
            Self::NotFinite { column, row, value } => write!(
                f,
                "column `{column}` holds `{value}` in row `{row}`; pass finite numbers"
            ),
            Self::Constant { column } => write!(
                f,
                "all values of `{column}` are the same; pass values that vary"
            ),
            Self::Input { input, reason } => write!(f, "input `{input}` {reason}"),
            Self::Specification { part, reason } => write!(f, "{part} {reason}"),
            Self::TimeBackwards { latest, found } => write!(
                f,
                "an event of `{found}` came after one of `{latest}`; show events in the order of their time, or allow for more lateness"
            ),
            Self::State { state, reason } => write!(
                f,
                "the stored `{state}` contradicts itself: {reason}; start a new one"
            ),
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
