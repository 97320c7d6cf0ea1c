use super::Form::{
    self, A, B, Bool, Bytes, Double, Duration, Dyn, Int, ListOfA, ListOfDyn, ListOfString,
    MapOfAToB, String, Timestamp, TypeOfA, Uint,
};
use super::{Overload, Style};
use crate::cel::function::Function;

/// The overloads of the function, in the order in which the reference checker tries them.
///
/// `math.greatest` and `math.least` take any number of numbers, so the checker has its own rule for them.
pub(in crate::cel) fn overloads(function: Function) -> &'static [Overload] {
    match function {
        Function::Negate => NEGATE,
        Function::Add => ADD,
        Function::Subtract => SUBTRACT,
        Function::Multiply | Function::Divide => PRODUCT,
        Function::Remainder => REMAINDER,
        Function::Equal | Function::NotEqual => EQUALITY,
        Function::Less | Function::LessOrEqual | Function::Greater | Function::GreaterOrEqual => {
            ORDER
        }
        Function::In => IN,
        Function::Index => INDEX,
        Function::Size => SIZE,
        Function::ToBool => TO_BOOL,
        Function::ToInt => TO_INT,
        Function::ToUint => TO_UINT,
        Function::ToDouble => TO_DOUBLE,
        Function::ToText => TO_TEXT,
        Function::ToBytes => TO_BYTES,
        Function::ToDuration => TO_DURATION,
        Function::ToTimestamp => TO_TIMESTAMP,
        Function::ToDyn => TO_DYN,
        Function::TypeOf => TYPE_OF,
        Function::FullYear
        | Function::Month
        | Function::Date
        | Function::DayOfMonth
        | Function::DayOfWeek
        | Function::DayOfYear => CALENDAR,
        Function::Hours | Function::Minutes | Function::Seconds | Function::Milliseconds => CLOCK,
        Function::Contains | Function::StartsWith | Function::EndsWith => TEXT_TEST,
        Function::Matches => MATCHES,
        Function::CharAt => CHAR_AT,
        Function::IndexOf | Function::LastIndexOf => INDEX_OF,
        Function::Join => JOIN,
        Function::LowerAscii | Function::UpperAscii | Function::Trim | Function::Reverse => {
            TEXT_CHANGE
        }
        Function::Replace => REPLACE,
        Function::Split => SPLIT,
        Function::Substring => SUBSTRING,
        Function::Quote => QUOTE,
        Function::Format => FORMAT,
        Function::Ceil | Function::Floor | Function::Round | Function::Truncate => ROUNDING,
        Function::Absolute | Function::Sign => MAGNITUDE,
        Function::SquareRoot => SQUARE_ROOT,
        Function::IsNan | Function::IsInfinite | Function::IsFinite => CLASSIFICATION,
        Function::BitAnd | Function::BitOr | Function::BitXor => BITS,
        Function::BitNot => BIT_NOT,
        Function::BitShiftLeft | Function::BitShiftRight => BIT_SHIFT,
        Function::Base64Encode => BASE64_ENCODE,
        Function::Base64Decode => BASE64_DECODE,
        Function::Greatest | Function::Least => &[],
    }
}

const fn plain(takes: &'static [Form], gives: Form) -> Overload {
    Overload {
        style: Style::Plain,
        takes,
        gives,
    }
}

const fn method(takes: &'static [Form], gives: Form) -> Overload {
    Overload {
        style: Style::Method,
        takes,
        gives,
    }
}

const NEGATE: &[Overload] = &[plain(&[Double], Double), plain(&[Int], Int)];

const ADD: &[Overload] = &[
    plain(&[Bytes, Bytes], Bytes),
    plain(&[Double, Double], Double),
    plain(&[Duration, Duration], Duration),
    plain(&[Duration, Timestamp], Timestamp),
    plain(&[Timestamp, Duration], Timestamp),
    plain(&[Int, Int], Int),
    plain(&[ListOfA, ListOfA], ListOfA),
    plain(&[String, String], String),
    plain(&[Uint, Uint], Uint),
];

const SUBTRACT: &[Overload] = &[
    plain(&[Double, Double], Double),
    plain(&[Duration, Duration], Duration),
    plain(&[Int, Int], Int),
    plain(&[Timestamp, Duration], Timestamp),
    plain(&[Timestamp, Timestamp], Duration),
    plain(&[Uint, Uint], Uint),
];

const PRODUCT: &[Overload] = &[
    plain(&[Double, Double], Double),
    plain(&[Int, Int], Int),
    plain(&[Uint, Uint], Uint),
];

const REMAINDER: &[Overload] = &[plain(&[Int, Int], Int), plain(&[Uint, Uint], Uint)];

const EQUALITY: &[Overload] = &[plain(&[A, A], Bool)];

const ORDER: &[Overload] = &[
    plain(&[Bool, Bool], Bool),
    plain(&[Int, Int], Bool),
    plain(&[Int, Double], Bool),
    plain(&[Int, Uint], Bool),
    plain(&[Uint, Uint], Bool),
    plain(&[Uint, Double], Bool),
    plain(&[Uint, Int], Bool),
    plain(&[Double, Double], Bool),
    plain(&[Double, Int], Bool),
    plain(&[Double, Uint], Bool),
    plain(&[String, String], Bool),
    plain(&[Bytes, Bytes], Bool),
    plain(&[Timestamp, Timestamp], Bool),
    plain(&[Duration, Duration], Bool),
];

const IN: &[Overload] = &[plain(&[A, ListOfA], Bool), plain(&[A, MapOfAToB], Bool)];

const INDEX: &[Overload] = &[plain(&[ListOfA, Int], A), plain(&[MapOfAToB, A], B)];

const SIZE: &[Overload] = &[
    plain(&[Bytes], Int),
    method(&[Bytes], Int),
    plain(&[ListOfA], Int),
    method(&[ListOfA], Int),
    plain(&[MapOfAToB], Int),
    method(&[MapOfAToB], Int),
    plain(&[String], Int),
    method(&[String], Int),
];

const TO_BOOL: &[Overload] = &[plain(&[Bool], Bool), plain(&[String], Bool)];

const TO_INT: &[Overload] = &[
    plain(&[Int], Int),
    plain(&[Double], Int),
    plain(&[String], Int),
    plain(&[Timestamp], Int),
    plain(&[Uint], Int),
];

const TO_UINT: &[Overload] = &[
    plain(&[Uint], Uint),
    plain(&[Double], Uint),
    plain(&[Int], Uint),
    plain(&[String], Uint),
];

const TO_DOUBLE: &[Overload] = &[
    plain(&[Double], Double),
    plain(&[Int], Double),
    plain(&[String], Double),
    plain(&[Uint], Double),
];

const TO_TEXT: &[Overload] = &[
    plain(&[String], String),
    plain(&[Bool], String),
    plain(&[Bytes], String),
    plain(&[Double], String),
    plain(&[Duration], String),
    plain(&[Int], String),
    plain(&[Timestamp], String),
    plain(&[Uint], String),
];

const TO_BYTES: &[Overload] = &[plain(&[Bytes], Bytes), plain(&[String], Bytes)];

const TO_DURATION: &[Overload] = &[plain(&[Duration], Duration), plain(&[String], Duration)];

const TO_TIMESTAMP: &[Overload] = &[
    plain(&[Timestamp], Timestamp),
    plain(&[Int], Timestamp),
    plain(&[String], Timestamp),
];

const TO_DYN: &[Overload] = &[plain(&[A], Dyn)];

const TYPE_OF: &[Overload] = &[plain(&[A], TypeOfA)];

const CALENDAR: &[Overload] = &[method(&[Timestamp], Int), method(&[Timestamp, String], Int)];

const CLOCK: &[Overload] = &[
    method(&[Timestamp], Int),
    method(&[Timestamp, String], Int),
    method(&[Duration], Int),
];

const TEXT_TEST: &[Overload] = &[method(&[String, String], Bool)];

const MATCHES: &[Overload] = &[
    plain(&[String, String], Bool),
    method(&[String, String], Bool),
];

const CHAR_AT: &[Overload] = &[method(&[String, Int], String)];

const INDEX_OF: &[Overload] = &[
    method(&[String, String], Int),
    method(&[String, String, Int], Int),
];

const JOIN: &[Overload] = &[
    method(&[ListOfString], String),
    method(&[ListOfString, String], String),
];

const TEXT_CHANGE: &[Overload] = &[method(&[String], String)];

const REPLACE: &[Overload] = &[
    method(&[String, String, String], String),
    method(&[String, String, String, Int], String),
];

const SPLIT: &[Overload] = &[
    method(&[String, String], ListOfString),
    method(&[String, String, Int], ListOfString),
];

const SUBSTRING: &[Overload] = &[
    method(&[String, Int], String),
    method(&[String, Int, Int], String),
];

const QUOTE: &[Overload] = &[plain(&[String], String)];

const FORMAT: &[Overload] = &[method(&[String, ListOfDyn], String)];

const ROUNDING: &[Overload] = &[plain(&[Double], Double)];

const MAGNITUDE: &[Overload] = &[
    plain(&[Double], Double),
    plain(&[Int], Int),
    plain(&[Uint], Uint),
];

const SQUARE_ROOT: &[Overload] = &[
    plain(&[Double], Double),
    plain(&[Int], Double),
    plain(&[Uint], Double),
];

const CLASSIFICATION: &[Overload] = &[plain(&[Double], Bool)];

const BITS: &[Overload] = &[plain(&[Int, Int], Int), plain(&[Uint, Uint], Uint)];

const BIT_NOT: &[Overload] = &[plain(&[Int], Int), plain(&[Uint], Uint)];

const BIT_SHIFT: &[Overload] = &[plain(&[Int, Int], Int), plain(&[Uint, Int], Uint)];

const BASE64_ENCODE: &[Overload] = &[plain(&[Bytes], String)];

const BASE64_DECODE: &[Overload] = &[plain(&[String], Bytes)];
