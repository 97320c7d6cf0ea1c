use serde::{Deserialize, Serialize};

use crate::direction::Direction;
use crate::error::CanaryError;

/// The ladder: the best score on a test set, published so that chasing it learns little about the test set.
///
/// A new best is published only when it improves on the published one by more than a step, and then rounded to steps; all else repeats what
/// is already known.
///
/// # Formula
///
/// For a loss: publish `[R]_step` if `R < best - step`, else `best` (Blum and Hardt, "The Ladder: A Reliable Leaderboard for Machine Learning
/// Competitions", 2015).
///
/// # Error rates
///
/// For a loss in \[0, 1\] on `n` independent rows, after `k` submissions chosen in view of what was published, with
/// `step ~ (log(k n) / n)^(1/3)` the published best lies within a constant times that step of the best true loss, with high probability (their
/// main theorem, for the true loss of the *best* submission, not of each). It holds only if the published number is all that leaves the test set.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::offline::Ladder;
///
/// let mut ladder = Ladder::new(Direction::LowerIsBetter, 0.01)?;
/// assert_eq!(ladder.submit(0.304)?, 0.3);
/// assert_eq!(ladder.submit(0.295)?, 0.3);
/// assert_eq!(ladder.submit(0.281)?, 0.28);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawLadder")]
pub struct Ladder {
    direction: Direction,
    step: f64,
    best: Option<f64>,
    submissions: u64,
}

impl Ladder {
    /// A ladder without submissions.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the step is finite and above zero.
    pub fn new(direction: Direction, step: f64) -> Result<Self, CanaryError> {
        if step > 0.0 && step.is_finite() {
            return Ok(Self {
                direction,
                step,
                best: None,
                submissions: 0,
            });
        }
        Err(CanaryError::Setting {
            name: "step",
            value: step,
            allowed: "above 0",
        })
    }

    /// Takes a score measured on the test set and gives the best to publish.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for a score that is NaN, infinite or too large to be counted in steps, which changes nothing.
    pub fn submit(&mut self, score: f64) -> Result<f64, CanaryError> {
        let rounded = (score / self.step).round() * self.step;
        if !rounded.is_finite() {
            return Err(CanaryError::Input {
                input: "score",
                reason: "is not finite in steps; pass the measured score",
            });
        }
        self.submissions = self.submissions.saturating_add(1);
        let harm = self.direction.harm_sign();
        let published = match self.best {
            Some(best) if harm * (best - score) <= self.step => best,
            _ => rounded,
        };
        self.best = Some(published);
        Ok(published)
    }

    /// The published best; `None` before the first submission.
    #[must_use]
    pub fn best(&self) -> Option<f64> {
        self.best
    }

    /// The step.
    #[must_use]
    pub fn step(&self) -> f64 {
        self.step
    }

    /// Which way scores are better.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The number of submissions.
    #[must_use]
    pub fn submissions(&self) -> u64 {
        self.submissions
    }
}

#[derive(Deserialize)]
struct RawLadder {
    direction: Direction,
    step: f64,
    best: Option<f64>,
    submissions: u64,
}

impl TryFrom<RawLadder> for Ladder {
    type Error = CanaryError;

    fn try_from(raw: RawLadder) -> Result<Self, CanaryError> {
        let refuse = |reason| CanaryError::State {
            state: "ladder",
            reason,
        };
        if raw.best.is_some() != (raw.submissions > 0) {
            return Err(refuse(
                "it has a best score without submissions, or none with some",
            ));
        }
        if raw.best.is_some_and(|best| !best.is_finite()) {
            return Err(refuse("its best score is not finite"));
        }
        let fresh = Self::new(raw.direction, raw.step)?;
        Ok(Self {
            best: raw.best,
            submissions: raw.submissions,
            ..fresh
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Random;

    /// The attack of Blum and Hardt: submit random labels, keep those whose published score improves, take their majority.
    #[test]
    fn guessing_gains_nothing_on_the_ladder_and_much_without_it() {
        let rows = 400;
        let mut random = Random::new(5);
        let truth: Vec<bool> = (0..rows).map(|_| random.uniform() < 0.5).collect();
        let loss = |guess: &[bool]| {
            let wrong = guess.iter().zip(&truth).filter(|(a, b)| a != b).count();
            wrong as f64 / rows as f64
        };
        let guesses: Vec<Vec<bool>> = (0..400)
            .map(|_| (0..rows).map(|_| random.uniform() < 0.5).collect())
            .collect();
        let majority = |chosen: &[&Vec<bool>]| -> Vec<bool> {
            (0..rows)
                .map(|row| 2 * chosen.iter().filter(|guess| guess[row]).count() > chosen.len())
                .collect()
        };
        let lucky: Vec<&Vec<bool>> = guesses.iter().filter(|guess| loss(guess) < 0.5).collect();
        assert!(loss(&majority(&lucky)) < 0.35);

        let mut ladder = Ladder::new(Direction::LowerIsBetter, 0.1).unwrap();
        let mut kept = Vec::new();
        for guess in &guesses {
            let before = ladder.best();
            if before != Some(ladder.submit(loss(guess)).unwrap()) {
                kept.push(guess);
            }
        }
        assert_eq!(kept.len(), 1);
        assert!(ladder.submit(loss(&majority(&kept))).unwrap() >= 0.4);
    }

    #[test]
    fn higher_may_be_better() {
        let mut ladder = Ladder::new(Direction::HigherIsBetter, 0.25).unwrap();
        let published: Vec<f64> = [0.5, 0.6, 0.4, 0.9]
            .iter()
            .map(|score| ladder.submit(*score).unwrap())
            .collect();
        assert_eq!(published, [0.5, 0.5, 0.5, 1.0]);
        assert_eq!(ladder.submissions(), 4);
    }

    #[test]
    fn a_bad_score_changes_nothing() {
        let mut ladder = Ladder::new(Direction::LowerIsBetter, 1e-300).unwrap();
        for wrong in [f64::NAN, f64::INFINITY, 1e300] {
            assert!(ladder.submit(wrong).is_err());
        }
        assert_eq!(ladder.best(), None);
        assert_eq!(ladder.submissions(), 0);
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Ladder::new(Direction::LowerIsBetter, wrong).is_err());
        }
    }

    #[test]
    fn a_stored_ladder_that_contradicts_itself_is_refused() {
        let with = |step: &str, best: &str, submissions: u8| {
            let text = format!(
                r#"{{"direction":"lower_is_better","step":{step},"best":{best},"submissions":{submissions}}}"#
            );
            serde_json::from_str::<Ladder>(&text)
        };
        assert!(with("0.1", "0.5", 3).is_ok());
        assert!(with("0.1", "0.5", 0).is_err());
        assert!(with("0.1", "null", 3).is_err());
        assert!(with("0.0", "0.5", 3).is_err());
    }
}
