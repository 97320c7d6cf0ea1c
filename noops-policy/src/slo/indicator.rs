use serde::{Deserialize, Serialize};

use crate::slo::SloError;

/// How an event is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Indicator {
    /// Good events and all events are counted.
    #[default]
    GoodOverTotal,
    /// Bad events and all events are counted.
    BadOverTotal,
    /// Each event has a value, which is good on one side of a bound.
    Threshold(Threshold),
}

impl Indicator {
    /// Whether an event of this value is good; none unless the indicator is a threshold.
    ///
    /// A value that is not a number is bad: a latency or an age that could not be measured has not met its bound.
    pub fn judge(self, value: f64) -> Option<bool> {
        match self {
            Self::GoodOverTotal | Self::BadOverTotal => None,
            Self::Threshold(threshold) => Some(threshold.holds(value)),
        }
    }
}

impl From<Threshold> for Indicator {
    fn from(threshold: Threshold) -> Self {
        Self::Threshold(threshold)
    }
}

/// A finite bound and the side of it that is good; the bound itself is good.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawThreshold", into = "RawThreshold")]
pub struct Threshold {
    bound: f64,
    direction: Direction,
}

impl Threshold {
    /// Checks that the bound is finite.
    ///
    /// # Errors
    ///
    /// [`SloError::Threshold`] otherwise.
    pub fn new(bound: f64, direction: Direction) -> Result<Self, SloError> {
        if bound.is_finite() {
            Ok(Self { bound, direction })
        } else {
            Err(SloError::Threshold { bound })
        }
    }

    /// Good at `bound` and below.
    ///
    /// # Errors
    ///
    /// As [`Threshold::new`].
    pub fn at_most(bound: f64) -> Result<Self, SloError> {
        Self::new(bound, Direction::AtMost)
    }

    /// Good at `bound` and above.
    ///
    /// # Errors
    ///
    /// As [`Threshold::new`].
    pub fn at_least(bound: f64) -> Result<Self, SloError> {
        Self::new(bound, Direction::AtLeast)
    }

    /// The bound.
    pub fn bound(self) -> f64 {
        self.bound
    }

    /// The side that is good.
    pub fn direction(self) -> Direction {
        self.direction
    }

    fn holds(self, value: f64) -> bool {
        match self.direction {
            Direction::AtMost => value <= self.bound,
            Direction::AtLeast => value >= self.bound,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawThreshold {
    bound: f64,
    direction: Direction,
}

impl TryFrom<RawThreshold> for Threshold {
    type Error = SloError;

    fn try_from(raw: RawThreshold) -> Result<Self, SloError> {
        Self::new(raw.bound, raw.direction)
    }
}

impl From<Threshold> for RawThreshold {
    fn from(threshold: Threshold) -> Self {
        Self {
            bound: threshold.bound,
            direction: threshold.direction,
        }
    }
}

/// The good side of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Small values are good.
    AtMost,
    /// Great values are good.
    AtLeast,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_good_and_what_is_no_number_is_bad() {
        let latency: Indicator = Threshold::at_most(0.05).unwrap().into();
        assert_eq!(latency.judge(0.05), Some(true));
        assert_eq!(latency.judge(0.051), Some(false));
        assert_eq!(latency.judge(f64::NAN), Some(false));
        let quality: Indicator = Threshold::at_least(0.8).unwrap().into();
        assert_eq!(quality.judge(0.8), Some(true));
        assert_eq!(quality.judge(f64::NEG_INFINITY), Some(false));
        assert_eq!(Indicator::GoodOverTotal.judge(1.0), None);
        assert!(Threshold::at_most(f64::NAN).is_err());
    }
}
