use std::cmp::Ordering;
use std::fmt;

use super::types::Type;
use super::value::Value;

/// A map of the Common Expression Language: its keys are truth values, whole numbers or texts, each there once.
///
/// Whole numbers are one key whatever their type: `1`, `1u` and `1.0` find the same entry, which keeps the key it was made
/// with. Entries are in the order of their keys (truth values, numbers, texts), however the map was built.
///
/// # Examples
///
/// ```
/// use noops_policy::cel::{Map, Value};
///
/// let map = Map::new([(Value::from("b"), Value::Int(2)), (Value::Int(1), Value::Int(3))])?;
/// assert_eq!(map.value(&Value::Uint(1)), Some(&Value::Int(3)));
/// assert_eq!(map.field("b"), Some(&Value::Int(2)));
/// assert!(Map::new([(Value::Int(1), Value::Null), (Value::Uint(1), Value::Null)]).is_err());
/// # Ok::<(), noops_policy::cel::MapError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    /// Sorted by key, no two of them equal.
    entries: Vec<(Value, Value)>,
}

impl Map {
    /// The map of these entries.
    ///
    /// # Errors
    ///
    /// [`MapError`] when a key is there twice, or is neither a truth value nor a whole number nor text.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n entries.
    pub fn new(entries: impl IntoIterator<Item = (Value, Value)>) -> Result<Self, MapError> {
        let mut entries: Vec<(Value, Value)> = entries.into_iter().collect();
        if let Some((key, _)) = entries.iter().find(|(key, _)| Rank::of_key(key).is_none()) {
            return Err(MapError::KeyType(key.value_type()));
        }
        entries.sort_by(|(left, _), (right, _)| Rank::of(left).cmp(&Rank::of(right)));
        let repeated = entries
            .iter()
            .zip(entries.iter().skip(1))
            .find(|((left, _), (right, _))| Rank::of(left) == Rank::of(right));
        match repeated {
            Some((_, (key, _))) => Err(MapError::RepeatedKey(key.clone())),
            None => Ok(Self { entries }),
        }
    }

    /// The value at `key`; a whole number may be of any type of number.
    ///
    /// # Complexity
    ///
    /// O(log n).
    pub fn value(&self, key: &Value) -> Option<&Value> {
        self.find(&Rank::of(key)?)
    }

    /// The value at a key that is text.
    ///
    /// # Complexity
    ///
    /// O(log n).
    pub fn field(&self, key: &str) -> Option<&Value> {
        self.find(&Rank::Text(key))
    }

    /// Keys and values, in the order of the keys.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn find(&self, rank: &Rank<'_>) -> Option<&Value> {
        let at = self
            .entries
            .binary_search_by(|(key, _)| match Rank::of(key) {
                Some(key) => key.cmp(rank),
                None => Ordering::Less,
            })
            .ok()?;
        self.entries.get(at).map(|(_, value)| value)
    }
}

/// Why a map cannot be made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MapError {
    /// The key is there more than once.
    RepeatedKey(Value),
    /// A key cannot be of this type.
    KeyType(Type),
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RepeatedKey(key) => write!(f, "the key `{key}` is there twice; keep one"),
            Self::KeyType(found) => write!(
                f,
                "a key cannot be of type `{found}`; use `bool`, `int`, `uint` or `string`"
            ),
        }
    }
}

impl std::error::Error for MapError {}

/// What a key is sorted and found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank<'a> {
    Bool(bool),
    /// Wide enough for both types of whole numbers.
    Number(i128),
    Text(&'a str),
}

impl<'a> Rank<'a> {
    /// What `value` may be looked up by: a key, or a double that is whole.
    fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::Double(double) => whole(*double).map(Self::Number),
            _ => Self::of_key(value),
        }
    }

    fn of_key(value: &'a Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Int(value) => Some(Self::Number(i128::from(*value))),
            Value::Uint(value) => Some(Self::Number(i128::from(*value))),
            Value::String(text) => Some(Self::Text(text)),
            _ => None,
        }
    }
}

/// The whole number that a double is, as far as a key can be one.
fn whole(double: f64) -> Option<i128> {
    (double.trunc() == double && double.abs() <= LARGEST).then_some(double as i128)
}

/// Two to the 64th: no key is beyond it.
const LARGEST: f64 = 18_446_744_073_709_551_616.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(Value, i64)]) -> Result<Map, MapError> {
        Map::new(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), Value::Int(*value))),
        )
    }

    #[test]
    fn a_number_is_one_key_whatever_its_type() {
        let map = map(&[(Value::Uint(1), 10), (Value::Int(-2), 20)]).unwrap();
        for key in [Value::Int(1), Value::Uint(1), Value::Double(1.0)] {
            assert_eq!(map.value(&key), Some(&Value::Int(10)), "{key:?}");
        }
        assert_eq!(map.value(&Value::Double(-2.0)), Some(&Value::Int(20)));
        assert_eq!(map.entries().next().unwrap().0, &Value::Int(-2));
        assert_eq!(map.entries().nth(1).unwrap().0, &Value::Uint(1));
        for key in [
            1.5,
            f64::NAN,
            f64::INFINITY,
            1e300,
            18_446_744_073_709_551_616.0,
        ] {
            assert_eq!(map.value(&Value::Double(key)), None, "{key}");
        }
        assert_eq!(map.value(&Value::Null), None);
    }

    #[test]
    fn the_largest_numbers_are_told_apart_from_their_nearest_doubles() {
        let map = map(&[(Value::Uint(u64::MAX), 1), (Value::Int(i64::MAX), 2)]).unwrap();
        assert_eq!(map.value(&Value::Double(u64::MAX as f64)), None);
        assert_eq!(map.value(&Value::Double(i64::MAX as f64)), None);
        assert_eq!(map.value(&Value::Uint(u64::MAX)), Some(&Value::Int(1)));
    }

    #[test]
    fn a_repeated_key_is_refused_across_the_types_of_numbers() {
        assert_eq!(
            map(&[(Value::Int(1), 1), (Value::Uint(1), 2)]),
            Err(MapError::RepeatedKey(Value::Uint(1)))
        );
        assert!(map(&[(Value::from("a"), 1), (Value::from("a"), 2)]).is_err());
    }

    #[test]
    fn a_key_that_cannot_be_one_is_refused() {
        for key in [Value::Null, Value::Double(1.0), Value::Type(Type::Int)] {
            assert_eq!(
                map(&[(key.clone(), 1)]),
                Err(MapError::KeyType(key.value_type()))
            );
        }
    }

    #[test]
    fn the_order_of_entries_does_not_depend_on_how_the_map_was_built() {
        let entries = [
            (Value::from("b"), 1),
            (Value::Int(3), 2),
            (Value::Bool(true), 3),
            (Value::from("a"), 4),
        ];
        let mut reversed = entries.clone();
        reversed.reverse();
        let map_one = map(&entries).unwrap();
        assert_eq!(map_one, map(&reversed).unwrap());
        let keys: Vec<&Value> = map_one.entries().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            [
                &Value::Bool(true),
                &Value::Int(3),
                &Value::from("a"),
                &Value::from("b")
            ]
        );
    }
}
