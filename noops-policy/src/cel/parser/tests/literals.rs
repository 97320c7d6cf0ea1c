use super::{problem, shape_of};
use crate::cel::ast::Kind;
use crate::cel::error::CelError;
use crate::cel::parser::parse;
use crate::cel::value::Value;

#[test]
fn whole_numbers_reach_both_ends_of_their_range() {
    for (source, expected) in [
        ("0", Value::Int(0)),
        ("-9223372036854775808", Value::Int(i64::MIN)),
        ("- 9223372036854775808", Value::Int(i64::MIN)),
        ("9223372036854775807", Value::Int(i64::MAX)),
        ("0x7FFFFFFFFFFFFFFF", Value::Int(i64::MAX)),
        ("-0x8000000000000000", Value::Int(i64::MIN)),
        ("0XfF", Value::Int(255)),
        ("18446744073709551615u", Value::Uint(u64::MAX)),
        ("0xFFFFFFFFFFFFFFFFU", Value::Uint(u64::MAX)),
    ] {
        assert_eq!(literal(source), expected, "{source}");
    }
    for (source, problem) in [
        (
            "1 + 9223372036854775808",
            "`9223372036854775808` does not fit a 64-bit whole number",
        ),
        (
            "1 + -9223372036854775809",
            "`-9223372036854775809` does not fit a 64-bit whole number",
        ),
        (
            "1 + 18446744073709551616u",
            "`18446744073709551616u` does not fit a 64-bit whole number",
        ),
        (
            "1 + 0x1FFFFFFFFFFFFFFFF",
            "`0x1FFFFFFFFFFFFFFFF` is not a hexadecimal number of 64 bits",
        ),
        ("1 + 0x", "`0x` is not a hexadecimal number of 64 bits"),
        ("1 + 1e999", "`1e999` does not fit a 64-bit double"),
    ] {
        assert_eq!(
            parse(source).unwrap_err(),
            CelError::new(4, problem),
            "{source}"
        );
    }
}

#[test]
fn a_minus_sign_folds_into_the_number_behind_it_only() {
    assert_eq!(shape_of("--5"), "(Negate -5)");
    assert_eq!(shape_of("-(5)"), "(Negate 5)");
    assert_eq!(shape_of("a -5"), "(Subtract a 5)");
    assert_eq!(shape_of("a - -5"), "(Subtract a -5)");
    assert_eq!(shape_of("4--4"), "(Subtract 4 -4)");
    assert_eq!(shape_of("-5u"), "(Negate 5u)");
    assert_eq!(literal("-2.5"), Value::Double(-2.5));
}

#[test]
fn doubles_take_fractions_and_exponents() {
    for (source, expected) in [
        ("1e3", 1000.0),
        ("1E+3", 1000.0),
        ("2.5e-1", 0.25),
        (".5", 0.5),
        ("0.0", 0.0),
        (".5e1", 5.0),
        ("5e-324", 5e-324),
        ("1.7976931348623157e308", f64::MAX),
    ] {
        assert_eq!(literal(source), Value::Double(expected), "{source}");
    }
    for source in ["1.", "1.5u", "1x", "1e", "0xg", "1_000", "5s"] {
        parse(source).expect_err(source);
    }
}

#[test]
fn text_takes_every_quote_and_every_escape() {
    for (source, expected) in [
        (r#""a'b""#, "a'b"),
        (r#"'a"b'"#, "a\"b"),
        ("''", ""),
        ("''''''", ""),
        (r#""""a"b""c""""#, "a\"b\"\"c"),
        ("'''a\n'b'\r\nc\rd'''", "a\n'b'\nc\nd"),
        (
            r"'\a\b\f\n\r\t\v\\\'\`\?'",
            "\u{7}\u{8}\u{c}\n\r\t\u{b}\\'`?",
        ),
        (r"'\x41\XfF\101\377'", "A\u{ff}A\u{ff}"),
        (r"'\u2764\U0001F600'", "❤😀"),
        ("'❤'", "❤"),
        (r"r'\d+\'", r"\d+\"),
        (r#"R"\n""#, r"\n"),
        (r"r'''\'''", r"\"),
        ("'a // b'", "a // b"),
    ] {
        assert_eq!(literal(source), Value::String(expected.into()), "{source}");
    }
}

#[test]
fn bytes_take_octets_where_text_takes_characters() {
    for (source, expected) in [
        ("b'abc'", b"abc".as_slice()),
        ("B\"\"", b""),
        (r"b'\xff\377\000'", b"\xff\xff\0"),
        ("b'ÿ'", b"\xc3\xbf"),
        (r"br'\xff'", br"\xff"),
        (r#"bR"""\a""""#, br"\a"),
        ("b'''a\nb'''", b"a\nb"),
    ] {
        assert_eq!(literal(source), Value::Bytes(expected.into()), "{source}");
    }
    assert_eq!(
        problem(r"b'\u0041'"),
        "bytes are not characters; write the octets with `\\x`"
    );
    parse("rb'a'").expect_err("the prefix is `br`");
}

#[test]
fn text_that_is_not_closed_or_not_a_character_is_refused_at_its_place() {
    for (source, at) in [
        ("1 + 'abc", 4),
        ("1 + 'a\nb'", 4),
        ("1 + '''a''", 4),
        (r"'ab\ud800'", 3),
        (r"'ab\U00110000'", 3),
        (r"'ab\q'", 3),
        (r"'ab\x4'", 3),
        (r"'ab\400'", 3),
        (r"'ab\18a'", 3),
        (r"'ab\u12❤'", 3),
        (r"'ab\", 0),
    ] {
        assert_eq!(parse(source).unwrap_err().at, at, "{source}");
    }
}

fn literal(source: &str) -> Value {
    match parse(source).unwrap().kind {
        Kind::Literal(value) => value,
        other => panic!("{source} is no literal: {other:?}"),
    }
}
