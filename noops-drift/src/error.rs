use std::error::Error;
use std::fmt;

use noops_core::Digest;

/// Why a profile, a count or a comparison could not be made.
///
/// Nothing is half done when one of these comes back: a frame that fails in one column is counted in none.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DriftError {
    /// The reference has no row to learn from.
    NoRows,
    /// A column that is needed is not in the frame.
    MissingColumn {
        /// The column that was looked for.
        column: String,
    },
    /// Two columns have the same name.
    DuplicateColumn {
        /// The name that occurs twice.
        column: String,
    },
    /// A column holds values that cannot be profiled.
    UnsupportedType {
        /// The column.
        column: String,
        /// Its Arrow type.
        data_type: String,
    },
    /// A column holds numbers where the profile (or an earlier batch) has categories, or the other way round, or times in another unit.
    TypeChanged {
        /// The column.
        column: String,
        /// What was expected: `number`, `category`, or a unit such as `timestamp in seconds`.
        expected: &'static str,
        /// What was found.
        found: &'static str,
    },
    /// A text column has more different values than a profile may list.
    TooManyCategories {
        /// The column.
        column: String,
        /// The limit of the settings.
        limit: usize,
    },
    /// Counts, gate and profile do not belong together.
    ProfileMismatch {
        /// The digest of the profile that was handed in.
        profile: Digest,
        /// The digest of the profile the counts or the gate were made for.
        made_for: Digest,
    },
    /// Counts carry the right digest but not the shape of the profile, so they were altered or damaged.
    MalformedCounts {
        /// The first column that does not fit, or `*` when the number of columns differs.
        column: String,
    },
    /// Values without a column name were handed to a profile that is not one numeric column.
    NotOneNumber {
        /// How many columns the profile has.
        columns: usize,
    },
    /// Two lists of cell counts differ in length.
    UnequalCells {
        /// Cells of the reference.
        reference: usize,
        /// Cells of the current data.
        current: usize,
    },
    /// A setting is outside the values that make sense.
    InvalidSetting {
        /// The setting.
        setting: &'static str,
        /// The value it has.
        value: f64,
        /// The values it may have.
        allowed: &'static str,
    },
    /// An argument cannot be worked with.
    InvalidInput {
        /// The argument.
        input: &'static str,
        /// What is wrong with it and what to pass instead.
        reason: String,
    },
    /// A stored state contradicts itself.
    InvalidState {
        /// The state that was read.
        state: &'static str,
        /// The contradiction.
        reason: String,
    },
    /// A stored profile contradicts itself.
    InvalidProfile {
        /// The contradiction.
        reason: String,
    },
}

impl fmt::Display for DriftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRows => f.write_str("the reference has no rows; pass at least one"),
            Self::MissingColumn { column } => {
                write!(
                    f,
                    "column `{column}` is missing; add it to the frame or leave it out of the profile"
                )
            }
            Self::DuplicateColumn { column } => {
                write!(f, "column `{column}` occurs twice; rename one of them")
            }
            Self::UnsupportedType { column, data_type } => write!(
                f,
                "column `{column}` has type `{data_type}`; cast it to a number or a string, or leave it out"
            ),
            Self::TypeChanged {
                column,
                expected,
                found,
            } => write!(
                f,
                "column `{column}` holds values of kind `{found}` where `{expected}` is expected; cast it or fit a new profile"
            ),
            Self::TooManyCategories { column, limit } => write!(
                f,
                "column `{column}` has more than `{limit}` different texts; leave an identifier out of the profile or raise the limit"
            ),
            Self::ProfileMismatch { profile, made_for } => write!(
                f,
                "profile `{profile}` was passed to something made for profile `{made_for}`; use that profile"
            ),
            Self::MalformedCounts { column } => write!(
                f,
                "the counts of column `{column}` do not have the shape of the profile; count again"
            ),
            Self::NotOneNumber { columns } => write!(
                f,
                "plain values need a profile of one numeric column, this one has `{columns}` columns; observe a record batch"
            ),
            Self::UnequalCells { reference, current } => write!(
                f,
                "`{reference}` reference cells cannot be compared with `{current}` current cells; count both over the same bins"
            ),
            Self::InvalidSetting {
                setting,
                value,
                allowed,
            } => {
                write!(f, "setting `{setting}` is `{value}`; choose {allowed}")
            }
            Self::InvalidInput { input, reason } => write!(f, "input `{input}` {reason}"),
            Self::InvalidState { state, reason } => {
                write!(
                    f,
                    "the stored {state} is invalid: {reason}; start a new one"
                )
            }
            Self::InvalidProfile { reason } => {
                write!(f, "the stored profile is invalid: {reason}; fit it again")
            }
        }
    }
}

impl Error for DriftError {}
