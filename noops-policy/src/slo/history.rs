use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::slo::ring::{MAX_BUCKETS, Ring, Weight};
use crate::slo::window::Span;
use crate::slo::{BudgetingMethod, SloError, Tally, duration_text};

/// The events of an objective in buckets of event time: fine ones for short windows, coarse ones for the rest.
///
/// An event is in one bucket only. What falls out of the fine ring is added to the coarse one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct History {
    fine: Ring,
    coarse: Option<Ring>,
    weight: Weight,
    head_start: i64,
    head_end: i64,
    head_slot: usize,
    clock: i64,
    lead: i64,
    late: u64,
    early: u64,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recorded {
    /// It counts in the bucket of its time.
    Counted,
    /// It is older than everything that is kept; it is counted as late and nowhere else.
    TooLate,
    /// It is stamped further ahead of the last known time than allowed; it is counted as early and nowhere else.
    TooEarly,
}

impl History {
    /// Room for `longest` seconds, read to a thirtieth of `shortest` or better where a window is shorter than twelve hours.
    pub(crate) fn new(
        budgeting: BudgetingMethod,
        shortest: i64,
        longest: i64,
        lead: i64,
        start: Timestamp,
    ) -> Result<Self, SloError> {
        let clock = second_of(start);
        let kept = longest.saturating_add(LATE);
        let (weight, slice) = match budgeting {
            BudgetingMethod::Occurrences => (Weight::Events, None),
            BudgetingMethod::Timeslices { slice, target } => (Weight::Slice(target), Some(slice)),
            BudgetingMethod::RatioTimeslices { slice } => (Weight::Ratio, Some(slice)),
        };
        let (fine, coarse) = match slice {
            None => {
                let width = FINE_WIDTHS
                    .into_iter()
                    .find(|width| width.saturating_mul(30) <= shortest)
                    .unwrap_or(1);
                let fine = Ring::new(width, buckets(FINE_SPAN + lead, width), clock, weight);
                let oldest = fine.oldest().saturating_mul(width);
                let coarse = Ring::new(COARSE_WIDTH, buckets(kept, COARSE_WIDTH), oldest, weight);
                (fine, Some(coarse))
            }
            Some(slice) => {
                let width = i64::try_from(slice.length().as_secs()).unwrap_or(i64::MAX);
                let needed = buckets(kept.saturating_add(lead), width);
                if needed > MAX_BUCKETS {
                    return Err(SloError::Duration {
                        what: "a slice",
                        given: duration_text::format(slice.length()),
                        allowed: format!(
                            "at least a `{MAX_BUCKETS}`th of the window; use longer slices"
                        ),
                    });
                }
                (Ring::new(width, needed, clock, weight), None)
            }
        };
        let mut history = Self {
            fine,
            coarse,
            weight,
            head_start: 0,
            head_end: 0,
            head_slot: 0,
            clock,
            lead,
            late: 0,
            early: 0,
        };
        history.point_at_head();
        Ok(history)
    }

    /// Counts one event in the bucket of its time.
    #[inline]
    pub(crate) fn record(&mut self, at: Timestamp, one: Tally) -> Recorded {
        let second = second_of(at);
        if second >= self.head_start
            && second < self.head_end
            && let Some(cell) = self.fine.head_cell(self.head_slot)
        {
            *cell = cell.plus(one);
            return Recorded::Counted;
        }
        self.record_elsewhere(second, one)
    }

    /// Tells the time; an earlier one changes nothing.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        let second = second_of(now);
        if second > self.clock {
            self.clock = second;
            self.move_head(second);
        }
    }

    pub(crate) fn settle(&mut self) {
        self.fine.settle();
        if let Some(coarse) = &mut self.coarse {
            coarse.settle();
        }
    }

    /// The count from the bucket that contains the start of `span` to the bucket that contains its end; slices that are not
    /// over do not count. Settle first.
    pub(crate) fn read(&self, span: Span) -> Tally {
        let (from, to) = (second_of(span.start()), second_of(span.end()));
        let last = self.last_bucket(to);
        let first = self.fine.bucket(from);
        if first >= self.fine.oldest() {
            return self.fine.sum(first, last);
        }
        let recent = self.fine.sum(self.fine.oldest(), last);
        match &self.coarse {
            None => recent,
            Some(coarse) => recent.plus(coarse.sum(coarse.bucket(from), coarse.head())),
        }
    }

    /// Everything counted since the beginning up to `now`. Settle first.
    pub(crate) fn lifetime(&self, now: Timestamp) -> Tally {
        let last = self.last_bucket(second_of(now));
        match &self.coarse {
            None => self.fine.lifetime(last),
            Some(coarse) => coarse
                .lifetime(coarse.head())
                .plus(self.fine.sum(self.fine.oldest(), last)),
        }
    }

    /// The parts that one observation counts.
    pub(crate) fn unit(&self) -> u64 {
        self.weight.unit()
    }

    pub(crate) fn late(&self) -> u64 {
        self.late
    }

    pub(crate) fn early(&self) -> u64 {
        self.early
    }

    /// Adds what another replica counted. Both must have been made alike.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), SloError> {
        let shape = |history: &Self| {
            let coarse = history.coarse.as_ref().map(Ring::width);
            (history.fine.width(), coarse, history.weight, history.lead)
        };
        if shape(self) != shape(other) {
            return Err(SloError::State {
                problem: "replicas of different objectives or settings cannot be merged".to_owned(),
            });
        }
        if self.stored().saturating_add(other.stored()) > MAX_TOTAL {
            return Err(too_many());
        }
        self.clock = self.clock.max(other.clock);
        let newest = other.fine.head().saturating_mul(other.fine.width());
        self.move_head(newest.max(self.clock));
        for (bucket, tally) in other.fine.filled() {
            // What both have forgotten is in neither window.
            let _ = self.place(bucket.saturating_mul(other.fine.width()), tally);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.coarse, &other.coarse) {
            for (bucket, tally) in theirs.filled() {
                let _ = mine.add(bucket, tally);
            }
        }
        self.late = self.late.saturating_add(other.late);
        self.early = self.early.saturating_add(other.early);
        Ok(())
    }

    pub(crate) fn to_stored(&self) -> StoredHistory {
        let cells = |ring: &Ring| {
            let cells = ring.filled();
            cells
                .map(|(bucket, tally)| StoredCell {
                    bucket,
                    bad: tally.bad(),
                    total: tally.total(),
                })
                .collect()
        };
        StoredHistory {
            clock: self.clock,
            head: self.fine.head(),
            fine: cells(&self.fine),
            coarse: self.coarse.as_ref().map(cells).unwrap_or_default(),
            evicted: self.coarse.as_ref().unwrap_or(&self.fine).evicted(),
            late: self.late,
            early: self.early,
        }
    }

    /// Fills a new history of the same shape with what was stored.
    pub(crate) fn restore(&mut self, stored: &StoredHistory) -> Result<(), SloError> {
        let refuse = |problem: &str| {
            Err(SloError::State {
                problem: problem.to_owned(),
            })
        };
        let seconds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
        let newest = stored.head.saturating_mul(self.fine.width());
        if !seconds.contains(&stored.clock) || stored.clock < self.clock {
            return refuse("its clock is before its start or out of range");
        }
        if newest > stored.clock.saturating_add(self.lead)
            || stored.head < self.fine.bucket(stored.clock)
        {
            return refuse("its newest bucket does not fit its clock");
        }
        self.clock = stored.clock;
        self.move_head(newest.max(stored.clock));
        let mut total: u64 = 0;
        for (cell, into_fine) in stored
            .fine
            .iter()
            .map(|cell| (cell, true))
            .chain(stored.coarse.iter().map(|cell| (cell, false)))
        {
            let tally = Tally::new(cell.bad, cell.total)?;
            total = total.saturating_add(cell.total);
            let ring = if into_fine {
                Some(&mut self.fine)
            } else {
                self.coarse.as_mut()
            };
            if ring.and_then(|ring| ring.add(cell.bucket, tally)).is_none() {
                return refuse("it has a bucket outside of what is kept");
            }
        }
        if total.saturating_add(stored.evicted.total()) > MAX_TOTAL {
            return Err(too_many());
        }
        let keeper = self.coarse.as_mut().unwrap_or(&mut self.fine);
        keeper.set_evicted(stored.evicted);
        self.late = stored.late;
        self.early = stored.early;
        Ok(())
    }

    #[cold]
    fn record_elsewhere(&mut self, second: i64, one: Tally) -> Recorded {
        if second > self.clock.saturating_add(self.lead) {
            self.early = self.early.saturating_add(one.total());
            return Recorded::TooEarly;
        }
        self.move_head(second);
        if self.place(second, one).is_some() {
            Recorded::Counted
        } else {
            self.late = self.late.saturating_add(one.total());
            Recorded::TooLate
        }
    }

    fn place(&mut self, second: i64, tally: Tally) -> Option<()> {
        let bucket = self.fine.bucket(second);
        if self.fine.add(bucket, tally).is_some() {
            return Some(());
        }
        let coarse = self.coarse.as_mut()?;
        coarse.add(coarse.bucket(second), tally)
    }

    fn move_head(&mut self, second: i64) {
        let bucket = self.fine.bucket(second);
        if bucket <= self.fine.head() {
            return;
        }
        let width = self.fine.width();
        let coarse = &mut self.coarse;
        self.fine.advance(bucket, |old, gone| {
            if let Some(coarse) = coarse {
                let into = coarse.bucket(old.saturating_mul(width));
                coarse.advance(into, |_, _| {});
                // Older than the coarse ring after a long silence: outside of every window.
                let _ = coarse.add(into, gone);
            }
        });
        let oldest = self.fine.oldest().saturating_mul(width);
        if let Some(coarse) = coarse {
            coarse.advance(coarse.bucket(oldest), |_, _| {});
        }
        self.point_at_head();
    }

    fn point_at_head(&mut self) {
        self.head_start = self.fine.head().saturating_mul(self.fine.width());
        self.head_end = self.head_start.saturating_add(self.fine.width());
        self.head_slot = self.fine.slot(self.fine.head());
    }

    fn last_bucket(&self, second: i64) -> i64 {
        let bucket = self.fine.bucket(second);
        match self.weight {
            Weight::Events => bucket,
            Weight::Slice(_) | Weight::Ratio => bucket.saturating_sub(1),
        }
    }

    fn stored(&self) -> u64 {
        let coarse = self.coarse.iter().flat_map(|ring| ring.filled());
        self.fine
            .filled()
            .chain(coarse)
            .fold(0, |sum, (_, tally)| tally.total().saturating_add(sum))
    }
}

/// The stored form of a history: the buckets that hold something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredHistory {
    clock: i64,
    head: i64,
    fine: Vec<StoredCell>,
    coarse: Vec<StoredCell>,
    evicted: Tally,
    late: u64,
    early: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCell {
    bucket: i64,
    bad: u64,
    total: u64,
}

/// The second that contains a moment, before 1970 too.
#[inline]
pub(crate) fn second_of(at: Timestamp) -> i64 {
    at.as_second() - i64::from(at.subsec_nanosecond() < 0)
}

fn buckets(seconds: i64, width: i64) -> usize {
    let needed = seconds.checked_div(width).unwrap_or(i64::MAX);
    usize::try_from(needed.saturating_add(2)).unwrap_or(usize::MAX)
}

fn too_many() -> SloError {
    SloError::State {
        problem: "it counts more events than can be added up".to_owned(),
    }
}

/// Widths that divide the coarse one, so that every fine bucket falls into one coarse bucket.
const FINE_WIDTHS: [i64; 10] = [60, 30, 20, 15, 10, 6, 5, 3, 2, 1];
/// Every time zone of today is a multiple of a quarter of an hour from UTC, so civil midnights are boundaries.
const COARSE_WIDTH: i64 = 900;
/// Windows up to twelve hours are read from fine buckets.
const FINE_SPAN: i64 = 43_200;
/// How much later than the longest window an event may still come.
const LATE: i64 = 3 * 86_400;
/// Sums of more events could wrap.
const MAX_TOTAL: u64 = 1 << 62;

#[cfg(test)]
mod tests;
