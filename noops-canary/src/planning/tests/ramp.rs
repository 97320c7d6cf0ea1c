use noops_core::{Alpha, Share};

use super::{RUNS, errors, rate, share};
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::judge::JudgeSpec;
use crate::planning::{RampPlan, RampSettings, Traffic, next_share};
use crate::sequential::RateComparison;
use crate::simulation::Random;

#[test]
fn more_budget_never_gives_a_smaller_share() {
    let spec = JudgeSpec::new([errors(0.25)]).unwrap();
    let traffic = Traffic::new(25.0, Share::ZERO).unwrap();
    let mut before = Share::ZERO;
    for budget in [5.0, 15.0, 20.0, 25.0, 30.0, 50.0, 1e9] {
        let settings = RampSettings::new(2.0, budget);
        let chosen = next_share(&spec, "errors", &rate(0.02), &traffic, 240.0, &settings).unwrap();
        let share = chosen.map_or(Share::ZERO, |chosen| chosen.share());
        assert!(share >= before, "{budget}");
        if let Some(chosen) = chosen {
            assert!(chosen.expected_excess() <= budget && chosen.detection() >= 0.5);
        }
        before = share;
    }
    assert_eq!(before, share(0.5));
}

/// The cost of a bad candidate until it is found out, counted.
#[test]
fn a_bad_candidate_costs_what_was_expected() {
    let spec = JudgeSpec::new([errors(0.25)]).unwrap();
    let traffic = Traffic::new(25.0, Share::ZERO).unwrap();
    let settings = RampSettings::new(2.0, 30.0).with_largest_share(share(0.2));
    let chosen = next_share(&spec, "errors", &rate(0.02), &traffic, 240.0, &settings)
        .unwrap()
        .unwrap();
    let theta = chosen.share().ratio();
    let mut random = Random::new(16);
    let probability = 2.0 * theta / (1.0 + theta);
    // The events of 240 minutes.
    let most = 25.0 * 60.0 * 240.0 * 0.02 * (1.0 + theta);
    let mut bad = 0.0;
    for _ in 0..RUNS {
        let mut engine = RateComparison::new();
        let mut events = 0.0;
        while events < most
            && !engine
                .log_e_above(1.0)
                .unwrap()
                .rejects(Alpha::FIVE_PERCENT)
        {
            events += 1.0;
            let arm = if random.uniform() < probability {
                Arm::Challenger
            } else {
                Arm::Champion
            };
            engine.observe(arm, chosen.share());
        }
        // Half of a candidate's events are beyond those of the champion.
        bad += events * probability * 0.5;
    }
    let mean = bad / RUNS as f64;
    assert!(
        (chosen.expected_excess() / mean - 1.0).abs() < 0.12,
        "{} {mean}",
        chosen.expected_excess()
    );
}

#[test]
fn a_ramp_stays_in_its_budget_and_never_falls() {
    let spec = JudgeSpec::new([errors(0.25)]).unwrap();
    let traffic = Traffic::new(100.0, Share::ZERO).unwrap();
    let ramp = |budget, minutes: &[f64]| {
        RampPlan::new(
            &spec,
            "errors",
            &rate(0.02),
            &traffic,
            minutes,
            &RampSettings::new(2.0, budget),
        )
    };
    let plan = ramp(90.0, &[60.0, 120.0, 240.0]).unwrap();
    assert!(plan.is_complete());
    assert!(plan.expected_excess() <= 90.0);
    assert!(plan.detection() >= 0.875);
    assert!(
        plan.shares()
            .windows(2)
            .all(|pair| pair[0].share() <= pair[1].share())
    );
    assert!(!ramp(0.1, &[60.0]).unwrap().is_complete());
    assert_eq!(ramp(90.0, &[]), Err(CanaryError::Empty));
    let forever = ramp(90.0, &[f64::MAX]).unwrap();
    assert!(
        forever
            .shares()
            .iter()
            .all(|chosen| chosen.expected_excess().is_finite())
    );
    for bad in [0.0, f64::NAN, f64::INFINITY] {
        assert!(
            ramp(bad, &[60.0]).is_err() && ramp(90.0, &[bad]).is_err(),
            "{bad}"
        );
    }
    let unknown = next_share(
        &spec,
        "other",
        &rate(0.02),
        &traffic,
        60.0,
        &RampSettings::new(2.0, 50.0),
    );
    assert!(matches!(unknown, Err(CanaryError::Specification { .. })));
}
