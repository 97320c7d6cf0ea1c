//! The outcomes of the last calls.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use noops_core::Share;

use super::settings::BreakerSettings;

/// The outcomes of the last so many calls, with their counts kept up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    length: usize,
    outcomes: VecDeque<Kept>,
    failed: usize,
    slow: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Good,
    Slow,
    Failed,
}

impl Window {
    pub(super) fn new(length: NonZeroUsize) -> Self {
        Self {
            length: length.get(),
            outcomes: VecDeque::new(),
            failed: 0,
            slow: 0,
        }
    }

    pub(super) fn good(&mut self) {
        self.push(Kept::Good);
    }

    pub(super) fn slow(&mut self) {
        self.slow += 1;
        self.push(Kept::Slow);
    }

    pub(super) fn failed(&mut self) {
        self.failed += 1;
        self.push(Kept::Failed);
    }

    /// Whether too many of the calls were bad.
    pub(super) fn is_over(&self, settings: &BreakerSettings) -> bool {
        let calls = self.outcomes.len();
        calls >= settings.minimum.get()
            && (reaches(self.failed, calls, settings.failed)
                || reaches(self.failed + self.slow, calls, settings.slow))
    }

    fn push(&mut self, outcome: Kept) {
        self.outcomes.push_back(outcome);
        if self.outcomes.len() > self.length {
            match self.outcomes.pop_front() {
                Some(Kept::Slow) => self.slow -= 1,
                Some(Kept::Failed) => self.failed -= 1,
                Some(Kept::Good) | None => {}
            }
        }
    }
}

/// Whether `bad` of `calls` is at least `share` of them, and not nothing.
fn reaches(bad: usize, calls: usize, share: Share) -> bool {
    bad > 0 && bad as u128 * 1_000_000 >= calls as u128 * u128::from(share.ppm())
}
