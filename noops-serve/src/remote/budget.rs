//! How many requests more than the callers made may be sent.

use std::time::Duration;

use jiff::Timestamp;
use noops_core::Share;

use super::elapsed::{elapsed, nanoseconds};

/// A bucket of tokens that fills with every request and with time, of which an extra request takes one.
///
/// Counted in millionths of a token, so that nothing is lost to rounding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    share: Share,
    per_second: u32,
    capacity: u64,
    held: u64,
    filled_at: Option<Timestamp>,
}

impl Budget {
    /// An empty bucket that holds at most `burst` tokens, and one at least.
    pub(super) fn new(share: Share, per_second: u32, burst: u32) -> Self {
        Self {
            share,
            per_second,
            capacity: u64::from(burst.max(1)) * TOKEN,
            held: 0,
            filled_at: None,
        }
    }

    /// A caller made a request.
    pub(super) fn deposit(&mut self) {
        self.add(u64::from(self.share.ppm()));
    }

    /// Takes a token; `false` when there is none.
    pub(super) fn take(&mut self, at: Timestamp) -> bool {
        self.fill(at);
        match self.held.checked_sub(TOKEN) {
            Some(rest) => {
                self.held = rest;
                true
            }
            None => false,
        }
    }

    fn fill(&mut self, at: Timestamp) {
        // What a clock that went back takes away is not given twice when it comes forward again.
        let from = *self.filled_at.get_or_insert(at);
        if at > from {
            self.filled_at = Some(at);
            self.add(millionths(elapsed(from, at), self.per_second));
        }
    }

    fn add(&mut self, millionths: u64) {
        self.held = self.held.saturating_add(millionths).min(self.capacity);
    }
}

/// The tokens of a span, in millionths, rounded down.
fn millionths(span: Duration, per_second: u32) -> u64 {
    let product = u128::from(nanoseconds(span)) * u128::from(per_second);
    u64::try_from(product / 1_000).unwrap_or(u64::MAX)
}

const TOKEN: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_requests_pay_for_one_more() {
        let mut budget = Budget::new(Share::from_ratio(0.1).unwrap(), 0, 5);
        (0..9).for_each(|_| budget.deposit());
        assert!(!budget.take(Timestamp::UNIX_EPOCH));
        budget.deposit();
        assert!(budget.take(Timestamp::UNIX_EPOCH));
        assert!(!budget.take(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn a_bucket_holds_no_more_than_its_burst() {
        let mut budget = Budget::new(Share::FULL, 1_000, 2);
        (0..100).for_each(|_| budget.deposit());
        let taken = (0..100)
            .filter(|_| budget.take(Timestamp::UNIX_EPOCH))
            .count();
        assert_eq!(taken, 2);
    }

    #[test]
    fn a_clock_that_swings_gives_no_token_twice() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut budget = Budget::new(Share::ZERO, 1, 100);
        let taken = [0, 1, 0, 1, 0, 1, Timestamp::MIN.as_second(), 1]
            .into_iter()
            .filter(|&second| budget.take(at(second)))
            .count();
        assert_eq!(taken, 1);
        assert!(budget.take(Timestamp::MAX));
    }
}
