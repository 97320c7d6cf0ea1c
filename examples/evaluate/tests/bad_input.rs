//! Bad input gets one sentence that names file, row and column.

use std::fs;

use super::{Folder, failure, json, scored};

#[test]
fn files_that_are_none_are_named() {
    let folder = Folder::new("garbage");
    let good = folder.parquet("good.parquet", &scored(100, |_, truth| truth));
    let whole = fs::read(&good).unwrap();
    fs::write(folder.0.join("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    for (name, why) in [
        ("nowhere.parquet", "cannot read"),
        ("", "is a folder"),
        ("cut.parquet", "as Parquet"),
    ] {
        for words in [[&folder.path(name), &good], [&good, &folder.path(name)]] {
            let told = failure(&words.map(String::as_str));
            assert!(told.contains(why) && told.contains(name), "{told}");
        }
    }
    let empty = folder.text("empty.csv", "");
    assert!(failure(&[&empty, &good]).contains("is empty"));
    let headed = folder.text("headed.csv", "label,score\n");
    assert!(failure(&[&headed, &headed]).contains("no rows"));
}

#[test]
fn a_column_that_is_not_there_is_named() {
    let folder = Folder::new("columns");
    let good = folder.text("good.csv", "label,score\n1,0.5\n0,0.5\n");
    for (text, missing) in [("label\n1\n0\n", "score"), ("score\n0.5\n0.5\n", "label")] {
        let bad = folder.text("bad.csv", text);
        for words in [[&good, &bad], [&bad, &good]] {
            let told = failure(&words.map(String::as_str));
            assert!(told.contains(&format!("no column `{missing}`")), "{told}");
        }
    }
    let told = failure(&[&good, &good, "--group", "country"]);
    assert!(told.contains("no column `country`"), "{told}");
}

#[test]
fn a_wrong_cell_is_named_by_row_and_column() {
    let folder = Folder::new("cells");
    let good = folder.text("good.csv", "label,score\n1,0.5\n0,0.5\n");
    for (row, column, says) in [
        ("0,1.5", "score", "`1.5` is not a probability"),
        ("0,-0.5", "score", "`-0.5` is not a probability"),
        ("0,NaN", "score", "not a finite number"),
        ("0,inf", "score", "not a finite number"),
        ("0,", "score", "there is no score"),
        ("0,high", "score", "`high` is not a number"),
        ("2,0.5", "label", "`2` is not a label"),
        (",0.5", "label", "there is no label"),
        ("maybe,0.5", "label", "`maybe` is not a number"),
    ] {
        let bad = folder.text("bad.csv", &format!("label,score\n1,0.5\n{row}\n"));
        for words in [[&good, &bad], [&bad, &good]] {
            let told = failure(&words.map(String::as_str));
            let place = format!("bad.csv`, row `1`, column `{column}`: ");
            assert!(told.contains(&place) && told.contains(says), "{told}");
        }
    }
}

#[test]
fn files_with_different_rows_are_refused() {
    let folder = Folder::new("rows");
    let good = folder.text("good.csv", "label,score,country\n1,0.5,AT\n0,0.5,DE\n");
    let longer = folder.text(
        "longer.csv",
        "label,score,country\n1,0.5,AT\n0,0.5,DE\n1,0.1,DE\n",
    );
    assert!(failure(&[&good, &longer]).contains("has `2` rows"));
    let label = folder.text("label.csv", "label,score,country\n1,0.5,AT\n1,0.5,DE\n");
    let told = failure(&[&good, &label]);
    assert!(
        told.contains("differ in row `1`") && told.contains("the label"),
        "{told}"
    );
    let country = folder.text("country.csv", "label,score,country\n1,0.5,AT\n0,0.5,CH\n");
    let told = failure(&[&good, &country, "--group", "country"]);
    assert!(
        told.contains("differ in row `1`") && told.contains("country"),
        "{told}"
    );
}

#[test]
fn one_class_alone_is_compared_as_far_as_it_goes_and_never_passes() {
    let folder = Folder::new("class");
    let rows = "0,0.25\n".repeat(200);
    let file = folder.text("a.csv", &format!("label,score\n{rows}"));
    let report = json(&[&file, &file]);
    assert_eq!(report["verdict"], "undecided");
    let auc = &report["metrics"][0];
    assert_eq!(auc["name"], "AUC");
    assert!(auc["champion"]["value"].is_null() && auc["p_value"].is_null());
}

#[test]
fn a_group_for_every_row_is_refused() {
    let folder = Folder::new("groups");
    let rows: String = (0..300)
        .map(|row| format!("{},0.5,u{row}\n", row % 2))
        .collect();
    let file = folder.text("a.csv", &format!("label,score,user\n{rows}"));
    let told = failure(&[&file, &file, "--group", "user"]);
    assert!(told.contains("`300` different values"), "{told}");
}

#[test]
fn a_missing_group_is_a_group() {
    let folder = Folder::new("missing");
    let rows: String = (0..300)
        .map(|row| {
            format!(
                "{},0.{},{}\n",
                row % 2,
                1 + row % 8,
                if row % 3 == 0 { "" } else { "AT" }
            )
        })
        .collect();
    let file = folder.text("a.csv", &format!("label,score,country\n{rows}"));
    let report = json(&[&file, &file, "--group", "country"]);
    let slices = report["slices"][0]["slices"].as_array().unwrap();
    assert_eq!(slices[0]["value"], "(missing)");
    assert_eq!(slices[0]["rows"], 100);
}
