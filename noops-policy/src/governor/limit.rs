use std::num::NonZeroU32;
use std::time::Duration;

use noops_core::Share;
use serde::{Deserialize, Serialize};

/// A number of actions within a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    actions: u32,
    window: Duration,
}

impl Budget {
    pub(super) fn new(actions: u32, window: Duration) -> Self {
        Self { actions, window }
    }

    /// The number of actions.
    pub fn actions(&self) -> u32 {
        self.actions
    }

    /// The window.
    pub fn window(&self) -> Duration {
        self.window
    }
}

/// How many different targets a class of actions may reach within a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlastRadius {
    targets: u32,
    window: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<Share>,
}

impl BlastRadius {
    /// At most `targets` within `window`.
    pub fn new(targets: u32, window: Duration) -> Self {
        Self {
            targets,
            window,
            share: None,
        }
    }

    /// Allows, besides, no more than a share of the fleet, rounded down. An action then needs a [`Fleet`](super::Fleet).
    ///
    /// Targets in every fleet are counted against the share of the one at hand.
    #[must_use]
    pub fn with_share(mut self, share: Share) -> Self {
        self.share = Some(share);
        self
    }

    /// The number of targets.
    pub fn targets(&self) -> u32 {
        self.targets
    }

    /// The window.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// The share of the fleet, if it matters.
    pub fn share(&self) -> Option<Share> {
        self.share
    }

    /// The number of targets in a fleet of `size`; unknown when the share matters and the size is not known.
    pub(super) fn within(&self, size: Option<u64>) -> Option<u32> {
        let Some(share) = self.share else {
            return Some(self.targets);
        };
        let part = u128::from(size?) * u128::from(share.ppm()) / u128::from(Share::FULL.ppm());
        Some(u32::try_from(part).unwrap_or(u32::MAX).min(self.targets))
    }
}

/// How often an action may undo the one before it on the same target until the target is frozen.
///
/// Promotions and ramps are undone by rollbacks, quarantines by releases, scaling up by scaling down. Once as many reversals as
/// these happened within the window, only safety actions and messages pass for that target, until nothing has asked to turn
/// round again for the quiet time or a person acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlapLimit {
    reversals: NonZeroU32,
    window: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quiet: Option<Duration>,
}

impl FlapLimit {
    /// Freezes a target at `reversals` within `window`; the quiet time is the window.
    pub fn new(reversals: NonZeroU32, window: Duration) -> Self {
        Self {
            reversals,
            window,
            quiet: None,
        }
    }

    /// Sets the quiet time, which is never shorter than the window.
    #[must_use]
    pub fn with_quiet(mut self, quiet: Duration) -> Self {
        self.quiet = Some(quiet);
        self
    }

    /// The number of reversals.
    pub fn reversals(&self) -> NonZeroU32 {
        self.reversals
    }

    /// The window.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// How long nothing must ask to turn round again.
    pub fn quiet(&self) -> Duration {
        self.quiet.unwrap_or_default().max(self.window)
    }
}

/// How many actions there may be over everything, messages aside, within a sliding window.
///
/// The reserve is for safety actions alone: when changes have used up the budget, what makes things safer still passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TotalBudget {
    actions: u32,
    window: Duration,
    #[serde(default)]
    safety_reserve: u32,
}

impl TotalBudget {
    /// At most `actions` within `window`.
    pub fn new(actions: u32, window: Duration) -> Self {
        Self {
            actions,
            window,
            safety_reserve: 0,
        }
    }

    /// Sets how many safety actions may happen beyond the budget.
    #[must_use]
    pub fn with_safety_reserve(mut self, actions: u32) -> Self {
        self.safety_reserve = actions;
        self
    }

    /// The number of actions, without the reserve.
    pub fn actions(&self) -> u32 {
        self.actions
    }

    /// The window.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// How many safety actions may happen beyond the budget.
    pub fn safety_reserve(&self) -> u32 {
        self.safety_reserve
    }
}
