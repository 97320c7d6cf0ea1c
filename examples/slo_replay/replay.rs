//! Shows the events to a tracker as they would have come, and looks at it every minute.

use std::path::Path;
use std::time::Duration;

use noops_core::Timestamp;
use noops_core::jiff::SignedDuration;
use noops_policy::slo::{
    AlertReason, AlertState, SloAlert, SloReport, SloSettings, SloTracker, TierChange,
};

use crate::events::{self, Event};
use crate::failure::{Failure, fail};
use crate::objective::Watched;
use crate::timeline::Timeline;

/// What happened.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) rows: u64,
    pub(crate) from: Timestamp,
    pub(crate) report: SloReport,
    pub(crate) alerts: Vec<Turn>,
    pub(crate) tiers: Vec<TierChange>,
    /// Looks at which a rule burned too fast on too few events to prove it.
    pub(crate) held_back: u64,
    pub(crate) timeline: Timeline,
}

/// An alert that fired, or was resolved after so long.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) at: Timestamp,
    pub(crate) alert: SloAlert,
    pub(crate) lasted: Option<Duration>,
}

impl Turn {
    pub(crate) fn has_fired(&self) -> bool {
        self.alert.state() == AlertState::Firing
    }
}

/// Replays a file.
pub(crate) fn replay(watched: &Watched, path: &Path) -> Result<Replay, Failure> {
    let shown = path.display();
    let mut watching: Option<Watching> = None;
    events::each(path, |line, at, event| {
        let refuse = |problem: String| fail(format!("`{shown}`:{line}: {problem}"));
        let now = match &mut watching {
            Some(watching) => watching,
            None => watching.insert(Watching::begin(watched, at).map_err(refuse)?),
        };
        now.take(at, event).map_err(refuse)
    })?;
    match watching {
        Some(watching) => Ok(watching.finish()),
        None => Err(fail(format!("`{shown}` has no events"))),
    }
}

struct Watching {
    tracker: SloTracker,
    rows: u64,
    from: Timestamp,
    next: Timestamp,
    alerts: Vec<Turn>,
    tiers: Vec<TierChange>,
    held_back: u64,
    timeline: Timeline,
}

impl Watching {
    fn begin(watched: &Watched, at: Timestamp) -> Result<Self, String> {
        let tracker = SloTracker::new(
            watched.objective.clone(),
            watched.rules.clone(),
            SloSettings::default(),
            at,
        );
        Ok(Self {
            tracker: tracker.map_err(|error| error.to_string())?,
            rows: 0,
            from: at,
            next: after(at),
            alerts: Vec::new(),
            tiers: Vec::new(),
            held_back: 0,
            timeline: Timeline::default(),
        })
    }

    fn take(&mut self, at: Timestamp, event: Event) -> Result<(), String> {
        if at.duration_since(self.from) > LONGEST {
            return Err(format!(
                "`{at}` is more than 400 days after the first event; replay less at once"
            ));
        }
        while self.next <= at && self.next < after(self.next) {
            let _ = self.look();
        }
        match event {
            Event::Counts { good, bad } => self.tracker.record_many(at, good, bad),
            Event::Outcome(outcome) => self.tracker.record(at, outcome),
            Event::Value(value) => self
                .tracker
                .record_value(at, value)
                .map_err(|error| error.to_string())?,
        };
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }

    fn look(&mut self) -> SloReport {
        let report = self.tracker.observe(self.next);
        self.next = after(self.next);
        for alert in report.alerts() {
            if alert.reason() == AlertReason::NotProven {
                self.held_back = self.held_back.saturating_add(1);
            }
        }
        for alert in report.changes() {
            self.turn(&report, alert);
        }
        self.tiers.extend(report.tier_change());
        self.timeline.add(&report);
        report
    }

    /// Only firing and its end are told: without events it is unknown, and with some again it is not.
    fn turn(&mut self, report: &SloReport, alert: &SloAlert) {
        let lasted = match (alert.changed_from(), alert.state()) {
            (_, AlertState::Firing) => None,
            (Some(AlertState::Firing), _) => self
                .alerts
                .iter()
                .rev()
                .find(|turn| turn.alert.rule() == alert.rule())
                .and_then(|turn| Duration::try_from(report.at().duration_since(turn.at)).ok()),
            _ => return,
        };
        self.alerts.push(Turn {
            at: report.at(),
            alert: alert.clone(),
            lasted,
        });
    }

    fn finish(mut self) -> Replay {
        let report = self.look();
        Replay {
            rows: self.rows,
            from: self.from,
            report,
            alerts: self.alerts,
            tiers: self.tiers,
            held_back: self.held_back,
            timeline: self.timeline,
        }
    }
}

/// The next look; past the end of time there is none.
fn after(at: Timestamp) -> Timestamp {
    at.checked_add(EVERY).unwrap_or(Timestamp::MAX)
}

const EVERY: Duration = Duration::from_secs(60);
const LONGEST: SignedDuration = SignedDuration::from_hours(400 * 24);
