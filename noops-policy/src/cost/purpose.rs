use std::fmt;

use serde::{Deserialize, Serialize};

use crate::action::Action;

/// What money is spent for.
///
/// # Examples
///
/// ```
/// use noops_policy::Action;
/// use noops_policy::cost::Purpose;
///
/// assert_eq!(Purpose::from(Action::Rollback), Purpose::Safety);
/// assert_eq!(Purpose::from(Action::Retrain), Purpose::Training);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Answering predictions.
    Serving,
    /// Training a model.
    Training,
    /// Anything else that can wait for money.
    Other,
    /// Making things safer, such as rolling back: never stopped for want of money, always on the books.
    Safety,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [Self::Serving, Self::Training, Self::Other, Self::Safety];

    /// The name, as documents write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Training => "training",
            Self::Other => "other",
            Self::Safety => "safety",
        }
    }
}

impl From<Action> for Purpose {
    fn from(action: Action) -> Self {
        match action {
            Action::Retrain => Self::Training,
            safe if safe.is_safety() => Self::Safety,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_serde_agree() {
        for purpose in Purpose::ALL {
            let json = serde_json::to_string(&purpose).unwrap();
            assert_eq!(json, format!("\"{purpose}\""));
        }
    }

    #[test]
    fn what_adds_exposure_is_never_a_safety_action() {
        for action in [
            Action::Promote,
            Action::Ramp,
            Action::Scale,
            Action::Release,
        ] {
            assert_ne!(Purpose::from(action), Purpose::Safety, "{action}");
        }
        for action in [Action::Rollback, Action::Quarantine, Action::Freeze] {
            assert_eq!(Purpose::from(action), Purpose::Safety, "{action}");
        }
    }
}
