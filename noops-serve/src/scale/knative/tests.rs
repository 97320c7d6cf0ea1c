use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Ten requests at once a replica, all of them planned for.
fn ten() -> KnativeSettings {
    KnativeSettings::default()
        .with_target(10.0)
        .with_utilisation(1.0)
}

/// A scaler that saw a steady load for the seconds before 1000.
fn steady(settings: KnativeSettings, load: f64) -> KnativeScaler {
    let mut scaler = KnativeScaler::new(settings).unwrap();
    (940..1000).for_each(|second| scaler.observe(at(second), load));
    scaler
}

#[test]
fn a_steady_load_takes_its_share_of_the_target() {
    // Knative's documentation: a target of 200 at 70 % is planned as 140.
    let settings = KnativeSettings::default().with_target(200.0);
    let replicas = |load, ready| {
        steady(settings.clone(), load)
            .recommend(at(999), ready)
            .unwrap()
            .replicas()
    };
    assert_eq!(replicas(140.0, 1), 1);
    assert_eq!(replicas(140.1, 1), 2);
    assert_eq!(replicas(1400.0, 10), 10);
    assert_eq!(replicas(700.0, 8), 5);
}

#[test]
fn rates_bound_every_step() {
    let settings = ten().with_max_scale_up_rate(3.0);
    let up = steady(settings, 1000.0).recommend(at(999), 2).unwrap();
    assert_eq!(up.replicas(), 6, "three times two");
    let down = steady(ten(), 10.0).recommend(at(999), 9).unwrap();
    assert_eq!(down.replicas(), 4, "half of nine");
    let stuck = steady(ten().with_max_scale_up_rate(1.1), 100.0);
    assert_eq!(
        stuck.clone().recommend(at(999), 1).unwrap().replicas(),
        2,
        "rounded up, so that one can grow"
    );
}

#[test]
fn a_jump_is_answered_from_the_short_window_and_held() {
    let mut scaler = steady(ten(), 20.0);
    let calm = scaler.recommend(at(999), 2).unwrap();
    assert!(!calm.is_panicking());
    assert_eq!(calm.replicas(), 2);
    (1000..1006).for_each(|second| scaler.observe(at(second), 100.0));
    let panic = scaler.recommend(at(1005), 2).unwrap();
    assert!(panic.is_panicking());
    assert_eq!(panic.replicas(), 10);
    assert_eq!(
        (panic.panic_concurrency(), panic.stable_concurrency()),
        (100.0, 28.0)
    );
    // The jump is over, and nothing is taken away for as long as it could be in the stable window.
    for second in 1006..=1065 {
        scaler.observe(at(second), 20.0);
        assert_eq!(
            scaler.recommend(at(second), 10).unwrap().replicas(),
            10,
            "at {second}"
        );
    }
    scaler.observe(at(1066), 20.0);
    let calm = scaler.recommend(at(1066), 10).unwrap();
    assert!(!calm.is_panicking());
    assert_eq!(calm.replicas(), 5, "half of ten");
}

#[test]
fn the_threshold_itself_is_panic() {
    let mut below = steady(ten(), 39.0);
    assert!(
        !below.recommend(at(999), 3).unwrap().is_panicking(),
        "4 over 3"
    );
    let mut reached = steady(ten(), 40.0);
    assert!(
        reached.recommend(at(999), 2).unwrap().is_panicking(),
        "4 over 2"
    );
}

#[test]
fn the_last_replica_outlives_the_last_request_by_the_grace() {
    let mut scaler = steady(ten(), 0.0);
    assert_eq!(scaler.recommend(at(999), 1).unwrap().replicas(), 1);
    for second in 1000..1029 {
        scaler.observe(at(second), 0.0);
        assert_eq!(
            scaler.recommend(at(second), 1).unwrap().replicas(),
            1,
            "at {second}"
        );
    }
    scaler.observe(at(1029), 0.0);
    assert_eq!(scaler.recommend(at(1029), 1).unwrap().replicas(), 0);
    scaler.observe(at(1030), 5.0);
    assert_eq!(
        scaler.recommend(at(1030), 0).unwrap().replicas(),
        1,
        "the first request brings one back"
    );
}

#[test]
fn a_scale_down_waits_for_its_delay() {
    let mut scaler =
        KnativeScaler::new(ten().with_scale_down_delay(900).with_stable_window(6)).unwrap();
    let mut decide = |second, load| {
        scaler.observe(at(second), load);
        scaler.recommend(at(second), 3).unwrap().replicas()
    };
    assert_eq!(decide(0, 30.0), 3);
    assert_eq!(decide(10, 10.0), 3);
    assert_eq!(decide(900, 10.0), 3);
    assert_eq!(decide(901, 10.0), 1);
}

#[test]
fn without_a_sample_nothing_is_recommended() {
    let mut scaler = steady(ten(), 20.0);
    assert_eq!(
        scaler.recommend(at(1010), 2),
        None,
        "none in the panic window"
    );
    assert_eq!(KnativeScaler::new(ten()).unwrap().recommend(at(0), 1), None);
}

#[test]
fn settings_out_of_range_are_refused() {
    let good = KnativeSettings::default;
    for settings in [
        good().with_target(0.0),
        good().with_target(f64::NAN),
        good().with_utilisation(1.1),
        good().with_utilisation(-0.5),
        good().with_panic_window_share(0.0),
        good().with_panic_threshold(1.0),
        good().with_max_scale_up_rate(f64::INFINITY),
        good().with_max_scale_down_rate(0.5),
        good().with_stable_window(0),
        good().with_stable_window(3601),
    ] {
        assert!(
            KnativeScaler::new(settings.clone()).is_err(),
            "{settings:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn more_load_never_asks_for_fewer(
        loads in prop::collection::vec(0.0_f64..500.0, 1..150),
        ready in 0_u32..40,
        more in 0.0_f64..500.0,
    ) {
        let mut one = KnativeScaler::new(ten()).unwrap();
        for (second, load) in (0..).zip(&loads) {
            one.observe(at(second), *load);
            let recommended = one.recommend(at(second), ready).unwrap();
            let base = ready.max(1);
            prop_assert!(recommended.replicas() <= base * 1000);
        }
        let mut other = one.clone();
        let now = at(loads.len() as i64);
        let load = loads[loads.len() - 1];
        one.observe(now, load);
        other.observe(now, load + more);
        let (one, other) = (one.recommend(now, ready), other.recommend(now, ready));
        prop_assert!(one.unwrap().replicas() <= other.unwrap().replicas());
    }
}
