mod field;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::training::cron::field::Field;

/// A cron schedule in the five standard fields: minute, hour, day of the month, month, day of the week.
///
/// | Field | Values |
/// |---|---|
/// | minute | 0–59 |
/// | hour | 0–23 |
/// | day of the month | 1–31 |
/// | month | 1–12 or `JAN`–`DEC` |
/// | day of the week | 0–7 or `SUN`–`SAT`; 0 and 7 are Sunday |
///
/// Each is `*`, a value, a range `a-b`, a step `*/n` or `a-b/n`, or a list of these with commas. When both days are restricted
/// (neither begins with `*`), a date fits if either does, as in every cron since Vixie's. `@hourly`, `@daily` (`@midnight`),
/// `@weekly`, `@monthly` and `@yearly` (`@annually`) stand for what they say.
///
/// # Daylight saving
///
/// A local time that a clock change skips runs at the first instant after the gap; several of them run there once. A local time
/// that a clock change repeats runs the first time only, so an hourly schedule pauses for the repeated hour.
///
/// # Examples
///
/// ```
/// use noops_core::{Schedule, Timestamp, jiff::tz::TimeZone};
///
/// let schedule: Schedule = "30 4 * * MON-FRI".parse()?;
/// let friday: Timestamp = "2026-11-20T12:00:00Z".parse()?;
/// let next = schedule.next_after(friday, &TimeZone::UTC);
/// assert_eq!(next, Some("2026-11-23T04:30:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule {
    text: String,
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

impl Schedule {
    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first scheduled instant after another; `None` only where the calendar ends.
    ///
    /// # Complexity
    ///
    /// Linear in the days until then, at most 40 years of them (a 29 February on one day of the week).
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let from: DateTime = zone.to_datetime(after);
        let mut date: Date = from.date();
        let mut earliest = (from.hour(), from.minute());
        loop {
            if self.fits_date(date) {
                let found = self
                    .times_from(earliest)
                    .filter_map(|time| first_instant(date.to_datetime(time), zone))
                    .find(|instant| *instant > after);
                if found.is_some() {
                    return found;
                }
            }
            date = date.tomorrow().ok()?;
            earliest = (0, 0);
        }
    }

    /// The last scheduled instant in the span `after < t <= until`.
    ///
    /// # Complexity
    ///
    /// That of a few dozen [`next_after`](Self::next_after), however many instants the span holds.
    #[must_use]
    pub fn last_within(
        &self,
        after: Timestamp,
        until: Timestamp,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        let next = |from: Timestamp| {
            self.next_after(from, zone)
                .filter(|instant| *instant <= until)
        };
        let mut last = next(after)?;
        // The next instant after `low` is inside, that after `high` is not: halve what lies between.
        let (mut low, mut high) = (after, until);
        while high.as_second().saturating_sub(low.as_second()) > 1 {
            let middle = low.as_second() + (high.as_second() - low.as_second()) / 2;
            let Ok(middle) = Timestamp::from_second(middle) else {
                break;
            };
            match next(middle) {
                Some(instant) => (low, last) = (middle, instant),
                None => high = middle,
            }
        }
        while let Some(instant) = next(last) {
            last = instant;
        }
        Some(last)
    }

    fn fits_date(&self, date: Date) -> bool {
        let day = self.days.holds(date.day());
        let weekday = self.weekdays.holds(date.weekday().to_sunday_zero_offset());
        let fits_day = if self.days.is_restricted() && self.weekdays.is_restricted() {
            day || weekday
        } else {
            day && weekday
        };
        self.months.holds(date.month()) && fits_day
    }

    /// The times of a day in order, from an hour and minute on.
    fn times_from(&self, earliest: (i8, i8)) -> impl Iterator<Item = Time> + '_ {
        (0..24i8)
            .filter(move |hour| *hour >= earliest.0 && self.hours.holds(*hour))
            .flat_map(move |hour| {
                (0..60i8)
                    .filter(move |minute| {
                        (hour, *minute) >= earliest && self.minutes.holds(*minute)
                    })
                    .filter_map(move |minute| Time::new(hour, minute, 0, 0).ok())
            })
    }

    /// Whether any date of any year fits: 30 February does not.
    fn has_dates(&self) -> bool {
        let longest = |month: i8| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let by_day = (1..=12i8)
            .filter(|month| self.months.holds(*month))
            .any(|month| (1..=longest(month)).any(|day| self.days.holds(day)));
        by_day || (self.days.is_restricted() && self.weekdays.is_restricted())
    }
}

/// The instant at which a local time is first reached or passed over.
fn first_instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { after, .. } => {
            let before_the_gap = ambiguous.earlier().ok()?;
            zone.following(before_the_gap)
                .find(|change| change.offset() == after)
                .map(|change| change.timestamp())
        }
        _ => ambiguous.earlier().ok(),
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let expression = match text.trim() {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            other => other,
        };
        let words: Vec<&str> = expression.split_whitespace().take(6).collect();
        let [minutes, hours, days, months, weekdays] = words.as_slice() else {
            let message = "must have five fields: minute, hour, day, month, day of the week";
            return Err(ScheduleError::new(text, message));
        };
        let refuse = |message: String| ScheduleError::new(text, message);
        let schedule = Self {
            text: text.trim().to_owned(),
            minutes: Field::minutes(minutes).map_err(refuse)?,
            hours: Field::hours(hours).map_err(refuse)?,
            days: Field::days(days).map_err(refuse)?,
            months: Field::months(months).map_err(refuse)?,
            weekdays: Field::weekdays(weekdays).map_err(refuse)?,
        };
        if !schedule.has_dates() {
            let message = "names a date that no year has";
            return Err(ScheduleError::new(text, message));
        }
        Ok(schedule)
    }
}

impl TryFrom<String> for Schedule {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        text.parse()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.text
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Text that is no schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleError {
    text: String,
    message: String,
}

impl ScheduleError {
    fn new(text: &str, message: impl Into<String>) -> Self {
        Self {
            text: text.chars().take(100).collect(),
            message: message.into(),
        }
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the schedule `{}` {}",
            self.text.escape_debug(),
            self.message
        )
    }
}

impl std::error::Error for ScheduleError {}

#[cfg(test)]
mod tests;
