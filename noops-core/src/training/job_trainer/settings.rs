use std::num::NonZeroU32;
use std::time::Duration;

/// How patient a [`JobTrainer`](crate::JobTrainer) is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobTrainerSettings {
    expected_duration: Duration,
    poll: Duration,
    attempts: NonZeroU32,
    tolerated_failures: u32,
}

impl Default for JobTrainerSettings {
    fn default() -> Self {
        Self {
            expected_duration: Duration::from_secs(600),
            poll: Duration::from_secs(5),
            attempts: NonZeroU32::MIN.saturating_add(1),
            tolerated_failures: 120,
        }
    }
}

impl JobTrainerSettings {
    /// Sets how long a training is expected to take; 10 minutes unless told. The controller looks for the result after that.
    #[must_use]
    pub fn with_expected_duration(mut self, expected_duration: Duration) -> Self {
        self.expected_duration = expected_duration;
        self
    }

    /// Sets how often a run is looked at; every 5 seconds unless told, at least every millisecond.
    #[must_use]
    pub fn with_poll(mut self, poll: Duration) -> Self {
        self.poll = poll.max(Duration::from_millis(1));
        self
    }

    /// Sets how often a run that fails is attempted in all; 2 unless told.
    #[must_use]
    pub fn with_attempts(mut self, attempts: NonZeroU32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets how many retryable failures in a row of the planner, the jobs or the store are waited out, one poll each; 120 unless
    /// told, which is ten minutes where the poll is 5 seconds.
    #[must_use]
    pub fn with_tolerated_failures(mut self, tolerated_failures: u32) -> Self {
        self.tolerated_failures = tolerated_failures;
        self
    }

    /// How long a training is expected to take.
    #[must_use]
    pub fn expected_duration(&self) -> Duration {
        self.expected_duration
    }

    /// How often a run is looked at.
    #[must_use]
    pub fn poll(&self) -> Duration {
        self.poll
    }

    /// How often a run that fails is attempted in all.
    #[must_use]
    pub fn attempts(&self) -> NonZeroU32 {
        self.attempts
    }

    /// How many retryable failures in a row are waited out.
    #[must_use]
    pub fn tolerated_failures(&self) -> u32 {
        self.tolerated_failures
    }
}
