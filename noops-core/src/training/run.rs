use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// The name of a training run, which follows from what it does.
///
/// `run-` and 40 hexadecimal digits in lower case: safe as a file name, a URL segment, a Ray submission id and a Kubernetes name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// The name of the run with a digest.
    #[must_use]
    pub fn of(digest: &Digest) -> Self {
        let digits: String = digest.to_string().chars().take(DIGITS).collect();
        Self(format!("{PREFIX}{digits}"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RunId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        let fits = text
            .strip_prefix(PREFIX)
            .is_some_and(|digits| digits.len() == DIGITS && digits.chars().all(is_digit));
        if fits {
            return Ok(Self(text.to_owned()));
        }
        let message = "a run is named `run-` and 40 hex digits in lower case";
        let shown: String = text.chars().take(80).collect();
        Err(
            Error::new(ErrorKind::Invalid, "read the name of a run", message)
                .with("text", shown.escape_debug()),
        )
    }
}

impl TryFrom<String> for RunId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> Self {
        run.0
    }
}

/// The last sign of life of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// When it came.
    pub at: Timestamp,
    /// The last step that was reported, 0 before the first.
    pub step: u64,
    /// The measure at that step, where one was reported; always finite.
    pub value: Option<f64>,
}

/// How far a run is. [`Succeeded`](Self::Succeeded), [`Failed`](Self::Failed), [`Cancelled`](Self::Cancelled) and
/// [`TimedOut`](Self::TimedOut) are terminal: a run never leaves them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunStatus {
    /// It has been accepted and waits for its turn.
    Pending,
    /// It runs.
    Running {
        /// Since when; the deadline counts from here.
        since: Timestamp,
        /// The last sign of life.
        heartbeat: Heartbeat,
    },
    /// It gave an artifact.
    Succeeded {
        /// The address of the artifact.
        artifact: Digest,
        /// What was measured, by name; always finite.
        metrics: BTreeMap<String, f64>,
    },
    /// It ended without an artifact.
    Failed {
        /// Why, for a person.
        reason: String,
    },
    /// It was told to stop.
    Cancelled,
    /// It took longer than its deadline.
    TimedOut,
}

/// What happened to a run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RunEvent {
    /// It began.
    Started,
    /// It showed that it is alive, without progress to tell.
    Alive,
    /// It finished a step.
    Progressed {
        /// The step.
        step: u64,
        /// The measure at that step.
        value: Option<f64>,
    },
    /// Somebody looked whether it is late.
    Checked {
        /// How long it may run.
        deadline: Duration,
        /// How long it may be silent, if silence is limited.
        heartbeat_limit: Option<Duration>,
    },
    /// It gave an artifact.
    Succeeded {
        /// The address of the artifact.
        artifact: Digest,
        /// What was measured, by name.
        metrics: BTreeMap<String, f64>,
    },
    /// It broke.
    Failed {
        /// Why, for a person.
        reason: String,
    },
    /// It was told to stop.
    Cancelled,
}

impl RunStatus {
    /// Whether the run has ended for good.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        !matches!(self, Self::Pending | Self::Running { .. })
    }

    /// The artifact of a run that succeeded.
    #[must_use]
    pub fn artifact(&self) -> Option<Digest> {
        match self {
            Self::Succeeded { artifact, .. } => Some(*artifact),
            _ => None,
        }
    }

    /// The status after an event.
    ///
    /// Terminal states absorb every event. A clock that went backwards never makes a heartbeat older, a step that arrives late
    /// never takes progress back, and a sign of life starts a pending run. A check at `now` gives
    /// [`TimedOut`](Self::TimedOut) from `since + deadline` on, else [`Failed`](Self::Failed) once the last heartbeat is older
    /// than the limit. A run that reports a metric that is not finite has failed: no reader could take it for a measure.
    #[must_use]
    pub fn advance(self, event: RunEvent, now: Timestamp) -> Self {
        let started = Self::Running {
            since: now,
            heartbeat: Heartbeat {
                at: now,
                step: 0,
                value: None,
            },
        };
        match (self, event) {
            (Self::Pending, RunEvent::Started | RunEvent::Alive) => started,
            (Self::Pending, event @ RunEvent::Progressed { .. }) => started.advance(event, now),
            (Self::Running { since, heartbeat }, RunEvent::Alive) => Self::Running {
                since,
                heartbeat: Heartbeat {
                    at: heartbeat.at.max(now),
                    ..heartbeat
                },
            },
            (Self::Running { since, heartbeat }, RunEvent::Progressed { step, value }) => {
                Self::Running {
                    since,
                    heartbeat: heartbeat.progressed(step, value, now),
                }
            }
            (
                Self::Running { since, heartbeat },
                RunEvent::Checked {
                    deadline,
                    heartbeat_limit,
                },
            ) => {
                if now.duration_since(since) >= signed(deadline) {
                    return Self::TimedOut;
                }
                let silent = now.duration_since(heartbeat.at);
                match heartbeat_limit {
                    Some(limit) if silent > signed(limit) => Self::failed(format!(
                        "no heartbeat since {}, longer than the limit of {} s",
                        heartbeat.at,
                        limit.as_secs_f64()
                    )),
                    _ => Self::Running { since, heartbeat },
                }
            }
            (Self::Pending | Self::Running { .. }, RunEvent::Succeeded { artifact, metrics }) => {
                match metrics.iter().find(|(_, value)| !value.is_finite()) {
                    Some((name, value)) => Self::failed(format!(
                        "the metric `{name}` is {value}, not a finite number"
                    )),
                    None => Self::Succeeded { artifact, metrics },
                }
            }
            (Self::Pending | Self::Running { .. }, RunEvent::Failed { reason }) => {
                Self::failed(reason)
            }
            (Self::Pending | Self::Running { .. }, RunEvent::Cancelled) => Self::Cancelled,
            (unchanged, _) => unchanged,
        }
    }

    /// A failure with a reason of bounded length.
    fn failed(reason: impl Into<String>) -> Self {
        let reason: String = reason.into();
        Self::Failed {
            reason: reason.chars().take(MAX_REASON).collect(),
        }
    }
}

impl Heartbeat {
    fn progressed(self, step: u64, value: Option<f64>, now: Timestamp) -> Self {
        let value = value.filter(|value| value.is_finite());
        let at = self.at.max(now);
        if step < self.step {
            return Self { at, ..self };
        }
        let value = if step == self.step {
            value.or(self.value)
        } else {
            value
        };
        Self { at, step, value }
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

const PREFIX: &str = "run-";
/// 160 bits: two runs of one name by accident need 2^80 runs.
const DIGITS: usize = 40;
/// In characters: enough for a person, little beside a log.
pub(crate) const MAX_REASON: usize = 2000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn running(since: i64, beat: i64) -> RunStatus {
        RunStatus::Running {
            since: at(since),
            heartbeat: Heartbeat {
                at: at(beat),
                step: 3,
                value: Some(0.5),
            },
        }
    }

    fn checked(deadline: u64, limit: u64) -> RunEvent {
        RunEvent::Checked {
            deadline: Duration::from_secs(deadline),
            heartbeat_limit: Some(Duration::from_secs(limit)),
        }
    }

    fn events() -> impl Strategy<Value = RunEvent> {
        prop_oneof![
            Just(RunEvent::Started),
            Just(RunEvent::Alive),
            (any::<u64>(), proptest::option::of(proptest::num::f64::ANY))
                .prop_map(|(step, value)| RunEvent::Progressed { step, value }),
            (0u64..100, 0u64..100).prop_map(|(deadline, limit)| checked(deadline, limit)),
            proptest::num::f64::ANY.prop_map(|value| RunEvent::Succeeded {
                artifact: Digest::of(b"a"),
                metrics: BTreeMap::from([("auc".to_owned(), value)]),
            }),
            ".*".prop_map(|reason| RunEvent::Failed { reason }),
            Just(RunEvent::Cancelled),
        ]
    }

    proptest! {
        #[test]
        fn a_terminal_state_absorbs_and_every_state_is_read_back_as_written(
            steps in proptest::collection::vec((events(), -1000i64..1000), 0..30),
        ) {
            let mut status = RunStatus::Pending;
            for (event, second) in steps {
                let before = status.clone();
                status = status.advance(event, at(second));
                if before.is_terminal() {
                    prop_assert_eq!(&status, &before);
                }
                if let (
                    RunStatus::Running { since: was, heartbeat: old },
                    RunStatus::Running { since: is, heartbeat: new },
                ) = (&before, &status) {
                    prop_assert_eq!(was, is);
                    prop_assert!(new.at >= old.at && new.step >= old.step);
                }
                let text = serde_json::to_string(&status).unwrap();
                prop_assert_eq!(&serde_json::from_str::<RunStatus>(&text).unwrap(), &status);
            }
        }
    }

    #[test]
    fn silence_is_a_failure_only_beyond_the_limit() {
        assert_eq!(
            running(0, 10).advance(checked(100, 5), at(15)),
            running(0, 10)
        );
        let RunStatus::Failed { reason } = running(0, 10).advance(checked(100, 5), at(16)) else {
            panic!("not failed");
        };
        assert!(
            reason.starts_with("no heartbeat since 1970-01-01T00:00:10Z"),
            "{reason}"
        );
    }

    #[test]
    fn the_deadline_counts_from_the_start_and_comes_before_silence() {
        assert_eq!(running(0, 0).advance(checked(10, 50), at(9)), running(0, 0));
        assert_eq!(
            running(0, 0).advance(checked(10, 5), at(10)),
            RunStatus::TimedOut
        );
        let waiting = RunStatus::Pending.advance(checked(10, 5), at(1_000_000));
        assert_eq!(waiting, RunStatus::Pending);
    }

    #[test]
    fn an_endless_deadline_never_comes() {
        let event = RunEvent::Checked {
            deadline: Duration::MAX,
            heartbeat_limit: None,
        };
        let status = running(0, 0).advance(event, Timestamp::MAX);
        assert!(!status.is_terminal());
    }

    #[test]
    fn a_step_that_arrives_late_keeps_the_run_alive_but_not_back() {
        let late = RunEvent::Progressed {
            step: 2,
            value: Some(9.0),
        };
        let RunStatus::Running { heartbeat, .. } = running(0, 10).advance(late, at(12)) else {
            panic!("not running");
        };
        assert_eq!(
            (heartbeat.at, heartbeat.step, heartbeat.value),
            (at(12), 3, Some(0.5))
        );
    }

    #[test]
    fn names_are_checked() {
        let run = RunId::of(&Digest::of(b"spec"));
        assert_eq!(run.as_str().len(), 44);
        assert_eq!(run.to_string().parse::<RunId>().unwrap(), run);
        let hostile = [
            "",
            "run-",
            "run-../../etc/passwd",
            &format!("run-{}", "A".repeat(40)),
            &format!("run-{}", "a".repeat(41)),
            &format!("run-{}é", "a".repeat(38)),
        ];
        for text in hostile {
            assert!(text.parse::<RunId>().is_err(), "{text}");
            assert!(serde_json::from_value::<RunId>(text.into()).is_err());
        }
    }
}
