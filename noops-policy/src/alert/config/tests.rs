use noops_core::Timestamp;
use proptest::prelude::*;

use super::*;

fn read(yaml: &str) -> Result<Config, AlertError> {
    Config::from_yaml("a.yaml", yaml)
}

fn refusal(yaml: &str) -> String {
    read(yaml).unwrap_err().to_string()
}

#[test]
fn routes_are_chosen_as_alertmanager_chooses_them() {
    // The tree and the cases of dispatch/route_test.go, TestRouteMatch.
    let yaml = r#"
receivers: [{name: notify-def}, {name: notify-A}, {name: notify-B}, {name: notify-BC}, {name: notify-testing}, {name: notify-productionA}, {name: notify-productionB}]
route:
  receiver: notify-def
  routes:
  - matchers: ['owner="team-A"']
    receiver: notify-A
    routes:
    - matchers: ['env="testing"']
      receiver: notify-testing
      group_by: ['...']
    - matchers: ['env="production"']
      receiver: notify-productionA
      group_wait: 1m
      continue: true
    - matchers: ['env=~"produ.*"', 'job=~".*"']
      receiver: notify-productionB
      group_wait: 30s
      group_interval: 5m
      repeat_interval: 1h
      group_by: ['job']
  - matchers: ['owner=~"team-(B|C)"']
    group_by: ['foo', 'bar']
    group_wait: 2m
    receiver: notify-BC
  - matchers: ['group_by="role"']
    group_by: ['role']
    routes:
    - matchers: ['env="testing"']
      receiver: notify-testing
      routes:
      - matchers: ['wait="long"']
        group_wait: 2m
"#;
    let config = read(yaml).unwrap();
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case<'_>; 8] = [
        (&[("owner", "team-A")], &["notify-A"]),
        (&[("owner", "team-A"), ("env", "unset")], &["notify-A"]),
        (&[("owner", "team-C")], &["notify-BC"]),
        (
            &[("owner", "team-A"), ("env", "testing")],
            &["notify-testing"],
        ),
        (
            &[("owner", "team-A"), ("env", "production")],
            &["notify-productionA", "notify-productionB"],
        ),
        (&[("group_by", "role")], &["notify-def"]),
        (
            &[("env", "testing"), ("group_by", "role")],
            &["notify-testing"],
        ),
        (
            &[("env", "testing"), ("group_by", "role"), ("wait", "long")],
            &["notify-testing"],
        ),
    ];
    for (labels, expected) in cases {
        let alert = Alert::new(labels.iter().copied(), Timestamp::UNIX_EPOCH);
        assert_eq!(config.receivers_of(&alert), expected, "{labels:?}");
    }
}

#[test]
fn problems_are_named_with_their_place() {
    let base = "receivers: [{name: office}]\nroute:\n  receiver: office\n  routes:\n    - ";
    for (tail, expected) in [
        (
            "receiver: offcie\n",
            "`a.yaml`:5:17: unknown receiver `offcie`; did you mean `office`?",
        ),
        (
            "mute_time_intervals: [night]\n",
            "`a.yaml`:5:29: unknown time interval `night`; define it",
        ),
        (
            "matchers: ['a']\n",
            "`a.yaml`:5:18: matcher `a`: put one of `=`, `!=`, `=~`, `!~` after the label",
        ),
        (
            "group_wait: 5 minutes\n",
            "`a.yaml`:5:19: `5 minutes` is not a duration; write it as `30s`, `5m` or `1h30m`",
        ),
        (
            "repeat_interval: 0s\n",
            "`a.yaml`:5:24: `0s` is too short; use `1s` or more",
        ),
    ] {
        assert_eq!(refusal(&format!("{base}{tail}")), expected);
    }
    assert!(refusal(&format!("{base}recevier: day\n")).contains("recevier"));
}

#[test]
fn a_route_that_pages_needs_an_owner_and_a_runbook() {
    for pages in ["severity: page", "matchers: ['severity=\"critical\"']"] {
        let yaml = |extra: &str| {
            format!(
                "receivers: [{{name: r}}]\nroute:\n  receiver: r\n  routes:\n    - {pages}\n{extra}"
            )
        };
        assert!(refusal(&yaml("")).contains("needs `owner`"));
        assert!(refusal(&yaml("      owner: ml\n")).contains("needs `runbook`"));
        assert!(read(&yaml("      owner: ml\n      runbook: r.md\n")).is_ok());
    }
}

#[test]
fn an_alert_rule_that_pages_needs_an_owner_and_a_runbook() {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let page = map(&[("severity", "page"), ("team", "ml")]);
    let runbook = map(&[("runbook_url", "https://example.test")]);
    assert!(check_alert_rule("Burn", &page, &runbook).is_ok());
    assert_eq!(
        check_alert_rule("Burn", &page, &map(&[]))
            .unwrap_err()
            .to_string(),
        "alert rule `Burn`: it pages and has no runbook; add the annotation `runbook_url`"
    );
    assert!(check_alert_rule("Burn", &map(&[("severity", "page")]), &runbook).is_err());
    assert!(check_alert_rule("Slow", &map(&[("severity", "ticket")]), &map(&[])).is_ok());
}

#[test]
fn a_route_that_no_alert_reaches_is_refused() {
    let yaml = "receivers: [{name: r}]\nroute:\n  receiver: r\n  routes:\n    - group_wait: 1s\n    - matchers: [a=b]\n";
    assert!(
        refusal(yaml).starts_with("`a.yaml`:6:7: no alert reaches"),
        "{}",
        refusal(yaml)
    );
    assert!(read(&yaml.replace("1s", "1s\n      continue: true")).is_ok());
}

#[test]
fn a_configuration_reads_back_equal() {
    let config = read("receivers: [{name: r}]\nroute: {receiver: r}\n").unwrap();
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config);
    assert!(serde_json::from_str::<Config>(&json.replace("receiver: r", "receiver: x")).is_err());
}

#[test]
fn deep_and_large_documents_are_refused_not_fatal() {
    let mut deep = String::from("receivers: [{name: r}]\nroute: {receiver: r");
    for _ in 0..20_000 {
        deep.push_str(", routes: [{matchers: [a=b]");
    }
    assert!(read(&deep).is_err());
    assert!(read(&"x".repeat(2 << 20)).is_err());
}

proptest! {
    #[test]
    fn no_text_panics(text in "(?s).{0,80}") {
        let _ = read(&text);
        let _ = read(&format!("receivers: [{{name: r}}]\nroute:\n  receiver: r\n  {text}"));
    }
}
