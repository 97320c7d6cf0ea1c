use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::GovernanceError;
use crate::action::Action;
use crate::decision::{Decision, Effect};

/// What a recorded decision came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionKind {
    /// The action was allowed.
    Allow,
    /// It was denied.
    Deny,
    /// It waited for facts.
    Unknown,
}

/// Which recorded decisions are evidence of a control, over which time, and how many there must be.
///
/// A decision is one of them when it is about one of the actions, came to one of the kinds and was decided by one of the
/// policies of its control; no action and no kind named means any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawQuery")]
pub struct EvidenceQuery {
    actions: BTreeSet<Action>,
    kinds: BTreeSet<DecisionKind>,
    period: Duration,
    at_least: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    longest_gap: Option<Duration>,
}

impl EvidenceQuery {
    /// Wants at least one decision within the period up to now.
    ///
    /// # Errors
    ///
    /// [`GovernanceError::Query`] for a period of zero.
    pub fn new(period: Duration) -> Result<Self, GovernanceError> {
        Self::try_from(RawQuery {
            actions: BTreeSet::new(),
            kinds: BTreeSet::new(),
            period,
            at_least: 1,
            longest_gap: None,
        })
    }

    /// Takes decisions about this action, and others that are named so.
    #[must_use]
    pub fn with_action(mut self, action: Action) -> Self {
        self.actions.insert(action);
        self
    }

    /// Takes decisions of this kind, and others that are named so.
    #[must_use]
    pub fn with_kind(mut self, kind: DecisionKind) -> Self {
        self.kinds.insert(kind);
        self
    }

    /// Wants so many decisions. Zero is for controls that call for action only when something happens.
    #[must_use]
    pub fn with_at_least(mut self, count: u64) -> Self {
        self.at_least = count;
        self
    }

    /// Reports times without a decision that are longer than this, those at both ends of the period too.
    #[must_use]
    pub fn with_longest_gap(mut self, gap: Duration) -> Self {
        self.longest_gap = Some(gap);
        self
    }

    /// The time up to now in which decisions count.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// How many there must be.
    #[must_use]
    pub fn at_least(&self) -> u64 {
        self.at_least
    }

    /// The longest time without one.
    #[must_use]
    pub fn longest_gap(&self) -> Option<Duration> {
        self.longest_gap
    }

    /// The actions; none means any.
    pub fn actions(&self) -> impl Iterator<Item = Action> {
        self.actions.iter().copied()
    }

    /// The kinds; none means any.
    pub fn kinds(&self) -> impl Iterator<Item = DecisionKind> {
        self.kinds.iter().copied()
    }

    /// Whether a decision is about one of the actions and of one of the kinds.
    pub(super) fn takes(&self, decision: &Decision) -> bool {
        let kind = match decision.effect() {
            Effect::Allow => DecisionKind::Allow,
            Effect::Deny => DecisionKind::Deny,
            Effect::Unknown { .. } => DecisionKind::Unknown,
        };
        (self.actions.is_empty() || self.actions.contains(&decision.action()))
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuery {
    actions: BTreeSet<Action>,
    kinds: BTreeSet<DecisionKind>,
    period: Duration,
    at_least: u64,
    #[serde(default)]
    longest_gap: Option<Duration>,
}

impl TryFrom<RawQuery> for EvidenceQuery {
    type Error = GovernanceError;

    fn try_from(raw: RawQuery) -> Result<Self, GovernanceError> {
        if raw.period.is_zero() {
            return Err(GovernanceError::Query {
                problem: "its period is zero; say how far back it looks".to_owned(),
            });
        }
        Ok(Self {
            actions: raw.actions,
            kinds: raw.kinds,
            period: raw.period,
            at_least: raw.at_least,
            longest_gap: raw.longest_gap,
        })
    }
}
