use arrow_schema::{DataType, TimeUnit};

use super::cells::{Cells, View};
use super::mask::Mask;
use super::rules::{Domain, Length, Order, Range};

/// What a range and a domain make of NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NanRule {
    Fails,
    Passes,
}

/// The rows that are NaN; none for a type without NaN.
pub(super) fn nan_rows(view: &View<'_>) -> Mask {
    match &view.cells {
        Cells::Float32(values) => Mask::of_values(values, f32::is_nan),
        Cells::Float64(values) => Mask::of_values(values, f64::is_nan),
        _ => Mask::empty(view.len),
    }
    .without_nulls(view.nulls.as_ref())
}

/// The rows outside a range; nothing for a column without numbers.
pub(super) fn outside(view: &View<'_>, range: &Range, nan: NanRule) -> Option<Mask> {
    let (low, high) = (range.low(), range.high());
    let mask = match &view.cells {
        Cells::Float32(values) => match nan {
            NanRule::Fails => Mask::of_values(values, |value| {
                let value = f64::from(value);
                !(value >= low && value <= high)
            }),
            NanRule::Passes => Mask::of_values(values, |value| {
                let value = f64::from(value);
                value < low || value > high
            }),
        },
        Cells::Float64(values) => match nan {
            NanRule::Fails => Mask::of_values(values, |value| !(value >= low && value <= high)),
            NanRule::Passes => Mask::of_values(values, |value| value < low || value > high),
        },
        Cells::Int32(values) => outside_integers(values, low, high),
        Cells::Int64(values) => outside_integers(values, low, high),
        Cells::Widened(values) => outside_integers(values, low, high),
        Cells::UInt64(values) => {
            let (low, high) = whole(low, high);
            match (
                u64::try_from(low.max(0)),
                u64::try_from(high.min(i128::from(u64::MAX))),
            ) {
                (Ok(low), Ok(high)) => Mask::of_values(values, |value| value < low || value > high),
                _ => Mask::of_values(values, |_| true),
            }
        }
        Cells::Text(_) | Cells::Other => return None,
    };
    Some(mask.without_nulls(view.nulls.as_ref()))
}

fn outside_integers<T: Copy + Into<i64>>(values: &[T], low: f64, high: f64) -> Mask {
    let (low, high) = whole(low, high);
    let ends = (
        i64::try_from(low.max(i128::from(i64::MIN))),
        i64::try_from(high.min(i128::from(i64::MAX))),
    );
    match ends {
        (Ok(low), Ok(high)) => Mask::of_values(values, |value| {
            let value: i64 = value.into();
            value < low || value > high
        }),
        // The range begins above or ends below all integers of the type.
        _ => Mask::of_values(values, |_| true),
    }
}

/// The integers in a range of doubles; the casts saturate.
fn whole(low: f64, high: f64) -> (i128, i128) {
    (low.ceil() as i128, high.floor() as i128)
}

/// Whether listed values are the only ones, or the ones that are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    Allowed,
    Disallowed,
}

/// The rows that a list of values refuses; nothing when list and column are of different kinds.
pub(super) fn refused(
    view: &View<'_>,
    domain: &Domain,
    listed: Listed,
    nan: NanRule,
) -> Option<Mask> {
    let refuse_found = listed == Listed::Disallowed;
    let mask = match (&view.cells, domain) {
        (Cells::Text(texts), Domain::Texts(words)) => {
            let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
            words.sort_unstable();
            let mut mask = Mask::empty(view.len);
            let mut row = 0_usize;
            texts.for_each(|text| {
                if text.is_some_and(|text| words.binary_search(&text).is_ok() == refuse_found) {
                    mask.set(row);
                }
                row += 1;
            });
            mask
        }
        (Cells::Text(_) | Cells::Other, _) | (_, Domain::Texts(_)) => return None,
        (cells, Domain::Numbers(numbers)) => {
            let mut sorted: Vec<f64> = numbers.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let refuses = |value: f64| {
                if value.is_nan() {
                    return !refuse_found && nan == NanRule::Fails;
                }
                let place = sorted.partition_point(|number| *number < value);
                let found = sorted.get(place).is_some_and(|number| *number == value);
                found == refuse_found
            };
            match cells {
                Cells::Float32(values) => {
                    Mask::of_values(values, |value| refuses(f64::from(value)))
                }
                Cells::Float64(values) => Mask::of_values(values, refuses),
                Cells::Int32(values) => Mask::of_values(values, |value| refuses(f64::from(value))),
                Cells::Int64(values) => Mask::of_values(values, |value| refuses(value as f64)),
                Cells::UInt64(values) => Mask::of_values(values, |value| refuses(value as f64)),
                Cells::Widened(values) => Mask::of_values(values, |value| refuses(value as f64)),
                Cells::Text(_) | Cells::Other => return None,
            }
        }
    };
    Some(mask.without_nulls(view.nulls.as_ref()))
}

/// The texts that are too short or too long; nothing for a column of other values.
pub(super) fn of_other_length(view: &View<'_>, length: Length) -> Option<Mask> {
    let Cells::Text(texts) = &view.cells else {
        return None;
    };
    let most = length.max.unwrap_or(u64::MAX);
    let mut mask = Mask::empty(view.len);
    let mut row = 0_usize;
    texts.for_each(|text| {
        if let Some(text) = text {
            let characters = text.chars().count() as u64;
            if characters < length.min || characters > most {
                mask.set(row);
            }
        }
        row += 1;
    });
    Some(mask)
}

/// The rows that do not follow the value before them; nothing for a column without numbers.
pub(super) fn out_of_order(view: &View<'_>, order: Order) -> Option<Mask> {
    if let Some(values) = view.integers() {
        return Some(disordered(view, &values, order, |_| false));
    }
    if let Cells::UInt64(values) = &view.cells {
        return Some(disordered(view, values, order, |_| false));
    }
    let values = view.doubles()?;
    Some(disordered(view, &values, order, f64::is_nan))
}

fn disordered<T: Copy + PartialOrd>(
    view: &View<'_>,
    values: &[T],
    order: Order,
    skip: impl Fn(T) -> bool,
) -> Mask {
    let mut mask = Mask::empty(view.len);
    let mut last: Option<T> = None;
    for (row, value) in values.iter().enumerate() {
        if view.is_null(row) || skip(*value) {
            continue;
        }
        let follows = last.is_none_or(|last| match order {
            Order::Ascending => *value >= last,
            Order::StrictlyAscending => *value > last,
            Order::Descending => *value <= last,
            Order::StrictlyDescending => *value < last,
        });
        if !follows {
            mask.set(row);
        }
        last = Some(*value);
    }
    mask
}

/// The newest time, and the rows later than a moment, both in nanoseconds since 1970.
pub(super) struct Ages {
    pub(super) newest: Option<i128>,
    pub(super) future: Mask,
}

/// Nothing for a column that is not of dates or timestamps.
pub(super) fn ages(view: &View<'_>, latest: i128) -> Option<Ages> {
    let unit: i128 = match view.data_type {
        DataType::Date32 => 86_400 * SECOND,
        DataType::Date64 => SECOND / 1_000,
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => SECOND,
            TimeUnit::Millisecond => SECOND / 1_000,
            TimeUnit::Microsecond => SECOND / 1_000_000,
            TimeUnit::Nanosecond => 1,
        },
        _ => return None,
    };
    let values = view.integers()?;
    // A count is later than `latest` exactly when it is above the whole part of it in its unit.
    let bound = latest
        .div_euclid(unit)
        .clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    let future = Mask::of_values(&values, |value| i128::from(value) > bound)
        .without_nulls(view.nulls.as_ref());
    let newest = values
        .iter()
        .enumerate()
        .filter(|(row, _)| !view.is_null(*row))
        .map(|(_, value)| *value)
        .max()
        .map(|value| i128::from(value) * unit);
    Some(Ages { newest, future })
}

const SECOND: i128 = 1_000_000_000;
