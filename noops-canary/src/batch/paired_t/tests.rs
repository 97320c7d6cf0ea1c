use noops_core::Alpha;

use super::*;
use crate::batch::reference::{cases, close, close_interval, number, numbers, sides};
use crate::direction::Direction;

#[test]
fn all_alternatives_and_margins_agree_with_scipy() {
    let margin = Margin::new(Direction::LowerIsBetter, 0.5).unwrap();
    for case in cases("paired") {
        let (champion, candidate) = (numbers(&case["champion"]), numbers(&case["candidate"]));
        let relative = if case["name"] == "far_tail" {
            1e-6
        } else {
            1e-10
        };
        for (name, settings) in sides() {
            let reference = &case[name];
            let outcome = paired_t_test(&champion, &candidate, &settings).unwrap();
            close(outcome.statistic().unwrap(), number(&reference["t"]), 1e-10);
            close(outcome.p_value(), number(&reference["p"]), relative);
            close_interval(&outcome, reference, 1e-10);
            close(
                outcome.effect().unwrap().value(),
                number(&case["dz"]),
                1e-10,
            );
        }
        let alpha = Alpha::FIVE_PERCENT;
        let worse = paired_t_non_inferiority(&champion, &candidate, margin, alpha).unwrap();
        let equal = paired_t_equivalence(&champion, &candidate, margin, alpha).unwrap();
        close(worse.p_value(), number(&case["non_inferiority"]), 1e-9);
        close(equal.p_value(), number(&case["equivalence"]), 1e-9);
    }
}

#[test]
fn pairs_that_cannot_be_compared_are_refused() {
    let settings = TestSettings::default();
    assert_eq!(
        paired_t_test(&[1.0, 2.0], &[1.0, 2.0, 3.0], &settings),
        Err(CanaryError::Length {
            column: "candidate",
            expected: 2,
            found: 3
        })
    );
    assert_eq!(
        paired_t_test(&[1.0, 2.0, 3.0], &[2.0, 3.0, 4.0], &settings),
        Err(CanaryError::Constant {
            column: "differences"
        })
    );
    for bad in [[1.0, f64::NAN], [f64::INFINITY, 1.0], [f64::MAX, 1.0]] {
        assert!(paired_t_test(&[f64::MIN, 0.0], &bad, &settings).is_err());
    }
    assert!(paired_t_test(&[], &[], &settings).is_err());
}
