use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::tally::EffectKind;
use crate::action::Action;
use crate::decision::Decision;

/// In what a decision differs under the new policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// It has another effect.
    Effect,
    /// The action is allowed as before, with other values for what the rules compute for it.
    Parameters,
}

/// A decision that would have been another one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    kind: ChangeKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_after: Option<String>,
    before: Decision,
    after: Decision,
}

impl DecisionChange {
    pub(super) fn new(
        id: Option<&str>,
        kind: ChangeKind,
        before: (Option<String>, Decision),
        after: (Option<String>, Decision),
    ) -> Self {
        Self {
            id: id.map(str::to_owned),
            kind,
            rule_before: before.0,
            rule_after: after.0,
            before: before.1,
            after: after.1,
        }
    }

    /// The name of the moment, if it has one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// In what it differs.
    pub fn kind(&self) -> ChangeKind {
        self.kind
    }

    /// The action.
    pub fn action(&self) -> Action {
        self.after.action()
    }

    /// The time.
    pub fn at(&self) -> Timestamp {
        self.after.at()
    }

    /// The first rule that decided before, as `policy/rule`; none where no rule speaks for the action.
    pub fn rule_before(&self) -> Option<&str> {
        self.rule_before.as_deref()
    }

    /// The first rule that decides now, as `policy/rule`; none where no rule speaks for the action.
    pub fn rule_after(&self) -> Option<&str> {
        self.rule_after.as_deref()
    }

    /// The decision of the old policies, with its explanation.
    pub fn before(&self) -> &Decision {
        &self.before
    }

    /// The decision of the new policies, with its explanation.
    pub fn after(&self) -> &Decision {
        &self.after
    }
}

impl fmt::Display for DecisionChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.at())?;
        if let Some(id) = &self.id {
            write!(f, "({}) ", id.escape_debug())?;
        }
        let before = EffectKind::from(self.before.effect());
        let after = EffectKind::from(self.after.effect());
        match self.kind {
            ChangeKind::Effect => writeln!(f, "{}: {before} becomes {after}", self.action())?,
            ChangeKind::Parameters => writeln!(f, "{}: {after} with other values", self.action())?,
        }
        for (label, decision) in [("before", &self.before), ("after", &self.after)] {
            write!(f, "  {label}: {}", decision.explain())?;
            for rule in decision.rules() {
                for (name, value) in rule.parameters() {
                    write!(f, "; `{name}` = {value}")?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
