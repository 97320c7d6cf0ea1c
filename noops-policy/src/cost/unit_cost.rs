use serde::{Deserialize, Serialize};

use crate::cost::Money;

/// What one piece of work costs: money over the number of pieces it paid for.
///
/// Pieces are whatever is counted: predictions, retrains, tokens. Nothing is known where nothing was counted.
///
/// # Formula
///
/// total / count, the metric "cost per inference" of site reliability practice, to the nearest millionth, half to even. Per
/// thousand keeps three more digits of it.
///
/// # Examples
///
/// ```
/// use noops_policy::cost::UnitCost;
///
/// let serving = UnitCost::new("12.50".parse()?, 4_000_000);
/// assert_eq!(serving.per_thousand(), Some("0.003125".parse()?));
/// assert_eq!(UnitCost::new("12.50".parse()?, 0).each(), None);
/// # Ok::<(), noops_policy::cost::CostError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct UnitCost {
    total: Money,
    count: u64,
}

impl UnitCost {
    /// What `count` pieces of work cost together.
    pub fn new(total: Money, count: u64) -> Self {
        Self { total, count }
    }

    /// What they cost together.
    pub fn total(&self) -> Money {
        self.total
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The cost of one, such as a retrain.
    #[must_use]
    pub fn each(&self) -> Option<Money> {
        self.per(1)
    }

    /// The cost of a thousand, such as predictions.
    #[must_use]
    pub fn per_thousand(&self) -> Option<Money> {
        self.per(1_000)
    }

    /// The cost of `pieces`; none where nothing was counted or the result is beyond [`Money::MAX`].
    #[must_use]
    pub fn per(&self, pieces: u64) -> Option<Money> {
        self.total.part(pieces, self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_counted_is_unknown_not_free() {
        assert_eq!(UnitCost::new(Money::ZERO, 0).each(), None);
        assert_eq!(UnitCost::new(Money::ZERO, 7).each(), Some(Money::ZERO));
        assert_eq!(UnitCost::new(Money::MAX, 1).per(u64::MAX), None);
    }

    proptest! {
        #[test]
        fn the_pieces_cost_the_total_again_to_half_a_millionth_each(
            micros in -1_000_000_000_i64..1_000_000_000, count in 1_u64..1_000_000
        ) {
            let total = Money::from_micros(micros.into()).unwrap();
            let each = UnitCost::new(total, count).each().unwrap();
            let again = each.micros() * i128::from(count);
            prop_assert!(2 * (again - i128::from(micros)).abs() <= i128::from(count));
            prop_assert_eq!(UnitCost::new(total, count).per(count), Some(total));
        }
    }
}
