use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::slo::{Severity, SloError};

/// How much of its budget an objective has spent, in the steps that change what automation may do.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum BudgetTier {
    /// Nothing to do.
    #[default]
    Healthy,
    /// Somebody should know.
    Awareness,
    /// Somebody should act, and a promotion needs approval.
    Mitigation,
    /// Only rollbacks and safety actions may run.
    Frozen,
}

impl BudgetTier {
    /// Every tier, lowest first.
    pub const ALL: [Self; 4] = [
        Self::Healthy,
        Self::Awareness,
        Self::Mitigation,
        Self::Frozen,
    ];

    /// How loudly to say that the tier was reached.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Healthy => None,
            Self::Awareness => Some(Severity::Ticket),
            Self::Mitigation | Self::Frozen => Some(Severity::Page),
        }
    }

    /// Whether a promotion needs approval.
    pub fn needs_approval(self) -> bool {
        self >= Self::Mitigation
    }

    /// Whether promotions are frozen.
    pub fn is_frozen(self) -> bool {
        self == Self::Frozen
    }
}

/// At which part of the budget each tier begins, and how far below it ends.
///
/// # Examples
///
/// ```
/// use noops_policy::slo::BudgetLadder;
///
/// let ladder = BudgetLadder::default();
/// assert_eq!(ladder.awareness(), 0.25);
/// assert!(BudgetLadder::new(0.5, 0.4, 1.0, 0.05).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawLadder")]
pub struct BudgetLadder {
    awareness: f64,
    mitigation: f64,
    freeze: f64,
    release: f64,
}

impl BudgetLadder {
    /// Checks the parts: 0 < awareness < mitigation < freeze, and a release margin of at least 0 and below awareness.
    ///
    /// # Errors
    ///
    /// [`SloError::Setting`] for any other order, and for what is not finite.
    pub fn new(
        awareness: f64,
        mitigation: f64,
        freeze: f64,
        release: f64,
    ) -> Result<Self, SloError> {
        let ordered = 0.0 < awareness
            && awareness < mitigation
            && mitigation < freeze
            && freeze.is_finite()
            && (0.0..awareness).contains(&release);
        if ordered {
            Ok(Self {
                awareness,
                mitigation,
                freeze,
                release,
            })
        } else {
            Err(SloError::Setting {
                name: "ladder",
                problem: format!(
                    "`{awareness}`, `{mitigation}`, `{freeze}` must rise from above 0, and the release margin `{release}` lie from 0 to below the first"
                ),
            })
        }
    }

    /// The part that begins awareness.
    pub fn awareness(&self) -> f64 {
        self.awareness
    }

    /// The part that begins mitigation.
    pub fn mitigation(&self) -> f64 {
        self.mitigation
    }

    /// The part that freezes promotions.
    pub fn freeze(&self) -> f64 {
        self.freeze
    }

    /// How far below its part a tier ends.
    pub fn release(&self) -> f64 {
        self.release
    }

    fn tier_at(&self, consumed: f64) -> BudgetTier {
        if consumed >= self.freeze {
            BudgetTier::Frozen
        } else if consumed >= self.mitigation {
            BudgetTier::Mitigation
        } else if consumed >= self.awareness {
            BudgetTier::Awareness
        } else {
            BudgetTier::Healthy
        }
    }
}

impl Default for BudgetLadder {
    /// 25 %, 50 % and 100 %, released 5 percentage points below.
    fn default() -> Self {
        Self {
            awareness: 0.25,
            mitigation: 0.5,
            freeze: 1.0,
            release: 0.05,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLadder {
    awareness: f64,
    mitigation: f64,
    freeze: f64,
    release: f64,
}

impl TryFrom<RawLadder> for BudgetLadder {
    type Error = SloError;

    fn try_from(raw: RawLadder) -> Result<Self, SloError> {
        Self::new(raw.awareness, raw.mitigation, raw.freeze, raw.release)
    }
}

/// A change of tier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierChange {
    from: BudgetTier,
    to: BudgetTier,
    at: Timestamp,
    reason: TierReason,
}

impl TierChange {
    /// The tier before.
    pub fn from(&self) -> BudgetTier {
        self.from
    }

    /// The tier after.
    pub fn to(&self) -> BudgetTier {
        self.to
    }

    /// When.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Why.
    pub fn reason(&self) -> TierReason {
        self.reason
    }
}

/// Why a tier changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TierReason {
    /// More of the budget was spent.
    Spent,
    /// Enough of the budget came back.
    Recovered,
    /// A new calendar window began with a full budget.
    NewWindow,
}

/// The tier in force. It rises at once, falls only below the release margin, and stays where nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TierMemory {
    tier: BudgetTier,
    window: Option<Timestamp>,
}

impl TierMemory {
    pub(crate) fn tier(self) -> BudgetTier {
        self.tier
    }

    /// `window` is the start of the calendar window, which a rolling budget has not.
    pub(crate) fn step(
        &mut self,
        ladder: &BudgetLadder,
        consumed: Option<f64>,
        window: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<TierChange> {
        let from = self.tier;
        let renewed = self.window.is_some() && self.window != window;
        self.window = window;
        if renewed {
            self.tier = BudgetTier::Healthy;
        }
        if let Some(consumed) = consumed.filter(|part| !part.is_nan()) {
            let reached = ladder.tier_at(consumed);
            let kept = ladder.tier_at(consumed + ladder.release);
            // What the margin alone still reaches is kept only as far as it was latched.
            self.tier = reached.max(self.tier.min(kept));
        }
        (self.tier != from).then_some(TierChange {
            from,
            to: self.tier,
            at: now,
            reason: if self.tier > from {
                TierReason::Spent
            } else if renewed {
                TierReason::NewWindow
            } else {
                TierReason::Recovered
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(consumed: &[Option<f64>]) -> Vec<BudgetTier> {
        let mut memory = TierMemory::default();
        consumed
            .iter()
            .map(|part| {
                let ladder = BudgetLadder::default();
                let _ = memory.step(&ladder, *part, None, Timestamp::UNIX_EPOCH);
                memory.tier()
            })
            .collect()
    }

    #[test]
    fn tiers_latch_and_release_five_points_below() {
        use BudgetTier::{Awareness, Frozen, Healthy, Mitigation};
        let parts = [
            0.24, 0.25, 0.21, 0.19, 0.5, 0.46, 0.44, 1.0, 0.96, 0.94, 0.1,
        ];
        let tiers = run(&parts.map(Some));
        let expected = [
            Healthy, Awareness, Awareness, Healthy, Mitigation, Mitigation, Awareness, Frozen,
            Frozen, Mitigation, Healthy,
        ];
        assert_eq!(tiers, expected);
    }

    #[test]
    fn the_unknown_does_not_thaw() {
        assert_eq!(
            run(&[Some(1.2), None, Some(f64::NAN)]),
            [BudgetTier::Frozen; 3]
        );
    }

    #[test]
    fn a_new_calendar_window_begins_with_a_full_budget() {
        let mut memory = TierMemory::default();
        let ladder = BudgetLadder::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        let spent = memory
            .step(&ladder, Some(1.5), Some(at(0)), at(10))
            .unwrap();
        assert_eq!(spent.to(), BudgetTier::Frozen);
        assert_eq!(spent.reason(), TierReason::Spent);
        let renewed = memory.step(&ladder, None, Some(at(100)), at(100)).unwrap();
        assert_eq!(renewed.to(), BudgetTier::Healthy);
        assert_eq!(renewed.reason(), TierReason::NewWindow);
    }

    #[test]
    fn ladders_out_of_order_are_refused() {
        for parts in [
            [0.0, 0.5, 1.0, 0.0],
            [0.5, 0.25, 1.0, 0.05],
            [0.25, 0.5, f64::INFINITY, 0.05],
            [0.25, 0.5, 1.0, 0.25],
            [0.25, f64::NAN, 1.0, 0.05],
        ] {
            let [awareness, mitigation, freeze, release] = parts;
            assert!(BudgetLadder::new(awareness, mitigation, freeze, release).is_err());
        }
    }

    proptest! {
        #[test]
        fn wobble_within_the_margin_changes_the_tier_at_most_once(
            base in 0.0f64..1.2,
            wobble in prop::collection::vec(0.0f64..0.049, 1..50),
        ) {
            let parts: Vec<Option<f64>> = wobble.iter().map(|part| Some(base + part)).collect();
            let tiers = run(&parts);
            let changes = tiers.windows(2).filter(|pair| pair[0] != pair[1]).count();
            prop_assert!(changes <= 1);
        }
    }
}
