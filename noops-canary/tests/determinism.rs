//! The same events give the same bits, on every platform and however often the judge is stored in between.
//!
//! `testdata/golden_judge.json` holds the bits of every number below as hexadecimal `f64::to_bits`. Where an engine is changed on purpose, the
//! failing test prints the new ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use noops_canary::Arm;
use noops_canary::judge::{
    Judge, JudgeSpec, MetricKind, MetricSpec, Observation, Tolerance, Unit, Units,
};
use noops_canary::sequential::{MeanDifference, MeanLimit, RateComparison};
use noops_core::{Alpha, LogE, Probability, Share, Timestamp};
use noops_stats::SplitMix64;
use serde_json::{Value, json};

fn bits(value: f64) -> String {
    format!("{:016x}", value.to_bits())
}

fn bits_of(evidence: LogE) -> String {
    bits(evidence.get())
}

fn judge() -> Judge {
    let relative = Tolerance::relative(0.25).unwrap();
    let tail = MetricKind::Tail {
        quantile: Probability::new(0.9).unwrap(),
        learn_from: 100,
    };
    let metrics = [
        MetricSpec::new("errors", MetricKind::Rate).with_margin(relative),
        MetricSpec::new(
            "latency",
            MetricKind::Mean {
                lower: 0.0,
                upper: 2.0,
            },
        )
        .with_margin(relative),
        MetricSpec::new("p90", tail).with_margin(relative.with_floor(0.01).unwrap()),
    ];
    let spec = JudgeSpec::new(metrics).unwrap().with_slices(["country"]);
    Judge::new(spec.with_units(Units::Sticky(1_000))).unwrap()
}

/// Only additions, multiplications and comparisons go into the events, so they are the same everywhere.
fn tell(judge: &mut Judge, random: &mut SplitMix64, request: i64) {
    let share =
        Share::from_ppm([10_000, 50_000, 250_000, 500_000][(request / 750) as usize % 4]).unwrap();
    let unit = Unit::of_number(random.next() % 800);
    let arm = if unit.bits() % 1_000_000 < u64::from(share.ppm()) {
        Arm::Challenger
    } else {
        Arm::Champion
    };
    let latency = random.unit() + random.unit() * random.unit();
    let failed = f64::from(u8::from(random.unit() < 0.08));
    let values = [Some(failed), Some(latency), Some(latency)];
    let country = ["at", "be", "ch"][random.below(3)];
    let slices = [judge.slice_value("country", country).unwrap()];
    let at = Timestamp::from_second(request).unwrap();
    let observation = Observation::new(at, unit, arm, share, &values);
    judge.observe(&observation.with_slices(&slices)).unwrap();
}

fn found() -> Value {
    let mut random = SplitMix64(2024);
    let mut judge = judge();
    (0..3_000).for_each(|request| tell(&mut judge, &mut random, request));
    let judgement = judge.judgement();
    let metrics: Vec<Value> = judgement
        .metrics()
        .iter()
        .map(|metric| {
            let interval = metric.estimate().interval();
            json!({
                "name": metric.name(),
                "worse": bits_of(metric.worse()),
                "not_worse": bits_of(metric.not_worse()),
                "better": bits_of(metric.better()),
                "estimate": metric.estimate().value().map(bits),
                "lower": bits(interval.lower()),
                "upper": bits(interval.upper()),
            })
        })
        .collect();
    let mut rates = RateComparison::new();
    let mut means = MeanDifference::new(-1.0, 3.0).unwrap();
    for _ in 0..1_000 {
        let share = Share::from_ppm(if random.unit() < 0.5 {
            125_000
        } else {
            500_000
        })
        .unwrap();
        let arm = if random.unit() < share.ratio() {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        rates.observe(arm, share);
        means
            .observe(arm, share, 4.0 * random.unit() - 1.0)
            .unwrap();
    }
    let limit = MeanLimit::absolute(0.25).unwrap();
    json!({
        "metrics": metrics,
        "slices": judgement.slices().iter().map(|slice| bits_of(slice.worse())).collect::<Vec<_>>(),
        "mismatch": bits_of(judgement.mismatch().evidence()),
        "rates": [
            bits_of(rates.log_e_above(1.0).unwrap()),
            bits_of(rates.log_e_below(1.25).unwrap()),
            bits(rates.lower_bound(Alpha::FIVE_PERCENT)),
        ],
        "means": [
            bits_of(means.log_e_above(limit)),
            bits_of(means.log_e_below(limit)),
            bits(means.upper_bound(Alpha::FIVE_PERCENT)),
        ],
    })
}

#[test]
fn a_fixed_sequence_of_events_gives_the_committed_bits() {
    let golden: Value =
        serde_json::from_str(include_str!("../testdata/golden_judge.json")).unwrap();
    let found = found();
    assert_eq!(found, golden, "{found:#}");
}

#[test]
fn storing_the_judge_anywhere_changes_no_bit() {
    let mut unbroken = judge();
    let mut resumed = judge();
    let mut randoms = [SplitMix64(7), SplitMix64(7)];
    for request in 0..1_000 {
        if request % 333 == 100 {
            resumed = serde_json::from_str(&serde_json::to_string(&resumed).unwrap()).unwrap();
        }
        let [first, second] = &mut randoms;
        tell(&mut unbroken, first, request);
        tell(&mut resumed, second, request);
    }
    assert_eq!(unbroken.digest(), resumed.digest());
    assert_eq!(unbroken.judgement(), resumed.judgement());
    assert_eq!(
        unbroken.judgement().explain(),
        resumed.judgement().explain()
    );
}

#[test]
fn another_judge_of_the_same_events_has_the_same_digest_and_one_event_more_another() {
    let run = |requests: i64| {
        let mut random = SplitMix64(3);
        let mut judge = judge();
        (0..requests).for_each(|request| tell(&mut judge, &mut random, request));
        judge.digest()
    };
    assert_eq!(run(500), run(500));
    assert_ne!(run(500), run(501));
}
