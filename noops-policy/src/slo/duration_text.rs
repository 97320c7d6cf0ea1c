//! Durations as operators write them: `30d`, `1h30m`, `500ms`. ISO 8601 text such as `PT2H` is read too.

use std::time::Duration;

use jiff::SignedDuration;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| {
        D::Error::custom(format!(
            "`{text}` is not a duration; write it as `30d`, `1h30m` or `10s`"
        ))
    })
}

/// The shortest exact text, greatest unit first; a week is written in days.
pub(crate) fn format(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let mut text = String::new();
    for (unit, nanos) in UNITS {
        if unit == "w" {
            continue;
        }
        let count = rest / nanos;
        if count > 0 {
            text.push_str(&count.to_string());
            text.push_str(unit);
            rest -= count * nanos;
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

/// Reads whole numbers each followed by a unit, or ISO 8601; none if it is neither, or too long.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    units(text).or_else(|| {
        let signed: SignedDuration = text.parse().ok()?;
        Duration::try_from(signed).ok()
    })
}

fn units(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total: u128 = 0;
    if text.len() > MAX_BYTES || text.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, next) = after.split_at_checked(letters)?;
        let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let count: u128 = number.parse().ok()?;
        total = total.checked_add(count.checked_mul(*nanos)?)?;
        rest = next;
    }
    let seconds = u64::try_from(total / SECOND).ok()?;
    let nanos = u32::try_from(total % SECOND).ok()?;
    Some(Duration::new(seconds, nanos))
}

const SECOND: u128 = 1_000_000_000;
const UNITS: [(&str, u128); 8] = [
    ("w", 7 * 86_400 * SECOND),
    ("d", 86_400 * SECOND),
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];
/// Longer text is no duration that somebody wrote.
const MAX_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn operators_units_and_iso_are_read() {
        let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
        assert_eq!(parse("30d"), hours(720));
        assert_eq!(parse("4w"), hours(672));
        assert_eq!(parse("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse("PT2H"), hours(2));
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
        for wrong in [
            "",
            "d",
            "30",
            "-1h",
            "1 hour and a bit",
            "1y",
            "99999999999999999999999d",
            "é1",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn text_reads_back_exactly(seconds in any::<u64>(), nanos in 0u32..1_000_000_000) {
            let duration = Duration::new(seconds, nanos);
            prop_assert_eq!(parse(&format(duration)), Some(duration));
        }
    }
}
