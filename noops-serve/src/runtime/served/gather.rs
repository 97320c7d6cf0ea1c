//! Whether it pays to let others go first.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::runtime::cost::BatchCost;
use crate::runtime::queue::Gather;

/// Learns whether callers who let others go first find company.
///
/// On a runtime with few threads callers come one after another, each finds the model idle, and no batch would ever form. A caller
/// who yields once before it leads lets the others be polled, who leave their rows. Whether there are others cannot be known, so
/// one call in [`TRIED_EVERY`] tries it, and while it succeeds all do.
#[derive(Debug, Default)]
pub(super) struct GatherRule {
    /// How many fruitless tries there may still be.
    credit: AtomicU32,
    calls: AtomicU32,
}

impl GatherRule {
    pub(super) fn decide(&self, cost: BatchCost) -> Gather {
        if cost.batch_ns() < WORTH_NS {
            return Gather::No;
        }
        if self.credit.load(Ordering::Relaxed) > 0
            || self
                .calls
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(TRIED_EVERY)
        {
            return Gather::Yes;
        }
        Gather::No
    }

    /// Takes down how many callers met in a batch that was waited for.
    pub(super) fn learn(&self, callers: usize) {
        if callers > 1 {
            self.credit.store(CREDIT, Ordering::Relaxed);
        } else {
            let left = self.credit.load(Ordering::Relaxed);
            self.credit.store(left.saturating_sub(1), Ordering::Relaxed);
        }
    }
}

/// What a batch must cost by itself, in nanoseconds, for sharing it to be worth a place in the queue and a second poll.
const WORTH_NS: f32 = 600.0;
const TRIED_EVERY: u32 = 64;
const CREDIT: u32 = 32;
