use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;

use super::*;

/// A demo of its own, which goes when it is dropped.
struct Demo(PathBuf);

impl Demo {
    async fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("noops-features-{}-{name}", std::process::id()));
        demo::write(&path, 7).await.unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    async fn run(&self, command: &str, more: &[&str]) -> Result<String, String> {
        let (view, rows) = (self.file("view.json"), self.file("rows"));
        let mut words = vec![
            "features", command, "--view", &view, "--rows", &rows, "--time", "asked_at",
        ];
        words.extend(more);
        let arguments = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        run(arguments.command, &SystemClock)
            .await
            .map_err(|failure| failure.to_string())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn the_command_line_is_well_formed() {
    Arguments::command().debug_assert();
}

#[tokio::test]
async fn a_built_frame_is_clean_and_one_from_hindsight_is_not() {
    let demo = Demo::new("leakage").await;
    let (entities, out) = (demo.file("entities.parquet"), demo.file("frame.parquet"));
    let told = demo
        .run(
            "train",
            &["--entities", &entities, "--out", &out, "--status"],
        )
        .await
        .unwrap();
    assert!(
        told.starts_with("2000 rows of view driver-hourly"),
        "{told}"
    );
    assert!(
        told.contains("not found"),
        "the new drivers have no features: {told}"
    );
    let again = demo
        .run(
            "train",
            &["--entities", &entities, "--out", &out, "--status"],
        )
        .await
        .unwrap();
    assert_eq!(told, again, "the same rows have the same digest");
    let frame = read(&demo.0.join("frame.parquet")).unwrap();
    assert_eq!(frame.num_rows(), 2000);
    assert!(frame.column_by_name("trips_status").is_some());

    let clean = demo.run("leakage", &["--frame", &out]).await.unwrap();
    assert!(clean.ends_with("no leak found"), "{clean}");
    let blind = demo
        .run("leakage", &["--frame", &out, "--no-known-at"])
        .await
        .unwrap();
    assert!(
        blind.contains("no leak could show") && blind.contains("neither what was known then"),
        "without known-at times a clean report is worth nothing: {blind}"
    );
    let leaky = demo.file("leaky.parquet");
    let found = demo.run("leakage", &["--frame", &leaky]).await.unwrap_err();
    assert!(found.contains("first leak in row"), "{found}");
}

#[tokio::test]
async fn skewed_vectors_are_found_and_a_wide_tolerance_lets_them_pass() {
    let demo = Demo::new("parity").await;
    let served = demo.file("served.parquet");
    let found = demo
        .run("parity", &["--served", &served])
        .await
        .unwrap_err();
    assert!(found.contains("serving and training disagree"), "{found}");
    let passed = demo
        .run("parity", &["--served", &served, "--tolerance", "1"])
        .await
        .unwrap();
    assert!(passed.ends_with("served as known"), "{passed}");
}

#[tokio::test]
async fn bad_input_is_one_sentence_that_names_the_culprit() {
    let demo = Demo::new("bad").await;
    let (entities, out) = (demo.file("entities.parquet"), demo.file("frame.parquet"));
    let train = ["--entities", &entities, "--out", &out];

    let missing = demo
        .run("leakage", &["--frame", "no-such.parquet"])
        .await
        .unwrap_err();
    assert!(missing.contains("no-such.parquet"), "{missing}");
    let tolerance = demo
        .run(
            "parity",
            &["--served", &demo.file("served.parquet"), "--tolerance=-1"],
        )
        .await;
    assert!(
        tolerance
            .unwrap_err()
            .contains("must be finite and not negative")
    );
    let twice = demo
        .run(
            "train",
            &["--entities", &demo.file("served.parquet"), "--out", &out],
        )
        .await;
    assert!(twice.unwrap_err().contains("two columns `trips`"));

    fs::write(demo.0.join("rows/broken.parquet"), "PAR1").unwrap();
    let broken = demo.run("train", &train).await.unwrap_err();
    assert!(broken.contains("broken.parquet"), "{broken}");
    fs::write(demo.0.join("view.json"), "{}").unwrap();
    let view = demo.run("train", &train).await.unwrap_err();
    assert!(view.contains("view.json"), "{view}");
    assert!(
        !demo.0.join("frame.parquet").exists(),
        "nothing was written"
    );
}
