//! Flat combining: a caller who finds a replica idle works itself, for itself and for everybody who comes meanwhile.
//!
//! A model row costs microseconds and waking another thread costs tens of them, so handing rows to a batching thread would cost
//! more than the model. Here a lone caller runs its own rows on its own thread, and batches form by themselves when callers
//! collide: whoever finds no replica idle leaves its job in the queue, and the next leader to finish takes what is most urgent.

use std::collections::BTreeMap;

use super::sync::Mutex;

/// Jobs that wait, and the replicas that nobody works with.
///
/// **Invariant:** while a job waits, somebody leads: a replica is given back only under the lock under which the queue was seen
/// to be empty, and a job is left only under the lock under which somebody was seen to lead.
#[derive(Debug)]
pub(crate) struct Queue<J, R> {
    state: Mutex<State<J, R>>,
}

#[derive(Debug)]
struct State<J, R> {
    limits: QueueLimits,
    waiting: BTreeMap<Place, (Weight, J)>,
    waits: Weight,
    running_rows: usize,
    idle: Vec<R>,
    /// How many there are, idle or not.
    replicas: usize,
    /// A leader has let others go first, and will take what they leave.
    gathering: bool,
    arrivals: u64,
}

/// How much may wait, and how much is run at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
    pub(crate) batch_rows: usize,
}

/// How much room a job takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

/// How urgent a job is: by priority, then by deadline, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Urgency {
    /// The smallest goes first.
    pub(crate) priority: u8,
    /// Nanoseconds on the clock of the caller; `u64::MAX` for none.
    pub(crate) deadline: u64,
}

type Place = (Urgency, u64);

/// What a caller who has left a job must do.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Turn<J, R> {
    /// Wait: somebody leads.
    Wait,
    /// Lead with this replica, until [`Queue::next`] says that nothing is left.
    Lead(R),
    /// Not taken: too much waits that is at least as urgent.
    Full(J),
    /// Not taken: by then it would be too late.
    TooLate(J),
}

/// What a leader does next.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Next<J, R> {
    /// Run these together, and answer the others that their time is over. Either may be empty.
    Run {
        replica: R,
        jobs: Vec<J>,
        expired: Vec<J>,
    },
    /// Nothing waits; the lead has ended.
    Nothing,
}

/// Whether a leader lets others go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gather {
    Yes,
    No,
}

/// How long rows take: to refuse at once what cannot make it, and to end a batch before its most urgent row is late.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The time now, in nanoseconds on the same clock as deadlines.
    pub(crate) now: u64,
    pub(crate) row_ns: f64,
    pub(crate) batch_ns: f64,
}

impl Pace {
    fn batch_of(self, rows: usize) -> f64 {
        self.batch_ns + self.row_ns * rows as f64
    }
}

impl<J, R> Queue<J, R> {
    pub(crate) fn new(limits: QueueLimits, replicas: Vec<R>) -> Self {
        let state = State {
            replicas: replicas.len(),
            limits,
            waiting: BTreeMap::new(),
            waits: Weight::default(),
            running_rows: 0,
            idle: replicas,
            gathering: false,
            arrivals: 0,
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// A replica for a caller who need not wait: one is idle and nobody is before it.
    pub(crate) fn try_lead(&self, rows: usize) -> Option<R> {
        let mut state = self.state.lock();
        if !state.waiting.is_empty() {
            return None;
        }
        let replica = state.idle.pop()?;
        state.running_rows += rows;
        Some(replica)
    }

    /// Leaves a job, if there is room and, where it has a deadline, time. What had to make room for it is put in `evicted`: the
    /// least urgent go, and only for something of higher priority.
    pub(crate) fn submit(
        &self,
        urgency: Urgency,
        weight: Weight,
        job: J,
        pace: Option<Pace>,
        gather: Gather,
        evicted: &mut Vec<J>,
    ) -> Turn<J, R> {
        let mut state = self.state.lock();
        if pace.is_some_and(|pace| state.too_late(urgency, weight.rows, pace)) {
            return Turn::TooLate(job);
        }
        if !state.make_room(urgency, weight, evicted) {
            return Turn::Full(job);
        }
        let place = (urgency, state.arrivals);
        state.arrivals += 1;
        state.waits.add(weight);
        state.waiting.insert(place, (weight, job));
        if state.gathering {
            return Turn::Wait;
        }
        match state.idle.pop() {
            Some(replica) => {
                state.gathering = gather == Gather::Yes;
                Turn::Lead(replica)
            }
            None => Turn::Wait,
        }
    }

    /// The next batch for a leader who is done with `ran` rows, most urgent first, at least one job and more while they fit; or the
    /// end of its lead.
    pub(crate) fn next(
        &self,
        replica: R,
        ran: usize,
        gathered: Gather,
        pace: impl FnOnce() -> Pace,
    ) -> Next<J, R> {
        let mut state = self.state.lock();
        state.running_rows = state.running_rows.saturating_sub(ran);
        if gathered == Gather::Yes {
            state.gathering = false;
        }
        if state.waiting.is_empty() {
            state.idle.push(replica);
            return Next::Nothing;
        }
        let (jobs, expired) = state.take_batch(pace());
        Next::Run {
            replica,
            jobs,
            expired,
        }
    }

    /// How much waits.
    pub(crate) fn waits(&self) -> Weight {
        self.state.lock().waits
    }

    #[cfg(test)]
    pub(crate) fn count(&self, counts: impl Fn(&J) -> bool) -> usize {
        let state = self.state.lock();
        state
            .waiting
            .values()
            .filter(|(_, job)| counts(job))
            .count()
    }

    /// How many replicas there are.
    pub(crate) fn replicas(&self) -> usize {
        self.state.lock().replicas
    }

    /// Brings in a replica. Where jobs wait it is handed back, to lead with.
    pub(crate) fn add(&self, replica: R) -> Option<R> {
        let mut state = self.state.lock();
        state.replicas += 1;
        if state.waiting.is_empty() || state.gathering {
            state.idle.push(replica);
            None
        } else {
            Some(replica)
        }
    }

    /// Takes an idle replica out of service, but never the last one.
    pub(crate) fn remove(&self) -> Option<R> {
        let mut state = self.state.lock();
        if state.replicas <= 1 {
            return None;
        }
        let idle = state.idle.pop()?;
        state.replicas -= 1;
        Some(idle)
    }
}

impl<J, R> State<J, R> {
    /// Whether `rows` more of this urgency would be done after their deadline: behind what runs and what is more urgent, and beside
    /// those that come later into the same batch.
    ///
    /// Counting what is more urgent stops after [`COUNTED_JOBS`]; if there are more, all that waits counts.
    fn too_late(&self, urgency: Urgency, rows: usize, pace: Pace) -> bool {
        let Some(left) = urgency.deadline.checked_sub(pace.now) else {
            return true;
        };
        if urgency.deadline == u64::MAX {
            return false;
        }
        let before = match self.waiting.last_key_value() {
            Some(((last, _), _)) if *last > urgency => {
                let more_urgent = self.waiting.range(..(urgency, u64::MAX));
                let mut counted = 0;
                let rows = more_urgent
                    .take(COUNTED_JOBS)
                    .map(|(_, (weight, _))| {
                        counted += 1;
                        weight.rows
                    })
                    .sum();
                if counted == COUNTED_JOBS {
                    self.waits.rows
                } else {
                    rows
                }
            }
            _ => self.waits.rows,
        };
        let lanes = self.replicas.max(1) as f64;
        let waiting = before as f64 / lanes + rows as f64;
        let batches = (waiting / self.limits.batch_rows as f64).ceil();
        let begun = if self.idle.is_empty() && self.running_rows > 0 {
            pace.row_ns * self.running_rows as f64 / lanes + pace.batch_ns
        } else {
            0.0
        };
        let left = left as f64;
        // Without it rows would be let in that are done at the last moment, when a batch could hold them alone.
        let beside = if before == 0 {
            0.0
        } else {
            (pace.row_ns * self.limits.batch_rows as f64).min(left * KEPT_FREE)
        };
        begun + waiting * pace.row_ns + batches * pace.batch_ns + beside > left
    }

    /// Makes room for a job, if need be at the cost of jobs of lower priority. A job larger than the whole queue fits when nothing
    /// waits.
    fn make_room(&mut self, urgency: Urgency, weight: Weight, evicted: &mut Vec<J>) -> bool {
        let limits = self.limits;
        let fits = |waits: &Weight| {
            waits.rows.saturating_add(weight.rows) <= limits.rows
                && waits.bytes.saturating_add(weight.bytes) <= limits.bytes
        };
        let less_urgent = || {
            let jobs = self.waiting.iter().rev();
            jobs.take_while(|((other, _), _)| other.priority > urgency.priority)
        };
        let mut left = self.waits;
        let mut leaving = 0;
        for (_, (other, _)) in less_urgent() {
            if fits(&left) {
                break;
            }
            left.subtract(*other);
            leaving += 1;
        }
        if !fits(&left) && leaving < self.waiting.len() {
            return false;
        }
        for _ in 0..leaving {
            if let Some((_, (other, job))) = self.waiting.pop_last() {
                self.waits.subtract(other);
                evicted.push(job);
            }
        }
        true
    }

    /// The most urgent jobs, as many as a batch may hold and as it can hold without making the first of them late.
    fn take_batch(&mut self, pace: Pace) -> (Vec<J>, Vec<J>) {
        let (mut jobs, mut expired) = (Vec::new(), Vec::new());
        let mut rows = 0_usize;
        let mut least_left = u64::MAX;
        while let Some(first) = self.waiting.first_entry() {
            let (urgency, _) = *first.key();
            let (weight, _) = *first.get();
            if urgency.deadline <= pace.now {
                self.waits.subtract(weight);
                expired.push(first.remove().1);
                continue;
            }
            let together = rows.saturating_add(weight.rows);
            let long = least_left < u64::MAX
                && pace.batch_of(together) > least_left as f64 * (1.0 - KEPT_FREE);
            if !jobs.is_empty() && (long || together > self.limits.batch_rows) {
                break;
            }
            rows = together;
            if urgency.deadline < u64::MAX {
                least_left = least_left.min(urgency.deadline - pace.now);
            }
            self.waits.subtract(weight);
            jobs.push(first.remove().1);
        }
        self.running_rows += rows;
        (jobs, expired)
    }
}

impl Weight {
    fn add(&mut self, other: Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    fn subtract(&mut self, other: Self) {
        self.rows = self.rows.saturating_sub(other.rows);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

/// The part of the time that is left which nothing is planned for: rows beside it in a batch, and waking whoever waits.
const KEPT_FREE: f64 = 0.25;

/// How many jobs are looked at to see whether one more would be late: so many take about a microsecond.
const COUNTED_JOBS: usize = 256;

#[cfg(loom)]
#[cfg(test)]
mod model;
#[cfg(not(any(loom, shuttle)))]
#[cfg(test)]
mod tests;
