//! Numbers that go up, numbers that go up and down, and numbers that are set.

use std::sync::atomic::{AtomicI64, Ordering};

use super::shards::Shards;

/// A number that only grows, and that many threads may add to at once.
///
/// An addition is one relaxed atomic addition to a copy that few other threads use; nothing is allocated and nobody waits. The
/// value wraps round after 2^64.
///
/// # Examples
///
/// ```
/// use noops_serve::telemetry::Counter;
///
/// let expired = Counter::new();
/// expired.add(3);
/// expired.increment();
/// assert_eq!(expired.value(), 4);
/// ```
#[derive(Debug)]
pub struct Counter(Shards<1>);

impl Counter {
    /// A counter at zero.
    #[must_use]
    pub fn new() -> Self {
        Self(Shards::new())
    }

    /// Adds `amount`.
    pub fn add(&self, amount: u64) {
        self.0.add(0, amount);
    }

    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// All that was added, and perhaps part of what is being added at this moment.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.sum(0)
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

/// A number that goes up and down, and that many threads may change at once: what is pending, say.
///
/// A change costs what it costs a [`Counter`]. A value read while others change it may miss some of their changes and see others,
/// so that it may be below zero for a moment; [`value`](Self::value) shows zero then.
///
/// # Examples
///
/// ```
/// use noops_serve::telemetry::UpDownCounter;
///
/// let pending = UpDownCounter::new();
/// pending.add(3);
/// pending.subtract(2);
/// assert_eq!(pending.value(), 1);
/// ```
#[derive(Debug)]
pub struct UpDownCounter(Shards<1>);

impl UpDownCounter {
    /// A number at zero.
    #[must_use]
    pub fn new() -> Self {
        Self(Shards::new())
    }

    /// Adds `amount`.
    pub fn add(&self, amount: u64) {
        self.0.add(0, amount);
    }

    /// Takes `amount` away.
    pub fn subtract(&self, amount: u64) {
        self.0.add(0, amount.wrapping_neg());
    }

    /// What was added less what was taken away.
    #[must_use]
    pub fn value(&self) -> u64 {
        not_below_zero(self.0.sum(0))
    }
}

impl Default for UpDownCounter {
    fn default() -> Self {
        Self::new()
    }
}

/// A number that is set: how many replicas there are, say. One atomic word, for what changes seldom.
///
/// # Examples
///
/// ```
/// use noops_serve::telemetry::Gauge;
///
/// let replicas = Gauge::new();
/// replicas.set(4);
/// assert_eq!(replicas.value(), 4);
/// ```
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// A gauge at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The value set last.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A sum of additions and of wrapped subtractions, read as a signed number.
pub(crate) fn not_below_zero(sum: u64) -> u64 {
    u64::try_from(sum.cast_signed()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_thread_adds_another_may_take_away() {
        let pending = UpDownCounter::new();
        pending.add(10);
        std::thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| pending.subtract(1));
            }
        });
        assert_eq!(pending.value(), 0);
    }

    #[test]
    fn a_number_below_zero_shows_zero() {
        let pending = UpDownCounter::new();
        pending.subtract(1);
        assert_eq!(pending.value(), 0);
        pending.add(3);
        assert_eq!(pending.value(), 2);
    }

    #[test]
    fn counters_wrap_and_do_not_panic() {
        let counter = Counter::new();
        counter.add(u64::MAX);
        counter.add(2);
        assert_eq!(counter.value(), 1);
    }
}
