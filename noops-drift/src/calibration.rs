mod evidence;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use noops_core::{LogE, MeanBet, Observed, Probability};
use serde::{Deserialize, Serialize};

pub use self::evidence::{Aspect, HarmEvidence};
pub use self::settings::CalibrationSettings;
use crate::error::DriftError;

/// Is the model being harmed? Watches labels against predicted probabilities, and may be read after every block for ever.
///
/// Drift of the inputs does not say whether predictions got worse; labels do. Labels of one day share the day's weather
/// or campaign, so they are no independent evidence: residuals are averaged over a block, such as a day, and a block is
/// one observation.
///
/// # Formula
///
/// With label y, prediction p and reference mean prediction p̄, a block has a mean residual of location, y − p, and of
/// spread, (y − p) · sign(p − p̄). Both are clamped to ±w. Four one-sided [`MeanBet`]s bet that their mean is above the
/// tolerance, or below minus it. The evidence is the average of the four e-values, and the alarm is when it has reached
/// 1 / alpha at any time.
///
/// While the conditional means of both clamped block residuals, given all earlier blocks, stay within the tolerance,
/// the probability that the alarm ever rises is at most alpha (Ville's inequality), whatever the dependence within
/// blocks. The hypothesis is about the clamped means: with rare blocks far beyond w on one side, the clamped mean can
/// leave the tolerance while the plain one does not, and the other way round. Choose w beyond what a block mean reaches.
///
/// It is also about the labels that are in when a block is closed. Close a block only when which of its labels are
/// still out no longer depends on how they come out: if positives take longer to be known than negatives, an early
/// close makes any model look too high. With 20 % of the positives late, a calibrated model that predicts one half on
/// average is 0.056 off in every closed block, and the alarm is certain. [`late`](Self::late) shows that it happens,
/// not which way.
///
/// The evidence counts blocks, not labels: with a spread of block means of 0.1, a shift of 0.1 takes some 40 blocks at
/// the default tolerance, and one of 0.06 some 100.
///
/// # Examples
///
/// ```
/// use noops_core::{Observed, Probability};
/// use noops_drift::{Aspect, CalibrationMonitor, CalibrationSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut monitor = CalibrationMonitor::new(CalibrationSettings::default())?;
/// let predicted = Probability::new(0.75)?;
/// for day in 0..60 {
///     for request in 0..100 {
///         let label = if request % 2 == 0 { Observed::Positive } else { Observed::Negative };
///         monitor.observe(day, predicted, label);
///     }
///     monitor.close_before(day + 1);
/// }
/// let evidence = monitor.evidence();
/// assert!(evidence.alarmed());
/// assert!(matches!(evidence.aspect(), Some(Aspect::TooHigh | Aspect::TooSteep)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawCalibrationMonitor")]
pub struct CalibrationMonitor {
    settings: CalibrationSettings,
    bets: [MeanBet; 4],
    max: LogE,
    open: BTreeMap<u64, Block>,
    closed_before: u64,
    late: u64,
    thin: u64,
    blocks: u64,
    labels: u64,
    location_sum: f64,
    spread_sum: f64,
}

impl CalibrationMonitor {
    /// Starts without evidence.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless the block range is above 0 and at most 1, and the tolerance is at least 0
    /// and below the block range.
    pub fn new(settings: CalibrationSettings) -> Result<Self, DriftError> {
        let edge = settings.validate()?;
        Ok(Self::start(settings, [(); 4].map(|()| MeanBet::new(edge))))
    }

    fn start(settings: CalibrationSettings, bets: [MeanBet; 4]) -> Self {
        Self {
            settings,
            bets,
            max: LogE::default(),
            open: BTreeMap::new(),
            closed_before: 0,
            late: 0,
            thin: 0,
            blocks: 0,
            labels: 0,
            location_sum: 0.0,
            spread_sum: 0.0,
        }
    }

    /// Adds a label to its block. Blocks may interleave; a label of a closed block is counted as late and has no effect.
    ///
    /// # Complexity
    ///
    /// O(log b) for b open blocks.
    pub fn observe(&mut self, block: u64, predicted: Probability, label: Observed) {
        if block < self.closed_before {
            self.late = self.late.saturating_add(1);
            return;
        }
        let residual = label.as_f64() - predicted.get();
        let side = predicted.get() - self.settings.reference_mean().get();
        let slope = if side > 0.0 {
            residual
        } else if side < 0.0 {
            -residual
        } else {
            0.0
        };
        let open = self.open.entry(block).or_default();
        open.labels = open.labels.saturating_add(1);
        open.location += residual;
        open.spread += slope;
    }

    /// Closes all blocks before `block`, in the order of their keys, and bets on each.
    ///
    /// A block with fewer labels than [`CalibrationSettings::min_block`] is dropped and counted as
    /// [`thin`](HarmEvidence::thin). Neither which blocks are thin nor which labels are late may depend on how the labels
    /// came out.
    pub fn close_before(&mut self, block: u64) {
        let still_open = self.open.split_off(&block);
        let closing = std::mem::replace(&mut self.open, still_open);
        self.closed_before = self.closed_before.max(block);
        for closed in closing.into_values() {
            self.bet_on(&closed);
        }
    }

    /// Drops the open blocks from `block` on, because the inputs of their predictions turned out to be broken.
    ///
    /// Blocks that are closed keep their bets, and nothing is counted as late or thin. A dropped block is not closed:
    /// labels that come for it later open it again, so leave out those of the broken predictions yourself. What is
    /// dropped must not be chosen by how the labels came out.
    pub fn discard_from(&mut self, block: u64) {
        self.open.retain(|key, _| *key < block);
    }

    /// Forgets everything but the settings, for a new champion.
    ///
    /// Feed only labels of the new champion's predictions afterwards. The error rate holds from reset to reset, not over all of them
    /// together.
    pub fn reset(&mut self) {
        if let Ok(fresh) = Self::new(self.settings.clone()) {
            *self = fresh;
        }
    }

    /// What the closed blocks say.
    pub fn evidence(&self) -> HarmEvidence {
        HarmEvidence::new(self)
    }

    /// Labels that came after their block was closed.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// The settings.
    pub fn settings(&self) -> &CalibrationSettings {
        &self.settings
    }

    fn bet_on(&mut self, block: &Block) {
        if block.labels == 0 || block.labels < self.settings.min_block() {
            self.thin = self.thin.saturating_add(1);
            return;
        }
        let location = block.location / block.labels as f64;
        let spread = block.spread / block.labels as f64;
        let range = self.settings.block_range();
        let unit =
            |mean: f64| (mean.clamp(-1.0, 1.0).max(-range).min(range) + range) / (2.0 * range);
        let sides = [unit(location), unit(-location), unit(spread), unit(-spread)];
        for (bet, side) in self.bets.iter_mut().zip(sides) {
            bet.observe(side);
        }
        self.blocks = self.blocks.saturating_add(1);
        self.labels = self.labels.saturating_add(block.labels);
        self.location_sum += location;
        self.spread_sum += spread;
        let now = self.log_e();
        if now > self.max {
            self.max = now;
        }
    }

    fn log_e(&self) -> LogE {
        let evidence: Vec<LogE> = self.bets.iter().map(MeanBet::log_e).collect();
        LogE::mean(&evidence)
    }
}

/// The sums of a block whose labels are still coming in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Block {
    labels: u64,
    location: f64,
    spread: f64,
}

impl Block {
    /// Residuals are from -1 to 1.
    fn is_sound(&self) -> bool {
        let most = self.labels as f64 * (1.0 + ROUNDING);
        self.labels > 0 && self.location.abs() <= most && self.spread.abs() <= most
    }
}

/// What a monitor is read from, before it is checked.
#[derive(Deserialize)]
struct RawCalibrationMonitor {
    settings: CalibrationSettings,
    bets: [MeanBet; 4],
    max: LogE,
    open: BTreeMap<u64, Block>,
    closed_before: u64,
    late: u64,
    thin: u64,
    blocks: u64,
    labels: u64,
    location_sum: f64,
    spread_sum: f64,
}

impl TryFrom<RawCalibrationMonitor> for CalibrationMonitor {
    type Error = DriftError;

    fn try_from(raw: RawCalibrationMonitor) -> Result<Self, DriftError> {
        let refused = |reason: &str| {
            Err(DriftError::InvalidState {
                state: "calibration monitor",
                reason: reason.to_owned(),
            })
        };
        raw.settings.validate()?;
        if raw.bets.iter().any(|bet| bet.observations() != raw.blocks) {
            return refused("its bets do not match its blocks");
        }
        if raw.labels < raw.blocks {
            return refused("it has fewer labels than blocks");
        }
        let most = raw.blocks as f64 * (1.0 + ROUNDING);
        let sums = [raw.location_sum, raw.spread_sum];
        if !sums.iter().all(|sum| sum.abs() <= most) {
            return refused("its sums are not those of residuals");
        }
        if raw
            .open
            .keys()
            .next()
            .is_some_and(|block| *block < raw.closed_before)
        {
            return refused("a closed block is open");
        }
        if !raw.open.values().all(Block::is_sound) {
            return refused("the sums of an open block are not those of residuals");
        }
        let read = Self {
            settings: raw.settings,
            bets: raw.bets,
            max: raw.max,
            open: raw.open,
            closed_before: raw.closed_before,
            late: raw.late,
            thin: raw.thin,
            blocks: raw.blocks,
            labels: raw.labels,
            location_sum: raw.location_sum,
            spread_sum: raw.spread_sum,
        };
        if read.log_e() > read.max || (read.blocks == 0 && read.max != LogE::default()) {
            return refused("its largest evidence is not that of its bets");
        }
        Ok(read)
    }
}

/// What sums of residuals may be beyond the sum of their bounds.
const ROUNDING: f64 = 1e-9;
