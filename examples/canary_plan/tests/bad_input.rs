//! Bad input gets one sentence that names the culprit.

use super::{BASELINES, Folder, ONE, THREE, failure};

/// What is said of a sound specification with one metric and these words behind it.
fn said(name: &str, words: &[&str]) -> String {
    let folder = Folder::new(name);
    let spec = folder.text("spec.yaml", ONE);
    let all = [&[&spec, "--baseline", "errors=0.02"][..], words].concat();
    failure(&all)
}

#[test]
fn a_number_out_of_range_is_named_with_its_option() {
    for rate in ["0", "-1", "nan", "inf"] {
        let told = said("rate", &["--rate", rate]);
        assert!(told.starts_with("`--rate` is"), "{told}");
    }
    for (option, value) in [
        ("--minutes", "0"),
        ("--minutes", "-5"),
        ("--minutes", "1e300"),
        ("--effect", "1"),
        ("--effect", "1001"),
        ("--effect", "nan"),
    ] {
        let told = said("range", &["--rate", "25", option, value]);
        assert!(told.starts_with(&format!("`{option}` is")), "{told}");
    }
    for budget in ["0", "-1", "nan"] {
        let words = ["--rate", "25", "--minutes", "60"];
        let words = [&words[..], &["--bad-events-budget", budget]].concat();
        let told = said("budget", &words);
        assert!(told.starts_with("`--bad-events-budget` is"), "{told}");
    }
}

#[test]
fn a_stage_that_does_not_rise_or_is_no_share_is_named() {
    for (stages, culprit) in [
        ("5%,1%", "stage `1%` of `--stages` does not rise"),
        ("5%,0.05", "stage `0.05` of `--stages` does not rise"),
        ("5", "stage `5` of `--stages` is no share"),
        ("0%", "stage `0%` of `--stages` is no share"),
        ("100%", "stage `100%` of `--stages` is no share"),
        ("0.00001%", "stage `0.00001%` of `--stages` is no share"),
        ("nan%", "stage `nan%` of `--stages` is no share"),
        ("1%,,5%", "stage `` of `--stages` is no share"),
        ("a few", "stage `a few` of `--stages` is no share"),
    ] {
        let told = said("stages", &["--rate", "25", "--stages", stages]);
        assert!(told.starts_with(culprit), "{stages}: {told}");
    }
    let many: Vec<String> = (1..=60).map(|percent| format!("{percent}%")).collect();
    let told = said("many", &["--rate", "25", "--stages", &many.join(",")]);
    assert!(told.contains("more than `50` stages"), "{told}");
}

#[test]
fn a_baseline_that_does_not_fit_is_named() {
    let folder = Folder::new("baselines");
    let spec = folder.text("spec.yaml", THREE);
    let with =
        |extra: &[&str]| failure(&[&[&spec, "--rate", "25", "--baseline"][..], extra].concat());
    for (baselines, culprits) in [
        (
            &["errors=0.02", "latency_ms=200±80", "erors=0.1"][..],
            &["metric `erors`", "`errors`, `latency_ms`, `slow`"][..],
        ),
        (
            &["errors=0.02"],
            &["metric `latency_ms` has no baseline", "latency_ms=200:80"],
        ),
        (
            &["latency_ms=200:80"],
            &["metric `errors` has no baseline", "errors=0.02"],
        ),
        (&["errors"], &["baseline `errors` has no `=`"]),
        (&["errors=lots"], &["baseline `errors=lots` is not a rate"]),
        (&["errors=1.5"], &["baseline `errors=1.5` is not a rate"]),
        (&["errors=nan"], &["baseline `errors=nan` is not a rate"]),
        (
            &["errors=200:80"],
            &["baseline `errors=200:80` is not a rate"],
        ),
        (
            &["latency_ms=200"],
            &["baseline `latency_ms=200` is not a mean"],
        ),
        (
            &["latency_ms=200:x"],
            &["baseline `latency_ms=200:x` is not a mean"],
        ),
        (
            &["errors=0.02", "errors=0.03"],
            &["metric `errors` has two baselines"],
        ),
        (&["slow=0.01"], &["`slow=0.01` is of a tail quantile"]),
        // What only the library knows.
        (
            &["errors=0", "latency_ms=200:80"],
            &["baseline of metric `errors` is a rate of 0 or 1"],
        ),
        (
            &["errors=0.02", "latency_ms=2000:80"],
            &["baseline of metric `latency_ms` does not fit"],
        ),
        (
            &["errors=0.02", "latency_ms=200:nan"],
            &["baseline of metric `latency_ms` does not fit"],
        ),
    ] {
        let told = with(baselines);
        for culprit in culprits {
            assert!(told.contains(culprit), "{baselines:?}: {told}");
        }
    }
}

#[test]
fn a_specification_that_cannot_be_used_is_named() {
    let folder = Folder::new("specs");
    let of = |spec: &str| failure(&[spec, "--rate", "25"]);
    assert!(of(&folder.path("nowhere.yaml")).contains("cannot read"));
    assert!(of(&folder.path("")).contains("is a folder"));
    assert!(of(&folder.text("empty.yaml", " \n")).contains("is empty"));
    assert!(of(&folder.text("none.yaml", "metrics: []\n")).contains("none.yaml"));
    let unknown = folder.text("unknown.yaml", "metrics:\n  - name: a\n    kind: ratio\n");
    let told = of(&unknown);
    assert!(
        told.contains("unknown.yaml") && told.contains("line 3"),
        "{told}"
    );
    let no_margin = folder.text(
        "margin.yaml",
        "metrics:\n  - name: errors\n    kind: rate\n",
    );
    let told = of(&no_margin);
    assert!(
        told.contains("metric `errors`") && told.contains("no margin"),
        "{told}"
    );
}

#[test]
fn a_metric_that_no_ramp_can_go_by_is_named() {
    let folder = Folder::new("by");
    let spec = folder.text("spec.yaml", THREE);
    let words = [
        &[&spec, "--rate", "25", "--minutes", "60"][..],
        &["--bad-events-budget", "50"],
        &BASELINES,
    ]
    .concat();
    for (name, why) in [
        ("latency_ms", "counts no bad events"),
        ("erors", "does not have"),
    ] {
        let told = failure(&[&words[..], &["--ramp-by", name]].concat());
        assert!(told.contains(&format!("metric `{name}`")), "{told}");
        assert!(told.contains(why), "{told}");
    }
    let means = "metrics:
  - name: latency_ms
    kind: {mean: {lower: 0, upper: 1000}}
    margin: {relative: 0.1}
";
    let means = folder.text("means.yaml", means);
    let words = [&means, "--rate", "25", "--minutes", "60"];
    let words = [
        &words[..],
        &[
            "--baseline",
            "latency_ms=200:80",
            "--bad-events-budget",
            "50",
        ],
    ]
    .concat();
    let told = failure(&words);
    assert!(told.contains("leave `--bad-events-budget` out"), "{told}");
}
