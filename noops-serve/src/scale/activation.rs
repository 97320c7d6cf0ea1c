//! How long capacity took to come.

use std::time::Duration;

use noops_core::Timestamp;

/// The times from a load that exceeds what is ready to the moment when enough is (the autoscaler activation time, M8).
///
/// A load that goes away before capacity came is no activation. Replicas that the bounds do not allow are not waited for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Activations {
    running: Option<Running>,
    count: u64,
    last: Option<Duration>,
    slowest: Option<Duration>,
    total: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Running {
    since: Timestamp,
    ready: u32,
}

impl Activations {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How long the last one took.
    #[must_use]
    pub fn last(&self) -> Option<Duration> {
        self.last
    }

    /// How long the slowest one took.
    #[must_use]
    pub fn slowest(&self) -> Option<Duration> {
        self.slowest
    }

    /// How long all of them took together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    /// When the load began to exceed what is ready, if it does.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Timestamp> {
        self.running.map(|running| running.since)
    }

    /// Compares what is needed with what is ready.
    pub(super) fn update(&mut self, now: Timestamp, needed: u32, ready: u32) {
        match self.running {
            None if needed > ready => self.running = Some(Running { since: now, ready }),
            Some(running) if needed <= ready => {
                self.running = None;
                if ready > running.ready {
                    self.note(now.duration_since(running.since));
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, took: jiff::SignedDuration) {
        let took = took.try_into().unwrap_or(Duration::ZERO);
        self.count = self.count.saturating_add(1);
        self.last = Some(took);
        self.slowest = self.slowest.max(Some(took));
        self.total = self.total.saturating_add(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(updates: &[(i64, u32, u32)]) -> Activations {
        let mut activations = Activations::default();
        for &(second, needed, ready) in updates {
            activations.update(Timestamp::from_second(second).unwrap(), needed, ready);
        }
        activations
    }

    #[test]
    fn it_runs_from_the_need_to_the_capacity() {
        let activations = after(&[
            (0, 1, 1),
            (10, 5, 1),
            (12, 6, 3),
            (17, 6, 6),
            (20, 7, 6),
            (21, 7, 7),
        ]);
        assert_eq!(activations.count(), 2);
        assert_eq!(activations.last(), Some(Duration::from_secs(1)));
        assert_eq!(activations.slowest(), Some(Duration::from_secs(7)));
        assert_eq!(activations.total(), Duration::from_secs(8));
    }

    #[test]
    fn a_load_that_goes_away_is_not_counted() {
        let activations = after(&[(10, 5, 1), (15, 1, 1)]);
        assert_eq!(
            (activations.count(), activations.waiting_since()),
            (0, None)
        );
    }

    #[test]
    fn a_clock_that_goes_backwards_takes_no_time() {
        assert_eq!(after(&[(10, 5, 1), (5, 5, 5)]).last(), Some(Duration::ZERO));
    }
}
