//! Contracts of models: JSON on the first line, and on each other line a row to check, with commas between its values.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noops_core::{Contract, FeatureKind, Rows};

fuzz_target!(|text: &str| {
    let (json, lines) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(contract) = serde_json::from_str::<Contract>(json) else {
        return;
    };
    let written = serde_json::to_string(&contract).expect("a contract is JSON");
    let read = serde_json::from_str::<Contract>(&written).expect("as it was written");
    assert_eq!(read, contract);
    assert_eq!(read.digest(), contract.digest());
    let (mut numbers, mut texts, mut count) = (Vec::new(), Vec::new(), 0);
    for line in lines.lines().take(16) {
        let mut values = line.split(',');
        for rule in contract.rules() {
            let value = values.next().filter(|value| !value.is_empty());
            match rule.feature().kind() {
                FeatureKind::Number { .. } => {
                    let number = value.and_then(|value| value.parse().ok());
                    numbers.push(number.unwrap_or(f32::NAN));
                }
                FeatureKind::Category { .. } => texts.push(value.map(str::to_owned)),
            }
        }
        count += 1;
    }
    // Of no features there are no rows.
    let Ok(rows) = Rows::new(count, numbers, texts) else {
        assert!(contract.rules().is_empty());
        return;
    };
    let encoded = contract.encode_rows(&rows).expect("the rows are of it");
    assert_eq!(encoded.batch().rows(), encoded.accepted().len());
    assert!(
        encoded
            .batch()
            .numbers()
            .iter()
            .all(|number| !number.is_infinite())
    );
    for row in 0..count {
        let kept = encoded.accepted().contains(&row);
        let left_out = encoded.rejection(row).is_some() || encoded.falls_back(row);
        assert!(kept != left_out, "row {row}");
    }
});
