use jiff::Timestamp;

use super::class::{ActionClass, Heading, Scaling};
use super::frozen::Frozen;
use super::request::ActionRequest;
use super::run::{Approved, Run, bounded};
use super::{Governor, after};
use crate::action::Action;

/// What an action that begins leaves on record. `now` is never before the latest time on record.
impl Governor {
    /// Counts an action that was judged; the targets that it freezes.
    pub(super) fn spend(&mut self, request: &ActionRequest, now: Timestamp) -> Vec<String> {
        let freezes = self.tipping(request, now);
        self.latest = Some(now);
        self.forget(now);
        // It was checked: an older one does not come this far, and would change nothing.
        self.fence.admit(request.token()).ok();
        self.keys.insert(request.key(), now);
        if let Some(fleet) = request.fleet()
            && request.class() != ActionClass::Message
        {
            self.looks.insert(fleet.selector().to_owned(), fleet.size());
        }
        let approved = request.approved_by().map(|_| Approved::ByAPerson);
        for target in request.targets().iter() {
            self.note(request.action(), target, request.scaling(), approved, now);
        }
        freezes
    }

    pub(super) fn note(
        &mut self,
        action: Action,
        target: &str,
        scaling: Option<Scaling>,
        approved: Option<Approved>,
        now: Timestamp,
    ) {
        let target = bounded(target);
        let matters = self.settings.flap().is_some() || self.settings.fleet().is_some();
        let heading = Heading::of(action, scaling).filter(|_| matters);
        if let Some(heading) = heading {
            self.turn(target, heading, now);
        }
        if self.settings.memory(action).is_none() {
            return;
        }
        let run = Run {
            action,
            target: target.to_owned(),
            at: now,
            repeats: self.repeats(action, target, now),
            heading,
            approved,
        };
        if self.runs.len() >= Self::MAX_RUNS {
            let oldest = self.runs.remove(0);
            self.overflow = self.overflow.max(self.end(&oldest));
        }
        self.runs.push(run);
    }

    /// Forgets what no longer matters.
    pub(super) fn forget(&mut self, now: Timestamp) {
        let settings = &self.settings;
        self.runs.retain(|run| {
            let memory = settings.memory(run.action);
            memory.is_some_and(|memory| now < after(run.at, memory))
        });
        let life = settings.permit_life();
        self.keys.retain(|_, at| now < after(*at, life));
        let quiet = settings.flap().map(|flap| flap.quiet());
        self.frozen
            .retain(|_, frozen| quiet.is_none_or(|quiet| now < after(frozen.turned(), quiet)));
        self.overflow = self.overflow.filter(|until| now < *until);
    }

    /// A frozen target was asked to turn round again.
    pub(super) fn hear(&mut self, request: &ActionRequest, now: Timestamp) {
        let Some(heading) = request.heading() else {
            return;
        };
        self.latest = Some(now);
        self.forget(now);
        for target in request.targets().iter() {
            if let Some(frozen) = self.frozen.get_mut(target) {
                frozen.hear(heading, now);
            }
        }
    }

    /// The targets that this action would freeze.
    pub(super) fn tipping(&self, request: &ActionRequest, now: Timestamp) -> Vec<String> {
        let Some(heading) = request.heading() else {
            return Vec::new();
        };
        let targets = request.targets().iter();
        targets
            .filter(|target| self.tips(target, heading, now))
            .map(str::to_owned)
            .collect()
    }

    fn turn(&mut self, target: &str, heading: Heading, now: Timestamp) {
        let turns = self
            .headings(target, heading, now)
            .last()
            .is_some_and(|last| heading.undoes(*last));
        if let Some(frozen) = self.frozen.get_mut(target) {
            frozen.hear(heading, now);
            if turns {
                frozen.turn(now);
            }
        } else if self.tips(target, heading, now) {
            let frozen = Frozen::new(heading, now);
            if self.frozen.len() < Self::MAX_RUNS {
                self.frozen.insert(target.to_owned(), frozen);
            } else {
                self.overflow = self.overflow.max(Some(self.thaw(&frozen)));
            }
        }
    }

    fn tips(&self, target: &str, heading: Heading, now: Timestamp) -> bool {
        let Some(flap) = self.settings.flap() else {
            return false;
        };
        let thawed = self
            .frozen
            .get(target)
            .is_none_or(|frozen| now >= self.thaw(frozen));
        if !thawed {
            return false;
        }
        let mut headings = self.headings(target, heading, now);
        headings.push(heading);
        let reversals = headings
            .windows(2)
            .filter(|pair| matches!(pair, [one, next] if next.undoes(*one)))
            .count();
        u32::try_from(reversals).unwrap_or(u32::MAX) >= flap.reversals().get()
    }

    /// The ways that a target went on the axis of `heading` within the window, in the order of time.
    fn headings(&self, target: &str, heading: Heading, now: Timestamp) -> Vec<Heading> {
        let Some(flap) = self.settings.flap() else {
            return Vec::new();
        };
        self.runs
            .iter()
            .filter(|run| run.target == target && now < after(run.at, flap.window()))
            .filter_map(|run| run.heading)
            .filter(|earlier| *earlier == heading || earlier.undoes(heading))
            .collect()
    }

    fn repeats(&self, action: Action, target: &str, now: Timestamp) -> u32 {
        let Some(backoff) = self.settings.backoff(action) else {
            return 0;
        };
        let mut earlier = self.runs.iter().rev();
        let last = earlier.find(|run| run.action == action && run.target == target);
        last.filter(|last| now < after(last.at, backoff.row(last.repeats)))
            .map_or(0, |last| last.repeats.saturating_add(1))
    }
}
