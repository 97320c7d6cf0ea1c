use super::*;

/// A run of outcomes, looked at after every tenth; says whether `found` ever holds.
fn ever(
    seed: u64,
    requests: usize,
    theta: impl Fn(usize) -> f64,
    outcome: impl Fn(usize, Arm, &mut Random) -> f64,
    found: impl Fn(&MeanDifference) -> bool,
) -> bool {
    let mut random = Random::new(seed);
    let mut means = MeanDifference::new(0.0, 1.0).unwrap();
    (0..requests).any(|request| {
        let theta = theta(request);
        let arm = if random.uniform() < theta {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        let value = outcome(request, arm, &mut random);
        means.add(arm, theta, value);
        request % 10 == 9 && found(&means)
    })
}

fn count(runs: u64, claim: impl Fn(u64) -> bool) -> usize {
    (0..runs).filter(|&seed| claim(seed)).count()
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn rejects(log_e: f64) -> bool {
    log_e >= -libm::log(0.05)
}

#[test]
fn identical_arms_rarely_alarm_while_share_and_level_move() {
    let ramp = |request: usize| [0.01, 0.05, 0.25, 0.5][request / 1_000];
    // The mean rises from 0.1 to 0.7 meanwhile: the plain means of the arms differ wildly.
    let outcome = |request: usize, _: Arm, random: &mut Random| {
        flag(random.uniform() < 0.1 + 0.6 * request as f64 / 4_000.0)
    };
    for side in [1.0, -1.0] {
        let alarms = count(200, |seed| {
            ever(seed, 4_000, ramp, outcome, |means| {
                rejects(means.log_e(MeanLimit::EQUAL, side, 1.0))
            })
        });
        // scipy.stats.binom.sf(20, 200, 0.05) = 0.0012
        assert!(alarms <= 20, "{alarms}");
    }
}

#[test]
fn a_ramp_over_a_rising_level_fools_the_plain_means_but_not_the_difference() {
    let mut random = Random::new(5);
    let mut means = MeanDifference::new(0.0, 1.0).unwrap();
    for request in 0..40_000 {
        let theta = [0.01, 0.05, 0.25, 0.5][request / 10_000];
        let arm = if random.uniform() < theta {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        means.add(
            arm,
            theta,
            flag(random.uniform() < 0.1 + 0.6 * request as f64 / 40_000.0),
        );
    }
    let plain = means.mean(Arm::Challenger).unwrap() - means.mean(Arm::Champion).unwrap();
    assert!(plain > 0.15, "{plain}");
    assert!(means.difference().unwrap().abs() < 0.02);
    assert!(means.interval(Alpha::FIVE_PERCENT).contains(0.0));
}

#[test]
fn equal_arms_at_every_share_rarely_alarm() {
    for theta in [0.01, 0.1, 0.5] {
        let outcome = |_: usize, _: Arm, random: &mut Random| random.uniform() * random.uniform();
        let alarms = count(200, |seed| {
            ever(
                seed,
                4_000,
                |_| theta,
                outcome,
                |means| rejects(means.log_e(MeanLimit::EQUAL, 1.0, 1.0)),
            )
        });
        // scipy.stats.binom.sf(20, 200, 0.05) = 0.0012
        assert!(alarms <= 20, "{alarms} at {theta}");
    }
}

#[test]
fn the_interval_holds_the_difference_at_every_look() {
    // Challenger 0.1 above the champion, whose level swings.
    let outcome = |request: usize, arm: Arm, random: &mut Random| {
        let level = 0.4 + 0.2 * (request as f64 / 300.0).sin();
        flag(random.uniform() < level + 0.1 * flag(arm == Arm::Challenger))
    };
    let truth = MeanLimit::absolute(0.1).unwrap();
    let needed = -libm::log(0.025);
    let missed = count(200, |seed| {
        // Outside is where one of the sides rejects the truth at half of 5 %.
        ever(
            seed,
            3_000,
            |_| 0.3,
            outcome,
            |means| {
                means.log_e(truth, 1.0, 1.0) >= needed || means.log_e(truth, -1.0, 1.0) >= needed
            },
        )
    });
    // scipy.stats.binom.sf(20, 200, 0.05) = 0.0012
    assert!(missed <= 20, "{missed}");
}

#[test]
fn a_ratio_that_is_exactly_true_is_rarely_rejected_on_either_side() {
    let outcome = |request: usize, arm: Arm, random: &mut Random| {
        let level = 0.3 + 0.3 * request as f64 / 4_000.0;
        let ratio = if arm == Arm::Challenger { 1.1 } else { 1.0 };
        flag(random.uniform() < level * ratio)
    };
    let truth = MeanLimit::relative(1.1).unwrap();
    let ramp = |request: usize| [0.05, 0.25, 0.5, 0.5][request / 1_000];
    for side in [1.0, -1.0] {
        let wrong = count(200, |seed| {
            ever(seed, 4_000, ramp, outcome, |means| {
                rejects(means.log_e(truth, side, 1.0))
            })
        });
        // scipy.stats.binom.sf(20, 200, 0.05) = 0.0012
        assert!(wrong <= 20, "{wrong} on {side}");
    }
}

#[test]
fn a_difference_is_found_and_its_absence_proven() {
    // Standard deviation 0.1 on a range of 1: a fixed sample at 80 % power would need some 620 requests for 0.02 on one side.
    let outcome = |shift: f64| {
        move |_: usize, arm: Arm, random: &mut Random| {
            0.5 + shift * flag(arm == Arm::Challenger) + 0.1 * random.normal()
        }
    };
    let found = count(50, |seed| {
        ever(
            seed,
            4_000,
            |_| 0.5,
            outcome(0.02),
            |means| rejects(means.log_e(MeanLimit::EQUAL, 1.0, 1.0)),
        )
    });
    assert!(found >= 48, "{found}");
    let margin = MeanLimit::absolute(0.02).unwrap();
    let proven = count(50, |seed| {
        ever(
            seed,
            4_000,
            |_| 0.5,
            outcome(0.0),
            |means| rejects(means.log_e(margin, -1.0, 1.0)),
        )
    });
    assert!(proven >= 48, "{proven}");
}
