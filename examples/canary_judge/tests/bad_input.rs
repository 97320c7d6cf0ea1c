//! Bad input gets one sentence that names file, row and column.

use std::fs;

use super::{Folder, SLICED, SPEC, failure, requests};

#[test]
fn files_that_are_none_are_named() {
    let folder = Folder::new("garbage");
    let spec = folder.text("spec.yaml", SPEC);
    let good = folder.parquet("good.parquet", &requests(100, 0, |_| false));
    let whole = fs::read(&good).unwrap();
    fs::write(folder.0.join("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    for (name, why) in [
        ("nowhere.csv", "cannot read"),
        ("", "is a folder"),
        ("cut.parquet", "as Parquet"),
    ] {
        let path = folder.path(name);
        let told = failure(&[&spec, &path]);
        assert!(told.contains(why) && told.contains(name), "{told}");
    }
    for name in ["nowhere.jsonl", "nowhere.yaml"] {
        assert!(
            failure(&[&spec, &folder.path(name)]).contains("cannot read"),
            "{name}"
        );
    }
    for name in ["empty.csv", "empty.jsonl"] {
        let told = failure(&[&spec, &folder.text(name, "")]);
        assert!(
            told.contains("is empty") || told.contains("no rows"),
            "{told}"
        );
    }
    let headed = folder.text("headed.csv", "time,unit,arm,share,error\n");
    assert!(failure(&[&spec, &headed]).contains("no rows"));
}

#[test]
fn a_column_that_is_not_there_is_named() {
    let folder = Folder::new("columns");
    let spec = folder.text("spec.yaml", SLICED);
    for (header, row, missing) in [
        (
            "unit,arm,share,error,country",
            "u,champion,0.5,0,AT",
            "time",
        ),
        (
            "time,unit,arm,share,country",
            "1,u,champion,0.5,AT",
            "error",
        ),
        ("time,unit,arm,share,error", "1,u,champion,0.5,0", "country"),
    ] {
        let events = folder.text("a.csv", &format!("{header}\n{row}\n"));
        let told = failure(&[&spec, &events]);
        assert!(told.contains(&format!("no column `{missing}`")), "{told}");
    }
    let line =
        "{\"time\":1,\"unit\":\"u\",\"arm\":\"champion\",\"share\":0.5,\"country\":\"AT\"}\n";
    let told = failure(&[&spec, &folder.text("a.jsonl", line)]);
    assert!(told.contains("no column `error`"), "{told}");
    let twice = folder.text(
        "b.csv",
        "time,unit,arm,share,error,country,unit\n1,u,champion,0.5,0,AT,u\n",
    );
    assert!(failure(&[&spec, &twice]).contains("more than once"));
}

#[test]
fn a_wrong_cell_is_named_by_row_and_column() {
    let folder = Folder::new("cells");
    let spec = folder.text("spec.yaml", SPEC);
    let good = "2026-01-01T00:00:00Z,u1,champion,0.5,0";
    for (bad, column, says) in [
        (
            "2026-01-01T00:00:01Z,u2,canary,0.5,0",
            "arm",
            "`canary` is not an arm",
        ),
        ("2026-01-01T00:00:01Z,u2,,0.5,0", "arm", "there is no arm"),
        (
            "2026-01-01T00:00:01Z,u2,candidate,1.5,0",
            "share",
            "`1.5` is not a share",
        ),
        ("2026-01-01T00:00:01Z,u2,candidate,NaN,0", "share", "NaN"),
        (
            "2026-01-01T00:00:01Z,u2,candidate,half,0",
            "share",
            "`half` is not a number",
        ),
        (
            "2026-01-01T00:00:01Z,u2,candidate,0.5,NaN",
            "error",
            "not a finite number",
        ),
        (
            "2026-01-01T00:00:01Z,u2,candidate,0.5,failed",
            "error",
            "`failed` is not a number",
        ),
        (
            "2026-01-01T00:00:01Z,,candidate,0.5,0",
            "unit",
            "there is no unit",
        ),
        (",u2,candidate,0.5,0", "time", "there is no time"),
        ("soon,u2,candidate,0.5,0", "time", "`soon` is not a time"),
    ] {
        let text = format!("time,unit,arm,share,error\n{good}\n{bad}\n");
        let told = failure(&[&spec, &folder.text("events.csv", &text)]);
        let place = format!("events.csv`, row `1`, column `{column}`: ");
        assert!(told.contains(&place) && told.contains(says), "{told}");
    }
}

#[test]
fn what_the_judge_refuses_is_named_by_row() {
    let folder = Folder::new("refused");
    let spec = folder.text("spec.yaml", SPEC);
    let header = "time,unit,arm,share,error";
    let half = folder.text("half.csv", &format!("{header}\n1,u,champion,0.5,0.5\n"));
    let told = failure(&[&spec, &half]);
    assert!(
        told.contains("row `0`") && told.contains("metric `error`"),
        "{told}"
    );
    let back = format!("{header}\n100000,u,champion,0.5,0\n5,v,champion,0.5,0\n");
    let told = failure(&[&spec, &folder.text("back.csv", &back)]);
    assert!(
        told.contains("row `1`") && told.contains("came after one of"),
        "{told}"
    );
}

#[test]
fn lines_that_are_no_objects_are_named() {
    let folder = Folder::new("lines");
    let spec = folder.text("spec.yaml", SPEC);
    let good = "{\"time\":1,\"unit\":\"u\",\"arm\":\"champion\",\"share\":0.5,\"error\":0}";
    for (bad, says) in [
        ("{\"time\":", "not a JSON object"),
        ("[1, 2]", "not a JSON object"),
        ("7", "not a JSON object"),
        (
            "{\"time\":1,\"unit\":[1],\"arm\":\"champion\",\"share\":0.5,\"error\":0}",
            "column `unit`: a list",
        ),
    ] {
        let events = folder.text("a.jsonl", &format!("{good}\n\n{bad}\n"));
        let told = failure(&[&spec, &events]);
        assert!(told.contains("row `1`") && told.contains(says), "{told}");
    }
    let noise = folder.path("noise.jsonl");
    fs::write(&noise, [0xff, 0xfe, 0, 1, b'\n']).unwrap();
    assert!(failure(&[&spec, &noise]).contains("row `0`"));
}

#[test]
fn a_specification_that_contradicts_itself_is_refused() {
    let folder = Folder::new("spec");
    let events = folder.csv("a.csv", &requests(10, 0, |_| false));
    for (yaml, says) in [
        ("", "is empty"),
        ("metrics: []\n", "spec.yaml"),
        ("metrics:\n  - name: error\n    kind: rate\n", "no margin"),
        (
            "metrics:\n  - name: error\n    kind: rate\n    margin: {relative: 0.1}\n    harm: {relative: 0.5}\n",
            "more harm than its margin",
        ),
        (
            "metrics:\n  - name: error\n    kind: rate\n    marjin: {relative: 0.1}\n",
            "marjin",
        ),
        (
            "metrics:\n  - name: error\n    kind: rate\n    margin: {relative: -0.1}\n",
            "relative",
        ),
        (
            "metrics:\n  - name: error\n    kind: events\n    margin: {relative: 0.1}\n",
            "not about single requests",
        ),
        ("metrics: [\n", "spec.yaml"),
        ("- 1\n", "spec.yaml"),
    ] {
        let told = failure(&[&folder.text("spec.yaml", yaml), &events]);
        assert!(told.contains(says), "{yaml}: {told}");
    }
    assert!(failure(&[&folder.path(""), &events]).contains("is a folder"));
    assert!(failure(&[&folder.path("nowhere.yaml"), &events]).contains("cannot read"));
    let misspelt = folder.text("spec.yaml", "metrics:\n  - name: error\n    kynd: rate\n");
    assert!(failure(&[&misspelt, &events]).contains("at line 3"));
}
