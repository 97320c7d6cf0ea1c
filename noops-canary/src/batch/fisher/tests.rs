use super::*;
use crate::batch::reference::{cases, close, close_interval, count, number, sides};

fn read(value: &serde_json::Value) -> Proportion {
    Proportion::new(count(&value[0]), count(&value[1])).unwrap()
}

#[test]
fn tails_and_odds_ratios_agree_with_mpmath_and_scipy() {
    for case in cases("fisher") {
        let (champion, candidate) = (read(&case["champion"]), read(&case["candidate"]));
        for (name, settings) in sides() {
            let outcome = fisher_exact(champion, candidate, &settings).unwrap();
            close(outcome.p_value(), number(&case[name]), 1e-10);
            if name == "two_sided" && !case["odds_ratio"].is_null() {
                close(outcome.p_value(), number(&case["scipy"]), 1e-10);
                // scipy finds the roots to about 1e-8.
                close_interval(&outcome, &case["odds_ratio"], 1e-6);
                match case["odds_ratio"]["estimate"].as_f64() {
                    Some(expected) => close(outcome.estimate().unwrap(), expected, 1e-6),
                    None => assert_eq!(outcome.estimate(), None),
                }
            }
        }
    }
}

#[test]
fn a_hundred_thousand_trials_a_side_do_not_lose_the_tail() {
    // Another implementation says .4663 and .4955 here.
    let p = |old: [u64; 2], new: [u64; 2]| {
        let proportion =
            |[successes, trials]: [u64; 2]| Proportion::new(successes, trials).unwrap();
        fisher_exact(proportion(old), proportion(new), &TestSettings::default())
            .unwrap()
            .p_value()
    };
    assert!((p([100, 100_000], [40, 100_000]) / 4.106e-7 - 1.0).abs() < 1e-3);
    assert!((p([5_000, 1_000_000], [3_000, 1_000_000]) / 3.1e-112 - 1.0).abs() < 0.02);
}

#[test]
fn the_interval_inverts_the_tails() {
    let champion = Proportion::new(30, 200).unwrap();
    let candidate = Proportion::new(45, 180).unwrap();
    for settings in sides().map(|(_, settings)| settings) {
        let outcome = fisher_exact(champion, candidate, &settings).unwrap();
        let swapped = settings.with_alternative(match settings.alternative() {
            Alternative::TwoSided => Alternative::TwoSided,
            Alternative::Greater => Alternative::Less,
            Alternative::Less => Alternative::Greater,
        });
        let mirrored = fisher_exact(candidate, champion, &swapped).unwrap();
        close(mirrored.p_value(), outcome.p_value(), 1e-12);
        let (one, other) = (outcome.interval().unwrap(), mirrored.interval().unwrap());
        // A bound of zero mirrors to no bound.
        close(1.0 / one.upper(), other.lower(), 1e-9);
        close(1.0 / other.upper(), one.lower(), 1e-9);
    }
}

#[test]
fn counts_at_the_limit_neither_hang_nor_panic() {
    let settings = TestSettings::default();
    let most = Proportion::new(0, Proportion::MAX_TRIALS).unwrap();
    assert!(fisher_exact(most, most, &settings).is_err());
    let none = Proportion::new(0, 1_000_000_000).unwrap();
    let outcome = fisher_exact(none, none, &settings).unwrap();
    assert_eq!((outcome.p_value(), outcome.estimate()), (1.0, None));
    let all = Proportion::new(5_000_000_000, 5_000_000_000).unwrap();
    assert_eq!(fisher_exact(none, all, &settings).unwrap().p_value(), 0.0);
}

#[test]
fn the_law_is_the_count_of_ways_for_every_small_table() {
    let ways = |n: u64, k: u64| {
        (0..k)
            .map(|j| (n - j) as f64 / (k - j) as f64)
            .product::<f64>()
    };
    let settings = TestSettings::default();
    let one_sided = settings.with_alternative(Alternative::Greater);
    for (n1, n2) in (1..8).flat_map(|n1| (1..10).map(move |n2| (n1, n2))) {
        for (x1, x2) in (0..=n1).flat_map(|x1| (0..=n2).map(move |x2| (x1, x2))) {
            let total = x1 + x2;
            let mass = |x: u64| ways(n2, x) * ways(n1, total - x) / ways(n1 + n2, total);
            let support = total.saturating_sub(n1)..=total.min(n2);
            let limit = mass(x2) * (1.0 + 1e-7);
            let two_sided: f64 = support.clone().map(mass).filter(|m| *m <= limit).sum();
            let greater: f64 = support.filter(|x| *x >= x2).map(mass).sum();
            let champion = Proportion::new(x1, n1).unwrap();
            let candidate = Proportion::new(x2, n2).unwrap();
            let found = fisher_exact(champion, candidate, &settings).unwrap();
            assert!((found.p_value() - two_sided).abs() < 1e-12);
            let interval = found.interval().unwrap();
            let estimate = found.estimate();
            assert!(estimate.is_none_or(|odds_ratio| interval.contains(odds_ratio)));
            let found = fisher_exact(champion, candidate, &one_sided).unwrap();
            assert!((found.p_value() - greater).abs() < 1e-12);
        }
    }
}
