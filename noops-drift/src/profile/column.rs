use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::binning::{Binning, ValueRange};
use super::edges::quantile_edges;
use super::settings::ProfileSettings;
use crate::column_counts::ColumnCounts;
use crate::error::DriftError;
use crate::frame::{Numbers, Texts, Values};

/// One column of a [`Profile`](crate::Profile): its cells, and the reference counted in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    name: String,
    binning: Binning,
    counts: ColumnCounts,
}

impl ColumnProfile {
    pub(super) fn fit(
        name: &str,
        batches: &[RecordBatch],
        settings: &ProfileSettings,
    ) -> Result<Self, DriftError> {
        let mut numbers: Vec<Numbers<'_>> = Vec::new();
        let mut texts: Vec<Texts<'_>> = Vec::new();
        for batch in batches {
            let values = Values::read(batch, name)?;
            let found = values.kind();
            match values {
                Values::Number(values) if texts.is_empty() => numbers.push(values),
                Values::Text(values) if numbers.is_empty() => texts.push(values),
                Values::Number(_) => return Err(type_changed(name, crate::frame::CATEGORY, found)),
                Values::Text(_) => return Err(type_changed(name, crate::frame::NUMBER, found)),
            }
        }
        if texts.is_empty() {
            Ok(Self::of_numbers(name.to_owned(), &numbers, settings))
        } else {
            Ok(Self::of_texts(name.to_owned(), &texts, settings))
        }
    }

    pub(super) fn of_values(name: String, values: &[f64], settings: &ProfileSettings) -> Self {
        let finite: Vec<f64> = values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        let binning = number_binning(finite, settings);
        let mut counts = ColumnCounts::empty(&binning);
        for value in values {
            counts.observe_number(&binning, Some(*value));
        }
        Self {
            name,
            binning,
            counts,
        }
    }

    fn of_numbers(name: String, columns: &[Numbers<'_>], settings: &ProfileSettings) -> Self {
        let mut finite: Vec<f64> = Vec::new();
        for column in columns {
            column.for_each(|value| finite.extend(value.filter(|value| value.is_finite())));
        }
        let binning = number_binning(finite, settings);
        let mut counts = ColumnCounts::empty(&binning);
        for column in columns {
            column.for_each(|value| counts.observe_number(&binning, value));
        }
        Self {
            name,
            binning,
            counts,
        }
    }

    fn of_texts(name: String, columns: &[Texts<'_>], settings: &ProfileSettings) -> Self {
        let mut frequency: BTreeMap<String, u64> = BTreeMap::new();
        for column in columns {
            column.for_each(|value| {
                let Some(value) = value else { return };
                match frequency.get_mut(value) {
                    Some(count) => *count = count.saturating_add(1),
                    None => {
                        frequency.insert(value.to_owned(), 1);
                    }
                }
            });
        }
        let binning = Binning::Category {
            categories: most_frequent(frequency, settings.max_categories().get()),
        };
        let mut counts = ColumnCounts::empty(&binning);
        for column in columns {
            column.for_each(|value| counts.observe_text(&binning, value));
        }
        Self {
            name,
            binning,
            counts,
        }
    }

    /// The column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cells it is counted in.
    pub fn binning(&self) -> &Binning {
        &self.binning
    }

    /// The reference, counted.
    pub fn counts(&self) -> &ColumnCounts {
        &self.counts
    }

    pub(super) fn validate(&self, rows: u64) -> Result<(), DriftError> {
        let contradiction = if let Some(contradiction) = self.binning.contradiction() {
            contradiction
        } else if self.counts.bins().len() != self.binning.bins() {
            "the number of counts is not the number of bins"
        } else if self.counts.rows() != rows {
            "the counts do not add up to the rows"
        } else {
            return Ok(());
        };
        Err(DriftError::InvalidProfile {
            reason: format!("column `{}`: {contradiction}", self.name),
        })
    }
}

fn number_binning(mut finite: Vec<f64>, settings: &ProfileSettings) -> Binning {
    finite.sort_unstable_by(f64::total_cmp);
    Binning::Number {
        edges: quantile_edges(&finite, settings.bins().get()),
        range: ValueRange::of_sorted(&finite),
    }
}

/// The most frequent categories, ties in the order of their names, and the result sorted by name.
fn most_frequent(frequency: BTreeMap<String, u64>, limit: usize) -> Vec<String> {
    let mut ranked: Vec<(String, u64)> = frequency.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    ranked.truncate(limit);
    let mut categories: Vec<String> = ranked.into_iter().map(|(category, _)| category).collect();
    categories.sort_unstable();
    categories
}

fn type_changed(name: &str, expected: &'static str, found: &'static str) -> DriftError {
    DriftError::TypeChanged {
        column: name.to_owned(),
        expected,
        found,
    }
}
