use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::DriftError;
use crate::frame::{Block, CATEGORY, NUMBER, Texts, Values, unit_of_names};
use crate::profile::column::ColumnProfile;
use crate::profile::runs::Runs;
use crate::profile::settings::{ProfileSettings, Quantiles};

/// What a builder has seen of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ColumnBuilder {
    pub(super) name: String,
    /// The Arrow types it came in, which may differ between batches.
    types: BTreeSet<String>,
    missing: u64,
    seen: Seen,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::profile) enum Seen {
    Number {
        runs: Runs,
        nan: u64,
        positive_infinity: u64,
        negative_infinity: u64,
    },
    Category {
        frequency: BTreeMap<String, u64>,
    },
}

impl ColumnBuilder {
    pub(super) fn new(name: &str, values: &Values<'_>, settings: &ProfileSettings) -> Self {
        let seen = match values {
            Values::Number(_) => Seen::Number {
                runs: Runs::new(limit(settings)),
                nan: 0,
                positive_infinity: 0,
                negative_infinity: 0,
            },
            Values::Text(_) => Seen::Category {
                frequency: BTreeMap::new(),
            },
        };
        Self {
            name: name.to_owned(),
            types: BTreeSet::new(),
            missing: 0,
            seen,
        }
    }

    /// Fails unless [`observe`](Self::observe) can take the values.
    pub(super) fn check(
        &self,
        values: &Values<'_>,
        data_type: &str,
        settings: &ProfileSettings,
    ) -> Result<(), DriftError> {
        self.check_unit([&data_type.to_owned()])?;
        match (&self.seen, values) {
            (Seen::Number { .. }, Values::Number(_)) => Ok(()),
            (Seen::Category { frequency }, Values::Text(texts)) => {
                let limit = settings.max_distinct_categories().get();
                let mut unseen: BTreeSet<String> = BTreeSet::new();
                texts.for_each_count(|word, count| {
                    if let Some(word) = word
                        && count > 0
                        && unseen.len() <= limit
                        && !frequency.contains_key(word)
                        && !unseen.contains(word)
                    {
                        unseen.insert(word.to_owned());
                    }
                });
                self.check_categories(frequency.len().saturating_add(unseen.len()), limit)
            }
            (Seen::Number { .. }, Values::Text(_)) => Err(self.type_changed(NUMBER, CATEGORY)),
            (Seen::Category { .. }, Values::Number(_)) => Err(self.type_changed(CATEGORY, NUMBER)),
        }
    }

    pub(super) fn observe(&mut self, values: &Values<'_>, data_type: &str) {
        self.types.insert(data_type.to_owned());
        match (&mut self.seen, values) {
            (
                Seen::Number {
                    runs,
                    nan,
                    positive_infinity,
                    negative_infinity,
                },
                Values::Number(numbers),
            ) => {
                let mut nan_or_null = 0_u64;
                let mut one = |value: f64| {
                    if value.is_finite() {
                        runs.push(value);
                    } else if value.is_nan() {
                        nan_or_null += 1;
                    } else if value > 0.0 {
                        *positive_infinity = positive_infinity.saturating_add(1);
                    } else {
                        *negative_infinity = negative_infinity.saturating_add(1);
                    }
                };
                numbers.for_each_block(|block| match block {
                    Block::Narrow(values) => values.iter().for_each(|value| one(f64::from(*value))),
                    Block::Wide(values) => values.iter().for_each(|value| one(*value)),
                });
                // A block holds nulls as NaN.
                let nulls = numbers.null_count();
                *nan = nan.saturating_add(nan_or_null.saturating_sub(nulls));
                self.missing = self.missing.saturating_add(nulls);
            }
            (Seen::Category { frequency }, Values::Text(texts)) => {
                observe_texts(texts, frequency, &mut self.missing);
            }
            _ => {}
        }
    }

    pub(super) fn check_merge(
        &self,
        other: &Self,
        settings: &ProfileSettings,
    ) -> Result<(), DriftError> {
        self.check_unit(&other.types)?;
        match (&self.seen, &other.seen) {
            (Seen::Number { .. }, Seen::Number { .. }) => Ok(()),
            (Seen::Category { frequency }, Seen::Category { frequency: more }) => {
                let unseen = more
                    .keys()
                    .filter(|word| !frequency.contains_key(*word))
                    .count();
                let limit = settings.max_distinct_categories().get();
                self.check_categories(frequency.len().saturating_add(unseen), limit)
            }
            (Seen::Number { .. }, Seen::Category { .. }) => {
                Err(self.type_changed(NUMBER, CATEGORY))
            }
            (Seen::Category { .. }, Seen::Number { .. }) => {
                Err(self.type_changed(CATEGORY, NUMBER))
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.types.extend(other.types.iter().cloned());
        self.missing = self.missing.saturating_add(other.missing);
        match (&mut self.seen, &other.seen) {
            (
                Seen::Number {
                    runs,
                    nan,
                    positive_infinity,
                    negative_infinity,
                },
                Seen::Number {
                    runs: more,
                    nan: more_nan,
                    positive_infinity: more_positive,
                    negative_infinity: more_negative,
                },
            ) => {
                runs.merge(more);
                *nan = nan.saturating_add(*more_nan);
                *positive_infinity = positive_infinity.saturating_add(*more_positive);
                *negative_infinity = negative_infinity.saturating_add(*more_negative);
            }
            (Seen::Category { frequency }, Seen::Category { frequency: more }) => {
                for (word, count) in more {
                    let known = frequency.entry(word.clone()).or_insert(0);
                    *known = known.saturating_add(*count);
                }
            }
            _ => {}
        }
    }

    pub(super) fn finish(self, settings: &ProfileSettings) -> ColumnProfile {
        let types = self.types.into_iter().collect();
        ColumnProfile::of_seen(self.name, types, self.missing, self.seen, settings)
    }

    /// The first contradiction in a stored column of so many rows.
    pub(super) fn contradiction(
        &self,
        rows: u64,
        settings: &ProfileSettings,
    ) -> Option<&'static str> {
        let seen = match &self.seen {
            Seen::Number {
                runs,
                nan,
                positive_infinity,
                negative_infinity,
            } => {
                if let Some(contradiction) = runs.contradiction(limit(settings)) {
                    return Some(contradiction);
                }
                let others = [*nan, *positive_infinity, *negative_infinity];
                runs.total() + others.map(u128::from).iter().sum::<u128>()
            }
            Seen::Category { frequency } => {
                if frequency.len() > settings.max_distinct_categories().get() {
                    return Some("there are more categories than the limit");
                }
                if frequency.values().any(|count| *count == 0) {
                    return Some("a category was never seen");
                }
                frequency.values().copied().map(u128::from).sum()
            }
        };
        if seen + u128::from(self.missing) != u128::from(rows) {
            Some("the counts do not add up to the rows")
        } else if self.types.is_empty() {
            Some("it has no type")
        } else {
            None
        }
    }

    fn check_unit<'a>(
        &self,
        types: impl IntoIterator<Item = &'a String>,
    ) -> Result<(), DriftError> {
        let found = unit_of_names(types);
        match (found, found.and_then(|_| unit_of_names(&self.types))) {
            (Some(found), Some(expected)) if expected != found => {
                Err(self.type_changed(expected, found))
            }
            _ => Ok(()),
        }
    }

    fn check_categories(&self, categories: usize, limit: usize) -> Result<(), DriftError> {
        if categories > limit {
            Err(DriftError::TooManyCategories {
                column: self.name.clone(),
                limit,
            })
        } else {
            Ok(())
        }
    }

    fn type_changed(&self, expected: &'static str, found: &'static str) -> DriftError {
        DriftError::TypeChanged {
            column: self.name.clone(),
            expected,
            found,
        }
    }
}

/// The most buckets of a column of numbers.
fn limit(settings: &ProfileSettings) -> Option<usize> {
    match settings.quantiles() {
        Quantiles::Exact => None,
        Quantiles::Bounded { buckets } => Some(buckets.get()),
    }
}

fn observe_texts(texts: &Texts<'_>, frequency: &mut BTreeMap<String, u64>, missing: &mut u64) {
    texts.for_each_count(|word, count| {
        let Some(word) = word else {
            *missing = missing.saturating_add(count);
            return;
        };
        match frequency.get_mut(word) {
            Some(known) => *known = known.saturating_add(count),
            None if count > 0 => {
                frequency.insert(word.to_owned(), count);
            }
            None => {}
        }
    });
}
