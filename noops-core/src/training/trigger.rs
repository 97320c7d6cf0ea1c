use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Error;
use crate::training::cron::Schedule;
use crate::training::jobs::TrainingJobs;
use crate::training::run::RunId;
use crate::training::spec::JobSpec;

/// What makes a training run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trigger {
    /// Somebody asks.
    OnDemand,
    /// The time comes.
    Schedule(Schedule),
    /// An event of a kind arrives.
    Event {
        /// The kind, such as `drift`.
        kind: String,
    },
}

/// A run that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DueRun {
    at: Timestamp,
    key: String,
}

impl DueRun {
    /// The instant it is due at: that of the schedule, or when the event happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What tells it from other runs: `schedule/` and the instant, or `event/` or `demand/` and the key that came with it.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The specification of this run: a base with the snapshot at the instant and the key as parameter `trigger`. The same run
    /// is due again after a crash as the same specification, and so under the same [`RunId`](crate::RunId).
    #[must_use]
    pub fn spec(&self, base: &JobSpec) -> JobSpec {
        base.clone()
            .with_snapshot_at(self.at)
            .with_parameter("trigger", self.key.as_str())
    }
}

/// Decides which runs of one trigger are due: pure, so that it can be saved between two looks and resumed unbroken.
///
/// * Scheduled instants that passed unseen collapse into the last of them: a host that was down for a day trains once.
/// * An event or a request with a key that was seen before is the same run; the newest [`TriggerState::REMEMBERED`] keys, those of
///   scheduled instants included, are remembered.
/// * A clock that goes backwards makes nothing due twice that is remembered, and one that was far ahead for a moment does not stop
///   the schedule: it goes on from the time that the clock shows.
///
/// [`submit_due`](Self::submit_due) hands what is due to a [`TrainingJobs`]; a host that runs its trainings otherwise takes
/// [`due`](Self::due) itself.
///
/// # Examples
///
/// ```
/// use noops_core::{Timestamp, Trigger, TriggerState, jiff::tz::TimeZone};
///
/// let installed: Timestamp = "2026-11-20T12:00:00Z".parse()?;
/// let mut state = TriggerState::new(Trigger::Schedule("@daily".parse()?), installed);
/// assert!(state.due(&TimeZone::UTC, installed).is_empty());
///
/// let three_days_later = "2026-11-23T12:00:00Z".parse()?;
/// let due = state.due(&TimeZone::UTC, three_days_later);
/// assert_eq!(due.len(), 1);
/// assert_eq!(due[0].at(), "2026-11-23T00:00:00Z".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerState {
    trigger: Trigger,
    /// When it was looked at last: scheduled instants up to here have been decided about.
    decided: Timestamp,
    waiting: BTreeSet<DueRun>,
    /// Keys by the order in which they came.
    seen: BTreeMap<String, u64>,
    arrivals: u64,
}

impl TriggerState {
    /// How many keys are remembered.
    pub const REMEMBERED: usize = 10_000;
    /// The most characters of a key that are kept; of a longer one the beginning and the digest are.
    pub const KEY_CHARS: usize = 200;

    /// A trigger that has not seen anything; scheduled instants count from `since` on, exclusive.
    #[must_use]
    pub fn new(trigger: Trigger, since: Timestamp) -> Self {
        Self {
            trigger,
            decided: since,
            waiting: BTreeSet::new(),
            seen: BTreeMap::new(),
            arrivals: 0,
        }
    }

    /// The trigger.
    #[must_use]
    pub fn trigger(&self) -> &Trigger {
        &self.trigger
    }

    /// How many runs wait to be taken by [`due`](Self::due), those included whose time has not come.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes a request by a person or another program, which every trigger accepts. Whether it makes a run: one with a key that
    /// was seen does not, nor does any while [`REMEMBERED`](Self::REMEMBERED) runs are [waiting](Self::waiting).
    pub fn request(&mut self, key: &str, at: Timestamp) -> bool {
        self.take("demand", key, at)
    }

    /// Takes an event. Whether it makes a run: one of another kind, or with a key that was seen, does not, nor does any while
    /// [`REMEMBERED`](Self::REMEMBERED) runs are [waiting](Self::waiting).
    pub fn event(&mut self, kind: &str, key: &str, at: Timestamp) -> bool {
        let is_mine = matches!(&self.trigger, Trigger::Event { kind: mine } if mine == kind);
        is_mine && self.take("event", key, at)
    }

    /// The runs that are due at `now`, in order of their instants. Each is given once: submit them, and save this state after.
    /// What is given again after a crash is the same run.
    pub fn due(&mut self, zone: &TimeZone, now: Timestamp) -> Vec<DueRun> {
        let scheduled = match &self.trigger {
            Trigger::Schedule(schedule) => schedule.last_within(self.decided, now, zone),
            _ => None,
        };
        // Also backwards: a clock that was wrong for a moment must not silence the schedule until its wrong time comes.
        self.decided = now;
        if let Some(at) = scheduled {
            let key = format!("schedule/{at}");
            if self.remember(&key) {
                self.waiting.insert(DueRun { at, key });
            }
        }
        let later: BTreeSet<DueRun> = self
            .waiting
            .iter()
            .filter(|run| run.at > now)
            .cloned()
            .collect();
        let due = std::mem::replace(&mut self.waiting, later);
        due.into_iter().filter(|run| run.at <= now).collect()
    }

    /// Submits the runs that are due at `now`, each with [`DueRun::spec`] of a base, and returns their names. Save this state after.
    ///
    /// All or nothing: after an error, or when the future is dropped, this state is as it was, and the next look submits all of
    /// them again. That starts nothing twice, since [`TrainingJobs::submit`] is idempotent.
    ///
    /// # Errors
    ///
    /// The first error of `jobs`.
    pub async fn submit_due(
        &mut self,
        jobs: &dyn TrainingJobs,
        base: &JobSpec,
        zone: &TimeZone,
        now: Timestamp,
    ) -> Result<Vec<RunId>, Error> {
        let mut after = self.clone();
        let mut runs: Vec<RunId> = Vec::new();
        for run in after.due(zone, now) {
            runs.push(jobs.submit(&run.spec(base)).await?);
        }
        *self = after;
        Ok(runs)
    }

    fn take(&mut self, cause: &str, key: &str, at: Timestamp) -> bool {
        let key = format!("{cause}/{}", bounded(key));
        if self.waiting.len() >= Self::REMEMBERED || !self.remember(&key) {
            return false;
        }
        self.waiting.insert(DueRun { at, key });
        true
    }

    /// Whether a key is new.
    fn remember(&mut self, key: &str) -> bool {
        if self.seen.contains_key(key) {
            return false;
        }
        if self.seen.len() >= Self::REMEMBERED {
            let oldest = self
                .seen
                .iter()
                .min_by_key(|(_, arrival)| **arrival)
                .map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.seen.remove(&oldest);
            }
        }
        self.arrivals = self.arrivals.saturating_add(1);
        self.seen.insert(key.to_owned(), self.arrivals);
        true
    }
}

/// A key of bounded length that is as different from others as the whole is.
fn bounded(key: &str) -> String {
    if key.chars().count() <= TriggerState::KEY_CHARS {
        return key.to_owned();
    }
    let digest = Digest::of(key.as_bytes()).to_string();
    let kept = TriggerState::KEY_CHARS.saturating_sub(digest.len() + 1);
    let head: String = key.chars().take(kept).collect();
    format!("{head}/{digest}")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use async_trait::async_trait;
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;
    use crate::training::run::RunStatus;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn hourly() -> TriggerState {
        TriggerState::new(Trigger::Schedule("@hourly".parse().unwrap()), at(0))
    }

    #[test]
    fn a_clock_that_goes_backwards_makes_nothing_due_twice() {
        let mut state = hourly();
        assert_eq!(state.due(&TimeZone::UTC, at(3600)).len(), 1);
        assert!(state.due(&TimeZone::UTC, at(10)).is_empty());
        assert!(state.due(&TimeZone::UTC, at(3600)).is_empty());
        assert_eq!(state.due(&TimeZone::UTC, at(7200)).len(), 1);
    }

    #[test]
    fn a_clock_that_was_far_ahead_for_a_moment_does_not_stop_the_schedule() {
        let mut state = hourly();
        assert_eq!(state.due(&TimeZone::UTC, Timestamp::MAX).len(), 1);
        assert!(state.due(&TimeZone::UTC, at(10)).is_empty());
        let due = state.due(&TimeZone::UTC, at(7200));
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].at(), at(7200));
    }

    #[test]
    fn an_event_is_one_run_by_key_and_only_of_its_kind() {
        let trigger = Trigger::Event {
            kind: "drift".into(),
        };
        let mut state = TriggerState::new(trigger, at(0));
        assert!(state.event("drift", "batch-7", at(5)));
        assert!(!state.event("drift", "batch-7", at(6)));
        assert!(!state.event("label", "batch-8", at(6)));
        assert!(state.request("batch-7", at(7)));
        let due = state.due(&TimeZone::UTC, at(10));
        let keys: Vec<&str> = due.iter().map(DueRun::key).collect();
        assert_eq!(keys, ["event/batch-7", "demand/batch-7"]);
        assert!(state.due(&TimeZone::UTC, at(10)).is_empty());
        assert!(!state.event("drift", "batch-7", at(11)));
    }

    #[test]
    fn an_event_from_the_future_waits_for_its_time() {
        let mut state = TriggerState::new(Trigger::OnDemand, at(0));
        assert!(state.request("a", at(100)));
        assert!(state.due(&TimeZone::UTC, at(99)).is_empty());
        assert_eq!(state.due(&TimeZone::UTC, at(100)).len(), 1);
    }

    #[test]
    fn keys_that_differ_only_after_many_characters_are_different_runs() {
        let mut state = TriggerState::new(Trigger::OnDemand, at(0));
        let long = "é".repeat(TriggerState::KEY_CHARS);
        for key in [long.clone(), format!("{long}a"), format!("{long}b")] {
            assert!(state.request(&key, at(0)));
            assert!(!state.request(&key, at(0)));
        }
        let due = state.due(&TimeZone::UTC, at(0));
        assert_eq!(due.len(), 3);
        let most = "demand/".len() + TriggerState::KEY_CHARS;
        assert!(due.iter().all(|run| run.key().chars().count() == most));
    }

    #[test]
    fn what_waits_for_its_time_is_bounded() {
        let mut state = TriggerState::new(Trigger::OnDemand, at(0));
        for index in 0..TriggerState::REMEMBERED {
            assert!(state.request(&index.to_string(), Timestamp::MAX));
        }
        assert!(!state.request("more", at(0)));
        assert_eq!(state.waiting(), TriggerState::REMEMBERED);
        assert!(state.due(&TimeZone::UTC, at(0)).is_empty());
        let due = state.due(&TimeZone::UTC, Timestamp::MAX);
        assert_eq!((due.len(), state.waiting()), (TriggerState::REMEMBERED, 0));
        // What was refused was not remembered either.
        assert!(state.request("more", at(0)));
    }

    /// A place that takes one run and then cannot be reached, until it is repaired.
    #[derive(Debug, Default)]
    struct Fragile {
        submitted: Mutex<Vec<RunId>>,
        is_repaired: AtomicBool,
    }

    #[async_trait]
    impl TrainingJobs for Fragile {
        async fn submit(&self, spec: &JobSpec) -> Result<RunId, Error> {
            let mut submitted = self.submitted.lock().unwrap();
            if !submitted.is_empty() && !self.is_repaired.load(Ordering::SeqCst) {
                return Err(Error::new(ErrorKind::Unavailable, "submit", "it is gone"));
            }
            if !submitted.contains(&spec.run_id()) {
                submitted.push(spec.run_id());
            }
            Ok(spec.run_id())
        }

        async fn status(&self, _: &RunId) -> Result<RunStatus, Error> {
            Ok(RunStatus::Pending)
        }

        async fn cancel(&self, _: &RunId) -> Result<(), Error> {
            Ok(())
        }

        async fn logs(&self, _: &RunId) -> Result<String, Error> {
            Ok(String::new())
        }
    }

    #[tokio::test]
    async fn runs_that_could_not_be_submitted_are_submitted_at_the_next_look() {
        let jobs = Fragile::default();
        let base = JobSpec::new("fraud".parse().unwrap(), at(0));
        let mut state = hourly();
        assert!(state.request("by hand", at(100)));
        let before = state.clone();
        let now = at(3600);
        let error = state.submit_due(&jobs, &base, &TimeZone::UTC, now).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(state, before);

        jobs.is_repaired.store(true, Ordering::SeqCst);
        let runs = state.submit_due(&jobs, &base, &TimeZone::UTC, now).await;
        let runs = runs.unwrap();
        assert_eq!(runs.len(), 2);
        assert_eq!(*jobs.submitted.lock().unwrap(), runs);
        let again = state.submit_due(&jobs, &base, &TimeZone::UTC, now).await;
        assert!(again.unwrap().is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_leaves_first() {
        let mut state = TriggerState::new(Trigger::OnDemand, at(0));
        for index in 0..=TriggerState::REMEMBERED {
            assert!(state.request(&index.to_string(), at(0)));
            assert_eq!(state.due(&TimeZone::UTC, at(0)).len(), 1);
        }
        assert_eq!(state.seen.len(), TriggerState::REMEMBERED);
        assert!(!state.request("1", at(0)));
        assert!(state.request("0", at(0)));
    }

    #[test]
    fn the_run_of_an_instant_has_one_name() {
        let base = JobSpec::new("fraud".parse().unwrap(), at(0));
        let run = |now: i64| {
            let due = hourly().due(&TimeZone::UTC, at(now));
            due[0].spec(&base).run_id()
        };
        assert_eq!(run(3600), run(7199));
        assert_ne!(run(3600), run(7200));
    }

    proptest! {
        #[test]
        fn resumed_is_unbroken_and_every_look_gives_at_most_one_scheduled_run(
            looks in proptest::collection::vec(0i64..2_000_000, 1..20),
        ) {
            let mut whole = hourly();
            let mut resumed = hourly();
            let mut given: BTreeSet<DueRun> = BTreeSet::new();
            for look in looks {
                let due = whole.due(&TimeZone::UTC, at(look));
                prop_assert!(due.len() <= 1);
                let text = serde_json::to_string(&resumed).unwrap();
                resumed = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(&resumed.due(&TimeZone::UTC, at(look)), &due);
                for run in due {
                    prop_assert_eq!(run.at().as_second(), look / 3600 * 3600);
                    prop_assert!(given.insert(run));
                }
            }
        }
    }
}
