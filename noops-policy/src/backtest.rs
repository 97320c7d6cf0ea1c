//! New policies tried on recorded facts, before they are put in force.

mod change;
mod error;
mod history;
mod moment;
mod recorded;
mod report;
mod side;
mod table;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::action::Action;
use crate::fact::FactState;
use crate::set::PolicySet;
use side::{Judged, Side};

pub use change::{ChangeKind, DecisionChange};
pub use error::BacktestError;
pub use history::History;
pub use moment::Moment;
pub use report::BacktestReport;
pub use tally::{ActionTally, EffectKind, FactTally, RuleTally, Transition};

/// Two policy sets that decide about the same moments.
///
/// It goes through a history moment by moment and keeps counts, and of the changed decisions only the first: a history
/// of any length fits. Facts are matched with each set's schema by name and type.
///
/// What it cannot know: an action that the new policies allow earlier would have changed the facts that came after it.
/// Every moment is judged on what was recorded.
///
/// # Complexity
///
/// Two decisions for each moment and action, and their explanations where they differ. Memory is that of the rules, the
/// facts and the kept changes.
///
/// # Examples
///
/// ```
/// use noops_policy::backtest::{Backtest, EffectKind, History};
/// use noops_policy::{Action, FactDecl, FactSchema, PolicySet};
///
/// let schema = FactSchema::new(vec![FactDecl::double("drift.psi").with_min(0.0)])?;
/// let yaml = |threshold: f64| format!(
///     "{{ policy: drift, owner: team, enforcement: hard-mandatory, rules: [
///        {{ name: far, effect: trigger, action: retrain, when: drift.psi > {threshold}, because: inputs moved }}] }}"
/// );
/// let old = PolicySet::load(&[("old.yaml", &yaml(0.2))], &schema)?;
/// let new = PolicySet::load(&[("new.yaml", &yaml(0.3))], &schema)?;
///
/// let lines = r#"
/// {"at": "2026-03-01T12:00:00Z", "facts": {"drift.psi": 0.25}}
/// {"at": "2026-03-02T12:00:00Z", "facts": {"drift.psi": 0.35}}
/// {"at": "2026-03-03T12:00:00Z", "facts": {}}
/// "#;
/// let report = Backtest::run(&old, &new, History::from_jsonl("march.jsonl", lines, &schema))?;
/// assert_eq!(report.decisions(), 3);
/// assert_eq!(report.changed(), 1);
/// assert_eq!(report.actions()[0].count(EffectKind::Allow, EffectKind::Deny), 1);
/// assert_eq!(report.facts()[0].missing(), 1);
/// assert!(report.to_string().contains("retrain: allow becomes deny"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Backtest<'a> {
    before: Side<'a>,
    after: Side<'a>,
    questions: Vec<Action>,
    actions: BTreeMap<Action, ActionTally>,
    facts: BTreeMap<&'a str, FactTally>,
    kept_changes: usize,
    changes: Vec<DecisionChange>,
    moments: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl<'a> Backtest<'a> {
    /// How many changed decisions a report keeps where it is not said.
    pub const KEPT_CHANGES: usize = 100;

    /// A backtest of new policies beside old ones, before the first moment.
    pub fn new(old: &'a PolicySet, new: &'a PolicySet) -> Self {
        let before = Side::new(old);
        let after = Side::new(new);
        let questions: BTreeSet<Action> = old.actions().into_iter().chain(new.actions()).collect();
        let facts = before
            .facts()
            .chain(after.facts())
            .map(|fact| (fact, FactTally::of(fact)))
            .collect();
        Self {
            before,
            after,
            questions: questions.into_iter().collect(),
            actions: BTreeMap::new(),
            facts,
            kept_changes: Self::KEPT_CHANGES,
            changes: Vec::new(),
            moments: 0,
            first: None,
            last: None,
        }
    }

    /// Sets how many changed decisions the report keeps. All are counted; whoever wants all of them takes them from
    /// [`Backtest::judge`].
    #[must_use]
    pub fn with_kept_changes(mut self, kept_changes: usize) -> Self {
        self.kept_changes = kept_changes;
        self
    }

    /// Goes through a whole history.
    ///
    /// # Errors
    ///
    /// The first error of the history: a report on a part of it would look like one on all of it.
    ///
    /// # Complexity
    ///
    /// That of the type, over the moments of the history.
    pub fn run(
        old: &'a PolicySet,
        new: &'a PolicySet,
        history: impl IntoIterator<Item = Result<Moment, BacktestError>>,
    ) -> Result<BacktestReport, BacktestError> {
        let mut backtest = Self::new(old, new);
        for moment in history {
            backtest.judge(&moment?);
        }
        Ok(backtest.report())
    }

    /// Decides about one moment under both policies, and returns the decisions that differ, by action.
    pub fn judge(&mut self, moment: &Moment) -> Vec<DecisionChange> {
        self.moments = self.moments.saturating_add(1);
        self.first = Some(
            self.first
                .map_or(moment.at(), |first| first.min(moment.at())),
        );
        self.last = Some(self.last.map_or(moment.at(), |last| last.max(moment.at())));
        for (fact, tally) in &mut self.facts {
            tally.add(state(&self.before, &self.after, fact, moment));
        }
        let questions = match moment.actions() {
            Some(actions) => actions.to_vec(),
            None => self.questions.clone(),
        };
        let mut changes: Vec<DecisionChange> = Vec::new();
        for action in questions {
            changes.extend(self.decide(action, moment));
        }
        let room = self.kept_changes.saturating_sub(self.changes.len());
        self.changes.extend(changes.iter().take(room).cloned());
        changes
    }

    /// The report on the moments so far.
    pub fn report(&self) -> BacktestReport {
        BacktestReport {
            digest_before: self.before.set.digest(),
            digest_after: self.after.set.digest(),
            moments: self.moments,
            first: self.first,
            last: self.last,
            actions: self.actions.values().cloned().collect(),
            rules_before: self.before.tallies(),
            rules_after: self.after.tallies(),
            facts: self.facts.values().cloned().collect(),
            changes: self.changes.clone(),
        }
    }

    fn decide(&mut self, action: Action, moment: &Moment) -> Option<DecisionChange> {
        let before = self.before.judge(action, moment);
        let after = self.after.judge(action, moment);
        let kinds = (
            EffectKind::from(&before.effect),
            EffectKind::from(&after.effect),
        );
        let tally = self
            .actions
            .entry(action)
            .or_insert_with(|| ActionTally::of(action));
        tally.add(kinds.0, kinds.1);
        let kind = if kinds.0 != kinds.1 {
            ChangeKind::Effect
        } else if has_other_parameters(&before, &after) {
            tally.add_other_parameters();
            ChangeKind::Parameters
        } else {
            if before.names() != after.names() {
                tally.add_other_rules();
            }
            return None;
        };
        Some(DecisionChange::new(
            moment.id(),
            kind,
            self.before.decision(action, moment),
            self.after.decision(action, moment),
        ))
    }
}

fn has_other_parameters(before: &Judged<'_>, after: &Judged<'_>) -> bool {
    // A rule that was renamed computes what it did.
    let sorted = |judged: &Judged<'_>| {
        let mut parameters: Vec<String> = judged
            .parameters
            .iter()
            .filter_map(|parameters| serde_json::to_string(parameters).ok())
            .collect();
        parameters.sort_unstable();
        parameters.dedup();
        parameters
    };
    before.parameters != after.parameters && sorted(before) != sorted(after)
}

/// What the newest schema that declares a fact says of it.
fn state(before: &Side<'_>, after: &Side<'_>, fact: &str, moment: &Moment) -> FactState {
    let of = |side: &Side<'_>| {
        let facts = moment.facts().aligned(side.set.schema());
        facts.state(fact, moment.at())
    };
    of(after)
        .or_else(|| of(before))
        .unwrap_or(FactState::Missing)
}
