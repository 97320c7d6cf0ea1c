use proptest::prelude::*;

use super::*;
use crate::condition::testing::{completions, condition, run, schema, typed};

#[track_caller]
fn check(later: &str, earlier: &str, expected: bool) {
    let found = implies(&typed(later), &typed(earlier), &schema());
    assert_eq!(found, expected, "{later} => {earlier}");
}

#[test]
fn a_tighter_condition_implies_a_looser_one() {
    for (later, earlier) in [
        ("a > 0.3", "a > 0.2"),
        ("a > 0.3 && flag", "a > 0.2"),
        ("flag", "flag"),
        ("!flag", "flag == false"),
        ("flag && on", "on && flag"),
        ("env == 'prod'", "env in ['prod', 'test']"),
        ("env in ['prod', 'test']", "env in ['test', 'dev', 'prod']"),
        ("env == 'prod'", "env != 'test'"),
        ("a > 3.0 || a > 5.0", "a > 2.0"),
        ("flag && (a > 3.0 || share > 0.5)", "a > 2.0 || share > 0.4"),
        ("n > 2", "n >= 3"),
        ("a < share", "share > a"),
        ("a < share", "a <= share"),
        ("xs.exists(x, x > 3)", "flag || xs.exists(x, x > 3)"),
        ("n == 2", "n * 2 < 5"),
        ("a > share && share > 0.5", "a > 0.4"),
        ("!(a <= 0.3 || flag)", "a > 0.2 && !flag"),
        ("flag ? a > 3.0 : a > 4.0", "flag ? a > 3.0 : a > 4.0"),
    ] {
        check(later, earlier, true);
    }
}

#[test]
fn what_is_looser_or_may_be_unknown_is_not_implied() {
    for (later, earlier) in [
        ("a > 0.2", "a > 0.3"),
        ("cel.bind(b, n > 5, flag || b) && a > 0.7", "n > 3"),
        ("a > 0.3", "a > 0.2 && flag"),
        ("env in ['prod', 'test']", "env == 'prod'"),
        ("env != 'prod'", "env == 'test'"),
        ("a > 0.3 || flag", "a > 0.2"),
        ("flag", "on"),
        // True for every share, and unknown without one.
        ("flag", "share >= 0.0"),
        // Without a value where `n` is zero.
        ("n >= 0", "4 / n >= 0"),
        ("xs.exists(x, x > 3)", "xs.all(x, x > 3)"),
    ] {
        check(later, earlier, false);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn an_implied_condition_is_true_wherever_the_later_one_is(
        later in condition(), other in condition(), joined in prop::bool::ANY, hidden in 0..7_usize,
    ) {
        // Alike often enough for the answer to be yes.
        let earlier = if joined { format!("({later}) || ({other})") } else { other };
        let (one, two) = (typed(&later), typed(&earlier));
        if implies(&one, &two, &schema()) {
            for mut known in completions() {
                for hide in [usize::MAX, hidden] {
                    if let Some(slot) = known.0.get_mut(hide) {
                        *slot = None;
                    }
                    if run(&one, &known).0 == Some(true) {
                        prop_assert_eq!(run(&two, &known).0, Some(true), "{} => {}", later, earlier);
                    }
                }
            }
        }
    }
}
