use serde::{Deserialize, Serialize};

use crate::slo::SloError;

/// Bad events out of all events: the numbers behind a ratio.
///
/// # Examples
///
/// ```
/// use noops_policy::slo::Tally;
///
/// let tally = Tally::new(1, 10)?;
/// assert_eq!(tally.bad_ratio(), Some(0.1));
/// // No events is no knowledge, not a ratio of zero.
/// assert_eq!(Tally::default().bad_ratio(), None);
/// # Ok::<(), noops_policy::slo::SloError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawTally")]
pub struct Tally {
    bad: u64,
    total: u64,
}

impl Tally {
    /// Checks that no more events are bad than there are.
    ///
    /// # Errors
    ///
    /// [`SloError::State`] otherwise, and for counts above 2^62, which nobody has counted.
    pub fn new(bad: u64, total: u64) -> Result<Self, SloError> {
        if bad > total || total > MAX_COUNT {
            return Err(SloError::State {
                problem: format!("`{bad}` bad events of `{total}` is no count of events"),
            });
        }
        Ok(Self { bad, total })
    }

    /// The bad events.
    pub fn bad(&self) -> u64 {
        self.bad
    }

    /// The good events.
    pub fn good(&self) -> u64 {
        self.total.saturating_sub(self.bad)
    }

    /// All events.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The part that is bad; none without events.
    pub fn bad_ratio(&self) -> Option<f64> {
        (self.total > 0).then(|| self.bad as f64 / self.total as f64)
    }

    pub(crate) const fn of(bad: u64, total: u64) -> Self {
        Self { bad, total }
    }

    /// Sums wrap: only differences of sums are read, and those are right as long as each is a count.
    #[inline]
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            bad: self.bad.wrapping_add(other.bad),
            total: self.total.wrapping_add(other.total),
        }
    }

    #[inline]
    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            bad: self.bad.wrapping_sub(other.bad),
            total: self.total.wrapping_sub(other.total),
        }
    }

    /// What was added since `earlier`, nothing where the count shrank.
    pub(crate) fn since(self, earlier: Self) -> Self {
        let total = self.total.saturating_sub(earlier.total);
        Self {
            bad: self.bad.saturating_sub(earlier.bad).min(total),
            total,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTally {
    bad: u64,
    total: u64,
}

impl TryFrom<RawTally> for Tally {
    type Error = SloError;

    fn try_from(raw: RawTally) -> Result<Self, SloError> {
        Self::new(raw.bad, raw.total)
    }
}

const MAX_COUNT: u64 = 1 << 62;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_counts_are_refused() {
        assert!(Tally::new(2, 1).is_err());
        assert!(Tally::new(0, u64::MAX).is_err());
        assert!(serde_json::from_str::<Tally>(r#"{"bad":2,"total":1}"#).is_err());
        assert_eq!(Tally::new(1, 4).unwrap().good(), 3);
    }
}
