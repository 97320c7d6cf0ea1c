use std::thread;

use jiff::Timestamp;

use super::*;
use crate::cel::ast::{Quantifier, Span};

#[test]
fn nothing_absorbs_spent_fuel() {
    let loops = "[1,2,3,4,5,6,7,8,9,10]";
    let nested = format!(
        "{loops}.all(a, {loops}.all(b, {loops}.all(c, {loops}.all(d, {loops}.all(e, {loops}.all(f, true))))))"
    );
    for source in [
        nested.clone(),
        format!("{nested} || true"),
        format!("false && true || ({nested}) || true"),
        format!("[1].exists(x, x == 2 || ({nested}) || true)"),
        format!("cel.bind(x, {nested}, true)"),
    ] {
        let typed = checked(&source, 0);
        let mut fuel = Fuel::new(1_000);
        let outcome = evaluate(&typed, &Slots(Vec::new()), &mut fuel, Arithmetic::Ieee);
        assert_eq!(
            kind(outcome),
            Some(EvaluationErrorKind::OutOfFuel),
            "{source}"
        );
    }
}

/// Each binding doubles what the one before holds: forty of them would take a terabyte.
#[test]
fn growth_is_paid_for_before_it_is_made() {
    for (seed, double) in [
        ("'aaaaaaaaaa'", "x + x"),
        ("b'aaaaaaaaaa'", "x + x"),
        ("[1, 2, 3, 4]", "x + x"),
        ("'aaaaaaaaaa'", "[x, x].join('')"),
        ("'aaaaaaaaaa'", "'%s%s'.format([x, x])"),
        ("'aaaaaaaaaa'", "x.replace('a', 'aa')"),
        ("'aaaaaaaaaa'", "x.replace('', 'a')"),
        ("'aaaaaaaaaa'", "base64.encode(bytes(x)) + x"),
    ] {
        let source = (0..40).fold("size(x)".to_owned(), |body, _| {
            format!("cel.bind(x, {double}, {body})")
        });
        let source = format!("cel.bind(x, {seed}, {source})");
        let outcome = run(&source, &[]);
        assert_eq!(
            kind(outcome),
            Some(EvaluationErrorKind::OutOfFuel),
            "{source}"
        );
    }
}

/// Forty levels of a list that holds the one before twice: little memory, but a terabyte to walk.
#[test]
fn walking_shared_lists_is_paid_for() {
    for end in ["x == [x, 1]", "x == x", "x in [x]", "'%s'.format([x])"] {
        let source = (0..40).fold(end.to_owned(), |body, _| {
            format!("cel.bind(x, [x, x], {body})")
        });
        let source = format!("cel.bind(x, [1], {source})");
        let outcome = run(&source, &[]);
        let expected = (end != "x == [x, 1]").then_some(EvaluationErrorKind::OutOfFuel);
        assert_eq!(kind(outcome), expected, "{end}");
    }
}

#[test]
fn trees_as_deep_as_the_parser_allows_fit_a_small_stack() {
    let leaf = || node(TypedKind::Constant(Value::Bool(true)));
    let int = |value| node(TypedKind::Constant(Value::Int(value)));
    type Layer = Box<dyn Fn(Typed) -> TypedKind + Send>;
    let layers: Vec<Layer> = vec![
        Box::new(|inner| TypedKind::Not(Box::new(inner))),
        Box::new(move |inner| TypedKind::And(vec![leaf(), inner])),
        Box::new(move |inner| TypedKind::Or(vec![inner, leaf()])),
        Box::new(move |inner| {
            TypedKind::Conditional(Box::new(inner), Box::new(leaf()), Box::new(leaf()))
        }),
        Box::new(move |inner| {
            TypedKind::Conditional(Box::new(leaf()), Box::new(inner), Box::new(leaf()))
        }),
        Box::new(|inner| TypedKind::List(vec![inner])),
        Box::new(move |inner| TypedKind::Map(vec![(int(1), inner)])),
        Box::new(move |inner| TypedKind::Call(Function::Equal, vec![inner, leaf()])),
        Box::new(|inner| TypedKind::Field(Box::new(inner), "a".to_owned())),
        Box::new(|inner| TypedKind::HasField(Box::new(inner), "a".to_owned())),
        Box::new(move |inner| {
            comprehension(Quantifier::All, node(TypedKind::List(vec![leaf()])), inner)
        }),
        Box::new(move |inner| comprehension(Quantifier::Map, inner, leaf())),
        Box::new(move |inner| TypedKind::Bind {
            value: Box::new(leaf()),
            body: Box::new(inner),
        }),
        Box::new(move |inner| TypedKind::Bind {
            value: Box::new(inner),
            body: Box::new(leaf()),
        }),
    ];
    let run = move || {
        for (number, layer) in layers.iter().enumerate() {
            let deep = (0..DEEPEST).fold(leaf(), |inner, _| node(layer(inner)));
            let mut fuel = Fuel::new(LIMIT);
            let outcome = evaluate(&deep, &Slots(Vec::new()), &mut fuel, Arithmetic::Ieee);
            assert_ne!(
                kind(outcome),
                Some(EvaluationErrorKind::OutOfFuel),
                "layer {number}"
            );
        }
    };
    thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn values_from_outside_reach_every_function_without_a_panic() {
    let hostile = [
        Value::Int(i64::MIN),
        Value::Uint(u64::MAX),
        Value::Double(f64::NAN),
        Value::Double(f64::NEG_INFINITY),
        Value::from("é\u{0}%"),
        Value::from(&[0xff_u8, 0][..]),
        Value::Duration(jiff::SignedDuration::MIN),
        Value::Timestamp(Timestamp::MIN),
        Value::Timestamp(Timestamp::MAX),
        Value::from(vec![Value::Null]),
        Value::from(Map::default()),
        Value::Null,
        Value::Type(Type::Dyn),
    ];
    let mut patterns = Patterns::default();
    let mut refused = 0;
    for function in FUNCTIONS {
        for first in &hostile {
            for second in &hostile {
                for arguments in [
                    vec![],
                    vec![first.clone()],
                    vec![first.clone(), second.clone()],
                    vec![first.clone(), second.clone(), first.clone()],
                    vec![first.clone(), second.clone(), first.clone(), second.clone()],
                ] {
                    let mut fuel = Fuel::new(LIMIT);
                    let outcome = library::call(
                        function,
                        &arguments,
                        &mut fuel,
                        &mut patterns,
                        Arithmetic::Finite,
                    );
                    match outcome {
                        Ok(Value::Double(value)) => assert!(value.is_finite()),
                        Ok(value) => drop(value.to_string()),
                        Err(error) => {
                            refused += 1;
                            assert!(!error.to_string().ends_with('.'), "{error}");
                        }
                    }
                }
            }
        }
    }
    assert!(refused > 1_000);
}

fn node(kind: TypedKind) -> Typed {
    Typed {
        kind,
        value_type: Type::Dyn,
        span: Span::default(),
    }
}

fn comprehension(quantifier: Quantifier, range: Typed, body: Typed) -> TypedKind {
    TypedKind::Comprehension {
        quantifier,
        range: Box::new(range),
        variables: 1,
        body: vec![body],
    }
}

/// As many levels as the parser lets through.
const DEEPEST: usize = 250;
const FUNCTIONS: [Function; 72] = [
    Function::Negate,
    Function::Add,
    Function::Subtract,
    Function::Multiply,
    Function::Divide,
    Function::Remainder,
    Function::Equal,
    Function::NotEqual,
    Function::Less,
    Function::LessOrEqual,
    Function::Greater,
    Function::GreaterOrEqual,
    Function::In,
    Function::Index,
    Function::Size,
    Function::ToBool,
    Function::ToInt,
    Function::ToUint,
    Function::ToDouble,
    Function::ToText,
    Function::ToBytes,
    Function::ToDuration,
    Function::ToTimestamp,
    Function::ToDyn,
    Function::TypeOf,
    Function::FullYear,
    Function::Month,
    Function::Date,
    Function::DayOfMonth,
    Function::DayOfWeek,
    Function::DayOfYear,
    Function::Hours,
    Function::Minutes,
    Function::Seconds,
    Function::Milliseconds,
    Function::Contains,
    Function::StartsWith,
    Function::EndsWith,
    Function::Matches,
    Function::CharAt,
    Function::IndexOf,
    Function::LastIndexOf,
    Function::Join,
    Function::LowerAscii,
    Function::UpperAscii,
    Function::Replace,
    Function::Split,
    Function::Substring,
    Function::Trim,
    Function::Reverse,
    Function::Quote,
    Function::Format,
    Function::Greatest,
    Function::Least,
    Function::Ceil,
    Function::Floor,
    Function::Round,
    Function::Truncate,
    Function::Absolute,
    Function::Sign,
    Function::SquareRoot,
    Function::IsNan,
    Function::IsInfinite,
    Function::IsFinite,
    Function::BitAnd,
    Function::BitOr,
    Function::BitXor,
    Function::BitNot,
    Function::BitShiftLeft,
    Function::BitShiftRight,
    Function::Base64Encode,
    Function::Base64Decode,
];
