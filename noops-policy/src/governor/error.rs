use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

/// Why a setting, an observation or a stored state of the governor was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GovernorError {
    /// A back-off whose factor would shorten it.
    BackoffFactor,
    /// A back-off whose cap is below its base.
    BackoffCap {
        /// The base.
        base: Duration,
        /// The cap.
        cap: Duration,
    },
    /// A fleet of which more are healthy than there are.
    Fleet {
        /// Its selector.
        selector: String,
        /// How many there are.
        size: u64,
        /// How many are said to be healthy.
        healthy: u64,
    },
    /// A fleet without a selector, or with one that is too long.
    Selector {
        /// The bytes of the selector.
        bytes: usize,
    },
    /// A stored state with something that happened after its own latest time.
    Future {
        /// When it is said to have happened.
        at: Timestamp,
        /// The latest time of the state.
        latest: Option<Timestamp>,
    },
    /// A stored state with more of something than a governor ever keeps.
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        count: usize,
        /// How much there may be.
        limit: usize,
    },
}

impl fmt::Display for GovernorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BackoffFactor => write!(f, "the factor of a back-off is `0`; use `1` or more"),
            Self::BackoffCap { base, cap } => write!(
                f,
                "the cap `{cap:?}` of a back-off is below its base `{base:?}`; raise the cap"
            ),
            Self::Fleet {
                selector,
                size,
                healthy,
            } => write!(
                f,
                "fleet `{selector}` has `{healthy}` healthy of `{size}`; count it again"
            ),
            Self::Selector { bytes } => write!(
                f,
                "the selector of a fleet has `{bytes}` bytes and must be a name; name what was counted"
            ),
            Self::Future { at, latest } => match latest {
                Some(latest) => write!(
                    f,
                    "the stored governor has a record of `{at}`, after its latest time `{latest}`; restore an intact state"
                ),
                None => write!(
                    f,
                    "the stored governor has a record of `{at}` but no latest time; restore an intact state"
                ),
            },
            Self::TooMuch { what, count, limit } => write!(
                f,
                "the stored governor has `{count}` {what}, more than `{limit}`; restore an intact state"
            ),
        }
    }
}

impl std::error::Error for GovernorError {}
