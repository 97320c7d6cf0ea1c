//! Contracts as JSON, and rows under them.

use noops_core::{Contract, FeatureKind, Rows};
use proptest::prelude::*;

use crate::change::{changed, changes};
use crate::{cases, testdata};

fn seed() -> Vec<u8> {
    std::fs::read(testdata("protocol/xgb_categories.contract.json")).unwrap()
}

/// A contract is written as it is read, and every row is shown to the model or is not.
fn holds_together(contract: &Contract, numbers: &[f32], texts: &[Option<String>]) {
    let written = serde_json::to_vec(contract).unwrap();
    let read: Contract = serde_json::from_slice(&written).unwrap();
    assert_eq!((&read, read.digest()), (contract, contract.digest()));
    let kinds = contract.rules().iter().map(|rule| rule.feature().kind());
    let width = kinds
        .filter(|kind| matches!(kind, FeatureKind::Number { .. }))
        .count();
    let of = |place: usize| numbers[place % numbers.len()];
    let rows = Rows::new(
        ROWS,
        (0..ROWS * width).map(of).collect(),
        (0..ROWS * (contract.rules().len() - width))
            .map(|place| texts[place % texts.len()].clone())
            .collect(),
    );
    let Ok(rows) = rows else {
        assert!(
            contract.rules().is_empty(),
            "of no features there are no rows"
        );
        return;
    };
    let encoded = contract.encode_rows(&rows).unwrap();
    assert_eq!(encoded.batch().rows(), encoded.accepted().len());
    let shown = encoded.batch().numbers();
    assert!(shown.iter().all(|number| !number.is_infinite()));
    for row in 0..ROWS {
        let left_out = encoded.rejection(row).is_some() || encoded.falls_back(row);
        assert_ne!(encoded.accepted().contains(&row), left_out, "row {row}");
    }
}

#[test]
fn the_seed_is_read() {
    let contract: Contract = serde_json::from_slice(&seed()).unwrap();
    assert_eq!(contract.rules().len(), 5);
    holds_together(&contract, &[1.0], &[Some("blue".to_owned())]);
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_broken_contract_is_refused_or_kept(
        changes in changes(),
        numbers in proptest::collection::vec(any::<f32>(), 1..8),
        texts in proptest::collection::vec(proptest::option::of("blue|hazel|x|"), 1..8),
    ) {
        if let Ok(contract) = serde_json::from_slice(&changed(&seed(), &changes)) {
            holds_together(&contract, &numbers, &texts);
        }
    }
}

const ROWS: usize = 3;
