use super::{Comparison, TestSettings, psi};

#[test]
fn comparisons_survive_storage() {
    let outcome = psi(&[100; 10], &[2; 10], &TestSettings::default()).unwrap();
    let stored = serde_json::to_string(&outcome).unwrap();
    let read: Comparison = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, outcome);
}

#[test]
fn stored_comparisons_that_contradict_themselves_are_refused() {
    let outcome = psi(&[100; 10], &[2; 10], &TestSettings::default()).unwrap();
    let stored = serde_json::to_value(&outcome).unwrap();
    for (field, value) in [
        ("p_value", serde_json::json!(1.5)),
        ("p_value", serde_json::json!(-0.1)),
        ("visible_from", serde_json::json!(0.001)),
        ("statistic", serde_json::Value::Null),
    ] {
        let mut altered = stored.clone();
        altered[field] = value;
        assert!(
            serde_json::from_value::<Comparison>(altered).is_err(),
            "{field}"
        );
    }
}

#[test]
fn settings_survive_storage() {
    let settings = TestSettings::default()
        .with_tolerance(0.1)
        .with_relevant(0.3);
    let stored = serde_json::to_string(&settings).unwrap();
    let read: TestSettings = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, settings);
    assert!(read.validate().is_ok());
}
