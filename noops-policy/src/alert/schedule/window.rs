use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};
use serde::{Deserialize, Serialize};

use super::error::ScheduleError;
use super::interval::{DayFilter, Work};
use super::range::{DayRange, Minute, MonthRange, WeekdayRange, YearRange};
use super::{SEARCH, zone};

/// A planned time during which alerts are expected: once, or again and again.
///
/// A recurring window begins at a local time of day and lasts for a real duration: four hours of maintenance are four
/// hours, even in the night in which the clocks change. Where the time of day is skipped, the window begins as much later
/// as was skipped; where it is repeated, it begins at the first of the two.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_policy::alert::schedule::MaintenanceWindow;
///
/// let window = MaintenanceWindow::recurring("22:00", Duration::from_secs(4 * 3600))?
///     .with_weekdays("saturday")?
///     .with_location("America/New_York")?;
/// // Saturday, 22:00 in New York, is Sunday 2:00 UTC in summer.
/// assert!(window.contains("2026-07-05T02:00:00Z".parse()?));
/// assert!(!window.contains("2026-07-05T06:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawWindow", into = "RawWindow")]
pub struct MaintenanceWindow {
    when: When,
}

#[derive(Clone, Debug, PartialEq)]
enum When {
    Once {
        from: Timestamp,
        until: Timestamp,
    },
    Recurring {
        start: Minute,
        time: Time,
        duration: Duration,
        days: DayFilter,
        location: Option<String>,
        zone: TimeZone,
    },
}

impl MaintenanceWindow {
    /// A window from `from` up to, and without, `until`.
    ///
    /// # Errors
    ///
    /// Refuses a window that ends before it begins, or at once.
    pub fn once(from: Timestamp, until: Timestamp) -> Result<Self, ScheduleError> {
        if from < until {
            return Ok(Self {
                when: When::Once { from, until },
            });
        }
        Err(ScheduleError::Never {
            problem: format!("it ends at `{until}` and begins at `{from}`; swap them"),
        })
    }

    /// A window that begins every day at a local time of day, such as `02:00`, and lasts for a duration of at most 31 days.
    ///
    /// # Errors
    ///
    /// Refuses what is no time of day, and a duration of nothing or of more than 31 days.
    pub fn recurring(start: &str, duration: Duration) -> Result<Self, ScheduleError> {
        Self::build(
            start.to_owned().try_into()?,
            duration,
            DayFilter::default(),
            None,
        )
    }

    /// Adds days of the week on which it begins, such as `saturday` or `monday:friday`.
    ///
    /// # Errors
    ///
    /// Refuses unknown names, ranges that wrap around, and a window that is not recurring.
    pub fn with_weekdays(self, range: &str) -> Result<Self, ScheduleError> {
        let range = range.to_owned().try_into()?;
        self.with_days("weekdays", |days| days.weekdays.push(range))
    }

    /// Adds days of the month on which it begins, such as `1:5` or, from the end of the month, `-3:-1`.
    ///
    /// # Errors
    ///
    /// Refuses days that no month has, empty ranges, and a window that is not recurring.
    pub fn with_days_of_month(self, range: &str) -> Result<Self, ScheduleError> {
        let range = range.to_owned().try_into()?;
        self.with_days("days_of_month", |days| days.days_of_month.push(range))
    }

    /// Adds months in which it begins, such as `may:august`.
    ///
    /// # Errors
    ///
    /// Refuses unknown months, ranges that wrap around, and a window that is not recurring.
    pub fn with_months(self, range: &str) -> Result<Self, ScheduleError> {
        let range = range.to_owned().try_into()?;
        self.with_days("months", |days| days.months.push(range))
    }

    /// Adds years in which it begins, such as `2030`.
    ///
    /// # Errors
    ///
    /// Refuses what is no year, and a window that is not recurring.
    pub fn with_years(self, range: &str) -> Result<Self, ScheduleError> {
        let range = range.to_owned().try_into()?;
        self.with_days("years", |days| days.years.push(range))
    }

    /// Sets the time zone of the time of day by its IANA name; UTC without it.
    ///
    /// # Errors
    ///
    /// Refuses a name that the bundled time zone database does not hold, and a window that is not recurring.
    pub fn with_location(mut self, name: &str) -> Result<Self, ScheduleError> {
        match &mut self.when {
            When::Once { .. } => Err(only_recurring("location")),
            When::Recurring { location, zone, .. } => {
                *zone = zone::named(name)?;
                *location = Some(name.to_owned());
                Ok(self)
            }
        }
    }

    /// Whether `at` lies in the window.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.end_of(at).is_some()
    }

    /// The first moment after `after` at which the window begins or ends.
    ///
    /// None when it does neither again, or not within some thousand days that it would have to look at.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let mut work = Work::of(SEARCH);
        match &self.when {
            When::Once { from, until } => [*from, *until].into_iter().find(|edge| *edge > after),
            When::Recurring { .. } => match self.end_of(after) {
                // Where one occurrence begins before the other ends, the window goes on.
                Some(mut end) => {
                    while let Some(later) = self.end_of(end) {
                        work.spend()?;
                        end = later;
                    }
                    (end < Timestamp::MAX).then_some(end)
                }
                None => self.next_start(after, &mut work),
            },
        }
    }

    fn build(
        start: Minute,
        duration: Duration,
        days: DayFilter,
        location: Option<String>,
    ) -> Result<Self, ScheduleError> {
        let Some(time) = start.time() else {
            return Err(ScheduleError::value(
                "start",
                &start.to_string(),
                "is on the next day; write `00:00`",
            ));
        };
        if duration.is_zero() || duration > LONGEST {
            return Err(ScheduleError::value(
                "duration",
                &format!("{duration:?}"),
                "is not a duration of up to 31 days",
            ));
        }
        days.check()?;
        let zone = match &location {
            Some(name) => zone::named(name)?,
            None => TimeZone::UTC,
        };
        Ok(Self {
            when: When::Recurring {
                start,
                time,
                duration,
                days,
                location,
                zone,
            },
        })
    }

    fn with_days(
        mut self,
        field: &'static str,
        add: impl FnOnce(&mut DayFilter),
    ) -> Result<Self, ScheduleError> {
        match &mut self.when {
            When::Once { .. } => Err(only_recurring(field)),
            When::Recurring { days, .. } => {
                add(days);
                days.check()?;
                Ok(self)
            }
        }
    }

    /// The latest end of the occurrences that `at` lies in.
    fn end_of(&self, at: Timestamp) -> Option<Timestamp> {
        match &self.when {
            When::Once { from, until } => (*from <= at && at < *until).then_some(*until),
            When::Recurring {
                time,
                duration,
                days,
                zone,
                ..
            } => {
                let mut date = first_date(zone, at, *duration);
                let today = zone.to_datetime(at).date();
                let mut end: Option<Timestamp> = None;
                while date <= today {
                    if days.admits(date)
                        && let Some(start) = start_on(zone, date, *time)
                        && start <= at
                    {
                        let until = start.checked_add(*duration).unwrap_or(Timestamp::MAX);
                        if at < until {
                            end = end.max(Some(until));
                        }
                    }
                    let Ok(next) = date.tomorrow() else {
                        break;
                    };
                    date = next;
                }
                end
            }
        }
    }

    fn next_start(&self, after: Timestamp, work: &mut Work) -> Option<Timestamp> {
        let When::Recurring {
            time, days, zone, ..
        } = &self.when
        else {
            return None;
        };
        let mut date = first_date(zone, after, Duration::ZERO);
        loop {
            date = days.next_admitted(date, work)?;
            let start = start_on(zone, date, *time)?;
            if start > after {
                return Some(start);
            }
            work.spend()?;
        }
    }
}

/// The moment at which clocks show a time of day on a date; the first of two, and later by the gap where it is skipped.
fn start_on(zone: &TimeZone, date: Date, time: Time) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(date.to_datetime(time))
        .compatible()
        .ok()
}

/// A date before every date whose occurrence can still matter at `at`: a zone may skip a whole day when it changes sides
/// of the date line.
fn first_date(zone: &TimeZone, at: Timestamp, duration: Duration) -> Date {
    let begun = SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| at.checked_sub(duration).ok())
        .unwrap_or(Timestamp::MIN);
    let date = zone.to_datetime(begun).date();
    date.saturating_sub(Span::new().days(2))
}

fn only_recurring(field: &'static str) -> ScheduleError {
    ScheduleError::Document {
        source: "window".to_owned(),
        at: None,
        problem: format!("`{field}` is for a window with `start` and `duration`; remove it"),
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWindow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<Minute>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    weekdays: Vec<WeekdayRange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    days_of_month: Vec<DayRange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    months: Vec<MonthRange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    years: Vec<YearRange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

impl TryFrom<RawWindow> for MaintenanceWindow {
    type Error = ScheduleError;

    fn try_from(raw: RawWindow) -> Result<Self, ScheduleError> {
        let days = DayFilter {
            weekdays: raw.weekdays,
            days_of_month: raw.days_of_month,
            months: raw.months,
            years: raw.years,
        };
        match (raw.from, raw.until, raw.start, raw.duration) {
            (Some(from), Some(until), None, None) => {
                if days != DayFilter::default() {
                    return Err(only_recurring("weekdays"));
                }
                if raw.location.is_some() {
                    return Err(only_recurring("location"));
                }
                Self::once(from, until)
            }
            (None, None, Some(start), Some(duration)) => {
                Self::build(start, read_duration(&duration)?, days, raw.location)
            }
            _ => Err(ScheduleError::Document {
                source: "window".to_owned(),
                at: None,
                problem: "give `from` and `until`, or `start` and `duration`".to_owned(),
            }),
        }
    }
}

impl From<MaintenanceWindow> for RawWindow {
    fn from(window: MaintenanceWindow) -> Self {
        let mut raw = Self {
            from: None,
            until: None,
            start: None,
            duration: None,
            weekdays: Vec::new(),
            days_of_month: Vec::new(),
            months: Vec::new(),
            years: Vec::new(),
            location: None,
        };
        match window.when {
            When::Once { from, until } => {
                raw.from = Some(from);
                raw.until = Some(until);
            }
            When::Recurring {
                start,
                duration,
                days,
                location,
                ..
            } => {
                raw.start = Some(start);
                raw.duration = Some(write_duration(duration));
                raw.weekdays = days.weekdays;
                raw.days_of_month = days.days_of_month;
                raw.months = days.months;
                raw.years = days.years;
                raw.location = location;
            }
        }
        raw
    }
}

/// Reads jiff's friendly form, such as `90m` or `1h 30m`; a day has 24 hours.
fn read_duration(text: &str) -> Result<Duration, ScheduleError> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| {
            ScheduleError::value(
                "duration",
                text,
                "is not a duration; write hours and minutes such as `90m` or `4h`",
            )
        })
}

fn write_duration(duration: Duration) -> String {
    match SignedDuration::try_from(duration) {
        Ok(signed) => format!("{signed:#}"),
        Err(_) => format!("{}s", duration.as_secs()),
    }
}

/// A longer window is refused.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);
