use noops_core::Alpha;

use super::*;
use crate::simulation::Random;

fn loss(value: f64) -> Probability {
    Probability::new(value).unwrap()
}

fn run(seed: u64, blocks: u64, mean: f64, noise: f64) -> PairedLoss {
    let mut random = Random::new(seed);
    let mut paired = PairedLoss::new(PairedSettings::default()).unwrap();
    for block in 0..blocks {
        let shift = mean + noise * random.normal();
        for _ in 0..10 {
            let champion = 0.3 + 0.2 * random.uniform();
            let candidate = (champion + shift).clamp(0.0, 1.0);
            paired.observe(block, loss(champion), loss(candidate));
        }
    }
    paired.close_before(blocks);
    paired
}

#[test]
fn at_the_margin_non_inferiority_is_rarely_claimed() {
    // 0.002 is the margin: the null hypothesis holds with equality.
    let claimed = (0..300)
        .filter(|&seed| {
            let paired = run(seed, 200, 0.002, 0.05);
            paired.not_worse.max_log_e().rejects(Alpha::FIVE_PERCENT)
        })
        .count();
    // scipy.stats.binom.sf(27, 300, 0.05) = 0.0013
    assert!(claimed <= 27, "{claimed}");
}

#[test]
fn identical_losses_never_look_harmful() {
    let paired = run(1, 100, 0.0, 0.0);
    assert!(paired.worse().get() < 1e-9);
    assert!(paired.mean_difference().unwrap().abs() < 1e-12);
}

#[test]
fn a_clearly_better_candidate_is_proven_better() {
    let paired = run(2, 100, -0.02, 0.02);
    assert!(paired.better().rejects(Alpha::ONE_PERCENT));
    assert!(!paired.worse().rejects(Alpha::FIVE_PERCENT));
}

#[test]
fn evidence_follows_the_betting_formula() {
    let mut paired = PairedLoss::new(PairedSettings::default().with_min_block(1)).unwrap();
    let mut naive = MeanBet::new(loss(0.5));
    for (block, difference) in [0.05, -0.02, 0.3].into_iter().enumerate() {
        paired.observe(block as u64, loss(0.4), loss(0.4 + difference));
        naive.observe(((difference / 0.1_f64).clamp(-1.0, 1.0) + 1.0) / 2.0);
    }
    paired.close_before(3);
    assert!((paired.worse().get() - naive.max_log_e().get()).abs() < 1e-9);
    assert_eq!(paired.clamped_blocks(), 1);
    assert!((paired.mean_difference().unwrap() - 0.11).abs() < 1e-12);
}

#[test]
fn late_pairs_are_counted_and_change_no_evidence() {
    let mut paired = run(3, 20, 0.01, 0.01);
    let before = paired.clone();
    paired.observe(4, loss(0.0), loss(1.0));
    paired.close_before(20);
    assert_eq!(paired.late(), 1);
    assert_eq!(paired.worse(), before.worse());
    assert_eq!(paired.pairs(), before.pairs());
}

#[test]
fn thin_blocks_are_carried_into_the_next() {
    let mut paired = PairedLoss::new(PairedSettings::default()).unwrap();
    for block in 0..4 {
        for _ in 0..4 {
            paired.observe(block, loss(0.2), loss(0.3));
        }
    }
    paired.close_before(4);
    assert_eq!(
        (paired.blocks(), paired.pairs(), paired.pending_pairs()),
        (1, 12, 4)
    );
}

#[test]
fn thin_blocks_closed_one_by_one_are_carried_alike() {
    let tell = |paired: &mut PairedLoss, block: u64| {
        for pair in 0..4 {
            let shift = 0.01 * (block + pair) as f64;
            paired.observe(block, loss(0.2), loss(0.2 + shift));
        }
    };
    let mut at_once = PairedLoss::new(PairedSettings::default()).unwrap();
    let mut one_by_one = at_once.clone();
    for block in 0..10 {
        tell(&mut at_once, block);
        tell(&mut one_by_one, block);
        one_by_one.close_before(block + 1);
    }
    at_once.close_before(10);
    assert_eq!(at_once, one_by_one);
    assert_eq!((at_once.blocks(), at_once.pending_pairs()), (3, 4));
}

#[test]
fn discarded_blocks_never_become_evidence() {
    let mut clean = run(7, 20, 0.0, 0.03);
    let mut repaired = clean.clone();
    for _ in 0..10 {
        clean.observe(21, loss(0.3), loss(0.28));
        repaired.observe(21, loss(0.3), loss(0.28));
        repaired.observe(22, loss(0.0), loss(1.0));
        repaired.observe(30, loss(0.0), loss(1.0));
    }
    repaired.discard_from(22);
    assert_eq!(clean, repaired);
    repaired.observe(22, loss(0.3), loss(0.3));
    assert_eq!(repaired.pending_pairs(), 11);
}

#[test]
fn a_thin_closed_block_can_still_be_discarded() {
    let mut paired = PairedLoss::new(PairedSettings::default()).unwrap();
    for pair in 0..9 {
        paired.observe(u64::from(pair >= 4), loss(0.0), loss(1.0));
    }
    paired.close_before(2);
    paired.discard_from(1);
    assert_eq!((paired.blocks(), paired.pending_pairs()), (0, 4));
}

#[test]
fn evidence_once_given_is_not_discarded() {
    let mut paired = run(8, 20, 0.01, 0.02);
    let before = paired.clone();
    paired.discard_from(0);
    assert_eq!(paired, before);
}

#[test]
fn counters_stay_at_their_largest_value() {
    let mut paired = run(9, 1, 0.0, 0.0);
    for counter in [&mut paired.pairs, &mut paired.blocks, &mut paired.late] {
        *counter = u64::MAX;
    }
    paired.observe(0, loss(0.1), loss(0.1));
    for _ in 0..10 {
        paired.observe(1, loss(0.1), loss(0.1));
    }
    paired.close_before(2);
    assert_eq!(
        (paired.pairs(), paired.blocks(), paired.late()),
        (u64::MAX, u64::MAX, u64::MAX)
    );
}

#[test]
fn settings_that_cannot_be_tested_are_refused() {
    let refused = [
        PairedSettings::default().with_margin(f64::NAN),
        PairedSettings::default().with_margin(0.1),
        PairedSettings::default().with_harm(-0.2),
        PairedSettings::default().with_block_range(0.0),
        PairedSettings::default().with_block_range(f64::INFINITY),
    ];
    for settings in refused {
        assert!(PairedLoss::new(settings).is_err(), "{settings:?}");
    }
}

#[test]
fn resumed_state_behaves_like_unbroken_state() {
    let mut unbroken = run(5, 30, 0.0, 0.03);
    unbroken.observe(30, loss(0.1), loss(0.2));
    let text = serde_json::to_string(&unbroken).unwrap();
    let mut resumed: PairedLoss = serde_json::from_str(&text).unwrap();
    for _ in 0..10 {
        unbroken.observe(30, loss(0.123), loss(0.2));
        resumed.observe(30, loss(0.123), loss(0.2));
    }
    unbroken.close_before(31);
    resumed.close_before(31);
    assert_eq!(unbroken, resumed);
}

#[test]
fn stored_evidence_goes_on_and_tampered_evidence_is_refused() {
    let mut paired = run(3, 4, 0.01, 0.02);
    paired.observe(9, loss(0.25), loss(0.5));
    let stored = serde_json::to_value(&paired).unwrap();
    let read: PairedLoss = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(read, paired);
    let open = |difference: f64, pairs: u64| serde_json::json!({"9": {"difference": difference, "pairs": pairs}});
    let tampered = [
        ("open", open(0.0, 0)),
        ("open", open(1.5, 1)),
        ("blocks", 5.into()),
        ("pairs", 3.into()),
        ("clamped_blocks", 5.into()),
        ("sum_of_block_means", 4.5.into()),
        ("settings", serde_json::json!({"block_range": 0.0})),
        ("settings", serde_json::json!({"range": 0.1})),
        (
            "better",
            serde_json::to_value(MeanBet::new(loss(0.5))).unwrap(),
        ),
        ("surprise", 1.into()),
    ];
    for (field, value) in tampered {
        let mut state = stored.clone();
        state[field] = value.clone();
        assert!(
            serde_json::from_value::<PairedLoss>(state).is_err(),
            "{field} {value}"
        );
    }
}
