use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn scaler(settings: KubernetesSettings) -> KubernetesScaler {
    KubernetesScaler::new(settings).unwrap()
}

fn at_once() -> ScalingRules {
    ScalingRules::down().with_window(0)
}

#[test]
fn the_examples_of_the_documentation_hold() {
    let formula = scaler(KubernetesSettings::default());
    // kubernetes.io, "Horizontal Pod Autoscaling", algorithm details.
    assert_eq!(
        formula.desired(1, 200.0, 100.0),
        2,
        "200m where 100m is wanted"
    );
    assert_eq!(formula.desired(4, 50.0, 100.0), 2, "50m");
    assert_eq!(formula.desired(5, 105.0, 100.0), 5, "within the tolerance");
    assert_eq!(formula.desired(10, 110.0, 100.0), 10, "at the tolerance");
    assert_eq!(formula.desired(10, 111.0, 100.0), 12, "rounded up");
    // The walkthrough: 305 % where 50 % is wanted, and one replica.
    assert_eq!(formula.desired(1, 305.0, 50.0), 7);
    assert_eq!(formula.desired(7, 0.0, 50.0), 0);
}

#[test]
fn what_is_no_metric_changes_nothing() {
    let formula = scaler(KubernetesSettings::default());
    for (metric, target) in [
        (f64::NAN, 1.0),
        (f64::INFINITY, 1.0),
        (-5.0, 1.0),
        (5.0, 0.0),
        (5.0, -1.0),
        (5.0, f64::NAN),
    ] {
        assert_eq!(
            formula.desired(3, metric, target),
            3,
            "{metric} of {target}"
        );
    }
    assert_eq!(
        formula.desired(u32::MAX, f64::MAX, f64::MIN_POSITIVE),
        u32::MAX
    );
}

#[test]
fn the_default_way_up_is_the_larger_of_double_and_four() {
    let mut scaler = scaler(KubernetesSettings::default());
    assert_eq!(scaler.recommend(at(0), 1, 100), 5, "one and four");
    assert_eq!(scaler.recommend(at(5), 5, 100), 5, "this period is used up");
    assert_eq!(scaler.recommend(at(20), 5, 100), 10, "double");
    assert_eq!(scaler.recommend(at(40), 10, 100), 20);
}

#[test]
fn a_scale_down_waits_until_nothing_higher_was_wanted_for_the_window() {
    let mut scaler = scaler(KubernetesSettings::default());
    assert_eq!(scaler.recommend(at(0), 10, 10), 10);
    assert_eq!(scaler.recommend(at(15), 10, 2), 10);
    assert_eq!(scaler.recommend(at(150), 10, 6), 10);
    assert_eq!(
        scaler.recommend(at(301), 10, 2),
        6,
        "the most of the last 300 s"
    );
    assert_eq!(scaler.recommend(at(451), 6, 2), 2);
}

#[test]
fn a_scale_up_with_a_window_follows_the_least_of_it() {
    let up = ScalingRules::up().with_window(60);
    let mut scaler = scaler(KubernetesSettings::default().with_scale_up(up));
    assert_eq!(scaler.recommend(at(0), 10, 10), 10);
    assert_eq!(scaler.recommend(at(30), 10, 14), 10);
    assert_eq!(scaler.recommend(at(61), 10, 12), 12);
}

#[test]
fn policies_bound_a_period_and_are_chosen_among() {
    // The documentation's example: four replicas or a tenth a minute, and eighty replicas to take down to ten.
    let policies = [
        ScalingPolicy::Replicas {
            most: 4,
            period: 60,
        },
        ScalingPolicy::Percent {
            most: 10,
            period: 60,
        },
    ];
    let down = at_once().with_policies(policies);
    let mut largest = scaler(KubernetesSettings::default().with_scale_down(down.clone()));
    let (mut current, mut steps) = (80, Vec::new());
    for minute in 0..4 {
        current = largest.recommend(at(60 * minute), current, 10);
        steps.push(current);
    }
    // ⌊72 × 0.9⌋ = 64: Kubernetes' own code truncates what its page rounds to 7.
    assert_eq!(steps, [72, 64, 57, 51]);
    let smallest = down.clone().with_select(SelectPolicy::Min);
    let mut smallest = scaler(KubernetesSettings::default().with_scale_down(smallest));
    assert_eq!(smallest.recommend(at(0), 80, 10), 76);
    assert_eq!(
        smallest.recommend(at(30), 76, 10),
        76,
        "this minute is used up"
    );
    assert_eq!(smallest.recommend(at(90), 76, 10), 72);
    let closed = down.with_select(SelectPolicy::Disabled);
    let mut closed = scaler(KubernetesSettings::default().with_scale_down(closed));
    assert_eq!(closed.recommend(at(0), 80, 10), 80);
}

#[test]
fn settings_out_of_range_are_refused() {
    let with = |tolerance: f64, window: u32, period: u32| {
        let rules = ScalingRules::up()
            .with_window(window)
            .with_policies([ScalingPolicy::Replicas { most: 1, period }]);
        let settings = KubernetesSettings::default().with_tolerance(tolerance);
        KubernetesScaler::new(settings.with_scale_up(rules)).is_ok()
    };
    assert!(with(0.0, 3600, 1800));
    assert!(!with(-0.1, 0, 15) && !with(f64::NAN, 0, 15));
    assert!(!with(0.1, 3601, 15) && !with(0.1, 0, 0) && !with(0.1, 0, 1801));
}

proptest! {
    #[test]
    fn a_higher_metric_never_asks_for_fewer(
        current in 0_u32..1000,
        metric in 0.0_f64..1000.0,
        more in 0.0_f64..1000.0,
        target in 0.001_f64..100.0,
    ) {
        let formula = scaler(KubernetesSettings::default());
        prop_assert!(formula.desired(current, metric, target) <= formula.desired(current, metric + more, target));
    }

    #[test]
    fn nothing_is_followed_beyond_what_was_desired(
        steps in prop::collection::vec((1_i64..60, 0_u32..200), 1..40),
    ) {
        let mut scaler = scaler(KubernetesSettings::default());
        let (mut second, mut current) = (0, 3);
        for (step, desired) in steps {
            second += step;
            let next = scaler.recommend(at(second), current, desired);
            prop_assert!(next <= current.max(desired), "{next} from {current}, wanted {desired}");
            prop_assert!(next >= current.min(desired));
            current = next;
        }
    }
}
