use noops_core::Probability;
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// With what power a plan is made, and which effects it should find.
///
/// # Examples
///
/// ```
/// use noops_canary::planning::PlanSettings;
///
/// let settings = PlanSettings::default().with_effects([1.2, 3.0]);
/// assert_eq!(settings.effects(), [1.2, 3.0]);
/// assert_eq!(settings.power().get(), 0.8);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanSettings {
    power: Probability,
    effects: Vec<f64>,
}

impl PlanSettings {
    /// Sets the probability with which an identical candidate is promoted, and the smallest effect found. Default 80 %.
    ///
    /// Laws are worked out to 99.95 %: where more is asked of each of `G` guardrails, as by a power of 99 % for more than 19 of them, no promotion
    /// is planned.
    #[must_use]
    pub fn with_power(mut self, power: Probability) -> Self {
        self.power = power;
        self
    }

    /// Sets how many times worse a candidate may be that should be found; up to 16 of them. Default 1.5 and 2.
    #[must_use]
    pub fn with_effects(mut self, effects: impl IntoIterator<Item = f64>) -> Self {
        self.effects = effects.into_iter().take(MOST_EFFECTS + 1).collect();
        self
    }

    /// The probability with which an identical candidate is promoted, and the smallest effect found.
    #[must_use]
    pub fn power(&self) -> Probability {
        self.power
    }

    /// How many times worse a candidate may be that should be found.
    #[must_use]
    pub fn effects(&self) -> &[f64] {
        &self.effects
    }

    pub(super) fn check(&self) -> Result<(), CanaryError> {
        let power = self.power.get();
        if !(power > 0.0 && power < 1.0) {
            return Err(CanaryError::Setting {
                name: "power",
                value: power,
                allowed: "above 0 and below 1",
            });
        }
        if self.effects.len() > MOST_EFFECTS {
            return Err(CanaryError::Input {
                input: "effects",
                reason: "has more than 16 effects; keep those that matter",
            });
        }
        match self
            .effects
            .iter()
            .find(|effect| !(**effect > 1.0 && **effect <= LARGEST_EFFECT))
        {
            None => Ok(()),
            Some(&value) => Err(CanaryError::Setting {
                name: "effects",
                value,
                allowed: "above 1 and at most 1000",
            }),
        }
    }
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self {
            power: Probability::new(0.8).unwrap_or(Probability::ONE),
            effects: vec![1.5, 2.0],
        }
    }
}

const MOST_EFFECTS: usize = 16;
const LARGEST_EFFECT: f64 = 1000.0;
