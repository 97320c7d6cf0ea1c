use noops_core::Share;
use proptest::prelude::*;

use super::*;
use crate::labels::ArrivalStrata;
use crate::simulation::Random;

const HOUR: i64 = 3600;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn settings(window_hours: i64) -> LateLabelSettings {
    LateLabelSettings::default().with_window(SignedDuration::from_secs(window_hours * HOUR))
}

fn exposure(at: i64, arm: Arm) -> LabelledExposure {
    LabelledExposure::new(second(at), arm, Share::from_ppm(100_000).unwrap())
}

fn labels(window_hours: i64) -> LateLabels {
    LateLabels::new(settings(window_hours)).unwrap()
}

#[test]
fn a_label_after_the_window_is_ignored_even_if_it_is_there_at_the_release() {
    let mut labels = labels(6);
    for (id, delay) in [("in time", 6 * HOUR), ("late", 6 * HOUR + 1)] {
        labels
            .observe_exposure(id, exposure(10, Arm::Champion))
            .unwrap();
        labels.observe_label(id, second(10 + delay), 1.0).unwrap();
    }
    let matured = labels.release_before(second(100 * HOUR));
    let found: Vec<_> = matured.iter().map(|one| (one.id(), one.label())).collect();
    assert_eq!(found, [("in time", Some(1.0)), ("late", None)]);
    assert_eq!((labels.late(), labels.censored(Arm::Champion)), (1, 1));
}

#[test]
fn a_bucket_is_released_when_its_youngest_exposure_could_be_old_enough() {
    let mut labels = labels(6);
    labels
        .observe_exposure("a", exposure(0, Arm::Champion))
        .unwrap();
    assert!(labels.release_before(second(7 * HOUR - 1)).is_empty());
    assert_eq!(labels.open(Arm::Champion), 1);
    assert_eq!(labels.release_before(second(7 * HOUR)).len(), 1);
    assert!(labels.release_before(second(7 * HOUR)).is_empty());
    // Time does not run backwards.
    assert!(labels.release_before(second(0)).is_empty());
    labels
        .observe_exposure("b", exposure(30, Arm::Champion))
        .unwrap();
    assert_eq!(
        (labels.open(Arm::Champion), labels.late_exposures()),
        (0, 1)
    );
}

#[test]
fn late_unknown_and_repeated_messages_are_counted_and_change_nothing() {
    let mut labels = labels(6);
    labels
        .observe_exposure("a", exposure(10, Arm::Challenger))
        .unwrap();
    labels
        .observe_exposure("a", exposure(10, Arm::Challenger))
        .unwrap();
    labels.observe_label("a", second(60), 1.0).unwrap();
    labels.observe_label("a", second(90), 0.0).unwrap();
    labels.observe_label("nobody", second(90), 0.0).unwrap();
    assert_eq!((labels.duplicates(), labels.waiting()), (2, 1));
    let matured = labels.release_before(second(7 * HOUR));
    assert_eq!(matured.first().and_then(Matured::label), Some(1.0));
    assert_eq!((labels.unmatched(), labels.waiting()), (1, 0));
    labels.observe_label("a", second(8 * HOUR), 0.0).unwrap();
    labels
        .observe_exposure("a", exposure(8 * HOUR, Arm::Champion))
        .unwrap();
    assert_eq!((labels.late(), labels.duplicates()), (1, 3));
    assert_eq!(labels.open(Arm::Champion), 0);
}

#[test]
fn a_label_from_before_serving_is_a_wrong_clock_and_no_label() {
    let mut labels = labels(6);
    labels
        .observe_exposure("a", exposure(100, Arm::Champion))
        .unwrap();
    labels.observe_label("a", second(99), 1.0).unwrap();
    let matured = labels.release_before(second(9 * HOUR));
    assert_eq!(
        matured.first().map(Matured::maturity),
        Some(Maturity::Censored)
    );
    assert_eq!(labels.contradictory(), 1);
}

#[test]
fn a_full_memory_is_an_error_that_changes_nothing() {
    let mut labels = LateLabels::new(settings(6).with_capacity(2)).unwrap();
    labels
        .observe_exposure("a", exposure(0, Arm::Champion))
        .unwrap();
    labels.observe_label("b", second(5), 1.0).unwrap();
    let before = labels.clone();
    assert!(
        labels
            .observe_exposure("c", exposure(0, Arm::Champion))
            .is_err()
    );
    assert!(labels.observe_label("d", second(5), 1.0).is_err());
    assert_eq!(labels, before);
    // What is known already needs no room.
    labels
        .observe_exposure("b", exposure(1, Arm::Champion))
        .unwrap();
    labels.observe_label("a", second(6), 0.0).unwrap();
    assert_eq!(labels.release_before(second(50 * HOUR)).len(), 2);
    labels
        .observe_exposure("c", exposure(50 * HOUR, Arm::Champion))
        .unwrap();
}

#[test]
fn hostile_labels_and_settings_are_refused() {
    let mut labels = labels(6);
    for value in [f64::NAN, f64::INFINITY] {
        assert!(labels.observe_label("a", second(0), value).is_err());
    }
    let zero = SignedDuration::ZERO;
    let refused = [
        LateLabelSettings::default().with_window(zero),
        LateLabelSettings::default().with_bucket(zero),
        LateLabelSettings::default().with_window(SignedDuration::MAX),
        LateLabelSettings::default().with_bucket(SignedDuration::MIN),
        LateLabelSettings::default().with_capacity(0),
    ];
    for settings in refused {
        assert!(LateLabels::new(settings).is_err(), "{settings:?}");
    }
    for at in [Timestamp::MIN, Timestamp::MAX] {
        let extreme = LabelledExposure::new(at, Arm::Champion, Share::ZERO);
        labels.observe_exposure("x", extreme).unwrap();
        labels.observe_label("x", Timestamp::MIN, 0.0).unwrap();
    }
    assert_eq!(labels.release_before(Timestamp::MAX).len(), 1);
}

#[test]
fn tampered_state_is_refused() {
    let mut labels = labels(6);
    labels
        .observe_exposure("a", exposure(0, Arm::Champion))
        .unwrap();
    labels.observe_label("b", second(5), 1.0).unwrap();
    let text = serde_json::to_string(&labels).unwrap();
    assert_eq!(serde_json::from_str::<LateLabels>(&text).unwrap(), labels);
    for (from, to) in [
        ("\"open\":1", "\"open\":2"),
        ("\"capacity\":1000000", "\"capacity\":1"),
        ("\"waiting\":{\"b\"", "\"waiting\":{\"a\""),
        ("\"released_before\":null", "\"released_before\":9"),
        ("\"settled\":{}", "\"settled\":{\"z\":3}"),
    ] {
        let tampered = text.replacen(from, to, 1);
        assert_ne!(tampered, text, "{from}");
        assert!(
            serde_json::from_str::<LateLabels>(&tampered).is_err(),
            "{to}"
        );
    }
}

/// A ramp of 1, 5, 25 and 50 % for six hours each with identical models: 5 % of labels are positive, and only positive ones
/// come, after an exponential time with a mean of six hours.
fn ramp(window_hours: i64) -> (LateLabels, ArrivalStrata, [[f64; 2]; 2]) {
    let mut random = Random::new(11);
    let mut labels = labels(window_hours);
    let now = 24 * HOUR;
    let mut naive = [[0.0; 2]; 2];
    let per_second = 4;
    for request in 0..now * per_second {
        let at = request / per_second;
        let share = [0.01, 0.05, 0.25, 0.5][(at / (6 * HOUR)) as usize];
        let arm = if random.uniform() < share {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        let id = format!("{request:07}");
        labels.observe_exposure(&id, exposure(at, arm)).unwrap();
        let counts = &mut naive[usize::from(arm == Arm::Challenger)];
        counts[1] += 1.0;
        if random.uniform() < 0.05 {
            let delay = -6.0 * HOUR as f64 * (1.0 - random.uniform()).ln();
            let told = at + delay as i64;
            if told <= now {
                counts[0] += 1.0;
                labels.observe_label(&id, second(told), 1.0).unwrap();
            }
        }
    }
    let mut strata = ArrivalStrata::default();
    for matured in labels.release_before(second(now)) {
        strata.add(&matured);
    }
    (labels, strata, naive)
}

#[test]
fn a_ramp_makes_identical_models_differ_unless_they_are_compared_at_equal_age() {
    let (labels, strata, naive) = ramp(6);
    // Expected naive ratio .66 at these shares and delays: facts for a baseline of 5 %.
    let rate = |counts: [f64; 2]| counts[0] / counts[1];
    let naive_ratio = rate(naive[1]) / rate(naive[0]);
    assert!((0.6..0.72).contains(&naive_ratio), "{naive_ratio}");
    // About 900 candidate positives: the standard error of the log ratio is 0.04.
    let ratio = strata.ratio().unwrap();
    assert!((0.86..1.16).contains(&ratio), "{ratio}");
    assert!(strata.difference().unwrap().abs() < 0.005);
    // Nobody had more time than six hours: P(positive and told within them) = .05 (1 - 1/e) = .0316.
    let pooled = strata.pooled();
    for arm in [pooled.champion(), pooled.candidate()] {
        assert!((arm.mean().unwrap() - 0.0316).abs() < 0.004, "{arm:?}");
    }
    assert!(labels.open(Arm::Challenger) > 0);
}

#[test]
fn both_arms_are_censored_alike() {
    let (labels, ..) = ramp(6);
    let censored = |arm| {
        let censored = labels.censored(arm) as f64;
        (
            censored / (censored + labels.labelled(arm) as f64),
            censored,
        )
    };
    let (champion, candidate) = (censored(Arm::Champion), censored(Arm::Challenger));
    assert!(
        (champion.0 - candidate.0).abs() < 0.006,
        "{champion:?} {candidate:?}"
    );
}

#[derive(Clone, Debug)]
enum Message {
    Exposure(u8, i64, bool),
    Label(u8, i64, f64),
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        (0_u8..20, 0..20 * HOUR, any::<bool>())
            .prop_map(|(id, at, arm)| Message::Exposure(id, at, arm)),
        (0_u8..20, 0..30 * HOUR, 0.0..1.0)
            .prop_map(|(id, at, value)| Message::Label(id, at, value)),
    ]
}

fn tell(labels: &mut LateLabels, message: &Message) {
    match message {
        Message::Exposure(id, at, challenger) => {
            let arm = if *challenger {
                Arm::Challenger
            } else {
                Arm::Champion
            };
            labels
                .observe_exposure(&id.to_string(), exposure(*at, arm))
                .unwrap();
        }
        Message::Label(id, at, value) => labels
            .observe_label(&id.to_string(), second(*at), *value)
            .unwrap(),
    }
}

proptest! {
    #[test]
    fn the_order_of_telling_changes_nothing(
        (messages, shuffled) in prop::collection::vec(message(), 0..60)
            .prop_flat_map(|messages| (Just(messages.clone()), Just(messages).prop_shuffle())),
        hours in 1_i64..60,
    ) {
        let (mut told, mut reordered) = (labels(6), labels(6));
        messages.iter().for_each(|message| tell(&mut told, message));
        shuffled.iter().for_each(|message| tell(&mut reordered, message));
        let at_once = told.release_before(second(hours * HOUR));
        // Releasing hour by hour gives the same sequence.
        let by_hour: Vec<_> = (0..=hours).flat_map(|hour| reordered.release_before(second(hour * HOUR))).collect();
        prop_assert_eq!(at_once, by_hour);
        prop_assert_eq!(told.late(), reordered.late());
        prop_assert_eq!(told.duplicates(), reordered.duplicates());
    }

    #[test]
    fn a_resumed_state_goes_on_exactly(messages in prop::collection::vec(message(), 0..60), cut in 0_usize..60) {
        let (mut unbroken, mut resumed) = (labels(6), labels(6));
        for (index, message) in messages.iter().enumerate() {
            if index == cut {
                unbroken.release_before(second(15 * HOUR));
                resumed.release_before(second(15 * HOUR));
                resumed = serde_json::from_str(&serde_json::to_string(&resumed).unwrap()).unwrap();
            }
            tell(&mut unbroken, message);
            tell(&mut resumed, message);
        }
        prop_assert_eq!(unbroken.release_before(second(40 * HOUR)), resumed.release_before(second(40 * HOUR)));
        prop_assert_eq!(unbroken, resumed);
    }
}

#[test]
fn no_more_are_remembered_than_may_wait_and_the_oldest_are_forgotten_first() {
    let mut labels = LateLabels::new(settings(6).with_capacity(3)).unwrap();
    for (hours, released_at) in [(0..3, 9), (3..5, 11)] {
        for hour in hours {
            let exposure = exposure(hour * HOUR, Arm::Champion);
            labels
                .observe_exposure(&hour.to_string(), exposure)
                .unwrap();
        }
        labels.release_before(second(released_at * HOUR));
    }
    for hour in 0..5 {
        let told_at = second(11 * HOUR);
        labels
            .observe_label(&hour.to_string(), told_at, 1.0)
            .unwrap();
    }
    // Hours 2, 3 and 4 are remembered; the labels of hours 0 and 1 wait for an exposure.
    assert_eq!((labels.late(), labels.waiting()), (3, 2));
}
