use serde::{Deserialize, Serialize};

mod radix;
#[cfg(test)]
mod tests;

/// A sample in ascending order, without NaN: sort a reference once and compare every batch with it.
///
/// NaN is left out and counted, -0.0 becomes 0.0 (they are equal, so they must be one value), infinities stay.
///
/// # Complexity
///
/// O(n) time and memory for most data: three passes of a radix sort over the bits in which the values differ, then a
/// look at the neighbours that those bits leave equal. Samples of up to a thousand values, and values that share almost
/// all those bits, cost a comparison sort.
///
/// # Numerical notes
///
/// A stored sample is checked when it is read. JSON has no infinities, so store samples that hold some in a format
/// that has.
///
/// # Examples
///
/// ```
/// use noops_stats::SortedSample;
///
/// let sample = SortedSample::new(&[2.0, f64::NAN, -1.0, f64::INFINITY, 2.0]);
/// assert_eq!(sample.values(), [-1.0, 2.0, 2.0, f64::INFINITY]);
/// assert_eq!(sample.nans(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawSortedSample")]
pub struct SortedSample {
    values: Vec<f64>,
    nans: u64,
}

impl SortedSample {
    /// Sorts a copy of `values`.
    #[must_use]
    pub fn new(values: &[f64]) -> Self {
        let numbers = values.iter().filter(|value| !value.is_nan());
        let keys = radix::sorted(numbers.map(|&value| key_of(value)));
        let nans = (values.len() - keys.len()) as u64;
        let values = keys.into_iter().map(value_of).collect();
        Self { values, nans }
    }

    /// The values, ascending.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How many values there are, without NaN.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many NaN were left out.
    #[must_use]
    pub fn nans(&self) -> u64 {
        self.nans
    }
}

impl From<&[f64]> for SortedSample {
    fn from(values: &[f64]) -> Self {
        Self::new(values)
    }
}

impl TryFrom<RawSortedSample> for SortedSample {
    type Error = String;

    fn try_from(raw: RawSortedSample) -> Result<Self, String> {
        let RawSortedSample { mut values, nans } = raw;
        let contradiction = |reason: String| {
            format!("the stored sorted sample contradicts itself: {reason}; sort the values again")
        };
        if values.iter().any(|value| value.is_nan()) {
            return Err(contradiction("a value is `NaN`".to_owned()));
        }
        if let Some(at) = values.windows(2).position(|pair| match pair {
            [before, after] => before > after,
            _ => false,
        }) {
            return Err(contradiction(format!(
                "value `{}` is less than the value before it",
                at + 1
            )));
        }
        for value in &mut values {
            *value += 0.0;
        }
        Ok(Self { values, nans })
    }
}

/// What is stored, before it is checked.
#[derive(Deserialize)]
struct RawSortedSample {
    values: Vec<f64>,
    nans: u64,
}

/// Bits whose unsigned order is the order of the numbers: the sign is flipped, and of negative numbers everything.
#[inline]
#[must_use]
pub fn key_of(value: f64) -> u64 {
    // Adding zero turns -0.0 into 0.0 and leaves every other number as it is.
    let bits = (value + 0.0).to_bits();
    let all_if_negative = ((bits as i64) >> 63) as u64;
    bits ^ (all_if_negative | SIGN)
}

/// The number of such bits.
#[inline]
#[must_use]
pub fn value_of(key: u64) -> f64 {
    let all_if_positive = ((key as i64) >> 63) as u64;
    f64::from_bits(key ^ (!all_if_positive | SIGN))
}

const SIGN: u64 = 1 << 63;
