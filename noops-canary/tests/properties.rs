//! What holds for every input, through the public interface only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use noops_canary::{
    Arm, Assignment, CanaryError, Evaluation, Judge, JudgeSettings, PairedSettings, RateComparison,
    Salt, Verdict, bucket, compare,
};
use noops_core::{Alpha, Probability, Share};
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
    Pair(u64, f64, f64),
    Failure(Arm, u32),
    Close(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..20_u64, 0.0..=1.0_f64, 0.0..=1.0_f64).prop_map(|(block, a, b)| Event::Pair(block, a, b)),
        2 => (any::<bool>(), 0..=1_000_000_u32).prop_map(|(challenger, ppm)| {
            Event::Failure(if challenger { Arm::Challenger } else { Arm::Champion }, ppm)
        }),
        1 => (0..20_u64).prop_map(Event::Close),
    ]
}

fn tell(judge: &mut Judge, event: &Event) {
    match event {
        Event::Pair(block, champion, candidate) => {
            judge.observe_pair(*block, probability(*champion), probability(*candidate));
        }
        Event::Failure(arm, ppm) => judge.observe_failure(*arm, share(*ppm)),
        Event::Close(block) => judge.close_before(*block),
    }
}

fn judge() -> Judge {
    let paired = PairedSettings::default().with_min_block(2);
    Judge::new(
        JudgeSettings::default()
            .with_min_pairs(5)
            .with_paired(paired),
    )
    .unwrap()
}

proptest! {
    #[test]
    fn raising_the_share_only_adds_units(salt in any::<String>(), unit in any::<String>(), a in 0..=1_000_000_u32, b in 0..=1_000_000_u32) {
        let low = Assignment::new(Salt::new(salt), share(a.min(b)));
        let high = low.clone().with_share(share(a.max(b)));
        prop_assert!(low.arm(&unit) == Arm::Champion || high.arm(&unit) == Arm::Challenger);
    }

    #[test]
    fn an_assignment_read_back_is_the_same(salt in any::<String>(), unit in any::<String>(), ppm in 0..=1_000_000_u32) {
        let salt = Salt::new(salt);
        prop_assert!(bucket(&salt, &unit) < 1_000_000);
        let assignment = Assignment::new(salt, share(ppm)).with_override("pinned", Arm::Champion);
        let json = serde_json::to_string(&assignment).unwrap();
        let back: Assignment = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(assignment.assign(&unit), back.assign(&unit));
        prop_assert_eq!(assignment, back);
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
            tell(&mut unbroken, event);
            tell(&mut resumed, event);
        }
        prop_assert_eq!(unbroken.verdict(), resumed.verdict());
        prop_assert_eq!(unbroken.digest(), resumed.digest());
    }

    #[test]
    fn every_judgement_can_be_explained_and_rests_on_enough_pairs(events in prop::collection::vec(event(), 0..80)) {
        let mut judge = judge();
        events.iter().for_each(|event| tell(&mut judge, event));
        let judgement = judge.verdict();
        prop_assert!(!judgement.explain().contains("NaN"));
        let few = judgement.pairs() < 5;
        let in_favour = matches!(
            judgement.verdict(),
            Verdict::Promote | Verdict::Continue { .. } | Verdict::Inconclusive
        );
        prop_assert!(!(few && in_favour));
    }

    #[test]
    fn every_pair_is_judged_waiting_or_late(events in prop::collection::vec(event(), 0..80)) {
        let mut judge = judge();
        events.iter().for_each(|event| tell(&mut judge, event));
        let told = events.iter().filter(|event| matches!(event, Event::Pair(..))).count() as u64;
        let loss = judge.loss();
        prop_assert_eq!(loss.pairs() + loss.pending_pairs() + loss.late(), told);
    }

    #[test]
    fn evidence_about_rates_is_always_a_number(
        max_ratio in 0.01..=100.0_f64,
        events in prop::collection::vec((any::<bool>(), 0..=1_000_000_u32), 0..200),
    ) {
        let mut comparison = RateComparison::new(max_ratio).unwrap();
        for (challenger, ppm) in events {
            comparison.observe(if challenger { Arm::Challenger } else { Arm::Champion }, share(ppm));
        }
        prop_assert!(comparison.current().get().is_finite());
        prop_assert!(comparison.evidence() >= comparison.current());
    }

    #[test]
    fn any_columns_are_evaluated_or_refused(
        rows in prop::collection::vec((any::<f64>(), 0.0..=1.0_f64, any::<bool>(), 0..5_u64), 0..40),
        margin in any::<f64>(),
    ) {
        let raw: Vec<f64> = rows.iter().map(|row| row.0).collect();
        let checked: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let labels: Vec<bool> = rows.iter().map(|row| row.2).collect();
        let blocks: Vec<u64> = rows.iter().map(|row| row.3).collect();
        let valid = raw.iter().all(|p| (0.0..=1.0).contains(p)) && !raw.is_empty();
        prop_assert_eq!(Evaluation::of(&raw, &labels).is_ok(), valid);
        match Evaluation::of(&checked, &labels) {
            Ok(evaluation) => {
                let interval = evaluation.brier().interval(Alpha::FIVE_PERCENT);
                prop_assert!(interval.is_none_or(|interval| interval.contains(evaluation.brier().value())));
            }
            Err(error) => prop_assert_eq!(error, CanaryError::Empty),
        }
        let comparison = compare(&checked, &checked, &labels, &blocks, margin, Alpha::ONE_PERCENT);
        if let Ok(comparison) = comparison {
            prop_assert_eq!(comparison.mean_difference(), 0.0);
        }
    }
}
