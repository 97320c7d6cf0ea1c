use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::training::run::MAX_REASON;

/// What Ray tells about a job.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Job {
    status: String,
    message: Option<String>,
    /// Milliseconds since 1970 of the submission.
    start_time: Option<i64>,
    end_time: Option<i64>,
    metadata: Option<BTreeMap<String, Value>>,
    driver_exit_code: Option<i64>,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Succeeded,
    Failed(String),
    Stopped,
    Late,
}

impl Job {
    pub(super) fn read(operation: &'static str, answer: Value) -> Result<Self, Error> {
        let unknown = |message: &str| Error::new(ErrorKind::Invalid, operation, message);
        let job: Self = serde_json::from_value(answer).map_err(|error| {
            unknown("the answer is not a Ray job: is this the address of another server?")
                .caused_by(error)
        })?;
        match job.status.as_str() {
            "PENDING" | "RUNNING" | "STOPPED" | "SUCCEEDED" | "FAILED" => Ok(job),
            other => {
                let status: String = other.chars().take(40).collect();
                Err(unknown("the job has a status that is not known").with("status", status))
            }
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.status == "RUNNING"
    }

    /// When it was submitted.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.start_time.and_then(instant)
    }

    /// Whether it is past its deadline at a time.
    pub(super) fn is_late(&self, at: Timestamp) -> bool {
        let deadline = self
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.get(DEADLINE))
            .and_then(Value::as_str)
            .and_then(|digits| digits.parse::<i64>().ok())
            .map(SignedDuration::from_millis);
        match (self.since(), deadline) {
            (Some(since), Some(deadline)) => at.duration_since(since) >= deadline,
            _ => false,
        }
    }

    /// How it ended, which depends on nothing but what Ray wrote down, so that it never changes.
    pub(super) fn end(&self) -> Option<End> {
        let is_late = self
            .end_time
            .and_then(instant)
            .is_some_and(|end| self.is_late(end));
        match self.status.as_str() {
            "SUCCEEDED" | "STOPPED" | "FAILED" if is_late => Some(End::Late),
            "SUCCEEDED" => Some(End::Succeeded),
            "STOPPED" => Some(End::Stopped),
            "FAILED" => Some(End::Failed(self.reason())),
            _ => None,
        }
    }

    fn reason(&self) -> String {
        let message = self.message.as_deref().unwrap_or("Ray gives no reason");
        let message: String = message.chars().take(MAX_REASON).collect();
        match self.driver_exit_code {
            Some(code) => format!("exit code {code}: {message}"),
            None => message,
        }
    }
}

/// What is written down with a job: Ray keeps texts only.
pub(super) fn metadata(deadline: Duration, model: &str) -> BTreeMap<&'static str, String> {
    let millis = i64::try_from(deadline.as_millis()).unwrap_or(i64::MAX);
    BTreeMap::from([
        (DEADLINE, millis.to_string()),
        ("noops_model", model.to_owned()),
    ])
}

fn instant(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}

const DEADLINE: &str = "noops_deadline_ms";
