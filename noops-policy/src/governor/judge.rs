use jiff::Timestamp;

use super::class::ActionClass;
use super::frozen::Frozen;
use super::limit::Budget;
use super::permit::Permit;
use super::reason::RefusalReason;
use super::request::{ActionRequest, Mode};
use super::run::{Run, room};
use super::{Governor, after};
use crate::action::Action;

/// What keeps an action from beginning. `now` is never before the latest time on record.
impl Governor {
    pub(super) fn judge(
        &self,
        request: &ActionRequest,
        now: Timestamp,
    ) -> Result<(), RefusalReason> {
        self.stopped()?;
        let fenced = self.fence.check(request.token());
        fenced.map_err(RefusalReason::Fenced)?;
        self.repeated(request, now)?;
        self.limits(request, now)
    }

    pub(super) fn judge_execution(
        &self,
        permit: &Permit,
        now: Timestamp,
    ) -> Result<(), RefusalReason> {
        self.stopped()?;
        let request = permit.request();
        let fenced = self.fence.check(request.token());
        fenced.map_err(RefusalReason::Fenced)?;
        let issued = permit.at();
        let known = match request.mode() {
            Mode::Live => self.keys.get(&permit.key()) == Some(&issued),
            Mode::DryRun => true,
        };
        if !known
            || permit.kills() != self.kills
            || now >= after(issued, self.settings.permit_life())
        {
            return Err(RefusalReason::PermitLapsed { issued });
        }
        self.facts(request, now)
    }

    pub(super) fn limits(
        &self,
        request: &ActionRequest,
        now: Timestamp,
    ) -> Result<(), RefusalReason> {
        self.facts(request, now)?;
        self.depth(request)?;
        self.flapping(request, now)?;
        self.cooldown(request, now)?;
        self.budget(request, now)?;
        self.approval(request, now)?;
        self.total(request, now)?;
        self.reach(request, now)?;
        self.space(request, now)
    }

    /// When a frozen target is no longer frozen.
    pub(super) fn thaw(&self, frozen: &Frozen) -> Timestamp {
        let flap = self.settings.flap();
        flap.map_or(Timestamp::MAX, |flap| after(frozen.turned(), flap.quiet()))
    }

    fn stopped(&self) -> Result<(), RefusalReason> {
        match self.is_killed() {
            true => Err(RefusalReason::KillSwitch),
            false => Ok(()),
        }
    }

    fn repeated(&self, request: &ActionRequest, now: Timestamp) -> Result<(), RefusalReason> {
        let life = self.settings.permit_life();
        let key = request.key();
        if let Some(&at) = self.keys.get(&key)
            && now < after(at, life)
        {
            return Err(RefusalReason::Repeated { key, at });
        }
        let ends = self.keys.values().map(|at| after(*at, life));
        full(ends.filter(|end| now < *end).collect(), 1)
    }

    fn facts(&self, request: &ActionRequest, now: Timestamp) -> Result<(), RefusalReason> {
        if request.class() == ActionClass::Message {
            return Ok(());
        }
        let max_age = self.settings.max_fact_age();
        let Some(facts) = request.facts() else {
            return match max_age {
                Some(_) => Err(RefusalReason::NoFacts),
                None => Ok(()),
            };
        };
        if let Some((fact, state)) = facts.unusable().next() {
            return Err(RefusalReason::FactUnusable {
                fact: fact.to_owned(),
                state,
            });
        }
        let oldest = facts.oldest();
        let too_far = max_age
            .is_some_and(|max_age| now > after(oldest, max_age) || oldest > after(now, max_age));
        match too_far || now > facts.usable_until() {
            true => Err(RefusalReason::FactsStale { oldest }),
            false => Ok(()),
        }
    }

    fn depth(&self, request: &ActionRequest) -> Result<(), RefusalReason> {
        let depth = request.depth();
        match self.settings.max_depth() {
            Some(limit) if depth > limit && request.class() != ActionClass::Message => {
                Err(RefusalReason::TooDeep { depth, limit })
            }
            _ => Ok(()),
        }
    }

    /// Only changes are held back: the target can end on the safe side, and no longer leave it.
    fn flapping(&self, request: &ActionRequest, now: Timestamp) -> Result<(), RefusalReason> {
        if self.settings.flap().is_some()
            && request.action() == Action::Scale
            && request.scaling().is_none()
        {
            return Err(RefusalReason::NoDirection);
        }
        if request.class() != ActionClass::Change || self.frozen.is_empty() {
            return Ok(());
        }
        for target in request.targets().iter() {
            let thaw = self.frozen.get(target).map(|frozen| self.thaw(frozen));
            if let Some(until) = thaw.filter(|thaw| now < *thaw) {
                return Err(RefusalReason::Flapping {
                    target: target.to_owned(),
                    until: Some(until).filter(|until| *until < Timestamp::MAX),
                });
            }
        }
        Ok(())
    }

    fn cooldown(&self, request: &ActionRequest, now: Timestamp) -> Result<(), RefusalReason> {
        let action = request.action();
        let until = self
            .runs
            .iter()
            .filter(|run| run.action == action && request.targets().contains(&run.target))
            .filter_map(|run| Some(after(run.at, self.settings.pause(action, run.repeats)?)))
            .max();
        match until {
            Some(until) if now < until => Err(RefusalReason::Cooldown { until }),
            _ => Ok(()),
        }
    }

    fn budget(&self, request: &ActionRequest, now: Timestamp) -> Result<(), RefusalReason> {
        let action = request.action();
        let Some(budget) = self.settings.budget(action) else {
            return Ok(());
        };
        self.fits(request, budget, now, |run| run.action == action)
            .map_err(|until| RefusalReason::Budget {
                actions: budget.actions(),
                window: budget.window(),
                until,
            })
    }

    fn approval(&self, request: &ActionRequest, now: Timestamp) -> Result<(), RefusalReason> {
        let action = request.action();
        let Some(budget) = self.settings.automatic(action) else {
            return Ok(());
        };
        if request.approved_by().is_some() || request.class() == ActionClass::Message {
            return Ok(());
        }
        let counts = |run: &Run| run.action == action && run.approved.is_none();
        self.fits(request, budget, now, counts)
            .map_err(|until| RefusalReason::NeedsApproval {
                actions: budget.actions(),
                window: budget.window(),
                until,
            })
    }

    fn total(&self, request: &ActionRequest, now: Timestamp) -> Result<(), RefusalReason> {
        let Some(total) = self.settings.total() else {
            return Ok(());
        };
        let actions = match request.class() {
            ActionClass::Message => return Ok(()),
            ActionClass::Change => total.actions(),
            ActionClass::Safety => total.actions().saturating_add(total.safety_reserve()),
        };
        let budget = Budget::new(actions, total.window());
        self.fits(request, budget, now, |run| !run.is_message())
            .map_err(|until| RefusalReason::Total {
                actions,
                window: total.window(),
                until,
            })
    }

    fn fits(
        &self,
        request: &ActionRequest,
        budget: Budget,
        now: Timestamp,
        counts: impl Fn(&Run) -> bool,
    ) -> Result<(), Option<Timestamp>> {
        let ends = self
            .runs
            .iter()
            .filter(|run| counts(run))
            .map(|run| after(run.at, budget.window()))
            .filter(|end| now < *end)
            .collect();
        room(ends, request.targets().len(), budget.actions())
    }

    /// Whether there is room to keep in mind what must be.
    fn space(&self, request: &ActionRequest, now: Timestamp) -> Result<(), RefusalReason> {
        if self.settings.memory(request.action()).is_none() {
            return Ok(());
        }
        if let Some(until) = self.overflow.filter(|until| now < *until) {
            return Err(RefusalReason::Full {
                limit: Self::MAX_RUNS,
                until: Some(until),
            });
        }
        let ends = self.runs.iter().filter_map(|run| self.end(run));
        let live = ends.filter(|end| now < *end).collect();
        full(live, request.targets().len())
    }

    /// When a run no longer matters; none if it never did.
    pub(super) fn end(&self, run: &Run) -> Option<Timestamp> {
        Some(after(run.at, self.settings.memory(run.action)?))
    }
}

fn full(ends: Vec<Timestamp>, adding: usize) -> Result<(), RefusalReason> {
    let limit = Governor::MAX_RUNS;
    let places = u32::try_from(limit).unwrap_or(u32::MAX);
    room(ends, adding, places).map_err(|until| RefusalReason::Full { limit, until })
}
