use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::label::{Label, Observed};

/// A value and since when it is known. The smaller of two is the one that counts: known earlier, and at the same time the
/// smaller value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Known {
    // The order of the fields is the rule.
    pub(super) known_at: Timestamp,
    pub(super) observed: Observed,
}

impl Known {
    pub(super) fn of(label: &Label) -> Self {
        Self {
            known_at: label.known_at,
            observed: label.observed,
        }
    }

    pub(super) fn to_label(self, request: &str) -> Label {
        Label {
            request: request.to_owned(),
            observed: self.observed,
            known_at: self.known_at,
        }
    }
}

/// All labels delivered for one request: for each value, since when it is known at the earliest.
///
/// Adding is commutative, associative and idempotent, so that order and repetition of the delivery leave no trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Labels {
    negative: Option<Timestamp>,
    positive: Option<Timestamp>,
}

/// What adding a label did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    First,
    Repeated,
    Conflicting { kept: Known, refused: Known },
}

impl Labels {
    pub(super) fn one(known: Known) -> Self {
        let mut labels = Self::default();
        labels.add(known);
        labels
    }

    pub(super) fn add(&mut self, known: Known) -> Added {
        let since = match known.observed {
            Observed::Negative => &mut self.negative,
            Observed::Positive => &mut self.positive,
        };
        if let Some(held) = since {
            *held = known.known_at.min(*held);
            return Added::Repeated;
        }
        *since = Some(known.known_at);
        match (self.counting(), self.conflicting()) {
            (Some(kept), Some(refused)) => Added::Conflicting { kept, refused },
            _ => Added::First,
        }
    }

    /// The label that counts.
    pub(super) fn counting(self) -> Option<Known> {
        self.each().into_iter().flatten().min()
    }

    /// The label with the other value, if there is one.
    pub(super) fn conflicting(self) -> Option<Known> {
        match self.each() {
            [Some(one), Some(other)] => Some(one.max(other)),
            _ => None,
        }
    }

    /// Forgets what became known later than `limit`, and says how much that was.
    pub(super) fn forget_after(&mut self, limit: Timestamp) -> u64 {
        let mut forgotten = 0;
        for since in [&mut self.negative, &mut self.positive] {
            if since.take_if(|known_at| *known_at > limit).is_some() {
                forgotten += 1;
            }
        }
        forgotten
    }

    fn each(self) -> [Option<Known>; 2] {
        let known = |observed: Observed, since: Option<Timestamp>| {
            since.map(|known_at| Known { known_at, observed })
        };
        [
            known(Observed::Negative, self.negative),
            known(Observed::Positive, self.positive),
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known(second: i64, observed: Observed) -> Known {
        Known {
            known_at: Timestamp::from_second(second).unwrap(),
            observed,
        }
    }

    #[test]
    fn of_two_values_known_at_once_the_negative_one_counts() {
        let (no, yes) = (known(5, Observed::Negative), known(5, Observed::Positive));
        for (first, second) in [(no, yes), (yes, no)] {
            let mut labels = Labels::one(first);
            let (kept, refused) = (no, yes);
            assert_eq!(labels.add(second), Added::Conflicting { kept, refused });
            assert_eq!(labels.counting(), Some(no));
        }
    }

    #[test]
    fn a_repetition_that_was_known_earlier_moves_the_time() {
        let mut labels = Labels::one(known(5, Observed::Positive));
        assert_eq!(labels.add(known(3, Observed::Positive)), Added::Repeated);
        assert_eq!(labels.add(known(9, Observed::Positive)), Added::Repeated);
        assert_eq!(labels.counting(), Some(known(3, Observed::Positive)));
        assert_eq!(labels.conflicting(), None);
    }

    proptest! {
        #[test]
        fn the_earliest_label_counts_in_whatever_order_they_come(
            labels in prop::collection::vec((0i64..6, any::<bool>()), 1..12),
            limit in 0i64..6,
        ) {
            let labels: Vec<Known> = labels
                .into_iter()
                .map(|(second, value)| known(second, Observed::from(value)))
                .collect();
            let limit = Timestamp::from_second(limit).unwrap();
            let mut held = Labels::default();
            for label in &labels {
                held.add(*label);
            }
            held.forget_after(limit);

            let in_time = || labels.iter().filter(|label| label.known_at <= limit).copied();
            let first = in_time().min();
            let other = in_time().filter(|label| first.is_some_and(|first| first.observed != label.observed)).min();
            prop_assert_eq!(held.counting(), first);
            prop_assert_eq!(held.conflicting(), other);
        }
    }
}
