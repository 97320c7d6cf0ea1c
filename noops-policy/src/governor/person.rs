use jiff::Timestamp;

use super::Governor;
use super::class::Heading;
use super::fleet::Fleet;
use super::run::bounded;

/// What only a person may do, and what a person must see to do it.
impl Governor {
    /// The targets that are frozen at `now` because they flap.
    pub fn frozen(&self, now: Timestamp) -> impl Iterator<Item = &str> + '_ {
        let now = self.forward(now);
        self.frozen
            .iter()
            .filter(move |(_, frozen)| now < self.thaw(frozen))
            .map(|(target, _)| target.as_str())
    }

    /// A person has looked at a flapping target: it is no longer frozen, and its past turns no longer count.
    pub fn acknowledge(&mut self, target: &str) {
        let target = bounded(target);
        self.frozen.remove(target);
        for run in self.runs.iter_mut().filter(|run| run.target == target) {
            // What took capacity away still did.
            if !run.heading.is_some_and(Heading::takes_capacity) {
                run.heading = None;
            }
        }
    }

    /// A person has looked at a fleet whose size was not believed: from now on this is its size.
    pub fn acknowledge_fleet(&mut self, fleet: &Fleet) {
        let known = self.looks.contains_key(fleet.selector());
        if known || self.looks.len() < Self::MAX_FLEETS {
            self.looks.insert(fleet.selector().to_owned(), fleet.size());
        }
    }

    /// Forgets the size of a fleet that is gone.
    pub fn forget_fleet(&mut self, selector: &str) {
        self.looks.remove(selector);
    }
}
