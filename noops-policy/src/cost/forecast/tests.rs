use noops_stats::SplitMix64;

use super::*;
use crate::cost::{Adjustment, CostBudget, SpendRequest};
use crate::slo::CalendarUnit;

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn at(day: i64, second: i64) -> Timestamp {
    Timestamp::from_second(day * 86_400 + second).unwrap()
}

fn organisation() -> BudgetPath {
    "o".parse().unwrap()
}

/// A month's budget of 310, in January 1970.
fn governor(period: Window) -> CostGovernor {
    let mut governor = CostGovernor::new("EUR".parse().unwrap());
    let budget = CostBudget::new(organisation(), period, money("310")).unwrap();
    governor.set_budget(budget, at(0, 0));
    governor
}

fn month() -> Window {
    Window::calendar(CalendarUnit::Month, "UTC").unwrap()
}

fn spend(governor: &mut CostGovernor, key: &str, amount: Money, when: Timestamp) {
    let charge = Adjustment::new(key, organisation(), amount, when).unwrap();
    let _ = governor.adjust(&charge, when).unwrap();
}

#[test]
fn steady_spending_is_forecast_exactly() {
    let mut governor = governor(month());
    for day in 0..10 {
        spend(&mut governor, &format!("d{day}"), money("20"), at(day, 60));
    }
    let settings = ForecastSettings::default();
    let forecast = governor
        .forecast(&organisation(), &settings, at(10, 0))
        .unwrap();
    assert_eq!(forecast.slices(), 10);
    assert_eq!(forecast.rate_per_day(), Some(money("20")));
    assert_eq!(forecast.expected(), Some(money("620")));
    assert_eq!(
        (forecast.lower(), forecast.upper()),
        (forecast.expected(), forecast.expected())
    );
    // 110 are left at 20 a day.
    assert_eq!(forecast.runs_out_at(), Some(at(15, 43_200)));
    let hour = Duration::from_secs(3600);
    let hold = SpendRequest::new("hold", organisation(), money("10"), hour).unwrap();
    let _ = governor.reserve(&hold, at(10, 0)).unwrap();
    let forecast = governor
        .forecast(&organisation(), &settings, at(10, 0))
        .unwrap();
    assert_eq!(forecast.expected(), Some(money("630")));
}

#[test]
fn a_ledger_without_history_knows_nothing() {
    let governor = governor(month());
    let settings = ForecastSettings::default();
    let forecast = governor
        .forecast(&organisation(), &settings, at(0, 100))
        .unwrap();
    assert_eq!((forecast.expected(), forecast.upper()), (None, None));
    let idle = governor
        .forecast(&organisation(), &settings, at(9, 0))
        .unwrap();
    assert_eq!(idle.expected(), Some(Money::ZERO));
    assert_eq!(
        idle.upper(),
        None,
        "nothing was spent, so nothing is known of its spread"
    );
}

#[test]
fn a_rolling_budget_is_forecast_one_window_ahead() {
    let mut governor = governor(Window::rolling(Duration::from_secs(10 * 86_400)).unwrap());
    for day in 0..20 {
        spend(&mut governor, &format!("d{day}"), money("2"), at(day, 60));
    }
    let settings = ForecastSettings::default();
    let forecast = governor
        .forecast(&organisation(), &settings, at(20, 0))
        .unwrap();
    assert_eq!(forecast.expected(), Some(money("20")));
    assert_eq!(forecast.ends_at(), at(30, 0));
}

#[test]
fn settings_out_of_range_are_refused() {
    let settings = ForecastSettings::default();
    for weight in [0.0, -1.0, 1.1, f64::NAN, f64::INFINITY] {
        assert!(settings.with_weight(weight).is_err());
    }
    assert!(settings.with_bucket(Duration::ZERO).is_err());
    assert!(settings.with_bucket(Duration::MAX).is_err());
    let json = serde_json::to_string(&settings).unwrap();
    assert_eq!(
        serde_json::from_str::<ForecastSettings>(&json).unwrap(),
        settings
    );
    assert!(serde_json::from_str::<ForecastSettings>(&json.replace("0.1", "7.0")).is_err());
}

#[test]
fn the_ends_of_time_and_money_are_forecast_without_a_panic() {
    let mut governor = CostGovernor::new("EUR".parse().unwrap());
    let budget = CostBudget::new(organisation(), month(), Money::MAX).unwrap();
    governor.set_budget(budget, Timestamp::MIN);
    spend(&mut governor, "a", Money::MAX, Timestamp::MIN);
    let settings = ForecastSettings::default();
    for now in [Timestamp::MIN, at(0, 0), Timestamp::MAX] {
        assert!(governor.forecast(&organisation(), &settings, now).is_ok());
    }
}

/// How often the band covers what is then spent, in 2,000 seeded months.
fn coverage(
    seed: u64,
    past: usize,
    left: usize,
    mut draw: impl FnMut(&mut SplitMix64) -> f64,
) -> f64 {
    let mut random = SplitMix64(seed);
    let alpha = Alpha::new(0.1).unwrap();
    let covered = (0..2_000)
        .filter(|_| {
            let slices: Vec<f64> = (0..past).map(|_| draw(&mut random)).collect();
            let coming: f64 = (0..left).map(|_| draw(&mut random)).sum();
            let pace = Pace::of(&slices, 0.1).unwrap();
            let (lower, upper) = pace.band(left as f64, alpha).unwrap();
            lower <= coming && coming <= upper
        })
        .count();
    covered as f64 / 2_000.0
}

fn exponential(random: &mut SplitMix64) -> f64 {
    -libm::log(1.0 - random.unit())
}

/// The number of unit-rate arrivals before `mean`.
fn poisson(random: &mut SplitMix64, mean: f64) -> f64 {
    let mut count = -1.0;
    let mut time = 0.0;
    while time < mean {
        time += exponential(random);
        count += 1.0;
    }
    count
}

// The standard error of a coverage of 0.9 in 2,000 months is 0.0067; four of them are 0.027.
#[test]
fn the_band_covers_nine_tenths_of_poisson_spending() {
    for (past, left) in [(5, 25), (10, 20), (28, 5)] {
        let covered = coverage(7, past, left, |random| poisson(random, 30.0));
        assert!(covered > 0.9 - 0.027, "{past} then {left}: {covered}");
        assert!(covered < 0.96, "{past} then {left}: {covered}");
    }
}

#[test]
fn the_band_covers_most_of_skewed_spending() {
    for (past, left) in [(10, 20), (20, 10), (28, 5)] {
        let covered = coverage(8, past, left, exponential);
        assert!(covered > 0.85, "{past} then {left}: {covered}");
        let gamma = coverage(9, past, left, |random| {
            (0..4).map(|_| exponential(random)).sum()
        });
        assert!(gamma > 0.88, "{past} then {left}: {gamma}");
    }
}
