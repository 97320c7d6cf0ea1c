use super::*;
use crate::counts::Counts;
use crate::profile::{Profile, ProfileSettings};
use crate::report::DriftSettings;
use crate::statistic::Verdict;
use crate::testing::SplitMix64;

/// Numbers of which a tenth are NaN and `missing` are null, beside a kind.
fn usual(rows: usize, missing: f64, random: &mut SplitMix64) -> RecordBatch {
    let values: Vec<Option<f64>> = (0..rows)
        .map(|_| {
            let value = 10.0 * random.unit();
            if random.unit() < missing {
                None
            } else if random.unit() < 0.1 {
                Some(f64::NAN)
            } else {
                Some(value)
            }
        })
        .collect();
    let kinds: Vec<Option<&str>> = (0..rows)
        .map(|_| Some(if random.unit() < 0.3 { "rain" } else { "sun" }))
        .collect();
    batch(vec![("x", numbers(&values)), ("kind", texts(&kinds))])
}

fn profile(frame: &RecordBatch) -> Profile {
    Profile::fit(std::slice::from_ref(frame), &ProfileSettings::default()).unwrap()
}

fn drift(profile: &Profile, current: &RecordBatch) -> Verdict {
    let mut counts = Counts::new(profile);
    counts.observe(profile, current).unwrap();
    let report = profile.compare(&counts, &DriftSettings::default()).unwrap();
    report
        .columns()
        .iter()
        .find(|column| column.column() == "x")
        .unwrap()
        .verdict()
}

#[test]
fn identical_columns_with_a_tenth_nan_do_not_differ() {
    let frame = usual(4_000, 0.0, &mut SplitMix64(1));
    let profile = profile(&frame);
    assert!(!drift(&profile, &frame).is_drift());
    let expectations = Expectations::infer(&profile, &InferenceSettings::default()).unwrap();
    let report = expectations.check(&frame, None).unwrap();
    assert_eq!(report.verdict(), GateVerdict::Pass, "{report:?}");
}

#[test]
fn a_jump_in_the_missing_rate_is_drift_and_breaks_the_inferred_limit() {
    let mut random = SplitMix64(2);
    let profile = profile(&usual(4_000, 0.02, &mut random));
    let current = usual(1_000, 0.2, &mut random);
    assert!(drift(&profile, &current).is_drift());
    let expectations = Expectations::infer(&profile, &InferenceSettings::default()).unwrap();
    let report = expectations.check(&current, None).unwrap();
    let rule = report
        .column("x")
        .unwrap()
        .rule(RuleKind::NullRate)
        .unwrap();
    assert_eq!(rule.verdict(), GateVerdict::Fail);
}

#[test]
fn a_usual_batch_seldom_breaks_inferred_rates() {
    let mut random = SplitMix64(3);
    let fails = (0..200)
        .filter(|_| {
            let profile = profile(&usual(1_000, 0.05, &mut random));
            let settings = InferenceSettings::default().with_batch_rows(200);
            let expectations = Expectations::infer(&profile, &settings).unwrap();
            let report = expectations
                .check(&usual(200, 0.05, &mut random), None)
                .unwrap();
            report.verdict() == GateVerdict::Fail
        })
        .count();
    // Three rates of at most 2 % each: 12 expected at the most, more than 24 with probability 6e-4.
    assert!(fails <= 24, "{fails} of 200");
}

#[test]
fn ranges_domains_and_types_are_those_of_the_reference_with_room() {
    let frame = usual(1_000, 0.0, &mut SplitMix64(4));
    let expectations =
        Expectations::infer(&profile(&frame), &InferenceSettings::default()).unwrap();
    let number = expectations.column("x").unwrap();
    let range = number.range().unwrap();
    assert_eq!(range.min(), Some(0.0));
    let high = range.max().unwrap();
    assert!(high > 14.0 && high < 15.0, "{high}");
    assert_eq!(number.types().len(), 1);
    assert_eq!(number.types()[0].to_string(), "Float64");
    let kinds = ["rain", "sun"].map(str::to_owned).to_vec();
    let text = expectations.column("kind").unwrap();
    assert_eq!(text.allowed(), Some(&Domain::Texts(kinds)));

    let few = InferenceSettings::default().with_max_categories(1);
    let expectations = Expectations::infer(&profile(&frame), &few).unwrap();
    assert_eq!(expectations.column("kind").unwrap().allowed(), None);
    for settings in [
        InferenceSettings::default().with_widening(f64::NAN),
        InferenceSettings::default().with_widening(-0.1),
        InferenceSettings::default().with_batch_rows(0),
    ] {
        assert!(Expectations::infer(&profile(&frame), &settings).is_err());
    }
}

#[test]
fn times_get_no_range_and_read_back_their_type() {
    let times: ArrayRef =
        Arc::new(TimestampSecondArray::from(vec![1_i64, 2, 3]).with_timezone("UTC"));
    let frame = batch(vec![("at", times)]);
    let expectations =
        Expectations::infer(&profile(&frame), &InferenceSettings::default()).unwrap();
    assert_eq!(expectations.column("at").unwrap().range(), None);
    let stored = serde_json::to_string(&expectations).unwrap();
    let read: Expectations = serde_json::from_str(&stored).unwrap();
    let verdict = read.check(&frame, None).unwrap().verdict();
    assert_eq!(verdict, GateVerdict::Pass);
}
