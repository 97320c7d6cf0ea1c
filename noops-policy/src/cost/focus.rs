mod export;
mod row;

#[cfg(test)]
mod tests;

pub use self::export::{to_csv, to_json};
pub use self::row::{ChargeCategory, ChargeClass, FocusRow};

use jiff::Timestamp;

use crate::cost::{
    Adjustment, BudgetLevel, BudgetPath, CostEventKind, CostGovernor, Money, Purpose, Reservation,
};
use crate::slo::{CalendarUnit, CalendarWindow, Span};

impl CostGovernor {
    /// What was booked from one moment up to another, as rows of the FinOps Open Cost and Usage Specification (FOCUS).
    ///
    /// A committed reservation is a row of category usage whose charge period reaches from the reservation to the commit; an
    /// adjustment is one of category adjustment, or credit where it is below zero, and a correction where it was booked after
    /// its billing period. Billing periods are the civil months of UTC. The organisation and team are the sub-account, the whole
    /// path is the resource, and the key and the purpose are tags. Nothing is known of discounts here, so that the billed, the
    /// effective and the list cost are the same.
    #[must_use]
    pub fn focus_rows(&self, from: Timestamp, to: Timestamp) -> Vec<FocusRow> {
        let months = CalendarWindow::new(CalendarUnit::Month, "UTC").ok();
        let billing = |at: Timestamp| {
            let whole = Span::between(Timestamp::MIN, Timestamp::MAX);
            months.as_ref().map_or(whole, |months| months.span(at))
        };
        self.journal()
            .iter()
            .filter(|event| from <= event.at() && event.at() < to)
            .filter_map(|event| match event.kind() {
                CostEventKind::Committed { key, actual } => {
                    let reservation = self.reservation(key)?;
                    Some(self.usage(reservation, *actual, event.at(), billing(event.at())))
                }
                CostEventKind::Adjusted { adjustment } => {
                    let month = billing(adjustment.charged_at());
                    Some(self.adjusted(adjustment, event.at(), month))
                }
                _ => None,
            })
            .collect()
    }

    fn usage(
        &self,
        reservation: &Reservation,
        actual: Money,
        at: Timestamp,
        billing: Span,
    ) -> FocusRow {
        let request = reservation.request();
        let charge = Span::between(reservation.reserved_at(), at);
        let row = FocusRow::new(
            actual,
            self.currency().clone(),
            charge,
            billing,
            ChargeCategory::Usage,
        );
        placed(row, request.path(), request.key(), request.purpose())
    }

    fn adjusted(&self, adjustment: &Adjustment, booked_at: Timestamp, billing: Span) -> FocusRow {
        let amount = adjustment.amount();
        let category = if amount.is_negative() {
            ChargeCategory::Credit
        } else {
            ChargeCategory::Adjustment
        };
        let at = adjustment.charged_at();
        let currency = self.currency().clone();
        let mut row = FocusRow::new(amount, currency, Span::between(at, at), billing, category);
        if booked_at >= billing.end() {
            row = row.with_class(ChargeClass::Correction);
        }
        let purpose = adjustment.purpose();
        placed(row, adjustment.path(), adjustment.key(), purpose)
    }
}

fn placed(row: FocusRow, path: &BudgetPath, key: &str, purpose: Purpose) -> FocusRow {
    let sub_account: Vec<&str> = path.segments().take(2).collect();
    let level = match path.level() {
        BudgetLevel::Organisation => "organisation",
        BudgetLevel::Team => "team",
        BudgetLevel::Model => "model",
        BudgetLevel::Job => "job",
    };
    row.with_sub_account(sub_account.join("/"))
        .with_resource(path.as_str(), level)
        .with_service(purpose.name())
        .with_tag("noops-key", key)
        .with_tag("noops-purpose", purpose.name())
}
