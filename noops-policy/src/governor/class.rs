use std::fmt;

use serde::{Deserialize, Serialize};

use crate::action::Action;

/// What kind of thing an action does, as far as limits are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionClass {
    /// It changes something and may make things worse.
    Change,
    /// It changes something in the safe direction.
    Safety,
    /// It tells or asks people, and changes nothing.
    Message,
}

impl ActionClass {
    /// The class of an action.
    pub fn of(action: Action) -> Self {
        match action {
            Action::Escalate | Action::Notify | Action::RequireApproval => Self::Message,
            action if action.is_safety() => Self::Safety,
            _ => Self::Change,
        }
    }
}

impl fmt::Display for ActionClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Change => "change",
            Self::Safety => "safety",
            Self::Message => "message",
        })
    }
}

/// Which way a scale action goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// More capacity.
    Up,
    /// Less capacity.
    Down,
}

/// The direction of an action that another one undoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Heading {
    NewVersion,
    OldVersion,
    IntoUse,
    OutOfUse,
    Larger,
    Smaller,
}

impl Heading {
    /// None for an action that nothing undoes, and for a scale action that does not say which way it goes.
    pub(super) fn of(action: Action, scaling: Option<Scaling>) -> Option<Self> {
        match (action, scaling) {
            (Action::Promote | Action::Ramp, _) => Some(Self::NewVersion),
            (Action::Rollback, _) => Some(Self::OldVersion),
            (Action::Release, _) => Some(Self::IntoUse),
            (Action::Quarantine, _) => Some(Self::OutOfUse),
            (Action::Scale, Some(Scaling::Up)) => Some(Self::Larger),
            (Action::Scale, Some(Scaling::Down)) => Some(Self::Smaller),
            _ => None,
        }
    }

    pub(super) fn undoes(self, other: Self) -> bool {
        let opposite = match self {
            Self::NewVersion => Self::OldVersion,
            Self::OldVersion => Self::NewVersion,
            Self::IntoUse => Self::OutOfUse,
            Self::OutOfUse => Self::IntoUse,
            Self::Larger => Self::Smaller,
            Self::Smaller => Self::Larger,
        };
        other == opposite
    }

    pub(super) fn takes_capacity(self) -> bool {
        matches!(self, Self::OutOfUse | Self::Smaller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_never_counted_as_safety_actions() {
        for action in Action::ALL {
            let class = ActionClass::of(action);
            assert_eq!(
                action.is_safety() && class != ActionClass::Message,
                class == ActionClass::Safety
            );
        }
        assert_eq!(ActionClass::of(Action::Scale), ActionClass::Change);
        assert_eq!(
            ActionClass::of(Action::RequireApproval),
            ActionClass::Message
        );
    }

    #[test]
    fn undoing_is_mutual_and_stays_on_one_axis() {
        let all = [
            Heading::NewVersion,
            Heading::OldVersion,
            Heading::IntoUse,
            Heading::OutOfUse,
            Heading::Larger,
            Heading::Smaller,
        ];
        for one in all {
            assert_eq!(all.iter().filter(|other| one.undoes(**other)).count(), 1);
            for other in all {
                assert_eq!(one.undoes(other), other.undoes(one));
            }
        }
    }
}
