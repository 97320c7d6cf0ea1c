use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::column_counts::ColumnCounts;
use crate::profile::{ColumnProfile, Distinct};
use crate::statistic::comparison::VISIBLE_POWER;
use crate::statistic::{Occurrence, equal_rates_p_value};
use noops_stats::special::binomial_sf;

/// How often the values of a column are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnRates {
    missing: f64,
    not_finite: f64,
    unseen: f64,
    out_of_range: f64,
}

impl ColumnRates {
    pub(super) fn of(counts: &ColumnCounts) -> Self {
        let rows = counts.rows();
        let present = counts.present();
        Self {
            missing: rate(counts.missing(), rows),
            not_finite: rate(counts.not_finite(), rows),
            unseen: rate(counts.unseen(), present),
            out_of_range: rate(counts.out_of_range(), present),
        }
    }

    /// The share of rows that are null.
    pub fn missing(&self) -> f64 {
        self.missing
    }

    /// The share of rows that are NaN or infinite.
    pub fn not_finite(&self) -> f64 {
        self.not_finite
    }

    /// The share of usable values that are categories the profile does not list.
    pub fn unseen(&self) -> f64 {
        self.unseen
    }

    /// The share of usable values that are outside the range of the reference.
    pub fn out_of_range(&self) -> f64 {
        self.out_of_range
    }
}

/// A rate of a column that is tested on its own, because a jump of it is drift however rare it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RateKind {
    /// The share of rows that are null.
    Missing,
    /// The share of rows that are NaN or infinite.
    NotFinite,
    /// The share of usable values that are categories the profile does not list.
    Unseen,
    /// The share of numbers that are not the only one the reference had; tested for a reference that never varied.
    OutOfRange,
}

/// A rate and how surprising its change is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RateTest {
    pub(super) kind: RateKind,
    pub(super) p_value: f64,
}

impl RateTest {
    /// A test for every rate that is not 0 on both sides.
    ///
    /// The others cannot reject. Each test is conditional on how many rows of both sides together have its property,
    /// so leaving them out by that number does not favour either answer.
    ///
    /// How many values are outside the range of the reference is no test of a reference that varied, because its own
    /// values made the range.
    pub(super) fn all(profile: &ColumnProfile, current: &ColumnCounts) -> Vec<Self> {
        let reference = profile.counts();
        let constant = profile.distinct() == Distinct::Exactly(1);
        let kinds = [
            Some(RateKind::Missing),
            Some(RateKind::NotFinite),
            Some(RateKind::Unseen),
            constant.then_some(RateKind::OutOfRange),
        ];
        kinds
            .into_iter()
            .flatten()
            .map(|kind| (kind, occurrence(kind, reference), occurrence(kind, current)))
            .filter(|(_, reference, current)| reference.count > 0 || current.count > 0)
            .map(|(kind, reference, current)| Self {
                kind,
                p_value: equal_rates_p_value(reference, current),
            })
            .collect()
    }
}

/// Whether values that were one and the same on both sides would most likely have shown it, had a twentieth of the current
/// ones been another.
pub(super) fn another_value_would_have_shown(reference: u64, current: u64, alpha: Alpha) -> bool {
    let shows = |count: u64| {
        let before = Occurrence {
            count: 0,
            rows: reference,
        };
        let now = Occurrence {
            count,
            rows: current,
        };
        equal_rates_p_value(before, now) < alpha.get()
    };
    // More of another value are more surprising, as long as they are the rarer part.
    let (mut hidden, mut shown) = (0, current / 2);
    if !shows(shown) {
        return false;
    }
    while shown - hidden > 1 {
        let middle = hidden + (shown - hidden) / 2;
        if shows(middle) {
            shown = middle;
        } else {
            hidden = middle;
        }
    }
    binomial_sf(shown, current, SHARE_THAT_MATTERS) >= VISIBLE_POWER
}

pub(super) fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn occurrence(kind: RateKind, counts: &ColumnCounts) -> Occurrence {
    let (count, rows) = match kind {
        RateKind::Missing => (counts.missing(), counts.rows()),
        RateKind::NotFinite => (counts.not_finite(), counts.rows()),
        RateKind::Unseen => (counts.unseen(), counts.present()),
        RateKind::OutOfRange => (counts.out_of_range(), counts.present()),
    };
    Occurrence { count, rows }
}

const SHARE_THAT_MATTERS: f64 = 0.05;
