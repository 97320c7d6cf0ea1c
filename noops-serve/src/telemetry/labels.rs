//! A bound on the number of time series.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use super::counter::Counter;

/// At most so many distinct values of a label; the others go under [`OTHER_LABEL`] and are counted.
///
/// Every distinct value of a label is a time series that the monitoring keeps for weeks, so that a name taken from a request must
/// not become a label unchecked. A value stays admitted until it is [released](Self::release); values longer than 256 bytes are
/// never admitted.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use noops_serve::telemetry::LabelLimit;
///
/// let limit = LabelLimit::new(NonZeroUsize::MIN);
/// assert_eq!(limit.admit("fraud"), "fraud");
/// assert_eq!(limit.admit("made-up"), "other");
/// assert_eq!(limit.admit("fraud"), "fraud");
/// assert_eq!(limit.overflowed(), 1);
/// ```
#[derive(Debug)]
pub struct LabelLimit {
    most: NonZeroUsize,
    admitted: Mutex<BTreeSet<String>>,
    overflowed: Counter,
}

impl LabelLimit {
    /// A limit of `most` distinct values.
    #[must_use]
    pub fn new(most: NonZeroUsize) -> Self {
        Self {
            most,
            admitted: Mutex::new(BTreeSet::new()),
            overflowed: Counter::new(),
        }
    }

    /// The value itself when it is among the admitted ones or there is room, and [`OTHER_LABEL`] otherwise.
    ///
    /// # Complexity
    ///
    /// A lock and a look-up: for the making of a series, not for every request.
    pub fn admit<'a>(&self, value: &'a str) -> &'a str {
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        if admitted.contains(value) {
            return value;
        }
        if value.len() > LONGEST || admitted.len() >= self.most.get() {
            drop(admitted);
            self.overflowed.increment();
            return OTHER_LABEL;
        }
        admitted.insert(value.to_owned());
        value
    }

    /// Makes room: the value is not used any more.
    pub fn release(&self, value: &str) {
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        admitted.remove(value);
    }

    /// How often a value was put under [`OTHER_LABEL`].
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        self.overflowed.value()
    }
}

/// The value under which all values above a [`LabelLimit`] go.
pub const OTHER_LABEL: &str = "other";
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_names_stays_bounded() {
        let limit = LabelLimit::new(NonZeroUsize::new(10).unwrap());
        let names: Vec<String> = (0..1000).map(|number| format!("m{number}")).collect();
        let labels: BTreeSet<&str> = names.iter().map(|name| limit.admit(name)).collect();
        assert_eq!(labels.len(), 11);
        assert_eq!(limit.overflowed(), 990);
    }

    #[test]
    fn a_released_value_makes_room() {
        let limit = LabelLimit::new(NonZeroUsize::MIN);
        assert_eq!(limit.admit("a"), "a");
        assert_eq!(limit.admit("b"), OTHER_LABEL);
        limit.release("a");
        assert_eq!(limit.admit("b"), "b");
    }

    #[test]
    fn a_very_long_value_is_never_admitted() {
        let limit = LabelLimit::new(NonZeroUsize::MAX);
        assert_eq!(limit.admit(&"x".repeat(257)), OTHER_LABEL);
    }
}
