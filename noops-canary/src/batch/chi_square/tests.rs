use super::*;
use crate::batch::reference::{cases, close, count, number};

#[test]
fn tables_agree_with_scipy() {
    for case in cases("chi_square") {
        let rows: Vec<Vec<u64>> = case["table"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row.as_array().unwrap().iter().map(count).collect())
            .collect();
        let table: Vec<&[u64]> = rows.iter().map(Vec::as_slice).collect();
        let outcome = chi_square(&table, &TestSettings::default()).unwrap();
        close(
            outcome.statistic().unwrap(),
            number(&case["statistic"]),
            1e-10,
        );
        close(
            outcome.degrees_of_freedom().unwrap(),
            number(&case["df"]),
            0.0,
        );
        close(outcome.p_value(), number(&case["p"]), 1e-10);
        close(outcome.effect().unwrap().value(), number(&case["v"]), 1e-10);
    }
}

#[test]
fn tables_without_meaning_are_refused() {
    let settings = TestSettings::default();
    let refused: [&[&[u64]]; 7] = [
        &[],
        &[&[1, 2]],
        &[&[1], &[2]],
        &[&[1, 2], &[1, 2, 3]],
        &[&[0, 0], &[1, 2]],
        &[&[0, 1], &[0, 2]],
        &[&[u64::MAX, 1], &[1, u64::MAX]],
    ];
    for table in refused {
        assert!(chi_square(table, &settings).is_err(), "{table:?}");
    }
    let one_sided = settings.with_alternative(Alternative::Greater);
    assert!(chi_square(&[&[1, 2], &[3, 4]], &one_sided).is_err());
}

#[test]
fn proportional_rows_are_no_evidence_at_all() {
    let outcome = chi_square(&[&[10, 20, 30], &[30, 60, 90]], &TestSettings::default()).unwrap();
    assert_eq!((outcome.statistic(), outcome.p_value()), (Some(0.0), 1.0));
}
