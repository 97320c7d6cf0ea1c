//! Numbers that many threads add to without waiting for each other.

use std::cell::Cell;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// `WORDS` sums, held several times over. A thread adds to the copy of its shard with a relaxed addition; a reader adds up the
/// copies. Every shard begins on cache lines of its own, so that threads of different shards do not disturb each other.
///
/// There are twice as many shards as cores, at least two and at most [`MAX_SHARDS`]. Threads take shards in turn.
pub(crate) struct Shards<const WORDS: usize> {
    /// A power of two.
    shards: Box<[Shard<WORDS>]>,
}

/// Two lines of 64 bytes: processors fetch them in pairs.
#[repr(align(128))]
struct Shard<const WORDS: usize>([AtomicU64; WORDS]);

impl<const WORDS: usize> Shards<WORDS> {
    pub(crate) fn new() -> Self {
        let shards = (0..shard_count()).map(|_| Shard([const { AtomicU64::new(0) }; WORDS]));
        Self {
            shards: shards.collect(),
        }
    }

    /// Adds to one word. Additions wrap round.
    pub(crate) fn add(&self, word: usize, amount: u64) {
        self.add_all([(word, amount)]);
    }

    /// Adds to several words of the same shard. A word out of range is ignored: callers name words by constants or clamp them.
    pub(crate) fn add_all<const N: usize>(&self, additions: [(usize, u64); N]) {
        let mask = self.shards.len().wrapping_sub(1);
        let Some(shard) = self.shards.get(thread_slot() & mask) else {
            return;
        };
        for (word, amount) in additions {
            if let Some(cell) = shard.0.get(word) {
                cell.fetch_add(amount, Ordering::Relaxed);
            }
        }
    }

    /// The sum of one word over all shards.
    pub(crate) fn sum(&self, word: usize) -> u64 {
        let cells = self.shards.iter().filter_map(|shard| shard.0.get(word));
        cells.fold(0, |sum, cell| {
            sum.wrapping_add(cell.load(Ordering::Relaxed))
        })
    }

    /// The sums of all words.
    pub(crate) fn sums(&self) -> Vec<u64> {
        let mut sums = vec![0_u64; WORDS];
        for shard in &self.shards {
            for (sum, cell) in sums.iter_mut().zip(&shard.0) {
                *sum = sum.wrapping_add(cell.load(Ordering::Relaxed));
            }
        }
        sums
    }
}

impl<const WORDS: usize> fmt::Debug for Shards<WORDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shards")
            .field("words", &WORDS)
            .field("shards", &self.shards.len())
            .finish()
    }
}

fn shard_count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        cores
            .saturating_mul(2)
            .clamp(2, MAX_SHARDS)
            .next_power_of_two()
    })
}

/// The number of this thread: the first that asks is 0, the next 1.
fn thread_slot() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SLOT: Cell<usize> = const { Cell::new(UNASSIGNED) };
    }
    SLOT.with(|slot| {
        if slot.get() == UNASSIGNED {
            slot.set(NEXT.fetch_add(1, Ordering::Relaxed) & (UNASSIGNED >> 1));
        }
        slot.get()
    })
}

/// A power of two.
pub(crate) const MAX_SHARDS: usize = 8;
const UNASSIGNED: usize = usize::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_threads() {
        let shards = Shards::<3>::new();
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        shards.add_all([(0, 1), (2, 3)]);
                    }
                });
            }
        });
        assert_eq!(shards.sums(), [32_000, 0, 96_000]);
        assert_eq!(shards.sum(2), 96_000);
    }

    #[test]
    fn shards_do_not_share_cache_lines() {
        assert_eq!(align_of::<Shard<1>>(), 128);
        assert_eq!(size_of::<Shard<1>>(), 128);
        let shards = Shards::<1>::new();
        assert!(shards.shards.len().is_power_of_two() && shards.shards.len() <= MAX_SHARDS);
    }

    #[test]
    fn a_word_out_of_range_is_ignored() {
        let shards = Shards::<1>::new();
        shards.add(1, 5);
        assert_eq!((shards.sum(0), shards.sum(1)), (0, 0));
    }
}
