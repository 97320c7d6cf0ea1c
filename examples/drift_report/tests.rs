mod bad_input;

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use clap::CommandFactory;
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use super::*;

/// A folder of its own, which goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("noops-drift-report-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn text(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }

    fn parquet(&self, name: &str, batch: &RecordBatch) -> String {
        let file = File::create(self.0.join(name)).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        self.path(name)
    }

    fn ipc_file(&self, name: &str, batch: &RecordBatch) -> String {
        let file = File::create(self.0.join(name)).unwrap();
        let mut writer = FileWriter::try_new(file, &batch.schema()).unwrap();
        writer.write(batch).unwrap();
        writer.finish().unwrap();
        self.path(name)
    }

    fn ipc_stream(&self, name: &str, batch: &RecordBatch) -> String {
        let file = File::create(self.0.join(name)).unwrap();
        let mut writer = StreamWriter::try_new(file, &batch.schema()).unwrap();
        writer.write(batch).unwrap();
        writer.finish().unwrap();
        self.path(name)
    }

    fn csv(&self, name: &str, batch: &RecordBatch) -> String {
        let file = File::create(self.0.join(name)).unwrap();
        let mut writer = arrow_csv::Writer::new(file);
        writer.write(batch).unwrap();
        drop(writer);
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn arguments(words: &[&str]) -> Arguments {
    Arguments::try_parse_from(["drift_report"].iter().chain(words)).unwrap()
}

fn told(words: &[&str]) -> Told {
    run(&arguments(words), &SystemClock).unwrap()
}

fn failure(words: &[&str]) -> String {
    run(&arguments(words), &SystemClock)
        .unwrap_err()
        .to_string()
}

fn json(reference: &str, current: &str, more: &[&str]) -> Value {
    let words = [&[reference, current, "--json"], more].concat();
    serde_json::from_str(&told(&words).text).unwrap()
}

/// Rows of which every tenth age is null; ages are `shift` larger, and `graz` is the city of that many rows in ten.
fn people(rows: i32, shift: f64, graz: i32) -> RecordBatch {
    let age = (0..rows).map(|row| (row % 10 != 9).then(|| f64::from(row * 37 % 601) / 8.0 + shift));
    let age: ArrayRef = Arc::new(age.collect::<Float64Array>());
    let children: ArrayRef = Arc::new(Int64Array::from_iter_values(
        (0..rows).map(|row| i64::from(row * 7 % 4)),
    ));
    let city = (0..rows).map(|row| if row % 10 < graz { "Graz" } else { "Linz" });
    let city: ArrayRef = Arc::new(StringArray::from_iter_values(city));
    RecordBatch::try_from_iter_with_nullable([
        ("age", age, true),
        ("children", children, true),
        ("city", city, true),
    ])
    .unwrap()
}

fn column<'a>(report: &'a Value, name: &str) -> &'a Value {
    let columns = report["columns"].as_array().unwrap();
    columns
        .iter()
        .find(|column| column["name"] == name)
        .unwrap()
}

#[test]
fn the_command_line_is_well_formed() {
    Arguments::command().debug_assert();
}

#[test]
fn every_kind_of_file_gives_the_same_report() {
    let folder = Folder::new("kinds");
    let (before, now) = (people(2_000, 0.0, 5), people(1_000, 20.0, 8));
    let reference = folder.parquet("before.parquet", &before);
    let as_parquet = json(&reference, &folder.parquet("now.parquet", &now), &[]);
    assert_eq!(as_parquet["drifted"], true);
    // The extension does not matter where the first bytes speak.
    for current in [
        folder.csv("now.csv", &now),
        folder.ipc_file("now.arrow", &now),
        folder.ipc_stream("now.dat", &now),
        folder.parquet("now.csv.bak", &now),
    ] {
        assert_eq!(json(&reference, &current, &[]), as_parquet, "{current}");
    }
    let reference = folder.csv("before.csv", &before);
    assert_eq!(
        json(&reference, &folder.ipc_file("again.arrow", &now), &[]),
        as_parquet
    );
}

#[test]
fn the_keys_are_those_that_are_promised() {
    let folder = Folder::new("keys");
    let reference = folder.parquet("a.parquet", &people(2_000, 0.0, 5));
    let current = folder.parquet("b.parquet", &people(1_000, 20.0, 8));
    let report = json(&reference, &current, &[]);
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(
        keys(&report),
        ["columns", "drifted", "rows_current", "rows_reference"]
    );
    let every = [
        "hellinger",
        "js_distance_base2",
        "kind",
        "n_current",
        "n_reference",
        "name",
        "null_rate_current",
        "null_rate_reference",
        "psi",
        "tv",
        "verdict",
    ];
    let of_numbers = [
        "cramer_von_mises",
        "energy_distance",
        "ks",
        "mann_whitney",
        "wasserstein",
    ];
    fn sorted(mut keys: Vec<&str>) -> Vec<&str> {
        keys.sort_unstable();
        keys
    }
    let age = column(&report, "age");
    assert_eq!(keys(age), sorted([&every[..], &of_numbers].concat()));
    let city = column(&report, "city");
    assert_eq!(keys(city), sorted([&every[..], &["chi2"]].concat()));
    assert_eq!(keys(&city["chi2"]), ["df", "p_value", "statistic"]);
    assert_eq!(keys(&age["ks"]), ["p_value", "statistic"]);
    assert_eq!(
        (&age["kind"], &city["kind"]),
        (&"number".into(), &"category".into())
    );
    assert_eq!(
        (&age["n_reference"], &age["n_current"]),
        (&1_800.into(), &900.into())
    );
    assert_eq!(age["null_rate_reference"], 0.1);
}

#[test]
fn numbers_are_those_of_scipy() {
    let folder = Folder::new("scipy");
    let frame = |values: Vec<f64>| {
        let x: ArrayRef = Arc::new(Float64Array::from(values));
        RecordBatch::try_from_iter([("x", x)]).unwrap()
    };
    let reference = folder.parquet("a.parquet", &frame(vec![1.0, 2.0, 3.0, 4.0, 7.0]));
    let current = folder.parquet("b.parquet", &frame(vec![2.0, 5.0, 6.0, 8.0]));
    let report = json(&reference, &current, &[]);
    let x = column(&report, "x");
    let near = |value: &Value, expected: f64| {
        let value = value.as_f64().unwrap();
        assert!(
            (value - expected).abs() < 1e-12,
            "{value} is not {expected}"
        );
    };
    // By hand: 4 of 5 against 1 of 4 at 4, and 5 pairs of 20 in which the reference is larger, one more tied.
    near(&x["ks"]["statistic"], 0.55);
    near(&x["mann_whitney"]["statistic"], 5.5);
    // ∫ |F − G|: .2 + .15 + .35 + .55 + .3 + .05 + .25 over the unit steps from 1 to 8.
    near(&x["wasserstein"], 1.85);
}

#[test]
fn batch_by_batch_is_as_at_once() {
    let folder = Folder::new("stream");
    let reference =
        Table::open(folder.parquet("a.parquet", &people(3_000, 0.0, 5)).as_ref()).unwrap();
    let current = Table::open(folder.csv("b.csv", &people(1_000, 3.0, 6)).as_ref()).unwrap();
    let plan = Plan::of(&reference, &current, None).unwrap();
    let document = |held: u64| {
        let compared =
            Compared::within(&reference, &current, &plan, Alpha::FIVE_PERCENT, held).unwrap();
        Document::of(&compared, &plan, None).to_json().unwrap()
    };
    let at_once = document(u64::MAX);
    assert!(at_once.contains("\"ks\""));
    assert_eq!(document(10), at_once);
    assert_eq!(document(7_000), at_once);
}

#[test]
fn the_worst_column_comes_first_and_is_explained() {
    let folder = Folder::new("words");
    let reference = folder.parquet("a.parquet", &people(4_000, 0.0, 5));
    let current = folder.parquet("b.parquet", &people(4_000, 30.0, 5));
    let told = told(&[&reference, &current]);
    let place = |name: &str| told.text.find(name).unwrap();
    assert!(place("age") < place("children"), "{}", told.text);
    assert!(
        told.text.contains("values have become larger"),
        "{}",
        told.text
    );
    assert!(
        told.text.contains("1 of 3 columns drifted"),
        "{}",
        told.text
    );
    assert_eq!(told.finding, Finding::Something);
    assert_eq!(told.warning, None);
}

#[test]
fn a_file_has_not_drifted_from_itself() {
    let folder = Folder::new("same");
    let file = folder.parquet("a.parquet", &people(4_000, 0.0, 5));
    let report = json(&file, &file, &[]);
    assert_eq!(report["drifted"], false);
    for name in ["age", "children", "city"] {
        assert_eq!(column(&report, name)["verdict"], "no_drift", "{name}");
        assert_eq!(column(&report, name)["psi"], 0.0, "{name}");
    }
    assert_eq!(told(&[&file, &file]).finding, Finding::Nothing);
}

#[test]
fn asked_columns_come_in_the_asked_order() {
    let folder = Folder::new("asked");
    let file = folder.parquet("a.parquet", &people(200, 0.0, 5));
    let report = json(&file, &file, &["--columns", "city,age"]);
    let names = report["columns"].as_array().unwrap().iter();
    let names: Vec<&Value> = names.map(|column| &column["name"]).collect();
    assert_eq!(names, ["city", "age"]);
}

#[test]
fn a_page_is_written_whole() {
    let folder = Folder::new("html");
    let reference = folder.parquet("a.parquet", &people(500, 0.0, 5));
    let current = folder.parquet("b.parquet", &people(500, 30.0, 5));
    let out = folder.path("report.html");
    told(&[&reference, &current, "--html", &out]);
    let page = fs::read_to_string(&out).unwrap();
    assert!(page.contains("<!DOCTYPE html>") || page.contains("<!doctype html>"));
    assert!(page.trim_end().ends_with("</html>") && page.contains("age"));
    let nowhere = folder.path("no/such/folder.html");
    let told = failure(&[&reference, &current, "--html", &nowhere]);
    assert!(
        told.starts_with(&format!("cannot write `{nowhere}`")),
        "{told}"
    );
}

#[test]
fn broken_expectations_are_listed() {
    let folder = Folder::new("rules");
    let file = folder.parquet("a.parquet", &people(500, 0.0, 5));
    let rules = folder.text(
        "rules.yaml",
        "version: 1\ncolumns:\n  - name: age\n    max_null_rate: 0.01\n  - name: income\nframe:\n  min_rows: 100\n",
    );
    let with = told(&[&file, &file, "--expectations", &rules]);
    assert_eq!(with.finding, Finding::Something);
    assert!(with.text.contains("violated: `age`"), "{}", with.text);
    let report = json(&file, &file, &["--expectations", &rules]);
    let violations = report["expectations"].as_array().unwrap();
    let kinds: Vec<&Value> = violations.iter().map(|one| &one["rule"]).collect();
    assert_eq!(kinds, ["null_rate", "presence"]);

    let kept = folder.text("kept.yaml", "version: 1\nframe:\n  min_rows: 500\n");
    let with = told(&[&file, &file, "--expectations", &kept]);
    assert_eq!(with.finding, Finding::Nothing);
    assert!(
        with.text.contains("No expectation is violated"),
        "{}",
        with.text
    );
}
