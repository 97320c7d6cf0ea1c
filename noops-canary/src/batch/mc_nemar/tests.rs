use noops_core::Alpha;

use super::*;
use crate::batch::reference::{cases, close, close_interval, count, number, sides};
use crate::batch::settings::Margin;
use crate::direction::Direction;

#[test]
fn exact_and_corrected_tests_agree_with_statsmodels() {
    for case in cases("mc_nemar") {
        let (champion, candidate) = (
            count(&case["only_champion"]),
            count(&case["only_candidate"]),
        );
        let outcome = mc_nemar(champion, candidate, &TestSettings::default()).unwrap();
        close(outcome.p_value(), number(&case["p"]), 1e-10);
        close_interval(&outcome, &case, 1e-9);
        if outcome.method() == Method::McNemar {
            close(
                outcome.statistic().unwrap(),
                number(&case["statistic"]),
                1e-10,
            );
        } else {
            let [_, (_, greater), (_, less)] = sides();
            let up = mc_nemar(champion, candidate, &greater).unwrap().p_value();
            close(up, number(&case["greater"]), 1e-10);
            let mirrored = mc_nemar(candidate, champion, &less).unwrap().p_value();
            assert_eq!(mirrored, up);
        }
    }
}

#[test]
fn printed_values_are_reproduced() {
    let p = |b, c| mc_nemar(b, c, &TestSettings::default()).unwrap().p_value();
    assert!((p(60, 35) - 0.013_378_7).abs() < 5e-8);
    assert!((p(500, 600) - 0.002_819_54).abs() < 5e-9);
    assert!((p(100_000, 101_000) - 0.025_862_4).abs() < 5e-8);
}

#[test]
fn paired_differences_agree_with_the_trinomial_likelihood() {
    let margin = Margin::new(Direction::HigherIsBetter, 0.05).unwrap();
    for case in cases("tango") {
        let of = |i: usize| count(&case["table"][i]);
        let table = PairedTable::new(of(0), of(1), of(2), of(3)).unwrap();
        let outcome = mc_nemar_difference(table, &TestSettings::default()).unwrap();
        close_interval(&outcome, &case, 1e-9);
        let passed = mc_nemar_non_inferiority(table, margin, Alpha::FIVE_PERCENT).unwrap();
        close(passed.statistic().unwrap(), number(&case["z_low"]), 1e-10);
        close(passed.p_value(), number(&case["p_non_inferior"]), 1e-8);
        let equal = mc_nemar_equivalence(table, margin, Alpha::FIVE_PERCENT).unwrap();
        assert!(equal.p_value() >= passed.p_value());
        let interval = equal.interval().unwrap();
        assert_eq!(
            equal.rejects(Alpha::FIVE_PERCENT),
            interval.is_below(0.05) && interval.is_above(-0.05)
        );
    }
}

#[test]
fn the_exact_test_never_exceeds_its_error_rate() {
    for n in [1_u64, 6, 25, 80] {
        let mut mass = vec![1.0];
        for _ in 0..n {
            let mut next = vec![0.0; mass.len() + 1];
            for (i, m) in mass.iter().enumerate() {
                next[i] += m / 2.0;
                next[i + 1] += m / 2.0;
            }
            mass = next;
        }
        let rejected: f64 = (0..=n)
            .zip(&mass)
            .filter(|(c, _)| {
                mc_nemar(n - c, *c, &TestSettings::default())
                    .unwrap()
                    .rejects(Alpha::FIVE_PERCENT)
            })
            .map(|(_, m)| m)
            .sum();
        assert!(rejected <= 0.05, "{n}: {rejected}");
    }
}

#[test]
fn counts_without_meaning_are_refused_also_when_read_back() {
    let settings = TestSettings::default();
    assert!(mc_nemar(u64::MAX, u64::MAX, &settings).is_err());
    assert!(mc_nemar(u64::MAX, 0, &settings).is_err());
    assert_eq!(mc_nemar(0, 0, &settings).unwrap().p_value(), 1.0);
    assert_eq!(PairedTable::new(0, 0, 0, 0), Err(CanaryError::Empty));
    assert!(PairedTable::new(u64::MAX, 1, 1, 1).is_err());
    let text = r#"{"both":0,"only_champion":0,"only_candidate":0,"neither":0}"#;
    assert!(serde_json::from_str::<PairedTable>(text).is_err());
    let agreed = PairedTable::new(10, 0, 0, 10).unwrap();
    let outcome = mc_nemar_difference(agreed, &settings).unwrap();
    assert_eq!(outcome.p_value(), 1.0);
    assert!(outcome.interval().unwrap().width() > 0.1);
}
