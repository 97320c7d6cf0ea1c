use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// What one model made of a request: a score, and as known a class, a latency and a cost.
///
/// # Examples
///
/// ```
/// use noops_canary::shadow::ShadowResponse;
///
/// let response = ShadowResponse::new(0.7)?.with_class(1).with_latency(0.012)?;
/// assert_eq!(response.latency(), Some(0.012));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShadowResponse {
    score: f64,
    class: Option<u64>,
    latency: Option<f64>,
    cost: Option<f64>,
}

impl ShadowResponse {
    /// A response with this score.
    ///
    /// # Errors
    ///
    /// [`CanaryError::NotFinite`] for NaN and infinities.
    pub fn new(score: f64) -> Result<Self, CanaryError> {
        if !score.is_finite() {
            return Err(CanaryError::NotFinite {
                column: "score",
                row: 0,
                value: score,
            });
        }
        Ok(Self {
            score,
            class: None,
            latency: None,
            cost: None,
        })
    }

    /// Adds the class, the decision or a digest of the text that was answered.
    #[must_use]
    pub fn with_class(mut self, class: u64) -> Self {
        self.class = Some(class);
        self
    }

    /// Adds how long it took, in any unit that both models share.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless it is finite and at least 0.
    pub fn with_latency(mut self, latency: f64) -> Result<Self, CanaryError> {
        self.latency = Some(checked("latency", latency)?);
        Ok(self)
    }

    /// Adds what it cost, in any unit that both models share.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless it is finite and at least 0.
    pub fn with_cost(mut self, cost: f64) -> Result<Self, CanaryError> {
        self.cost = Some(checked("cost", cost)?);
        Ok(self)
    }

    /// The score.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.score
    }

    /// The class, if given.
    #[must_use]
    pub fn class(&self) -> Option<u64> {
        self.class
    }

    /// The latency, if given.
    #[must_use]
    pub fn latency(&self) -> Option<f64> {
        self.latency
    }

    /// The cost, if given.
    #[must_use]
    pub fn cost(&self) -> Option<f64> {
        self.cost
    }
}

/// What came back from a model for a request that both were meant to answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ShadowAnswer {
    /// An answer.
    Given(ShadowResponse),
    /// None, and why.
    Lost(LostAnswer),
}

/// Why a model's answer to a request is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LostAnswer {
    /// The request never reached the model, or its answer was dropped.
    Missing,
    /// The model failed.
    Failed,
    /// It took longer than was waited for.
    TimedOut,
    /// It came after the pair had been closed.
    Late,
}

/// Whether an answer turned out to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correctness {
    /// It was right.
    Correct,
    /// It was wrong.
    Wrong,
}

fn checked(name: &'static str, value: f64) -> Result<f64, CanaryError> {
    if value >= 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(CanaryError::Setting {
        name,
        value,
        allowed: "of at least 0",
    })
}
