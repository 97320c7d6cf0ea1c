use crate::cel::function::Function;

/// The function called `name` in an expression.
pub(in crate::cel) fn named(name: &str) -> Option<Function> {
    NAMES
        .iter()
        .find(|(candidate, _)| *candidate == name)
        .map(|(_, function)| *function)
}

/// How the function is written: its name or its operator.
pub(in crate::cel) fn name_of(function: Function) -> &'static str {
    OPERATORS
        .iter()
        .chain(NAMES.iter())
        .find(|(_, candidate)| *candidate == function)
        .map_or("", |(name, _)| name)
}

/// The names of all functions.
pub(in crate::cel) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

const OPERATORS: [(&str, Function); 14] = [
    ("-", Function::Negate),
    ("+", Function::Add),
    ("-", Function::Subtract),
    ("*", Function::Multiply),
    ("/", Function::Divide),
    ("%", Function::Remainder),
    ("==", Function::Equal),
    ("!=", Function::NotEqual),
    ("<", Function::Less),
    ("<=", Function::LessOrEqual),
    (">", Function::Greater),
    (">=", Function::GreaterOrEqual),
    ("in", Function::In),
    ("[]", Function::Index),
];

const NAMES: [(&str, Function); 58] = [
    ("size", Function::Size),
    ("bool", Function::ToBool),
    ("int", Function::ToInt),
    ("uint", Function::ToUint),
    ("double", Function::ToDouble),
    ("string", Function::ToText),
    ("bytes", Function::ToBytes),
    ("duration", Function::ToDuration),
    ("timestamp", Function::ToTimestamp),
    ("dyn", Function::ToDyn),
    ("type", Function::TypeOf),
    ("getFullYear", Function::FullYear),
    ("getMonth", Function::Month),
    ("getDate", Function::Date),
    ("getDayOfMonth", Function::DayOfMonth),
    ("getDayOfWeek", Function::DayOfWeek),
    ("getDayOfYear", Function::DayOfYear),
    ("getHours", Function::Hours),
    ("getMinutes", Function::Minutes),
    ("getSeconds", Function::Seconds),
    ("getMilliseconds", Function::Milliseconds),
    ("contains", Function::Contains),
    ("startsWith", Function::StartsWith),
    ("endsWith", Function::EndsWith),
    ("matches", Function::Matches),
    ("charAt", Function::CharAt),
    ("indexOf", Function::IndexOf),
    ("lastIndexOf", Function::LastIndexOf),
    ("join", Function::Join),
    ("lowerAscii", Function::LowerAscii),
    ("upperAscii", Function::UpperAscii),
    ("replace", Function::Replace),
    ("split", Function::Split),
    ("substring", Function::Substring),
    ("trim", Function::Trim),
    ("reverse", Function::Reverse),
    ("strings.quote", Function::Quote),
    ("format", Function::Format),
    ("math.greatest", Function::Greatest),
    ("math.least", Function::Least),
    ("math.ceil", Function::Ceil),
    ("math.floor", Function::Floor),
    ("math.round", Function::Round),
    ("math.trunc", Function::Truncate),
    ("math.abs", Function::Absolute),
    ("math.sign", Function::Sign),
    ("math.sqrt", Function::SquareRoot),
    ("math.isNaN", Function::IsNan),
    ("math.isInf", Function::IsInfinite),
    ("math.isFinite", Function::IsFinite),
    ("math.bitAnd", Function::BitAnd),
    ("math.bitOr", Function::BitOr),
    ("math.bitXor", Function::BitXor),
    ("math.bitNot", Function::BitNot),
    ("math.bitShiftLeft", Function::BitShiftLeft),
    ("math.bitShiftRight", Function::BitShiftRight),
    ("base64.encode", Function::Base64Encode),
    ("base64.decode", Function::Base64Decode),
];
