use jiff::Timestamp;
use noops_core::Probability;

use super::cells::View;
use super::column::{ColumnExpectation, Presence};
use super::column_type::ColumnType;
use super::mask::Mask;
use super::report::{ColumnOutcome, FailingRow, Observation, RuleKind, RuleOutcome};
use super::row_check::{self, Listed, NanRule};
use super::rules::{Domain, Freshness, Length, Order, Samples, Uniqueness};
use super::uniqueness::{self, Completeness};
use crate::frame::Frame;
use crate::gate::GateVerdict;

/// How failing rows are listed.
#[derive(Clone, Copy)]
pub(super) struct Listing {
    pub(super) rows: usize,
    pub(super) samples: Samples,
}

impl Listing {
    pub(super) fn rows(self, mask: &Mask, views: &[&View<'_>]) -> Vec<FailingRow> {
        let rows = mask.first(self.rows);
        let mut values: Vec<Vec<String>> = vec![Vec::new(); rows.len()];
        if self.samples == Samples::Shown && !rows.is_empty() {
            for view in views {
                for (values, value) in values.iter_mut().zip(view.show(&rows)) {
                    values.push(value);
                }
            }
        }
        rows.into_iter()
            .zip(values)
            .map(|(row, values)| FailingRow::new(row, values))
            .collect()
    }
}

/// Judges one column and adds the rows it blames to `quarantine`.
pub(super) fn check_column(
    expected: &ColumnExpectation,
    frame: &Frame<'_>,
    now: Option<Timestamp>,
    listing: Listing,
    quarantine: &mut Mask,
) -> ColumnOutcome {
    let mut check = match View::find(frame, expected.name()) {
        Ok(view) => ColumnCheck {
            name: expected.name(),
            view,
            listing,
            quarantine,
            outcomes: Vec::new(),
        },
        Err(observed) => {
            let absent = frame.array(expected.name()).is_err_and(|error| {
                matches!(error, crate::error::DriftError::MissingColumn { .. })
            });
            let verdict = if absent && expected.presence() == Presence::Optional {
                GateVerdict::Pass
            } else {
                GateVerdict::Fail
            };
            let presence = plain(
                RuleKind::Presence,
                vec![expected.name().to_owned()],
                verdict,
                observed,
                presence_limit(expected.presence()),
            );
            return ColumnOutcome::new(expected.name(), vec![presence]);
        }
    };
    check.add(
        RuleKind::Presence,
        GateVerdict::Pass,
        Observation::Text("there once".to_owned()),
        presence_limit(expected.presence()),
    );
    check.types(expected.types());
    let nan = if expected.max_nan_rate().is_some() {
        NanRule::Passes
    } else {
        NanRule::Fails
    };
    if let Some(limit) = expected.max_null_rate() {
        let nulls = Mask::of_nulls(check.view.nulls.as_ref(), check.view.len);
        check.rate(RuleKind::NullRate, limit, nulls, "null");
    }
    if let Some(limit) = expected.max_nan_rate() {
        let nan_rows = row_check::nan_rows(&check.view);
        check.rate(RuleKind::NanRate, limit, nan_rows, "NaN");
    }
    if let Some(range) = expected.range() {
        let mask = row_check::outside(&check.view, &range, nan);
        check.values(RuleKind::Range, mask, format!("numbers {range}"));
    }
    if let Some(domain) = expected.allowed() {
        let mask = row_check::refused(&check.view, domain, Listed::Allowed, nan);
        check.values(
            RuleKind::Allowed,
            mask,
            format!("one of {}", kind_and_number(domain)),
        );
    }
    if let Some(domain) = expected.disallowed() {
        let mask = row_check::refused(&check.view, domain, Listed::Disallowed, nan);
        check.values(
            RuleKind::Disallowed,
            mask,
            format!("none of {}", kind_and_number(domain)),
        );
    }
    if let Some(length) = expected.length() {
        let mask = row_check::of_other_length(&check.view, length);
        check.values(RuleKind::Length, mask, length_limit(length));
    }
    if let Some(order) = expected.order() {
        let mask = row_check::out_of_order(&check.view, order);
        check.values(RuleKind::Order, mask, order_limit(order).to_owned());
    }
    if let Some(unique) = expected.unique() {
        check.unique(unique);
    }
    if let (Some(freshness), Some(now)) = (expected.freshness(), now) {
        check.fresh(freshness, now);
    }
    ColumnOutcome::new(expected.name(), check.outcomes)
}

struct ColumnCheck<'a, 'b> {
    name: &'a str,
    view: View<'b>,
    listing: Listing,
    quarantine: &'a mut Mask,
    outcomes: Vec<RuleOutcome>,
}

impl ColumnCheck<'_, '_> {
    fn add(&mut self, rule: RuleKind, verdict: GateVerdict, observed: Observation, limit: String) {
        let columns = vec![self.name.to_owned()];
        self.outcomes
            .push(plain(rule, columns, verdict, observed, limit));
    }

    fn types(&mut self, types: &[ColumnType]) {
        if types.is_empty() {
            return;
        }
        let found = self.view.data_type;
        let verdict = if types.iter().any(|expected| expected.admits(found)) {
            GateVerdict::Pass
        } else {
            GateVerdict::Fail
        };
        let names: Vec<String> = types.iter().map(ToString::to_string).collect();
        self.add(
            RuleKind::DataType,
            verdict,
            Observation::Text(found.to_string()),
            names.join(" or "),
        );
    }

    /// A limit of 0 is a rule about rows; a higher one allows each of them, so none is put into quarantine.
    fn rate(&mut self, rule: RuleKind, limit: Probability, mask: Mask, what: &str) {
        let limit_text = format!("at most {} % {what}", 100.0 * limit.get());
        if self.view.len == 0 {
            self.add(
                rule,
                GateVerdict::Undecided,
                Observation::Nothing,
                limit_text,
            );
            return;
        }
        let count = mask.count();
        let rate = count as f64 / self.view.len as f64;
        let failed = rate > limit.get();
        self.add(
            rule,
            if failed {
                GateVerdict::Fail
            } else {
                GateVerdict::Pass
            },
            Observation::Rate(rate),
            limit_text,
        );
        if failed {
            self.blame_last(&mask);
            if limit.get() == 0.0 {
                self.quarantine.join(&mask);
            }
        }
    }

    /// A rule about rows. Without a mask the rule has no meaning for the column's type.
    fn values(&mut self, rule: RuleKind, mask: Option<Mask>, limit: String) {
        let Some(mask) = mask else {
            self.unsuited(rule, limit);
            return;
        };
        let failing = mask.count();
        let (verdict, observed) = if failing > 0 {
            (GateVerdict::Fail, Observation::Rows(failing))
        } else if self.view.present() == 0 {
            (GateVerdict::Undecided, Observation::Nothing)
        } else {
            (GateVerdict::Pass, Observation::Rows(0))
        };
        self.add(rule, verdict, observed, limit);
        self.blame_last(&mask);
        self.quarantine.join(&mask);
    }

    fn unsuited(&mut self, rule: RuleKind, limit: String) {
        let found = Observation::Text(self.view.data_type.to_string());
        self.add(rule, GateVerdict::Fail, found, limit);
    }

    fn blame_last(&mut self, mask: &Mask) {
        let rows = self.listing.rows(mask, &[&self.view]);
        if let Some(outcome) = self.outcomes.last_mut() {
            outcome.failing = mask.count();
            outcome.rows = rows;
        }
    }

    fn unique(&mut self, rule: Uniqueness) {
        let limit = "different values".to_owned();
        let Some(repeats) = uniqueness::repeats(&self.view, rule) else {
            self.unsuited(RuleKind::Uniqueness, limit);
            return;
        };
        let failing = repeats.mask.count();
        let (verdict, observed) = if failing > 0 {
            (GateVerdict::Fail, Observation::Rows(failing))
        } else if repeats.complete == Completeness::Partial {
            let compared = format!("the first {} values are different", repeats.compared);
            (GateVerdict::Undecided, Observation::Text(compared))
        } else if repeats.compared == 0 {
            (GateVerdict::Undecided, Observation::Nothing)
        } else {
            (GateVerdict::Pass, Observation::Rows(0))
        };
        self.add(RuleKind::Uniqueness, verdict, observed, limit);
        self.blame_last(&repeats.mask);
        self.quarantine.join(&repeats.mask);
    }

    fn fresh(&mut self, rule: Freshness, now: Timestamp) {
        let now = now.as_nanosecond();
        let limit = format!("a newest time at most {} old", rule.max_age);
        let future_limit = format!("no time more than {} ahead", rule.max_ahead);
        let latest = now.saturating_add(rule.max_ahead.as_nanos());
        let Some(ages) = row_check::ages(&self.view, latest) else {
            self.unsuited(RuleKind::Freshness, limit);
            return;
        };
        let (verdict, observed) = match ages.newest {
            None => (GateVerdict::Undecided, Observation::Nothing),
            Some(newest) => {
                let age = now.saturating_sub(newest);
                let verdict = if age > rule.max_age.as_nanos() {
                    GateVerdict::Fail
                } else {
                    GateVerdict::Pass
                };
                (verdict, Observation::Seconds(age as f64 / 1e9))
            }
        };
        self.add(RuleKind::Freshness, verdict, observed, limit);
        self.values(RuleKind::Future, Some(ages.future), future_limit);
    }
}

/// An outcome that blames no row.
pub(super) fn plain(
    rule: RuleKind,
    columns: Vec<String>,
    verdict: GateVerdict,
    observed: Observation,
    limit: String,
) -> RuleOutcome {
    RuleOutcome {
        rule,
        columns,
        verdict,
        observed,
        limit,
        failing: 0,
        rows: Vec::new(),
        partitions: Vec::new(),
    }
}

fn presence_limit(presence: Presence) -> String {
    match presence {
        Presence::Required => "a column of this name",
        Presence::Optional => "at most one column of this name",
    }
    .to_owned()
}

fn kind_and_number(domain: &Domain) -> String {
    match domain {
        Domain::Numbers(numbers) => format!("{} listed numbers", numbers.len()),
        Domain::Texts(texts) => format!("{} listed texts", texts.len()),
    }
}

fn length_limit(length: Length) -> String {
    match length.max {
        Some(max) => format!("{} to {max} characters", length.min),
        None => format!("at least {} characters", length.min),
    }
}

fn order_limit(order: Order) -> &'static str {
    match order {
        Order::Ascending => "no value below the one before",
        Order::StrictlyAscending => "every value above the one before",
        Order::Descending => "no value above the one before",
        Order::StrictlyDescending => "every value below the one before",
    }
}
