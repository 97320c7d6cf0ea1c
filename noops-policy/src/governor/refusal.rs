use std::fmt;

use serde::{Deserialize, Serialize};

use super::reason::RefusalReason;
use crate::action::Action;

/// An action that may not begin now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    action: Action,
    target: String,
    reason: RefusalReason,
}

impl Refusal {
    pub(super) fn new(action: Action, target: String, reason: RefusalReason) -> Self {
        Self {
            action,
            target,
            reason,
        }
    }

    /// The action.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The target; of several, the first three by name and the number of the others.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Why.
    pub fn reason(&self) -> &RefusalReason {
        &self.reason
    }
}

impl RefusalReason {
    /// Whether waiting does not help and a person has to act. If so, escalate.
    pub fn needs_a_person(&self) -> bool {
        matches!(
            self,
            Self::KillSwitch
                | Self::NeedsApproval { .. }
                | Self::TooDeep { .. }
                | Self::Flapping { .. }
                | Self::FleetEmpty { .. }
                | Self::FleetTooSmall { .. }
                | Self::FleetChanged { .. }
                | Self::TooManyFleets { .. }
                | Self::TooFewHealthy { .. }
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = self.action;
        if self.reason == RefusalReason::NoTarget {
            return write!(f, "{action} {}", self.reason);
        }
        write!(f, "{action} of `{}` {}", self.target, self.reason)
    }
}

impl std::error::Error for Refusal {}
