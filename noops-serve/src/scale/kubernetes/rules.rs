//! How fast and how late to scale.

use std::collections::VecDeque;

/// How much may change within a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalingPolicy {
    /// So many replicas.
    Replicas {
        /// How many.
        most: u32,
        /// Within how many seconds.
        period: u32,
    },
    /// So much of what there was at the start of the period.
    Percent {
        /// How many hundredths.
        most: u32,
        /// Within how many seconds.
        period: u32,
    },
}

impl ScalingPolicy {
    /// Over how many seconds changes are added up.
    #[must_use]
    pub fn period(&self) -> u32 {
        match self {
            Self::Replicas { period, .. } | Self::Percent { period, .. } => *period,
        }
    }
}

/// Which of several policies holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelectPolicy {
    /// The one that allows the largest change.
    #[default]
    Max,
    /// The one that allows the smallest change.
    Min,
    /// None: this direction is closed.
    Disabled,
}

/// One direction of scaling: how long a recommendation must have held, and how fast it is followed.
///
/// # Examples
///
/// ```
/// use noops_serve::scale::{ScalingPolicy, ScalingRules, SelectPolicy};
///
/// let slowly = ScalingRules::down()
///     .with_window(600)
///     .with_policies([ScalingPolicy::Replicas { most: 1, period: 60 }])
///     .with_select(SelectPolicy::Min);
/// assert_eq!(slowly.window(), 600);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalingRules {
    window: u32,
    policies: Vec<ScalingPolicy>,
    select: SelectPolicy,
}

impl ScalingRules {
    /// The default for scaling up: at once, by the larger of double and four replicas in 15 s.
    #[must_use]
    pub fn up() -> Self {
        Self {
            window: 0,
            policies: vec![
                ScalingPolicy::Percent {
                    most: 100,
                    period: 15,
                },
                ScalingPolicy::Replicas {
                    most: 4,
                    period: 15,
                },
            ],
            select: SelectPolicy::Max,
        }
    }

    /// The default for scaling down: what was not exceeded for 300 s, all of it.
    #[must_use]
    pub fn down() -> Self {
        Self {
            window: 300,
            policies: vec![ScalingPolicy::Percent {
                most: 100,
                period: 15,
            }],
            select: SelectPolicy::Max,
        }
    }

    /// Follows a recommendation after so many seconds of it.
    #[must_use]
    pub fn with_window(mut self, seconds: u32) -> Self {
        self.window = seconds;
        self
    }

    /// Bounds how fast. Without any policy nothing is changed.
    #[must_use]
    pub fn with_policies(mut self, policies: impl IntoIterator<Item = ScalingPolicy>) -> Self {
        self.policies = policies.into_iter().collect();
        self
    }

    /// Chooses among the policies.
    #[must_use]
    pub fn with_select(mut self, select: SelectPolicy) -> Self {
        self.select = select;
        self
    }

    /// After how many seconds a recommendation is followed.
    #[must_use]
    pub fn window(&self) -> u32 {
        self.window
    }

    /// How fast.
    #[must_use]
    pub fn policies(&self) -> &[ScalingPolicy] {
        &self.policies
    }

    /// The most replicas that these rules let `current` grow to.
    pub(super) fn ceiling(&self, current: u32, second: i64, changes: &VecDeque<(i64, i64)>) -> u32 {
        let allowed = self.policies.iter().map(|policy| {
            let start = at_start(policy, current, second, changes);
            match policy {
                ScalingPolicy::Replicas { most, .. } => start.saturating_add(i64::from(*most)),
                // Up, so that one replica can become two at any percentage.
                ScalingPolicy::Percent { most, .. } => {
                    start
                        .saturating_mul(100 + i64::from(*most))
                        .saturating_add(99)
                        / 100
                }
            }
        });
        let most = match self.select {
            SelectPolicy::Max => allowed.max(),
            SelectPolicy::Min => allowed.min(),
            SelectPolicy::Disabled => None,
        };
        most.map_or(current, saturated).max(current)
    }

    /// The fewest replicas that these rules let `current` shrink to.
    pub(super) fn floor(&self, current: u32, second: i64, changes: &VecDeque<(i64, i64)>) -> u32 {
        let allowed = self.policies.iter().map(|policy| {
            let start = at_start(policy, current, second, changes);
            match policy {
                ScalingPolicy::Replicas { most, .. } => start.saturating_sub(i64::from(*most)),
                ScalingPolicy::Percent { most, .. } => {
                    start.saturating_mul((100 - i64::from(*most)).max(0)) / 100
                }
            }
        });
        let least = match self.select {
            SelectPolicy::Max => allowed.min(),
            SelectPolicy::Min => allowed.max(),
            SelectPolicy::Disabled => None,
        };
        least.map_or(current, saturated).min(current)
    }
}

/// How many replicas there were when the period of a policy began.
fn at_start(
    policy: &ScalingPolicy,
    current: u32,
    second: i64,
    changes: &VecDeque<(i64, i64)>,
) -> i64 {
    let end = second.saturating_sub(i64::from(policy.period()));
    let recent = changes.iter().filter(|(at, _)| *at > end);
    recent.fold(i64::from(current), |start, (_, change)| {
        start.saturating_sub(*change)
    })
}

fn saturated(replicas: i64) -> u32 {
    u32::try_from(replicas.max(0)).unwrap_or(u32::MAX)
}
