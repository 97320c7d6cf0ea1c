use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use jiff::Timestamp;

use super::Expectations;
use super::cells::{Cells, View};
use super::column_check::{Listing, check_column, plain};
use super::column_type::TypeKind;
use super::frame::{CrossRule, UnknownColumns};
use super::label_rate::{self, LabelRate, MAX_PARTITIONS, Partitions};
use super::mask::Mask;
use super::report::{ExpectationReport, Observation, RuleKind, RuleOutcome};
use crate::frame::Frame;
use crate::gate::GateVerdict;

pub(super) fn check(
    expectations: &Expectations,
    batch: &RecordBatch,
    now: Option<Timestamp>,
) -> ExpectationReport {
    let frame = Frame::new(batch);
    let listing = Listing {
        rows: expectations.listed_rows(),
        samples: expectations.samples(),
    };
    let mut quarantine = Mask::empty(batch.num_rows());
    let columns = expectations
        .columns()
        .iter()
        .map(|expected| check_column(expected, &frame, now, listing, &mut quarantine))
        .collect();
    let mut outcomes = Vec::new();
    outcomes.extend(row_count(expectations, batch.num_rows() as u64));
    outcomes.extend(unknown_columns(expectations, batch));
    for rule in expectations.frame().rules() {
        let (outcome, blamed) = cross_rule(rule, &frame, listing);
        if let Some(blamed) = blamed {
            quarantine.join(&blamed);
        }
        outcomes.push(outcome);
    }
    ExpectationReport::new(columns, outcomes, quarantine.into_array())
}

fn row_count(expectations: &Expectations, rows: u64) -> Option<RuleOutcome> {
    let frame = expectations.frame();
    let limit = match (frame.min_rows(), frame.max_rows()) {
        (None, None) => return None,
        (Some(min), None) => format!("at least {min} rows"),
        (None, Some(max)) => format!("at most {max} rows"),
        (Some(min), Some(max)) => format!("{min} to {max} rows"),
    };
    let fits = frame.min_rows().is_none_or(|min| rows >= min)
        && frame.max_rows().is_none_or(|max| rows <= max);
    Some(plain(
        RuleKind::RowCount,
        Vec::new(),
        verdict(fits),
        Observation::Rows(rows),
        limit,
    ))
}

fn unknown_columns(expectations: &Expectations, batch: &RecordBatch) -> Option<RuleOutcome> {
    let extra: &[String] = match expectations.frame().unknown_columns() {
        UnknownColumns::Allowed => return None,
        UnknownColumns::Refused => &[],
        UnknownColumns::RefusedExcept(extra) => extra.as_slice(),
    };
    let known: BTreeSet<&str> = expectations
        .columns()
        .iter()
        .map(|column| column.name())
        .chain(extra.iter().map(String::as_str))
        .collect();
    let unknown: Vec<String> = batch
        .schema_ref()
        .fields()
        .iter()
        .map(|field| field.name())
        .filter(|name| !known.contains(name.as_str()))
        .cloned()
        .collect();
    let observed = if unknown.is_empty() {
        Observation::Nothing
    } else {
        Observation::Text(unknown.join(", "))
    };
    Some(plain(
        RuleKind::UnknownColumns,
        unknown.clone(),
        verdict(unknown.is_empty()),
        observed,
        "expected columns only".to_owned(),
    ))
}

fn cross_rule(
    rule: &CrossRule,
    frame: &Frame<'_>,
    listing: Listing,
) -> (RuleOutcome, Option<Mask>) {
    let (kind, names, limit) = describe(rule);
    let columns: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut views = Vec::with_capacity(names.len());
    for name in &names {
        match View::find(frame, name) {
            Ok(view) => views.push(view),
            Err(observed) => {
                let observed = Observation::Text(format!("`{name}` is {observed}"));
                let outcome = plain(kind, columns, GateVerdict::Fail, observed, limit);
                return (outcome, None);
            }
        }
    }
    if let (CrossRule::LabelRate(rule), [label, partition]) = (rule, views.as_slice()) {
        return (label_rates(rule, label, partition, columns, limit), None);
    }
    let Some(judged) = broken(rule, &views) else {
        let types: Vec<String> = views
            .iter()
            .map(|view| view.data_type.to_string())
            .collect();
        let observed = Observation::Text(types.join(", "));
        let outcome = plain(kind, columns, GateVerdict::Fail, observed, limit);
        return (outcome, None);
    };
    let failing = judged.broken.count();
    let (verdict, observed) = if failing > 0 {
        (GateVerdict::Fail, Observation::Rows(failing))
    } else if judged.looked_at == 0 {
        (GateVerdict::Undecided, Observation::Nothing)
    } else {
        (GateVerdict::Pass, Observation::Rows(0))
    };
    let mut outcome = plain(kind, columns, verdict, observed, limit);
    outcome.failing = failing;
    outcome.rows = listing.rows(&judged.broken, &views.iter().collect::<Vec<_>>());
    (outcome, Some(judged.broken))
}

fn describe(rule: &CrossRule) -> (RuleKind, Vec<&str>, String) {
    match rule {
        CrossRule::AtMost { left, right } => (
            RuleKind::AtMost,
            vec![left.as_str(), right.as_str()],
            format!("`{left}` at most `{right}`"),
        ),
        CrossRule::Equal { left, right } => (
            RuleKind::Equal,
            vec![left.as_str(), right.as_str()],
            format!("`{left}` equal to `{right}`"),
        ),
        CrossRule::NullTogether { when, then } => (
            RuleKind::NullTogether,
            vec![when.as_str(), then.as_str()],
            format!("`{then}` null where `{when}` is"),
        ),
        CrossRule::Sum {
            parts,
            total,
            tolerance,
        } => (
            RuleKind::Sum,
            parts.iter().chain([total]).map(String::as_str).collect(),
            format!(
                "`{}` equal to `{total}` within {tolerance}",
                parts.join("` + `")
            ),
        ),
        CrossRule::LabelRate(rule) => (
            RuleKind::LabelRate,
            vec![rule.label(), rule.partition()],
            format!(
                "{} % to {} % of `{}` in every `{}`",
                100.0 * rule.min().get(),
                100.0 * rule.max().get(),
                rule.label(),
                rule.partition()
            ),
        ),
    }
}

/// The rows that break a rule, and how many it had a meaning for.
struct Broken {
    broken: Mask,
    looked_at: u64,
}

/// Nothing when the rule has no meaning for the types.
fn broken(rule: &CrossRule, views: &[View<'_>]) -> Option<Broken> {
    match (rule, views) {
        (CrossRule::AtMost { .. }, [left, right]) => compare(left, right, Relation::AtMost),
        (CrossRule::Equal { .. }, [left, right]) => match (&left.cells, &right.cells) {
            (Cells::Text(_), Cells::Text(_)) => Some(unequal_texts(left, right)),
            _ => compare(left, right, Relation::Equal),
        },
        (CrossRule::NullTogether { .. }, [when, then]) => {
            let asks = Mask::of_nulls(when.nulls.as_ref(), when.len);
            let follows = Mask::of_nulls(then.nulls.as_ref(), then.len);
            Some(Broken {
                broken: asks.without(&follows),
                looked_at: when.len as u64,
            })
        }
        (CrossRule::Sum { tolerance, .. }, [parts @ .., total]) => sum(parts, total, *tolerance),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Relation {
    AtMost,
    Equal,
}

fn compare(left: &View<'_>, right: &View<'_>, relation: Relation) -> Option<Broken> {
    let of_time = |view: &View<'_>| {
        TypeKind::of(view.data_type) != Some(TypeKind::Number)
            && TypeKind::of(view.data_type) != Some(TypeKind::Boolean)
    };
    // Counts of different units must not be compared.
    if (of_time(left) || of_time(right)) && left.data_type != right.data_type {
        return None;
    }
    if let (Some(a), Some(b)) = (left.integers(), right.integers()) {
        return Some(pairs(left, right, a.iter().zip(b.iter()), relation));
    }
    if let (Cells::UInt64(a), Cells::UInt64(b)) = (&left.cells, &right.cells) {
        return Some(pairs(left, right, a.iter().zip(b.iter()), relation));
    }
    let (a, b) = (left.doubles()?, right.doubles()?);
    Some(pairs(left, right, a.iter().zip(b.iter()), relation))
}

fn pairs<'a, T: PartialOrd + 'a>(
    left: &View<'_>,
    right: &View<'_>,
    values: impl Iterator<Item = (&'a T, &'a T)>,
    relation: Relation,
) -> Broken {
    let mut broken = Mask::empty(left.len);
    let mut looked_at = 0_u64;
    for (row, (a, b)) in values.enumerate() {
        // A NaN has no order; its own rule judges it.
        let Some(order) = a.partial_cmp(b) else {
            continue;
        };
        if left.is_null(row) || right.is_null(row) {
            continue;
        }
        looked_at += 1;
        let holds = match relation {
            Relation::AtMost => order.is_le(),
            Relation::Equal => order.is_eq(),
        };
        if !holds {
            broken.set(row);
        }
    }
    Broken { broken, looked_at }
}

fn unequal_texts(left: &View<'_>, right: &View<'_>) -> Broken {
    let mut broken = Mask::empty(left.len);
    let mut looked_at = 0_u64;
    let (Cells::Text(a), Cells::Text(b)) = (&left.cells, &right.cells) else {
        return Broken { broken, looked_at };
    };
    let mut texts: Vec<Option<String>> = Vec::with_capacity(left.len);
    a.for_each(|text| texts.push(text.map(str::to_owned)));
    let mut row = 0_usize;
    b.for_each(|text| {
        if let (Some(Some(a)), Some(b)) = (texts.get(row), text) {
            looked_at += 1;
            if a != b {
                broken.set(row);
            }
        }
        row += 1;
    });
    Broken { broken, looked_at }
}

fn sum(parts: &[View<'_>], total: &View<'_>, tolerance: f64) -> Option<Broken> {
    let is_number = |view: &View<'_>| {
        matches!(
            TypeKind::of(view.data_type),
            Some(TypeKind::Number | TypeKind::Boolean)
        )
    };
    if !is_number(total) || !parts.iter().all(is_number) {
        return None;
    }
    let mut sums = vec![0.0_f64; total.len];
    // Rows with a null or NaN; an overflow to NaN is no such row and breaks the rule.
    let mut skipped = Mask::of_nulls(total.nulls.as_ref(), total.len);
    skipped.join(&super::row_check::nan_rows(total));
    for part in parts {
        skipped.join(&Mask::of_nulls(part.nulls.as_ref(), part.len));
        skipped.join(&super::row_check::nan_rows(part));
        let values = part.doubles()?;
        for (sum, value) in sums.iter_mut().zip(values.iter()) {
            *sum += *value;
        }
    }
    let totals = total.doubles()?;
    let mut broken = Mask::empty(total.len);
    for (row, (sum, total)) in sums.iter().zip(totals.iter()).enumerate() {
        // Equal infinities have no difference, yet are equal.
        let holds = sum == total || (sum - total).abs() <= tolerance;
        if !holds && !skipped.is_set(row) {
            broken.set(row);
        }
    }
    Some(Broken {
        broken,
        looked_at: (total.len as u64).saturating_sub(skipped.count()),
    })
}

fn label_rates(
    rule: &LabelRate,
    label: &View<'_>,
    partition: &View<'_>,
    columns: Vec<String>,
    limit: String,
) -> RuleOutcome {
    let (verdict, observed, partitions) = match label_rate::judge(rule, label, partition) {
        Partitions::Unsuited => {
            let types = format!("{}, {}", label.data_type, partition.data_type);
            (GateVerdict::Fail, Observation::Text(types), Vec::new())
        }
        Partitions::TooMany => {
            let found = format!("more than {MAX_PARTITIONS} partitions");
            (GateVerdict::Undecided, Observation::Text(found), Vec::new())
        }
        Partitions::Judged(partitions) => match partitions.first() {
            None => (GateVerdict::Undecided, Observation::Nothing, partitions),
            // The worst come first.
            Some(worst) => {
                let found = format!(
                    "{} of {} in `{}`",
                    worst.positives(),
                    worst.rows(),
                    worst.partition()
                );
                (worst.verdict(), Observation::Text(found), partitions)
            }
        },
    };
    let mut outcome = plain(RuleKind::LabelRate, columns, verdict, observed, limit);
    outcome.partitions = partitions;
    outcome
}

fn verdict(holds: bool) -> GateVerdict {
    if holds {
        GateVerdict::Pass
    } else {
        GateVerdict::Fail
    }
}
