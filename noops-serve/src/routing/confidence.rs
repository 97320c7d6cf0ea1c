//! How sure an answer is.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use noops_core::{Error, ErrorKind};

/// How the confidence of an answer is read off its scores.
#[derive(Clone)]
#[non_exhaustive]
pub enum Confidence {
    /// Of the first number `p`, a probability: `max(p, 1 - p)`, between a half and one.
    Binary,
    /// The largest number: for the probabilities of several classes.
    Largest,
    /// The largest number less the second largest; of a single number, that number.
    Margin,
    /// Whatever a function of the host's makes of the scores. NaN and a panic mean unsure.
    Custom(ConfidenceFn),
}

/// A function from the scores of a row to its confidence.
type ConfidenceFn = Arc<dyn Fn(&[f32]) -> f32 + Send + Sync>;

impl Confidence {
    /// The confidence of a row's scores; NaN where there are none.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_serve::routing::Confidence;
    ///
    /// assert_eq!(Confidence::Binary.of(&[0.25]), 0.75);
    /// assert_eq!(Confidence::Largest.of(&[0.5, 0.25, 0.25]), 0.5);
    /// assert_eq!(Confidence::Margin.of(&[0.25, 0.5, 0.25]), 0.25);
    /// assert!(Confidence::Binary.of(&[]).is_nan());
    /// ```
    #[must_use]
    pub fn of(&self, scores: &[f32]) -> f32 {
        match self {
            Self::Binary => scores.first().map_or(f32::NAN, |p| p.max(1.0 - p)),
            Self::Largest => two_largest(scores).0,
            Self::Margin => match two_largest(scores) {
                (largest, second) if second.is_nan() => largest,
                (largest, second) => largest - second,
            },
            Self::Custom(confidence) => {
                let confidence = AssertUnwindSafe(|| confidence(scores));
                catch_unwind(confidence).unwrap_or(f32::NAN)
            }
        }
    }
}

impl fmt::Debug for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "Binary",
            Self::Largest => "Largest",
            Self::Margin => "Margin",
            Self::Custom(_) => "Custom",
        })
    }
}

/// When an answer is too unsure to stand.
#[derive(Clone, Debug)]
pub struct Escalation {
    threshold: f32,
    confidence: Confidence,
}

impl Escalation {
    /// Answers whose confidence is below `threshold`, or is no number, are too unsure.
    ///
    /// # Errors
    ///
    /// Refuses a threshold that is NaN.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_serve::routing::{Confidence, Escalation};
    ///
    /// assert!(Escalation::below(0.8, Confidence::Binary).is_ok());
    /// assert!(Escalation::below(f32::NAN, Confidence::Binary).is_err());
    /// ```
    pub fn below(threshold: f32, confidence: Confidence) -> Result<Self, Error> {
        if threshold.is_nan() {
            return Err(Error::new(
                ErrorKind::Invalid,
                "build an escalation",
                "the threshold is NaN; give a number",
            ));
        }
        Ok(Self {
            threshold,
            confidence,
        })
    }

    /// The confidence of scores that are too unsure, with what is no number below everything else; `None` for others.
    pub(super) fn unsure(&self, scores: &[f32]) -> Option<f32> {
        let confidence = self.confidence.of(scores);
        if confidence.is_nan() {
            return Some(f32::NEG_INFINITY);
        }
        (confidence < self.threshold).then_some(confidence)
    }
}

/// The two largest numbers; NaN where there are not as many.
fn two_largest(scores: &[f32]) -> (f32, f32) {
    let mut two = (f32::NAN, f32::NAN);
    for &score in scores {
        if two.0.is_nan() || score > two.0 {
            two = (score, two.0);
        } else if two.1.is_nan() || score > two.1 {
            two.1 = score;
        }
    }
    two
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_closure_that_panics_or_answers_nan_is_unsure() {
        let nan = Confidence::Custom(Arc::new(|_| f32::NAN));
        let panics = Confidence::Custom(Arc::new(|scores| scores[7]));
        for confidence in [nan, panics] {
            let escalation = Escalation::below(f32::NEG_INFINITY, confidence).unwrap();
            assert_eq!(escalation.unsure(&[0.5]), Some(f32::NEG_INFINITY));
        }
    }

    #[test]
    fn the_threshold_itself_is_sure_enough() {
        let escalation = Escalation::below(0.75, Confidence::Binary).unwrap();
        assert_eq!(escalation.unsure(&[0.75]), None);
        assert_eq!(escalation.unsure(&[0.25]), None);
        assert_eq!(escalation.unsure(&[0.5]), Some(0.5));
    }

    #[test]
    fn a_single_number_is_its_own_margin() {
        assert_eq!(Confidence::Margin.of(&[0.25]), 0.25);
        assert!(Confidence::Margin.of(&[]).is_nan());
    }

    proptest! {
        #[test]
        fn the_margin_is_that_of_the_sorted_scores(scores in prop::collection::vec(-1e3_f32..1e3, 2..20)) {
            let mut sorted = scores.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            prop_assert_eq!(Confidence::Margin.of(&scores), sorted[0] - sorted[1]);
            prop_assert_eq!(Confidence::Largest.of(&scores), sorted[0]);
        }
    }
}
