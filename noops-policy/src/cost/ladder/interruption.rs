use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cost::CostError;

/// How often spot capacity is taken away, as an average that forgets.
///
/// # Formula
///
/// Interruptions over machine hours, both of which lose half their weight with every half-life of machine time. It starts as
/// if one half-life had been seen at the rate that the provider publishes.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_policy::cost::InterruptionRate;
///
/// let hour = Duration::from_secs(3600);
/// let mut rate = InterruptionRate::new(0.0, 10 * hour)?;
/// rate.observe(10 * hour, 5);
/// // Half of nothing in 10 hours, and 5 in 10 hours.
/// assert!((rate.per_hour() - 5.0 / 15.0).abs() < 1e-12);
/// # Ok::<(), noops_policy::cost::CostError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRate", into = "RawRate")]
pub struct InterruptionRate {
    half_life_hours: f64,
    interruptions: f64,
    hours: f64,
}

impl InterruptionRate {
    /// Starts at a rate per hour.
    ///
    /// # Errors
    ///
    /// [`CostError::Setting`] for a rate that is not between 0 and 1000, and for a half-life of less than a minute or more
    /// than 366 days.
    pub fn new(per_hour: f64, half_life: Duration) -> Result<Self, CostError> {
        let hours = half_life.as_secs_f64() / 3600.0;
        Self {
            half_life_hours: hours,
            interruptions: per_hour * hours,
            hours,
        }
        .checked()
    }

    /// Takes in that machines ran for `machine_time` together and were interrupted so often.
    pub fn observe(&mut self, machine_time: Duration, interruptions: u32) {
        let hours = machine_time.as_secs_f64() / 3600.0;
        let kept = libm::exp2(-hours / self.half_life_hours);
        self.interruptions = self.interruptions * kept + f64::from(interruptions);
        // Interruptions without machine time must not divide by zero.
        self.hours = (self.hours * kept + hours).max(MIN_HOURS);
    }

    /// The interruptions expected in an hour.
    pub fn per_hour(&self) -> f64 {
        self.interruptions / self.hours
    }

    fn checked(self) -> Result<Self, CostError> {
        let half_life = (MIN_HALF_LIFE..=MAX_HALF_LIFE).contains(&self.half_life_hours);
        let hours = self.hours >= MIN_HOURS && self.hours.is_finite();
        let interruptions = self.interruptions >= 0.0 && self.interruptions.is_finite();
        if half_life && hours && interruptions && self.per_hour() <= MAX_RATE {
            Ok(self)
        } else {
            Err(CostError::Setting {
                name: "interruption rate",
                problem: format!(
                    "`{}` per hour with a half-life of `{}` hours must be a rate between 0 and 1000 and a half-life between a minute and 366 days",
                    self.per_hour(),
                    self.half_life_hours
                ),
            })
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRate {
    half_life_hours: f64,
    interruptions: f64,
    hours: f64,
}

impl TryFrom<RawRate> for InterruptionRate {
    type Error = CostError;

    fn try_from(raw: RawRate) -> Result<Self, CostError> {
        let rate = Self {
            half_life_hours: raw.half_life_hours,
            interruptions: raw.interruptions,
            hours: raw.hours,
        };
        // What was observed may be worse than what anybody would start from.
        let calm = Self {
            interruptions: 0.0,
            ..rate
        };
        calm.checked()?;
        if rate.interruptions >= 0.0 && rate.interruptions.is_finite() {
            Ok(rate)
        } else {
            rate.checked()
        }
    }
}

impl From<InterruptionRate> for RawRate {
    fn from(rate: InterruptionRate) -> Self {
        Self {
            half_life_hours: rate.half_life_hours,
            interruptions: rate.interruptions,
            hours: rate.hours,
        }
    }
}

const MIN_HOURS: f64 = 1e-6;
const MAX_RATE: f64 = 1000.0;
const MIN_HALF_LIFE: f64 = 1.0 / 60.0;
const MAX_HALF_LIFE: f64 = 366.0 * 24.0;

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_rate_follows_what_is_observed() {
        let mut rate = InterruptionRate::new(1.0, HOUR).unwrap();
        for _ in 0..40 {
            rate.observe(HOUR, 3);
        }
        assert!((rate.per_hour() - 3.0).abs() < 1e-9);
        rate.observe(Duration::ZERO, 0);
        assert!((rate.per_hour() - 3.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_makes_it_anything_but_a_number() {
        let mut rate = InterruptionRate::new(0.0, HOUR).unwrap();
        for (time, count) in [
            (Duration::MAX, u32::MAX),
            (Duration::ZERO, u32::MAX),
            (Duration::from_nanos(1), 0),
        ] {
            rate.observe(time, count);
            assert!(rate.per_hour() >= 0.0 && rate.per_hour().is_finite());
            let json = serde_json::to_string(&rate).unwrap();
            assert_eq!(
                serde_json::from_str::<InterruptionRate>(&json).unwrap(),
                rate
            );
        }
        for wrong in [-1.0, f64::NAN, f64::INFINITY, 1e6] {
            assert!(InterruptionRate::new(wrong, HOUR).is_err());
        }
        assert!(InterruptionRate::new(0.1, Duration::ZERO).is_err());
        let hostile = r#"{"half_life_hours": 1.0, "interruptions": -1.0, "hours": 1.0}"#;
        assert!(serde_json::from_str::<InterruptionRate>(hostile).is_err());
        let hostile = r#"{"half_life_hours": 1.0, "interruptions": 1.0, "hours": 0.0}"#;
        assert!(serde_json::from_str::<InterruptionRate>(hostile).is_err());
    }
}
