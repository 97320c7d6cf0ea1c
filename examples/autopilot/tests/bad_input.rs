//! Bad input gets one sentence that names the culprit, and leaves everything as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int16Array, RecordBatch};
use noops_core::{FencingToken, LeaseName, LeaseStore, StateStore};
use parquet::arrow::ArrowWriter;

use super::{Folder, identity};
use crate::flights::Flights;
use crate::output::Output;
use crate::settings;

fn parquet(folder: &Path, columns: &[&str]) -> PathBuf {
    let path = folder.join("flights.parquet");
    let column = || Arc::new(Int16Array::from(vec![1])) as ArrayRef;
    let batch = RecordBatch::try_from_iter(columns.iter().map(|name| (*name, column()))).unwrap();
    let mut writer =
        ArrowWriter::try_new(fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

#[test]
fn a_missing_file_is_named() {
    let failure = Flights::read(Path::new("no/such/flights.parquet"))
        .unwrap_err()
        .to_string();
    assert!(failure.contains("`no/such/flights.parquet`"), "{failure}");
}

#[test]
fn a_missing_column_is_named() {
    let folder = Folder::new("column");
    let path = parquet(&folder.0, &["year", "month", "day"]);
    let failure = Flights::read(&path).unwrap_err().to_string();
    assert!(
        failure.contains("has no column `sched_dep_time`"),
        "{failure}"
    );
}

#[test]
fn a_column_of_another_type_is_named() {
    let folder = Folder::new("type");
    let all = [
        "year",
        "month",
        "day",
        "sched_dep_time",
        "sched_arr_time",
        "arr_delay",
        "dep_delay",
        "distance",
        "dest",
    ];
    let failure = Flights::read(&parquet(&folder.0, &all))
        .unwrap_err()
        .to_string();
    assert!(
        failure.contains("column `dest`") && failure.contains("must hold text"),
        "{failure}"
    );
}

#[test]
fn a_file_that_is_no_parquet_is_named() {
    let folder = Folder::new("garbage");
    let path = folder.0.join("flights.parquet");
    fs::write(&path, "carrier,origin\n").unwrap();
    let failure = Flights::read(&path).unwrap_err().to_string();
    assert!(failure.contains("as Parquet"), "{failure}");
}

#[test]
fn a_policy_that_does_not_type_check_is_named_with_its_place() {
    let folder = Folder::new("policy");
    let good = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/retrain.yaml");
    let text = fs::read_to_string(good)
        .unwrap()
        .replace("harm.max_e >= 5.0", "harm.max_ee >= 5.0");
    fs::write(folder.0.join("retrain.yaml"), text).unwrap();
    let failure = settings::read_policies(&folder.0).unwrap_err().to_string();
    assert!(
        failure.contains("retrain.yaml") && failure.contains("harm.max_e"),
        "{failure}"
    );
}

#[test]
fn a_policy_that_fails_its_own_test_is_refused() {
    let folder = Folder::new("policy-test");
    let good = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/people.yaml");
    let text = fs::read_to_string(good)
        .unwrap()
        .replace("escalate: deny", "escalate: allow");
    fs::write(folder.0.join("people.yml"), text).unwrap();
    let failure = settings::read_policies(&folder.0).unwrap_err().to_string();
    assert!(
        failure.contains("two failures are not worth a call"),
        "{failure}"
    );
}

#[test]
fn a_folder_without_policies_is_refused() {
    let folder = Folder::new("no-policy");
    assert!(settings::read_policies(&folder.0).is_err());
}

#[tokio::test]
async fn an_output_folder_of_another_seed_is_refused_and_left_as_it_was() {
    let folder = Folder::new("seed");
    let output = Output::open(&folder.0, &identity(1)).await.unwrap();
    output
        .database()
        .states()
        .save("replay", 0, b"day 7", FencingToken::NONE)
        .await
        .unwrap();
    drop(output);
    let before = fs::read(folder.0.join("run.json")).unwrap();
    let failure = Output::open(&folder.0, &identity(2))
        .await
        .unwrap_err()
        .to_string();
    assert!(failure.contains("seed 1, not 2"), "{failure}");
    assert_eq!(fs::read(folder.0.join("run.json")).unwrap(), before);
    let output = Output::open(&folder.0, &identity(1)).await.unwrap();
    let lease: LeaseName = "arrival-delay.control".parse().unwrap();
    let leases = output.database().leases();
    assert_eq!(leases.current(&lease).await.unwrap(), None);
    assert_eq!(
        output
            .database()
            .states()
            .load("replay")
            .await
            .unwrap()
            .unwrap()
            .bytes,
        b"day 7"
    );
}

#[tokio::test]
async fn two_runs_never_share_an_output_folder() {
    let folder = Folder::new("two");
    let first = Output::open(&folder.0, &identity(1)).await.unwrap();
    let failure = Output::open(&folder.0, &identity(1))
        .await
        .unwrap_err()
        .to_string();
    assert!(failure.contains("another run is using"), "{failure}");
    drop(first);
    assert!(Output::open(&folder.0, &identity(1)).await.is_ok());
}

#[tokio::test]
async fn a_folder_of_another_release_is_refused_and_left_as_it_was() {
    let folder = Folder::new("layout");
    drop(Output::open(&folder.0, &identity(1)).await.unwrap());
    let run = folder.0.join("run.json");
    let text = fs::read_to_string(&run).unwrap();
    let mut earlier: serde_json::Value = serde_json::from_str(&text).unwrap();
    earlier.as_object_mut().unwrap().remove("layout").unwrap();
    let earlier = earlier.to_string();
    fs::write(&run, &earlier).unwrap();
    let failure = Output::open(&folder.0, &identity(1))
        .await
        .unwrap_err()
        .to_string();
    assert!(failure.contains("another release"), "{failure}");
    let failure = Output::verify(&folder.0).unwrap_err().to_string();
    assert!(failure.contains("another release"), "{failure}");
    assert_eq!(fs::read_to_string(&run).unwrap(), earlier);
}

#[tokio::test]
async fn an_audit_log_without_its_run_is_refused() {
    let folder = Folder::new("foreign-log");
    drop(Output::open(&folder.0, &identity(1)).await.unwrap());
    fs::remove_file(folder.0.join("run.json")).unwrap();
    fs::remove_file(folder.0.join("state.sqlite")).unwrap();
    let failure = Output::open(&folder.0, &identity(1))
        .await
        .unwrap_err()
        .to_string();
    assert!(failure.contains("but no run"), "{failure}");
}

#[test]
fn a_folder_that_holds_no_run_cannot_be_verified() {
    let folder = Folder::new("no-run");
    let failure = Output::verify(&folder.0).unwrap_err().to_string();
    assert!(failure.contains("there is no run"), "{failure}");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
}
