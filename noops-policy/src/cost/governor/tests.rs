mod naive;

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::cost::CostRefusalReason;
use crate::slo::{CalendarUnit, Window};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn path(text: &str) -> BudgetPath {
    text.parse().unwrap()
}

fn day() -> Window {
    Window::calendar(CalendarUnit::Day, "UTC").unwrap()
}

fn hour() -> Window {
    Window::rolling(Duration::from_secs(3600)).unwrap()
}

fn request(key: &str, place: &str, amount: &str) -> SpendRequest {
    SpendRequest::new(key, path(place), money(amount), Duration::from_secs(600)).unwrap()
}

/// 100 a day for the organisation, 60 a day for a team, 30 in any hour for a model.
fn governor() -> CostGovernor {
    let mut governor = CostGovernor::new("EUR".parse().unwrap());
    for (place, period, amount) in [
        ("o", day(), "100"),
        ("o/t", day(), "60"),
        ("o/t/m", hour(), "30"),
    ] {
        let budget = CostBudget::new(path(place), period, money(amount)).unwrap();
        governor.set_budget(budget, at(0));
    }
    governor
}

fn used(governor: &CostGovernor, place: &str, second: i64) -> String {
    let status = governor.status(&path(place), at(second)).unwrap();
    status.used().to_string()
}

#[test]
fn a_refusal_anywhere_on_the_way_up_books_nothing_anywhere() {
    let mut governor = governor();
    let _ = governor
        .reserve(&request("a", "o/u", "50"), at(10))
        .unwrap();
    let before = governor.clone();
    let refusal = governor
        .reserve(&request("b", "o/t", "55"), at(10))
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "request `b`: 55.00 on top of 50.00 exceeds the hard cap 100.00 of `o` by 5.00; \
         wait until `1970-01-02T00:00:00Z`, ask for less, or raise the cap"
    );
    assert_eq!(governor, before);
    assert_eq!(used(&governor, "o/t", 10), "0.00");
    assert!(governor.reserve(&request("b", "o/t", "50"), at(10)).is_ok());
}

#[test]
fn without_a_budget_nothing_may_be_spent() {
    let mut governor = governor();
    let refusal = governor
        .reserve(&request("a", "p", "1"), at(0))
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "request `a`: no budget covers `p`; did you mean `o`?"
    );
    let mut empty = CostGovernor::new("EUR".parse().unwrap());
    assert!(empty.reserve(&request("a", "o", "1"), at(0)).is_err());
}

#[test]
fn soft_caps_warn_once_when_they_are_reached() {
    let mut governor = governor();
    let first = governor.reserve(&request("a", "o/t", "30"), at(0)).unwrap();
    let texts: Vec<String> = first.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        ["budget `o/t` has reached 50 %: 30.00 of 60.00 are spent or reserved"]
    );
    let second = governor.reserve(&request("b", "o/t", "1"), at(0)).unwrap();
    assert!(second.warnings().is_empty());
    let third = governor.reserve(&request("c", "o/t", "29"), at(0)).unwrap();
    let percents: Vec<u32> = third.warnings().iter().map(|one| one.percent()).collect();
    assert_eq!(
        percents,
        [50, 80, 100],
        "50 % of `o`, 80 and 100 % of `o/t`"
    );
    let status = governor.status(&path("o/t"), at(0)).unwrap();
    assert_eq!(status.reached(), [50, 80, 100]);
    assert_eq!(status.consumed(), 1.0);
    assert_eq!(status.over_cap(), None);
}

#[test]
fn a_safety_action_is_never_refused_and_always_reported() {
    let mut governor = governor();
    let safe = request("a", "o/t/m", "1000").with_purpose(Purpose::Safety);
    let reservation = governor.reserve(&safe, at(0)).unwrap();
    assert_eq!(reservation.over_caps().len(), 3);
    let settlement = governor.commit("a", money("1000"), at(0)).unwrap();
    assert_eq!(settlement.excess(), Money::ZERO);
    let status = governor.status(&path("o/t"), at(0)).unwrap();
    assert_eq!(status.over_cap(), Some(money("940")));
    assert_eq!(status.spent_on_safety(), money("1000"));
    assert_eq!(status.headroom(), Some(Money::ZERO));
    assert!(
        governor
            .reserve(&request("b", "o/t", "0.000001"), at(0))
            .is_err()
    );
}

#[test]
fn what_was_spent_beyond_the_reservation_is_booked_reported_and_blocks() {
    let mut governor = governor();
    let _ = governor.reserve(&request("a", "o/t", "10"), at(0)).unwrap();
    let settlement = governor.commit("a", money("70"), at(5)).unwrap();
    assert_eq!(settlement.excess(), money("60"));
    assert_eq!(settlement.over_caps().len(), 1);
    assert_eq!(
        settlement.over_caps()[0].to_string(),
        "70.00 on top of 0.00 exceeds the hard cap 60.00 of `o/t` by 10.00"
    );
    assert!(governor.reserve(&request("b", "o/t", "1"), at(6)).is_err());
    assert!(governor.reserve(&request("c", "o/u", "1"), at(6)).is_ok());
}

#[test]
fn the_same_operation_again_gives_the_same_answer_and_books_nothing() {
    let mut governor = governor();
    let first = governor.reserve(&request("a", "o/t", "40"), at(0)).unwrap();
    assert_eq!(
        governor.reserve(&request("a", "o/t", "40"), at(9)),
        Ok(first)
    );
    let reused = governor
        .reserve(&request("a", "o/t", "41"), at(9))
        .unwrap_err();
    assert_eq!(reused.reason(), &CostRefusalReason::KeyReused);
    let settled = governor.commit("a", money("4"), at(10)).unwrap();
    assert_eq!(governor.commit("a", money("4"), at(20)), Ok(settled));
    assert!(governor.commit("a", money("5"), at(20)).is_err());
    assert!(governor.refund("a", at(20)).is_err());
    let settled = governor
        .reserve(&request("a", "o/t", "40"), at(20))
        .unwrap_err();
    assert_eq!(settled.reason(), &CostRefusalReason::Settled);
    let _ = governor.reserve(&request("b", "o/t", "7"), at(20)).unwrap();
    assert_eq!(governor.refund("b", at(20)), Ok(money("7")));
    assert_eq!(governor.refund("b", at(30)), Ok(money("7")));
    assert_eq!(used(&governor, "o", 30), "4.00");
    assert_eq!(
        governor
            .commit("aa", money("1"), at(30))
            .unwrap_err()
            .to_string(),
        "no reservation has the key `aa`; book what was spent without one as an adjustment"
    );
}

#[test]
fn a_lease_that_is_over_holds_nothing_and_late_spending_is_booked_all_the_same() {
    let mut governor = governor();
    let _ = governor.reserve(&request("a", "o/t", "60"), at(0)).unwrap();
    assert!(
        governor
            .reserve(&request("b", "o/t", "50"), at(599))
            .is_err()
    );
    assert_eq!(used(&governor, "o/t", 600), "0.00");
    let _ = governor
        .reserve(&request("b", "o/t", "50"), at(600))
        .unwrap();
    let late = governor.commit("a", money("20"), at(700)).unwrap();
    assert_eq!(late.timeliness(), Timeliness::Late);
    assert_eq!(late.excess(), money("20"));
    assert_eq!(late.over_caps().len(), 1);
    assert_eq!(governor.expire(at(10_000)).len(), 1);
    assert!(governor.expire(at(10_000)).is_empty());
    assert_eq!(governor.refund("b", at(10_000)), Ok(Money::ZERO));
    assert_eq!(used(&governor, "o/t", 10_000), "20.00");
}

#[test]
fn calendar_periods_start_anew_and_rolling_ones_slide() {
    let mut governor = governor();
    let _ = governor
        .reserve(&request("a", "o/t/m", "30"), at(86_000))
        .unwrap();
    let _ = governor.commit("a", money("30"), at(86_000)).unwrap();
    assert_eq!(used(&governor, "o/t", 86_399), "30.00");
    assert_eq!(used(&governor, "o/t", 86_400), "0.00");
    assert_eq!(used(&governor, "o/t/m", 89_599), "30.00");
    assert_eq!(used(&governor, "o/t/m", 89_600), "0.00");
}

#[test]
fn a_late_invoice_restates_the_closed_period_and_leaves_today_alone() {
    let mut governor = governor();
    let _ = governor
        .reserve(&request("a", "o/t", "10"), at(100))
        .unwrap();
    let _ = governor.commit("a", money("10"), at(100)).unwrap();
    let late = Adjustment::new("invoice-1", path("o/t"), money("55.5"), at(200)).unwrap();
    let restated = governor.adjust(&late, at(90_000)).unwrap();
    let team = &restated.periods()[1];
    assert_eq!(team.budget(), &path("o/t"));
    assert_eq!(team.state(), PeriodState::Closed);
    assert_eq!((team.before(), team.after()), (money("10"), money("65.5")));
    assert!(restated.over_caps().is_empty());
    assert_eq!(used(&governor, "o/t", 90_000), "0.00");
    let yesterday = governor.spent_in_period(&path("o/t"), at(0)).unwrap();
    assert_eq!(yesterday, Some(money("65.5")));
    assert_eq!(governor.adjust(&late, at(95_000)), Ok(restated));
    assert_eq!(
        governor.spent_in_period(&path("o/t"), at(0)).unwrap(),
        yesterday
    );

    let today = Adjustment::new("invoice-2", path("o/t"), money("61"), at(90_001)).unwrap();
    assert!(
        governor.adjust(&today, at(90_000)).is_err(),
        "not incurred yet"
    );
    let restated = governor.adjust(&today, at(90_001)).unwrap();
    assert_eq!(restated.periods()[1].state(), PeriodState::Open);
    assert_eq!(restated.over_caps().len(), 1);
    let credit = Adjustment::new("credit", path("o/t"), money("-61"), at(90_001)).unwrap();
    assert!(
        governor
            .adjust(&credit, at(90_002))
            .unwrap()
            .over_caps()
            .is_empty()
    );
    assert_eq!(used(&governor, "o/t", 90_002), "0.00");
}

#[test]
fn a_budget_set_later_counts_what_is_on_the_books_already() {
    let mut governor = governor();
    let _ = governor
        .reserve(&request("a", "o/t/m/j", "10"), at(0))
        .unwrap();
    let _ = governor.commit("a", money("8"), at(0)).unwrap();
    let _ = governor
        .reserve(&request("b", "o/t/m/j", "5"), at(1))
        .unwrap();
    let job = CostBudget::new(path("o/t/m/j"), day(), money("14")).unwrap();
    governor.set_budget(job, at(2));
    assert_eq!(used(&governor, "o/t/m/j", 2), "13.00");
    assert!(
        governor
            .reserve(&request("c", "o/t/m/j", "2"), at(2))
            .is_err()
    );
    let team = CostBudget::new(path("o/t"), hour(), money("60")).unwrap();
    governor.set_budget(team, at(3));
    assert_eq!(used(&governor, "o/t", 3), "13.00");
}

#[test]
fn a_clock_that_goes_backwards_opens_no_new_period() {
    let mut governor = governor();
    let _ = governor
        .reserve(&request("a", "o/t", "60"), at(86_400))
        .unwrap();
    let _ = governor.commit("a", money("60"), at(0)).unwrap();
    assert!(governor.reserve(&request("b", "o/t", "1"), at(0)).is_err());
    assert_eq!(used(&governor, "o/t", 0), "60.00");
}

#[test]
fn stored_ledgers_that_nothing_leads_to_are_refused() {
    let mut governor = governor();
    let _ = governor.reserve(&request("a", "o/t", "40"), at(0)).unwrap();
    let _ = governor.commit("a", money("35"), at(5)).unwrap();
    let _ = governor.reserve(&request("b", "o/t", "20"), at(6)).unwrap();
    let _ = governor.expire(at(700));
    let json = serde_json::to_string(&governor).unwrap();
    assert_eq!(
        serde_json::from_str::<CostGovernor>(&json).unwrap(),
        governor
    );
    for (good, bad, why) in [
        (
            "\"amount\":\"40.00\"",
            "\"amount\":\"61.00\"",
            "beyond a cap",
        ),
        (
            "\"actual\":\"35.00\"",
            "\"actual\":\"-35.00\"",
            "below zero",
        ),
        (
            "\"actual\":\"35.00\"",
            "\"actual\":\"45.00\"",
            "leaves no room for the next",
        ),
        (
            "{\"committed\":{\"key\":\"a\"",
            "{\"committed\":{\"key\":\"z\"",
            "unknown key",
        ),
        ("00:11:40Z", "00:05:00Z", "a lease ended too early"),
        ("00:00:05Z", "00:00:07Z", "out of order"),
        ("\"currency\"", "\"curency\"", "unknown field"),
        (
            "\"latest\":\"1970-01-01T00:11:40Z\"",
            "\"latest\":null",
            "no latest time",
        ),
    ] {
        assert!(json.contains(good), "{good} in {json}");
        let hostile = json.replace(good, bad);
        assert!(
            serde_json::from_str::<CostGovernor>(&hostile).is_err(),
            "{why}"
        );
    }
}

#[test]
fn an_archived_ledger_goes_on_as_before_and_refuses_what_it_cannot_restate() {
    let mut governor = governor();
    for (index, second) in [100, 200, 90_000].into_iter().enumerate() {
        let key = format!("k{index}");
        let _ = governor
            .reserve(&request(&key, "o/t", "10"), at(second))
            .unwrap();
        let _ = governor.commit(&key, money("10"), at(second)).unwrap();
    }
    let mut archived = governor.clone();
    let taken = archived.archive(at(i64::from(i32::MAX)));
    assert_eq!(taken.len(), 4);
    assert_eq!(
        used(&archived, "o/t", 90_000),
        used(&governor, "o/t", 90_000)
    );
    assert_eq!(archived.spent_in_period(&path("o/t"), at(0)).unwrap(), None);
    assert_eq!(
        governor.spent_in_period(&path("o/t"), at(0)).unwrap(),
        Some(money("20"))
    );
    let late = Adjustment::new("late", path("o/t"), money("1"), at(200)).unwrap();
    assert!(archived.adjust(&late, at(90_000)).is_err());
    let json = serde_json::to_string(&archived).unwrap();
    assert_eq!(
        serde_json::from_str::<CostGovernor>(&json).unwrap(),
        archived
    );
}

#[test]
fn what_is_archived_leaves_no_trace_in_a_later_period() {
    let mut governor = governor();
    let credit = Adjustment::new("credit", path("o/t"), money("-50"), at(100)).unwrap();
    let _ = governor.adjust(&credit, at(100)).unwrap();
    let _ = governor
        .reserve(&request("later", "o/t", "1"), at(90_000))
        .unwrap();
    let mut archived = governor.clone();
    let _ = archived.archive(at(i64::from(i32::MAX)));
    assert_eq!(
        used(&archived, "o/t", 90_000),
        used(&governor, "o/t", 90_000)
    );
    let json = serde_json::to_string(&archived).unwrap();
    assert_eq!(
        serde_json::from_str::<CostGovernor>(&json).unwrap(),
        archived
    );
}

#[test]
fn the_ends_of_time_and_of_money_do_not_panic() {
    let mut governor = CostGovernor::new("EUR".parse().unwrap());
    let month = Window::calendar(CalendarUnit::Month, "Pacific/Apia").unwrap();
    let budget = CostBudget::new(path("o"), month, Money::MAX).unwrap();
    governor.set_budget(budget, Timestamp::MIN);
    for (index, now) in [Timestamp::MIN, Timestamp::MAX, Timestamp::MIN]
        .into_iter()
        .enumerate()
    {
        let key = format!("k{index}");
        let lease = Duration::from_secs(366 * 86_400);
        let most = SpendRequest::new(&key, path("o"), Money::MAX, lease).unwrap();
        let most = most.with_purpose(Purpose::Safety);
        let _ = governor.reserve(&most, now).unwrap();
        let settlement = governor.commit(&key, Money::MAX, now).unwrap();
        assert_eq!(settlement.released(), Money::ZERO);
    }
    assert_eq!(
        governor.status(&path("o"), Timestamp::MIN).unwrap().spent(),
        Money::MAX
    );
    let _ = governor.archive(Timestamp::MAX);
}
