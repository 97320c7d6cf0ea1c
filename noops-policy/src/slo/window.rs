use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Span as CivilSpan, Timestamp};
use serde::{Deserialize, Serialize};

use crate::slo::{SloError, duration_text};
use crate::suggest::nearest;

/// The time over which an error budget is counted.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::slo::{CalendarUnit, Window};
///
/// let month = Window::calendar(CalendarUnit::Month, "Europe/Berlin")?;
/// let now: Timestamp = "2026-03-15T12:00:00Z".parse()?;
/// let span = month.span(now);
/// assert_eq!(span.start().to_string(), "2026-02-28T23:00:00Z");
/// // The clocks went forward in between, so this month is an hour short.
/// assert_eq!(span.length(), Duration::from_secs(31 * 86_400 - 3_600));
///
/// assert!(Window::calendar(CalendarUnit::Month, "Europe/Berlim").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// The last so many seconds, whenever they are read.
    Rolling(RollingWindow),
    /// The day, week, month, quarter or year that contains the moment; the budget starts anew with each.
    Calendar(CalendarWindow),
}

impl Window {
    /// A rolling window.
    ///
    /// # Errors
    ///
    /// As [`RollingWindow::new`].
    pub fn rolling(length: Duration) -> Result<Self, SloError> {
        RollingWindow::new(length).map(Self::Rolling)
    }

    /// A calendar window in a time zone of the IANA database.
    ///
    /// # Errors
    ///
    /// As [`CalendarWindow::new`].
    pub fn calendar(unit: CalendarUnit, time_zone: &str) -> Result<Self, SloError> {
        CalendarWindow::new(unit, time_zone).map(Self::Calendar)
    }

    /// The window at `now`: of a rolling window the time until `now`, of a calendar window the whole one that contains
    /// `now`.
    pub fn span(&self, now: Timestamp) -> Span {
        match self {
            Self::Rolling(window) => window.span(now),
            Self::Calendar(window) => window.span(now),
        }
    }

    /// The length that burn rates are derived from: of a calendar window the usual one (a month counts 30 days, a quarter
    /// 90, a year 365), so that factors do not change from month to month.
    pub fn nominal_length(&self) -> Duration {
        match self {
            Self::Rolling(window) => window.length(),
            Self::Calendar(window) => window.unit().nominal_length(),
        }
    }
}

/// A window that moves with time: whole seconds, between a minute and 366 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "RawRolling", into = "RawRolling")]
pub struct RollingWindow(Duration);

impl RollingWindow {
    /// Checks the length.
    ///
    /// # Errors
    ///
    /// [`SloError::Duration`] for less than a minute, more than 366 days, and fractions of a second.
    pub fn new(length: Duration) -> Result<Self, SloError> {
        let seconds = length.as_secs();
        if length.subsec_nanos() == 0 && (60..=366 * DAY).contains(&seconds) {
            Ok(Self(length))
        } else {
            Err(SloError::Duration {
                what: "a rolling window",
                given: duration_text::format(length),
                allowed: "whole seconds between `1m` and `366d`".to_owned(),
            })
        }
    }

    /// The length.
    pub fn length(self) -> Duration {
        self.0
    }

    fn span(self, now: Timestamp) -> Span {
        Span {
            start: back(now, self.0),
            end: now,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct RawRolling(#[serde(with = "duration_text")] Duration);

impl TryFrom<RawRolling> for RollingWindow {
    type Error = SloError;

    fn try_from(raw: RawRolling) -> Result<Self, SloError> {
        Self::new(raw.0)
    }
}

impl From<RollingWindow> for RawRolling {
    fn from(window: RollingWindow) -> Self {
        Self(window.0)
    }
}

/// A calendar unit in a time zone.
///
/// A boundary is the first moment of a civil day, which is not always midnight: where the clocks go forward at midnight the
/// day begins at one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawCalendar", into = "RawCalendar")]
pub struct CalendarWindow {
    unit: CalendarUnit,
    zone_name: String,
    zone: TimeZone,
}

impl CalendarWindow {
    /// Looks the time zone up in the bundled IANA database.
    ///
    /// # Errors
    ///
    /// [`SloError::TimeZone`] for a name that is not there, with the one that is nearest to it.
    pub fn new(unit: CalendarUnit, time_zone: &str) -> Result<Self, SloError> {
        let database = TimeZoneDatabase::bundled();
        match database.get(time_zone) {
            Ok(zone) => Ok(Self {
                unit,
                zone_name: zone.iana_name().unwrap_or(time_zone).to_owned(),
                zone,
            }),
            Err(_) => {
                let names: Vec<String> = database
                    .available()
                    .map(|name| name.as_str().to_owned())
                    .collect();
                Err(SloError::TimeZone {
                    name: time_zone.to_owned(),
                    suggestion: nearest(time_zone, names.iter().map(String::as_str))
                        .map(str::to_owned),
                })
            }
        }
    }

    /// The unit.
    pub fn unit(&self) -> CalendarUnit {
        self.unit
    }

    /// The IANA name of the time zone.
    pub fn time_zone(&self) -> &str {
        &self.zone_name
    }

    /// The first moment of the window that contains `now`, and of the next one.
    ///
    /// At the ends of the representable years the window is cut off there.
    pub fn span(&self, now: Timestamp) -> Span {
        let date = now.to_zoned(self.zone.clone()).date();
        let first = match self.unit {
            CalendarUnit::Day => Some(date),
            CalendarUnit::Week => {
                let back = i64::from(date.weekday().to_monday_zero_offset());
                date.checked_sub(CivilSpan::new().days(back)).ok()
            }
            CalendarUnit::Month => Some(date.first_of_month()),
            CalendarUnit::Quarter => {
                let back = i64::from((date.month() - 1).rem_euclid(3));
                date.first_of_month()
                    .checked_sub(CivilSpan::new().months(back))
                    .ok()
            }
            CalendarUnit::Year => Some(date.first_of_year()),
        };
        let next = first.and_then(|first| {
            let step = CivilSpan::new();
            let step = match self.unit {
                CalendarUnit::Day => step.days(1),
                CalendarUnit::Week => step.days(7),
                CalendarUnit::Month => step.months(1),
                CalendarUnit::Quarter => step.months(3),
                CalendarUnit::Year => step.months(12),
            };
            first.checked_add(step).ok()
        });
        let moment = |date: Option<jiff::civil::Date>| {
            date.and_then(|date| date.to_zoned(self.zone.clone()).ok())
                .map(|zoned| zoned.timestamp())
        };
        Span {
            start: moment(first).unwrap_or(Timestamp::MIN).min(now),
            end: moment(next).unwrap_or(Timestamp::MAX).max(now),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCalendar {
    unit: CalendarUnit,
    time_zone: String,
}

impl TryFrom<RawCalendar> for CalendarWindow {
    type Error = SloError;

    fn try_from(raw: RawCalendar) -> Result<Self, SloError> {
        Self::new(raw.unit, &raw.time_zone)
    }
}

impl From<CalendarWindow> for RawCalendar {
    fn from(window: CalendarWindow) -> Self {
        Self {
            unit: window.unit,
            time_zone: window.zone_name,
        }
    }
}

/// The unit of a calendar window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalendarUnit {
    /// A civil day.
    Day,
    /// Seven civil days from a Monday.
    Week,
    /// A civil month.
    Month,
    /// Three civil months from January, April, July or October.
    Quarter,
    /// A civil year.
    Year,
}

impl CalendarUnit {
    /// The usual length: 1, 7, 30, 90 or 365 days.
    pub fn nominal_length(self) -> Duration {
        Duration::from_secs(
            DAY * match self {
                Self::Day => 1,
                Self::Week => 7,
                Self::Month => 30,
                Self::Quarter => 90,
                Self::Year => 365,
            },
        )
    }
}

/// The time from a moment up to a later one, which is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    start: Timestamp,
    end: Timestamp,
}

impl Span {
    /// From one moment to another; none when the end is before the start.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start <= end).then_some(Self { start, end })
    }

    /// From a moment to one that is not before it.
    pub(crate) fn between(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// The first moment.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The moment after the last.
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// The time between the two.
    pub fn length(&self) -> Duration {
        Duration::try_from(self.end.duration_since(self.start)).unwrap_or(Duration::ZERO)
    }
}

/// `length` before `now`, or the first representable moment.
pub(crate) fn back(now: Timestamp, length: Duration) -> Timestamp {
    SignedDuration::try_from(length)
        .ok()
        .and_then(|length| now.checked_sub(length).ok())
        .unwrap_or(Timestamp::MIN)
}

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNITS: [CalendarUnit; 5] = [
        CalendarUnit::Day,
        CalendarUnit::Week,
        CalendarUnit::Month,
        CalendarUnit::Quarter,
        CalendarUnit::Year,
    ];

    #[track_caller]
    fn spans(unit: CalendarUnit, zone: &str, now: &str, start: &str, end: &str) {
        let span = Window::calendar(unit, zone)
            .unwrap()
            .span(now.parse().unwrap());
        assert_eq!(span.start().to_string(), start);
        assert_eq!(span.end().to_string(), end);
    }

    // Boundaries by: python3 -c "from datetime import *; from zoneinfo import ZoneInfo as Z;
    // print(datetime(2026,3,29,tzinfo=Z('Europe/Berlin')).astimezone(UTC))" and alike.
    #[test]
    fn days_are_23_and_25_hours_long_where_the_clocks_change() {
        let (forward, back) = ("2026-03-29T12:00:00Z", "2026-10-25T12:00:00Z");
        let berlin = "Europe/Berlin";
        let day = CalendarUnit::Day;
        spans(
            day,
            berlin,
            forward,
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
        );
        spans(
            day,
            berlin,
            back,
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
        );
        // The clocks of Santiago go forward at midnight: the day begins at one.
        spans(
            day,
            "America/Santiago",
            "2026-09-06T12:00:00Z",
            "2026-09-06T04:00:00Z",
            "2026-09-07T03:00:00Z",
        );
    }

    #[test]
    fn weeks_begin_on_monday_and_quarters_in_january_april_july_october() {
        let now = "2026-11-22T23:30:00Z";
        spans(
            CalendarUnit::Week,
            "UTC",
            now,
            "2026-11-16T00:00:00Z",
            "2026-11-23T00:00:00Z",
        );
        // In Tokyo it is Monday already.
        spans(
            CalendarUnit::Week,
            "Asia/Tokyo",
            now,
            "2026-11-22T15:00:00Z",
            "2026-11-29T15:00:00Z",
        );
        spans(
            CalendarUnit::Quarter,
            "UTC",
            now,
            "2026-10-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        );
        spans(
            CalendarUnit::Year,
            "UTC",
            now,
            "2026-01-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        );
    }

    #[test]
    fn a_misspelt_zone_is_refused_with_the_right_one() {
        let error = Window::calendar(CalendarUnit::Day, "Europe/Berlim").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown time zone `Europe/Berlim`; did you mean `Europe/Berlin`?"
        );
    }

    #[test]
    fn windows_read_back_and_illegal_ones_are_refused() {
        let month = Window::calendar(CalendarUnit::Month, "Europe/Berlin").unwrap();
        let json = r#"{"calendar":{"unit":"month","time_zone":"Europe/Berlin"}}"#;
        assert_eq!(serde_json::to_string(&month).unwrap(), json);
        assert_eq!(serde_json::from_str::<Window>(json).unwrap(), month);
        let rolling: Window = serde_json::from_str(r#"{"rolling":"30d"}"#).unwrap();
        assert_eq!(
            rolling,
            Window::rolling(Duration::from_secs(30 * DAY)).unwrap()
        );
        for wrong in [r#"{"rolling":"59s"}"#, r#"{"rolling":"367d"}"#] {
            assert!(serde_json::from_str::<Window>(wrong).is_err());
        }
    }

    proptest! {
        #[test]
        fn a_window_contains_its_moment_and_the_next_begins_where_it_ends(
            second in -60_000_000_000i64..250_000_000_000,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"]),
            unit in prop::sample::select(UNITS.to_vec()),
        ) {
            let now = Timestamp::from_second(second).unwrap();
            let window = Window::calendar(unit, zone).unwrap();
            let span = window.span(now);
            prop_assert!(span.start() <= now && now < span.end());
            prop_assert_eq!(window.span(span.start()), span);
            prop_assert_eq!(window.span(span.end()).start(), span.end());
        }
    }

    #[test]
    fn the_ends_of_time_are_no_trap() {
        for unit in UNITS {
            for zone in ["UTC", "Pacific/Kiritimati", "Pacific/Niue"] {
                let window = Window::calendar(unit, zone).unwrap();
                for now in [Timestamp::MIN, Timestamp::MAX] {
                    let span = window.span(now);
                    assert!(span.start() <= now && now <= span.end());
                }
            }
        }
        let rolling = Window::rolling(Duration::from_secs(3600)).unwrap();
        assert_eq!(rolling.span(Timestamp::MIN).start(), Timestamp::MIN);
    }
}
