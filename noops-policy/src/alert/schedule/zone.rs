use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::error::ScheduleError;
use crate::suggest;

/// A zone of the bundled database, so that no machine's own database changes an answer.
pub(crate) fn named(name: &str) -> Result<TimeZone, ScheduleError> {
    let database = TimeZoneDatabase::bundled();
    database.get(name).map_err(|_| {
        let known: Vec<String> = database
            .available()
            .map(|zone| zone.as_str().to_owned())
            .collect();
        ScheduleError::TimeZone {
            name: name.chars().take(MAX_ECHO).collect(),
            suggestion: suggest::nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
        }
    })
}

/// A message repeats at most this many characters of what it was given.
const MAX_ECHO: usize = 64;
