use std::fmt;

use serde::de::{self, Visitor};
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
    /// Text.
    Text,
}

impl fmt::Display for FactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::Text => "text",
        })
    }
}

/// The value of a fact.
///
/// It serialises as the plain value. A double that is not finite carries no information: all of them are equal, and all
/// of them serialise as null. Zero has no sign: a negative one serialises as zero.
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
}

impl FactValue {
    /// The type of this value.
    pub fn fact_type(&self) -> FactType {
        match self {
            Self::Bool(_) => FactType::Bool,
            Self::Int(_) => FactType::Int,
            Self::Double(_) => FactType::Double,
            Self::Text(_) => FactType::Text,
        }
    }

    /// The value as a double, for numbers.
    ///
    /// # Numerical notes
    ///
    /// A whole number beyond two to the power 53 is rounded to the nearest double.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            Self::Bool(_) | Self::Text(_) => None,
        }
    }
}

impl PartialEq for FactValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Double(a), Self::Double(b)) => a == b || (!a.is_finite() && !b.is_finite()),
            (Self::Text(a), Self::Text(b)) => a == b,
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

impl Serialize for FactValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Double(value) if value.is_finite() => {
                serializer.serialize_f64(without_signed_zero(*value))
            }
            Self::Double(_) => serializer.serialize_unit(),
            Self::Text(value) => serializer.serialize_str(value),
        }
    }
}

impl<'de> Deserialize<'de> for FactValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl Visitor<'_> for ValueVisitor {
    type Value = FactValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bool, a number or text")
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
}

/// The zeros compare equal, so they must not differ in a digest either. Other numbers are unchanged.
fn without_signed_zero(number: f64) -> f64 {
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
    }

    #[test]
    fn a_number_too_large_is_refused() {
        assert!(serde_json::from_str::<FactValue>("18446744073709551615").is_err());
    }
}
