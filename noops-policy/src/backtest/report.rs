use std::fmt;

use jiff::Timestamp;
use noops_core::Digest;
use serde::Serialize;

use super::change::DecisionChange;
use super::table::Table;
use super::tally::{ActionTally, FactTally, RuleTally};
use crate::document::Enforcement;

/// What new policies would have changed in a history.
///
/// The same policies and the same history give the same report, byte for byte. It is about this history and nothing else:
/// a rule that never decided in it may be the one that matters on a worse day.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
pub struct BacktestReport {
    pub(super) digest_before: Digest,
    pub(super) digest_after: Digest,
    pub(super) moments: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<Timestamp>,
    pub(super) actions: Vec<ActionTally>,
    pub(super) rules_before: Vec<RuleTally>,
    pub(super) rules_after: Vec<RuleTally>,
    pub(super) facts: Vec<FactTally>,
    pub(super) changes: Vec<DecisionChange>,
}

impl BacktestReport {
    /// The digest of the old policies.
    pub fn digest_before(&self) -> Digest {
        self.digest_before
    }

    /// The digest of the new policies.
    pub fn digest_after(&self) -> Digest {
        self.digest_after
    }

    /// How many moments the history has.
    pub fn moments(&self) -> u64 {
        self.moments
    }

    /// The earliest moment; none in an empty history, which says nothing.
    pub fn first(&self) -> Option<Timestamp> {
        self.first
    }

    /// The latest moment; none in an empty history.
    pub fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// The actions that were in question, sorted.
    pub fn actions(&self) -> &[ActionTally] {
        &self.actions
    }

    /// What the rules of the old policies did, by action, policy and place in the document.
    pub fn rules_before(&self) -> &[RuleTally] {
        &self.rules_before
    }

    /// What the rules of the new policies did, by action, policy and place in the document.
    pub fn rules_after(&self) -> &[RuleTally] {
        &self.rules_after
    }

    /// The mandatory rules of the new policies that decided nothing in this history.
    pub fn idle_rules(&self) -> impl Iterator<Item = &RuleTally> {
        self.rules_after
            .iter()
            .filter(|rule| rule.enforcement() != Enforcement::Advisory && rule.decided() == 0)
    }

    /// The facts that the conditions of either policies read, by name.
    pub fn facts(&self) -> &[FactTally] {
        &self.facts
    }

    /// How many decisions were made.
    pub fn decisions(&self) -> u64 {
        self.sum(ActionTally::decisions)
    }

    /// How many of them changed.
    pub fn changed(&self) -> u64 {
        self.sum(ActionTally::changed)
    }

    /// The first of the changed decisions, in the order of the history; see
    /// [`Backtest::with_kept_changes`](super::Backtest::with_kept_changes).
    pub fn changes(&self) -> &[DecisionChange] {
        &self.changes
    }

    fn sum(&self, of: fn(&ActionTally) -> u64) -> u64 {
        self.actions
            .iter()
            .fold(0, |sum, action| sum.saturating_add(of(action)))
    }

    fn write_actions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["action", "decisions", "changed", "how"]);
        for action in &self.actions {
            let mut how: Vec<String> = action
                .transitions()
                .iter()
                .filter(|known| known.before() != known.after())
                .map(|known| format!("{} to {}: {}", known.before(), known.after(), known.count()))
                .collect();
            for (count, what) in [
                (action.other_parameters(), "other values"),
                (action.other_rules(), "(same effect by other rules)"),
            ] {
                if count > 0 {
                    how.push(format!("{what}: {count}"));
                }
            }
            table.add([
                action.action().to_string(),
                action.decisions().to_string(),
                action.changed().to_string(),
                how.join(", "),
            ]);
        }
        write!(f, "\n{table}")
    }

    fn write_rules(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new([
            "new rule", "effect", "action", "asked", "held", "unknown", "decided",
        ]);
        for rule in &self.rules_after {
            let decided = match (rule.enforcement(), rule.decided()) {
                (Enforcement::Advisory, _) => "advisory".to_owned(),
                (_, 0) => "never".to_owned(),
                (_, decided) => decided.to_string(),
            };
            table.add([
                format!(
                    "{}/{}",
                    rule.policy().escape_debug(),
                    rule.rule().escape_debug()
                ),
                rule.effect().to_string(),
                rule.action().to_string(),
                rule.asked().to_string(),
                rule.held().to_string(),
                rule.unknown().to_string(),
                decided,
            ]);
        }
        write!(f, "\n{table}")
    }

    fn write_facts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["fact that could not be used", "missing", "stale", "invalid"]);
        for fact in self.facts.iter().filter(|fact| fact.unusable() > 0) {
            table.add([
                fact.fact().to_owned(),
                fact.missing().to_string(),
                fact.stale().to_string(),
                fact.invalid().to_string(),
            ]);
        }
        if table.is_empty() {
            return Ok(());
        }
        write!(f, "\n{table}")
    }

    fn write_changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            write!(f, "\n{change}")?;
        }
        let kept = u64::try_from(self.changes.len()).unwrap_or(u64::MAX);
        match self.changed().saturating_sub(kept) {
            0 => Ok(()),
            more => writeln!(f, "\nand {more} more"),
        }
    }
}

impl fmt::Display for BacktestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "policies {} become {}",
            self.digest_before.short(),
            self.digest_after.short()
        )?;
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return writeln!(f, "the history is empty: nothing can be said");
        };
        writeln!(
            f,
            "{} moments from {first} to {last}, {} decisions, {} of them changed",
            self.moments,
            self.decisions(),
            self.changed()
        )?;
        self.write_actions(f)?;
        self.write_rules(f)?;
        self.write_facts(f)?;
        self.write_changes(f)
    }
}
