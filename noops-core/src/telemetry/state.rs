use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::buffer::{LONGEST_ID, TelemetryBuffer, is_legal_id};
use super::counts::TelemetryCounts;
use super::held::Held;
use super::settings::TelemetrySettings;
use crate::error::{Error, ErrorKind};

/// A buffer as it is written down: the requests in the order they came.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    settings: TelemetrySettings,
    counts: TelemetryCounts,
    drained_at: Option<Timestamp>,
    requests: Vec<(String, Held)>,
}

impl From<TelemetryBuffer> for State {
    fn from(buffer: TelemetryBuffer) -> Self {
        let requests = buffer
            .requests
            .iter()
            .map(|(request, held)| (request.to_string(), held.clone()))
            .collect();
        Self {
            settings: buffer.settings,
            counts: buffer.counts,
            drained_at: buffer.drained_at,
            requests,
        }
    }
}

impl TryFrom<State> for TelemetryBuffer {
    type Error = Error;

    fn try_from(state: State) -> Result<Self, Error> {
        let mut buffer = Self::new(state.settings)?;
        for (number, (request, held)) in state.requests.into_iter().enumerate() {
            let is_whole = is_legal_id(&request)
                && match &held {
                    Held::Open { prediction, .. } => {
                        prediction.request == request
                            && prediction.unit.len() <= LONGEST_ID
                            && prediction.score.is_none_or(f64::is_finite)
                    }
                    Held::Waiting { .. } | Held::Settled { .. } => true,
                };
            if !is_whole {
                return Err(refuse("an entry has an id it cannot have", number));
            }
            if buffer.requests.find(&request).is_some() {
                return Err(refuse("two entries are of one request", number));
            }
            buffer.requests.push(&request, held, &mut buffer.counts);
        }
        if buffer.counts != TelemetryCounts::default() {
            let message = "it holds more than its limit";
            return Err(Error::new(ErrorKind::Corrupt, RESUME, message));
        }
        buffer.counts = state.counts;
        buffer.drained_at = state.drained_at;
        Ok(buffer)
    }
}

fn refuse(message: &'static str, number: usize) -> Error {
    Error::new(ErrorKind::Corrupt, RESUME, message).with("entry", number)
}

const RESUME: &str = "resume a telemetry buffer";
