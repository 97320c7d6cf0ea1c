//! The largest recommendation of the last while.

use std::collections::VecDeque;

use noops_core::Timestamp;

/// A maximum over a sliding window of time: what holds a scale-down back until the load has been low for long enough.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Peak {
    seconds: u32,
    /// Recommendations that are larger than all later ones, by time.
    falling: VecDeque<(i64, u32)>,
}

impl Peak {
    pub(super) fn new(seconds: u32) -> Self {
        Self {
            seconds,
            falling: VecDeque::new(),
        }
    }

    /// Takes a recommendation and gives the largest of those that are at most the window's seconds old, this one included.
    pub(super) fn record(&mut self, now: Timestamp, value: u32) -> u32 {
        // A clock that went backwards is taken to stand still.
        let latest = self.falling.back().map_or(i64::MIN, |last| last.0);
        let second = now.as_second().max(latest);
        while self.falling.back().is_some_and(|last| last.1 <= value) {
            self.falling.pop_back();
        }
        self.falling.push_back((second, value));
        let end = second.saturating_sub(i64::from(self.seconds));
        while self.falling.front().is_some_and(|first| first.0 < end) {
            self.falling.pop_front();
        }
        self.falling.front().map_or(value, |first| first.1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_window_of_nothing_holds_nothing_back() {
        let mut peak = Peak::new(0);
        let values = [(0, 5), (1, 3), (2, 9), (3, 1)];
        for (second, value) in values {
            let at = Timestamp::from_second(second).unwrap();
            assert_eq!(peak.record(at, value), value);
        }
    }

    proptest! {
        #[test]
        fn it_is_the_maximum_of_the_window(
            steps in prop::collection::vec((0_i64..8, 0_u32..50), 1..60),
            seconds in 0_u32..20,
        ) {
            let mut peak = Peak::new(seconds);
            let mut seen: Vec<(i64, u32)> = Vec::new();
            let mut second = 0;
            for (step, value) in steps {
                second += step;
                seen.push((second, value));
                let recent = seen.iter().filter(|(at, _)| second - at <= i64::from(seconds));
                let expected = recent.map(|(_, value)| *value).max();
                let found = peak.record(Timestamp::from_second(second).unwrap(), value);
                prop_assert_eq!(Some(found), expected);
            }
        }
    }
}
