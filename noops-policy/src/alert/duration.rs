use std::time::Duration;

use noops_core::Timestamp;

/// Reads a duration as Prometheus writes it: `30s`, `5m`, `1h30m`, `1d`, `2w`, `500ms`; units in descending order.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let refuse = || {
        let shown: String = text.chars().take(40).collect();
        format!("`{shown}` is not a duration; write it as `30s`, `5m` or `1h30m`")
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut total: u64 = 0;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(refuse)?;
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| refuse())?;
        let (unit, tail) = UNITS
            .iter()
            .find_map(|(name, millis)| Some((*millis, tail.strip_prefix(name)?)))
            .ok_or_else(refuse)?;
        if unit >= last {
            return Err(refuse());
        }
        last = unit;
        total = number
            .checked_mul(unit)
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= MAX_MILLIS)
            .ok_or_else(|| format!("`{text}` is longer than `100y`; shorten it"))?;
        rest = tail;
    }
    if last == u64::MAX {
        return Err(refuse());
    }
    Ok(Duration::from_millis(total))
}

/// A time past the end of time is the end of time.
pub(super) fn after(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// Milliseconds first: `m` is a prefix of `ms`.
const UNITS: [(&str, u64); 7] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
    ("y", 31_536_000_000),
];
const MAX_MILLIS: u64 = 3_153_600_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_prometheus_writes_them() {
        for (text, seconds) in [
            ("30s", 30),
            ("5m", 300),
            ("1h30m", 5400),
            ("1d", 86_400),
            ("0", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "5",
            "m",
            "1m1h",
            "1m1m",
            "-1s",
            "1.5h",
            "101y",
            "99999999999999999999s",
            "5 m",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
