use jiff::{SignedDuration, Timestamp};

/// The shortest text that reads back as this double, with an exponent where Go's `%g` has one: below 1e-4 and from 1e6 on.
pub(crate) fn double_text(value: f64) -> String {
    if value.is_nan() {
        return String::from("NaN");
    }
    if value.is_infinite() {
        return String::from(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
    let scientific = format!("{value:e}");
    let exponent: i32 = scientific
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or_default();
    if (SMALLEST_EXPONENT..LARGEST_EXPONENT).contains(&exponent) {
        format!("{value}")
    } else {
        with_padded_exponent(&scientific)
    }
}

/// `1.5e3` as `1.5e+03`: a sign and at least two digits.
pub(crate) fn with_padded_exponent(scientific: &str) -> String {
    match scientific.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = match exponent.strip_prefix('-') {
                Some(digits) => ('-', digits),
                None => ('+', exponent),
            };
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => scientific.to_owned(),
    }
}

/// Seconds with as many digits as it takes: `90s`, `-0.5s`.
pub(crate) fn duration_text(value: SignedDuration) -> String {
    let sign = if value.is_negative() { "-" } else { "" };
    let seconds = value.as_secs().unsigned_abs();
    let nanoseconds = value.subsec_nanos().unsigned_abs();
    if nanoseconds == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{nanoseconds:09}");
    let fraction = fraction.trim_end_matches('0');
    format!("{sign}{seconds}.{fraction}s")
}

/// As in RFC 3339, in UTC.
pub(crate) fn timestamp_text(value: Timestamp) -> String {
    value.to_string()
}

/// From here on down a double is written with an exponent.
const SMALLEST_EXPONENT: i32 = -4;
/// From here on up a double is written with an exponent.
const LARGEST_EXPONENT: i32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    /// `fmt.Sprintf("%g", x)` in Go.
    #[test]
    fn doubles_are_written_as_in_go() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-4.5e-3, "-0.0045"),
            (123.456, "123.456"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (123_456_789.0, "1.23456789e+08"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (6.02214e23, "6.02214e+23"),
            (1e300, "1e+300"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(double_text(value), text);
        }
    }

    #[test]
    fn a_duration_is_written_in_seconds() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "0s"),
            (5400, 0, "5400s"),
            (-1, -500_000_000, "-1.5s"),
            (0, -1, "-0.000000001s"),
            (i64::MIN, -999_999_999, "-9223372036854775808.999999999s"),
        ] {
            assert_eq!(
                duration_text(SignedDuration::new(seconds, nanoseconds)),
                text
            );
        }
    }
}
