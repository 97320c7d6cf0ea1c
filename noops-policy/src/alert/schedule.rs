//! Times that people plan by: Alertmanager's time intervals, and maintenance windows.
//!
//! All of them are judged by what clocks at a place show, with the time zone database that is compiled in: the same
//! schedule gives the same answer on every machine.

mod error;
mod interval;
mod range;
mod window;
mod zone;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use error::ScheduleError;
pub use interval::TimeInterval;
pub use window::MaintenanceWindow;

use crate::error::Position;
use interval::Work;

/// The moments that lie in any of some intervals: what a name of Alertmanager's `time_intervals` stands for.
///
/// # Examples
///
/// ```
/// use noops_policy::alert::schedule::TimeIntervals;
///
/// let quiet = TimeIntervals::from_yaml(
///     "quiet.yaml",
///     "
/// - weekdays: ['saturday', 'sunday']
/// - times: [{start_time: '18:00', end_time: '24:00'}]
///   location: Europe/Vienna
/// ",
/// )?;
/// // A Friday, 17:59 and 18:00 in Vienna.
/// assert!(!quiet.contains("2026-01-09T16:59:00Z".parse()?));
/// assert!(quiet.contains("2026-01-09T17:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TimeInterval>", into = "Vec<TimeInterval>")]
pub struct TimeIntervals {
    intervals: Vec<TimeInterval>,
}

impl TimeIntervals {
    /// The moments that lie in any of `intervals`; no moment lies in none.
    ///
    /// # Errors
    ///
    /// Refuses more than 64 intervals.
    pub fn new(intervals: Vec<TimeInterval>) -> Result<Self, ScheduleError> {
        if intervals.len() > MAX_INTERVALS {
            return Err(ScheduleError::TooMany {
                field: "time_intervals",
                most: MAX_INTERVALS,
            });
        }
        Ok(Self { intervals })
    }

    /// Reads a YAML list of intervals in Alertmanager's form.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::Document`] with the place of the first problem.
    pub fn from_yaml(source: &str, yaml: &str) -> Result<Self, ScheduleError> {
        serde_saphyr::from_str(yaml).map_err(|error| {
            let at = error
                .location()
                .filter(|location| location.line() > 0)
                .map(|location| Position::new(location.line(), location.column()));
            let text = error.without_snippet().to_string();
            let problem = text.lines().next().unwrap_or_default().trim();
            // The place is a field of its own, and is not said twice.
            let said = at.map(|at| format!(" at line {}, column {}", at.line(), at.column()));
            ScheduleError::Document {
                source: source.to_owned(),
                at,
                problem: said
                    .and_then(|said| problem.strip_suffix(said.as_str()))
                    .unwrap_or(problem)
                    .to_owned(),
            }
        })
    }

    /// The intervals.
    pub fn intervals(&self) -> &[TimeInterval] {
        &self.intervals
    }

    /// Whether `at` lies in any of the intervals.
    ///
    /// # Complexity
    ///
    /// Linear in the ranges of the intervals.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.intervals.iter().any(|interval| interval.contains(at))
    }

    /// The first moment after `after` at which the answer of [`TimeIntervals::contains`] changes.
    ///
    /// None when it never changes again, or not within a few thousand beginnings, ends and days that it would have to look
    /// at: years away, for intervals that begin and end every day and together cover all of it.
    ///
    /// # Complexity
    ///
    /// Bounded: the number of days that are looked at does not depend on how far the change is away.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let now = self.contains(after);
        let mut work = Work::of(SEARCH);
        let mut at = after;
        loop {
            at = self
                .intervals
                .iter()
                .filter_map(|interval| interval.next_edge(at, &mut work))
                .min()?;
            if self.contains(at) != now {
                return Some(at);
            }
            work.spend()?;
        }
    }
}

impl TryFrom<Vec<TimeInterval>> for TimeIntervals {
    type Error = ScheduleError;

    fn try_from(intervals: Vec<TimeInterval>) -> Result<Self, ScheduleError> {
        Self::new(intervals)
    }
}

impl From<TimeIntervals> for Vec<TimeInterval> {
    fn from(intervals: TimeIntervals) -> Self {
        intervals.intervals
    }
}

/// More intervals in one list are refused.
const MAX_INTERVALS: usize = 64;

/// Beginnings, ends and days that a search for the next change looks at.
const SEARCH: u32 = 8192;

#[cfg(test)]
mod tests;
