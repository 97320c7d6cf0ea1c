use proptest::prelude::*;

use super::invariants::{check, events, small_specs};
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_sequence_keeps_the_invariants_and_replays_to_the_live_state(
        form in 0usize..5,
        moves in prop::collection::vec((-2i64..6, any::<prop::sample::Index>(), 0u64..4, 0u8..4), 1..60),
    ) {
        let spec = small_specs().swap_remove(form);
        let mut live = started(spec.clone());
        let mut journal = vec![JournalEntry::started(&live).unwrap()];
        let mut promotions = 0;
        let mut second = 0;
        for (passed, choice, more, doubled) in moves {
            second += passed;
            let menu = events(&live, more);
            // Every other event puts the present share in force, or hardly a sequence would get anywhere.
            let event = if doubled % 2 == 0 { applied(&live) } else { choice.get(&menu).clone() };
            let step = check(&live, at(second), &event);
            promotions += u8::from(step.decision() == Some(&Decision::Promote));
            live = step.into_state();
            let entry = journal.last().unwrap().next(at(second), event);
            if doubled == 0 {
                journal.push(entry.clone());
            }
            journal.push(entry);
            let stored = serde_json::to_string(&live).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Rollout>(&stored).unwrap(), &live);
        }
        prop_assert!(promotions <= 1);
        prop_assert_eq!(replay(&spec, &journal).unwrap(), live);
    }

    #[test]
    fn favourable_verdicts_in_any_order_promote_no_earlier_than_in_order(
        counts in prop::collection::vec(0u64..400, 1..20),
    ) {
        let stage = ramping();
        let mut sorted = counts.clone();
        sorted.sort_unstable();
        let run = |counts: &[u64]| {
            counts.iter().fold(stage.clone(), |state, &events| take(&state, 160, &promote(events)))
        };
        let shuffled = run(&counts);
        let ordered = run(&sorted);
        // One stage at most: the share of the next one is never acknowledged here.
        prop_assert_eq!(shuffled.stage(), ordered.stage());
        prop_assert_eq!(shuffled.stage() == stage.stage(), counts.iter().all(|&events| events < 200));
    }
}
