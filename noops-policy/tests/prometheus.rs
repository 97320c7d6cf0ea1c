//! What is exported for Prometheus, judged by `promtool`.
//!
//! `NOOPS_PROMTOOL` names the program (`scripts/promtool` finds or installs it); otherwise it is looked for on the
//! path. Without it the tests say that they were skipped, and fail where `CI` is set.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use noops_core::Timestamp;
use noops_policy::slo::{
    AlertRouting, AlertState, BudgetStatus, BurnRateRule, BurnRateRules, CounterArithmetic, Kind,
    LowTraffic, Objective, PrometheusRules, Queries, Recorded, Route, Severity, SloSettings,
    SloTracker, Target, Window, import,
};
use noops_stats::SplitMix64;
use serde_json::{Value, json};

/// The program, if there is one.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn promtool() -> Option<String> {
    let program = std::env::var("NOOPS_PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    match Command::new(&program).arg("--version").output() {
        Ok(output) if output.status.success() => Some(program),
        _ => {
            assert!(
                std::env::var_os("CI").is_none(),
                "`{program}` does not run; set NOOPS_PROMTOOL to scripts/promtool"
            );
            eprintln!(
                "SKIPPED: `{program}` does not run, so nothing was checked against Prometheus; set NOOPS_PROMTOOL to scripts/promtool"
            );
            None
        }
    }
}

/// Writes files into a fresh folder, runs `promtool` there and expects that it is content.
fn run(name: &str, files: &[(&str, &str)], arguments: &[&str]) {
    let Some(program) = promtool() else { return };
    let program = match std::path::absolute(&program) {
        Ok(path) if path.exists() => path,
        _ => PathBuf::from(program),
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("prometheus-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in files {
        std::fs::write(folder.join(file), text).unwrap();
    }
    let output = Command::new(program)
        .args(arguments)
        .current_dir(&folder)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let start: String = said.chars().take(4000).collect();
    assert!(output.status.success(), "{}\n{start}", folder.display());
}

fn rules_of(objective: &Objective) -> BurnRateRules {
    BurnRateRules::for_target(objective.target(), objective.window().nominal_length()).unwrap()
}

#[test]
fn promtool_accepts_the_rules_of_every_imported_file() {
    let mut rules = PrometheusRules::default();
    for yaml in [
        include_str!("../testdata/slo/sloth.yaml"),
        include_str!("../testdata/slo/openslo.yaml"),
    ] {
        for slo in import("slo.yaml", yaml).unwrap() {
            rules = rules
                .with_imported(&slo, &rules_of(slo.objective()))
                .unwrap();
        }
    }
    run(
        "imported",
        &[("rules.yaml", &rules.to_yaml())],
        &["check", "rules", "rules.yaml"],
    );
}

#[test]
fn promtool_accepts_hostile_names_labels_and_queries() {
    let hostile = "a \"b\" 'c' `d` \\ {e} [f] (g) #h\n- i: j\t\u{0}\u{85}\u{2028}é🦀: |- %";
    let queries = Queries::GoodOverTotal {
        good: "sum(rate(a{b=\"\\\")#\", c='('}[{{.window}}])) # and ) a comment".to_owned(),
        total: "sum(\n  rate(\ta{é=`]`}[{{ .window }}]\n)) # last".replace('é', "e"),
    };
    let routing = AlertRouting::default()
        .with_name(hostile)
        .with_labels(BTreeMap::from([("team".to_owned(), hostile.to_owned())]))
        .with_annotations(BTreeMap::from([(
            "summary".to_owned(),
            format!("{hostile} {{{{ $labels.noops_slo }}}} {{{{$value | humanizePercentage}}}}"),
        )]));
    let mut rules = PrometheusRules::default();
    let targets = [99.999, 99.9, 90.0, 50.0, 1.0];
    let windows = [
        Window::rolling(Duration::from_secs(3600)).unwrap(),
        Window::rolling(Duration::from_secs(7 * 86_400)).unwrap(),
        Window::rolling(Duration::from_secs(86_400 + 61)).unwrap(),
        Window::calendar(noops_policy::slo::CalendarUnit::Quarter, "Asia/Tokyo").unwrap(),
    ];
    for (index, target) in targets.into_iter().enumerate() {
        for (number, window) in windows.iter().enumerate() {
            let target = Target::from_percent(target).unwrap();
            let name = format!("objective-{index}.{number}");
            let objective = Objective::new(name, Kind::Quality, target, window.clone())
                .unwrap()
                .with_service(hostile)
                .with_label("about", hostile)
                .with_label("nothing", "");
            rules = rules
                .with_queries(&objective, &queries, &rules_of(&objective), &routing)
                .unwrap();
            for (service, arithmetic) in [
                ("counted", CounterArithmetic::Rate),
                ("", CounterArithmetic::Difference),
            ] {
                let counted = objective.clone().with_service(service);
                rules = rules
                    .with_counters(&counted, arithmetic, &rules_of(&counted), &routing)
                    .unwrap();
            }
        }
    }
    run(
        "hostile",
        &[("rules.yaml", &rules.to_yaml())],
        &["check", "rules", "rules.yaml"],
    );
}

/// Good and bad events of one minute.
#[derive(Clone, Copy)]
struct Minute {
    good: u32,
    bad: u32,
}

/// Some 26 hours: little traffic with a usual share of bad events, three incidents, and a silence of 80 minutes.
fn stream(seed: u64) -> Vec<Minute> {
    let mut random = SplitMix64(seed);
    (0..MINUTES)
        .map(|minute| {
            let events = match minute {
                1100..=1180 => 0,
                _ => random.below(12),
            };
            let share = match minute {
                200..=230 => 0.4,
                500..=515 => 1.0,
                700..=1000 => 0.09,
                _ => 0.005,
            };
            let bad = (0..events).filter(|_| random.unit() < share).count();
            Minute {
                good: (events - bad) as u32,
                bad: bad as u32,
            }
        })
        .collect()
}

/// Bad and all events of the `length` minutes that end with minute `now`, by looking at all of them.
fn counted(stream: &[Minute], now: usize, length: usize) -> (u32, u32) {
    stream[now.saturating_sub(length)..now]
        .iter()
        .fold((0, 0), |(bad, all), minute| {
            (bad + minute.bad, all + minute.bad + minute.good)
        })
}

fn scoring() -> Objective {
    Objective::new(
        "scoring",
        Kind::Availability,
        Target::from_percent(99.0).unwrap(),
        Window::rolling(Duration::from_secs(86_400)).unwrap(),
    )
    .unwrap()
    .with_service("fraud")
    .with_label("owner", "risk")
}

fn scoring_rules() -> BurnRateRules {
    let rule = |severity, long: u64, factor| {
        let long = Duration::from_secs(long * 60);
        BurnRateRule::new(severity, long, long / 12, factor).unwrap()
    };
    BurnRateRules::new(
        scoring().target(),
        vec![
            rule(Severity::Page, 60, 14.4),
            rule(Severity::Page, 360, 6.0),
            rule(Severity::Ticket, 720, 3.0),
        ],
    )
    .unwrap()
}

/// What is comparable, and why: an event happens in the middle of a minute, and a counter is sampled, the rules are
/// evaluated and the tracker is asked at full minutes. The exported rules take the counter now less the counter then,
/// which is exact for counters that never start over, where `rate` would extrapolate. The tracker reads windows of
/// up to twelve hours from buckets of at most a minute, so every minute compares; the period of a day comes
/// from buckets of a quarter of an hour, so every quarter of an hour does. The low-traffic guard of the tracker
/// is off: the rules have none.
#[test]
fn prometheus_and_the_process_agree_on_the_same_counters() {
    let stream = stream(20_260_301);
    let rules = scoring_rules();
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let settings = SloSettings::default().with_low_traffic(LowTraffic::None);
    let mut tracker = SloTracker::new(scoring(), rules.clone(), settings, start).unwrap();
    let exported = PrometheusRules::default()
        .with_counters(
            &scoring(),
            CounterArithmetic::Difference,
            &rules,
            &AlertRouting::default(),
        )
        .unwrap();

    let mut ratio_tests: Vec<Value> = Vec::new();
    let mut alert_tests: Vec<Value> = Vec::new();
    let mut seen = [0_usize; 3];
    let at = |second: usize| {
        start
            .checked_add(Duration::from_secs(second as u64))
            .unwrap()
    };
    for now in 1..=stream.len() {
        let Minute { good, bad } = stream[now - 1];
        assert_eq!(
            tracker.record_many(at(now * 60 - 30), good, bad),
            Recorded::Counted
        );
        let report = tracker.observe(at(now * 60));
        let mut firing: Vec<&str> = Vec::new();
        for alert in report.alerts() {
            for burn in [alert.short(), alert.long()] {
                let minutes = (burn.window().as_secs() / 60) as usize;
                let (bad, all) = counted(&stream, now, minutes);
                let ratio = (all > 0).then(|| f64::from(bad) / f64::from(all));
                match (burn.rate(), ratio) {
                    (None, None) => {}
                    (Some(rate), Some(ratio)) => {
                        assert!(
                            (rate - ratio / 0.01).abs() <= 1e-9 * rate,
                            "{now} {minutes}"
                        );
                    }
                    (rate, ratio) => panic!("minute {now}: {rate:?}, and counted {ratio:?}"),
                }
                if now % 7 == 0 {
                    ratio_tests.push(same_ratio(now, &window_text(minutes), burn.rate()));
                }
            }
            if alert.state() == AlertState::Firing {
                let (name, index) = match alert.severity() {
                    Severity::Page => ("page", 0),
                    Severity::Ticket => ("ticket", 1),
                };
                seen[index] += 1;
                if !firing.contains(&name) {
                    firing.push(name);
                }
            } else {
                seen[2] += 1;
            }
        }
        if now % 15 == 0 {
            ratio_tests.push(same_ratio(
                now,
                "1d",
                day_rate(&stream, now, report.budget()),
            ));
        }
        alert_tests.push(same_alerts(now, &firing));
    }
    // The stream is one on which agreement says something.
    assert!(seen.iter().all(|count| *count > 20), "{seen:?}");

    let series = |outcome: &str, count: fn(&Minute) -> u32| {
        let mut sum = 0;
        let mut values = vec!["0".to_owned()];
        values.extend(stream.iter().map(|minute| {
            sum += count(minute);
            sum.to_string()
        }));
        json!({
            "series": format!(
                "noops_slo_events_total{{noops_service=\"fraud\",noops_slo=\"scoring\",outcome=\"{outcome}\"}}"
            ),
            "values": values.join(" "),
        })
    };
    let test = json!({
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": [
                series("good", |minute| minute.good),
                series("bad", |minute| minute.bad),
            ],
            "promql_expr_test": ratio_tests,
            "alert_rule_test": alert_tests,
        }],
    });
    run(
        "agreement",
        &[
            ("rules.yaml", &exported.to_yaml()),
            ("test.yaml", &test.to_string()),
        ],
        &["test", "rules", "test.yaml"],
    );
}

/// The burn rate over the period: what is bad of what was counted, over the budget.
fn day_rate(stream: &[Minute], now: usize, budget: &BudgetStatus) -> Option<f64> {
    let tally = budget.tally();
    let (bad, all) = counted(stream, now, 24 * 60);
    assert_eq!(
        (tally.bad(), tally.total()),
        (u64::from(bad), u64::from(all))
    );
    (all > 0).then(|| f64::from(bad) / f64::from(all) / 0.01)
}

/// Prometheus's ratio of a window is the process's burn rate times the budget, within a part in a thousand million.
fn same_ratio(minute: usize, window: &str, burn_rate: Option<f64>) -> Value {
    let series = format!("slo:sli_error:ratio_rate{window}{{noops_id=\"fraud/scoring\"}}");
    let (expression, samples) = match burn_rate {
        None => (series, json!([])),
        Some(rate) => {
            let ratio = rate * 0.01;
            (
                format!("count(abs({series} - {ratio}) <= {})", ratio * 1e-9),
                json!([{"labels": "{}", "value": 1}]),
            )
        }
    };
    json!({"expr": expression, "eval_time": format!("{minute}m"), "exp_samples": samples})
}

fn same_alerts(minute: usize, firing: &[&str]) -> Value {
    let alerts: Vec<Value> = firing
        .iter()
        .map(|severity| {
            json!({
                "exp_labels": {
                    "noops_id": "fraud/scoring",
                    "noops_service": "fraud",
                    "noops_slo": "scoring",
                    "noops_severity": severity,
                    "owner": "risk",
                },
                "exp_annotations": {
                    "title": format!("({severity}) fraud/scoring burns its error budget too fast"),
                },
            })
        })
        .collect();
    json!({"eval_time": format!("{minute}m"), "alertname": "SloBudgetBurn", "exp_alerts": alerts})
}

fn window_text(minutes: usize) -> String {
    if minutes.is_multiple_of(60) {
        format!("{}h", minutes / 60)
    } else {
        format!("{minutes}m")
    }
}

#[test]
fn a_disabled_severity_is_not_in_the_file() {
    let routing = AlertRouting::default().with_ticket(Route::Disabled);
    let yaml = PrometheusRules::default()
        .with_counters(
            &scoring(),
            CounterArithmetic::Rate,
            &scoring_rules(),
            &routing,
        )
        .unwrap()
        .to_yaml();
    assert_eq!(yaml.matches("- alert:").count(), 1);
    run(
        "disabled",
        &[("rules.yaml", &yaml)],
        &["check", "rules", "rules.yaml"],
    );
}

const MINUTES: usize = 26 * 60;
