use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::slo::history::second_of;
use crate::slo::{Outcome, SloError, duration_text};

/// Quality whose truth comes late: served predictions, and their labels hours or weeks after.
///
/// Events count at the time they were served. Until the watermark, which is so long ago that no more labels are waited for, an
/// unlabelled event may turn out either way, and the bad ratio is an interval that narrows as labels come. After it, events
/// without a label leave the count: the ratio is then that of the labelled ones, which is right only if labels are not missing
/// because of what they would say.
///
/// Every event has an id, and saying the same thing twice changes nothing. Of two labels that disagree the bad one counts. Between
/// two calls of [`LabelledEvents::advance`], the order of arrival does not matter, and a label may come before its event.
///
/// # Formula
///
/// low = bad / served, high = (bad + unlabelled) / served.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::slo::{LabelVerdict, LabelledEvents, Outcome};
///
/// let mut events = LabelledEvents::new(Duration::from_secs(86_400), Duration::from_secs(7 * 86_400), 10_000)?;
/// let now = Timestamp::from_second(600)?;
/// events.advance(now);
/// for id in 0..4 {
///     events.serve(id, now);
/// }
/// events.label(0, now, Outcome::Bad, now);
/// let interval = events.interval(now, Duration::from_secs(3_600));
/// assert_eq!(interval.low(), Some(0.25));
/// assert_eq!(interval.high(), Some(1.0));
/// assert_eq!(interval.verdict(0.5), LabelVerdict::Unknown);
/// assert_eq!(interval.verdict(0.2), LabelVerdict::Breach);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawEvents")]
pub struct LabelledEvents {
    #[serde(with = "duration_text")]
    horizon: Duration,
    #[serde(with = "duration_text")]
    kept: Duration,
    capacity: usize,
    clock: Option<i64>,
    /// Events that a label may still reach, by the second of service and id.
    open: BTreeMap<i64, BTreeMap<u64, OpenEvent>>,
    #[serde(skip)]
    open_count: usize,
    /// Events whose labels are no longer waited for, by minute of service.
    closed: BTreeMap<i64, Closed>,
    /// Of the labelled events among the closed, how many were labelled by each 64th of the horizon.
    delays: Vec<u64>,
    refused: u64,
}

/// What became of a served event or a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accepted {
    /// It changed what is known.
    New,
    /// It was known already.
    Known,
    /// It was served before the watermark; it is counted as refused and nowhere else.
    TooLate,
    /// It was served later than now by more than the horizon, by a clock that cannot be trusted; it is counted as refused
    /// and nowhere else.
    TooEarly,
    /// As many events as allowed are open; it is counted as refused and nowhere else.
    Full,
}

impl LabelledEvents {
    /// Waits `horizon` for labels, keeps counts for `kept`, and holds at most `capacity` events open.
    ///
    /// # Errors
    ///
    /// [`SloError::Duration`] unless a minute ≤ horizon ≤ kept ≤ 3660 days; [`SloError::Setting`] for a capacity of 0.
    pub fn new(horizon: Duration, kept: Duration, capacity: usize) -> Result<Self, SloError> {
        if horizon.as_secs() < 60 || horizon > kept || kept.as_secs() > MAX_KEPT {
            return Err(SloError::Duration {
                what: "the wait for labels",
                given: duration_text::format(horizon),
                allowed: "at least `1m` and at most what is kept, itself at most `3660d`"
                    .to_owned(),
            });
        }
        if capacity == 0 {
            return Err(SloError::Setting {
                name: "capacity",
                problem: "`0` events could never be waited for; use at least `1`".to_owned(),
            });
        }
        Ok(Self {
            horizon,
            kept,
            capacity,
            clock: None,
            open: BTreeMap::new(),
            open_count: 0,
            closed: BTreeMap::new(),
            delays: vec![0; DELAY_STEPS],
            refused: 0,
        })
    }

    /// An event was served.
    ///
    /// # Complexity
    ///
    /// Logarithmic in the open events.
    pub fn serve(&mut self, id: u64, at: Timestamp) -> Accepted {
        self.change(id, at, |event| {
            let new = !event.served;
            event.served = true;
            new
        })
    }

    /// The label of an event that was served at `at` arrived at `arrived`.
    ///
    /// # Complexity
    ///
    /// Logarithmic in the open events.
    pub fn label(
        &mut self,
        id: u64,
        at: Timestamp,
        outcome: Outcome,
        arrived: Timestamp,
    ) -> Accepted {
        let delay = second_of(arrived).saturating_sub(second_of(at)).max(0);
        self.change(id, at, |event| {
            let before = *event;
            // Good is less than bad, so the greater one is the bad one in either order.
            event.label = event.label.max(Some(outcome));
            event.delay = Some(event.delay.map_or(delay, |known| known.min(delay)));
            *event != before
        })
    }

    /// Tells the time: what falls behind the watermark is closed. An earlier time changes nothing.
    pub fn advance(&mut self, now: Timestamp) {
        let now = second_of(now);
        if self.clock.is_some_and(|clock| now <= clock) {
            return;
        }
        self.clock = Some(now);
        let watermark = now.saturating_sub(seconds(self.horizon));
        let still_open = self.open.split_off(&watermark);
        let closing = std::mem::replace(&mut self.open, still_open);
        for (second, events) in closing {
            self.open_count = self.open_count.saturating_sub(events.len());
            let cell = self.closed.entry(second.div_euclid(MINUTE)).or_default();
            for event in events.values().filter(|event| event.served) {
                match event.label {
                    None => cell.unlabelled = cell.unlabelled.saturating_add(1),
                    Some(outcome) => {
                        cell.labelled = cell.labelled.saturating_add(1);
                        let bad = u64::from(outcome == Outcome::Bad);
                        cell.bad = cell.bad.saturating_add(bad);
                        let step = delay_step(event.delay.unwrap_or(0), seconds(self.horizon));
                        if let Some(count) = self.delays.get_mut(step) {
                            *count = count.saturating_add(1);
                        }
                    }
                }
            }
        }
        let oldest = now.saturating_sub(seconds(self.kept)).div_euclid(MINUTE);
        self.closed = self.closed.split_off(&oldest);
    }

    /// What is known of the events served in the `window` before `now`; of closed ones to the minute.
    ///
    /// # Complexity
    ///
    /// Linear in the open events and closed minutes of the window.
    pub fn interval(&self, now: Timestamp, window: Duration) -> LabelInterval {
        let end = second_of(now);
        let start = end.saturating_sub(seconds(window));
        let mut interval = LabelInterval::default();
        if start > end {
            return interval;
        }
        for (_, cell) in self
            .closed
            .range(start.div_euclid(MINUTE)..=end.div_euclid(MINUTE))
        {
            interval.served = interval.served.saturating_add(cell.labelled);
            interval.bad = interval.bad.saturating_add(cell.bad);
            interval.dropped = interval.dropped.saturating_add(cell.unlabelled);
            interval.completed += cell.bad as f64;
        }
        let total = self
            .delays
            .iter()
            .fold(0u64, |sum, n| sum.saturating_add(*n));
        for (second, events) in self.open.range(start..=end) {
            let (mut bad, mut unlabelled) = (0u64, 0u64);
            for event in events.values().filter(|event| event.served) {
                interval.served = interval.served.saturating_add(1);
                match event.label {
                    None => unlabelled = unlabelled.saturating_add(1),
                    Some(Outcome::Bad) => bad = bad.saturating_add(1),
                    Some(Outcome::Good) => {}
                }
            }
            interval.bad = interval.bad.saturating_add(bad);
            interval.unlabelled = interval.unlabelled.saturating_add(unlabelled);
            let age = end.saturating_sub(*second);
            let arrived = self.arrived_by(age, total);
            // Never more than could still turn out bad.
            let most = bad.saturating_add(unlabelled) as f64;
            interval.completed += if arrived > 0.0 {
                (bad as f64 / arrived).min(most)
            } else {
                bad as f64
            };
        }
        interval.enough_delays = total >= MIN_DELAYS;
        interval
    }

    /// The events that are open, labels without an event included.
    pub fn open(&self) -> usize {
        self.open_count
    }

    /// The events and labels that were refused, ever.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    fn change(
        &mut self,
        id: u64,
        at: Timestamp,
        apply: impl FnOnce(&mut OpenEvent) -> bool,
    ) -> Accepted {
        let second = second_of(at);
        let watermark = self
            .clock
            .map(|clock| clock.saturating_sub(seconds(self.horizon)));
        if watermark.is_some_and(|watermark| second < watermark) {
            self.refused = self.refused.saturating_add(1);
            return Accepted::TooLate;
        }
        let lead = |clock: i64| clock.saturating_add(seconds(self.horizon));
        if self.clock.is_some_and(|clock| second > lead(clock)) {
            self.refused = self.refused.saturating_add(1);
            return Accepted::TooEarly;
        }
        let known = self
            .open
            .get(&second)
            .is_some_and(|events| events.contains_key(&id));
        if !known {
            if self.open_count >= self.capacity {
                self.refused = self.refused.saturating_add(1);
                return Accepted::Full;
            }
            self.open_count = self.open_count.saturating_add(1);
        }
        let event = self.open.entry(second).or_default().entry(id).or_default();
        if apply(event) {
            Accepted::New
        } else {
            Accepted::Known
        }
    }

    /// The part of labels that arrive within an age.
    fn arrived_by(&self, age: i64, total: u64) -> f64 {
        let step = delay_step(age, seconds(self.horizon));
        let by = self
            .delays
            .iter()
            .take(step)
            .fold(0u64, |sum, n| sum.saturating_add(*n));
        if total == 0 {
            0.0
        } else {
            by as f64 / total as f64
        }
    }

    fn check(&self) -> Result<(), SloError> {
        let refuse = |problem: &str| {
            Err(SloError::State {
                problem: problem.to_owned(),
            })
        };
        if self.delays.len() != DELAY_STEPS {
            return refuse("its label delays are not in 64 steps");
        }
        if self.open() > self.capacity {
            return refuse("more events are open than allowed");
        }
        if self.closed.values().any(|cell| cell.bad > cell.labelled) {
            return refuse("more events are bad than labelled");
        }
        if self.open.values().flat_map(BTreeMap::values).any(|event| {
            event.label.is_some() != event.delay.is_some()
                || event.delay.is_some_and(|delay| delay < 0)
        }) {
            return refuse("a label has no delay, or a negative one");
        }
        Ok(())
    }
}

/// The bad ratio of a window as an interval, with the counts behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct LabelInterval {
    served: u64,
    bad: u64,
    unlabelled: u64,
    dropped: u64,
    completed: f64,
    enough_delays: bool,
}

impl LabelInterval {
    /// The events that count: all open ones, and of the closed ones those with a label.
    pub fn served(&self) -> u64 {
        self.served
    }

    /// Those known to be bad.
    pub fn bad(&self) -> u64 {
        self.bad
    }

    /// Those whose label is waited for.
    pub fn unlabelled(&self) -> u64 {
        self.unlabelled
    }

    /// The events that left the count because no label came in time.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The bad ratio if everything unlabelled is good; none without events.
    pub fn low(&self) -> Option<f64> {
        self.ratio(self.bad as f64)
    }

    /// The bad ratio if everything unlabelled is bad; none without events.
    pub fn high(&self) -> Option<f64> {
        self.ratio(self.bad.saturating_add(self.unlabelled) as f64)
    }

    /// The bad ratio to expect once the labels are there; none without events, or before 30 labelled events were closed.
    ///
    /// # Formula
    ///
    /// The chain ladder: bad / F(age), where F is the part of labels that arrived within an age, learnt from closed events. It
    /// takes bad and good labels to be equally late, and lies within the interval.
    pub fn expected(&self) -> Option<f64> {
        if self.enough_delays {
            self.ratio(self.completed)
        } else {
            None
        }
    }

    /// Whether the bad ratio is above `threshold`, whatever the missing labels say.
    pub fn verdict(&self, threshold: f64) -> LabelVerdict {
        match (self.low(), self.high()) {
            (Some(low), _) if low > threshold => LabelVerdict::Breach,
            (_, Some(high)) if high < threshold => LabelVerdict::Ok,
            // With every label there, the bound itself is no breach.
            (Some(low), Some(high)) if low == high && low <= threshold => LabelVerdict::Ok,
            _ => LabelVerdict::Unknown,
        }
    }

    fn ratio(&self, bad: f64) -> Option<f64> {
        (self.served > 0).then(|| bad / self.served as f64)
    }
}

/// What an interval says of a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelVerdict {
    /// The ratio is not above it.
    Ok,
    /// The missing labels decide, or there are no events.
    Unknown,
    /// The ratio is above it.
    Breach,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenEvent {
    served: bool,
    label: Option<Outcome>,
    delay: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closed {
    labelled: u64,
    bad: u64,
    unlabelled: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvents {
    #[serde(with = "duration_text")]
    horizon: Duration,
    #[serde(with = "duration_text")]
    kept: Duration,
    capacity: usize,
    clock: Option<i64>,
    open: BTreeMap<i64, BTreeMap<u64, OpenEvent>>,
    closed: BTreeMap<i64, Closed>,
    delays: Vec<u64>,
    refused: u64,
}

impl TryFrom<RawEvents> for LabelledEvents {
    type Error = SloError;

    fn try_from(raw: RawEvents) -> Result<Self, SloError> {
        let events = Self {
            clock: raw.clock,
            open_count: raw.open.values().map(BTreeMap::len).sum(),
            open: raw.open,
            closed: raw.closed,
            delays: raw.delays,
            refused: raw.refused,
            ..Self::new(raw.horizon, raw.kept, raw.capacity)?
        };
        events.check()?;
        Ok(events)
    }
}

/// The step of a delay; the last one holds whatever came at the very end.
fn delay_step(delay: i64, horizon: i64) -> usize {
    let step = delay
        .max(0)
        .saturating_mul(DELAY_STEPS as i64)
        .checked_div(horizon)
        .unwrap_or(0);
    usize::try_from(step)
        .unwrap_or(usize::MAX)
        .min(DELAY_STEPS - 1)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

const MINUTE: i64 = 60;
const MAX_KEPT: u64 = 3_660 * 86_400;
const DELAY_STEPS: usize = 64;
/// Fewer delays say little about when labels come.
const MIN_DELAYS: u64 = 30;

#[cfg(test)]
mod tests;
