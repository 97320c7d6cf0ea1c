use serde::{Deserialize, Serialize};

/// What has become of the devices of a ring so far.
///
/// A device that is offline has not failed: it is censored, and neither helps nor harms. A device counts only when it has concluded or its
/// deadline has passed: counting fast failures before slow successes would make every ring look bad at first.
///
/// # Examples
///
/// ```
/// use noops_canary::RingOutcome;
///
/// let mut outcome = RingOutcome::default();
/// outcome.add_succeeded(95);
/// outcome.add_failed(1);
/// outcome.add_offline(40);
/// assert_eq!(outcome.executed(), 96);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RingOutcome {
    succeeded: u64,
    failed: u64,
    timed_out: u64,
    offline: u64,
}

impl RingOutcome {
    /// Counts devices that were updated and confirmed their health.
    pub fn add_succeeded(&mut self, devices: u64) {
        self.succeeded = self.succeeded.saturating_add(devices);
    }

    /// Counts devices that reported a failure.
    pub fn add_failed(&mut self, devices: u64) {
        self.failed = self.failed.saturating_add(devices);
    }

    /// Counts devices that began and did not conclude in time.
    pub fn add_timed_out(&mut self, devices: u64) {
        self.timed_out = self.timed_out.saturating_add(devices);
    }

    /// Counts devices that were never reached.
    pub fn add_offline(&mut self, devices: u64) {
        self.offline = self.offline.saturating_add(devices);
    }

    /// The devices that concluded or timed out; offline ones are not among them.
    #[must_use]
    pub fn executed(&self) -> u64 {
        self.succeeded
            .saturating_add(self.failed)
            .saturating_add(self.timed_out)
    }

    /// The devices that were updated and confirmed their health.
    #[must_use]
    pub fn succeeded(&self) -> u64 {
        self.succeeded
    }

    /// The devices that reported a failure.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// The devices that began and did not conclude in time.
    #[must_use]
    pub fn timed_out(&self) -> u64 {
        self.timed_out
    }

    /// The devices that were never reached.
    #[must_use]
    pub fn offline(&self) -> u64 {
        self.offline
    }
}
