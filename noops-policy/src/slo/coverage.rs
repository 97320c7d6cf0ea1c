use serde::{Deserialize, Serialize};

use crate::slo::SloError;

/// When somebody watched: stretches of time in which no two signs of life were further apart than a heartbeat.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Coverage {
    heartbeat: i64,
    kept: i64,
    stretches: Vec<Stretch>,
}

/// Seconds from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stretch {
    from: i64,
    to: i64,
}

impl Coverage {
    /// Watches from `second` on and remembers `kept` seconds.
    pub(crate) fn new(second: i64, heartbeat: i64, kept: i64) -> Self {
        Self {
            heartbeat,
            kept,
            stretches: vec![Stretch {
                from: second,
                to: second,
            }],
        }
    }

    /// A sign of life. One that is not later than the last changes nothing.
    pub(crate) fn watch(&mut self, second: i64) {
        let Some(last) = self.stretches.last_mut() else {
            self.stretches.push(Stretch {
                from: second,
                to: second,
            });
            return;
        };
        if second <= last.to {
            return;
        }
        if second.saturating_sub(last.to) <= self.heartbeat {
            last.to = second;
        } else {
            self.stretches.push(Stretch {
                from: second,
                to: second,
            });
        }
        self.prune(second);
    }

    /// The part of the seconds from one to another that was watched.
    pub(crate) fn part(&self, from: i64, to: i64) -> f64 {
        let length = to.saturating_sub(from);
        if length <= 0 {
            return 0.0;
        }
        let watched: i64 = self
            .stretches
            .iter()
            .map(|stretch| {
                stretch
                    .to
                    .min(to)
                    .saturating_sub(stretch.from.max(from))
                    .max(0)
            })
            .fold(0, i64::saturating_add);
        (watched as f64 / length as f64).min(1.0)
    }

    /// Joins what another replica watched: a moment counts as watched if either did.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.stretches.extend(&other.stretches);
        self.stretches.sort_unstable();
        let mut joined: Vec<Stretch> = Vec::with_capacity(self.stretches.len());
        for stretch in &self.stretches {
            match joined.last_mut() {
                Some(last) if stretch.from.saturating_sub(last.to) <= self.heartbeat => {
                    last.to = last.to.max(stretch.to);
                }
                _ => joined.push(*stretch),
            }
        }
        self.stretches = joined;
        if let Some(last) = self.stretches.last() {
            self.prune(last.to);
        }
    }

    pub(crate) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Takes over stored stretches.
    pub(crate) fn restore(&mut self, stretches: &[Stretch], clock: i64) -> Result<(), SloError> {
        let ordered = stretches.iter().all(|stretch| stretch.from <= stretch.to)
            && stretches
                .iter()
                .zip(stretches.iter().skip(1))
                .all(|(left, right)| left.to < right.from)
            && stretches.last().is_some_and(|last| last.to <= clock);
        if !ordered || stretches.len() > MAX_STRETCHES {
            return Err(SloError::State {
                problem: "its watched times are not in order".to_owned(),
            });
        }
        self.stretches = stretches.to_vec();
        Ok(())
    }

    /// Forgets what no window reaches. What is beyond the greatest number is forgotten oldest first, which understates.
    fn prune(&mut self, now: i64) {
        let horizon = now.saturating_sub(self.kept);
        let excess = self.stretches.len().saturating_sub(MAX_STRETCHES);
        let old = self
            .stretches
            .iter()
            .enumerate()
            .take_while(|(index, stretch)| *index < excess || stretch.to < horizon)
            .count();
        self.stretches.drain(..old);
    }
}

const MAX_STRETCHES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_leaves_a_gap() {
        let mut coverage = Coverage::new(0, 60, 10_000);
        for second in [60, 100, 160] {
            coverage.watch(second);
        }
        coverage.watch(360);
        coverage.watch(400);
        assert_eq!(coverage.part(0, 400), 0.5);
        assert_eq!(coverage.part(160, 360), 0.0);
        assert_eq!(coverage.part(-100, 100), 0.5);
        assert_eq!(coverage.part(5, 5), 0.0);
        coverage.watch(10);
        assert_eq!(coverage.part(0, 400), 0.5);
    }

    #[test]
    fn another_replica_closes_the_gap() {
        let mut left = Coverage::new(0, 60, 10_000);
        left.watch(50);
        let mut right = Coverage::new(40, 60, 10_000);
        right.watch(100);
        let mut other_way = right.clone();
        other_way.merge(&left);
        left.merge(&right);
        assert_eq!(left, other_way);
        assert_eq!(left.part(0, 100), 1.0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut coverage = Coverage::new(0, 1, i64::MAX);
        for index in 0..2_000 {
            coverage.watch(index * 10);
        }
        assert!(coverage.stretches().len() <= MAX_STRETCHES);
        coverage.watch(i64::MAX);
        let mut short = Coverage::new(0, 1, 100);
        short.watch(1_000);
        assert_eq!(short.stretches().len(), 1);
    }
}
