mod bad_input;

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use clap::CommandFactory;
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use super::*;

/// A folder of its own, which goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("noops-canary-judge-{}-{name}", std::process::id()));
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

    fn parquet(&self, name: &str, requests: &[Request]) -> String {
        let base: Vec<i64> = requests.iter().map(|one| 1000 * one.second).collect();
        let time: ArrayRef = Arc::new(TimestampMillisecondArray::from(base).with_timezone("UTC"));
        let unit: ArrayRef = Arc::new(Int64Array::from_iter_values(
            requests.iter().map(|one| one.unit),
        ));
        let arm: ArrayRef = Arc::new(StringArray::from_iter_values(
            requests.iter().map(|one| one.arm),
        ));
        let share: ArrayRef =
            Arc::new(Float64Array::from_iter_values(requests.iter().map(|_| 0.5)));
        let error: ArrayRef = Arc::new(Int64Array::from_iter_values(
            requests.iter().map(|one| one.error),
        ));
        let country: ArrayRef = Arc::new(StringArray::from_iter_values(
            requests.iter().map(|one| one.country),
        ));
        let batch = RecordBatch::try_from_iter([
            ("time", time),
            ("unit", unit),
            ("arm", arm),
            ("share", share),
            ("error", error),
            ("country", country),
        ])
        .unwrap();
        let file = File::create(self.0.join(name)).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        self.path(name)
    }

    fn csv(&self, name: &str, requests: &[Request]) -> String {
        let mut text = "time,unit,arm,share,error,country\n".to_owned();
        for one in requests {
            text.push_str(&format!(
                "{},{},{},0.5,{},{}\n",
                noops_core::Timestamp::from_second(one.second).unwrap(),
                one.unit,
                one.arm,
                one.error,
                one.country
            ));
        }
        self.text(name, &text)
    }

    fn lines(&self, name: &str, requests: &[Request]) -> String {
        let lines = requests.iter().map(|one| {
            format!(
                "{{\"time\":{},\"unit\":{},\"arm\":\"{}\",\"share\":0.5,\"error\":{},\"country\":\"{}\"}}\n",
                one.second, one.unit, one.arm, one.error, one.country
            )
        });
        self.text(name, &lines.collect::<String>())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

struct Request {
    second: i64,
    unit: i64,
    arm: &'static str,
    error: i64,
    country: &'static str,
}

/// Both arms fail once in ten requests; the candidate fails `more` times in ten more often, where `harmed` says so.
fn requests(count: i64, more: i64, harmed: impl Fn(&str) -> bool) -> Vec<Request> {
    let request = |n: i64| {
        let arm = if n % 2 == 0 { "champion" } else { "candidate" };
        let country = if (n / 2) % 4 == 0 { "AT" } else { "DE" };
        let failing = if arm == "candidate" && harmed(country) {
            1 + more
        } else {
            1
        };
        Request {
            second: 1_767_225_600 + n,
            unit: n,
            arm,
            // A tenth of each arm in each country, in no step with either.
            error: i64::from((n / 8) % 10 < failing),
            country,
        }
    };
    (0..count).map(request).collect()
}

fn arguments(words: &[&str]) -> Arguments {
    Arguments::try_parse_from(["canary_judge"].iter().chain(words)).unwrap()
}

fn told(words: &[&str]) -> String {
    run(&arguments(words)).unwrap()
}

fn json(words: &[&str]) -> Value {
    let words = [words, &["--json"]].concat();
    serde_json::from_str(&told(&words)).unwrap()
}

fn failure(words: &[&str]) -> String {
    let told = run(&arguments(words)).unwrap_err().to_string();
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

const SPEC: &str = "metrics:
  - name: error
    kind: rate
    margin: {relative: 0.5}
";

const SLICED: &str = "metrics:
  - name: error
    kind: rate
    margin: {relative: 0.5}
slices: [country]
";

#[test]
fn the_command_line_is_sound() {
    Arguments::command().debug_assert();
    assert!(Arguments::try_parse_from(["canary_judge", "a", "b", "--aa", "0"]).is_err());
}

#[test]
fn an_equal_candidate_is_promoted_from_any_form_of_file() {
    let folder = Folder::new("forms");
    let spec = folder.text("spec.yaml", SPEC);
    let requests = requests(16_000, 0, |_| false);
    let parquet = json(&[&spec, &folder.parquet("a.parquet", &requests)]);
    assert_eq!(parquet["verdict"], "promote");
    assert_eq!(parquet["metrics"][0]["verdict"], "not_worse");
    assert_eq!(json(&[&spec, &folder.csv("a.csv", &requests)]), parquet);
    assert_eq!(json(&[&spec, &folder.lines("a.jsonl", &requests)]), parquet);
    assert_eq!(json(&[&spec, &folder.lines("unnamed", &requests)]), parquet);
}

#[test]
fn a_harmful_candidate_is_rolled_back_and_the_first_look_that_knew_is_told() {
    let folder = Folder::new("harm");
    let spec = folder.text("spec.yaml", SPEC);
    let events = folder.csv("a.csv", &requests(8_000, 3, |_| true));
    let report = json(&[&spec, &events]);
    assert_eq!(report["verdict"], "roll_back");
    assert!(report["because"].as_str().unwrap().contains("`error`"));
    assert_eq!(report["first_decision"]["verdict"], "roll_back");
    assert!(report["first_decision"]["requests"].as_u64().unwrap() < 8_000);
    let text = told(&[&spec, &events]);
    assert!(text.starts_with("Roll back"), "{text}");
    assert!(text.contains("could first be rolled back after"), "{text}");
}

#[test]
fn harm_in_one_slice_rolls_back() {
    let folder = Folder::new("slice");
    let spec = folder.text("spec.yaml", SLICED);
    let events = folder.csv("a.csv", &requests(16_000, 5, |country| country == "AT"));
    let report = json(&[&spec, &events]);
    assert_eq!(report["verdict"], "roll_back");
    let slices = report["slices"].as_array().unwrap();
    let of = |country: &str| {
        slices
            .iter()
            .find(|slice| slice["value"] == country)
            .unwrap()
    };
    assert_eq!(of("AT")["verdict"], "worse");
    assert_ne!(of("DE")["verdict"], "worse");
}

#[test]
fn the_keys_are_those_that_are_promised() {
    let folder = Folder::new("keys");
    let spec = folder.text("spec.yaml", SLICED);
    let report = json(&[
        &spec,
        &folder.csv("a.csv", &requests(400, 0, |_| false)),
        "--aa",
        "2",
    ]);
    let has = |value: &Value, keys: &[&str]| {
        for key in keys {
            assert!(value.get(*key).is_some(), "{key} in {value}");
        }
    };
    has(
        &report,
        &[
            "verdict",
            "because",
            "metrics",
            "slices",
            "srm",
            "needs",
            "aa",
            "first_decision",
        ],
    );
    has(
        &report["metrics"][0],
        &[
            "name",
            "arm",
            "n_champion",
            "n_candidate",
            "estimate",
            "lower",
            "upper",
            "margin",
            "e_value",
            "anytime_p_value",
            "verdict",
        ],
    );
    has(&report["srm"], &["p_value", "verdict"]);
    has(&report["needs"], &["requests", "minutes"]);
    assert_eq!(report["srm"]["verdict"], "no_mismatch");
    assert_eq!(report["metrics"][0]["n_champion"], 200);
    assert_eq!(
        report["metrics"][0]["e_value"],
        report["metrics"][0]["e_not_worse"]
    );
}

#[test]
fn what_is_promised_of_needs_is_said_while_it_goes_on() {
    let folder = Folder::new("needs");
    let spec = folder.text("spec.yaml", SPEC);
    let report = json(&[&spec, &folder.csv("a.csv", &requests(800, 0, |_| false))]);
    assert_eq!(report["verdict"], "continue");
    assert!(report["needs"]["requests"].as_u64().unwrap() > 0);
    // A request a second.
    let minutes = report["needs"]["minutes"].as_f64().unwrap();
    let requests = report["needs"]["requests"].as_f64().unwrap();
    assert!(
        (minutes - requests / 60.0).abs() < 0.01 * minutes + 0.1,
        "{minutes} {requests}"
    );
}

#[test]
fn the_trace_has_a_hundred_looks_and_goes_where_it_should() {
    let folder = Folder::new("trace");
    let spec = folder.text("spec.yaml", SPEC);
    let events = folder.csv("a.csv", &requests(1_234, 0, |_| false));
    let inline = told(&[&spec, &events]);
    let (_, inline) = inline.split_once("trace:\n").unwrap();
    let out = folder.path("trace.csv");
    let text = told(&[&spec, &events, "--trace", &out]);
    assert!(!text.contains("trace:"));
    let written = fs::read_to_string(&out).unwrap();
    assert_eq!(written.trim_end(), inline.trim_end());
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines.len(), 101);
    let columns = lines[0].split(',').count();
    assert!(lines.iter().all(|line| line.split(',').count() == columns));
    assert!(lines[100].contains(",1234,error,"), "{}", lines[100]);
    let nowhere = folder.path("no/such/trace.csv");
    assert!(failure(&[&spec, &events, "--trace", &nowhere]).starts_with("cannot write"));
}

#[test]
fn fewer_rows_than_looks_are_all_looked_at() {
    let folder = Folder::new("few");
    let spec = folder.text("spec.yaml", SPEC);
    let text = told(&[&spec, &folder.csv("a.csv", &requests(7, 0, |_| false))]);
    let (_, trace) = text.split_once("trace:\n").unwrap();
    assert_eq!(trace.trim_end().lines().count(), 8);
    assert!(text.starts_with("Insufficient"), "{text}");
}

#[test]
fn splits_of_the_champion_are_rarely_condemned() {
    let folder = Folder::new("aa");
    let spec = folder.text("spec.yaml", SPEC);
    let events = folder.csv("a.csv", &requests(4_000, 3, |_| true));
    let report = json(&[&spec, &events, "--aa", "20"]);
    assert_eq!(report["aa"]["replicates"], 20);
    // scipy.stats.binom.sf(5, 20, 0.05) = 0.0003, were the splits independent.
    assert!(report["aa"]["false_alarms"].as_u64().unwrap() <= 5);
    assert!(told(&[&spec, &events, "--aa", "20"]).contains("A/A: of 20 splits"));
}

#[test]
fn missing_values_are_counted_and_not_judged() {
    let folder = Folder::new("missing");
    let spec = folder.text("spec.yaml", SPEC);
    let mut text = "time,unit,arm,share,error\n".to_owned();
    for n in 0..1_000 {
        let arm = if n % 2 == 0 { "champion" } else { "candidate" };
        let error = if n % 4 < 2 { "" } else { "0" };
        text.push_str(&format!("{n},u{n},{arm},0.5,{error}\n"));
    }
    let report = json(&[&spec, &folder.text("a.csv", &text)]);
    assert_eq!(report["metrics"][0]["missing"], 0.5);
    assert_eq!(report["verdict"], "insufficient");
}

#[test]
fn the_example_that_is_shipped_is_rolled_back_for_its_slice() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/canary");
    let (spec, events) = (
        format!("{folder}/spec.yaml"),
        format!("{folder}/events.parquet"),
    );
    let report = json(&[&spec, &events]);
    assert_eq!(report["verdict"], "roll_back");
    let because = report["because"].as_str().unwrap();
    assert!(because.contains("`platform` is `ios`"), "{because}");
    assert_eq!(report["srm"]["verdict"], "no_mismatch");
}
