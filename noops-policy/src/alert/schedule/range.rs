use std::fmt;
use std::ops::RangeInclusive;

use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

use super::error::ScheduleError;
use crate::suggest;

/// From a time of day up to, and without, another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "RawClockRange", into = "RawClockRange")]
pub(crate) struct ClockRange {
    start: Minute,
    end: Minute,
}

impl ClockRange {
    pub(crate) fn new(start: Minute, end: Minute) -> Result<Self, ScheduleError> {
        if start < end {
            return Ok(Self { start, end });
        }
        Err(ScheduleError::value(
            "times",
            &format!("{start}-{end}"),
            "ends before it begins; split it at midnight: one range up to `24:00`, one from `00:00`",
        ))
    }

    pub(crate) fn contains(self, time: Time) -> bool {
        let minute = Minute::of(time);
        self.start <= minute && minute < self.end
    }

    pub(crate) fn edges(self) -> [Minute; 2] {
        [self.start, self.end]
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClockRange {
    start_time: Minute,
    end_time: Minute,
}

impl TryFrom<RawClockRange> for ClockRange {
    type Error = ScheduleError;

    fn try_from(raw: RawClockRange) -> Result<Self, ScheduleError> {
        Self::new(raw.start_time, raw.end_time)
    }
}

impl From<ClockRange> for RawClockRange {
    fn from(range: ClockRange) -> Self {
        Self {
            start_time: range.start,
            end_time: range.end,
        }
    }
}

/// A time of day to the minute, the end of the day included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Minute(u16);

impl Minute {
    fn of(time: Time) -> Self {
        let hour = u16::try_from(time.hour()).unwrap_or(0);
        let minute = u16::try_from(time.minute()).unwrap_or(0);
        Self(hour.saturating_mul(60).saturating_add(minute))
    }

    /// The time of day; none for `24:00`, which is on the next day.
    pub(crate) fn time(self) -> Option<Time> {
        let hour = i8::try_from(self.0 / 60).ok()?;
        let minute = i8::try_from(self.0 % 60).ok()?;
        Time::new(hour, minute, 0, 0).ok()
    }
}

impl TryFrom<String> for Minute {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        let refuse = || {
            ScheduleError::value(
                "times",
                &text,
                "is not a time of day; write `HH:MM` from `00:00` to `24:00`",
            )
        };
        let (hour, minute) = text.split_once(':').ok_or_else(refuse)?;
        let two_digits = |part: &str| -> Option<u16> {
            (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse().ok())
                .flatten()
        };
        match (two_digits(hour), two_digits(minute)) {
            (Some(24), Some(0)) => Ok(Self(24 * 60)),
            (Some(hour @ 0..=23), Some(minute @ 0..=59)) => Ok(Self(hour * 60 + minute)),
            _ => Err(refuse()),
        }
    }
}

impl From<Minute> for String {
    fn from(minute: Minute) -> Self {
        minute.to_string()
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// Days of the week, from Sunday, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct WeekdayRange(RangeInclusive<usize>);

impl WeekdayRange {
    pub(crate) fn contains(&self, weekday: Weekday) -> bool {
        usize::try_from(weekday.to_sunday_zero_offset()).is_ok_and(|day| self.0.contains(&day))
    }
}

impl TryFrom<String> for WeekdayRange {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        let (first, last) = ends(&text);
        let first = named("weekdays", &text, first, &WEEKDAYS)?;
        let last = named("weekdays", &text, last, &WEEKDAYS)?;
        if first > last {
            return Err(ScheduleError::value(
                "weekdays",
                &text,
                "ends before it begins, as weeks begin on Sunday here; write two entries",
            ));
        }
        Ok(Self(first..=last))
    }
}

impl From<WeekdayRange> for String {
    fn from(range: WeekdayRange) -> Self {
        let name = |index: usize| WEEKDAYS.get(index).copied().unwrap_or_default();
        joined(name(*range.0.start()), name(*range.0.end()))
    }
}

/// Days of the month, both ends included; negative days count from the end of the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct DayRange {
    first: i8,
    last: i8,
}

impl DayRange {
    /// Counts the days of the month by the calendar: a month in which the clock changes has as many days as any other.
    pub(crate) fn contains(self, date: Date) -> bool {
        let days = date.days_in_month();
        let counted = |day: i8| {
            if day < 0 {
                days.saturating_add(day).saturating_add(1)
            } else {
                day
            }
        };
        (counted(self.first)..=counted(self.last)).contains(&date.day())
    }
}

impl TryFrom<String> for DayRange {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        let refuse = |problem: &str| ScheduleError::value("days_of_month", &text, problem);
        let (first, last) = ends(&text);
        let day = |part: &str| {
            part.parse::<i8>()
                .ok()
                .filter(|day| *day != 0 && (-31..=31).contains(day))
                .ok_or_else(|| {
                    refuse("is not a day; write `1` to `31`, or `-1` to `-31` from the end")
                })
        };
        let (first, last) = (day(first)?, day(last)?);
        if first < 0 && last > 0 {
            return Err(refuse(
                "begins from the end of the month and ends from its start; write two entries",
            ));
        }
        if (first < 0) == (last < 0) && first > last {
            return Err(refuse("ends before it begins; swap the days"));
        }
        // `29:-4` is empty in every month: the fourth day from the end is the 28th at the latest.
        if first > 0 && last < 0 && first > last.saturating_add(32) {
            return Err(refuse("ends before it begins in every month"));
        }
        Ok(Self { first, last })
    }
}

impl From<DayRange> for String {
    fn from(range: DayRange) -> Self {
        joined(&range.first.to_string(), &range.last.to_string())
    }
}

/// Months, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct MonthRange(RangeInclusive<i8>);

impl MonthRange {
    pub(crate) fn contains(&self, month: i8) -> bool {
        self.0.contains(&month)
    }
}

impl TryFrom<String> for MonthRange {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        let (first, last) = ends(&text);
        let month = |part: &str| match part.parse::<i8>() {
            Ok(number @ 1..=12) => Ok(number),
            Ok(_) => Err(ScheduleError::value(
                "months",
                &text,
                "is not a month; write a name or `1` to `12`",
            )),
            Err(_) => named("months", &text, part, &MONTHS)
                .map(|index| i8::try_from(index).unwrap_or(0).saturating_add(1)),
        };
        let (first, last) = (month(first)?, month(last)?);
        if first > last {
            return Err(ScheduleError::value(
                "months",
                &text,
                "ends before it begins; write two entries",
            ));
        }
        Ok(Self(first..=last))
    }
}

impl From<MonthRange> for String {
    fn from(range: MonthRange) -> Self {
        joined(&range.0.start().to_string(), &range.0.end().to_string())
    }
}

/// Years, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct YearRange(RangeInclusive<i16>);

impl YearRange {
    pub(crate) fn contains(&self, year: i16) -> bool {
        self.0.contains(&year)
    }

    pub(crate) fn first(&self) -> i16 {
        *self.0.start()
    }
}

impl TryFrom<String> for YearRange {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        let (first, last) = ends(&text);
        let year = |part: &str| {
            part.parse::<i16>()
                .ok()
                .filter(|year| (1..=9999).contains(year))
                .ok_or_else(|| {
                    ScheduleError::value(
                        "years",
                        &text,
                        "is not a year; write a number such as `2030`",
                    )
                })
        };
        let (first, last) = (year(first)?, year(last)?);
        if first > last {
            return Err(ScheduleError::value(
                "years",
                &text,
                "ends before it begins; swap the years",
            ));
        }
        Ok(Self(first..=last))
    }
}

impl From<YearRange> for String {
    fn from(range: YearRange) -> Self {
        joined(&range.0.start().to_string(), &range.0.end().to_string())
    }
}

/// `a:b` as its ends; a single value is both of them.
fn ends(text: &str) -> (&str, &str) {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    (first.trim(), last.trim())
}

fn joined(first: &str, last: &str) -> String {
    if first == last {
        first.to_owned()
    } else {
        format!("{first}:{last}")
    }
}

/// The index of a name, in any case.
fn named(
    field: &'static str,
    text: &str,
    part: &str,
    names: &[&'static str],
) -> Result<usize, ScheduleError> {
    let lower = part.to_ascii_lowercase();
    names.iter().position(|name| *name == lower).ok_or_else(|| {
        let problem = match suggest::nearest(&lower, names.iter().copied()) {
            Some(near) => format!("is unknown; did you mean `{near}`?"),
            None => format!("is unknown; write one of {}", names.join(", ")),
        };
        ScheduleError::value(field, text, problem)
    })
}

const WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
