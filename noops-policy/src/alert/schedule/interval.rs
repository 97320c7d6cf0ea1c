use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::error::ScheduleError;
use super::range::{ClockRange, DayRange, MonthRange, WeekdayRange, YearRange};
use super::zone;

/// The moments whose local time of day, weekday, day of the month, month and year are all in a list.
///
/// An empty list admits everything; the interval without any list is always. A moment is judged by what clocks at the
/// location show at it: an hour that is repeated when the clocks go back is in the interval twice, and an hour that is
/// skipped when they go forward is not in it at all.
///
/// It reads and writes an entry of Alertmanager's `time_intervals`. Two forms of Alertmanager are refused: the location
/// `Local`, which depends on the machine, and an interval that no moment lies in.
///
/// # Examples
///
/// ```
/// use noops_policy::alert::schedule::TimeInterval;
///
/// let office = TimeInterval::always()
///     .with_times("09:00", "17:00")?
///     .with_weekdays("monday:friday")?
///     .with_location("Europe/Vienna")?;
/// // A Monday in June, at 8:59 and at 9:00 in Vienna.
/// assert!(!office.contains("2026-06-01T06:59:00Z".parse()?));
/// assert!(office.contains("2026-06-01T07:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawTimeInterval", into = "RawTimeInterval")]
pub struct TimeInterval {
    times: Vec<ClockRange>,
    days: DayFilter,
    location: Option<String>,
    zone: TimeZone,
}

impl TimeInterval {
    /// Every moment.
    #[must_use]
    pub fn always() -> Self {
        Self {
            times: Vec::new(),
            days: DayFilter::default(),
            location: None,
            zone: TimeZone::UTC,
        }
    }

    /// Adds a range of times of day, from `start` up to and without `end`, such as `09:00` and `24:00`.
    ///
    /// # Errors
    ///
    /// Refuses what is no time of day, and a range that ends before it begins.
    pub fn with_times(mut self, start: &str, end: &str) -> Result<Self, ScheduleError> {
        let range = ClockRange::new(start.to_owned().try_into()?, end.to_owned().try_into()?)?;
        self.times.push(range);
        self.checked()
    }

    /// Adds days of the week, such as `sunday` or `monday:friday`, both ends included.
    ///
    /// # Errors
    ///
    /// Refuses unknown names and ranges that wrap around the end of the week, which is Saturday.
    pub fn with_weekdays(mut self, range: &str) -> Result<Self, ScheduleError> {
        self.days.weekdays.push(range.to_owned().try_into()?);
        self.checked()
    }

    /// Adds days of the month, such as `1:5` or, from the end of the month, `-3:-1`, both ends included.
    ///
    /// # Errors
    ///
    /// Refuses days that no month has, and ranges that are empty in every month.
    pub fn with_days_of_month(mut self, range: &str) -> Result<Self, ScheduleError> {
        self.days.days_of_month.push(range.to_owned().try_into()?);
        self.checked()
    }

    /// Adds months, such as `may:august` or `12`, both ends included.
    ///
    /// # Errors
    ///
    /// Refuses unknown months and ranges that wrap around the end of the year.
    pub fn with_months(mut self, range: &str) -> Result<Self, ScheduleError> {
        self.days.months.push(range.to_owned().try_into()?);
        self.checked()
    }

    /// Adds years, such as `2030` or `2026:2028`, both ends included.
    ///
    /// # Errors
    ///
    /// Refuses what is no year of the Gregorian calendar up to 9999.
    pub fn with_years(mut self, range: &str) -> Result<Self, ScheduleError> {
        self.days.years.push(range.to_owned().try_into()?);
        self.checked()
    }

    /// Sets the time zone by its IANA name; UTC without it.
    ///
    /// # Errors
    ///
    /// Refuses a name that the bundled time zone database does not hold.
    pub fn with_location(mut self, name: &str) -> Result<Self, ScheduleError> {
        self.zone = zone::named(name)?;
        self.location = Some(name.to_owned());
        Ok(self)
    }

    /// The name of the time zone, if one is set.
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// Whether `at` lies in the interval.
    pub fn contains(&self, at: Timestamp) -> bool {
        let local = self.zone.to_datetime(at);
        self.days.admits(local.date()) && self.admits_time(local.time())
    }

    /// The first moment after `after` at which the interval may begin or end.
    ///
    /// While the clocks keep their offset, local time runs evenly, so the next local edge is a fixed time away; where the
    /// offset changes before that, the change itself is the candidate.
    pub(crate) fn next_edge(&self, after: Timestamp, work: &mut Work) -> Option<Timestamp> {
        if self.times.is_empty() && self.days.is_always() {
            return None;
        }
        let offset = self.zone.to_offset(after);
        let shift = self
            .zone
            .following(after)
            .next()
            .map(|transition| transition.timestamp())
            .filter(|shift| *shift > after);
        let edge = self
            .next_local_edge(offset.to_datetime(after), work)
            .and_then(|edge| offset.to_timestamp(edge).ok())
            .filter(|edge| *edge > after);
        match (edge, shift) {
            (Some(edge), Some(shift)) => Some(edge.min(shift)),
            (edge, shift) => edge.or(shift),
        }
    }

    fn next_local_edge(&self, local: DateTime, work: &mut Work) -> Option<DateTime> {
        let date = local.date();
        if self.days.admits(date) && !self.times.is_empty() {
            let today = self
                .times
                .iter()
                .flat_map(|range| range.edges())
                .filter_map(|minute| minute.time())
                .map(|time| date.to_datetime(time))
                .filter(|edge| *edge > local)
                .min();
            return today.or_else(|| Some(date.tomorrow().ok()?.to_datetime(Time::midnight())));
        }
        let flip = self.days.next_flip(date, work)?;
        Some(flip.to_datetime(Time::midnight()))
    }

    fn admits_time(&self, time: Time) -> bool {
        self.times.is_empty() || self.times.iter().any(|range| range.contains(time))
    }

    fn checked(self) -> Result<Self, ScheduleError> {
        self.days.check()?;
        if self.times.len() > MAX_RANGES {
            return Err(ScheduleError::TooMany {
                field: "times",
                most: MAX_RANGES,
            });
        }
        Ok(self)
    }
}

/// The dates whose weekday, day of the month, month and year are all in a list; an empty list admits everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DayFilter {
    pub(crate) weekdays: Vec<WeekdayRange>,
    pub(crate) days_of_month: Vec<DayRange>,
    pub(crate) months: Vec<MonthRange>,
    pub(crate) years: Vec<YearRange>,
}

impl DayFilter {
    pub(crate) fn admits(&self, date: Date) -> bool {
        self.admits_year(date.year()) && self.admits_month(date.month()) && self.admits_day(date)
    }

    /// The first date after `date` that is admitted.
    pub(crate) fn next_admitted(&self, date: Date, work: &mut Work) -> Option<Date> {
        let mut next = date.tomorrow().ok()?;
        while !self.admits(next) {
            work.spend()?;
            next = self.hop(next)?;
        }
        Some(next)
    }

    /// Refuses filters that admit no date, and longer lists than are read.
    pub(crate) fn check(&self) -> Result<(), ScheduleError> {
        for (field, length) in [
            ("weekdays", self.weekdays.len()),
            ("days_of_month", self.days_of_month.len()),
            ("months", self.months.len()),
            ("years", self.years.len()),
        ] {
            if length > MAX_RANGES {
                return Err(ScheduleError::TooMany {
                    field,
                    most: MAX_RANGES,
                });
            }
        }
        // Every date of the calendar, with its weekday, comes again within 40 years, so that a range of years is searched at
        // most that far before something is found; all ranges that are too short to be sure of that fit the search too.
        let first = self.years.iter().map(YearRange::first).min().unwrap_or(1);
        let found = Date::new(first, 1, 1).ok().and_then(|start| {
            if self.admits(start) {
                return Some(start);
            }
            self.next_admitted(start, &mut Work::of(SEARCH_FOR_ANY))
        });
        match found {
            Some(_) => Ok(()),
            None => Err(ScheduleError::Never {
                problem:
                    "no date has such a weekday, day of the month, month and year; change one of them"
                        .to_owned(),
            }),
        }
    }

    fn is_always(&self) -> bool {
        self.weekdays.is_empty()
            && self.days_of_month.is_empty()
            && self.months.is_empty()
            && self.years.is_empty()
    }

    /// The first date after `date` whose answer differs from the answer for `date`.
    fn next_flip(&self, date: Date, work: &mut Work) -> Option<Date> {
        if !self.admits(date) {
            return self.next_admitted(date, work);
        }
        let mut next = date;
        loop {
            work.spend()?;
            next = if !(self.weekdays.is_empty() && self.days_of_month.is_empty()) {
                next.tomorrow().ok()?
            } else if !self.months.is_empty() {
                next.last_of_month().tomorrow().ok()?
            } else {
                next.last_of_year().tomorrow().ok()?
            };
            if !self.admits(next) {
                return Some(next);
            }
        }
    }

    /// The first date after `date`, which is not admitted, that could be.
    fn hop(&self, date: Date) -> Option<Date> {
        if !self.admits_year(date.year()) {
            let year = self
                .years
                .iter()
                .map(YearRange::first)
                .filter(|first| *first > date.year())
                .min()?;
            return Date::new(year, 1, 1).ok();
        }
        if !self.admits_month(date.month()) {
            return date.last_of_month().tomorrow().ok();
        }
        date.tomorrow().ok()
    }

    fn admits_year(&self, year: i16) -> bool {
        self.years.is_empty() || self.years.iter().any(|range| range.contains(year))
    }

    fn admits_month(&self, month: i8) -> bool {
        self.months.is_empty() || self.months.iter().any(|range| range.contains(month))
    }

    fn admits_day(&self, date: Date) -> bool {
        let weekday = date.weekday();
        (self.weekdays.is_empty() || self.weekdays.iter().any(|range| range.contains(weekday)))
            && (self.days_of_month.is_empty()
                || self.days_of_month.iter().any(|range| range.contains(date)))
    }
}

/// How much a search may still look at.
pub(crate) struct Work(u32);

impl Work {
    pub(crate) fn of(steps: u32) -> Self {
        Self(steps)
    }

    pub(crate) fn spend(&mut self) -> Option<()> {
        self.0 = self.0.checked_sub(1)?;
        Some(())
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTimeInterval {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    times: Vec<ClockRange>,
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

impl TryFrom<RawTimeInterval> for TimeInterval {
    type Error = ScheduleError;

    fn try_from(raw: RawTimeInterval) -> Result<Self, ScheduleError> {
        let zone = match &raw.location {
            Some(name) => zone::named(name)?,
            None => TimeZone::UTC,
        };
        Self {
            times: raw.times,
            days: DayFilter {
                weekdays: raw.weekdays,
                days_of_month: raw.days_of_month,
                months: raw.months,
                years: raw.years,
            },
            location: raw.location,
            zone,
        }
        .checked()
    }
}

impl From<TimeInterval> for RawTimeInterval {
    fn from(interval: TimeInterval) -> Self {
        Self {
            times: interval.times,
            weekdays: interval.days.weekdays,
            days_of_month: interval.days.days_of_month,
            months: interval.days.months,
            years: interval.days.years,
            location: interval.location,
        }
    }
}

/// More ranges in one list are refused.
const MAX_RANGES: usize = 64;

/// Every day of 40 years, for each range of years.
const SEARCH_FOR_ANY: u32 = 64 * 40 * 366;
