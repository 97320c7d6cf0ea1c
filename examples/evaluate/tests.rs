mod bad_input;

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray};
use clap::CommandFactory;
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use super::*;

/// A folder of its own, which goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("noops-evaluate-{}-{name}", std::process::id()));
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

    fn parquet(&self, name: &str, scored: &[Scored]) -> String {
        let label: ArrayRef = Arc::new(BooleanArray::from_iter(
            scored.iter().map(|one| Some(one.label)),
        ));
        let score: ArrayRef = Arc::new(Float64Array::from_iter_values(
            scored.iter().map(|one| one.score),
        ));
        let group: ArrayRef = Arc::new(StringArray::from_iter_values(
            scored.iter().map(|one| one.group),
        ));
        let day: ArrayRef = Arc::new(StringArray::from_iter_values(
            (0..scored.len()).map(|row| format!("day {}", row / 50)),
        ));
        let batch = RecordBatch::try_from_iter([
            ("label", label),
            ("score", score),
            ("group", group),
            ("day", day),
        ])
        .unwrap();
        let file = File::create(self.0.join(name)).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

struct Scored {
    label: bool,
    score: f64,
    group: &'static str,
}

/// Rows that are positive with a probability from 0.1 to 0.9; the score is that probability, moved by `error` where it says so.
fn scored(count: u64, error: impl Fn(&str, f64) -> f64) -> Vec<Scored> {
    let mut state = 7_u64;
    let mut random = move || {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let one = |row: u64| {
        let truth = 0.1 + 0.8 * random();
        let group = if row.is_multiple_of(4) { "few" } else { "many" };
        Scored {
            label: random() < truth,
            score: error(group, truth),
            group,
        }
    };
    (0..count).map(one).collect()
}

/// What no learned probability may do: point the other way.
fn reversed(truth: f64) -> f64 {
    1.0 - truth
}

fn arguments(words: &[&str]) -> Arguments {
    let mut all = [&["evaluate"], words].concat();
    // Fewer draws than a user has, for speed, where the words do not say how many.
    for [option, value] in [
        ["--label", "label"],
        ["--score", "score"],
        ["--resamples", "200"],
    ] {
        if !words.contains(&option) {
            all.extend([option, value]);
        }
    }
    Arguments::try_parse_from(all).unwrap()
}

fn told(words: &[&str]) -> String {
    run(&arguments(words)).unwrap()
}

fn json(words: &[&str]) -> Value {
    let words = [words, &["--json"]].concat();
    serde_json::from_str(&told(&words)).unwrap()
}

fn failure(words: &[&str]) -> String {
    let told = run(&arguments(words)).unwrap_err().to_string();
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let mut list = list.as_array().unwrap().iter();
    list.find(|one| one["name"] == name).unwrap()
}

#[test]
fn the_command_line_is_sound() {
    Arguments::command().debug_assert();
    for wrong in [
        "--alpha=0.5",
        "--alpha=NaN",
        "--auc-margin=0",
        "--brier-margin=-1",
        "--slice-margin=inf",
        "--threshold=1.5",
        "--max-disparity=much",
    ] {
        let words = ["evaluate", "a", "b", "--label=l", "--score=s", wrong];
        assert!(Arguments::try_parse_from(words).is_err(), "{wrong}");
    }
}

#[test]
fn a_model_is_as_good_as_itself() {
    let folder = Folder::new("same");
    let file = folder.parquet("a.parquet", &scored(3_000, |_, truth| truth));
    let report = json(&[&file, &file, "--group", "group"]);
    assert_eq!(report["verdict"], "pass");
    for metric in report["metrics"].as_array().unwrap() {
        assert_eq!(metric["difference"]["value"], 0.0, "{metric}");
    }
    assert_eq!(named(&report["metrics"], "AUC")["p_value"], 1.0);
}

#[test]
fn a_better_candidate_passes_and_a_worse_one_fails() {
    let folder = Folder::new("order");
    let good = folder.parquet("good.parquet", &scored(3_000, |_, truth| truth));
    let bad = folder.parquet("bad.parquet", &scored(3_000, |_, truth| reversed(truth)));
    let better = json(&[&bad, &good]);
    assert_eq!(better["verdict"], "pass");
    assert!(
        named(&better["metrics"], "AUC")["difference"]["lower"]
            .as_f64()
            .unwrap()
            > 0.0
    );
    assert!(
        named(&better["metrics"], "AUC")["p_value"]
            .as_f64()
            .unwrap()
            < 1e-6
    );
    assert!(
        named(&better["metrics"], "log loss")["difference"]["upper"]
            .as_f64()
            .unwrap()
            < 0.0
    );
    let worse = json(&[&good, &bad]);
    assert_eq!(worse["verdict"], "fail");
    for name in ["AUC", "log loss", "Brier score", "accuracy"] {
        assert_eq!(named(&worse["criteria"], name)["verdict"], "fail", "{name}");
    }
    assert!(told(&[&good, &bad]).starts_with("The candidate fails"));
}

#[test]
fn harm_in_a_small_group_fails_the_gate_by_that_group() {
    let folder = Folder::new("slice");
    let good = folder.parquet("good.parquet", &scored(4_000, |_, truth| truth));
    let bad = folder.parquet(
        "bad.parquet",
        &scored(4_000, |group, truth| {
            if group == "few" {
                reversed(truth)
            } else {
                truth
            }
        }),
    );
    let report = json(&[&good, &bad, "--group", "group"]);
    assert_eq!(
        named(&report["criteria"], "log loss by group")["verdict"],
        "fail"
    );
    let slices = report["slices"][0]["slices"].as_array().unwrap();
    let of = |value: &str| slices.iter().find(|slice| slice["value"] == value).unwrap();
    assert_eq!(of("few")["verdict"], "inferior");
    assert_eq!(of("many")["verdict"], "non_inferior");
    assert_eq!(of("few")["rows"], 1_000);
}

#[test]
fn numbers_are_those_of_scikit_learn() {
    let folder = Folder::new("values");
    let rows = |scores: [f64; 4]| {
        let lines = scores.iter().zip([1, 0, 1, 0]);
        let lines = lines.map(|(score, label)| format!("{label},{score}\n"));
        format!("label,score\n{}", lines.collect::<String>())
    };
    let first = folder.text("a.csv", &rows([0.9, 0.2, 0.6, 0.7]));
    let second = folder.text("b.csv", &rows([0.9, 0.2, 0.8, 0.7]));
    let report = json(&[&first, &second]);
    let near = |name: &str, champion: f64, candidate: f64| {
        let metric = named(&report["metrics"], name);
        for (side, expected) in [("champion", champion), ("candidate", candidate)] {
            let value = metric[side]["value"].as_f64().unwrap();
            assert!(
                (value - expected).abs() < 1e-12,
                "{name} of {side}: {value}"
            );
        }
    };
    // sklearn.metrics.{roc_auc_score, brier_score_loss, accuracy_score, f1_score}
    near("AUC", 0.75, 1.0);
    near("Brier score", 0.175, 0.145);
    near("accuracy", 0.75, 0.75);
    near("F1", 0.8, 0.8);
    // Four rows show nothing.
    assert_eq!(report["verdict"], "undecided");
}

#[test]
fn disparities_are_measured_by_group_and_crossed_and_judged_when_asked() {
    let folder = Folder::new("fair");
    let fair = folder.parquet("fair.parquet", &scored(4_000, |_, truth| truth));
    let apart = folder.parquet(
        "apart.parquet",
        &scored(
            4_000,
            |group, truth| if group == "few" { 0.5 * truth } else { truth },
        ),
    );
    let report = json(&[&fair, &apart, "--group", "group", "--max-disparity", "0.2"]);
    let parity = named(
        &report["fairness"][0]["disparities"],
        "demographic_parity_difference",
    );
    assert!(
        parity["candidate"]["lower"].as_f64().unwrap() > 0.3,
        "{parity}"
    );
    assert!(
        parity["champion"]["value"].as_f64().unwrap() < 0.1,
        "{parity}"
    );
    assert_eq!(report["fairness"][0]["four_fifths"], "adverse");
    let asked = named(
        &report["criteria"],
        "demographic parity difference by group",
    );
    assert_eq!(asked["verdict"], "fail");
    let unasked = json(&[&fair, &apart, "--group", "group"]);
    assert_eq!(unasked["criteria"].as_array().unwrap().len(), 5);

    let crossed = json(&[&fair, &fair, "--group", "group", "--group", "day"]);
    let by: Vec<&Value> = crossed["fairness"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["by"])
        .collect();
    assert_eq!(by, ["group", "day", "group and day"]);
    assert!(told(&[&fair, &apart, "--group", "group"]).contains("four-fifths rule: adverse"));
}

#[test]
fn blocks_widen_the_intervals_of_rows_that_fall_together() {
    let folder = Folder::new("blocks");
    // Each day the candidate is off by as much, to one side or the other.
    let good = folder.parquet("good.parquet", &scored(3_000, |_, truth| truth));
    let rows = scored(3_000, |_, truth| truth).into_iter().enumerate();
    let off: Vec<Scored> = rows
        .map(|(row, one)| Scored {
            score: (one.score + if (row / 50) % 2 == 0 { 0.1 } else { -0.1 }).clamp(0.0, 1.0),
            ..one
        })
        .collect();
    let off = folder.parquet("off.parquet", &off);
    let width = |words: &[&str]| {
        let report = json(words);
        let difference = &named(&report["metrics"], "accuracy")["difference"];
        difference["upper"].as_f64().unwrap() - difference["lower"].as_f64().unwrap()
    };
    assert_ne!(
        width(&[&good, &off]),
        width(&[&good, &off, "--block", "day"])
    );
    let nowhere = failure(&[&good, &off, "--block", "week"]);
    assert!(nowhere.contains("no column `week`"), "{nowhere}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = Folder::new("seed");
    let good = folder.parquet("good.parquet", &scored(500, |_, truth| truth));
    let other = folder.parquet("other.parquet", &scored(500, |_, truth| 0.9 * truth));
    let words: [&str; 4] = [&good, &other, "--resamples", "200"];
    assert_eq!(told(&words), told(&words));
    let few = failure(&[&good, &other, "--resamples", "5"]);
    assert!(few.contains("`resamples`"), "{few}");
}

#[test]
fn the_example_that_is_shipped_has_the_numbers_of_scikit_learn() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/evaluate");
    let files = ["champion", "candidate"].map(|name| format!("{folder}/{name}.parquet"));
    let report = json(&[
        &files[0], &files[1], "--label", "late", "--group", "origin", "--block", "day",
    ]);
    // sklearn.metrics.{roc_auc_score, log_loss, brier_score_loss, f1_score, accuracy_score} on late and score (>= 0.5).
    for (name, champion, candidate) in [
        ("AUC", 0.589_651_242_632_658_9, 0.673_376_736_791_446_7),
        ("log loss", 0.516_790_631_252_779_1, 0.514_087_879_893_164_8),
        ("Brier score", 0.168_016_422, 0.162_891_158_166_666_65),
        ("F1", 0.0, 0.200_634_920_634_920_64),
        ("accuracy", 0.7845, 0.790_166_666_666_666_7),
    ] {
        let metric = named(&report["metrics"], name);
        for (side, expected) in [("champion", champion), ("candidate", candidate)] {
            let value = metric[side]["value"].as_f64().unwrap();
            assert!(
                (value - expected).abs() <= 1e-10 * expected,
                "{name} of {side}: {value}"
            );
        }
    }
    assert_eq!(report["verdict"], "undecided");
    assert_eq!(named(&report["criteria"], "AUC")["verdict"], "pass");
    assert_eq!(
        named(&report["criteria"], "log loss")["verdict"],
        "undecided"
    );
}
