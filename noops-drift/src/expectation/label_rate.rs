use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use noops_core::{Alpha, Probability};
use serde::{Deserialize, Serialize};

use super::cells::{Cells, View};
use super::invalid;
use super::uniqueness::float_key;
use crate::error::DriftError;
use crate::gate::GateVerdict;
use noops_stats::special::binomial_sf;

/// The usual rate of a label in every partition of a batch, such as the clicks per country.
///
/// # Formula
///
/// Each of m partitions with k positive labels in n fails when P(X ≥ k) at the largest usual rate or P(X ≤ k) at the
/// smallest is below alpha / (2 m), X binomial: when the interval of Clopper and Pearson (1934) does not touch the usual
/// one. With independent labels whose rates are usual, the rule fails with probability at most alpha, over all partitions
/// of a batch together. A partition passes when its rate lies in the usual interval and n is large enough that either
/// side of it could have failed; else it is undecided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelRate {
    label: String,
    positive: String,
    partition: String,
    min: Probability,
    max: Probability,
    #[serde(default = "alpha")]
    alpha: Alpha,
}

impl LabelRate {
    /// Expects between `min` and `max` of the labels of each value of `partition` to be `positive`, at an alpha of 1 %.
    ///
    /// For a column of numbers `positive` is written as a number; true is `1`.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when `min` is above `max`.
    pub fn new(
        label: impl Into<String>,
        positive: impl Into<String>,
        partition: impl Into<String>,
        min: Probability,
        max: Probability,
    ) -> Result<Self, DriftError> {
        let rule = Self {
            label: label.into(),
            positive: positive.into(),
            partition: partition.into(),
            min,
            max,
            alpha: alpha(),
        };
        rule.validate()?;
        Ok(rule)
    }

    /// Sets how often a batch with usual rates may fail; 1 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// The column of labels.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The label that is counted.
    #[must_use]
    pub fn positive(&self) -> &str {
        &self.positive
    }

    /// The column whose values are the partitions.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The smallest usual rate.
    #[must_use]
    pub fn min(&self) -> Probability {
        self.min
    }

    /// The largest usual rate.
    #[must_use]
    pub fn max(&self) -> Probability {
        self.max
    }

    /// How often a batch with usual rates may fail.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    pub(super) fn validate(&self) -> Result<(), DriftError> {
        if self.min.get() > self.max.get() {
            return Err(invalid(format!(
                "have a `label_rate` of `{}` whose `min` is above its `max`; exchange them",
                self.label
            )));
        }
        Ok(())
    }

    fn judge(&self, partition: String, tally: Tally, share: f64) -> PartitionRate {
        let (min, max) = (self.min.get(), self.max.get());
        let Tally { rows, positives } = tally;
        let above = binomial_sf(positives, rows, max);
        let below = if min > 0.0 {
            binomial_sf(rows.saturating_sub(positives), rows, 1.0 - min)
        } else {
            1.0
        };
        let p_value = above.min(below);
        let rate = positives as f64 / rows.max(1) as f64;
        // What the most extreme labels would have shown.
        let sees_low = min <= 0.0 || binomial_sf(rows, rows, 1.0 - min) < share;
        let sees_high = max >= 1.0 || binomial_sf(rows, rows, max) < share;
        let verdict = if p_value < share {
            GateVerdict::Fail
        } else if rate >= min && rate <= max && sees_low && sees_high {
            GateVerdict::Pass
        } else {
            GateVerdict::Undecided
        };
        PartitionRate {
            partition,
            rows,
            positives,
            p_value,
            verdict,
        }
    }
}

/// The labels of one partition. It is named by its value, also where samples are hidden.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartitionRate {
    partition: String,
    rows: u64,
    positives: u64,
    p_value: f64,
    verdict: GateVerdict,
}

impl PartitionRate {
    /// The value of the partition column, as text.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// Its rows with a label.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Those of them with the positive label.
    #[must_use]
    pub fn positives(&self) -> u64 {
        self.positives
    }

    /// How often labels at the nearer end of the usual interval look so far outside it; one-sided, for this partition alone.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        self.p_value
    }

    /// Whether its rate is usual; undecided with too few rows to tell.
    #[must_use]
    pub fn verdict(&self) -> GateVerdict {
        self.verdict
    }
}

/// What the partitions of a batch say.
pub(super) enum Partitions {
    /// The failed ones first, then the undecided, each in the order of their first rows.
    Judged(Vec<PartitionRate>),
    /// The types of the columns are none that can be labels or partitions.
    Unsuited,
    TooMany,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    rows: u64,
    positives: u64,
}

/// Counts the rows in which neither label nor partition is null or NaN, and judges every partition.
pub(super) fn judge(rule: &LabelRate, label: &View<'_>, partition: &View<'_>) -> Partitions {
    let Some(labels) = labels(label, &rule.positive) else {
        return Partitions::Unsuited;
    };
    let groups = match groups(partition) {
        Ok(groups) => groups,
        Err(refusal) => return refusal,
    };
    let mut tallies = vec![Tally::default(); groups.first_rows.len()];
    for (group, label) in groups.of_rows.iter().zip(&labels) {
        let (Some(group), Some(positive)) = (group, label) else {
            continue;
        };
        if let Some(tally) = tallies.get_mut(*group) {
            tally.rows += 1;
            tally.positives += u64::from(*positive);
        }
    }
    let labelled = tallies.iter().filter(|tally| tally.rows > 0).count();
    let Some(sides) = NonZeroUsize::new(labelled.saturating_mul(2)) else {
        return Partitions::Judged(Vec::new());
    };
    let share = rule.alpha.split(sides).get();
    let names = partition.show(&groups.first_rows);
    let mut rates: Vec<PartitionRate> = names
        .into_iter()
        .zip(tallies)
        .filter(|(_, tally)| tally.rows > 0)
        .map(|(name, tally)| rule.judge(name, tally, share))
        .collect();
    // Stable, so equals stay in the order of their first rows.
    rates.sort_by_key(|rate| match rate.verdict {
        GateVerdict::Fail => 0_u8,
        GateVerdict::Undecided => 1,
        GateVerdict::Pass => 2,
    });
    Partitions::Judged(rates)
}

/// Whether each row has the positive label; nothing for a null or NaN.
fn labels(view: &View<'_>, positive: &str) -> Option<Vec<Option<bool>>> {
    if let Cells::Text(texts) = &view.cells {
        let mut labels = Vec::with_capacity(view.len);
        texts.for_each(|text| labels.push(text.map(|text| text == positive)));
        return Some(labels);
    }
    let positive: f64 = positive.trim().parse().ok()?;
    let values = view.doubles()?;
    Some(
        values
            .iter()
            .enumerate()
            .map(|(row, value)| {
                (!view.is_null(row) && !value.is_nan()).then_some(*value == positive)
            })
            .collect(),
    )
}

struct Groups {
    /// The number of each row's partition, in the order of their first rows.
    of_rows: Vec<Option<usize>>,
    first_rows: Vec<usize>,
}

impl Groups {
    fn push<K: Ord>(&mut self, numbers: &mut BTreeMap<K, usize>, key: Option<K>) {
        let row = self.of_rows.len();
        let group = key.map(|key| {
            let next = self.first_rows.len();
            *numbers.entry(key).or_insert_with(|| {
                self.first_rows.push(row);
                next
            })
        });
        self.of_rows.push(group);
    }

    fn is_too_many(&self) -> bool {
        self.first_rows.len() > MAX_PARTITIONS
    }
}

fn groups(view: &View<'_>) -> Result<Groups, Partitions> {
    let mut groups = Groups {
        of_rows: Vec::with_capacity(view.len),
        first_rows: Vec::new(),
    };
    if let Cells::Text(texts) = &view.cells {
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        texts.for_each(|text| {
            if groups.is_too_many() {
                return;
            }
            match text {
                // Most rows are of a partition that is there; only a new one is copied.
                Some(text) => match numbers.get(text) {
                    Some(group) => groups.of_rows.push(Some(*group)),
                    None => groups.push(&mut numbers, Some(text.to_owned())),
                },
                None => groups.of_rows.push(None),
            }
        });
    } else {
        let keys: Vec<Option<u64>> = if let Some(values) = view.integers() {
            values.iter().map(|value| Some(*value as u64)).collect()
        } else if let Cells::UInt64(values) = &view.cells {
            values.iter().map(|value| Some(*value)).collect()
        } else {
            let values = view.doubles().ok_or(Partitions::Unsuited)?;
            values.iter().map(|value| float_key(*value)).collect()
        };
        let mut numbers: BTreeMap<u64, usize> = BTreeMap::new();
        for (row, key) in keys.into_iter().enumerate() {
            if groups.is_too_many() {
                break;
            }
            groups.push(&mut numbers, key.filter(|_| !view.is_null(row)));
        }
    }
    if groups.is_too_many() {
        Err(Partitions::TooMany)
    } else {
        Ok(groups)
    }
}

fn alpha() -> Alpha {
    Alpha::ONE_PERCENT
}

/// With more partitions than this the rule is undecided: the column is an identifier.
pub(super) const MAX_PARTITIONS: usize = 10_000;
