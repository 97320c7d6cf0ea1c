use std::time::Duration;

use jiff::ToSpan;
use proptest::prelude::*;

use super::*;

fn schedule(text: &str) -> Schedule {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn new_york() -> TimeZone {
    TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap()
}

/// A zone whose clock change is half an hour.
fn lord_howe() -> TimeZone {
    TimeZone::posix("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0").unwrap()
}

#[test]
fn published_examples_run_when_they_say() {
    // The examples of crontab(5), from noon on Friday 2026-11-20 UTC, dates read off a calendar.
    let cases = [
        ("5 0 * * *", "2026-11-21T00:05:00Z"),
        ("15 14 1 * *", "2026-12-01T14:15:00Z"),
        ("0 22 * * 1-5", "2026-11-20T22:00:00Z"),
        ("23 0-23/2 * * *", "2026-11-20T12:23:00Z"),
        ("5 4 * * sun", "2026-11-22T04:05:00Z"),
        // "4:30 am on the 1st and 15th of each month, plus every Friday."
        ("30 4 1,15 * 5", "2026-11-27T04:30:00Z"),
        ("0 4 8-14 * *", "2026-12-08T04:00:00Z"),
        ("@hourly", "2026-11-20T13:00:00Z"),
        ("@daily", "2026-11-21T00:00:00Z"),
        ("@weekly", "2026-11-22T00:00:00Z"),
        ("@monthly", "2026-12-01T00:00:00Z"),
        ("@yearly", "2027-01-01T00:00:00Z"),
        ("*/15 * * * *", "2026-11-20T12:15:00Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
        // 29 February on a Sunday: `*/7` begins with a star, so both days must fit. The next is in 2032.
        ("0 0 29 2 */7", "2032-02-29T00:00:00Z"),
        ("0 0 * * 5-SUN", "2026-11-21T00:00:00Z"),
        ("0 0 * * 7", "2026-11-22T00:00:00Z"),
    ];
    for (text, expected) in cases {
        let next = schedule(text).next_after(at("2026-11-20T12:00:00Z"), &TimeZone::UTC);
        assert_eq!(next, Some(at(expected)), "{text}");
    }
}

#[test]
fn the_first_and_the_fifteenth_and_fridays_are_all_of_them() {
    let schedule = schedule("30 4 1,15 * 5");
    let mut instant = at("2026-05-01T00:00:00Z");
    let mut days: Vec<i8> = Vec::new();
    for _ in 0..6 {
        instant = schedule.next_after(instant, &TimeZone::UTC).unwrap();
        days.push(TimeZone::UTC.to_datetime(instant).day());
    }
    // May 2026: the 1st and the 15th are Fridays themselves.
    assert_eq!(days, [1, 8, 15, 22, 29, 1]);
}

#[test]
fn a_time_in_the_gap_runs_once_at_the_first_instant_after_it() {
    // Clocks go from 02:00 EST to 03:00 EDT on 2026-03-08, at 07:00 UTC.
    let before = at("2026-03-08T06:00:00Z");
    let every_ten = schedule("*/10 2 * * *");
    let first = every_ten.next_after(before, &new_york()).unwrap();
    assert_eq!(first, at("2026-03-08T07:00:00Z"));
    let second = every_ten.next_after(first, &new_york()).unwrap();
    assert_eq!(second, at("2026-03-09T06:00:00Z"));
}

#[test]
fn a_time_in_the_overlap_runs_once() {
    // Clocks go from 02:00 EDT back to 01:00 EST on 2026-11-01, at 06:00 UTC.
    let schedule = schedule("30 1 * * *");
    let first = schedule.next_after(at("2026-11-01T04:00:00Z"), &new_york());
    assert_eq!(first, Some(at("2026-11-01T05:30:00Z")));
    let second = schedule.next_after(at("2026-11-01T05:30:00Z"), &new_york());
    assert_eq!(second, Some(at("2026-11-02T06:30:00Z")));
    let from_the_second_pass = schedule.next_after(at("2026-11-01T06:10:00Z"), &new_york());
    assert_eq!(from_the_second_pass, Some(at("2026-11-02T06:30:00Z")));
}

#[test]
fn what_is_no_schedule_is_refused_and_named() {
    let hostile = [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5/15 * * * *",
        "5-1 * * * *",
        "1- * * * *",
        "-1 * * * *",
        "+1 * * * *",
        ", * * * *",
        "1,, * * * *",
        "* * * FOO *",
        "* * 31 2 *",
        "* * 30,31 FEB *",
        "* * 31 4,6,9,11 *",
        "@reboot",
        "99999999999999999999 * * * *",
        "é * * * *",
        "1-2-3 * * * *",
        "*/5/5 * * * *",
    ];
    for text in hostile {
        let error = text.parse::<Schedule>().unwrap_err();
        assert!(error.to_string().starts_with("the schedule `"), "{text}");
    }
    assert!(" ".repeat(1_000_000).parse::<Schedule>().is_err());
    assert!("1,".repeat(1_000_000).parse::<Schedule>().is_err());
}

#[test]
fn the_end_of_the_calendar_is_the_end() {
    assert_eq!(
        schedule("* * * * *").next_after(Timestamp::MAX, &TimeZone::UTC),
        None
    );
    assert!(
        schedule("0 0 29 2 *")
            .next_after(Timestamp::MIN, &new_york())
            .is_some()
    );
}

#[test]
fn it_is_read_back_as_written() {
    let schedule = schedule("*/5 0-6 * JAN,MAR 1-5");
    let text = serde_json::to_string(&schedule).unwrap();
    assert_eq!(text, "\"*/5 0-6 * JAN,MAR 1-5\"");
    assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
    assert!(serde_json::from_str::<Schedule>("\"* * *\"").is_err());
}

/// One field, as text and as the set of values it allows, written down the slow way.
fn field(first: i8, last: i8) -> impl Strategy<Value = (String, Vec<i8>)> {
    let part = prop_oneof![
        2 => (1i8..20).prop_map(move |step| {
            let values = (first..=last).filter(|value| (value - first) % step == 0).collect();
            (format!("*/{step}"), values)
        }),
        2 => Just(("*".to_owned(), (first..=last).collect::<Vec<i8>>())),
        3 => (first..=last).prop_map(|value| (value.to_string(), vec![value])),
        3 => (first..=last, first..=last, 1i8..5).prop_map(|(one, other, step)| {
            let (low, high) = (one.min(other), one.max(other));
            let values = (low..=high).filter(|value| (value - low) % step == 0).collect();
            (format!("{low}-{high}/{step}"), values)
        }),
    ];
    proptest::collection::vec(part, 1..3).prop_map(|parts| {
        let text: Vec<String> = parts.iter().map(|(text, _)| text.clone()).collect();
        let values = parts.into_iter().flat_map(|(_, values)| values).collect();
        (text.join(","), values)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Walks through every minute of a week with the wall clock in sight: a schedule runs when the clock shows a time that fits
    /// for the first time, or jumps over one.
    #[test]
    fn the_next_instant_is_that_of_walking_minute_by_minute(
        minutes in field(0, 59),
        hours in field(0, 23),
        days in field(1, 31),
        weekdays in field(0, 6),
        zone in 0usize..3,
        change in 0usize..4,
        offset in 0i64..86_400,
    ) {
        let text = format!("{} {} {} * {}", minutes.0, hours.0, days.0, weekdays.0);
        let parsed = schedule(&text);
        let fits = |local: DateTime| {
            let day = days.1.contains(&local.day());
            let weekday = weekdays.1.contains(&local.weekday().to_sunday_zero_offset());
            let either = !days.0.starts_with('*') && !weekdays.0.starts_with('*');
            minutes.1.contains(&local.minute())
                && hours.1.contains(&local.hour())
                && if either { day || weekday } else { day && weekday }
        };
        let zone = [TimeZone::UTC, new_york(), lord_howe()][zone].clone();
        // The day before a clock change of one of the zones.
        let start = [
            "2026-03-07T12:00:00Z",
            "2026-10-31T12:00:00Z",
            "2026-04-03T12:00:00Z",
            "2026-10-02T12:00:00Z",
        ][change];
        let after = at(start) + Duration::from_secs(offset.unsigned_abs());

        let minute = |instant: Timestamp| {
            let seconds = instant.as_second().div_euclid(60) * 60;
            Timestamp::from_second(seconds).unwrap()
        };
        let mut instant = minute(after) - Duration::from_secs(86_400);
        let mut shown = zone.to_datetime(instant);
        let mut expected = None;
        for _ in 0..8 * 1440 {
            instant += Duration::from_secs(60);
            let local = zone.to_datetime(instant);
            let mut passed = false;
            while shown < local {
                shown = shown.checked_add(1.minute()).unwrap();
                passed |= fits(shown);
            }
            if passed && instant > after {
                expected = Some(instant);
                break;
            }
        }
        let next = parsed.next_after(after, &zone);
        match expected {
            Some(expected) => {
                prop_assert_eq!(next, Some(expected), "{}", text);
                let last = parsed.last_within(after, expected, &zone);
                prop_assert_eq!(last, Some(expected));
                let none = parsed.last_within(after, expected - Duration::from_secs(1), &zone);
                prop_assert_eq!(none, None);
            }
            None => prop_assert!(next.is_none_or(|next| next > instant), "{}", text),
        }
    }

    #[test]
    fn the_last_instant_within_is_that_of_stepping_through_all(
        minutes in field(0, 59),
        hours in field(0, 23),
        length in 0u64..300_000,
    ) {
        let parsed = schedule(&format!("{} {} * * *", minutes.0, hours.0));
        let after = at("2026-10-30T00:00:30.5Z");
        let until = after + Duration::from_secs(length);
        let mut expected = None;
        let mut instant = after;
        while let Some(next) = parsed.next_after(instant, &new_york()).filter(|next| *next <= until) {
            expected = Some(next);
            instant = next;
        }
        prop_assert_eq!(parsed.last_within(after, until, &new_york()), expected);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,60}", fields in "[0-9*/,@a-zA-Z -]{0,40}") {
        for text in [text, fields] {
            if let Ok(schedule) = text.parse::<Schedule>() {
                prop_assert!(schedule.next_after(Timestamp::UNIX_EPOCH, &new_york()).is_some());
            }
        }
    }
}
