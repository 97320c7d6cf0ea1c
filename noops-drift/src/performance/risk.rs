mod evidence;
mod settings;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use noops_core::{LogE, MeanBet, Probability};
use serde::{Deserialize, Serialize};

pub use self::evidence::RiskEvidence;
pub use self::settings::{BetUnit, RiskSettings};
pub use self::source::SourceRisk;
use super::check::{contradiction, invalid};
use crate::error::DriftError;

/// Has the risk of the model grown by more than is tolerated? Watches labels as they come in, and may be read after every one for ever.
///
/// Drift that does no harm never raises the alarm: only losses count. A loss is a number from 0 to 1, such as 1 for a wrong prediction.
///
/// # Formula
///
/// The risk of the reference is at most U with probability 1 − alpha/2 ([`SourceRisk::upper_bound`]). A [`MeanBet`] then bets that
/// the mean loss exceeds U + tolerance, and the alarm is when it has ever reached 2 / alpha. While each loss has, given those before it, a mean of
/// at most that of the reference plus the tolerance, the alarm ever rises with probability at most alpha (Podkopaev
/// and Ramdas, 2022; with bets in place of bounds, Timans et al., 2025). A second bet that the mean is below U + tolerance shows harmlessness:
/// it is claimed with probability at most alpha/2 for ever while the risk is above.
///
/// Labels may come late and in any order. They are kept by block and offset, bet on only when their block is closed, in the order
/// of their offsets, and a second label of an offset is not taken, so nothing counts twice.
///
/// # Numerical notes
///
/// Rows of the reference must be independent and from held-out data. Betting on rows needs the conditional mean of each loss given the earlier rows
/// to stay within the bound; when the rows of a day share its weather, bet on [`BetUnit::Block`]s. Close a block only when which of its labels are out no longer depends on
/// how they come out.
///
/// At alpha = 5 %, tolerance 0.02 and 20,000 reference rows of risk 0.2, a risk of 0.3 takes some 300 rows to be found, half of the time fewer.
/// A harm that begins after many harmless rows takes longer, as what they lost must be won back: [`reset`](Self::reset) at a known change.
///
/// # Complexity
///
/// O(log n) per label for n labels in open blocks, all of which are kept.
///
/// # Examples
///
/// ```
/// use noops_drift::performance::{RiskMonitor, RiskSettings, SourceRisk};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// // Every fifth prediction was wrong.
/// let reference: Vec<f64> = (0..5_000).map(|row| if row % 5 == 0 { 1.0 } else { 0.0 }).collect();
/// let mut monitor = RiskMonitor::new(SourceRisk::fit(&reference)?, RiskSettings::default())?;
/// // Now every second one is.
/// for row in 0..400_u64 {
///     let _ = monitor.observe(row / 100, row, if row % 2 == 0 { 1.0 } else { 0.0 });
/// }
/// monitor.close_before(4);
/// assert!(monitor.evidence().alarmed());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRiskMonitor")]
pub struct RiskMonitor {
    settings: RiskSettings,
    source: SourceRisk,
    allowed: f64,
    harmful: MeanBet,
    harmless: MeanBet,
    open: BTreeMap<u64, BTreeMap<u64, f64>>,
    closed_before: u64,
    late: u64,
    repeated: u64,
    refused: u64,
    labels: u64,
}

/// What became of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub enum Arrival {
    /// It is kept until its block is closed.
    Kept,
    /// Its offset already has a label in this block, which stays.
    Repeated,
    /// Its block is closed.
    Late,
    /// Its loss is no number from 0 to 1.
    Refused,
}

impl RiskMonitor {
    /// Starts without evidence.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`], and [`DriftError::InvalidInput`] when the reference has so few rows or so large a risk that
    /// nothing would be above what is tolerated.
    pub fn new(source: SourceRisk, settings: RiskSettings) -> Result<Self, DriftError> {
        settings.validate()?;
        let allowed = source.upper_bound(settings.half_alpha()) + settings.tolerance();
        let room = || {
            invalid(
                "source",
                format!(
                    "leaves no risk above `{allowed}` to be found; pass more rows or a smaller tolerance"
                ),
            )
        };
        if allowed.is_nan() || allowed >= 1.0 {
            return Err(room());
        }
        let edge = Probability::new(allowed).map_err(|_| room())?;
        Ok(Self {
            settings,
            source,
            allowed,
            harmful: MeanBet::new(edge),
            harmless: MeanBet::new(edge.complement()),
            open: BTreeMap::new(),
            closed_before: 0,
            late: 0,
            repeated: 0,
            refused: 0,
            labels: 0,
        })
    }

    /// Keeps the loss of the row at this offset until its block is closed.
    pub fn observe(&mut self, block: u64, offset: u64, loss: f64) -> Arrival {
        if !(0.0..=1.0).contains(&loss) {
            self.refused = self.refused.saturating_add(1);
            return Arrival::Refused;
        }
        if block < self.closed_before {
            self.late = self.late.saturating_add(1);
            return Arrival::Late;
        }
        let rows = self.open.entry(block).or_default();
        if rows.contains_key(&offset) {
            self.repeated = self.repeated.saturating_add(1);
            return Arrival::Repeated;
        }
        rows.insert(offset, loss);
        Arrival::Kept
    }

    /// Closes all blocks before `block`, in the order of their keys, and bets on their losses.
    pub fn close_before(&mut self, block: u64) {
        let still_open = self.open.split_off(&block);
        let closing = std::mem::replace(&mut self.open, still_open);
        self.closed_before = self.closed_before.max(block);
        for rows in closing.into_values() {
            self.labels = self.labels.saturating_add(rows.len() as u64);
            match self.settings.unit() {
                BetUnit::Row => rows.values().for_each(|loss| self.bet(*loss)),
                BetUnit::Block if rows.is_empty() => {}
                BetUnit::Block => {
                    let mean = rows.values().sum::<f64>() / rows.len() as f64;
                    self.bet(mean);
                }
            }
        }
    }

    /// Forgets all labels, for a new model of the same reference risk or after a known change.
    ///
    /// The error rate holds from reset to reset, not over all of them together. Closed blocks are forgotten too: pass no label again that
    /// came before, and none of the old model's predictions.
    pub fn reset(&mut self) {
        if let Ok(fresh) = Self::new(self.source.clone(), self.settings.clone()) {
            *self = fresh;
        }
    }

    /// What the closed blocks say.
    pub fn evidence(&self) -> RiskEvidence {
        RiskEvidence::new(self)
    }

    /// The risk of the reference.
    #[must_use]
    pub fn source(&self) -> &SourceRisk {
        &self.source
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &RiskSettings {
        &self.settings
    }

    fn bet(&mut self, loss: f64) {
        self.harmful.observe(loss);
        self.harmless.observe(1.0 - loss);
    }

    fn log_e(&self) -> LogE {
        self.harmful.log_e()
    }
}

#[derive(Deserialize)]
struct RawRiskMonitor {
    settings: RiskSettings,
    source: SourceRisk,
    allowed: f64,
    harmful: MeanBet,
    harmless: MeanBet,
    open: BTreeMap<u64, BTreeMap<u64, f64>>,
    closed_before: u64,
    late: u64,
    repeated: u64,
    refused: u64,
    labels: u64,
}

impl TryFrom<RawRiskMonitor> for RiskMonitor {
    type Error = DriftError;

    fn try_from(raw: RawRiskMonitor) -> Result<Self, DriftError> {
        let refused = |reason: &str| Err(contradiction("risk monitor", reason));
        let fresh = Self::new(raw.source, raw.settings)?;
        if (fresh.allowed - raw.allowed).abs() > 1e-9 {
            return refused("the tolerated risk does not follow from its reference and settings");
        }
        let bets = raw.harmful.observations();
        if bets != raw.harmless.observations() || bets > raw.labels {
            return refused("its bets do not match its labels");
        }
        if raw
            .open
            .keys()
            .next()
            .is_some_and(|block| *block < raw.closed_before)
        {
            return refused("a closed block is open");
        }
        let mut losses = raw.open.values().flat_map(BTreeMap::values);
        if !losses.all(|loss| (0.0..=1.0).contains(loss)) {
            return refused("it holds a loss that is not between 0 and 1");
        }
        Ok(Self {
            harmful: raw.harmful,
            harmless: raw.harmless,
            open: raw.open,
            closed_before: raw.closed_before,
            late: raw.late,
            repeated: raw.repeated,
            refused: raw.refused,
            labels: raw.labels,
            ..fresh
        })
    }
}
