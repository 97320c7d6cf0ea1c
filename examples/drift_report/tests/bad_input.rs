//! Bad input gets one sentence that names the culprit, and what can still be compared is.

use std::fs;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Float64Array, ListArray, RecordBatch};

use super::{Arguments, Finding, Folder, column, failure, json, people, told};
use clap::Parser;

#[test]
fn files_that_are_none_are_named() {
    let folder = Folder::new("garbage");
    let good = folder.parquet("good.parquet", &people(100, 0.0, 5));
    let whole = fs::read(&good).unwrap();
    fs::write(folder.0.join("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    fs::write(folder.0.join("noise.csv"), [0xff, 0xfe, 0, 1, 2, 3]).unwrap();
    fs::write(folder.0.join("packed.csv"), [0x1f, 0x8b, 8, 0]).unwrap();
    for (name, why) in [
        ("missing.parquet", "cannot read"),
        ("", "is a folder"),
        ("cut.parquet", "as Parquet"),
        ("noise.csv", "neither Parquet nor Arrow IPC"),
        ("packed.csv", "compressed with gzip"),
    ] {
        for words in [[&folder.path(name), &good], [&good, &folder.path(name)]] {
            let told = failure(&words.map(String::as_str));
            assert!(told.contains(why) && told.contains(name), "{name}: {told}");
        }
    }
    let empty = folder.text("empty.csv", "");
    assert!(failure(&[&empty, &good]).contains("is empty"));
    let renamed = folder.text("renamed.parquet", "a,b\n1,2\n");
    assert!(failure(&[&renamed, &good]).contains("is called Parquet"));
    let ragged = folder.text("ragged.csv", "age,city\n1,Graz\n2\n");
    assert!(failure(&[&ragged, &good]).contains("as CSV"));
}

#[test]
fn truncated_arrow_is_an_error() {
    let folder = Folder::new("arrow");
    let good = folder.parquet("good.parquet", &people(100, 0.0, 5));
    for path in [
        folder.ipc_file("a.arrow", &people(100, 0.0, 5)),
        folder.ipc_stream("b.arrows", &people(100, 0.0, 5)),
    ] {
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let told = failure(&[&good, &path]);
        assert!(told.contains("Arrow IPC") && told.contains(&path), "{told}");
    }
}

#[test]
fn a_reference_without_rows_is_refused_and_a_batch_without_rows_undecided() {
    let folder = Folder::new("rows");
    let good = folder.parquet("good.parquet", &people(100, 0.0, 5));
    for none in [
        folder.text("none.csv", "age,children,city\n"),
        folder.parquet("none.parquet", &people(0, 0.0, 5)),
        folder.ipc_file("none.arrow", &people(0, 0.0, 5)),
    ] {
        assert!(failure(&[&none, &good]).contains("no rows"), "{none}");
        let report = json(&good, &none, &[]);
        assert_eq!(
            (&report["drifted"], &report["rows_current"]),
            (&false.into(), &0.into())
        );
        for name in ["age", "children", "city"] {
            let column = column(&report, name);
            assert_eq!(column["verdict"], "undecided");
            assert!(column.get("psi").is_none() && column.get("ks").is_none());
        }
    }
}

#[test]
fn columns_of_nulls_are_undecided_on_both_sides_and_drift_on_one() {
    let folder = Folder::new("nulls");
    let nulls = folder.text("nulls.csv", &format!("x,y\n{}", ",1\n".repeat(500)));
    let filled = folder.text("filled.csv", &format!("x,y\n{}", "2,1\n".repeat(500)));
    let report = json(&nulls, &nulls, &["--columns", "x"]);
    assert_eq!(column(&report, "x")["verdict"], "undecided");
    assert!(column(&report, "x").get("psi").is_none());
    let report = json(&filled, &nulls, &[]);
    let x = column(&report, "x");
    assert_eq!(
        (&x["verdict"], &x["null_rate_current"]),
        (&"drift".into(), &1.0.into())
    );
    // A constant has no shape to compare, and is not called changed.
    assert_eq!(column(&report, "y")["ks"]["statistic"], 0.0);
    assert_eq!(column(&report, "y")["mann_whitney"]["statistic"], 125_000.0);
    assert_ne!(column(&report, "y")["verdict"], "drift");
}

#[test]
fn columns_that_cannot_be_compared_are_left_out_unless_asked_for() {
    let folder = Folder::new("left-out");
    let before = folder.text(
        "a.csv",
        &format!("same,gone,kind,twice,twice\n{}", "1,2,3,4,5\n".repeat(50)),
    );
    let now = folder.text(
        "b.csv",
        &format!("same,new,kind,twice\n{}", "1,2,x,4\n".repeat(50)),
    );
    let compared = told(&[&before, &now]);
    let warning = compared.warning.unwrap();
    for name in ["gone", "new", "kind", "twice"] {
        assert!(warning.contains(&format!("`{name}`")), "{warning}");
        assert!(
            compared.text.contains(&format!("not compared: `{name}`")),
            "{}",
            compared.text
        );
        let told = failure(&[&before, &now, "--columns", &format!("same,{name}")]);
        assert!(told.starts_with(&format!("column `{name}`")), "{told}");
    }
    assert_eq!(warning.lines().count(), 1);
    // What the model learned from is gone, which is not what it learned.
    assert_eq!(compared.finding, Finding::Something);
    let report = json(&before, &now, &[]);
    assert_eq!(report["columns"].as_array().unwrap().len(), 1);
    assert_eq!(report["not_compared"].as_array().unwrap().len(), 4);
    assert!(failure(&[&before, &now, "--columns", "nowhere"]).contains("is in neither file"));
}

#[test]
fn lists_are_left_out() {
    let folder = Folder::new("lists");
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), Some(2)]),
        None,
    ]));
    let x: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::INFINITY]));
    let frame = RecordBatch::try_from_iter([("lists", lists), ("x", x)]).unwrap();
    let file = folder.parquet("a.parquet", &frame);
    let compared = told(&[&file, &file]);
    assert!(compared.warning.unwrap().contains("`lists` has type"));
    assert_eq!(compared.finding, Finding::Nothing);
    let report = json(&file, &file, &[]);
    // An infinity has a place among the others, but no distance from them.
    assert_eq!(column(&report, "x")["ks"]["statistic"], 0.0);
    assert!(column(&report, "x").get("wasserstein").is_none());
    assert!(failure(&[&file, &file, "--columns", "lists"]).contains("has type"));
    let only = frame.project(&[0]).unwrap();
    let only = folder.parquet("only.parquet", &only);
    assert!(failure(&[&only, &only]).contains("no columns to compare"));
}

#[test]
fn expectations_that_cannot_be_read_are_named() {
    let folder = Folder::new("yaml");
    let good = folder.parquet("good.parquet", &people(100, 0.0, 5));
    let rules = folder.text("rules.yaml", "version: 1\ncolumms: []\n");
    let told = failure(&[&good, &good, "--expectations", &rules]);
    assert!(told.contains(&rules) && told.contains("columms"), "{told}");
    let missing = folder.path("missing.yaml");
    assert!(failure(&[&good, &good, "--expectations", &missing]).contains("cannot read"));
}

#[test]
fn an_error_rate_lies_between_0_and_1() {
    for alpha in ["0", "1", "NaN", "often", "-0.1"] {
        let words = ["drift_report", "a", "b", &format!("--alpha={alpha}")];
        assert!(Arguments::try_parse_from(words).is_err(), "{alpha}");
    }
}
