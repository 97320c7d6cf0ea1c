use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;
use serde_json::Value as Json;

use super::*;

/// A file of its own, which goes when it is dropped.
struct Stream(PathBuf);

impl Stream {
    fn new(name: &str, header: &str, rows: impl Iterator<Item = String>) -> Self {
        let path = std::env::temp_dir().join(format!(
            "noops-drift-stream-{}-{name}.csv",
            std::process::id()
        ));
        let mut text = format!("{header}\n");
        for row in rows {
            text.push_str(&row);
            text.push('\n');
        }
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn run(&self, words: &str) -> Result<(Vec<String>, Summary), String> {
        let file = self.0.display().to_string();
        let words = ["drift_stream", &file]
            .into_iter()
            .chain(words.split_whitespace());
        let arguments = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        let mut lines: Vec<String> = Vec::new();
        let summary = run(&arguments, &mut |line| lines.push(line.to_owned()))
            .map_err(|failure| failure.to_string())?;
        Ok((lines, summary))
    }

    fn failure(&self, words: &str) -> String {
        self.run(words).unwrap_err()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

/// Goes through 0 to 999 in an order that looks like none.
fn shuffled(row: u32) -> u32 {
    row.wrapping_mul(7_919) % 1_000
}

/// 6,000 numbers, the last thousand of them moved up by half their range.
fn moving(name: &str) -> Stream {
    let value = |row: u32| shuffled(row) + if row < 5_000 { 0 } else { 500 };
    Stream::new(
        name,
        "id,x",
        (0..6_000).map(move |row| format!("{row},{}", value(row))),
    )
}

#[test]
fn the_command_line_is_well_formed() {
    Arguments::command().debug_assert();
}

#[test]
fn the_gate_finds_when_a_number_moved() {
    let stream = moving("moved");
    let (lines, summary) = stream.run("--column x --reference-rows 2000").unwrap();
    let first = summary.first_alarm.unwrap();
    assert!((5_000..5_150).contains(&first), "{first}");
    assert!(
        lines[0].starts_with(&format!("row {first}: location drifted after")),
        "{}",
        lines[0]
    );
    assert_eq!(lines.len() as u64, summary.alarms + 1);
    // It stays moved, and every new start finds that again.
    assert!(summary.alarms > 3);
    assert_eq!((summary.reference_rows, summary.rows), (2_000, 4_000));
    assert!(lines.last().unwrap().contains("at most 1 %"));
}

#[test]
fn a_stream_that_stays_has_no_alarm() {
    let stream = Stream::new(
        "stays",
        "x",
        (0..20_000).map(|row| shuffled(row).to_string()),
    );
    for words in ["", "--detector adwin", "--detector kswin", "--alpha 0.2"] {
        let words = format!("--column x --reference-rows 2000 {words}");
        let (lines, summary) = stream.run(&words).unwrap();
        assert_eq!((summary.alarms, lines.len()), (0, 1), "{words}");
        assert!(lines[0].contains("no alarm in 18000 rows"), "{}", lines[0]);
    }
}

#[test]
fn the_gate_finds_which_category_grew_and_what_went_missing() {
    let city = |row: u32| match shuffled(row) {
        0..50 => "Wien",
        50..100 if row >= 4_000 => "Wien",
        100..500 if row >= 4_000 => "",
        100..500 => "Graz",
        _ => "Linz",
    };
    let stream = Stream::new(
        "city",
        "city,n",
        (0..6_000).map(|row| format!("{},1", city(row))),
    );
    let (lines, summary) = stream
        .run("--column city --reference-rows 3000 --json")
        .unwrap();
    assert!((4_000..4_060).contains(&summary.first_alarm.unwrap()));
    let first: Json = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(first["aspect"], "missingness");
    assert!(first["evidence"]["log_e"].as_f64().unwrap() >= (4.0_f64 / 0.03).ln());
    let last: Json = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!(last["alarms"], summary.alarms);

    let grown = |row: u32| match shuffled(row) {
        0..500 if row >= 4_000 => "Wien",
        0..50 => "Wien",
        _ => "Linz",
    };
    let stream = Stream::new("grown", "city", (0..6_000).map(|row| grown(row).to_owned()));
    let (lines, _) = stream.run("--column city --reference-rows 3000").unwrap();
    assert!(lines[0].contains("category `Wien` drifted"), "{}", lines[0]);
}

#[test]
fn every_detector_that_watches_a_mean_finds_the_move() {
    let stream = moving("detectors");
    for name in ["adwin", "page-hinkley", "cusum", "kswin"] {
        let words = format!("--column x --reference-rows 2000 --detector {name}");
        let (lines, summary) = stream.run(&words).unwrap();
        let found = lines.iter().filter_map(|line| line.strip_prefix("row "));
        let mut rows = found.filter_map(|line| line.split(':').next()?.parse::<u64>().ok());
        assert!(
            rows.any(|row| (5_000..5_500).contains(&row)),
            "{name}: {lines:?}"
        );
        assert!(summary.promise.contains("promises nothing"), "{name}");
    }
}

#[test]
fn the_e_detector_takes_an_error_rate_and_finds_more_errors() {
    let error = |row: u32| shuffled(row) < if row < 4_000 { 200 } else { 500 };
    let rows = (0..6_000).map(|row| u8::from(error(row)).to_string());
    let stream = Stream::new("errors", "error", rows);
    let words = "--column error --reference-rows 2000 --detector e-detector --alpha 0.001";
    let (lines, summary) = stream.run(words).unwrap();
    assert!(
        (4_000..4_150).contains(&summary.first_alarm.unwrap()),
        "{lines:?}"
    );
    assert!(lines[0].contains("error rate drifted"), "{}", lines[0]);
    assert!(
        summary.promise.contains("at least 1000 rows"),
        "{}",
        summary.promise
    );
    let told = stream.failure("--column error --reference-rows 2000 --detector ddm --alpha 0.1");
    assert!(told.contains("`ddm` has no error rate"), "{told}");
}

#[test]
fn what_cannot_be_watched_is_named() {
    let rows = (0..100).map(|row| format!("{row},,text,1"));
    let stream = Stream::new("bad", "x,nulls,words,x2", rows);
    for (words, why) in [
        (
            "--column y --reference-rows 10",
            "has no column `y`; it has `x`, `nulls`",
        ),
        (
            "--column x --reference-rows 101",
            "has `100` rows, fewer than the `101`",
        ),
        ("--column nulls --reference-rows 10", "have no value"),
        (
            "--column words --reference-rows 10 --detector adwin",
            "holds texts",
        ),
        (
            "--column x --reference-rows 10 --detector ddm",
            "errors from 0 to 1",
        ),
        (
            "--column x2 --reference-rows 10 --detector cusum",
            "no two different finite values",
        ),
        (
            "--column x --reference-rows 10 --detector adwan",
            "`page-hinkley`",
        ),
        ("--column x --reference-rows 0", "--reference-rows"),
        (
            "--column x --reference-rows 10 --alpha 1",
            "strictly between 0 and 1",
        ),
    ] {
        let told = stream.failure(words);
        assert!(told.contains(why), "{words}: {told}");
    }
    let doubled = Stream::new("doubled", "x,x", (0..10).map(|row| format!("{row},1")));
    assert!(
        doubled
            .failure("--column x --reference-rows 5")
            .contains("more than once")
    );
    let none = Stream::new("none", "x", std::iter::empty());
    assert!(
        none.failure("--column x --reference-rows 1")
            .contains("has `0` rows")
    );
}

#[test]
fn a_stream_may_end_with_its_reference() {
    let stream = Stream::new("short", "x", (0..10).map(|row| row.to_string()));
    let (lines, summary) = stream.run("--column x --reference-rows 10").unwrap();
    assert_eq!((summary.rows, summary.alarms, lines.len()), (0, 0, 1));
}
