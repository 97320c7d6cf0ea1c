use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::Value;
use crate::cel::library::notation::{duration_text, timestamp_text};
use crate::cel::library::type_name;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Uint(value) => serializer.serialize_u64(*value),
            Self::Double(value) if value.is_finite() => serializer.serialize_f64(*value),
            Self::Double(_) => serializer.serialize_unit(),
            Self::String(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
            Self::Duration(value) => serializer.serialize_str(&duration_text(*value)),
            Self::Timestamp(value) => serializer.serialize_str(&timestamp_text(*value)),
            Self::List(items) => serializer.collect_seq(items.iter()),
            Self::Map(map) => {
                let mut object = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map.entries() {
                    match key {
                        Self::String(text) => object.serialize_entry(&**text, value)?,
                        Self::Uint(key) => object.serialize_entry(&key.to_string(), value)?,
                        _ => object.serialize_entry(&key.to_string(), value)?,
                    }
                }
                object.end()
            }
            Self::Type(inner) => serializer.serialize_str(type_name(inner)),
        }
    }
}
