use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use super::conversions::shortened;
use super::{Call, Outcome};
use crate::cel::eval::EvaluationError;
use crate::cel::function::Function;
use crate::cel::value::Value;

/// A part of a moment, in UTC or in the time zone that is given, or of a duration.
pub(super) fn part(call: &mut Call<'_>) -> Outcome {
    let part = match call.arguments {
        [Value::Timestamp(moment)] => of_date_time(call.function, Offset::UTC.to_datetime(*moment)),
        [Value::Timestamp(moment), Value::String(zone)] => {
            call.fuel.spend_text(zone.len())?;
            of_date_time(call.function, time_zone(zone)?.to_datetime(*moment))
        }
        [Value::Duration(span)] => match of_duration(call.function, *span) {
            Some(part) => part,
            None => return call.refuse(),
        },
        _ => return call.refuse(),
    };
    Ok(Value::Int(part))
}

/// A time zone by its name in the IANA database, or as an offset from UTC: `+02:00`, `-08:00`, `02:00`.
///
/// # Errors
///
/// When there is no such time zone.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, EvaluationError> {
    if name.is_empty() || name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    if name.contains(':') {
        return offset(name)
            .map(TimeZone::fixed)
            .ok_or_else(|| no_zone(name));
    }
    TimeZoneDatabase::bundled()
        .get(name)
        .map_err(|_| no_zone(name))
}

/// A duration in Go's notation: `90s`, `1h30m`, `-1.5h`, `250ms`.
///
/// # Errors
///
/// When `text` is no duration, or one beyond the range of the language.
pub(super) fn parse_duration(text: &str) -> Result<SignedDuration, EvaluationError> {
    let (is_negative, magnitude) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let nanoseconds = if magnitude == "0" {
        Some(0)
    } else {
        total_nanoseconds(magnitude)
    };
    let nanoseconds = nanoseconds.ok_or_else(|| {
        let text = shortened(text);
        EvaluationError::invalid(format!(
            "`{text}` does not read as a duration; write it as `90s` or `1h30m`"
        ))
    })?;
    i64::try_from(nanoseconds / NANOSECONDS_PER_SECOND)
        .ok()
        .and_then(|seconds| {
            let rest = i32::try_from(nanoseconds % NANOSECONDS_PER_SECOND).ok()?;
            let span = SignedDuration::new(seconds, rest);
            if is_negative {
                span.checked_neg()
            } else {
                Some(span)
            }
        })
        .filter(is_duration_in_range)
        .ok_or_else(|| {
            let text = shortened(text);
            EvaluationError::invalid(format!(
                "`{text}` is longer than a duration can be: 10,000 years"
            ))
        })
}

/// A moment as in RFC 3339.
///
/// # Errors
///
/// When `text` is no such moment, or one before the year 1 or in the last 26 hours of the year 9999, which are not
/// represented.
pub(super) fn parse_timestamp(text: &str) -> Result<Timestamp, EvaluationError> {
    if !is_rfc_3339(text) {
        let text = shortened(text);
        return Err(EvaluationError::invalid(format!(
            "`{text}` does not read as a timestamp; write it as `2026-01-31T12:00:00Z`"
        )));
    }
    text.parse::<Timestamp>()
        .ok()
        .filter(in_range)
        .ok_or_else(|| {
            let text = shortened(text);
            EvaluationError::invalid(format!(
                "`{text}` is no moment from `0001-01-01T00:00:00Z` to `9999-12-30T22:00:00Z`"
            ))
        })
}

/// Whether a moment is one of the language: not before the year 1.
pub(super) fn in_range(moment: &Timestamp) -> bool {
    (moment.as_second(), moment.subsec_nanosecond()) >= (FIRST_SECOND, 0)
}

/// Whether a duration is one of the language: at most 10,000 years either way.
pub(super) fn is_duration_in_range(span: &SignedDuration) -> bool {
    let longest = SignedDuration::from_secs(LONGEST_SECONDS);
    let shortest = SignedDuration::from_secs(-LONGEST_SECONDS);
    (shortest..=longest).contains(span)
}

fn of_date_time(function: Function, at: DateTime) -> i64 {
    match function {
        Function::FullYear => i64::from(at.year()),
        Function::Month => i64::from(at.month()) - 1,
        Function::Date => i64::from(at.day()),
        Function::DayOfMonth => i64::from(at.day()) - 1,
        Function::DayOfWeek => i64::from(at.weekday().to_sunday_zero_offset()),
        Function::DayOfYear => i64::from(at.day_of_year()) - 1,
        Function::Hours => i64::from(at.hour()),
        Function::Minutes => i64::from(at.minute()),
        Function::Seconds => i64::from(at.second()),
        _ => i64::from(at.millisecond()),
    }
}

/// The whole duration in hours, minutes or seconds, but the milliseconds beyond its seconds.
fn of_duration(function: Function, span: SignedDuration) -> Option<i64> {
    match function {
        Function::Hours => Some(span.as_hours()),
        Function::Minutes => Some(span.as_mins()),
        Function::Seconds => Some(span.as_secs()),
        Function::Milliseconds => Some(i64::from(span.subsec_millis())),
        _ => None,
    }
}

/// `[+-]hh:mm`.
fn offset(name: &str) -> Option<Offset> {
    let (sign, digits) = match name.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, name.strip_prefix('+').unwrap_or(name)),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let hours = two_digits(hours).filter(|hours| *hours < 24)?;
    let minutes = two_digits(minutes).filter(|minutes| *minutes < 60)?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn two_digits(text: &str) -> Option<i32> {
    let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn no_zone(name: &str) -> EvaluationError {
    let name = shortened(name);
    EvaluationError::invalid(format!(
        "there is no time zone `{name}`; write it as `Europe/Berlin` or `+02:00`"
    ))
}

/// The sum of numbers with units; none when it does not read as one or is beyond any duration.
fn total_nanoseconds(text: &str) -> Option<i128> {
    let mut total: i128 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (whole, after) = leading_digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => leading_digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let length = after
            .find(|character: char| character == '.' || character.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(length)?;
        let unit = nanoseconds_of(unit)?;
        let whole = match whole {
            "" => 0,
            digits => digits.parse::<i128>().unwrap_or(i128::MAX),
        };
        total = total.saturating_add(whole.saturating_mul(unit));
        total = total.saturating_add(fraction_of(fraction, unit));
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

fn leading_digits(text: &str) -> (&str, &str) {
    let length = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or((text, ""))
}

fn nanoseconds_of(unit: &str) -> Option<i128> {
    match unit {
        "ns" => Some(1),
        "us" | "µs" | "μs" => Some(1_000),
        "ms" => Some(1_000_000),
        "s" => Some(NANOSECONDS_PER_SECOND),
        "m" => Some(60 * NANOSECONDS_PER_SECOND),
        "h" => Some(3600 * NANOSECONDS_PER_SECOND),
        _ => None,
    }
}

/// The digits after the point, in nanoseconds; what is finer is cut off.
fn fraction_of(digits: &str, unit: i128) -> i128 {
    let (value, scale) =
        digits
            .bytes()
            .take(FINEST_DIGITS)
            .fold((0_i128, 1_i128), |(value, scale), digit| {
                let digit = i128::from(digit.saturating_sub(b'0'));
                (
                    value.saturating_mul(10).saturating_add(digit),
                    scale.saturating_mul(10),
                )
            });
    value.saturating_mul(unit).checked_div(scale).unwrap_or(0)
}

/// `dddd-dd-ddTdd:dd:dd`, a fraction or none, and `Z` or an offset.
fn is_rfc_3339(text: &str) -> bool {
    let Some((date_time, rest)) = text.split_at_checked(SHAPE.len()) else {
        return false;
    };
    let has_shape = date_time
        .bytes()
        .zip(SHAPE.bytes())
        .all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            _ => byte == shape,
        });
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => match leading_digits(fraction) {
            ("", _) => return false,
            (_, rest) => rest,
        },
        None => rest,
    };
    // A leap second is refused: it would read as the second before.
    has_shape && !date_time.ends_with(":60") && (rest == "Z" || is_offset(rest))
}

fn is_offset(text: &str) -> bool {
    text.starts_with(['+', '-']) && offset(text).is_some()
}

const SHAPE: &str = "dddd-dd-ddTdd:dd:dd";
const NANOSECONDS_PER_SECOND: i128 = 1_000_000_000;
/// The first second of the year 1.
const FIRST_SECOND: i64 = -62_135_596_800;
/// About 10,000 years.
const LONGEST_SECONDS: i64 = 315_576_000_000;
/// Digits of an hour beyond these are less than a nanosecond.
const FINEST_DIGITS: usize = 18;
