use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::row::{FocusRow, Resource};
use crate::cost::Money;

/// The rows as comma-separated values with a header, as RFC 4180 has them: lines end with CR LF, a field with a comma, a
/// quote or a line break is quoted, and a quote in it is doubled. An absent value is an empty field.
///
/// A spreadsheet takes a text field that begins with `=`, `+`, `-`, `@` or a blank before one of them for a formula. Such a
/// field, and one that begins with an apostrophe, gets an apostrophe in front; take one off to read it back. Amounts are plain
/// decimals, written here and never quoted.
///
/// # Complexity
///
/// Linear in the text.
#[must_use]
pub fn to_csv(rows: &[FocusRow]) -> String {
    let mut text = COLUMNS.join(",");
    text.push_str("\r\n");
    for row in rows {
        let fields: Vec<String> = cells(row).into_iter().map(|cell| cell.to_csv()).collect();
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    text
}

/// The rows as a JSON array of objects with all columns; an absent value is `null`, and tags are an object.
///
/// Amounts are text, such as `"12.34"`: a JSON number would be read as floating point by most readers.
#[must_use]
pub fn to_json(rows: &[FocusRow]) -> String {
    let objects = rows
        .iter()
        .map(|row| {
            let values = cells(row).into_iter().map(Cell::into_json);
            let names = COLUMNS.iter().map(|name| (*name).to_owned());
            Value::Object(names.zip(values).collect())
        })
        .collect();
    Value::Array(objects).to_string()
}

/// One value of a row.
enum Cell {
    Absent,
    Amount(Money),
    Time(Timestamp),
    Text(String),
    Tags(Map<String, Value>),
}

impl Cell {
    fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Absent, |text| Self::Text(text.to_owned()))
    }

    fn to_csv(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Amount(amount) => amount.to_string(),
            Self::Time(time) => time.to_string(),
            Self::Text(text) => quoted(&defused(text)),
            Self::Tags(tags) => quoted(&Value::Object(tags.clone()).to_string()),
        }
    }

    fn into_json(self) -> Value {
        match self {
            Self::Absent => Value::Null,
            Self::Amount(amount) => Value::String(amount.to_string()),
            Self::Time(time) => Value::String(time.to_string()),
            Self::Text(text) => Value::String(text),
            Self::Tags(tags) => Value::Object(tags),
        }
    }
}

/// The values of a row, in the order of [`COLUMNS`].
fn cells(row: &FocusRow) -> [Cell; COLUMNS.len()] {
    let consumed = row.consumed.as_ref();
    let resource = |part: fn(&Resource) -> &str| Cell::text(row.resource.as_ref().map(part));
    let tags = row
        .tags
        .iter()
        .map(|(key, value)| (key.clone(), Value::String(value.clone())))
        .collect();
    [
        Cell::Amount(row.billed),
        Cell::Amount(row.effective),
        Cell::Amount(row.list),
        Cell::text(Some(row.currency.code())),
        Cell::Time(whole_second(row.charge.start())),
        Cell::Time(end_after(row.charge.start(), row.charge.end())),
        Cell::Time(whole_second(row.billing.start())),
        Cell::Time(end_after(row.billing.start(), row.billing.end())),
        Cell::text(Some(row.category.name())),
        Cell::text(row.class.map(|_| "Correction")),
        consumed.map_or(Cell::Absent, |consumed| Cell::Amount(consumed.quantity)),
        Cell::text(consumed.map(|consumed| consumed.unit.as_str())),
        resource(|resource| &resource.id),
        resource(|resource| &resource.kind),
        Cell::text(row.service.as_deref()),
        Cell::text(row.sku.as_deref()),
        Cell::text(row.sub_account.as_deref()),
        Cell::Tags(tags),
    ]
}

fn defused(text: &str) -> String {
    let is_formula = text
        .trim_start()
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if is_formula || text.starts_with('\'') {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// The specification writes times to the second.
fn whole_second(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    let second = if at.subsec_nanosecond() < 0 {
        second.saturating_sub(1)
    } else {
        second
    };
    Timestamp::from_second(second).unwrap_or(at)
}

/// The end of a period does not belong to it, so that it is never at its start.
fn end_after(start: Timestamp, end: Timestamp) -> Timestamp {
    let next = |at: Timestamp| {
        whole_second(at)
            .checked_add(SignedDuration::from_secs(1))
            .unwrap_or(Timestamp::MAX)
    };
    if end > whole_second(end) || end <= start {
        next(end.max(start))
    } else {
        end
    }
}

const COLUMNS: [&str; 18] = [
    "BilledCost",
    "EffectiveCost",
    "ListCost",
    "BillingCurrency",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargeCategory",
    "ChargeClass",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ResourceId",
    "ResourceType",
    "ServiceName",
    "SkuId",
    "SubAccountId",
    "Tags",
];
