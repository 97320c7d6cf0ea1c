use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;
use noops_core::ManualClock;
use serde_json::Value;

use super::*;

/// A folder of its own, which goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("noops-policy-check-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn text(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn shown(&self) -> String {
        self.0.display().to_string()
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

fn told(words: &[&str]) -> Told {
    let words = ["policy_check"].iter().chain(words);
    let arguments = Arguments::try_parse_from(words).unwrap();
    run(&arguments, &ManualClock::new(Timestamp::UNIX_EPOCH))
}

fn json(words: &[&str]) -> (Value, u8) {
    let told = told(&[words, &["--json"]].concat());
    assert!(told.errors.is_empty());
    (serde_json::from_str(&told.text).unwrap(), told.code)
}

const SCHEMA: &str = "- { name: drift.psi, type: double, min: 0 }\n- { name: n, type: int }\n";

const GOOD: &str = "policy: near
owner: team
enforcement: hard-mandatory
rules:
  - { name: near, effect: permit, action: promote, when: drift.psi < 0.2, because: inputs are as they were }
tests:
  - { name: far, facts: { drift.psi: 0.3 }, expect: { promote: deny } }
";

#[test]
fn the_command_line_is_sound() {
    Arguments::command().debug_assert();
    assert!(Arguments::try_parse_from(["policy_check"]).is_err());
    assert!(Arguments::try_parse_from(["policy_check", "a", "--at", "noon"]).is_err());
}

#[test]
fn the_policies_that_are_shipped_are_sound_and_pass_their_tests() {
    for name in ["policies", "policies-next"] {
        let (report, code) = json(&[&data(name)]);
        assert_eq!(code, 0, "{report}");
        assert_eq!(report["ok"], true);
        assert_eq!(report["tests"]["failed"], 0);
        assert_eq!(report["tests"]["passed"], 15);
        assert_eq!(report["decisions"].as_array().unwrap().len(), 0);
    }
}

#[test]
fn the_policies_of_the_autopilot_are_checked_against_the_controllers_facts() {
    let folder = format!("{}/policies", env!("CARGO_MANIFEST_DIR"));
    let told = told(&[&folder]);
    assert_eq!(told.code, 0, "{:?}", told.errors);
    assert!(
        told.text.contains("the controller's facts: all sound"),
        "{}",
        told.text
    );
}

#[test]
fn decisions_say_why_how_closely_and_what_they_wait_for() {
    let (policies, facts) = (data("policies"), data("facts.yaml"));
    let words = [
        &*policies,
        "--facts",
        &facts,
        "--at",
        "2026-03-02T09:00:00Z",
    ];
    let (report, code) = json(&words);
    assert_eq!(code, 0);
    let decisions = report["decisions"].as_array().unwrap();
    let of = |action: &str| {
        let mut found = decisions.iter().filter(|one| one["actions"][0] == action);
        found.next().unwrap()
    };
    assert_eq!(of("promote")["effect"], "unknown");
    assert_eq!(of("promote")["waiting_for"][0], "service.p99_seconds");
    assert_eq!(of("promote")["clause"], "service.p99_seconds < 0.05");
    assert_eq!(of("rollback")["policy"], "promotion");
    assert_eq!(
        of("rollback")["because"],
        "the candidate is proven to be worse"
    );
    assert_eq!(of("rollback")["margin"], 0.04 - 20.0);
    assert_eq!(of("release")["effect"], "allow");
    for key in ["policy_digest", "facts_digest"] {
        assert_eq!(of("release")[key].as_str().unwrap().len(), 64);
    }
    let text = told(&words).text;
    assert!(
        text.contains("promote waiting for `service.p99_seconds`"),
        "{text}"
    );
    assert!(
        text.lines()
            .all(|line| line.chars().count() <= 100 || line.contains("/data/policy/")),
        "{text}"
    );
    // The same inputs, the same bytes.
    assert_eq!(told(&words).text, text);
}

#[test]
fn every_document_that_is_wrong_is_told_with_its_place_and_advice() {
    let folder = Folder::new("wrong");
    folder.text("facts.schema.yaml", SCHEMA);
    folder.text(
        "a.yaml",
        &GOOD.replace("drift.psi < 0.2", "drift.pssi < 0.2"),
    );
    folder.text(
        "b.yaml",
        &GOOD
            .replace("promote,", "promoet,")
            .replace("near\nowner", "b\nowner"),
    );
    folder.text("c.yaml", GOOD);
    folder.text("notes.txt", "no policy");
    let (report, code) = json(&[&folder.shown()]);
    assert_eq!((code, &report["ok"]), (1, &Value::Bool(false)));
    let errors = report["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 2, "{report}");
    for (error, (name, advice)) in errors.iter().zip([
        ("a.yaml", "did you mean `drift.psi`?"),
        ("b.yaml", "did you mean `promote`?"),
    ]) {
        assert!(error["file"].as_str().unwrap().ends_with(name), "{error}");
        assert_eq!(error["line"], 5);
        assert!(error["column"].as_u64().unwrap() > 1);
        assert_eq!(error["suggestion"], advice);
    }
    let told = told(&[&folder.shown()]);
    assert_eq!(told.errors.len(), 2);
    assert!(told.errors.iter().all(|error| error.lines().count() == 1));
    assert!(told.text.contains("REFUSED"), "{}", told.text);
    assert!(told.text.contains("1 test not run"), "{}", told.text);
}

#[test]
fn documents_that_are_sound_alone_are_refused_together() {
    let folder = Folder::new("together");
    folder.text("facts.schema.yaml", SCHEMA);
    let (a, b) = (folder.text("a.yaml", GOOD), folder.text("b.yaml", GOOD));
    assert_eq!(json(&[&a]).1, 0);
    assert_eq!(json(&[&b]).1, 0);
    let (report, code) = json(&[&a, &b]);
    assert_eq!(code, 1);
    let message = report["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("twice"), "{message}");
    // The same file named twice is one document.
    assert_eq!(json(&[&folder.text("a.yaml", GOOD), &a]).1, 0);
}

#[test]
fn a_test_that_fails_is_an_error_that_shows_the_decision() {
    let folder = Folder::new("failing");
    let schema = folder.text("s.yaml", SCHEMA);
    let policy = folder.text("a.yaml", &GOOD.replace("promote: deny", "promote: allow"));
    let (report, code) = json(&[&policy, "--schema", &schema]);
    assert_eq!(code, 1);
    assert_eq!(report["tests"]["failed"], 1);
    assert_eq!(report["tests"]["passed"], 0);
    assert_eq!(report["tests"]["failures"][0]["effect"], "deny");
    let told = told(&[&policy, "--schema", &schema]);
    assert!(
        told.text
            .contains("FAILED: test `far` of `near` expected allow"),
        "{}",
        told.text
    );
}

#[test]
fn facts_that_are_wrong_are_told_and_nothing_is_decided() {
    let folder = Folder::new("facts");
    let schema = folder.text("s.yaml", SCHEMA);
    let policy = folder.text("a.yaml", GOOD);
    let facts = folder.text("f.yaml", "n: 3\ndrift: { pssi: 0.1 }\n");
    let (report, code) = json(&[&policy, "--schema", &schema, "--facts", &facts]);
    assert_eq!(code, 1);
    assert_eq!(report["errors"][0]["line"], 2);
    assert_eq!(
        report["errors"][0]["suggestion"],
        "did you mean `drift.psi`?"
    );
    assert_eq!(report["decisions"].as_array().unwrap().len(), 0);
}

#[test]
fn files_that_are_none_are_named() {
    let (folder, empty) = (Folder::new("none"), Folder::new("empty"));
    for (words, says) in [
        (vec!["nowhere.yaml".to_owned()], "cannot read"),
        (vec![empty.shown()], "no policy is in the folder"),
        (
            vec![
                folder.text("a.yaml", GOOD),
                "--schema".to_owned(),
                folder.shown(),
            ],
            "is a folder",
        ),
    ] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let told = told(&words);
        assert_eq!(told.code, 1);
        assert!(told.errors[0].contains(says), "{:?}", told.errors);
    }
    // A policy on its own is checked against the controller's facts, which have no `drift.psi`.
    assert!(told(&[&folder.text("a.yaml", GOOD)]).errors[0].contains("unknown fact `drift.psi`"));
    for hostile in [
        "",
        "\0\u{1}",
        "[[[[[[[[",
        "a: &a [*a]\n",
        "policy: [",
        "- 1",
    ] {
        let told = told(&[&folder.text("hostile.yaml", hostile)]);
        assert_eq!(told.code, 1, "{hostile:?}");
        assert!(told.errors.iter().all(|error| error.lines().count() == 1));
    }
}
