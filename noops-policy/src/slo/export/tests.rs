use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::slo::{
    AlertRouting, BudgetingMethod, BurnRateRules, Kind, Objective, Queries, Route, Slice, Target,
    Window,
};

fn objective(name: &str) -> Objective {
    Objective::new(
        name,
        Kind::Availability,
        Target::from_percent(99.9).unwrap(),
        Window::rolling(MONTH).unwrap(),
    )
    .unwrap()
    .with_service("fraud")
}

fn rules() -> BurnRateRules {
    BurnRateRules::for_target(Target::from_percent(99.9).unwrap(), MONTH).unwrap()
}

fn queries(bad: &str) -> Queries {
    Queries::BadOverTotal {
        bad: bad.to_owned(),
        total: "sum(rate(all[{{.window}}]))".to_owned(),
    }
}

fn exported(bad: &str, routing: &AlertRouting) -> Result<String, ExportError> {
    PrometheusRules::default()
        .with_queries(&objective("a"), &queries(bad), &rules(), routing)
        .map(|rules| rules.to_yaml())
}

fn labelled(name: &str, value: &str) -> AlertRouting {
    AlertRouting::default().with_labels(BTreeMap::from([(name.to_owned(), value.to_owned())]))
}

// The windows and thresholds of Sloth for 99.9 % of 30 days (its getting-started example).
#[test]
fn three_nines_give_the_windows_and_thresholds_of_sloth() {
    let yaml = exported("sum(rate(bad[{{.window}}]))", &AlertRouting::default()).unwrap();
    for window in ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"] {
        let record = format!("- record: \"slo:sli_error:ratio_rate{window}\"\n");
        assert_eq!(yaml.matches(&record).count(), 1, "{window}");
    }
    assert!(yaml.contains("sum(rate(bad[3d]))"));
    assert!(yaml.contains("vector(0.999)"));
    assert!(yaml.contains("vector(0.001)"));
    assert!(yaml.contains("vector(30)"));
    for (rule, (window, threshold)) in
        rules()
            .rules()
            .iter()
            .zip([("1h", 0.0144), ("6h", 0.006), ("1d", 0.003), ("3d", 0.001)])
    {
        // The very number that the process compares with, which is the published one but for its rounding.
        let exact = rule.threshold(rules().target());
        assert!((exact - threshold).abs() < 1e-15, "{exact}");
        let condition = format!("ratio_rate{window}{{noops_id=\"fraud/a\"}} > {exact})");
        assert!(yaml.contains(&condition), "{condition}");
    }
    assert_eq!(yaml.matches("- alert: ").count(), 2);
    assert!(!yaml.contains("{{.window}}"));
}

#[test]
fn a_disabled_severity_has_no_alert() {
    let routing = AlertRouting::default().with_page(Route::Disabled);
    let yaml = exported("bad[{{.window}}]", &routing).unwrap();
    assert_eq!(yaml.matches("- alert: ").count(), 1);
    assert!(yaml.contains("\"noops_severity\": \"ticket\""));
    let yaml = exported("bad[{{.window}}]", &routing.with_ticket(Route::Disabled)).unwrap();
    assert_eq!(yaml.matches("- alert: ").count(), 0);
}

#[test]
fn a_comment_in_a_query_does_not_swallow_what_follows() {
    let yaml = exported("bad[{{.window}}] # )", &AlertRouting::default()).unwrap();
    assert!(yaml.contains("bad[5m] # )\n          )\n"), "{yaml}");
}

#[test]
fn what_prometheus_would_refuse_is_refused_here() {
    let plain = AlertRouting::default();
    for (bad, message) in [
        (
            "sum(rate(bad[5m]))",
            "query `bad` of objective `a` has no `{{.window}}`",
        ),
        (
            "a[{{.window}}]) or (b",
            "closes a bracket that it did not open",
        ),
        ("a{x=\"}[{{.window}}]", "does not close a string"),
    ] {
        let error = exported(bad, &plain).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let good = "bad[{{.window}}]";
    for (name, value, message) in [
        (
            "team/name",
            "x",
            "has a name that Prometheus does not allow",
        ),
        ("__name__", "x", "has a name that Prometheus does not allow"),
        ("1st", "x", "has a name that Prometheus does not allow"),
        ("", "x", "has a name that Prometheus does not allow"),
        ("noops_id", "x", "has a name that these rules set"),
        ("team", "{{ broken", "has the template `{{ broken`"),
    ] {
        let error = exported(good, &labelled(name, value))
            .unwrap_err()
            .to_string();
        assert!(error.contains(message), "{error}");
    }
    let error = PrometheusRules::default()
        .with_queries(
            &objective("a").with_label("bad name", "x"),
            &queries(good),
            &rules(),
            &plain,
        )
        .unwrap_err();
    assert!(matches!(error, ExportError::Label { .. }));
}

#[test]
fn what_the_rules_do_not_count_is_refused() {
    let add = |objective: &Objective, queries: &Queries, rules: &BurnRateRules| {
        PrometheusRules::default().with_queries(objective, queries, rules, &AlertRouting::default())
    };
    let good = queries("bad[{{.window}}]");
    let slices = BudgetingMethod::RatioTimeslices {
        slice: Slice::new(Duration::from_secs(60)).unwrap(),
    };
    let error = add(&objective("a").with_budgeting(slices), &good, &rules()).unwrap_err();
    assert!(matches!(error, ExportError::Budgeting { .. }));
    let value = Queries::Value("latency[{{.window}}]".to_owned());
    let error = add(&objective("a"), &value, &rules()).unwrap_err();
    assert!(error.to_string().contains("is a raw value"));
    let others = BurnRateRules::for_target(Target::new(0.9).unwrap(), MONTH).unwrap();
    let error = add(&objective("a"), &good, &others).unwrap_err();
    assert!(matches!(error, ExportError::Target { .. }));
    let once = add(&objective("a"), &good, &rules()).unwrap();
    let error = once
        .with_queries(&objective("a"), &good, &rules(), &AlertRouting::default())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "objective `fraud/a` is there twice; rename one of them or its service"
    );
}

#[test]
fn counters_are_exported_in_the_arithmetic_of_choice() {
    let with = |arithmetic| {
        PrometheusRules::default()
            .with_counters(
                &objective("a"),
                arithmetic,
                &rules(),
                &AlertRouting::default(),
            )
            .unwrap()
            .to_yaml()
    };
    let selector = "noops_slo_events_total{noops_service=\"fraud\",noops_slo=\"a\"";
    let rate = with(CounterArithmetic::Rate);
    assert!(rate.contains(&format!("sum(rate({selector},outcome=\"bad\"}}[30d]))")));
    let difference = with(CounterArithmetic::Difference);
    assert!(difference.contains(&format!("sum({selector}}} offset 30d)")));
    assert!(!difference.contains("rate("));
    assert_eq!(with(CounterArithmetic::Rate), rate);
}

const MONTH: Duration = Duration::from_secs(30 * 86_400);
