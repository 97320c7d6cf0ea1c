//! The time axis: days and decisions to places, months to ticks.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::Timeline;
use super::scale::{Scale, Tick, extent};

/// A horizontal axis that covers every day and every decision of a time line.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    first: Date,
    days: Scale,
}

impl Calendar {
    pub(super) fn covering(timeline: &Timeline, units: (f64, f64)) -> Calendar {
        let days = timeline.days.iter().map(|day| day.date);
        let decisions = timeline.marks.iter().map(|mark| day_of(mark.at));
        let dates: Vec<Date> = days.chain(decisions).collect();
        let (low, high) =
            extent(dates.iter().copied().map(day_number)).unwrap_or((0.0, DAYS_WITHOUT_DATA));
        Calendar {
            first: dates.iter().copied().min().unwrap_or(EPOCH),
            days: Scale::linear(low, high + 1.0, units),
        }
    }

    /// Where a day begins and ends.
    pub(super) fn day(&self, date: Date) -> (f64, f64) {
        let number = day_number(date);
        (self.days.at(number), self.days.at(number + 1.0))
    }

    /// The middle of a day, where what was measured on that day is drawn.
    pub(super) fn noon(&self, date: Date) -> f64 {
        self.days.at(day_number(date) + 0.5)
    }

    pub(super) fn instant(&self, at: Timestamp) -> f64 {
        let day = day_number(day_of(at));
        let seconds = at.as_second().rem_euclid(SECONDS_PER_DAY);
        self.days.at(day + seconds as f64 / SECONDS_PER_DAY as f64)
    }

    /// The first days of months, or of some days where the axis is too short for months.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let (low, high) = self.days.range();
        let short = high - low < SHORTEST_IN_MONTHS;
        let (start, step, format) = if short {
            let every = whole((high - low) / MOST_TICKS);
            (self.first, Span::new().days(every), "%b %-d")
        } else {
            let every = whole((high - low) / DAYS_PER_MONTH / MOST_TICKS);
            (self.first.first_of_month(), Span::new().months(every), "%b")
        };
        let mut ticks: Vec<Tick> = Vec::new();
        let mut date = start;
        while day_number(date) < high && ticks.len() < LONGEST_AXIS {
            let number = day_number(date);
            if number >= low {
                // The year is said once, and again where it changes.
                let says_year = !short && (ticks.is_empty() || date.month() == 1);
                let format = if says_year { "%b %Y" } else { format };
                ticks.push(Tick {
                    at: self.days.at(number),
                    label: date.strftime(format).to_string(),
                });
            }
            match date.checked_add(step) {
                Ok(next) => date = next,
                Err(_) => break,
            }
        }
        ticks
    }
}

/// Days since the Unix epoch.
pub(super) fn day_number(date: Date) -> f64 {
    (date.duration_since(EPOCH).as_secs() / SECONDS_PER_DAY) as f64
}

fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// A count of at least one, rounded up; the calendar's own limits keep it far below a span's.
fn whole(count: f64) -> i64 {
    (count.ceil() as i64).max(1)
}

const EPOCH: Date = date(1970, 1, 1);
const SECONDS_PER_DAY: i64 = 86_400;
const DAYS_PER_MONTH: f64 = 30.4;
const DAYS_WITHOUT_DATA: f64 = 30.0;
/// A shorter axis is labelled with days.
const SHORTEST_IN_MONTHS: f64 = 75.0;
const MOST_TICKS: f64 = 15.0;
/// Bounds the ticks of one axis whatever the range is.
const LONGEST_AXIS: usize = 32;

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn labels(timeline: &Timeline) -> Vec<String> {
        Calendar::covering(timeline, (0.0, 366.0))
            .ticks()
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    }

    #[test]
    fn a_year_has_a_tick_for_every_month() {
        assert_eq!(
            labels(&sample::timeline(366)),
            [
                "Jan 2008", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
                "Dec"
            ]
        );
    }

    #[test]
    fn a_month_is_labelled_with_days() {
        let labels = labels(&sample::timeline(31));
        assert!(labels.len() >= 8 && labels.len() <= 13);
        assert_eq!(labels.first().map(String::as_str), Some("Jan 1"));
    }

    #[test]
    fn an_empty_time_line_still_has_an_axis() {
        let calendar = Calendar::covering(&sample::empty(), (0.0, 100.0));
        assert!(calendar.ticks().iter().all(|tick| tick.at.is_finite()));
        assert!(calendar.noon(date(2008, 5, 1)).is_finite());
    }

    #[test]
    fn the_longest_calendar_has_a_readable_number_of_ticks() {
        let mut timeline = sample::timeline(2);
        timeline.days[0].date = Date::MIN;
        timeline.days[1].date = Date::MAX;
        let count = labels(&timeline).len();
        assert!((8..=LONGEST_AXIS).contains(&count), "{count}");
    }

    #[test]
    fn an_instant_lies_within_its_day() {
        let timeline = sample::timeline(366);
        let calendar = Calendar::covering(&timeline, (0.0, 366.0));
        let at: Timestamp = "2008-03-01T18:00:00Z".parse().unwrap();
        let (start, end) = calendar.day(date(2008, 3, 1));
        assert!((calendar.instant(at) - (start + 0.75 * (end - start))).abs() < 1e-6);
        assert!((calendar.noon(date(2008, 3, 1)) - 60.5).abs() < 1e-6);
    }
}
