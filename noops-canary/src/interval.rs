use serde::{Deserialize, Serialize};

/// An interval, ends included. An end that nothing bounds is infinite, and `null` when serialised.
///
/// # Examples
///
/// ```
/// use noops_canary::Interval;
///
/// let interval = Interval::new(-0.5, 1.0).ok_or("the ends are in the wrong order")?;
/// assert!(interval.contains(0.0));
/// assert!(interval.is_below(2.0));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawInterval", into = "RawInterval")]
pub struct Interval {
    lower: f64,
    upper: f64,
}

impl Interval {
    /// The interval that holds every number.
    pub const UNBOUNDED: Self = Self {
        lower: f64::NEG_INFINITY,
        upper: f64::INFINITY,
    };

    /// From `lower` to `upper`; `None` if an end is NaN or the lower end is above the upper one.
    #[must_use]
    pub fn new(lower: f64, upper: f64) -> Option<Self> {
        (lower <= upper).then_some(Self { lower, upper })
    }

    /// From `lower` to `upper` where rounding may have put them in the wrong order; unbounded where an end is NaN.
    pub(crate) fn between(lower: f64, upper: f64) -> Self {
        if lower.is_nan() || upper.is_nan() {
            return Self::UNBOUNDED;
        }
        Self {
            lower: lower.min(upper),
            upper: lower.max(upper),
        }
    }

    /// The lower end.
    #[must_use]
    pub fn lower(&self) -> f64 {
        self.lower
    }

    /// The upper end.
    #[must_use]
    pub fn upper(&self) -> f64 {
        self.upper
    }

    /// The distance between the ends.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }

    /// Whether `value` lies in the interval.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }

    /// Whether the whole interval lies below `value`.
    #[must_use]
    pub fn is_below(&self, value: f64) -> bool {
        self.upper < value
    }

    /// Whether the whole interval lies above `value`.
    #[must_use]
    pub fn is_above(&self, value: f64) -> bool {
        self.lower > value
    }
}

#[derive(Serialize, Deserialize)]
struct RawInterval {
    lower: Option<f64>,
    upper: Option<f64>,
}

impl TryFrom<RawInterval> for Interval {
    type Error = &'static str;

    fn try_from(raw: RawInterval) -> Result<Self, Self::Error> {
        Self::new(
            raw.lower.unwrap_or(f64::NEG_INFINITY),
            raw.upper.unwrap_or(f64::INFINITY),
        )
        .ok_or("an interval has its lower end above its upper end")
    }
}

impl From<Interval> for RawInterval {
    fn from(interval: Interval) -> Self {
        let finite = |end: f64| Some(end).filter(|end| end.is_finite());
        Self {
            lower: finite(interval.lower),
            upper: finite(interval.upper),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_in_the_wrong_order_are_refused_also_when_read_back() {
        assert_eq!(Interval::new(1.0, 0.0), None);
        assert_eq!(Interval::new(f64::NAN, 0.0), None);
        assert!(serde_json::from_str::<Interval>(r#"{"lower":1.0,"upper":0.0}"#).is_err());
    }

    #[test]
    fn an_unbounded_end_survives_json() {
        for interval in [
            Interval::UNBOUNDED,
            Interval::between(0.5, f64::INFINITY),
            Interval::between(0.1, 0.2),
        ] {
            let text = serde_json::to_string(&interval).unwrap();
            assert_eq!(serde_json::from_str::<Interval>(&text).unwrap(), interval);
        }
    }
}
