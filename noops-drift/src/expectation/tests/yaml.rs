use super::*;
use crate::error::DriftError;

fn refusal(yaml: &str) -> String {
    let error = Expectations::from_yaml(yaml).unwrap_err();
    assert!(matches!(
        error,
        DriftError::InvalidInput {
            input: "expectations",
            ..
        }
    ));
    error.to_string()
}

#[test]
fn a_file_with_every_rule_is_read_and_says_the_same_as_json() {
    let yaml = include_str!("../../../testdata/expectations/orders.yaml");
    let expectations = Expectations::from_yaml(yaml).unwrap();
    assert_eq!(expectations.columns().len(), 5);
    assert_eq!(expectations.frame().rules().len(), 5);
    assert_eq!(expectations.listed_rows(), 3);
    assert_eq!(expectations.samples(), Samples::Hidden);
    let countries = ["AT", "DE", "NO"].map(str::to_owned).to_vec();
    assert_eq!(
        expectations.column("country").unwrap().allowed(),
        Some(&Domain::Texts(countries))
    );
    assert_eq!(
        expectations.column("placed").unwrap().freshness(),
        Some(Freshness {
            max_age: SignedDuration::from_hours(2),
            max_ahead: SignedDuration::from_secs(60),
        })
    );
    let json = serde_json::to_string(&expectations).unwrap();
    let read: Expectations = serde_json::from_str(&json).unwrap();
    assert_eq!(read, expectations);
}

#[test]
fn a_mistake_is_reported_with_its_line() {
    let unknown = refusal("version: 1\ncolumns:\n  - name: a\n    rnage: {min: 1}\n");
    assert!(unknown.contains("line 4"), "{unknown}");
    assert!(unknown.contains("rnage"), "{unknown}");
    let not_a_number = refusal("version: 1\ncolumns:\n  - name: a\n    range: {min: .nan}\n");
    assert!(not_a_number.contains("not finite"), "{not_a_number}");
    let crossed = refusal("version: 1\ncolumns:\n  - name: a\n    range: {min: 2, max: 1}\n");
    assert!(crossed.contains("holds no number"), "{crossed}");
}

#[test]
fn hostile_yaml_is_one_clear_error() {
    let deep = format!(
        "version: 1\ncolumns: {}{}\n",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let long = format!("version: 1\n# {}\n", "x".repeat(2 << 20));
    let doubled = "version: 1\nversion: 1\n";
    for yaml in ["", "- 1", "version: one", "\u{0}", doubled, &deep, &long] {
        let refusal = refusal(yaml);
        assert_eq!(refusal.lines().count(), 1, "{refusal}");
        assert!(refusal.len() < 1_000, "{refusal}");
    }
}
