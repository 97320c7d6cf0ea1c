mod bad_input;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;
use noops_canary::judge::{JudgeSpec, MetricKind, MetricSpec, Role, Tolerance};
use noops_canary::planning::{
    Baseline, Plan, PlanSettings, RampPlan, RampSettings, Requirement, StageSketch, Traffic,
};
use noops_core::{Probability, Share};
use serde_json::{Value, json};

use super::*;

/// A folder of its own, which goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("noops-canary-plan-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn text(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn arguments(words: &[&str]) -> Arguments {
    Arguments::try_parse_from(["canary_plan"].iter().chain(words)).unwrap()
}

fn told(words: &[&str]) -> String {
    run(&arguments(words)).unwrap()
}

fn json(words: &[&str]) -> Value {
    serde_json::from_str(&told(&[words, &["--json"]].concat())).unwrap()
}

fn failure(words: &[&str]) -> String {
    let told = run(&arguments(words)).unwrap_err().to_string();
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

/// The specification that `THREE` is in YAML, and its baselines.
fn three() -> (JudgeSpec, BTreeMap<String, Baseline>) {
    let errors =
        MetricSpec::new("errors", MetricKind::Rate).with_margin(Tolerance::relative(0.25).unwrap());
    let latency = MetricKind::Mean {
        lower: 0.0,
        upper: 1000.0,
    };
    let latency = MetricSpec::new("latency_ms", latency)
        .with_margin(Tolerance::relative(0.1).unwrap())
        .with_role(Role::Guardrail);
    let slow = MetricKind::Tail {
        quantile: Probability::new(0.99).unwrap(),
        learn_from: 1000,
    };
    let slow = MetricSpec::new("slow", slow)
        .with_column("latency_ms")
        .with_role(Role::Alarm);
    let baselines = BTreeMap::from([
        (
            "errors".to_owned(),
            Baseline::Rate(Probability::new(0.02).unwrap()),
        ),
        (
            "latency_ms".to_owned(),
            Baseline::Mean {
                mean: 200.0,
                standard_deviation: 80.0,
            },
        ),
    ]);
    (JudgeSpec::new([errors, latency, slow]).unwrap(), baselines)
}

fn needed(requirement: Option<Requirement>) -> Value {
    requirement.map_or(
        Value::Null,
        |needed| json!({"requests": needed.requests(), "minutes": needed.minutes()}),
    )
}

const ONE: &str = "metrics:
  - name: errors
    kind: rate
    margin: {relative: 0.25}
";

const THREE: &str = "metrics:
  - name: errors
    kind: rate
    margin: {relative: 0.25}
  - name: latency_ms
    kind: {mean: {lower: 0, upper: 1000}}
    margin: {relative: 0.1}
  - name: slow
    column: latency_ms
    kind: {tail: {quantile: 0.99, learn_from: 1000}}
    role: alarm
";

const BASELINES: [&str; 3] = ["--baseline", "errors=0.02", "latency_ms=200±80"];

#[test]
fn the_command_line_is_sound() {
    Arguments::command().debug_assert();
    for words in [
        &["spec.yaml"][..],
        &["spec.yaml", "--rate", "fast"],
        &["spec.yaml", "--rate", "1", "--bad-events-budget", "5"],
        &["spec.yaml", "--rate", "1", "--ramp-by", "errors"],
    ] {
        let words = [&["canary_plan"], words].concat();
        assert!(Arguments::try_parse_from(&words).is_err(), "{words:?}");
    }
}

#[test]
fn every_number_is_the_librarys() {
    let folder = Folder::new("numbers");
    let spec = folder.text("spec.yaml", THREE);
    let words = [
        &[&spec, "--rate", "25", "--stages", "10%,0.5"][..],
        &["--minutes", "90", "--effect", "1.5"],
        &BASELINES,
    ]
    .concat();
    let document = json(&words);

    let (spec, baselines) = three();
    let stages = [0.1, 0.5]
        .map(|share| StageSketch::new(Share::from_ratio(share).unwrap()).with_max_minutes(90.0));
    let settings = PlanSettings::default().with_effects([1.5]);
    let plan = Plan::new(&spec, &baselines, &stages, 25.0, &settings).unwrap();
    let mut total = 0.0;
    for (place, (stage, share)) in plan.stages().iter().zip([0.1, 0.5]).enumerate() {
        let found = &document["stages"][place];
        assert_eq!(found["share"], share);
        assert_eq!(found["minutes"], 90.0);
        assert_eq!(found["requests"], 135_000.0);
        assert_eq!(found["promotion"], needed(stage.promotion()));
        assert_eq!(found["slowest"], json!(stage.slowest()));
        total += stage.promotion().unwrap().minutes();
        for (place, metric) in stage.metrics().iter().enumerate() {
            let proof = metric.proof().map(|proof| {
                json!({
                    "p50": needed(proof.half()),
                    "p80": needed(proof.eighty()),
                    "p90": needed(proof.ninety()),
                    "with_all": needed(proof.promotion()),
                })
            });
            let harm = metric.harms()[0];
            let expected = json!({
                "name": metric.name(),
                "proof": proof,
                "harm": {"effect": 1.5, "p50": needed(harm.half()), "p80": needed(harm.eighty())},
                "smallest_effect": metric.smallest_effect(),
            });
            assert_eq!(found["metrics"][place], expected);
        }
    }
    assert_eq!(document["total"]["minutes_of_proofs"], total);
    assert_eq!(document["total"]["minutes_of_stages"], 180.0);
    assert_eq!(document["requests_per_second"], 25.0);
    assert!(document.get("ramp").is_none());
}

/// Some 560 events prove that equal arms are alike within a quarter, one time of two: 28 000 requests of which two in a hundred fail.
#[test]
fn a_proof_takes_the_events_that_it_takes_in_theory() {
    let folder = Folder::new("theory");
    let spec = folder.text("spec.yaml", ONE);
    let words = [&spec, "--rate", "10", "--baseline", "errors=2%"];
    let document = json(&[&words[..], &["--stages", "50%"]].concat());
    let half = &document["stages"][0]["metrics"][0]["proof"]["p50"];
    let requests = half["requests"].as_f64().unwrap();
    assert!((20_000.0..36_000.0).contains(&requests), "{requests}");
    let minutes = half["minutes"].as_f64().unwrap();
    assert!((minutes - requests / 600.0).abs() < 1e-9, "{minutes}");
    // Half the traffic takes twice the time.
    let slower = [&spec, "--rate", "5", "--baseline", "errors=2%"];
    let slower = json(&[&slower[..], &["--stages", "50%"]].concat());
    let slower = &slower["stages"][0]["metrics"][0]["proof"]["p50"];
    assert!((slower["minutes"].as_f64().unwrap() - 2.0 * minutes).abs() < 1e-9);
}

#[test]
fn the_smallest_effect_is_found_just_in_time() {
    let folder = Folder::new("smallest");
    let spec = folder.text("spec.yaml", ONE);
    let words = [&spec, "--rate", "10", "--baseline", "errors=0.02"];
    let words = [&words[..], &["--stages", "10%", "--minutes", "100"]].concat();
    let smallest = &json(&words)["stages"][0]["metrics"][0]["smallest_effect"];
    let smallest = smallest.as_f64().unwrap();
    assert!(smallest > 1.0 && smallest < 2.0, "{smallest}");
    let effect = smallest.to_string();
    let at_it = json(&[&words[..], &["--effect", &effect]].concat());
    let minutes = &at_it["stages"][0]["metrics"][0]["harm"]["p80"]["minutes"];
    let minutes = minutes.as_f64().unwrap();
    assert!((85.0..115.0).contains(&minutes), "{minutes}");
}

#[test]
fn baselines_and_shares_may_be_written_in_several_ways() {
    let folder = Folder::new("ways");
    let spec = folder.text("spec.yaml", THREE);
    let of = |stages: &str, baselines: &[&str]| {
        let words = [&spec, "--rate", "25", "--stages", stages];
        json(&[&words[..], baselines].concat())
    };
    let one = of("1%,5%,25%,50%", &BASELINES);
    let other = [
        "--baseline",
        "latency_ms=200:80",
        "--baseline",
        "errors=2 %",
    ];
    assert_eq!(of("0.01, 0.05, 25 %, 0.5", &other), one);
    // And these are the stages that nobody asked for.
    assert_eq!(
        json(&[&[&spec, "--rate", "25"][..], &BASELINES].concat()),
        one
    );
}

#[test]
fn the_tables_mark_the_slowest_metric_and_say_what_is_not_asked() {
    let folder = Folder::new("tables");
    let spec = folder.text("spec.yaml", THREE);
    let words = [&[&spec, "--rate", "25"][..], &BASELINES].concat();
    let text = told(&words);
    assert!(text.starts_with("Stage 1, 1 %: all proofs take"), "{text}");
    for stage in ["Stage 2, 5 %", "Stage 3, 25 %", "Stage 4, 50 %"] {
        assert!(text.contains(stage), "{stage}: {text}");
    }
    let document = json(&words);
    for stage in document["stages"].as_array().unwrap() {
        let slowest = stage["slowest"].as_str().unwrap();
        assert!(text.contains(&format!("│ {slowest} *")), "{text}");
        let minutes = &stage["promotion"]["minutes"];
        let duration = words::duration(minutes.as_f64().unwrap());
        assert!(
            text.contains(&format!("all proofs take {duration}")),
            "{text}"
        );
    }
    let alarm = text.lines().find(|line| line.contains("slow ")).unwrap();
    assert_eq!(alarm.matches(" - ").count(), 5, "{alarm}");
    assert!(!text.contains("smallest found"), "{text}");
    let with_minutes = told(&[&words[..], &["--minutes", "60"]].concat());
    assert!(
        with_minutes.contains("Stage 2, 5 %: 60 minutes bring 90000 requests, 4500 of them"),
        "{with_minutes}"
    );
    assert!(with_minutes.contains("smallest found"), "{with_minutes}");
    assert!(
        with_minutes.contains("At 60 minutes a stage it takes 4 hours"),
        "{with_minutes}"
    );
    let said = document["explanation"].as_str().unwrap();
    assert!(text.ends_with(said), "{said}");
}

#[test]
fn the_ramp_is_the_librarys_and_keeps_to_its_budget() {
    let folder = Folder::new("ramp");
    let path = folder.text("spec.yaml", THREE);
    let words = [
        &[&path, "--rate", "100", "--stages", "1%,10%,40%"][..],
        &["--minutes", "120", "--bad-events-budget", "90"],
        &BASELINES,
    ]
    .concat();
    let ramp = &json(&words)["ramp"];
    assert_eq!(ramp["metric"], "errors");

    let (spec, baselines) = three();
    let settings = RampSettings::new(2.0, 90.0).with_largest_share(Share::from_ratio(0.4).unwrap());
    let traffic = Traffic::new(100.0, Share::ZERO).unwrap();
    let minutes = [120.0; 3];
    let of = |name: &str, baseline: &Baseline| {
        RampPlan::new(&spec, name, baseline, &traffic, &minutes, &settings).unwrap()
    };
    let plan = of("errors", &baselines["errors"]);
    assert!(plan.is_complete());
    assert_eq!(ramp["complete"], true);
    assert_eq!(ramp["detection"], plan.detection());
    assert_eq!(ramp["expected_excess"], plan.expected_excess());
    assert!(plan.expected_excess() <= 90.0);
    let stages = ramp["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 3);
    for (stage, chosen) in stages.iter().zip(plan.shares()) {
        assert_eq!(stage["share"], chosen.share().ratio());
        assert_eq!(stage["detection"], chosen.detection());
        assert_eq!(stage["expected_excess"], chosen.expected_excess());
    }
    let text = told(&words);
    assert!(text.contains("Suggested ramp, by `errors`"), "{text}");

    // A tail quantile brings its own baseline.
    let by_tail = &json(&[&words[..], &["--ramp-by", "slow"]].concat())["ramp"];
    let percent = Baseline::Rate(Probability::new(0.99).unwrap().complement());
    assert_eq!(by_tail["metric"], "slow");
    assert_eq!(
        by_tail["expected_excess"],
        of("slow", &percent).expected_excess()
    );
}

#[test]
fn a_budget_that_is_too_small_has_no_ramp() {
    let folder = Folder::new("small");
    let spec = folder.text("spec.yaml", ONE);
    let words = [&spec, "--rate", "25", "--baseline", "errors=0.02"];
    let words = [
        &words[..],
        &["--minutes", "60", "--bad-events-budget", "0.001"],
    ]
    .concat();
    let ramp = &json(&words)["ramp"];
    assert_eq!(ramp["complete"], false);
    assert_eq!(ramp["stages"], json!([]));
    let text = told(&words);
    assert!(text.contains("there is none"), "{text}");
    assert!(text.contains("Only 0 of 4 stages have a share"), "{text}");
}

#[test]
fn pairs_and_watched_metrics_are_planned() {
    let folder = Folder::new("pairs");
    let spec = folder.text(
        "spec.yaml",
        "metrics:
  - name: loss
    kind: {paired: {margin: 0.01}}
  - name: a=b
    kind: events
    role: watched
",
    );
    let words = [&spec, "--rate", "25", "--baseline", "loss=0.03@50"];
    let words = [&words[..], &["a=b=0.1", "--minutes", "60"]].concat();
    let document = json(&words);
    for stage in document["stages"].as_array().unwrap() {
        assert_eq!(stage["slowest"], "loss");
        let half = &stage["metrics"][0]["proof"]["p50"];
        // Pairs come at the share that is mirrored, in whole blocks or nearly.
        let pairs = half["requests"].as_f64().unwrap();
        let minutes = half["minutes"].as_f64().unwrap();
        let expected = pairs / (1500.0 * stage["share"].as_f64().unwrap());
        assert!((minutes / expected - 1.0).abs() < 1e-9, "{stage}");
        assert_eq!(stage["metrics"][1]["proof"], Value::Null);
        assert_eq!(stage["metrics"][1]["harm"], Value::Null);
        assert_eq!(stage["metrics"][1]["smallest_effect"], Value::Null);
    }
    let text = told(&words);
    assert!(text.contains(" pairs "), "{text}");
    assert!(text.contains("by that many margins"), "{text}");
}

#[test]
fn the_data_of_the_repository_can_be_planned() {
    let spec = concat!(env!("CARGO_MANIFEST_DIR"), "/data/canary/spec.yaml");
    let text = told(&[
        spec,
        "--rate",
        "25",
        "--baseline",
        "error=0.02",
        "latency=120±40",
        "slow=10%",
    ]);
    assert!(text.contains("Stage 4, 50 %"), "{text}");
}

#[test]
fn a_goal_is_planned_as_a_guardrail_and_that_is_said() {
    let folder = Folder::new("goal");
    let goal = folder.text("goal.yaml", &format!("{ONE}    role: goal\n"));
    let guardrail = folder.text("guardrail.yaml", ONE);
    let of = |spec: &str| json(&[spec, "--rate", "25", "--baseline", "errors=0.02"]);
    let (goal, guardrail) = (of(&goal), of(&guardrail));
    assert_eq!(goal["stages"], guardrail["stages"]);
    let said = |document: &Value| {
        let said = document["explanation"].as_str().unwrap();
        said.contains("better on a goal takes longer")
    };
    assert!(said(&goal) && !said(&guardrail));
}

#[test]
fn a_probability_is_never_told_as_certainty() {
    assert_eq!(words::percent(0.5), "50.0 %");
    assert_eq!(words::percent(0.9989), "99.9 %");
    assert_eq!(words::percent(1.0), "more than 99.9 %");
}

#[test]
fn durations_are_in_the_unit_that_a_person_would_choose() {
    for (minutes, said) in [
        (0.25, "15.0 seconds"),
        (1.0, "1 minutes"),
        (90.55, "90.5 minutes"),
        (120.0, "2 hours"),
        (60.0 * 50.4, "2.1 days"),
        (60.0 * 24.0 * 365.25 * 12.0, "12 years"),
    ] {
        assert_eq!(words::duration(minutes), said);
    }
}

#[test]
fn control_characters_of_a_name_do_not_reach_the_terminal() {
    let folder = Folder::new("control");
    let spec = folder.text(
        "spec.yaml",
        "metrics:
  - name: \"a\\e[31mb\"
    kind: rate
    margin: {relative: 0.25}
",
    );
    let text = told(&[&spec, "--rate", "25", "--baseline", "a\u{1b}[31mb=0.02"]);
    assert!(!text.contains('\u{1b}'), "{text:?}");
    let told = failure(&[&spec, "--rate", "25"]);
    assert!(!told.contains('\u{1b}'), "{told:?}");
}
