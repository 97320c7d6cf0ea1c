use super::*;
use crate::simulation::Random;

fn of(counts: &[(u64, u64)], settings: &FourFifthsSettings) -> FourFifthsReport {
    let selections: Vec<Selection> = counts
        .iter()
        .zip(0..)
        .map(|((selected, rows), group)| {
            Selection::new(format!("group {group}"), *selected, *rows).unwrap()
        })
        .collect();
    four_fifths(&selections, settings).unwrap()
}

fn verdict(counts: &[(u64, u64)]) -> FourFifthsVerdict {
    of(counts, &FourFifthsSettings::default()).verdict()
}

#[test]
fn the_example_of_the_questions_and_answers_is_adverse_and_its_small_version_too_few() {
    // Uniform Guidelines, Questions and Answers, no. 12: 48 of 80 and 12 of 40 selected, a ratio of one half.
    let report = of(&[(48, 80), (12, 40)], &FourFifthsSettings::default());
    assert_eq!(report.verdict(), FourFifthsVerdict::Adverse);
    assert_eq!(report.groups()[1].ratio(), Some(0.5));
    // scipy.stats.fisher_exact([[48, 32], [12, 28]]).pvalue
    let p_value = report.groups()[1].adjusted_p_value().unwrap();
    assert!((p_value / FISHER - 1.0).abs() < 1e-10, "{p_value:e}");
    assert_eq!(verdict(&[(6, 10), (3, 10)]), FourFifthsVerdict::TooFew);
}

#[test]
fn exactly_four_fifths_is_not_below_them() {
    for n in [10, 30, 70, 110, 130, 1_000_000_007_u64] {
        let counts = [(5 * n, 10 * n), (4 * n, 10 * n)];
        let settings = FourFifthsSettings::default()
            .with_fragile_people(0)
            .with_minimum_expected(0.0);
        let report = of(&counts, &settings);
        assert_eq!(report.verdict(), FourFifthsVerdict::Fair, "{n}");
        assert_eq!(report.groups()[1].people_to_change(), Some(1), "{n}");
    }
}

#[test]
fn the_number_of_people_to_change_is_the_least() {
    let settings = FourFifthsSettings::default().with_minimum_rows(1);
    let mut random = Random::new(11);
    for _ in 0..2000 {
        let rows = 1 + (random.uniform() * 60.0) as u64;
        let selected = (random.uniform() * (rows + 1) as f64) as u64;
        let reference = (50 + (random.uniform() * 50.0) as u64, 100);
        let report = of(&[reference, (selected, rows)], &settings);
        let group = &report.groups()[1];
        if group.is_reference() {
            continue;
        }
        // In integers: 5 selected 100 >= 4 reference rows.
        let reaches = |selected: u64| 500 * selected >= 4 * reference.0 * rows;
        let naive = (1..=rows).find(|people| {
            if reaches(selected) {
                *people <= selected && !reaches(selected - people)
            } else {
                reaches(selected + people)
            }
        });
        assert_eq!(
            group.people_to_change(),
            naive,
            "{selected} of {rows}, {reference:?}"
        );
    }
}

#[test]
fn a_ratio_that_one_person_decides_is_too_few() {
    // 24 of 60 against 50 of 100 are exactly four fifths.
    assert_eq!(verdict(&[(50, 100), (24, 60)]), FourFifthsVerdict::TooFew);
    assert_eq!(verdict(&[(50, 100), (27, 60)]), FourFifthsVerdict::Fair);
}

#[test]
fn a_low_ratio_without_significance_is_no_acquittal() {
    let report = of(&[(30, 60), (22, 60)], &FourFifthsSettings::default());
    assert!(report.groups()[1].ratio().unwrap() < 0.8);
    assert!(report.groups()[1].adjusted_p_value().unwrap() > 0.05);
    assert_eq!(report.verdict(), FourFifthsVerdict::TooFew);
}

#[test]
fn a_small_group_is_neither_judged_nor_the_reference() {
    let report = of(
        &[(5, 5), (50, 100), (50, 100)],
        &FourFifthsSettings::default(),
    );
    assert_eq!(report.groups()[0].verdict(), FourFifthsVerdict::TooFew);
    assert!(report.groups()[1].is_reference());
    assert_eq!(report.judged(), 2);
    assert_eq!(report.verdict(), FourFifthsVerdict::Fair);
}

#[test]
fn one_group_and_nobody_selected_are_too_few() {
    assert_eq!(verdict(&[(50, 100)]), FourFifthsVerdict::TooFew);
    assert_eq!(verdict(&[(0, 100), (0, 100)]), FourFifthsVerdict::TooFew);
    assert_eq!(verdict(&[(0, 0), (0, 0)]), FourFifthsVerdict::TooFew);
}

#[test]
fn groups_with_the_same_chance_are_called_adverse_at_most_as_often_as_promised() {
    let mut random = Random::new(5);
    let runs = 1000;
    let alarms = (0..runs)
        .filter(|_| {
            let counts: Vec<(u64, u64)> = (0..5)
                .map(|_| {
                    let selected = (0..80).filter(|_| random.uniform() < 0.3).count();
                    (selected as u64, 80)
                })
                .collect();
            verdict(&counts) == FourFifthsVerdict::Adverse
        })
        .count();
    // scipy.stats.binom.sf(71, 1000, 0.05) = 0.0014
    assert!(alarms <= 71, "{alarms}");
}

#[test]
fn a_third_less_is_found_among_five_groups_of_500() {
    let mut random = Random::new(6);
    let found = (0..100)
        .filter(|_| {
            let counts: Vec<(u64, u64)> = [0.6, 0.6, 0.6, 0.6, 0.4]
                .into_iter()
                .map(|rate| {
                    let selected = (0..500).filter(|_| random.uniform() < rate).count();
                    (selected as u64, 500)
                })
                .collect();
            verdict(&counts) == FourFifthsVerdict::Adverse
        })
        .count();
    assert!(found >= 99, "{found}");
}

#[test]
fn hostile_settings_and_counts_are_refused() {
    let one = [Selection::new("a", 1, 2).unwrap()];
    for wrong in [f64::NAN, 0.0, -1.0, 1.1, f64::INFINITY] {
        let settings = FourFifthsSettings::default().with_threshold(wrong);
        assert!(four_fifths(&one, &settings).is_err());
    }
    for wrong in [f64::NAN, -1.0, f64::INFINITY] {
        let settings = FourFifthsSettings::default().with_minimum_expected(wrong);
        assert!(four_fifths(&one, &settings).is_err());
    }
    let settings = FourFifthsSettings::default();
    assert_eq!(four_fifths(&[], &settings), Err(CanaryError::Empty));
    assert!(Selection::new("a", 3, 2).is_err());
    assert!(Selection::new("a", 0, u64::MAX).is_err());
    let stored = r#"{"group":"a","selected":3,"rows":2}"#;
    assert!(serde_json::from_str::<Selection>(stored).is_err());
    let most = Proportion::MAX_TRIALS;
    assert_eq!(
        of(&[(most, most), (most / 2, most)], &settings).verdict(),
        FourFifthsVerdict::Adverse
    );
}

// scipy.stats.fisher_exact([[48, 32], [12, 28]]).pvalue
const FISHER: f64 = 0.003_409_221_767_849_182_7;
