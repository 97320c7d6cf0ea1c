use std::collections::BTreeSet;

use super::cells::{Cells, View};
use super::mask::Mask;
use super::rules::Uniqueness;

/// The rows whose value an earlier row has, and whether values were left out.
pub(super) struct Repeats {
    pub(super) mask: Mask,
    pub(super) complete: Completeness,
    /// How many values were compared.
    pub(super) compared: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completeness {
    All,
    Partial,
}

/// Nothing for a column whose values cannot be compared.
pub(super) fn repeats(view: &View<'_>, rule: Uniqueness) -> Option<Repeats> {
    let limit = usize::try_from(rule.max_values).unwrap_or(usize::MAX);
    Some(match &view.cells {
        Cells::Float32(values) => keyed(
            view,
            limit,
            values.iter().map(|value| float_key(f64::from(*value))),
        ),
        Cells::Float64(values) => keyed(view, limit, values.iter().map(|value| float_key(*value))),
        Cells::Int32(values) => keyed(
            view,
            limit,
            values.iter().map(|value| Some(i64::from(*value) as u64)),
        ),
        Cells::Int64(values) => keyed(view, limit, values.iter().map(|value| Some(*value as u64))),
        Cells::Widened(values) => {
            keyed(view, limit, values.iter().map(|value| Some(*value as u64)))
        }
        Cells::UInt64(values) => keyed(view, limit, values.iter().map(|value| Some(*value))),
        Cells::Text(texts) => {
            let mut mask = Mask::empty(view.len);
            let mut seen: BTreeSet<String> = BTreeSet::new();
            let mut row = 0_usize;
            let mut compared = 0_usize;
            let mut bytes = 0_usize;
            let mut complete = Completeness::All;
            let most_bytes = limit.saturating_mul(BYTES_PER_TEXT);
            texts.for_each(|text| {
                if let Some(text) = text {
                    if compared >= limit || bytes >= most_bytes {
                        complete = Completeness::Partial;
                    } else {
                        compared += 1;
                        if seen.contains(text) {
                            mask.set(row);
                        } else {
                            bytes = bytes.saturating_add(text.len());
                            seen.insert(text.to_owned());
                        }
                    }
                }
                row += 1;
            });
            Repeats {
                mask,
                complete,
                compared: compared as u64,
            }
        }
        Cells::Other => return None,
    })
}

/// Sorts the keys with their rows, so that equal ones are neighbours and the first row of a value comes first.
fn keyed(view: &View<'_>, limit: usize, keys: impl Iterator<Item = Option<u64>>) -> Repeats {
    let mut pairs: Vec<(u64, usize)> = Vec::new();
    let mut complete = Completeness::All;
    for (row, key) in keys.enumerate() {
        let Some(key) = key.filter(|_| !view.is_null(row)) else {
            continue;
        };
        if pairs.len() >= limit {
            complete = Completeness::Partial;
            break;
        }
        pairs.push((key, row));
    }
    pairs.sort_unstable();
    let mut mask = Mask::empty(view.len);
    for (first, second) in pairs.iter().zip(pairs.iter().skip(1)) {
        if first.0 == second.0 {
            mask.set(second.1);
        }
    }
    Repeats {
        mask,
        complete,
        compared: pairs.len() as u64,
    }
}

/// Equal for equal numbers; nothing for NaN.
pub(super) fn float_key(value: f64) -> Option<u64> {
    if value.is_nan() {
        None
    } else {
        // −0 + 0 is 0.
        Some((value + 0.0).to_bits())
    }
}

/// Texts longer than this on average end the comparison before `max_values`.
const BYTES_PER_TEXT: usize = 256;
