//! Names and small texts that end up in paths, queries and logs.

use std::path::{Component, Path};

use noops_core::jiff::tz::TimeZone;
use noops_core::{
    Alias, Digest, JobReport, LeaseName, ModelName, RunId, Schedule, SecretName, Timestamp,
};
use proptest::prelude::*;

use crate::cases;
use crate::change::{changed, changes};

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_name_is_one_plain_part_of_a_path(
        start in proptest::sample::select(STARTS),
        changes in changes(),
    ) {
        let text = String::from_utf8_lossy(&changed(start.as_bytes(), &changes)).into_owned();
        for name in [
            text.parse::<ModelName>().map(|name| name.to_string()).ok(),
            text.parse::<Alias>().map(|name| name.to_string()).ok(),
            text.parse::<LeaseName>().map(|name| name.to_string()).ok(),
            text.parse::<SecretName>().map(|name| name.as_str().to_owned()).ok(),
            text.parse::<RunId>().map(|name| name.to_string()).ok(),
        ].into_iter().flatten() {
            prop_assert_eq!(&name, &text);
            prop_assert!(is_plain(&name), "{:?}", name);
        }
        if let Ok(digest) = text.parse::<Digest>() {
            prop_assert!(is_plain(&digest.to_string()));
            prop_assert_eq!(digest.to_string(), text.to_lowercase());
        }
    }

    #[test]
    fn a_schedule_is_refused_or_has_a_next_instant_later_than_now(
        start in proptest::sample::select(SCHEDULES),
        changes in changes(),
        second in -1_000_000_000i64..4_000_000_000,
    ) {
        let text = String::from_utf8_lossy(&changed(start.as_bytes(), &changes)).into_owned();
        if let Ok(schedule) = text.parse::<Schedule>() {
            let now = Timestamp::from_second(second).unwrap();
            for now in [now, Timestamp::MIN, Timestamp::MAX] {
                let next = schedule.next_after(now, &TimeZone::UTC);
                prop_assert!(next.is_none_or(|next| next > now));
            }
            let again: Schedule = schedule.as_str().parse().unwrap();
            prop_assert_eq!(again, schedule);
        }
    }

    #[test]
    fn a_report_has_only_finite_numbers(changes in changes()) {
        let log = "loading\nnoops: step=1 value=0.7\nnoops: metric auc=0.9\nnoops: metric f1=-1e3\nnoops: step=2 value=0.6\n";
        let log = changed(log.as_bytes(), &changes);
        let report = JobReport::parse(&String::from_utf8_lossy(&log));
        prop_assert!(report.metrics().values().all(|value| value.is_finite()));
        let value = report.progress().and_then(|(_, value)| value);
        prop_assert!(value.is_none_or(f64::is_finite));
    }
}

fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let is_normal = matches!(parts.next(), Some(Component::Normal(part)) if part == name);
    is_normal && parts.next().is_none() && !name.contains(['\\', ':', '\0', '\n'])
}

const STARTS: &[&str] = &[
    "a",
    "arrival-delay",
    "registry.token",
    "..",
    "run-0123456789012345678901234567890123456789",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "",
];

const SCHEDULES: &[&str] = &[
    "@daily",
    "*/5 * * * *",
    "0 0 29 2 *",
    "0 3 * * 1-5",
    "0 0 31 2,4,6 *",
];
