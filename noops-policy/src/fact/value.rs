use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The type of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactType {
    /// True or false.
    Bool,
    /// A whole number that fits 64 bits.
    Int,
    /// A finite 64-bit floating point number.
    Double,
    /// Text; conditions know it as `string`.
    #[serde(alias = "string")]
    Text,
    /// A span of time.
    Duration,
    /// A moment.
    Timestamp,
    /// Whole numbers.
    #[serde(rename = "list(int)")]
    Ints,
    /// Finite floating point numbers.
    #[serde(rename = "list(double)")]
    Doubles,
    /// Texts.
    #[serde(rename = "list(text)", alias = "list(string)")]
    Texts,
}

impl FactType {
    /// Whether a value of it holds several items.
    pub fn is_list(self) -> bool {
        matches!(self, Self::Ints | Self::Doubles | Self::Texts)
    }

    /// Whether its values, or their items, are numbers, so that they can have a range.
    pub(crate) fn is_numeric(self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Ints | Self::Doubles)
    }
}

impl fmt::Display for FactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::Text => "text",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::Ints => "list(int)",
            Self::Doubles => "list(double)",
            Self::Texts => "list(text)",
        })
    }
}

/// The value of a fact.
///
/// It serialises as the plain value; a span of time and a moment serialise as text, and are read back by a fact that is
/// declared so. A double that is not finite carries no information: all of them are equal, and all of them serialise as
/// null. Zero has no sign: a negative one serialises as zero.
///
/// # Examples
///
/// ```
/// use noops_policy::{FactType, FactValue};
///
/// assert_eq!(FactValue::from(0.31).fact_type(), FactType::Double);
/// assert_eq!(FactValue::from(9).to_string(), "9");
/// assert_eq!(FactValue::Double(f64::NAN), FactValue::Double(f64::NAN));
/// ```
#[derive(Clone, Debug)]
pub enum FactValue {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating point number.
    Double(f64),
    /// Text.
    Text(String),
    /// A span of time.
    Duration(SignedDuration),
    /// A moment.
    Timestamp(Timestamp),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Floating point numbers.
    Doubles(Vec<f64>),
    /// Texts.
    Texts(Vec<String>),
}

impl FactValue {
    /// The type of this value.
    pub fn fact_type(&self) -> FactType {
        match self {
            Self::Bool(_) => FactType::Bool,
            Self::Int(_) => FactType::Int,
            Self::Double(_) => FactType::Double,
            Self::Text(_) => FactType::Text,
            Self::Duration(_) => FactType::Duration,
            Self::Timestamp(_) => FactType::Timestamp,
            Self::Ints(_) => FactType::Ints,
            Self::Doubles(_) => FactType::Doubles,
            Self::Texts(_) => FactType::Texts,
        }
    }

    /// The value as a double, for a single number.
    ///
    /// # Numerical notes
    ///
    /// A whole number beyond two to the power 53 is rounded to the nearest double.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            _ => None,
        }
    }

    /// The items of a list; none of any other value.
    pub(crate) fn items(&self) -> Option<usize> {
        match self {
            Self::Ints(items) => Some(items.len()),
            Self::Doubles(items) => Some(items.len()),
            Self::Texts(items) => Some(items.len()),
            _ => None,
        }
    }

    /// Whether every number in it is finite and satisfies `holds`. What holds no number satisfies everything.
    pub(crate) fn all_numbers(&self, holds: impl Fn(f64) -> bool) -> bool {
        let holds = |number: f64| number.is_finite() && holds(number);
        match self {
            Self::Int(value) => holds(*value as f64),
            Self::Double(value) => holds(*value),
            Self::Ints(items) => items.iter().all(|item| holds(*item as f64)),
            Self::Doubles(items) => items.iter().all(|item| holds(*item)),
            Self::Bool(_)
            | Self::Text(_)
            | Self::Duration(_)
            | Self::Timestamp(_)
            | Self::Texts(_) => true,
        }
    }

    /// Whether every text in it satisfies `holds`. What holds no text satisfies everything.
    pub(crate) fn all_texts(&self, holds: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Text(text) => holds(text),
            Self::Texts(items) => items.iter().all(|text| holds(text)),
            _ => true,
        }
    }
}

impl PartialEq for FactValue {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &f64, b: &f64| a == b || (!a.is_finite() && !b.is_finite());
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Double(a), Self::Double(b)) => same(a, b),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Duration(a), Self::Duration(b)) => a == b,
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Ints(a), Self::Ints(b)) => a == b,
            (Self::Doubles(a), Self::Doubles(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Self::Texts(a), Self::Texts(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for FactValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::Duration(value) => write!(f, "{value}"),
            Self::Timestamp(value) => write!(f, "{value}"),
            Self::Ints(items) => write!(f, "{items:?}"),
            Self::Doubles(items) => write!(f, "{items:?}"),
            Self::Texts(items) => write!(f, "{items:?}"),
        }
    }
}

impl From<bool> for FactValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i32> for FactValue {
    fn from(value: i32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<u32> for FactValue {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<i64> for FactValue {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for FactValue {
    /// A count above `i64::MAX` becomes `i64::MAX`.
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for FactValue {
    /// A negative zero becomes zero.
    fn from(value: f64) -> Self {
        Self::Double(without_signed_zero(value))
    }
}

impl From<&str> for FactValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for FactValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<SignedDuration> for FactValue {
    fn from(value: SignedDuration) -> Self {
        Self::Duration(value)
    }
}

impl From<Timestamp> for FactValue {
    fn from(value: Timestamp) -> Self {
        Self::Timestamp(value)
    }
}

impl From<Vec<i64>> for FactValue {
    fn from(items: Vec<i64>) -> Self {
        Self::Ints(items)
    }
}

impl From<Vec<f64>> for FactValue {
    /// Negative zeros become zeros.
    fn from(items: Vec<f64>) -> Self {
        Self::Doubles(items.into_iter().map(without_signed_zero).collect())
    }
}

impl From<Vec<String>> for FactValue {
    fn from(items: Vec<String>) -> Self {
        Self::Texts(items)
    }
}

impl Serialize for FactValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Double(value) => finite(*value).serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Duration(value) => value.serialize(serializer),
            Self::Timestamp(value) => value.serialize(serializer),
            Self::Ints(items) => items.serialize(serializer),
            Self::Doubles(items) => serializer.collect_seq(items.iter().copied().map(finite)),
            Self::Texts(items) => items.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for FactValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = FactValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bool, a number, text or a list of numbers or texts")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<FactValue, E> {
        Ok(FactValue::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<FactValue, E> {
        Ok(FactValue::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<FactValue, E> {
        i64::try_from(value)
            .map(FactValue::Int)
            .map_err(|_| E::custom("whole number does not fit 64 signed bits"))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<FactValue, E> {
        Ok(FactValue::from(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<FactValue, E> {
        Ok(FactValue::Text(value.to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<FactValue, E> {
        Ok(FactValue::Double(f64::NAN))
    }

    fn visit_none<E: de::Error>(self) -> Result<FactValue, E> {
        Ok(FactValue::Double(f64::NAN))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<FactValue, A::Error> {
        let mut list = FactValue::Ints(Vec::new());
        let mut is_empty = true;
        while let Some(item) = items.next_element::<FactValue>()? {
            list = appended(list, item, is_empty)
                .ok_or_else(|| de::Error::custom("a list holds numbers alone or texts alone"))?;
            is_empty = false;
        }
        Ok(list)
    }
}

/// The list with one more item. Whole numbers become doubles where one item is a double.
fn appended(list: FactValue, item: FactValue, is_empty: bool) -> Option<FactValue> {
    match (list, item) {
        (_, FactValue::Text(text)) if is_empty => Some(FactValue::Texts(vec![text])),
        (FactValue::Texts(mut texts), FactValue::Text(text)) => {
            texts.push(text);
            Some(FactValue::Texts(texts))
        }
        (FactValue::Ints(mut ints), FactValue::Int(int)) => {
            ints.push(int);
            Some(FactValue::Ints(ints))
        }
        (FactValue::Ints(ints), FactValue::Double(double)) => {
            let mut doubles: Vec<f64> = ints.into_iter().map(|int| int as f64).collect();
            doubles.push(double);
            Some(FactValue::Doubles(doubles))
        }
        (FactValue::Doubles(mut doubles), number) => {
            doubles.push(number.as_f64()?);
            Some(FactValue::Doubles(doubles))
        }
        _ => None,
    }
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then(|| without_signed_zero(number))
}

/// The zeros compare equal, so they must not differ in a digest either. Other numbers are unchanged.
pub(crate) fn without_signed_zero(number: f64) -> f64 {
    if number == 0.0 { 0.0 } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn round_trip(value: FactValue, json: &str) {
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
        let back: FactValue = serde_json::from_str(json).unwrap();
        assert_eq!(back, value);
    }

    #[test]
    fn every_kind_of_value_survives_json() {
        round_trip(FactValue::Bool(true), "true");
        round_trip(FactValue::Int(-9), "-9");
        round_trip(FactValue::Int(i64::MAX), "9223372036854775807");
        round_trip(FactValue::Double(25.0), "25.0");
        round_trip(FactValue::Double(f64::INFINITY), "null");
        round_trip(FactValue::Double(-0.0), "0.0");
        round_trip(FactValue::Text("a\"b".to_owned()), r#""a\"b""#);
        round_trip(FactValue::Ints(vec![3, -1]), "[3,-1]");
        round_trip(FactValue::Doubles(vec![0.5, f64::NAN]), "[0.5,null]");
        round_trip(FactValue::Texts(vec!["a".to_owned()]), r#"["a"]"#);
    }

    #[test]
    fn a_list_holds_items_of_one_kind() {
        let mixed: FactValue = serde_json::from_str("[1, 2.5]").unwrap();
        assert_eq!(mixed, FactValue::Doubles(vec![1.0, 2.5]));
        for refused in [r#"[1, "a"]"#, r#"["a", 1]"#, "[true]", "[[1]]"] {
            assert!(
                serde_json::from_str::<FactValue>(refused).is_err(),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_number_too_large_is_refused() {
        assert!(serde_json::from_str::<FactValue>("18446744073709551615").is_err());
    }
}
