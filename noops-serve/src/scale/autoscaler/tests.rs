use std::num::NonZeroU64;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::scale::{KnativeSettings, KubernetesSettings, MemoryCeiling};

mod simulation;

use simulation::{Simulation, diurnal, spiky, step};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Ten requests at once a replica, all of them planned for.
fn knative() -> Recommender {
    let settings = KnativeSettings::default()
        .with_target(10.0)
        .with_utilisation(1.0);
    Recommender::Knative(KnativeScaler::new(settings).unwrap())
}

fn kubernetes() -> Recommender {
    Recommender::Kubernetes {
        scaler: KubernetesScaler::new(KubernetesSettings::default()).unwrap(),
        target: 10.0,
    }
}

fn scaler(recommender: Recommender, limits: ScaleLimits) -> Autoscaler {
    Autoscaler::new(recommender, limits).unwrap()
}

/// The first decision of a scaler that sees a load while two replicas serve.
fn decided(limits: ScaleLimits, load: f64) -> ScaleDecision {
    let mut scaler = scaler(knative(), limits);
    scaler.observe(at(0), load);
    scaler.decide(at(0), 2)
}

#[test]
fn a_decision_says_what_bound_it() {
    let limits = || ScaleLimits::default().with_maximum(20);
    let memory = MemoryCeiling::new(NonZeroU64::new(1 << 30).unwrap(), 6 << 30);
    let cost = |budget| CostCap::new(1.0, budget, at(3600)).unwrap();
    let expected = [
        (decided(limits(), 29.0), 3, ScaleReason::Load),
        (decided(limits(), 100.0), 10, ScaleReason::Panic),
        (decided(limits(), 500.0), 20, ScaleReason::Maximum),
        (
            decided(limits().with_minimum(4), 29.0),
            4,
            ScaleReason::Minimum,
        ),
        (
            decided(limits().with_cost_cap(cost(7.0)), 100.0),
            7,
            ScaleReason::Cost,
        ),
        (
            decided(limits().with_minimum(4).with_cost_cap(cost(1.0)), 29.0),
            4,
            ScaleReason::MinimumOverBudget,
        ),
        (
            decided(limits().with_memory_ceiling(memory), 100.0),
            6,
            ScaleReason::Memory,
        ),
        (
            decided(
                limits()
                    .with_memory_ceiling(memory)
                    .with_cost_cap(cost(7.0)),
                100.0,
            ),
            6,
            ScaleReason::Memory,
        ),
        (
            decided(
                limits()
                    .with_memory_ceiling(memory)
                    .with_cost_cap(cost(5.0)),
                100.0,
            ),
            5,
            ScaleReason::Cost,
        ),
    ];
    for (decision, replicas, because) in expected {
        assert_eq!(
            (decision.replicas(), decision.because()),
            (replicas, because)
        );
    }
    let mut blind = scaler(knative(), limits());
    assert_eq!(blind.decide(at(0), 7).because(), ScaleReason::NoMeasurement);
}

#[test]
fn warm_replicas_fill_what_the_bounds_leave() {
    let limits = || ScaleLimits::default().with_maximum(8);
    assert_eq!(decided(limits().with_warm(2), 30.0).warm(), 2);
    assert_eq!(decided(limits().with_warm(2), 70.0).warm(), 1);
    assert_eq!(decided(limits().with_warm(2), 900.0).warm(), 0);
    assert_eq!(decided(limits().with_provisioned(6), 30.0).warm(), 3);
    assert_eq!(
        decided(limits().with_provisioned(6).with_warm(4), 30.0).warm(),
        4
    );
    assert_eq!(decided(limits().with_provisioned(60), 30.0).warm(), 5);
}

#[test]
fn contradictory_bounds_are_refused() {
    let memory = MemoryCeiling::new(NonZeroU64::new(10).unwrap(), 29);
    let limits = ScaleLimits::default().with_memory_ceiling(memory);
    assert!(Autoscaler::new(knative(), limits.clone().with_minimum(2)).is_ok());
    assert!(Autoscaler::new(knative(), limits.with_minimum(3)).is_err());
    let limits = ScaleLimits::default().with_minimum(3).with_maximum(2);
    assert!(Autoscaler::new(knative(), limits).is_err());
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let Recommender::Kubernetes { scaler, .. } = kubernetes() else {
            panic!("Kubernetes' formula")
        };
        let recommender = Recommender::Kubernetes {
            scaler,
            target: wrong,
        };
        assert!(Autoscaler::new(recommender, ScaleLimits::default()).is_err());
    }
}

#[test]
fn a_step_is_served_within_a_minute_and_the_way_down_is_one_way() {
    for (recommender, changes) in [(knative(), 24), (kubernetes(), 24)] {
        let mut autoscaler = scaler(recommender, ScaleLimits::default());
        let run = Simulation::default().run(&mut autoscaler, 3600, step(20.0, 200.0, 600, 1800));
        let activation = autoscaler.activations().slowest().unwrap();
        assert!(activation < Duration::from_secs(60), "{activation:?}");
        assert!(run.changes <= changes, "{run:?}");
        assert_eq!(run.reversals, 1, "{run:?}");
        assert_eq!(run.last, 2, "{run:?}");
    }
}

#[test]
fn spikes_closer_than_the_settling_time_change_nothing_after_the_first() {
    // Ten seconds at 150 every ninety, for two hours.
    let mut autoscaler = scaler(knative(), ScaleLimits::default());
    let run = Simulation::default().run(&mut autoscaler, 7200, spiky(20.0, 150.0, 90, 10));
    assert!(run.changes <= 2, "{run:?}");
    assert!(run.reversals == 0, "{run:?}");
    let hasty = ScaleLimits::default().with_settle(0);
    let hasty = Simulation::default().run(
        &mut scaler(kubernetes_hasty(), hasty),
        7200,
        spiky(20.0, 150.0, 90, 10),
    );
    assert!(
        hasty.changes > 50,
        "what is not held back follows every spike: {hasty:?}"
    );
}

/// Kubernetes' formula without its stabilisation window.
fn kubernetes_hasty() -> Recommender {
    let rules = crate::scale::ScalingRules::down().with_window(0);
    let settings = KubernetesSettings::default().with_scale_down(rules);
    Recommender::Kubernetes {
        scaler: KubernetesScaler::new(settings).unwrap(),
        target: 10.0,
    }
}

#[test]
fn a_day_is_followed_at_a_fraction_of_the_cost_of_its_peak() {
    let mut autoscaler = scaler(knative(), ScaleLimits::default());
    let run = Simulation::default().run(&mut autoscaler, 86_400, diurnal(20.0, 200.0));
    let peak = 20.0 * 24.0;
    assert!(run.replica_hours < 0.7 * peak, "{run:?}");
    assert!(run.short_seconds < 86_400 / 50, "{run:?}");
    assert!(run.changes < 60 && run.reversals <= 4, "{run:?}");
}

#[test]
fn warm_replicas_serve_at_once() {
    let spike = || step(20.0, 60.0, 600, 1200);
    let slow = Simulation::default().with_start(30);
    let mut cold = scaler(knative(), ScaleLimits::default());
    slow.run(&mut cold, 1800, spike());
    let mut warm = scaler(knative(), ScaleLimits::default().with_warm(4));
    slow.run(&mut warm, 1800, spike());
    let took = |scaler: &Autoscaler| scaler.activations().slowest().unwrap();
    assert!(took(&cold) >= Duration::from_secs(30), "{:?}", took(&cold));
    assert!(took(&warm) <= Duration::from_secs(10), "{:?}", took(&warm));
}

#[test]
fn the_budget_is_kept_and_does_not_flicker() {
    let budget = 6.0 * 24.0;
    let cap = CostCap::new(1.0, budget, at(86_400)).unwrap();
    let limits = ScaleLimits::default().with_cost_cap(cap);
    let mut autoscaler = scaler(knative(), limits);
    let run = Simulation::default().run(&mut autoscaler, 86_400, |_| 200.0);
    assert!(autoscaler.cost_cap().unwrap().left() >= -1e-6, "{run:?}");
    assert!(run.changes <= 2, "{run:?}");
    assert_eq!(run.last, 6, "{run:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_bounds_hold_and_nothing_is_taken_back_too_soon(
        loads in prop::collection::vec((1_i64..30, 0.0_f64..400.0), 1..80),
        minimum in 0_u32..5,
        span in 0_u32..30,
        warm in 0_u32..4,
        which in any::<bool>(),
    ) {
        let limits = ScaleLimits::default()
            .with_minimum(minimum)
            .with_maximum(minimum + span)
            .with_warm(warm)
            .with_settle(60);
        let mut scaler = scaler(if which { knative() } else { kubernetes() }, limits);
        let (mut second, mut ready, mut rose) = (0, minimum, i64::MIN);
        for (step, load) in loads {
            second += step;
            scaler.observe(at(second), load);
            let decision = scaler.decide(at(second), ready);
            prop_assert!((minimum..=minimum + span).contains(&decision.replicas()));
            prop_assert!(decision.replicas() + decision.warm() <= minimum + span);
            if decision.replicas() < ready {
                prop_assert!(second.saturating_sub(rose) > 60, "{second}, {rose}: {decision:?}");
            }
            if decision.replicas() > ready {
                rose = second;
            }
            ready = decision.replicas();
        }
    }

    #[test]
    fn more_load_never_means_fewer_replicas(
        loads in prop::collection::vec(0.0_f64..400.0, 1..80),
        more in 0.0_f64..400.0,
        which in any::<bool>(),
    ) {
        let mut one = scaler(if which { knative() } else { kubernetes() }, ScaleLimits::default());
        let mut ready = 1;
        for (second, load) in (0..).zip(&loads) {
            one.observe(at(second), *load);
            ready = one.decide(at(second), ready).replicas();
        }
        let mut other = one.clone();
        let now = at(loads.len() as i64);
        one.observe(now, loads[0]);
        other.observe(now, loads[0] + more);
        prop_assert!(one.decide(now, ready).replicas() <= other.decide(now, ready).replicas());
    }
}
