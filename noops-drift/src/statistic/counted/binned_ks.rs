use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// What the Kolmogorov–Smirnov distance of two samples can be, given only their counts in ordered bins.
///
/// # Formula
///
/// With Fⱼ and Gⱼ for the shares of rows up to and including bin j,
///
/// low = maxⱼ |Fⱼ − Gⱼ|, high = maxⱼ max(Fⱼ − Gⱼ₋₁, Gⱼ − Fⱼ₋₁),
///
/// because within bin j both distribution functions stay between their values at its ends, and may jump anywhere. Both
/// ends are sharp: rows can be placed in the bins such that the distance is either. The bracket is at most as wide as
/// the largest share of a bin on either side, so bins at a thousand quantiles of the reference know the distance of
/// similar samples to about 0.001.
///
/// `low` alone, tested like a distance of samples, raises no more false alarms than the distance itself.
///
/// Two empty rows, or one, say nothing: the bracket is then from 0 to 1.
///
/// # Errors
///
/// [`DriftError::UnequalCells`].
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::binned_ks;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bracket = binned_ks(&[25, 25, 25, 25], &[20, 20, 30, 30])?;
/// assert!((bracket.low() - 0.1).abs() < 1e-12);
/// assert!((bracket.high() - 0.35).abs() < 1e-12);
/// # Ok(())
/// # }
/// ```
pub fn binned_ks(reference: &[u64], current: &[u64]) -> Result<Bracket, DriftError> {
    if reference.len() != current.len() {
        return Err(DriftError::UnequalCells {
            reference: reference.len(),
            current: current.len(),
        });
    }
    let n = total(reference);
    let m = total(current);
    if n == 0 || m == 0 {
        return Ok(Bracket {
            low: 0.0,
            high: 1.0,
        });
    }
    let (mut low, mut high) = (0.0_f64, 0.0_f64);
    let (mut before_r, mut before_c) = (0_u128, 0_u128);
    let share = |passed: u128, rows: u128| passed as f64 / rows as f64;
    for (r, c) in reference.iter().zip(current) {
        let up_to_r = before_r + u128::from(*r);
        let up_to_c = before_c + u128::from(*c);
        low = low.max((share(up_to_r, n) - share(up_to_c, m)).abs());
        high = high
            .max(share(up_to_r, n) - share(before_c, m))
            .max(share(up_to_c, m) - share(before_r, n));
        before_r = up_to_r;
        before_c = up_to_c;
    }
    Ok(Bracket {
        low,
        high: high.clamp(low, 1.0_f64.max(low)),
    })
}

/// A number that is known to lie between two others, both included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawBracket")]
#[must_use]
pub struct Bracket {
    low: f64,
    high: f64,
}

impl Bracket {
    /// The smallest that the number can be.
    #[must_use]
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The largest that the number can be.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.high
    }

    /// How much is not known.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.high - self.low
    }
}

#[derive(Deserialize)]
struct RawBracket {
    low: f64,
    high: f64,
}

impl TryFrom<RawBracket> for Bracket {
    type Error = DriftError;

    fn try_from(raw: RawBracket) -> Result<Self, Self::Error> {
        let RawBracket { low, high } = raw;
        if low.is_finite() && high.is_finite() && low <= high {
            Ok(Self { low, high })
        } else {
            Err(DriftError::InvalidState {
                state: "bracket",
                reason: format!("`{low}` to `{high}` is no range of numbers"),
            })
        }
    }
}

fn total(counts: &[u64]) -> u128 {
    counts.iter().map(|count| u128::from(*count)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Bracket, binned_ks};

    fn distance(left: &[u8], right: &[u8]) -> f64 {
        let below = |values: &[u8], x: u8| {
            values.iter().filter(|v| **v <= x).count() as f64 / values.len() as f64
        };
        left.iter()
            .chain(right)
            .map(|x| (below(left, *x) - below(right, *x)).abs())
            .fold(0.0, f64::max)
    }

    fn counts(values: &[u8]) -> Vec<u64> {
        let mut counts = vec![0; 8];
        for value in values {
            counts[usize::from(*value) / 32] += 1;
        }
        counts
    }

    #[test]
    fn both_ends_are_reached() {
        // Two bins: the counts are the same, the order within the bins is not.
        let bracket = binned_ks(&[2, 2], &[2, 2]).unwrap();
        assert_eq!((bracket.low(), bracket.high()), (0.0, 0.5));
        assert_eq!(distance(&[1, 1, 40, 40], &[1, 1, 40, 40]), bracket.low());
        assert_eq!(distance(&[1, 1, 40, 40], &[2, 2, 40, 40]), bracket.high());
    }

    #[test]
    fn nothing_is_known_of_an_empty_side() {
        let bracket = binned_ks(&[3, 4], &[0, 0]).unwrap();
        assert_eq!((bracket.low(), bracket.high()), (0.0, 1.0));
        assert!(binned_ks(&[1], &[1, 2]).is_err());
        assert_eq!(binned_ks(&[], &[]).unwrap().width(), 1.0);
    }

    #[test]
    fn a_stored_bracket_that_is_upside_down_is_refused() {
        let read = |text: &str| serde_json::from_str::<Bracket>(text);
        assert_eq!(
            read(r#"{"low":0.0,"high":0.5}"#).unwrap(),
            binned_ks(&[2, 2], &[2, 2]).unwrap()
        );
        let refused = read(r#"{"low":0.5,"high":0.25}"#).unwrap_err().to_string();
        assert!(refused.contains("`0.5` to `0.25`"), "{refused}");
    }

    proptest! {
        #[test]
        fn the_distance_of_the_values_is_inside(
            left in prop::collection::vec(any::<u8>(), 1..40),
            right in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            let bracket = binned_ks(&counts(&left), &counts(&right)).unwrap();
            let exact = distance(&left, &right);
            prop_assert!(bracket.low() <= exact + 1e-12 && exact <= bracket.high() + 1e-12);
        }

        #[test]
        fn any_counts_give_a_range(cells in prop::collection::vec((any::<u64>(), any::<u64>()), 0..8)) {
            let (reference, current): (Vec<u64>, Vec<u64>) = cells.into_iter().unzip();
            let bracket = binned_ks(&reference, &current).unwrap();
            prop_assert!(0.0 <= bracket.low() && bracket.low() <= bracket.high() && bracket.high() <= 1.0);
        }
    }
}
