use proptest::prelude::*;

use super::*;

const MONTH: Duration = Duration::from_secs(30 * DAY);

fn percent(percent: f64) -> Target {
    Target::from_percent(percent).unwrap()
}

fn factors(rules: &BurnRateRules) -> Vec<f64> {
    let round = |factor: f64| (factor * 1e9).round() / 1e9;
    rules
        .rules()
        .iter()
        .map(|rule| round(rule.factor()))
        .collect()
}

// Sloth internal/alert/window.go getBurnRateFactor; Site Reliability Workbook table 5-8.
#[test]
fn the_published_ladders_come_out_for_thirty_days() {
    let sloth = BurnRateRules::standard(Ladder::Sloth, percent(99.9), MONTH).unwrap();
    assert_eq!(factors(&sloth), [14.4, 6.0, 3.0, 1.0]);
    let minutes: Vec<u64> = sloth
        .windows()
        .iter()
        .map(|window| window.as_secs() / 60)
        .collect();
    assert_eq!(minutes, [5, 30, 60, 120, 360, 1440, 4320]);
    let workbook = BurnRateRules::standard(Ladder::Workbook, percent(99.9), MONTH).unwrap();
    assert_eq!(factors(&workbook), [14.4, 6.0, 1.0]);
    let four_weeks = Duration::from_secs(28 * DAY);
    let pyrra = BurnRateRules::standard(Ladder::Workbook, percent(99.9), four_weeks).unwrap();
    assert_eq!(factors(&pyrra), [13.44, 5.6, 0.933_333_333]);
}

// Sloth issue 341: a factor that the target leaves no room for never fires and nobody is told.
#[test]
fn a_rule_that_can_never_fire_is_refused_and_names_the_factor_that_can() {
    let standard = |target| BurnRateRules::standard(Ladder::Sloth, target, MONTH);
    assert!(standard(percent(93.06)).is_ok());
    assert!(standard(percent(93.05)).is_err());
    let error = standard(percent(80.0)).unwrap_err();
    let expected = "can never happen with a budget of `0.2`; use at most `4`";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[test]
fn derived_factors_say_what_they_changed() {
    let rules = BurnRateRules::for_target(percent(80.0), MONTH).unwrap();
    assert_eq!(factors(&rules), [4.0, 4.0, 3.0, 1.0]);
    let from: Vec<f64> = rules.changes().iter().map(|change| change.from()).collect();
    assert!((from[0] - 14.4).abs() < 1e-9 && (from[1] - 6.0).abs() < 1e-9);
    assert_eq!(from.len(), 2);
}

#[test]
fn a_total_outage_at_three_nines_pages_after_52_seconds() {
    let rules = BurnRateRules::for_target(percent(99.9), MONTH).unwrap();
    let fast = &rules.rules()[0];
    let detected = detection_time(fast, percent(99.9), 1.0).unwrap();
    assert!((detected.as_secs_f64() - 51.84).abs() < 1e-6);
    let reset = reset_time(fast, percent(99.9), 1.0).unwrap();
    assert!((reset.as_secs_f64() - 300.0 * (1.0 - 0.0144)).abs() < 1e-6);
    assert_eq!(detection_time(fast, percent(99.9), 0.01), None);
    assert_eq!(detection_time(fast, percent(99.9), f64::NAN), None);
    let days = exhaustion_time(MONTH, 14.4).unwrap().as_secs_f64() / 86_400.0;
    assert!((days - 30.0 / 14.4).abs() < 1e-9);
    assert_eq!(exhaustion_time(MONTH, 0.0), None);
    assert_eq!(exhaustion_time(MONTH, 1e-300), None);
}

#[test]
fn rules_read_back_and_dead_ones_do_not() {
    let rules = BurnRateRules::for_target(percent(80.0), MONTH).unwrap();
    let json = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<BurnRateRules>(&json).unwrap(), rules);
    let dead = json.replace("\"target\":0.8", "\"target\":0.5");
    assert_ne!(dead, json);
    assert!(serde_json::from_str::<BurnRateRules>(&dead).is_err());
}

proptest! {
    #[test]
    fn every_target_and_period_has_rules_that_can_fire(
        ratio in 0.000_001f64..0.999_999,
        seconds in 60u64..366 * DAY,
    ) {
        let target = Target::new(ratio).unwrap();
        let rules = BurnRateRules::for_target(target, Duration::from_secs(seconds)).unwrap();
        prop_assert!(!rules.rules().is_empty());
        for rule in rules.rules() {
            prop_assert!(rule.threshold(target) < 1.0);
            prop_assert!(rule.short() <= rule.long());
            prop_assert!(rule.long() <= Duration::from_secs(seconds));
        }
    }
}
