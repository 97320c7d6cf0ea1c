//! What holds for every input, through the public interface only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use noops_canary::judge::{
    Judge, JudgeSpec, Judgement, MetricKind, MetricSpec, MetricVerdict, Observation, Tolerance,
    Unit, Units, Verdict,
};
use noops_canary::sequential::{MeanDifference, MeanLimit, RateComparison};
use noops_canary::shadow::PairedSettings;
use noops_canary::{Arm, Assignment, Salt, bucket};
use noops_core::{Alpha, Probability, Share, Timestamp};
use proptest::prelude::*;

fn share(ppm: u32) -> Share {
    Share::from_ppm(ppm).unwrap()
}

fn probability(value: f64) -> Probability {
    Probability::new(value).unwrap()
}

/// One thing a judge is told.
#[derive(Clone, Debug)]
enum Event {
    Request {
        at: i64,
        unit: u64,
        arm: Arm,
        ppm: u32,
        failed: Option<bool>,
        latency: Option<f64>,
        slice: u8,
    },
    Pair(u64, f64, f64),
    Crash(Arm, u32),
    Close(u64),
    Discard(u64),
}

fn arm() -> impl Strategy<Value = Arm> {
    prop_oneof![Just(Arm::Champion), Just(Arm::Challenger)]
}

fn ppm() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(0),
        Just(10_000),
        Just(500_000),
        Just(1_000_000),
        0..=1_000_000_u32
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let latency = prop::option::of(any::<f64>());
    let outcome = (prop::option::of(any::<bool>()), latency, 0..4_u8);
    let request = (0..2_000_i64, 0..30_u64, arm(), ppm(), outcome);
    let request =
        request.prop_map(
            |(at, unit, arm, ppm, (failed, latency, slice))| Event::Request {
                at,
                unit,
                arm,
                ppm,
                failed,
                latency,
                slice,
            },
        );
    prop_oneof![
        8 => request,
        4 => (0..20_u64, 0.0..=1.0_f64, 0.0..=1.0_f64).prop_map(|(block, a, b)| Event::Pair(block, a, b)),
        2 => (arm(), ppm()).prop_map(|(arm, ppm)| Event::Crash(arm, ppm)),
        1 => (0..20_u64).prop_map(Event::Close),
        1 => (0..20_u64).prop_map(Event::Discard),
    ]
}

/// Tells a judge; whether it took it.
fn tell(judge: &mut Judge, event: &Event) -> bool {
    match event {
        Event::Request {
            at,
            unit,
            arm,
            ppm,
            failed,
            latency,
            slice,
        } => {
            let slices = [judge.slice_value("country", &slice.to_string()).unwrap()];
            let values = [failed.map(|failed| f64::from(u8::from(failed))), *latency];
            let at = Timestamp::from_second(*at).unwrap();
            let unit = Unit::of_number(*unit);
            let observation = Observation::new(at, unit, *arm, share(*ppm), &values);
            judge.observe(&observation.with_slices(&slices)).is_ok()
        }
        Event::Pair(block, champion, candidate) => {
            let (champion, candidate) = (probability(*champion), probability(*candidate));
            judge
                .observe_pair("loss", *block, champion, candidate)
                .is_ok()
        }
        Event::Crash(arm, ppm) => judge.observe_event("crashes", *arm, share(*ppm)).is_ok(),
        Event::Close(block) => {
            judge.close_before(*block);
            true
        }
        Event::Discard(block) => {
            judge.discard_from(*block);
            true
        }
    }
}

fn judge() -> Judge {
    let margin = Tolerance::relative(0.5).unwrap();
    let paired = PairedSettings::default().with_min_block(2);
    let metrics = [
        MetricSpec::new("errors", MetricKind::Rate).with_margin(margin),
        MetricSpec::new(
            "latency",
            MetricKind::Mean {
                lower: 0.0,
                upper: 1.0,
            },
        )
        .with_margin(margin),
        MetricSpec::new("loss", MetricKind::Paired(paired)),
        MetricSpec::new("crashes", MetricKind::Events).with_margin(margin),
    ];
    let spec = JudgeSpec::new(metrics).unwrap().with_slices(["country"]);
    Judge::new(spec.with_min_outcomes(5).with_units(Units::Sticky(20))).unwrap()
}

fn is_sound(judgement: &Judgement) -> bool {
    judgement.metrics().iter().all(|metric| {
        let numbers = [
            metric.worse().get(),
            metric.not_worse().get(),
            metric.better().get(),
        ];
        let interval = metric.estimate().interval();
        numbers.iter().all(|number| number.is_finite())
            && interval.lower() <= interval.upper()
            && metric.estimate().value().is_none_or(f64::is_finite)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn raising_the_share_only_adds_units(salt in any::<String>(), unit in any::<String>(), a in ppm(), b in ppm()) {
        let low = Assignment::new(Salt::new(salt), share(a.min(b)));
        let high = low.clone().with_share(share(a.max(b)));
        prop_assert!(low.arm(&unit) == Arm::Champion || high.arm(&unit) == Arm::Challenger);
    }

    #[test]
    fn every_unit_has_a_place_among_a_million(salt in any::<String>(), unit in any::<String>()) {
        prop_assert!(bucket(&Salt::new(salt), &unit) < 1_000_000);
    }

    #[test]
    fn a_judge_resumed_anywhere_gives_the_unbroken_verdict(
        events in prop::collection::vec(event(), 0..80),
        cut in 0..80_usize,
    ) {
        let mut unbroken = judge();
        let mut resumed = judge();
        for (index, event) in events.iter().enumerate() {
            if index == cut {
                resumed = serde_json::from_str(&serde_json::to_string(&resumed).unwrap()).unwrap();
            }
            prop_assert_eq!(tell(&mut unbroken, event), tell(&mut resumed, event));
        }
        prop_assert_eq!(unbroken.judgement(), resumed.judgement());
        prop_assert_eq!(unbroken.digest(), resumed.digest());
    }

    #[test]
    fn what_is_refused_changes_nothing(events in prop::collection::vec(event(), 0..60)) {
        let mut judge = judge();
        for slice in 0..4 {
            judge.slice_value("country", &slice.to_string()).unwrap();
        }
        for event in &events {
            let before = judge.digest();
            let taken = tell(&mut judge, event);
            prop_assert!(taken || judge.digest() == before);
        }
    }

    #[test]
    fn every_judgement_is_of_numbers_and_can_be_explained(events in prop::collection::vec(event(), 0..80)) {
        let mut judge = judge();
        for event in &events {
            tell(&mut judge, event);
        }
        let judgement = judge.judgement();
        prop_assert!(is_sound(&judgement));
        prop_assert!(!judgement.explain().contains("NaN"));
        let text = serde_json::to_string(&judgement).unwrap();
        prop_assert_eq!(serde_json::from_str::<Judgement>(&text).unwrap(), judgement);
    }

    #[test]
    fn a_promotion_rests_on_proof_of_every_guardrail(events in prop::collection::vec(event(), 0..80)) {
        let mut judge = judge();
        for event in &events {
            tell(&mut judge, event);
            let judgement = judge.judgement();
            let proven = judgement.metrics().iter().all(|metric| {
                matches!(metric.verdict(), MetricVerdict::NotWorse | MetricVerdict::Better)
            });
            prop_assert!(proven || *judgement.verdict() != Verdict::Promote);
        }
    }

    #[test]
    fn every_request_is_counted_once(events in prop::collection::vec(event(), 0..80)) {
        let mut judge = judge();
        let requests = events.iter().filter(|event| matches!(event, Event::Request { .. }) && tell(&mut judge, event));
        let taken = requests.count() as u64;
        let counted = judge.requests(Arm::Champion) + judge.requests(Arm::Challenger);
        prop_assert_eq!(counted, taken);
        prop_assert!(judge.repeats() + judge.unremembered() <= counted);
        prop_assert!(judge.remembered_units() <= 20);
    }

    #[test]
    fn evidence_about_rates_is_always_a_number(
        ratio in 0.001..=1000.0_f64,
        events in prop::collection::vec((arm(), ppm(), any::<u64>()), 0..40),
    ) {
        let mut comparison = RateComparison::new();
        for (arm, ppm, times) in events {
            comparison.observe_many(arm, share(ppm), times);
        }
        prop_assert!(comparison.log_e_above(ratio).unwrap().get().is_finite());
        prop_assert!(comparison.log_e_below(ratio).unwrap().get().is_finite());
        let interval = comparison.interval(Alpha::FIVE_PERCENT);
        prop_assert!(interval.lower() <= interval.upper());
    }

    #[test]
    fn evidence_about_means_is_always_a_number(
        limit in any::<f64>(),
        outcomes in prop::collection::vec((arm(), ppm(), any::<f64>()), 0..60),
    ) {
        let mut means = MeanDifference::new(-1.0, 1.0).unwrap();
        for (arm, ppm, value) in outcomes {
            prop_assert_eq!(means.observe(arm, share(ppm), value).is_ok(), value.is_finite());
        }
        if let Ok(limit) = MeanLimit::absolute(limit) {
            prop_assert!(means.log_e_above(limit).get().is_finite());
            prop_assert!(means.log_e_below(limit).get().is_finite());
        }
        let interval = means.interval(Alpha::FIVE_PERCENT);
        prop_assert!(-2.0 <= interval.lower() && interval.lower() <= interval.upper() && interval.upper() <= 2.0);
    }
}
