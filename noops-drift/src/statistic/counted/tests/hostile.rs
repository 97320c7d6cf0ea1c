use proptest::prelude::*;

use super::STATISTICS;
use crate::error::DriftError;
use crate::statistic::TestSettings;

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (name, statistic) in STATISTICS {
        for value in [f64::NAN, -1.0, f64::INFINITY] {
            for settings in [
                TestSettings::default().with_tolerance(value),
                TestSettings::default().with_relevant(value),
            ] {
                let refused = statistic(&[9, 9], &[9, 9], &settings);
                assert!(
                    matches!(refused, Err(DriftError::InvalidSetting { .. })),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn rows_of_different_cells_are_refused() {
    for (name, statistic) in STATISTICS {
        let refused = statistic(&[9, 9], &[9], &TestSettings::default());
        assert!(
            matches!(refused, Err(DriftError::UnequalCells { .. })),
            "{name}"
        );
    }
}

#[test]
fn a_hundred_thousand_categories_have_an_answer() {
    let counts = vec![40_u64; 100_000];
    for (name, statistic) in STATISTICS {
        let outcome = statistic(&counts, &counts, &TestSettings::default()).unwrap();
        assert!(!outcome.verdict().is_drift(), "{name}: {outcome:?}");
    }
}

/// Counts that are often zero, often small and sometimes as large as can be.
fn count() -> impl Strategy<Value = u64> {
    prop_oneof![
        2 => Just(0),
        3 => 0_u64..50,
        2 => 0_u64..100_000,
        1 => any::<u64>(),
        1 => Just(u64::MAX),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_counts_give_finite_answers(
        counts in prop::collection::vec((count(), count()), 0..10),
        tolerance in prop_oneof![Just(0.0), 0.0..1.0, Just(1e12)],
    ) {
        let (reference, current): (Vec<u64>, Vec<u64>) = counts.into_iter().unzip();
        let settings = TestSettings::default().with_tolerance(tolerance);
        for (name, statistic) in STATISTICS {
            let outcome = statistic(&reference, &current, &settings).unwrap();
            prop_assert!(outcome.statistic().is_finite() && outcome.statistic() >= 0.0, "{} {:?}", name, outcome);
            prop_assert!((0.0..=1.0).contains(&outcome.p_value()), "{} {:?}", name, outcome);
            prop_assert!(outcome.critical().is_none_or(f64::is_finite), "{} {:?}", name, outcome);
            prop_assert!(outcome.visible_from().is_none_or(f64::is_finite), "{} {:?}", name, outcome);
        }
    }

    #[test]
    fn no_order_of_thick_cells_matters(counts in prop::collection::vec((20_u64..500, 20_u64..500), 2..8)) {
        let (reference, current): (Vec<u64>, Vec<u64>) = counts.iter().copied().unzip();
        let (back_r, back_c): (Vec<u64>, Vec<u64>) = counts.iter().rev().copied().unzip();
        prop_assume!(reference.iter().sum::<u64>() < 10 * current.iter().sum::<u64>());
        prop_assume!(current.iter().sum::<u64>() < 10 * reference.iter().sum::<u64>());
        for (name, statistic) in STATISTICS {
            let there = statistic(&reference, &current, &TestSettings::default()).unwrap();
            let back = statistic(&back_r, &back_c, &TestSettings::default()).unwrap();
            prop_assert!((there.statistic() - back.statistic()).abs() <= 1e-9 * there.statistic(), "{}", name);
        }
    }

    #[test]
    fn symmetric_distances_do_not_know_which_side_is_the_reference(
        counts in prop::collection::vec((20_u64..500, 20_u64..500), 2..8),
    ) {
        let (reference, current): (Vec<u64>, Vec<u64>) = counts.into_iter().unzip();
        for (name, statistic) in STATISTICS {
            if name == "kullback_leibler" {
                continue;
            }
            let there = statistic(&reference, &current, &TestSettings::default()).unwrap();
            let back = statistic(&current, &reference, &TestSettings::default()).unwrap();
            prop_assert!((there.statistic() - back.statistic()).abs() <= 1e-9 * there.statistic(), "{}", name);
        }
    }
}
