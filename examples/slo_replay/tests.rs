use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;
use serde_json::Value;

use super::*;

/// A folder of its own, which goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("noops-slo-replay-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn text(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn data(name: &str) -> String {
    format!("{}/data/policy/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn arguments(words: &[&str]) -> Arguments {
    Arguments::try_parse_from(["slo_replay"].iter().chain(words)).unwrap()
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

#[test]
fn the_command_line_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn the_bad_day_pages_for_the_deployment_and_never_for_a_bad_request_at_night() {
    let words = [&*data("slo.sloth.yaml"), &data("bad-day.csv")];
    let report = json(&words);
    let alerts = report["alerts"].as_array().unwrap();
    let pages: Vec<&str> = alerts
        .iter()
        .filter(|alert| alert["event"] == "fired" && alert["rule"]["severity"] == "page")
        .map(|alert| alert["at"].as_str().unwrap())
        .collect();
    // The deployment went out at noon; the night had one bad request of six in its hour.
    assert!(pages[0].starts_with("2026-03-01T12:0"), "{pages:?}");
    assert!(report["held_back"].as_u64().unwrap() > 0);
    for alert in alerts.iter().filter(|alert| alert["event"] == "fired") {
        let bound = alert["lower_bound"].as_f64().unwrap();
        assert!(bound > alert["threshold"].as_f64().unwrap(), "{alert}");
    }
    assert!(report["budget"]["consumed"].as_f64().unwrap() > 0.0);
    let text = told(&words);
    assert!(text.contains("page fired"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
}

#[test]
fn values_are_judged_by_the_threshold() {
    let folder = Folder::new("values");
    let slow = |every: i64| {
        let mut csv = "at,value\n".to_owned();
        for second in 0..7_200_i64 {
            let value = if second % every == 0 { 0.2 } else { 0.01 };
            csv.push_str(&format!("{second},{value}\n"));
        }
        csv
    };
    let slo = data("slo.openslo.yaml");
    let good = json(&[&slo, &folder.text("good.csv", &slow(1_000))]);
    assert_eq!(good["alerts"].as_array().unwrap().len(), 0);
    // Counted by hand: 0, 1000, …, 7000.
    assert_eq!(good["budget"]["tally"]["bad"], 8);
    let bad = json(&[&slo, &folder.text("bad.csv", &slow(2))]);
    assert_eq!(bad["alerts"][0]["event"], "fired");
    // An outcome needs no threshold.
    let outcomes = folder.text("o.csv", "at,outcome\n1,good\n2,bad\n");
    assert_eq!(json(&[&slo, &outcomes])["budget"]["tally"]["total"], 2);
}

#[test]
fn an_outage_of_the_events_themselves_is_not_good() {
    let folder = Folder::new("silence");
    let events = folder.text("a.csv", "at,good,bad\n0,10,0\n86400,0,0\n");
    let report = json(&[&data("slo.sloth.yaml"), &events]);
    let shortest = &report["burns"][0];
    assert_eq!(shortest["rate"], Value::Null);
    assert!(told(&[&data("slo.sloth.yaml"), &events]).contains("No alert fired"));
}

#[test]
fn what_is_wrong_is_told_with_file_and_line() {
    let folder = Folder::new("wrong");
    let slo = data("slo.sloth.yaml");
    for (text, says) in [
        ("", "is empty"),
        ("at,good,bad\n", "has no events"),
        ("time,good,bad\n1,1,1\n", ":1: there is no column `at`"),
        ("at,good\n1,1\n", ":1: beside `at`"),
        ("at,at,good,bad\n", ":1: column `at` is there twice"),
        ("at,good,bad\n1,1\n", ":2: the line has 2 fields"),
        ("at,good,bad\n\n1,1,-1\n", ":3: `bad` is `-1`"),
        ("at,good,bad\nnoon,1,1\n", ":2: `at` is `noon`"),
        ("at,outcome\n1,fine\n", ":2: `outcome` is `fine`"),
        ("at,value\n1,x\n", ":2: `value` is `x`"),
        ("at,value\n1,0.5\n", ":2: "),
        ("at,good,bad\n0,1,1\n99999999999,1,1\n", ":3: "),
    ] {
        let events = folder.text("a.csv", text);
        let told = failure(&[&slo, &events]);
        assert!(
            told.contains(says) && told.contains("a.csv"),
            "{text:?}: {told}"
        );
    }
    let misspelt = folder.text("slo.yaml", "version: prometheus/v1\nservise: a\n");
    let told = failure(&[&misspelt, &data("bad-day.csv")]);
    assert!(
        told.contains("slo.yaml`:2:1: ") && told.contains("`service`"),
        "{told}"
    );
    let told = failure(&[&slo, &data("bad-day.csv"), "--objective", "none"]);
    assert!(told.contains("`predictions-availability`"), "{told}");
}
