use noops_core::{LogE, Probability};
use serde::{Deserialize, Serialize};

/// What about a column moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DriftAspect {
    /// Values are larger or smaller than in the reference.
    Location,
    /// Values lie further apart or closer together.
    Spread,
    /// One side has become longer than the other.
    Skew,
    /// The tails have become heavier or lighter.
    Tails,
    /// Values are missing more or less often.
    Missingness,
    /// The category at this place of the reference has become more or less frequent.
    Category(usize),
    /// Categories that the reference does not list have become more or less frequent.
    Unlisted,
}

/// What a gate has seen so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct GateEvidence {
    rows: u64,
    log_e: LogE,
    max_log_e: LogE,
    alarmed: Alarm,
    aspect: Option<DriftAspect>,
    aspect_share: Probability,
}

impl GateEvidence {
    pub(super) fn new(rows: u64, now: f64, max: f64, needed: f64, lead: Lead) -> Self {
        let grown = now > 1.0;
        Self {
            rows,
            log_e: LogE::new(now.ln()),
            max_log_e: LogE::new(max.ln()),
            alarmed: if max >= needed {
                Alarm::Raised
            } else {
                Alarm::Silent
            },
            aspect: grown.then_some(lead.aspect).flatten(),
            aspect_share: if grown { lead.share } else { Probability::ZERO },
        }
    }

    /// How many rows the gate has counted.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The evidence now: an e-value at any stopping time, if the reference is within its error.
    pub fn log_e(&self) -> LogE {
        self.log_e
    }

    /// The largest evidence so far, which is what the alarm is about. It is no e-value.
    pub fn max_log_e(&self) -> LogE {
        self.max_log_e
    }

    /// Whether the evidence has ever reached the threshold.
    pub fn alarmed(&self) -> bool {
        self.alarmed == Alarm::Raised
    }

    /// The aspect that holds the largest part of the evidence; nothing while there is no evidence.
    ///
    /// It is a description and has no error rate of its own: a large shift of location also looks like one of spread.
    pub fn aspect(&self) -> Option<DriftAspect> {
        self.aspect
    }

    /// The part of the evidence that the leading aspect holds.
    pub fn aspect_share(&self) -> Probability {
        self.aspect_share
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Alarm {
    Silent,
    Raised,
}

/// The aspect with the most wealth, and its part of all wealth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lead {
    pub(super) aspect: Option<DriftAspect>,
    pub(super) share: Probability,
}

impl Lead {
    /// The first of the largest.
    pub(super) fn of(wealths: impl Iterator<Item = (DriftAspect, f64)>) -> Self {
        let mut total = 0.0;
        let mut best: Option<(DriftAspect, f64)> = None;
        for (aspect, wealth) in wealths {
            total += wealth;
            if best.is_none_or(|(_, most)| wealth > most) {
                best = Some((aspect, wealth));
            }
        }
        let share = best.map_or(
            0.0,
            |(_, most)| if total > 0.0 { most / total } else { 0.0 },
        );
        Self {
            aspect: best.map(|(aspect, _)| aspect),
            share: Probability::new(share.min(1.0)).unwrap_or(Probability::ZERO),
        }
    }
}
