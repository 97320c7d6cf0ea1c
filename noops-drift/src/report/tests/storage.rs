use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};

use super::{batch, report};
use crate::profile::ProfileSettings;
use crate::report::{Correction, DriftReport, DriftSettings};
use crate::testing::SplitMix64;

fn mixed(rows: usize, shift: f64) -> RecordBatch {
    let numbers: Vec<Option<f64>> = (0..rows)
        .map(|row| Some((row % 50) as f64 + shift).filter(|_| row % 8 != 0))
        .collect();
    let numbers: ArrayRef = Arc::new(Float64Array::from(numbers));
    let words: Vec<&str> = (0..rows).map(|row| ["a", "b", "c"][row % 3]).collect();
    let words: ArrayRef = Arc::new(StringArray::from(words));
    RecordBatch::try_from_iter([("number", numbers), ("word", words)]).unwrap()
}

fn numbers<'a>(table: &'a RecordBatch, name: &str) -> &'a Float64Array {
    let array = table.column_by_name(name).unwrap();
    array.as_any().downcast_ref::<Float64Array>().unwrap()
}

fn texts<'a>(table: &'a RecordBatch, name: &str) -> &'a StringArray {
    let array = table.column_by_name(name).unwrap();
    array.as_any().downcast_ref::<StringArray>().unwrap()
}

#[test]
fn a_table_says_what_the_report_says() {
    let report = DriftReport::of_frames(
        &[mixed(800, 0.0)],
        &[mixed(400, 20.0)],
        &ProfileSettings::default(),
        &DriftSettings::default(),
    )
    .unwrap();
    let table = report.to_batch();
    assert_eq!(table.num_rows(), 2);
    let [number, word] = report.columns() else {
        panic!("two columns");
    };
    assert_eq!(texts(&table, "name").value(0), "number");
    assert_eq!(texts(&table, "kind").value(1), "category");
    assert_eq!(texts(&table, "verdict").value(0), "drift");
    assert!(texts(&table, "jumped").is_null(0));
    assert_eq!(numbers(&table, "null_rate_current").value(0), 0.125);
    assert_eq!(numbers(&table, "psi").value(0), number.psi().statistic());
    assert_eq!(
        numbers(&table, "psi_p_value").value(1),
        word.psi().p_value()
    );
    assert_eq!(
        numbers(&table, "js_distance_base2").value(0),
        number.jensen_shannon().statistic()
    );
    let rows = table.column_by_name("n_current").unwrap();
    let rows = rows.as_any().downcast_ref::<UInt64Array>().unwrap();
    assert_eq!(rows.value(0), 400);
    assert_eq!(
        numbers(&table, "ks").value(0),
        number.samples().unwrap().ks().statistic()
    );
    for absent in ["ks", "wasserstein", "ks_low", "energy_distance_p_value"] {
        assert!(numbers(&table, absent).is_null(1), "{absent}");
        assert!(!numbers(&table, absent).is_null(0), "{absent}");
    }
}

#[test]
fn the_table_has_the_same_columns_whatever_the_data() {
    let mut random = SplitMix64(51);
    let reference = batch(&mut random, 2, 50, 0.0, 10);
    let settings = DriftSettings::default();
    let nothing = report(&reference, &reference.slice(0, 0), &settings).to_batch();
    let something = report(&reference, &reference, &settings).to_batch();
    assert_eq!(nothing.schema(), something.schema());
    assert!(numbers(&nothing, "psi_critical").is_null(0));
}

#[test]
fn reports_with_samples_survive_storage() {
    let report = DriftReport::of_frames(
        &[mixed(300, 0.0)],
        &[mixed(100, 3.0)],
        &ProfileSettings::default(),
        &DriftSettings::default().with_correction(Correction::BenjaminiHochberg),
    )
    .unwrap();
    let stored = serde_json::to_string(&report).unwrap();
    let read: DriftReport = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, report);
    assert_eq!(read.to_batch(), report.to_batch());
}

#[test]
fn stored_cells_that_do_not_fit_their_bins_are_refused() {
    let report = report(
        &mixed(200, 0.0),
        &mixed(100, 0.0),
        &DriftSettings::default(),
    );
    let mut stored = serde_json::to_value(&report).unwrap();
    stored["columns"][1]["cells"]["current"]["bins"] = serde_json::json!([1, 2]);
    let refused = serde_json::from_value::<DriftReport>(stored).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("`3` reference and `2` current counts"),
        "{refused}"
    );
}

#[test]
fn settings_survive_storage_and_older_ones_are_read() {
    let settings = DriftSettings::default()
        .with_correction(Correction::BenjaminiYekutieli)
        .with_sample_limit(7);
    let stored = serde_json::to_string(&settings).unwrap();
    assert_eq!(
        serde_json::from_str::<DriftSettings>(&stored).unwrap(),
        settings
    );
    let older = r#"{"alpha":0.01,"tolerance":0.1,"relevant":0.3}"#;
    let read: DriftSettings = serde_json::from_str(older).unwrap();
    assert_eq!(read.correction(), Correction::Holm);
    assert_eq!(read.tolerance(), 0.1);
}
