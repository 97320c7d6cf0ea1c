use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use noops_core::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::later;

/// How long a failed candidate may not start again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quarantining {
    /// Never again under this digest, unless a person releases it: trying the same artifact until it passes is no test.
    #[default]
    Forever,
    /// For a time.
    For(Duration),
}

impl Quarantining {
    pub(super) fn until(self, failed_at: Timestamp) -> Until {
        match self {
            Self::Forever => Until::Forever,
            Self::For(duration) => Until::Time(later(failed_at, duration)),
        }
    }
}

/// The end of a quarantine. Later ends compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// It ends at this time.
    Time(Timestamp),
    /// It does not end by itself.
    Forever,
}

/// Why a candidate may not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartRefused {
    /// This artifact failed before.
    Quarantined {
        /// Until when it may not start.
        until: Until,
    },
    /// Another rollout failed a short time ago.
    CoolingDown {
        /// Until when none may start.
        until: Timestamp,
    },
}

impl fmt::Display for StartRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quarantined {
                until: Until::Forever,
            } => write!(
                f,
                "the candidate failed before; build a new one or release this one"
            ),
            Self::Quarantined {
                until: Until::Time(until),
            } => write!(f, "the candidate failed before; wait until `{until}`"),
            Self::CoolingDown { until } => {
                write!(f, "a rollout failed a short time ago; wait until `{until}`")
            }
        }
    }
}

impl Error for StartRefused {}

/// The artifacts that failed, by digest, and the cool-down after the last failure.
///
/// Entries only get longer, so writing one twice, or two in either order, comes to the same. A clock that goes backwards makes an
/// entry last longer. Only [`release`](Self::release), a person's word, shortens anything.
///
/// # Examples
///
/// ```
/// use noops_canary::rollout::{Quarantine, Until};
/// use noops_core::{Digest, Timestamp};
///
/// let mut book = Quarantine::default();
/// let (failed, fixed) = (Digest::of(b"fraud-7"), Digest::of(b"fraud-8"));
/// let now = Timestamp::from_second(100)?;
/// book.record(failed, Until::Forever, Timestamp::from_second(200)?);
/// assert!(book.may_start(fixed, now).is_err());
///
/// let later = Timestamp::from_second(200)?;
/// assert!(book.may_start(fixed, later).is_ok());
/// assert!(book.may_start(failed, later).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    candidates: BTreeMap<Digest, Until>,
    cool_down_until: Option<Timestamp>,
}

impl Quarantine {
    /// Whether a rollout of `candidate` may start.
    ///
    /// # Errors
    ///
    /// Says why not, and until when.
    pub fn may_start(&self, candidate: Digest, now: Timestamp) -> Result<(), StartRefused> {
        if let Some(&until) = self.candidates.get(&candidate)
            && until > Until::Time(now)
        {
            return Err(StartRefused::Quarantined { until });
        }
        match self.cool_down_until {
            Some(until) if until > now => Err(StartRefused::CoolingDown { until }),
            _ => Ok(()),
        }
    }

    /// Carries out [`Command::Quarantine`](super::Command::Quarantine).
    pub fn record(&mut self, candidate: Digest, until: Until, cool_down_until: Timestamp) {
        let entry = self.candidates.entry(candidate).or_insert(until);
        *entry = until.max(*entry);
        self.cool_down_until = self.cool_down_until.max(Some(cool_down_until));
    }

    /// Lets a candidate start again, on a person's word. The cool-down stays.
    ///
    /// A [`Command::Quarantine`](super::Command::Quarantine) that was not acknowledged puts it back: acknowledge first.
    pub fn release(&mut self, candidate: Digest) {
        self.candidates.remove(&candidate);
    }

    /// Forgets what has ended.
    pub fn forget_ended(&mut self, now: Timestamp) {
        self.candidates.retain(|_, until| *until > Until::Time(now));
        self.cool_down_until = self.cool_down_until.filter(|until| *until > now);
    }

    /// The artifacts in quarantine, ended entries that were not forgotten included.
    pub fn candidates(&self) -> impl Iterator<Item = (Digest, Until)> + '_ {
        self.candidates
            .iter()
            .map(|(&candidate, &until)| (candidate, until))
    }
}
