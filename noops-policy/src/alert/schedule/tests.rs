use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn intervals(yaml: &str) -> TimeIntervals {
    TimeIntervals::from_yaml("times.yaml", yaml).unwrap()
}

fn refusal(yaml: &str) -> String {
    TimeIntervals::from_yaml("times.yaml", yaml)
        .unwrap_err()
        .to_string()
}

#[test]
fn the_forms_of_alertmanager_are_read_and_written_back() {
    // The example of Alertmanager's documentation of `time_interval`, field by field.
    let read = intervals(
        "
- times:
  - start_time: '09:00'
    end_time: '17:00'
  - {start_time: '23:00', end_time: '24:00'}
  weekdays: ['monday:friday', 'Sunday']
  days_of_month: ['1:5', '-3:-1', '15']
  months: ['may:august', '1:3', 'december']
  years: ['2020:2022', '2030']
  location: 'Australia/Sydney'
",
    );
    let json = serde_json::to_string(&read).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"[{"times":[{"start_time":"09:00","end_time":"17:00"},{"start_time":"23:00","end_time":"24:00"}],"#,
            r#""weekdays":["monday:friday","sunday"],"days_of_month":["1:5","-3:-1","15"],"#,
            r#""months":["5:8","1:3","12"],"years":["2020:2022","2030"],"location":"Australia/Sydney"}]"#
        )
    );
    assert_eq!(serde_json::from_str::<TimeIntervals>(&json).unwrap(), read);
}

#[test]
fn unquoted_numbers_are_read_as_text() {
    let read = intervals("- {years: [2030], months: [2], days_of_month: [1]}");
    assert!(read.contains(at("2030-02-01T12:00:00Z")));
    assert!(!read.contains(at("2031-02-01T12:00:00Z")));
}

#[test]
fn slips_are_refused_with_their_place_and_a_suggestion() {
    assert_eq!(
        refusal("- weekdays: ['monday']\n- weekdays: ['mnday']\n"),
        "`times.yaml`:2:14: `weekdays`: `mnday` is unknown; did you mean `monday`?"
    );
    for (yaml, word) in [
        (
            "- times: [{start_time: '9:00', end_time: '17:00'}]",
            "`HH:MM`",
        ),
        (
            "- times: [{start_time: '17:00', end_time: '09:00'}]",
            "split it at midnight",
        ),
        (
            "- times: [{start_time: '09:00', end_time: '24:01'}]",
            "`HH:MM`",
        ),
        ("- weekdays: ['friday:monday']", "weeks begin on Sunday"),
        ("- days_of_month: ['0']", "is not a day"),
        ("- days_of_month: ['32']", "is not a day"),
        ("- days_of_month: ['-1:1']", "write two entries"),
        ("- days_of_month: ['5:1']", "swap the days"),
        ("- days_of_month: ['29:-4']", "in every month"),
        ("- months: ['13']", "is not a month"),
        ("- months: ['januray']", "did you mean `january`?"),
        ("- months: ['may:april']", "two entries"),
        ("- years: ['20x0']", "is not a year"),
        ("- location: Europe/Viena", "did you mean `Europe/Vienna`?"),
        ("- location: Local", "unknown time zone `Local`"),
        (
            "- {months: ['2'], days_of_month: ['30']}",
            "no moment lies in it",
        ),
        (
            "- {months: ['2'], days_of_month: ['29'], years: ['2025:2027']}",
            "no moment",
        ),
        ("- weekday: ['monday']", "weekday"),
    ] {
        let message = refusal(yaml);
        assert!(message.contains(word), "{yaml}: {message}");
        assert!(message.starts_with("`times.yaml`:1:"), "{yaml}: {message}");
    }
}

#[test]
fn days_from_the_end_of_a_month_with_a_clock_change_are_right() {
    // Alertmanager #5447: months in which the clocks change were taken for a day shorter or longer.
    for (zone, month, days, offset) in [
        ("Europe/Vienna", "03", 31, "+02:00"),
        ("Europe/Vienna", "10", 31, "+01:00"),
        ("America/New_York", "03", 31, "-04:00"),
        ("America/New_York", "11", 30, "-05:00"),
        ("Australia/Lord_Howe", "04", 30, "+10:30"),
        ("Australia/Lord_Howe", "10", 31, "+11:00"),
    ] {
        let last = TimeInterval::always()
            .with_days_of_month("-1")
            .unwrap()
            .with_location(zone)
            .unwrap();
        for day in 25..=days {
            let noon = at(&format!("2026-{month}-{day}T12:00:00{offset}"));
            assert_eq!(last.contains(noon), day == days, "{zone} {month}-{day}");
            let early = at(&format!("2026-{month}-{day}T00:00:00{offset}"));
            let late = at(&format!("2026-{month}-{day}T23:59:59{offset}"));
            // The first of these days may lie before the change, where the offset differs.
            if day > 26 {
                assert_eq!(last.contains(early), day == days, "{zone} {month}-{day}");
                assert_eq!(last.contains(late), day == days, "{zone} {month}-{day}");
            }
        }
    }
}

#[test]
fn a_day_before_the_first_of_a_short_month_is_clamped_as_in_alertmanager() {
    let whole = intervals("- {days_of_month: ['-31:-1'], months: ['2']}");
    assert!(whole.contains(at("2026-02-01T00:00:00Z")));
    assert!(whole.contains(at("2026-02-28T23:59:59Z")));
    let late = intervals("- {days_of_month: ['29:31']}");
    assert!(!late.contains(at("2026-02-28T12:00:00Z")));
    assert!(late.contains(at("2026-04-30T12:00:00Z")));
}

#[test]
fn an_hour_that_is_skipped_is_in_no_interval() {
    // Vienna, 2026-03-29: 2:00 is 3:00. New York, 2026-03-08: 2:00 is 3:00. Lord Howe, 2026-10-04: 2:00 is 2:30.
    for (zone, before) in [
        ("Europe/Vienna", "2026-03-29T00:59:59Z"),
        ("America/New_York", "2026-03-08T06:59:59Z"),
    ] {
        let night = TimeIntervals::new(vec![
            TimeInterval::always()
                .with_times("02:00", "03:00")
                .unwrap()
                .with_location(zone)
                .unwrap(),
        ])
        .unwrap();
        assert!(!night.contains(at(before)));
        assert!(!night.contains(at(before) + Duration::from_secs(1)));
        let next = night.next_change(at(before)).unwrap();
        // The night after: 23 hours after the skipped one would have begun, as clocks show one hour more.
        assert_eq!(next, at(before) + Duration::from_secs(1 + 23 * 3600));
    }
    let half = TimeIntervals::new(vec![
        TimeInterval::always()
            .with_times("02:00", "03:00")
            .unwrap()
            .with_location("Australia/Lord_Howe")
            .unwrap(),
    ])
    .unwrap();
    let begins = at("2026-10-03T15:30:00Z");
    assert!(half.contains(begins));
    assert_eq!(half.next_change(begins), Some(at("2026-10-03T16:00:00Z")));
}

#[test]
fn an_hour_that_is_repeated_is_in_the_interval_twice() {
    // Vienna, 2026-10-25: 3:00 summer time is 2:00 winter time, at 1:00 UTC.
    let night =
        intervals("- {times: [{start_time: '02:30', end_time: '03:00'}], location: Europe/Vienna}");
    let mut edges = Vec::new();
    let mut now = at("2026-10-24T12:00:00Z");
    while let Some(next) = night
        .next_change(now)
        .filter(|next| *next < at("2026-10-25T12:00:00Z"))
    {
        edges.push(next.to_string());
        now = next;
    }
    assert_eq!(
        edges,
        [
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:00:00Z",
        ]
    );
    // Lord Howe, 2026-04-05: 2:00 is 1:30 again, at 15:00 UTC the day before.
    let half = intervals(
        "- {times: [{start_time: '01:30', end_time: '02:00'}], location: Australia/Lord_Howe}",
    );
    assert_eq!(
        half.next_change(at("2026-04-04T14:00:00Z")),
        Some(at("2026-04-04T14:30:00Z"))
    );
    assert_eq!(
        half.next_change(at("2026-04-04T14:30:00Z")),
        Some(at("2026-04-04T15:30:00Z"))
    );
}

#[test]
fn a_change_years_away_is_found_and_one_that_never_comes_is_none() {
    let leap = intervals("- {days_of_month: ['29'], months: ['february'], weekdays: ['monday']}");
    assert_eq!(
        leap.next_change(at("2026-01-01T00:00:00Z")),
        Some(at("2044-02-29T00:00:00Z"))
    );
    let far = intervals("- years: ['9000']");
    assert_eq!(
        far.next_change(at("2026-01-01T00:00:00Z")),
        Some(at("9000-01-01T00:00:00Z"))
    );
    assert_eq!(far.next_change(at("9001-01-01T00:00:00Z")), None);
    assert_eq!(intervals("- {}").next_change(Timestamp::MIN), None);
    assert_eq!(intervals("[]").next_change(Timestamp::MIN), None);
    let both = "- times: [{start_time: '00:00', end_time: '12:00'}]\n- times: [{start_time: '12:00', end_time: '24:00'}]\n";
    assert_eq!(
        intervals(both).next_change(at("2026-01-01T00:00:00Z")),
        None
    );
}

#[test]
fn the_ends_of_time_do_no_harm() {
    let office = intervals(
        "- {times: [{start_time: '09:00', end_time: '17:00'}], weekdays: ['monday:friday'], location: Pacific/Apia}",
    );
    let window = MaintenanceWindow::recurring("23:59", Duration::from_secs(31 * 86_400))
        .unwrap()
        .with_location("Pacific/Apia")
        .unwrap();
    for end in [Timestamp::MIN, Timestamp::MAX] {
        office.contains(end);
        window.contains(end);
        assert_eq!(office.next_change(Timestamp::MAX), None);
        window.next_change(end);
    }
}

#[test]
fn a_window_lasts_its_duration_in_the_night_in_which_the_clocks_change() {
    let window = |location: &str| {
        MaintenanceWindow::recurring("02:30", Duration::from_secs(3600))
            .unwrap()
            .with_weekdays("sunday")
            .unwrap()
            .with_location(location)
            .unwrap()
    };
    for (zone, from, begins, ends) in [
        // 2:30 is skipped: the window begins at 3:30.
        (
            "Europe/Vienna",
            "2026-03-28T12:00:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-29T02:30:00Z",
        ),
        // 2:30 comes twice: the window begins at the first.
        (
            "Europe/Vienna",
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
        ),
        (
            "America/New_York",
            "2026-03-07T12:00:00Z",
            "2026-03-08T07:30:00Z",
            "2026-03-08T08:30:00Z",
        ),
    ] {
        let window = window(zone);
        assert_eq!(window.next_change(at(from)), Some(at(begins)));
        assert_eq!(window.next_change(at(begins)), Some(at(ends)));
        assert!(!window.contains(at(begins) - Duration::from_secs(1)));
        assert!(window.contains(at(begins)));
        assert!(!window.contains(at(ends)));
    }
}

#[test]
fn windows_that_overlap_go_on() {
    let weekend = MaintenanceWindow::recurring("12:00", Duration::from_secs(30 * 3600))
        .unwrap()
        .with_weekdays("friday:saturday")
        .unwrap();
    assert_eq!(
        weekend.next_change(at("2026-01-09T13:00:00Z")),
        Some(at("2026-01-11T18:00:00Z"))
    );
    let always = MaintenanceWindow::recurring("12:00", Duration::from_secs(30 * 3600)).unwrap();
    assert_eq!(always.next_change(at("2026-01-09T13:00:00Z")), None);
}

#[test]
fn windows_read_back_equal_and_are_refused_when_they_cannot_be() {
    for yaml in [
        "{from: '2026-01-01T00:00:00Z', until: '2026-01-01T04:00:00Z'}",
        "{start: '22:00', duration: 1h 30m, weekdays: ['saturday'], location: America/New_York}",
    ] {
        let window: MaintenanceWindow = serde_saphyr::from_str(yaml).unwrap();
        let json = serde_json::to_string(&window).unwrap();
        let back: MaintenanceWindow = serde_json::from_str(&json).unwrap();
        assert_eq!(back, window, "{json}");
    }
    for (yaml, word) in [
        (
            "{from: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z'}",
            "swap them",
        ),
        ("{start: '24:00', duration: 1h}", "write `00:00`"),
        ("{start: '22:00', duration: 0s}", "31 days"),
        ("{start: '22:00', duration: 1000h}", "31 days"),
        ("{start: '22:00', duration: -1h}", "is not a duration"),
        ("{start: '22:00'}", "`start` and `duration`"),
        (
            "{from: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z', weekdays: ['monday']}",
            "remove it",
        ),
    ] {
        let error = serde_saphyr::from_str::<MaintenanceWindow>(yaml)
            .unwrap_err()
            .to_string();
        assert!(error.contains(word), "{yaml}: {error}");
    }
}

fn zones() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "UTC",
        "Europe/Vienna",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
    ])
}

/// A few days before and after the clock changes of 2026, and any time of the year.
fn moments() -> impl Strategy<Value = Timestamp> {
    let near = prop::sample::select(vec![
        "2026-03-07T00:00:00Z",
        "2026-03-28T00:00:00Z",
        "2026-04-04T00:00:00Z",
        "2026-10-03T00:00:00Z",
        "2026-10-24T00:00:00Z",
        "2026-10-31T00:00:00Z",
        "2026-12-30T00:00:00Z",
    ]);
    (near, 0_u64..3 * 1440).prop_map(|(near, minutes)| at(near) + Duration::from_secs(minutes * 60))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_next_change_is_what_a_scan_of_every_minute_finds(
        parts in prop::collection::vec((zones(), 0_usize..94, 1_usize..20, 0_usize..9), 1..4),
        from in moments(),
    ) {
        let days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
        let quarter = |index: usize| format!("{:02}:{:02}", index / 4, index % 4 * 15);
        let list: Vec<TimeInterval> = parts
            .iter()
            .map(|(zone, start, length, day)| {
                let interval = TimeInterval::always()
                    .with_times(&quarter(*start), &quarter((start + length).min(96)))
                    .unwrap()
                    .with_location(zone)
                    .unwrap();
                match days.get(*day) {
                    Some(day) => interval.with_weekdays(day).unwrap(),
                    None => interval.with_days_of_month("-2:-1").unwrap(),
                }
            })
            .collect();
        let schedule = TimeIntervals::new(list).unwrap();
        let now = schedule.contains(from);
        let scanned = (1..3 * 1440_u64)
            .map(|minute| from + Duration::from_secs(minute * 60))
            .find(|at| schedule.contains(*at) != now);
        let found = schedule.next_change(from);
        match scanned {
            Some(scanned) => prop_assert_eq!(found, Some(scanned)),
            None => prop_assert!(found.is_none_or(|found| found >= from + Duration::from_secs(3 * 86_400 - 60))),
        }
    }

    #[test]
    fn the_next_change_of_a_window_is_what_a_scan_finds(
        zone in zones(),
        start in 0_usize..96,
        minutes in 1_u64..3000,
        day in 0_usize..7,
        from in moments(),
    ) {
        let days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
        let window = MaintenanceWindow::recurring(
            &format!("{:02}:{:02}", start / 4, start % 4 * 15),
            Duration::from_secs(minutes * 60),
        )
        .unwrap()
        .with_weekdays(days[day])
        .unwrap()
        .with_location(zone)
        .unwrap();
        let now = window.contains(from);
        let scanned = (1..8 * 1440_u64)
            .map(|minute| from + Duration::from_secs(minute * 60))
            .find(|at| window.contains(*at) != now);
        prop_assert_eq!(window.next_change(from), scanned);
    }

    #[test]
    fn no_text_makes_a_panic(text in "[-:0-9a-z ]{0,12}") {
        let _ = TimeInterval::always().with_times(&text, "24:00");
        let _ = TimeInterval::always().with_weekdays(&text);
        let _ = TimeInterval::always().with_days_of_month(&text);
        let _ = TimeInterval::always().with_months(&text);
        let _ = TimeInterval::always().with_years(&text);
        let _ = TimeInterval::always().with_location(&text);
    }
}
