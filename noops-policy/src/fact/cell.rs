use jiff::{SignedDuration, Timestamp};

use super::slots::{FactEntry, FactState};
use super::{FactDecl, FactValue};

/// A fact as a condition reads it: its number in a machine word, and the times between which it may be used.
///
/// It is worked out once, when the fact is set, so that reading it costs two comparisons.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// A whole number, or the bits of a double; a truth value is zero or one. Zero for all other types.
    bits: u64,
    validity: Validity,
    from: Timestamp,
    until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Validity {
    Missing,
    Invalid,
    /// From `from` until `until`, both included.
    Between,
    Always,
}

impl Cell {
    pub(crate) const MISSING: Self = Self {
        bits: 0,
        validity: Validity::Missing,
        from: Timestamp::MIN,
        until: Timestamp::MAX,
    };

    pub(super) fn new(decl: &FactDecl, entry: &FactEntry) -> Self {
        let bits = match entry.value() {
            FactValue::Bool(value) => u64::from(*value),
            FactValue::Int(value) => value.cast_unsigned(),
            FactValue::Double(value) => value.to_bits(),
            _ => 0,
        };
        // An age that cannot be written down was refused with its declaration; without one there is no end.
        let max_age = decl
            .max_age()
            .and_then(|max_age| SignedDuration::try_from(max_age).ok());
        let (from, until) = match max_age {
            None => (Timestamp::MIN, Timestamp::MAX),
            Some(max_age) => (
                entry.at().checked_sub(max_age).unwrap_or(Timestamp::MIN),
                entry.at().checked_add(max_age).unwrap_or(Timestamp::MAX),
            ),
        };
        let validity = match max_age {
            _ if !decl.admits(entry.value()) => Validity::Invalid,
            None => Validity::Always,
            Some(_) => Validity::Between,
        };
        Self {
            bits,
            validity,
            from,
            until,
        }
    }

    pub(crate) fn is_usable(&self, now: Timestamp) -> bool {
        match self.validity {
            Validity::Always => true,
            Validity::Between => self.from <= now && now <= self.until,
            Validity::Missing | Validity::Invalid => false,
        }
    }

    pub(super) fn state(&self, now: Timestamp) -> FactState {
        match self.validity {
            Validity::Missing => FactState::Missing,
            Validity::Invalid => FactState::Invalid,
            Validity::Between | Validity::Always if self.is_usable(now) => FactState::Known,
            Validity::Between | Validity::Always => FactState::Stale,
        }
    }

    pub(crate) fn double(&self) -> f64 {
        f64::from_bits(self.bits)
    }

    pub(crate) fn int(&self) -> i64 {
        self.bits.cast_signed()
    }

    pub(crate) fn flag(&self) -> bool {
        self.bits != 0
    }
}
