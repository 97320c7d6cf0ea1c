use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::suggest;

/// Something that automation may want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Make a challenger the champion.
    Promote,
    /// Return to the previous champion.
    Rollback,
    /// Train a new model.
    Retrain,
    /// Take a model, a feature or a source out of use.
    Quarantine,
    /// Bring what was quarantined back into use.
    Release,
    /// Enter a model into the registry.
    Register,
    /// Show a model traffic without using its answers.
    Shadow,
    /// Give a challenger more traffic.
    Ramp,
    /// Change how many replicas, or how large a machine, a model has.
    Scale,
    /// Stop every change but those that make things safer.
    Freeze,
    /// Take less traffic, or give some callers less.
    Throttle,
    /// Ask people to agree before anything is done.
    RequireApproval,
    /// Call a person.
    Escalate,
    /// Tell people.
    Notify,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 14] = [
        Self::Promote,
        Self::Rollback,
        Self::Retrain,
        Self::Quarantine,
        Self::Release,
        Self::Register,
        Self::Shadow,
        Self::Ramp,
        Self::Scale,
        Self::Freeze,
        Self::Throttle,
        Self::RequireApproval,
        Self::Escalate,
        Self::Notify,
    ];

    /// The name, as documents write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Retrain => "retrain",
            Self::Quarantine => "quarantine",
            Self::Release => "release",
            Self::Register => "register",
            Self::Shadow => "shadow",
            Self::Ramp => "ramp",
            Self::Scale => "scale",
            Self::Freeze => "freeze",
            Self::Throttle => "throttle",
            Self::RequireApproval => "require-approval",
            Self::Escalate => "escalate",
            Self::Notify => "notify",
        }
    }
}

impl Action {
    /// Whether it only ever makes things safer: such an action is never stopped for want of money.
    pub fn is_safety(self) -> bool {
        matches!(
            self,
            Self::Rollback
                | Self::Quarantine
                | Self::Freeze
                | Self::Throttle
                | Self::Escalate
                | Self::Notify
        )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(name: &str) -> Result<Self, UnknownAction> {
        Self::ALL
            .into_iter()
            .find(|action| action.name() == name)
            .ok_or_else(|| UnknownAction {
                name: name.to_owned(),
            })
    }
}

/// A name that is no action's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAction {
    name: String,
}

impl fmt::Display for UnknownAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown action `{}`", self.name)?;
        match suggest::nearest(&self.name, Action::ALL.map(Action::name)) {
            Some(near) => write!(f, "; did you mean `{near}`?"),
            None => write!(
                f,
                "; the actions are {}",
                Action::ALL.map(Action::name).join(", ")
            ),
        }
    }
}

impl std::error::Error for UnknownAction {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_serde_and_parsing_agree() {
        for action in Action::ALL {
            assert_eq!(action.name().parse::<Action>().unwrap(), action);
            let json = serde_json::to_string(&action).unwrap();
            assert_eq!(json, format!("\"{action}\""));
        }
    }

    #[test]
    fn a_slip_gets_a_suggestion() {
        let error = "retrian".parse::<Action>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown action `retrian`; did you mean `retrain`?"
        );
    }
}
