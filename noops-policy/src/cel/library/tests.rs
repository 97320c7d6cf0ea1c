use proptest::prelude::*;

use super::*;
use crate::cel::map::Map;

fn text(text: &str) -> Value {
    Value::from(text)
}

fn run(function: Function, arguments: &[Value]) -> Outcome {
    let mut fuel = Fuel::new(1_000_000);
    call(
        function,
        arguments,
        &mut fuel,
        &mut Patterns::default(),
        Arithmetic::Ieee,
    )
}

fn shown(function: Function, arguments: &[Value]) -> String {
    match run(function, arguments) {
        Ok(value) => value.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

fn duration(text: &str) -> Value {
    run(Function::ToDuration, &[Value::from(text)]).unwrap()
}

fn timestamp(text: &str) -> Value {
    run(Function::ToTimestamp, &[Value::from(text)]).unwrap()
}

#[test]
fn whole_numbers_overflow_rather_than_wrap() {
    use Function::{Absolute, Add, Divide, Multiply, Negate, Remainder, Subtract};
    let (least, most) = (Value::Int(i64::MIN), Value::Int(i64::MAX));
    let (one, minus) = (Value::Int(1), Value::Int(-1));
    for (function, arguments) in [
        (Add, vec![most.clone(), one.clone()]),
        (Subtract, vec![least.clone(), one.clone()]),
        (Multiply, vec![least.clone(), minus.clone()]),
        (Divide, vec![least.clone(), minus.clone()]),
        (Remainder, vec![least.clone(), minus]),
        (Negate, vec![least.clone()]),
        (Absolute, vec![least]),
        (Subtract, vec![Value::Uint(0), Value::Uint(1)]),
    ] {
        let error = run(function, &arguments).unwrap_err();
        assert_eq!(error.kind(), EvaluationErrorKind::Overflow, "{function:?}");
    }
    assert_eq!(shown(Divide, &[Value::Int(-7), Value::Int(2)]), "-3");
    assert_eq!(shown(Remainder, &[Value::Int(-7), Value::Int(2)]), "-1");
    assert_eq!(
        shown(Remainder, &[one, Value::Int(0)]),
        "error: `%` divides by zero; ask first that the divisor is not zero"
    );
}

#[test]
fn equality_is_by_value_across_types_and_never_an_error() {
    let list = |items: &[Value]| Value::from(items.to_vec());
    let nan = Value::Double(f64::NAN);
    for (left, right, expected) in [
        (Value::Int(1), Value::Double(1.0), true),
        (Value::Uint(1), Value::Int(1), true),
        (list(&[Value::Int(1)]), list(&[Value::Double(1.0)]), true),
        (list(&[Value::Int(1)]), list(&[]), false),
        (Value::Int(1), text("1"), false),
        (Value::Bool(true), Value::Int(1), false),
        (Value::Null, Value::Int(0), false),
        (nan.clone(), nan.clone(), false),
        (
            list(std::slice::from_ref(&nan)),
            list(std::slice::from_ref(&nan)),
            false,
        ),
        (Value::Double(-0.0), Value::Double(0.0), true),
        (
            Value::from(Map::new([(Value::Int(1), Value::Int(2))]).unwrap()),
            Value::from(Map::new([(Value::Uint(1), Value::Double(2.0))]).unwrap()),
            true,
        ),
        (
            Value::Type(Type::list(Type::Int)),
            Value::Type(Type::list(Type::Dyn)),
            true,
        ),
    ] {
        let arguments = [left, right];
        assert_eq!(run(Function::Equal, &arguments), Ok(Value::Bool(expected)));
        assert_eq!(
            run(Function::NotEqual, &arguments),
            Ok(Value::Bool(!expected))
        );
    }
    assert!(run(Function::Less, &[Value::Int(1), text("2")]).is_err());
}

#[test]
fn nothing_is_less_or_greater_than_nan() {
    use Function::{Greater, GreaterOrEqual, Less, LessOrEqual};
    for function in [Less, LessOrEqual, Greater, GreaterOrEqual] {
        for other in [Value::Int(1), Value::Uint(1), Value::Double(1.0)] {
            let nan = Value::Double(f64::NAN);
            assert_eq!(
                run(function, &[nan.clone(), other.clone()]),
                Ok(Value::Bool(false))
            );
            assert_eq!(run(function, &[other, nan]), Ok(Value::Bool(false)));
        }
    }
}

/// `time.ParseDuration` in Go.
#[test]
fn durations_are_read_as_in_go() {
    for (source, expected) in [
        ("0", r#"duration("0s")"#),
        ("1h30m1.5s", r#"duration("5401.5s")"#),
        ("-1.5h", r#"duration("-5400s")"#),
        ("+5s", r#"duration("5s")"#),
        (".5s", r#"duration("0.5s")"#),
        ("1.s", r#"duration("1s")"#),
        ("250ms", r#"duration("0.25s")"#),
        ("1us1µs1μs1ns", r#"duration("0.000003001s")"#),
        ("0.0000000019s", r#"duration("0.000000001s")"#),
        ("315576000000s", r#"duration("315576000000s")"#),
    ] {
        assert_eq!(
            shown(Function::ToDuration, &[text(source)]),
            expected,
            "{source}"
        );
    }
    for source in [
        "",
        "s",
        "1",
        "1x",
        "1 s",
        "--1s",
        ".s",
        "1h ",
        "-",
        "1.1.1s",
        "315576000001s",
        "99999999999999999999999999999999999999999999999h",
        "١s",
    ] {
        assert!(
            run(Function::ToDuration, &[text(source)]).is_err(),
            "{source}"
        );
    }
}

#[test]
fn a_timestamp_is_read_as_rfc_3339_and_as_nothing_else() {
    for (source, expected) in [
        ("2009-02-13T23:31:30Z", "2009-02-13T23:31:30Z"),
        ("2009-02-13T23:31:30.5+02:00", "2009-02-13T21:31:30.5Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ] {
        let read = run(Function::ToTimestamp, &[text(source)]).unwrap();
        assert_eq!(run(Function::ToText, &[read]), Ok(text(expected)));
    }
    for source in [
        "",
        "2009-02-13",
        "2009-02-13T23:31Z",
        "2009-02-13 23:31:30Z",
        "2009-02-13T23:31:30",
        "2009-02-13T23:31:60Z",
        "2009-02-30T00:00:00Z",
        "0000-12-31T23:59:59Z",
        "10000-01-01T00:00:00Z",
        "2009-02-13T23:31:30Z[UTC]",
        "2009-02-13T23:31:30.Z",
        "2009-02-13T23:31:30+2:00",
        "éééééééééé",
    ] {
        assert!(
            run(Function::ToTimestamp, &[text(source)]).is_err(),
            "{source}"
        );
    }
}

#[test]
fn time_arithmetic_stays_in_range() {
    use Function::{Add, Subtract};
    let first = timestamp("0001-01-01T00:00:00Z");
    let nanosecond = duration("1ns");
    let longest = duration("315576000000s");
    for (function, arguments) in [
        (Subtract, [first.clone(), nanosecond.clone()]),
        (Add, [duration("-1ns"), first.clone()]),
        (Add, [longest.clone(), nanosecond]),
        (Add, [timestamp("9999-12-30T00:00:00Z"), longest]),
    ] {
        let error = run(function, &arguments).unwrap_err();
        assert_eq!(error.kind(), EvaluationErrorKind::Overflow, "{arguments:?}");
    }
    let day = run(Add, &[first.clone(), duration("24h")]).unwrap();
    assert_eq!(run(Subtract, &[day, first]), Ok(duration("24h")));
}

/// The vectors `timestamps/timestamp_selectors_tz` of cel-spec.
#[test]
fn parts_of_a_moment_follow_the_time_zone() {
    let moment = timestamp("2009-02-13T23:31:30Z");
    for (function, zone, expected) in [
        (Function::Date, "Australia/Sydney", 14),
        (Function::DayOfMonth, "US/Central", 12),
        (Function::DayOfMonth, "+11:00", 13),
        (Function::DayOfWeek, "UTC", 5),
        (Function::DayOfYear, "US/Central", 43),
        (Function::FullYear, "-09:30", 2009),
        (Function::Hours, "02:00", 1),
        (Function::Minutes, "Asia/Kathmandu", 16),
        (Function::Seconds, "-00:00", 30),
    ] {
        let arguments = [moment.clone(), text(zone)];
        assert_eq!(
            run(function, &arguments),
            Ok(Value::Int(expected)),
            "{zone}"
        );
    }
    for zone in [
        "Europe/Berln",
        "+1:00",
        "24:00",
        "00:60",
        "+-1:00",
        ":",
        "é:00",
    ] {
        assert!(
            run(Function::Hours, &[moment.clone(), text(zone)]).is_err(),
            "{zone}"
        );
    }
}

/// Daylight saving began in New York at 02:00 on 8 March 2026.
#[test]
fn an_hour_is_skipped_where_daylight_saving_begins() {
    let zone = text("America/New_York");
    for (moment, hour) in [("2026-03-08T06:59:59Z", 1), ("2026-03-08T07:00:00Z", 3)] {
        let arguments = [timestamp(moment), zone.clone()];
        assert_eq!(run(Function::Hours, &arguments), Ok(Value::Int(hour)));
    }
}

#[test]
fn a_conversion_checks_its_range() {
    use Function::{ToDouble, ToInt, ToUint};
    for (function, argument) in [
        (ToInt, Value::Double(9_223_372_036_854_775_807.0)),
        (ToInt, Value::Double(-9_223_372_036_854_775_808.0)),
        (ToInt, Value::Double(f64::NAN)),
        (ToInt, Value::Uint(u64::MAX)),
        (ToInt, text("1.5")),
        (ToUint, Value::Double(-0.5)),
        (ToUint, Value::Double(1.9e19)),
        (ToUint, text("+1")),
        (ToDouble, text("1e999")),
        (ToDouble, text("1.5 ")),
    ] {
        assert!(
            run(function, std::slice::from_ref(&argument)).is_err(),
            "{argument}"
        );
    }
    assert_eq!(shown(ToInt, &[Value::Double(-7.9)]), "-7");
    assert_eq!(shown(ToInt, &[timestamp("1969-12-31T23:59:59.5Z")]), "-1");
    assert_eq!(shown(ToDouble, &[text("-Infinity")]), r#"double("-Inf")"#);
}

#[test]
fn a_template_takes_a_precision_and_refuses_what_it_cannot_write() {
    let format = |template: &str, values: Vec<Value>| {
        shown(Function::Format, &[text(template), Value::from(values)])
    };
    for (template, value, expected) in [
        ("%.0f", Value::Double(2.5), r#""2""#),
        ("%.3f", Value::Double(1.2345), r#""1.234""#),
        (
            "%.6e",
            Value::Double(1_052.032_911_275),
            r#""1.052033e+03""#,
        ),
        ("%e", Value::Double(1e-300), r#""1.000000e-300""#),
        ("%b|%%", Value::Int(-5), r#""-101|%""#),
        ("%x", text("hé"), r#""68c3a9""#),
        ("%X", Value::Int(-255), r#""-FF""#),
        ("%o", Value::Uint(8), r#""10""#),
        (
            "%s",
            Value::from(vec![text("a"), Value::Null]),
            r#""[a, null]""#,
        ),
        ("%d", Value::Double(f64::NEG_INFINITY), r#""-Infinity""#),
    ] {
        assert_eq!(format(template, vec![value]), expected, "{template}");
    }
    for (template, expected) in [
        ("%q", "error: `format` has no `%q`"),
        ("%", "error: `format` ends in the middle of a clause"),
        ("%.", "error: `format` takes a precision"),
        (
            "%.99999999999999999999f",
            "error: `format` takes a precision",
        ),
        ("%d", "error: `format` cannot write `null_type` as `%d`"),
        ("%s%s", "error: `format` has more clauses than the 1 values"),
    ] {
        let found = format(template, vec![Value::Null]);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn shifts_lose_every_bit_from_64_on_and_the_sign_with_them() {
    use Function::{BitShiftLeft, BitShiftRight};
    let int = Value::Int;
    assert_eq!(
        shown(BitShiftRight, &[int(-1024), int(3)]),
        "2305843009213693824"
    );
    assert_eq!(shown(BitShiftRight, &[int(-1), int(64)]), "0");
    assert_eq!(shown(BitShiftLeft, &[Value::Uint(1), int(i64::MAX)]), "0u");
    assert_eq!(
        shown(BitShiftLeft, &[int(1), int(63)]),
        "-9223372036854775808"
    );
    assert_eq!(
        shown(BitShiftLeft, &[int(1), int(-1)]),
        "error: `math.bitShiftLeft` by `-1` is not possible; shift the other way"
    );
}

#[test]
fn the_greatest_keeps_its_type() {
    let numbers = [Value::Int(1), Value::Double(2.5), Value::Uint(2)];
    assert_eq!(run(Function::Greatest, &numbers), Ok(Value::Double(2.5)));
    assert_eq!(
        run(Function::Least, &[Value::from(numbers.to_vec())]),
        Ok(Value::Int(1))
    );
    assert!(run(Function::Least, &[Value::from(Vec::<Value>::new())]).is_err());
    assert!(run(Function::Greatest, &[Value::Int(1), text("2")]).is_err());
    assert!(run(Function::Greatest, &[text("2")]).is_err());
}

#[test]
fn base64_is_read_with_and_without_padding() {
    for source in ["aGVsbG8=", "aGVsbG8"] {
        assert_eq!(
            shown(Function::Base64Decode, &[text(source)]),
            r#"b"hello""#
        );
    }
    assert_eq!(
        shown(Function::Base64Decode, &[text("a*c=")]),
        "error: the text is not base64: see byte 1"
    );
    assert_eq!(
        shown(Function::Base64Encode, &[Value::from(&b"hello"[..])]),
        r#""aGVsbG8=""#
    );
}

/// Characters, then windows of them: the definition, without any byte.
fn places_of(text: &[char], part: &[char]) -> Vec<i64> {
    (0..=text.len().saturating_sub(part.len()))
        .filter(|at| text[*at..].starts_with(part))
        .map(|at| i64::try_from(at).unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn positions_agree_with_a_search_by_characters(
        whole in "[aé😀]{0,8}",
        part in "[aé😀]{0,3}",
        from in -1_i64..10,
    ) {
        let characters: Vec<char> = whole.chars().collect();
        let part_characters: Vec<char> = part.chars().collect();
        let length = i64::try_from(characters.len()).unwrap();
        let places = places_of(&characters, &part_characters);
        let arguments = [Value::from(whole.as_str()), Value::from(part.as_str()), Value::Int(from)];
        let first = run(Function::IndexOf, &arguments);
        let last = run(Function::LastIndexOf, &arguments);
        let tail = run(Function::Substring, &[arguments[0].clone(), Value::Int(from)]);
        if (0..=length).contains(&from) {
            let expected = places.iter().copied().find(|at| *at >= from).unwrap_or(-1);
            prop_assert_eq!(first, Ok(Value::Int(expected)));
            let expected = places.iter().copied().rfind(|at| *at <= from).unwrap_or(-1);
            prop_assert_eq!(last, Ok(Value::Int(expected)));
            let expected: String = characters[usize::try_from(from).unwrap()..].iter().collect();
            prop_assert_eq!(tail, Ok(Value::from(expected)));
        } else {
            prop_assert!(first.is_err() && last.is_err() && tail.is_err());
        }
    }

    #[test]
    fn what_is_split_joins_again(whole in "[aé,]{0,10}", separator in "[,é]{1,2}") {
        let separator = Value::from(separator);
        let whole = Value::from(whole);
        let parts = run(Function::Split, &[whole.clone(), separator.clone()]).unwrap();
        prop_assert_eq!(run(Function::Join, &[parts, separator.clone()]), Ok(whole.clone()));
        let characters = run(Function::Split, &[whole.clone(), Value::from("")]).unwrap();
        prop_assert_eq!(run(Function::Size, std::slice::from_ref(&characters)), run(Function::Size, std::slice::from_ref(&whole)));
        prop_assert_eq!(run(Function::Join, &[characters]), Ok(whole));
    }

    #[test]
    fn a_duration_reads_back_as_it_was_written(seconds in -315_576_000_000_i64..315_576_000_000, nanoseconds in 0_i32..1_000_000_000) {
        let nanoseconds = if seconds < 0 { -nanoseconds } else { nanoseconds };
        let value = Value::Duration(jiff::SignedDuration::new(seconds, nanoseconds));
        let written = run(Function::ToText, std::slice::from_ref(&value)).unwrap();
        prop_assert_eq!(run(Function::ToDuration, &[written]), Ok(value));
    }

    #[test]
    fn a_double_reads_back_as_it_was_written(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        let written = run(Function::ToText, &[Value::Double(value)]).unwrap();
        let read = run(Function::ToDouble, &[written]).unwrap();
        prop_assert!(read == Value::Double(value) || value.is_nan());
    }

    #[test]
    fn no_template_and_no_pattern_panics(template in ".{0,12}", other in ".{0,6}") {
        let values = Value::from(vec![Value::Int(1), Value::Double(0.5), Value::from(other.as_str())]);
        let _ = run(Function::Format, &[Value::from(template.as_str()), values]);
        let text = Value::from(other);
        for function in [Function::Matches, Function::ToDuration, Function::ToTimestamp, Function::Split] {
            let _ = run(function, &[text.clone(), Value::from(template.as_str())]);
            let _ = run(function, &[Value::from(template.as_str())]);
        }
    }
}
