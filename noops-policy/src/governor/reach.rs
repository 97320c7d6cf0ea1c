use jiff::Timestamp;

use super::class::{ActionClass, Heading};
use super::fleet::{Fleet, FleetLimits};
use super::reason::RefusalReason;
use super::request::ActionRequest;
use super::run::{other_targets, room};
use super::{Governor, after};

/// How far an action reaches into the fleet.
impl Governor {
    pub(super) fn reach(
        &self,
        request: &ActionRequest,
        now: Timestamp,
    ) -> Result<(), RefusalReason> {
        if request.class() == ActionClass::Message {
            return Ok(());
        }
        let limits = self.settings.fleet();
        match request.fleet() {
            Some(fleet) => self.believed(request, fleet, limits.unwrap_or_default(), now)?,
            None if limits.is_some() => return Err(RefusalReason::NoFleet),
            None => {}
        }
        self.blast(request, now)?;
        match (limits, request.fleet()) {
            (Some(limits), Some(fleet)) => self.floor(request, fleet, limits, now),
            _ => Ok(()),
        }
    }

    fn believed(
        &self,
        request: &ActionRequest,
        fleet: &Fleet,
        limits: FleetLimits,
        now: Timestamp,
    ) -> Result<(), RefusalReason> {
        let selector = || fleet.selector().to_owned();
        let targets = request.targets().len();
        if !limits.is_recent(fleet, now) {
            return Err(RefusalReason::FleetStale {
                counted: fleet.at(),
            });
        }
        if fleet.size() == 0 {
            return Err(RefusalReason::FleetEmpty {
                selector: selector(),
            });
        }
        match self.looks.get(fleet.selector()) {
            Some(&before) if !limits.believes(before, fleet.size()) => {
                return Err(RefusalReason::FleetChanged {
                    selector: selector(),
                    before,
                    size: fleet.size(),
                });
            }
            None if self.looks.len() >= Self::MAX_FLEETS => {
                return Err(RefusalReason::TooManyFleets {
                    limit: Self::MAX_FLEETS,
                });
            }
            _ => {}
        }
        if u64::try_from(targets).is_ok_and(|targets| targets > fleet.size()) {
            return Err(RefusalReason::FleetTooSmall {
                size: fleet.size(),
                targets,
            });
        }
        Ok(())
    }

    fn blast(&self, request: &ActionRequest, now: Timestamp) -> Result<(), RefusalReason> {
        let class = request.class();
        let Some(radius) = self.settings.blast_radius(class) else {
            return Ok(());
        };
        let size = request.fleet().map(Fleet::size);
        let limit = radius.within(size).ok_or(RefusalReason::NoFleet)?;
        let window = radius.window();
        let counted = self
            .runs
            .iter()
            .filter(|run| run.class() == class)
            .map(|run| (run, after(run.at, window)))
            .filter(|(_, end)| now < *end);
        let ends = other_targets(counted, request.targets());
        room(ends, request.targets().len(), limit).map_err(|until| RefusalReason::BlastRadius {
            class,
            targets: limit,
            window,
            until,
        })
    }

    /// What was taken since the fleet was counted is not in the count yet.
    fn floor(
        &self,
        request: &ActionRequest,
        fleet: &Fleet,
        limits: FleetLimits,
        now: Timestamp,
    ) -> Result<(), RefusalReason> {
        if !request.heading().is_some_and(Heading::takes_capacity) {
            return Ok(());
        }
        // A clock ahead of this one cannot say what its count knew of.
        let since = Some(fleet.at()).filter(|at| *at <= now);
        let taken = self
            .runs
            .iter()
            .filter(|run| run.heading.is_some_and(Heading::takes_capacity))
            .filter(|run| since.is_none_or(|since| run.at >= since))
            .count();
        let taking = u64::try_from(taken.saturating_add(request.targets().len()));
        let left = fleet.healthy().saturating_sub(taking.unwrap_or(u64::MAX));
        let floor = limits.floor(fleet.size());
        match left < floor {
            true => Err(RefusalReason::TooFewHealthy { left, floor }),
            false => Ok(()),
        }
    }
}
