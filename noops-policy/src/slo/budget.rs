use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::slo::burn::scale;
use crate::slo::{Span, Tally, Target};

/// How much of an error budget is spent, and when the rest will be.
///
/// # Formula
///
/// consumed = bad / (budget × expected events of the whole window), where the expected events are those so far divided by the
/// part of the window that has passed under count: since the window began, or since counting did if that was later. So the
/// first bad event of a month does not spend the month. Over a full window it is the burn rate of that window. What happened
/// before counting began is not known and counts as nothing spent.
///
/// exhaustion = now + (1 - consumed) × window / burn rate of the recent window. It is a straight line, not a promise; of a
/// rolling window it leaves out that old errors will be forgotten, and there is none while the budget burns at most as fast as
/// allowed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct BudgetStatus {
    window: Span,
    tally: Tally,
    passed: f64,
    consumed: Option<f64>,
    exhausted_at: Option<Timestamp>,
}

impl BudgetStatus {
    pub(crate) fn new(
        now: Timestamp,
        window: Span,
        tally: Tally,
        target: Target,
        passed: f64,
        recent_burn: Option<f64>,
        rolling: Rolling,
    ) -> Self {
        let consumed = tally
            .bad_ratio()
            .map(|ratio| ratio / target.budget() * passed);
        let exhausted_at = match (consumed, recent_burn) {
            (Some(consumed), _) if consumed >= 1.0 => Some(now),
            (Some(consumed), Some(burn)) => forecast(now, window, consumed, burn, rolling),
            _ => None,
        };
        Self {
            window,
            tally,
            passed,
            consumed,
            exhausted_at,
        }
    }

    /// The window of the budget.
    pub fn window(&self) -> Span {
        self.window
    }

    /// Bad and all events of the window so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The part of the window that has passed under count, between 0 and 1.
    pub fn passed(&self) -> f64 {
        self.passed
    }

    /// The part of the budget that is spent, above 1 when overspent; none without events.
    pub fn consumed(&self) -> Option<f64> {
        self.consumed
    }

    /// The part of the budget that is left, below 0 when overspent; none without events.
    pub fn remaining(&self) -> Option<f64> {
        self.consumed.map(|consumed| 1.0 - consumed)
    }

    /// When the budget will be spent at the recent burn rate; the moment of the report if it is; none if it will not be
    /// within the window, or nothing is known.
    pub fn exhausted_at(&self) -> Option<Timestamp> {
        self.exhausted_at
    }
}

/// Whether a budget is renewed all the time or at the end of its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rolling {
    Always,
    AtEnd,
}

fn forecast(
    now: Timestamp,
    window: Span,
    consumed: f64,
    burn: f64,
    rolling: Rolling,
) -> Option<Timestamp> {
    if burn <= 0.0 || (rolling == Rolling::Always && burn <= 1.0) {
        return None;
    }
    let left = scale(window.length(), (1.0 - consumed) / burn)?;
    let at = now.checked_add(SignedDuration::try_from(left).ok()?).ok()?;
    match rolling {
        Rolling::Always => Some(at),
        Rolling::AtEnd => (at < window.end()).then_some(at),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::slo::{CalendarUnit, Window};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn target() -> Target {
        Target::new(0.99).unwrap()
    }

    #[test]
    fn the_first_bad_event_of_a_window_does_not_spend_it() {
        let window = Window::rolling(Duration::from_secs(30 * 86_400)).unwrap();
        let span = window.span(at(0));
        let tally = Tally::of(1, 10);
        let early = 600.0 / (30.0 * 86_400.0);
        let status = BudgetStatus::new(at(0), span, tally, target(), early, None, Rolling::Always);
        assert!(status.consumed().unwrap() < 0.003);
        let full = BudgetStatus::new(at(0), span, tally, target(), 1.0, None, Rolling::Always);
        assert!((full.consumed().unwrap() - 10.0).abs() < 1e-9);
        assert_eq!(full.exhausted_at(), Some(at(0)));
    }

    #[test]
    fn half_a_budget_at_twice_the_pace_lasts_a_quarter_of_the_window() {
        let window = Window::rolling(Duration::from_secs(40 * 86_400)).unwrap();
        let span = window.span(at(0));
        let tally = Tally::of(5, 1000);
        let status = |burn| {
            BudgetStatus::new(at(0), span, tally, target(), 1.0, burn, Rolling::Always)
                .exhausted_at()
        };
        assert_eq!(status(Some(2.0)), Some(at(10 * 86_400)));
        assert_eq!(status(Some(1.0)), None);
        assert_eq!(status(Some(f64::NAN)), None);
        assert_eq!(status(None), None);
    }

    #[test]
    fn a_calendar_budget_that_outlasts_its_window_is_not_exhausted() {
        let window = Window::calendar(CalendarUnit::Day, "UTC").unwrap();
        let span = window.span(at(43_200));
        let tally = Tally::of(5, 1000);
        let status = |burn| {
            BudgetStatus::new(
                at(43_200),
                span,
                tally,
                target(),
                0.5,
                Some(burn),
                Rolling::AtEnd,
            )
            .exhausted_at()
        };
        // A quarter is spent; three quarters of a day's budget at pace 2 are 9 hours of 12 that are left.
        assert_eq!(status(2.0), Some(at(43_200 + 9 * 3_600)));
        assert_eq!(status(1.0), None);
    }

    #[test]
    fn no_events_are_no_knowledge() {
        let window = Window::rolling(Duration::from_secs(3600)).unwrap();
        let status = BudgetStatus::new(
            at(0),
            window.span(at(0)),
            Tally::default(),
            target(),
            1.0,
            None,
            Rolling::Always,
        );
        assert_eq!(status.consumed(), None);
        assert_eq!(status.remaining(), None);
    }
}
