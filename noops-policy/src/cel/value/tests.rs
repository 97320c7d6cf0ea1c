use super::*;
use crate::cel::environment::Environment;
use crate::cel::expression::Expression;

fn one_of_each() -> Vec<Value> {
    let entries = [
        (Value::Uint(7), Value::Bool(true)),
        (Value::Bool(false), Value::Null),
        (Value::from("k\"\\"), Value::Int(i64::MIN)),
    ];
    vec![
        Value::Null,
        Value::Int(-3),
        Value::Uint(u64::MAX),
        Value::Double(2.0),
        Value::Double(-1.5e-9),
        Value::Double(1e300),
        Value::from("line\nquote\" back\\slash \u{7f} \u{0} é😀"),
        Value::from(&[0_u8, b'"', b'\\', 0xff, b'a'][..]),
        Value::Duration(SignedDuration::new(-90, -500_000_000)),
        Value::Timestamp(Timestamp::UNIX_EPOCH),
        Value::from(Map::new(entries).unwrap()),
        Value::Type(Type::list(Type::Dyn)),
        Value::Type(Type::Timestamp),
    ]
}

#[test]
fn every_value_is_written_as_an_expression_for_itself() {
    let all = Value::from(one_of_each());
    let written = all.to_string();
    let read = Expression::compile_unchecked(&written, &Environment::new()).unwrap();
    assert_eq!(read.evaluate(&[]), Ok(all), "{written}");
}

#[test]
fn a_double_that_is_not_finite_is_written_as_a_conversion() {
    for (value, written) in [
        (f64::INFINITY, r#"double("+Inf")"#),
        (f64::NEG_INFINITY, r#"double("-Inf")"#),
        (f64::NAN, r#"double("NaN")"#),
    ] {
        assert_eq!(Value::Double(value).to_string(), written);
        assert_eq!(
            serde_json::to_string(&Value::Double(value)).unwrap(),
            "null"
        );
    }
}

#[test]
fn values_become_json() {
    let written = serde_json::to_string(&one_of_each()).unwrap();
    assert_eq!(
        written,
        concat!(
            r#"[null,-3,18446744073709551615,2.0,-1.5e-9,1e+300,"line\nquote\" back\\slash "#,
            "\u{7f}",
            r#" \u0000 é😀","ACJc/2E=","-90.5s","1970-01-01T00:00:00Z","#,
            r#"{"false":null,"7":true,"k\"\\":-9223372036854775808},"list","google.protobuf.Timestamp"]"#
        )
    );
}

#[test]
fn equality_in_rust_asks_for_the_same_type() {
    assert_ne!(Value::Int(1), Value::Uint(1));
    assert_ne!(Value::Int(1), Value::Double(1.0));
    assert_ne!(Value::Double(f64::NAN), Value::Double(f64::NAN));
    assert_eq!(Value::from("a"), Value::from(String::from("a")));
}
