//! A mean over the last seconds.

use std::collections::VecDeque;

use noops_core::Timestamp;

/// Samples of a gauge in buckets of a second, the mean of each bucket counting once.
///
/// A second without a sample says nothing and is left out, where Knative's scraper counts it as zero.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    seconds: i64,
    buckets: VecDeque<Bucket>,
}

#[derive(Clone, Debug, PartialEq)]
struct Bucket {
    second: i64,
    sum: f64,
    count: f64,
}

impl Window {
    /// A window of at least a second.
    pub(super) fn new(seconds: u32) -> Self {
        Self {
            seconds: i64::from(seconds.max(1)),
            buckets: VecDeque::new(),
        }
    }

    /// Takes a sample. Those that are negative or not finite are no measurement and left out; so are those older than the last
    /// second seen, which a clock that went backwards brings.
    pub(super) fn record(&mut self, now: Timestamp, value: f64) {
        let second = now.as_second();
        if !(value.is_finite() && value >= 0.0) {
            return;
        }
        match self.buckets.back_mut() {
            Some(last) if last.second == second => {
                last.sum += value;
                last.count += 1.0;
            }
            Some(last) if last.second > second => {}
            _ => self.buckets.push_back(Bucket {
                second,
                sum: value,
                count: 1.0,
            }),
        }
        let end = second.saturating_sub(self.seconds);
        while self
            .buckets
            .front()
            .is_some_and(|first| first.second <= end)
        {
            self.buckets.pop_front();
        }
    }

    /// The mean over the last `seconds` before and at `now`; `None` without a sample in them.
    pub(super) fn mean(&self, now: Timestamp, seconds: u32) -> Option<f64> {
        let end = now.as_second().saturating_sub(i64::from(seconds.max(1)));
        let (mut sum, mut count) = (0.0, 0.0);
        for bucket in self.buckets.iter().rev() {
            if bucket.second <= end {
                break;
            }
            sum += bucket.sum / bucket.count;
            count += 1.0;
        }
        (count > 0.0).then(|| sum / count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_second_counts_once_however_often_it_was_sampled() {
        let mut window = Window::new(60);
        for value in [1.0, 3.0, 2.0] {
            window.record(at(10), value);
        }
        window.record(at(11), 8.0);
        assert_eq!(window.mean(at(11), 60), Some(5.0));
        assert_eq!(window.mean(at(11), 1), Some(8.0));
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut window = Window::new(6);
        for second in 0..100 {
            window.record(at(second), second as f64);
        }
        assert_eq!(window.buckets.len(), 6);
        assert_eq!(window.mean(at(99), 6), Some(96.5));
        assert_eq!(window.mean(at(102), 6), Some(98.0));
        assert_eq!(window.mean(at(105), 6), None);
    }

    #[test]
    fn what_is_no_measurement_is_left_out() {
        let mut window = Window::new(60);
        for value in [f64::NAN, f64::INFINITY, -1.0] {
            window.record(at(5), value);
        }
        assert_eq!(window.mean(at(5), 60), None);
        window.record(at(5), 4.0);
        window.record(at(3), 400.0);
        assert_eq!(window.mean(at(5), 60), Some(4.0));
    }
}
