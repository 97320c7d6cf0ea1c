use proptest::prelude::*;

use super::*;
use crate::assignment::{Arm, Assignment};

fn ppm(ppm: u32) -> Share {
    Share::from_ppm(ppm).unwrap()
}

fn three(shares: [u32; 3]) -> WeightedAssignment {
    let challengers = ["a", "b", "c"]
        .into_iter()
        .zip(shares)
        .map(|(name, share)| Challenger::new(name, ppm(share)))
        .collect();
    WeightedAssignment::new(Salt::new("rollout-7"), challengers).unwrap()
}

fn arms(assignment: &WeightedAssignment, units: usize) -> Vec<usize> {
    (0..units)
        .map(|unit| assignment.assign(&format!("user-{unit}")).arm())
        .collect()
}

#[test]
fn realised_shares_are_within_binomial_bounds() {
    let assignment = three([100_000, 50_000, 10_000]);
    let served = arms(&assignment, 40_000);
    for (arm, share) in assignment.shares().into_iter().enumerate() {
        let (n, p) = (40_000.0, share.ratio());
        let count = served.iter().filter(|one| **one == arm).count() as f64;
        // Four standard deviations: 6e-5 for each arm.
        let bound = 4.0 * (n * p * (1.0 - p)).sqrt();
        assert!((count - n * p).abs() < bound, "{arm}: {count}");
    }
}

#[test]
fn ten_percent_is_ten_percent_and_not_what_a_wrong_rendezvous_gives() {
    let challenger = Challenger::new("canary", ppm(100_000));
    let assignment = WeightedAssignment::new(Salt::new("s"), vec![challenger]).unwrap();
    let n = 40_000;
    let ours = arms(&assignment, n).iter().filter(|arm| **arm == 1).count();
    // The score `w * h`, highest wins: the canary's share is .1 / (2 * .9).
    let place = |salt: &str, unit: usize| {
        f64::from(bucket(&Salt::new(salt), &format!("user-{unit}"))) / 1e6
    };
    let wrong = (0..n)
        .filter(|unit| 0.1 * place("canary", *unit) > 0.9 * place("champion", *unit))
        .count();
    // Four standard deviations of the binomial are 240 and 183.
    assert!((ours as f64 - 4000.0).abs() < 240.0, "{ours}");
    assert!((wrong as f64 - 40_000.0 / 18.0).abs() < 183.0, "{wrong}");
}

#[test]
fn the_first_challenger_keeps_its_units_in_an_assignment_of_two() {
    let several = three([100_000, 50_000, 10_000]);
    let two = Assignment::new(several.salt().clone(), ppm(100_000));
    for unit in 0..5_000 {
        let unit = format!("user-{unit}");
        let first = several.assign(&unit).arm() == 1;
        assert_eq!(first, two.arm(&unit) == Arm::Challenger, "{unit}");
    }
}

#[test]
fn ceilings_that_are_not_given_divide_what_is_left() {
    let challengers = vec![
        Challenger::new("a", Share::ZERO).with_ceiling(ppm(400_000)),
        Challenger::new("b", Share::ZERO),
        Challenger::new("c", Share::ZERO),
    ];
    let assignment = WeightedAssignment::new(Salt::new("s"), challengers).unwrap();
    let ceilings: Vec<_> = assignment
        .challengers()
        .iter()
        .map(Challenger::ceiling)
        .collect();
    assert_eq!(
        ceilings,
        [Some(ppm(400_000)), Some(ppm(300_000)), Some(ppm(300_000))]
    );
}

#[test]
fn forced_units_are_served_as_named_and_stay_out_of_the_analysis() {
    let overrides = Overrides::default()
        .with_forced("qa", "b".to_owned())
        .with_denied_attribute("plan", "enterprise");
    let assignment = three([300_000, 300_000, 300_000])
        .with_overrides(overrides)
        .unwrap();
    let qa = assignment.assign("qa");
    assert_eq!(
        (assignment.name(qa.arm()), qa.in_analysis()),
        (Some("b"), false)
    );
    let denied = assignment.assign_with("user-1", &[("plan", "enterprise")]);
    assert_eq!((denied.arm(), denied.in_analysis()), (0, false));
    assert!(assignment.assign("user-1").in_analysis());
    let unknown = Overrides::default().with_forced("qa", "z".to_owned());
    assert!(assignment.with_overrides(unknown).is_err());
}

#[test]
fn an_exposure_holds_every_share_in_force() {
    let assignment = three([100_000, 50_000, 10_000]);
    let at = Timestamp::from_second(5).unwrap();
    let record = assignment.expose("user-1", at, 2);
    assert_eq!(record.shares(), assignment.shares());
    assert_eq!(record.arm(), assignment.assign("user-1").arm());
    assert_eq!((record.at(), record.generation()), (at, 2));
}

#[test]
fn contradictory_specifications_are_refused_by_name() {
    let build = |challengers| WeightedAssignment::new(Salt::new("s"), challengers);
    assert_eq!(build(vec![]), Err(CanaryError::Empty));
    let twice = vec![
        Challenger::new("a", Share::ZERO),
        Challenger::new("a", Share::ZERO),
    ];
    assert!(build(twice).unwrap_err().to_string().contains("`a`"));
    let too_much = vec![
        Challenger::new("a", Share::ZERO).with_ceiling(ppm(600_000)),
        Challenger::new("b", Share::ZERO).with_ceiling(ppm(600_000)),
    ];
    assert!(build(too_much).unwrap_err().to_string().contains("1200000"));
    assert!(build(vec![Challenger::new("champion", Share::ZERO)]).is_err());
    assert!(build(vec![Challenger::new("", Share::ZERO)]).is_err());
    let above = Challenger::new("a", ppm(2)).with_ceiling(ppm(1));
    assert!(build(vec![above]).is_err());
    assert!(three([0, 0, 0]).with_share("a", ppm(333_334)).is_err());
    assert!(three([0, 0, 0]).with_share("z", ppm(1)).is_err());
}

#[test]
fn tampered_state_is_refused() {
    let text = serde_json::to_string(&three([100_000, 0, 0])).unwrap();
    assert!(serde_json::from_str::<WeightedAssignment>(&text).is_ok());
    for (from, to) in [
        ("\"ceiling\":333333", "\"ceiling\":null"),
        ("\"ceiling\":333333", "\"ceiling\":999999"),
        ("\"share\":100000", "\"share\":400000"),
        ("\"name\":\"a\"", "\"name\":\"b\""),
    ] {
        let tampered = text.replacen(from, to, 1);
        assert_ne!(tampered, text);
        assert!(
            serde_json::from_str::<WeightedAssignment>(&tampered).is_err(),
            "{to}"
        );
    }
}

proptest! {
    #[test]
    fn raising_a_share_moves_units_from_the_champion_to_that_arm_only(
        shares in prop::array::uniform3(0_u32..=333_333),
        raised in 0_usize..3,
        by in 0_u32..=333_333,
        unit in any::<String>(),
    ) {
        let before = three(shares);
        let name = ["a", "b", "c"][raised];
        let share = ppm((shares[raised] + by).min(333_333));
        let after = before.clone().with_share(name, share).unwrap();
        let (old, new) = (before.assign(&unit).arm(), after.assign(&unit).arm());
        prop_assert!(new == old || (old == 0 && new == raised + 1));
    }

    #[test]
    fn an_assignment_read_back_is_the_same(shares in prop::array::uniform3(0_u32..=333_333), unit in any::<String>()) {
        let assignment = three(shares);
        let text = serde_json::to_string(&assignment).unwrap();
        let back: WeightedAssignment = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(back.assign(&unit), assignment.assign(&unit));
        prop_assert_eq!(back, assignment);
    }
}
