use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// How long a subject was followed, and whether that ended with its event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Followed {
    /// The event came at this age, for example a positive label.
    Event(f64),
    /// Nothing had come until this age.
    Censored(f64),
}

impl Followed {
    fn age(self) -> f64 {
        match self {
            Self::Event(age) | Self::Censored(age) => age,
        }
    }
}

/// The share of subjects whose event has come by a given age, estimated from subjects followed for different times.
///
/// It uses the young exposures too, which a comparison at equal age leaves out until their window is over: for an arm's expected final
/// positive rate before all labels are in.
///
/// # Formula
///
/// With `d` events among `n` subjects at risk at each age: the share without the event is the product of `1 - d / n` (Kaplan
/// and Meier 1958), with the variance by Greenwood's sum of `d / (n (n - d))`. Subjects censored at the age of an event are at risk there.
///
/// # Numerical notes
///
/// Censoring must have nothing to do with the event: true where it comes from the time of serving alone. The
/// variance is for one look, and poor where few are at risk.
///
/// # Examples
///
/// ```
/// use noops_canary::labels::{Followed, KaplanMeier};
///
/// let curve = KaplanMeier::new(&[
///     Followed::Event(1.0),
///     Followed::Censored(2.0),
///     Followed::Event(3.0),
///     Followed::Censored(4.0),
/// ])?;
/// // 1 - 3/4 * 1/2.
/// assert_eq!(curve.event_share(3.0), 0.625);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KaplanMeier {
    steps: Vec<SurvivalStep>,
    subjects: usize,
}

impl KaplanMeier {
    /// Estimates the curve.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without subjects; [`CanaryError::NotFinite`] for an age that is NaN or infinite, and
    /// [`CanaryError::Input`] for a negative one.
    ///
    /// # Complexity
    ///
    /// O(n log n).
    pub fn new(followed: &[Followed]) -> Result<Self, CanaryError> {
        if followed.is_empty() {
            return Err(CanaryError::Empty);
        }
        for (row, age) in followed.iter().map(|one| one.age()).enumerate() {
            if !age.is_finite() {
                return Err(CanaryError::NotFinite {
                    column: "age",
                    row,
                    value: age,
                });
            }
            if age < 0.0 {
                return Err(CanaryError::Input {
                    input: "followed",
                    reason: "holds a negative age; pass the time since serving",
                });
            }
        }
        let mut sorted = followed.to_vec();
        sorted.sort_by(|a, b| a.age().total_cmp(&b.age()));
        let mut steps = Vec::new();
        let mut at_risk = sorted.len();
        let mut without_event = 1.0;
        let mut greenwood = 0.0;
        for same_age in sorted.chunk_by(|a, b| a.age() == b.age()) {
            let is_event = |one: &&Followed| matches!(one, Followed::Event(_));
            let events = same_age.iter().filter(is_event).count();
            if let Some(first) = same_age.first().filter(|_| events > 0) {
                let (d, n) = (events as f64, at_risk as f64);
                without_event *= 1.0 - d / n;
                // When everybody at risk has the event the share is 0 and so is its estimated variance.
                greenwood += if events < at_risk {
                    d / (n * (n - d))
                } else {
                    0.0
                };
                steps.push(SurvivalStep {
                    age: first.age(),
                    at_risk: at_risk as u64,
                    events: events as u64,
                    without_event,
                    variance: without_event * without_event * greenwood,
                });
            }
            at_risk -= same_age.len();
        }
        Ok(Self {
            steps,
            subjects: sorted.len(),
        })
    }

    /// The estimated share of subjects whose event has come by `age`, that age included.
    ///
    /// Beyond the last event it stays level, which is a lower bound if the oldest subjects are censored. 0 for NaN.
    #[must_use]
    pub fn event_share(&self, age: f64) -> f64 {
        self.step_at(age)
            .map_or(0.0, |step| 1.0 - step.without_event)
    }

    /// Greenwood's variance of [`event_share`](Self::event_share).
    #[must_use]
    pub fn variance(&self, age: f64) -> f64 {
        self.step_at(age).map_or(0.0, |step| step.variance)
    }

    /// The ages at which events came, in order.
    #[must_use]
    pub fn steps(&self) -> &[SurvivalStep] {
        &self.steps
    }

    /// The number of subjects.
    #[must_use]
    pub fn subjects(&self) -> usize {
        self.subjects
    }

    fn step_at(&self, age: f64) -> Option<&SurvivalStep> {
        let reached = self.steps.partition_point(|step| step.age <= age);
        reached.checked_sub(1).and_then(|last| self.steps.get(last))
    }
}

/// An age at which events came.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SurvivalStep {
    age: f64,
    at_risk: u64,
    events: u64,
    without_event: f64,
    variance: f64,
}

impl SurvivalStep {
    /// The age.
    #[must_use]
    pub fn age(&self) -> f64 {
        self.age
    }

    /// The subjects followed at least until then without the event.
    #[must_use]
    pub fn at_risk(&self) -> u64 {
        self.at_risk
    }

    /// The events at this age.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The estimated share without the event after this age.
    #[must_use]
    pub fn without_event(&self) -> f64 {
        self.without_event
    }

    /// Greenwood's variance of that share.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.variance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        age: Vec<f64>,
        event: Vec<u8>,
        at: Vec<f64>,
        survival: Vec<f64>,
        variance: Vec<f64>,
    }

    fn followed(case: &Case) -> Vec<Followed> {
        let one = |(age, event): (&f64, &u8)| match event {
            0 => Followed::Censored(*age),
            _ => Followed::Event(*age),
        };
        case.age.iter().zip(&case.event).map(one).collect()
    }

    #[test]
    fn curves_agree_with_scipy() {
        #[derive(serde::Deserialize)]
        struct Data {
            kaplan_meier: Vec<Case>,
        }
        let text = include_str!("../../testdata/labels.json");
        let data: Data = serde_json::from_str(text).unwrap();
        assert!(data.kaplan_meier.len() >= 3);
        for case in &data.kaplan_meier {
            let curve = KaplanMeier::new(&followed(case)).unwrap();
            assert_eq!(curve.steps().len(), case.at.len());
            let expected = case.at.iter().zip(&case.survival).zip(&case.variance);
            for ((at, survival), variance) in expected {
                let close = |found: f64, wanted: f64| (found - wanted).abs() <= 1e-12;
                assert!(close(1.0 - curve.event_share(*at), *survival), "{at}");
                assert!(close(curve.variance(*at), *variance), "{at}");
            }
        }
    }

    #[test]
    fn nothing_has_come_before_the_first_event_and_nan_is_no_age() {
        let curve = KaplanMeier::new(&[Followed::Event(2.0), Followed::Censored(5.0)]).unwrap();
        assert_eq!(curve.event_share(1.9), 0.0);
        assert_eq!(curve.event_share(f64::NAN), 0.0);
        assert_eq!(curve.event_share(f64::INFINITY), 0.5);
    }

    #[test]
    fn hostile_ages_are_refused() {
        assert_eq!(KaplanMeier::new(&[]), Err(CanaryError::Empty));
        for age in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(KaplanMeier::new(&[Followed::Event(age)]).is_err(), "{age}");
        }
    }

    #[test]
    fn when_everybody_has_the_event_nobody_is_left() {
        let curve = KaplanMeier::new(&[Followed::Event(1.0), Followed::Event(1.0)]).unwrap();
        assert_eq!((curve.event_share(1.0), curve.variance(1.0)), (1.0, 0.0));
    }
}
