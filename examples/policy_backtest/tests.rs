use std::fs;

use clap::CommandFactory;
use serde_json::Value;

use super::*;

fn data(name: &str) -> String {
    format!("{}/data/policy/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn told(words: &[&str]) -> Told {
    let words = ["policy_backtest"].iter().chain(words);
    run(&Arguments::try_parse_from(words).unwrap()).unwrap()
}

fn refused(words: &[&str]) -> Vec<String> {
    let words = ["policy_backtest"].iter().chain(words);
    let problems = run(&Arguments::try_parse_from(words).unwrap()).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_command_line_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn policies_beside_themselves_change_nothing() {
    let (old, history) = (data("policies"), data("history.jsonl"));
    let same = told(&[&old, &old, &history]);
    assert_eq!(same.changed, 0);
}

#[test]
fn what_the_next_policies_change_is_told() {
    let (old, new) = (data("policies"), data("policies-next"));
    let history = data("history.jsonl");
    let json: Value = serde_json::from_str(&told(&[&old, &new, &history, "--json"]).text).unwrap();
    let changes = json["changes"].as_array().unwrap();
    let has = |action: &str, before: &str, after: &str| {
        changes.iter().any(|change| {
            let effect = |which: &str, effect: &str| {
                let found = &change[which]["effect"];
                found == effect || found.get(effect).is_some()
            };
            change["before"]["action"] == action
                && effect("before", before)
                && effect("after", after)
        })
    };
    // A lower bar for harm retrains earlier, and the watch of high-risk models now counts.
    assert!(has("retrain", "deny", "allow"));
    assert!(has("promote", "allow", "deny"));
    let text = told(&[&old, &new, &history]).text;
    assert!(text.contains("retrain: deny becomes allow"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= WIDTH),
        "{text}"
    );
}

#[test]
fn every_refusal_names_its_place() {
    let folder = std::env::temp_dir().join(format!("noops-policy-backtest-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let history = folder.join("history.jsonl");
    fs::write(
        &history,
        "\n{\"at\": \"2026-03-01T12:00:00Z\", \"facts\": {\"drift.shar\": 1}}\n",
    )
    .unwrap();
    let shown = history.display().to_string();
    let old = data("policies");
    let told = refused(&[&old, &old, &shown]);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with(&format!("`{shown}`:2:")), "{told:?}");
    assert!(told[0].contains("did you mean `drift.share`?"), "{told:?}");

    let told = refused(&["nowhere", &old, &shown]);
    assert!(told[0].starts_with("`nowhere`: cannot read"), "{told:?}");
    fs::remove_dir_all(&folder).unwrap();
}
