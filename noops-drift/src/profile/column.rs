use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::binning::{Binning, ValueRange};
use super::builder::Seen;
use super::distinct::Distinct;
use super::edges::quantile_cut;
use super::moments::Moments;
use super::runs::Run;
use super::settings::ProfileSettings;
use crate::column_counts::ColumnCounts;
use crate::error::DriftError;

/// One column of a [`Profile`](crate::Profile): its cells, the reference counted in them, and what describes the reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    name: String,
    types: Vec<String>,
    binning: Binning,
    counts: ColumnCounts,
    distinct: Distinct,
    moments: Option<Moments>,
    /// Finer than the bins, for what needs the distribution itself; empty for a text.
    quantiles: Vec<Quantile>,
}

/// How many reference values are at most a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    value: f64,
    at_most: u64,
}

impl Quantile {
    /// A number of the reference, or the end of a bucket of near numbers.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// How many finite numbers of the reference are at most [`value`](Self::value). Exact.
    #[must_use]
    pub fn at_most(&self) -> u64 {
        self.at_most
    }
}

impl ColumnProfile {
    pub(super) fn of_seen(
        name: String,
        types: Vec<String>,
        missing: u64,
        seen: Seen,
        settings: &ProfileSettings,
    ) -> Self {
        match seen {
            Seen::Number {
                mut runs,
                nan,
                positive_infinity,
                negative_infinity,
            } => {
                runs.settle();
                let finite = runs
                    .runs()
                    .fold(0_u64, |sum, run| sum.saturating_add(run.count));
                let cut = quantile_cut(runs.runs(), finite, settings.bins().get());
                let range = ValueRange::of(
                    runs.runs().next().map(|run| run.low),
                    runs.runs().last().map(|run| run.high),
                );
                let distinct = runs.runs().count() as u64;
                Self {
                    name,
                    types,
                    binning: Binning::Number {
                        edges: cut.edges,
                        range,
                    },
                    counts: ColumnCounts::of_numbers(
                        cut.counts,
                        missing,
                        nan,
                        positive_infinity,
                        negative_infinity,
                    ),
                    distinct: if runs.is_exact() {
                        Distinct::Exactly(distinct)
                    } else {
                        Distinct::AtLeast(distinct)
                    },
                    moments: Moments::of(runs.runs()),
                    quantiles: quantiles(runs.runs(), finite, settings.resolution().get()),
                }
            }
            Seen::Category { frequency } => {
                let distinct = frequency.len() as u64;
                let all = frequency
                    .values()
                    .fold(0_u64, |sum, count| sum.saturating_add(*count));
                let (categories, bins) = most_frequent(frequency, settings.max_categories().get());
                let listed = bins
                    .iter()
                    .fold(0_u64, |sum, count| sum.saturating_add(*count));
                Self {
                    name,
                    types,
                    binning: Binning::Category { categories },
                    counts: ColumnCounts::of_texts(bins, all.saturating_sub(listed), missing),
                    distinct: Distinct::Exactly(distinct),
                    moments: None,
                    quantiles: Vec::new(),
                }
            }
        }
    }

    /// The column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Arrow types that the reference's batches had for it, sorted; mostly one.
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// The cells it is counted in.
    pub fn binning(&self) -> &Binning {
        &self.binning
    }

    /// The reference, counted.
    pub fn counts(&self) -> &ColumnCounts {
        &self.counts
    }

    /// How many different usable values the reference had.
    pub fn distinct(&self) -> Distinct {
        self.distinct
    }

    /// The moments of the finite numbers; nothing for a text, for a column without one, or when they are beyond the numbers.
    pub fn moments(&self) -> Option<Moments> {
        self.moments
    }

    /// The empirical distribution function of the reference at [`ProfileSettings::resolution`] points; empty for a text.
    pub fn quantiles(&self) -> &[Quantile] {
        &self.quantiles
    }

    /// The listed categories and how often the reference had each, the most frequent first; nothing for a number.
    pub fn most_frequent(&self) -> Vec<Frequency<'_>> {
        let Binning::Category { categories } = &self.binning else {
            return Vec::new();
        };
        let mut frequencies: Vec<Frequency<'_>> = categories
            .iter()
            .zip(self.counts.bins())
            .map(|(category, count)| Frequency {
                category,
                count: *count,
            })
            .collect();
        // Stable, so equal counts stay in the order of their names.
        frequencies.sort_by_key(|frequency| std::cmp::Reverse(frequency.count));
        frequencies
    }

    pub(super) fn validate(&self, rows: u64) -> Result<(), DriftError> {
        let contradiction = if let Some(contradiction) = self.binning.contradiction() {
            contradiction
        } else if self.counts.bins().len() != self.binning.bins() {
            "the number of counts is not the number of bins"
        } else if self.counts.exact_rows() != u128::from(rows) || !self.counts_fit() {
            "the counts do not add up to the rows"
        } else if self.moments.is_some_and(|moments| !moments.is_valid()) {
            "a moment is not a number"
        } else if !self.quantiles_ascend() {
            "the quantiles are not finite and ascending up to the counted values"
        } else {
            return Ok(());
        };
        Err(DriftError::InvalidProfile {
            reason: format!("column `{}`: {contradiction}", self.name),
        })
    }

    /// Whether only cells of this kind of column are counted, and none outside the reference's own range.
    fn counts_fit(&self) -> bool {
        let of_kind = match &self.binning {
            Binning::Number { range, .. } => {
                self.counts.unseen() == 0 && range.is_some() == (self.counts.present() > 0)
            }
            Binning::Category { .. } => self.counts.not_finite() == 0 && self.moments.is_none(),
        };
        of_kind && self.counts.out_of_range() == 0
    }

    fn quantiles_ascend(&self) -> bool {
        let values = match &self.binning {
            Binning::Number { .. } => self.counts.present(),
            Binning::Category { .. } => 0,
        };
        self.quantiles
            .iter()
            .all(|quantile| quantile.value.is_finite() && quantile.at_most > 0)
            && self
                .quantiles
                .is_sorted_by(|a, b| a.value < b.value && a.at_most < b.at_most)
            && self.quantiles.last().map_or(0, |last| last.at_most) == values
    }
}

/// How often the reference had a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frequency<'a> {
    category: &'a str,
    count: u64,
}

impl<'a> Frequency<'a> {
    /// The category.
    #[must_use]
    pub fn category(&self) -> &'a str {
        self.category
    }

    /// Its rows.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}

fn quantiles(runs: impl Iterator<Item = Run> + Clone, total: u64, points: usize) -> Vec<Quantile> {
    let last = runs.clone().last().map(|run| run.high);
    let cut = quantile_cut(runs, total, points);
    let mut at_most = 0_u64;
    cut.edges
        .into_iter()
        .chain(last)
        .zip(cut.counts)
        .map(|(value, count)| {
            at_most = at_most.saturating_add(count);
            Quantile { value, at_most }
        })
        .collect()
}

/// The most frequent categories, ties in the order of their names, sorted by name, with their counts.
fn most_frequent(frequency: BTreeMap<String, u64>, limit: usize) -> (Vec<String>, Vec<u64>) {
    let mut ranked: Vec<(String, u64)> = frequency.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    ranked.truncate(limit);
    ranked.sort_unstable();
    ranked.into_iter().unzip()
}
