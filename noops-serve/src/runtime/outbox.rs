//! Records on their way out of the prediction path.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A bounded queue that drops and counts rather than wait or grow.
#[derive(Debug)]
pub(crate) struct Outbox<T> {
    items: Mutex<Vec<T>>,
    capacity: usize,
    dropped: AtomicU64,
}

impl<T> Outbox<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            items: Mutex::new(Vec::new()),
            capacity,
            dropped: AtomicU64::new(0),
        }
    }

    /// Takes what fits; the rest is counted and given back.
    pub(crate) fn push_all(&self, items: impl IntoIterator<Item = T>) -> Vec<T> {
        let mut items = items.into_iter();
        let mut queue = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.capacity.saturating_sub(queue.len());
        queue.extend(items.by_ref().take(room));
        drop(queue);
        let left: Vec<T> = items.collect();
        self.count_dropped(left.len() as u64);
        left
    }

    /// Counts what was dropped before it got here.
    pub(crate) fn count_dropped(&self, items: u64) {
        if items > 0 {
            self.dropped.fetch_add(items, Ordering::Relaxed);
        }
    }

    /// Everything that waits, oldest first.
    pub(crate) fn drain(&self) -> Vec<T> {
        std::mem::take(&mut *self.items.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many were dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_outbox_drops_the_newest_and_counts_them() {
        let outbox = Outbox::new(2);
        assert_eq!(outbox.push_all([1, 2, 3, 4]), [3, 4]);
        assert_eq!(outbox.dropped(), 2);
        assert_eq!(outbox.drain(), [1, 2]);
        assert!(outbox.push_all([5]).is_empty());
        assert_eq!(outbox.drain(), [5]);
    }
}
