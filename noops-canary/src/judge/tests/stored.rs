use super::*;

fn full() -> Judge {
    let latency = MetricSpec::new(
        "latency",
        MetricKind::Mean {
            lower: 0.0,
            upper: 10.0,
        },
    )
    .with_margin(Tolerance::absolute(1.0).unwrap());
    let tail = MetricKind::Tail {
        quantile: Probability::new(0.9).unwrap(),
        learn_from: 50,
    };
    let tail = MetricSpec::new("p90", tail).with_margin(half_more());
    let spec = JudgeSpec::new([errors(), latency, tail]).unwrap();
    let spec = spec
        .with_slices(["country"])
        .with_units(Units::Sticky(1_000));
    Judge::new(spec).unwrap()
}

fn tell(judge: &mut Judge, request: u64) {
    let mut random = Random::new(request);
    let theta = [0.1, 0.25, 0.5][(request / 200) as usize % 3];
    let unit = (random.uniform() * 300.0) as u64;
    let arm = if Random::new(1_000 + unit).uniform() < theta {
        Arm::Challenger
    } else {
        Arm::Champion
    };
    let latency = 10.0 * random.uniform();
    let values = [flag(random.uniform() < 0.2), Some(latency), Some(latency)];
    let country = ["at", "be", "ch"][(unit % 3) as usize];
    let slices = [judge.slice_value("country", country).unwrap()];
    let second = at(i64::try_from(request).unwrap());
    let observation = Observation::new(second, Unit::of_number(unit), arm, share(theta), &values);
    judge.observe(&observation.with_slices(&slices)).unwrap();
}

#[test]
fn a_judge_stored_and_read_anywhere_goes_on_bit_for_bit() {
    let mut unbroken = full();
    let mut resumed = full();
    for request in 0..600 {
        if request % 97 == 60 {
            resumed = serde_json::from_str(&serde_json::to_string(&resumed).unwrap()).unwrap();
        }
        tell(&mut unbroken, request);
        tell(&mut resumed, request);
    }
    assert_eq!(unbroken.digest(), resumed.digest());
    assert_eq!(unbroken.judgement(), resumed.judgement());
}

#[test]
fn a_judgement_survives_json() {
    let mut judge = full();
    (0..300).for_each(|request| tell(&mut judge, request));
    let judgement = judge.judgement();
    let text = serde_json::to_string(&judgement).unwrap();
    assert_eq!(serde_json::from_str::<Judgement>(&text).unwrap(), judgement);
}

#[test]
fn a_stored_judge_that_contradicts_itself_is_refused() {
    let mut judge = full();
    (0..300).for_each(|request| tell(&mut judge, request));
    let stored = serde_json::to_value(&judge).unwrap();
    assert!(serde_json::from_value::<Judge>(stored.clone()).is_ok());
    let null = serde_json::Value::Null;
    let empty = serde_json::json!([]);
    let first_metric = stored.pointer("/metrics/0").unwrap().clone();
    for (pointer, value) in [
        ("/metrics", empty.clone()),
        ("/metrics/1", first_metric),
        ("/spec/metrics", empty),
        ("/units", null.clone()),
        ("/units/limit", serde_json::json!(1)),
        ("/units/limit", serde_json::json!(268_435_456)),
        ("/metrics/1/measure/mean/width", serde_json::json!(1e-9)),
        (
            "/metrics/2/threshold/learn_from",
            serde_json::json!(1_000_000_000),
        ),
        ("/slices/0/column", serde_json::json!(7)),
        ("/slices/0/measures", serde_json::json!([])),
        ("/last_at", serde_json::json!("1969-01-01T00:00:00Z")),
        ("/metrics/0/spent_sum", null),
        ("/metrics/0/per_request", serde_json::json!(false)),
        ("/counts/champion", serde_json::json!(-1)),
        (
            "/traffic/strata/0/assignment_probability",
            serde_json::json!(1.5),
        ),
    ] {
        let mut tampered = stored.clone();
        *tampered
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("no {pointer}")) = value;
        assert!(
            serde_json::from_value::<Judge>(tampered).is_err(),
            "{pointer}"
        );
    }
}

#[test]
fn another_margin_is_another_specification() {
    let digest = |relative: f64| {
        spec([errors().with_margin(Tolerance::relative(relative).unwrap())]).digest()
    };
    assert_eq!(digest(0.5), digest(0.5));
    assert_ne!(digest(0.5), digest(0.5 + f64::EPSILON));
}

#[test]
fn a_specification_survives_json_and_unknown_fields_are_refused() {
    let spec = full().spec().clone();
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<JudgeSpec>(&text).unwrap(), spec);
    let mut value = serde_json::to_value(&spec).unwrap();
    value["alpha_promte"] = serde_json::json!(0.5);
    assert!(serde_json::from_value::<JudgeSpec>(value).is_err());
}
