use super::*;
use crate::simulation::Random;

fn probability(value: f64) -> Probability {
    Probability::new(value).unwrap()
}

fn gate(limit: f64) -> RingGate {
    RingGate::new(probability(limit)).unwrap()
}

fn outcome(succeeded: u64, failed: u64, timed_out: u64) -> RingOutcome {
    let mut outcome = RingOutcome::default();
    outcome.add_succeeded(succeeded);
    outcome.add_failed(failed);
    outcome.add_timed_out(timed_out);
    outcome
}

/// Whether a ring with this rate of failures ever reaches a decision that `wanted` accepts, looked at after each device.
fn ever(
    gate: &RingGate,
    rate: f64,
    devices: u32,
    seed: u64,
    wanted: fn(RingDecision) -> bool,
) -> bool {
    let mut random = Random::new(seed);
    let mut outcome = RingOutcome::default();
    (0..devices).any(|_| {
        if random.uniform() < rate {
            outcome.add_failed(1);
        } else {
            outcome.add_succeeded(1);
        }
        wanted(gate.decide(&outcome))
    })
}

fn advances(decision: RingDecision) -> bool {
    decision == RingDecision::Advance
}

fn stops(decision: RingDecision) -> bool {
    matches!(decision, RingDecision::Stop { .. })
}

#[test]
fn one_look_agrees_with_clopper_and_pearson() {
    let gate = gate(0.05).with_bound(RingBound::OneLook);
    // (1 - .05)^n <= .05 from n = 59 on.
    assert_eq!(gate.decide(&outcome(58, 0, 0)), RingDecision::Undecided);
    assert_eq!(gate.decide(&outcome(59, 0, 0)), RingDecision::Advance);
    // scipy.stats.binom.sf(5, 50, .05) = .0378 and sf(6, 50, .05) = .0118, against .025.
    assert_eq!(gate.decide(&outcome(44, 6, 0)), RingDecision::Undecided);
    assert!(stops(gate.decide(&outcome(43, 7, 0))));
}

#[test]
fn no_devices_are_never_a_pass_and_offline_ones_are_not_failures() {
    let gate = gate(0.05).with_min_executed(200);
    let mut outcome = RingOutcome::default();
    outcome.add_offline(1_000_000);
    let insufficient = RingDecision::Insufficient {
        executed: 0,
        needed: 200,
    };
    assert_eq!(gate.decide(&outcome), insufficient);
    outcome.add_succeeded(199);
    assert!(matches!(
        gate.decide(&outcome),
        RingDecision::Insufficient { .. }
    ));
    outcome.add_succeeded(1);
    assert_eq!(gate.decide(&outcome), RingDecision::Advance);
}

#[test]
fn timeouts_have_a_limit_of_their_own() {
    let strict = gate(0.05);
    let stopped = RingDecision::Stop {
        fault: RingFault::TimedOut,
    };
    assert_eq!(strict.decide(&outcome(500, 0, 150)), stopped);
    let lenient = strict.with_max_timed_out(Probability::ONE).unwrap();
    assert_eq!(lenient.decide(&outcome(500, 0, 150)), RingDecision::Advance);
}

#[test]
fn at_the_limit_a_look_after_each_device_rarely_opens_or_closes_the_gate() {
    let gate = gate(0.1);
    let count = |wanted| {
        (0..300)
            .filter(|seed| ever(&gate, 0.1, 500, *seed, wanted))
            .count()
    };
    // scipy.stats.binom.sf(27, 300, .05) = .0013 and sf(17, 300, .025) = .0007
    let (opened, closed) = (count(advances), count(stops));
    assert!(opened <= 27, "{opened}");
    assert!(closed <= 17, "{closed}");
}

#[test]
fn good_rings_advance_and_bad_ones_stop() {
    let gate = gate(0.1);
    let opened = (0..100)
        .filter(|seed| ever(&gate, 0.02, 300, *seed, advances))
        .count();
    let closed = (0..100)
        .filter(|seed| ever(&gate, 0.3, 300, *seed, stops))
        .count();
    assert!(opened >= 97, "{opened}");
    assert!(closed >= 97, "{closed}");
}

#[test]
fn hostile_counts_give_a_decision() {
    for bound in [RingBound::Anytime, RingBound::OneLook] {
        for limit in [f64::MIN_POSITIVE, 0.5, 1.0 - f64::EPSILON / 2.0, 1.0] {
            for counts in [
                outcome(u64::MAX, u64::MAX, 1),
                outcome(0, u64::MAX, 0),
                outcome(1, 0, 0),
            ] {
                let decision = gate(limit).with_bound(bound).decide(&counts);
                assert!(!matches!(decision, RingDecision::Insufficient { .. }));
            }
        }
    }
    assert!(stops(gate(0.5).decide(&outcome(0, u64::MAX, 0))));
}

#[test]
fn a_limit_of_zero_is_refused_also_when_read_back() {
    assert!(RingGate::new(Probability::ZERO).is_err());
    assert!(gate(0.1).with_max_timed_out(Probability::ZERO).is_err());
    let text = serde_json::to_string(&gate(0.1)).unwrap();
    assert_eq!(serde_json::from_str::<RingGate>(&text).unwrap(), gate(0.1));
    let tampered = text.replace("0.1", "0.0");
    assert!(serde_json::from_str::<RingGate>(&tampered).is_err());
}
