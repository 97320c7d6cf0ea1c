use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::error::Position;
use crate::slo::{
    BudgetingMethod, CalendarUnit, Direction, Indicator, Kind, Objective, Target, Window,
};

const SLOTH: &str = include_str!("../../../testdata/slo/sloth.yaml");
const KUBERNETES: &str = include_str!("../../../testdata/slo/sloth-kubernetes.yaml");
const OPENSLO: &str = include_str!("../../../testdata/slo/openslo.yaml");
const TIMESLICES: &str = include_str!("../../../testdata/slo/openslo-timeslices.yaml");

fn refusal(yaml: &str) -> String {
    import("slo.yaml", yaml).unwrap_err().to_string()
}

/// The refusal of a good document in which `from`, which must be there, is replaced.
fn broken(yaml: &str, from: &str, to: &str) -> String {
    assert!(yaml.contains(from), "{from}");
    refusal(&yaml.replacen(from, to, 1))
}

#[test]
fn a_sloth_file_keeps_objectives_queries_and_routing() {
    let slos = import("sloth.yaml", SLOTH).unwrap();
    assert_eq!(slos.len(), 3);
    let objective = slos[0].objective();
    assert_eq!(objective.name(), "requests-availability");
    assert_eq!(objective.service(), "fraud-scoring");
    assert_eq!(objective.owner(), Some("risk-team"));
    assert_eq!(objective.kind(), Kind::Availability);
    assert_eq!(objective.indicator(), Indicator::BadOverTotal);
    assert_eq!(objective.target().budget(), 0.001);
    assert_eq!(
        objective.window(),
        &Window::rolling(Duration::from_secs(30 * 86_400)).unwrap()
    );
    assert_eq!(objective.labels().get("tier").unwrap(), "1");
    let Queries::BadOverTotal { bad, total } = slos[0].queries() else {
        panic!("the indicator has events");
    };
    assert!(bad.ends_with("code=~\"(5..|429)\"}[{{.window}}]))"));
    assert!(total.starts_with("sum(rate("));
    let routing = slos[0].routing();
    assert_eq!(routing.name(), Some("FraudScoringAvailability"));
    assert_eq!(routing.labels().get("category").unwrap(), "availability");
    let Route::Enabled { labels, .. } = routing.page() else {
        panic!("pages are on");
    };
    assert_eq!(labels.get("severity").unwrap(), "critical");
    assert_eq!(slos[1].objective().kind(), Kind::Latency);
    assert_eq!(slos[1].objective().labels().get("tier").unwrap(), "2");
    assert_eq!(slos[1].routing().page(), &Route::Disabled);
    assert!(matches!(slos[2].queries(), Queries::ErrorRatio(_)));
    assert_eq!(slos[2].objective().target(), Target::new(0.905).unwrap());
    assert_eq!(slos[2].position(), Some(Position::new(45, 5)));
}

#[test]
fn the_kubernetes_form_says_the_same() {
    let slos = import("sloth.yaml", KUBERNETES).unwrap();
    assert_eq!(slos.len(), 1);
    assert_eq!(slos[0].objective().target().ratio(), 0.999);
    assert_eq!(slos[0].routing().ticket(), &Route::Disabled);
    assert!(matches!(slos[0].queries(), Queries::BadOverTotal { .. }));
}

#[test]
fn an_openslo_stream_is_followed_through_its_references() {
    let slos = import("openslo.yaml", OPENSLO).unwrap();
    let names: Vec<&str> = slos.iter().map(|slo| slo.objective().name()).collect();
    assert_eq!(names, ["scoring-good-enough", "scoring-what-we-want"]);
    assert_eq!(slos[1].objective().target().budget(), 0.001);
    assert_eq!(slos[0].objective().labels().get("region").unwrap(), "eu,us");
    assert_eq!(slos[0].data_source(), Some("Prometheus"));
    assert!(matches!(slos[0].queries(), Queries::GoodOverTotal { .. }));
    assert_eq!(
        slos[0].objective().window().nominal_length(),
        Duration::from_secs(28 * 86_400)
    );
    let conditions = slos[0].burn_conditions();
    assert_eq!(conditions.len(), 2);
    assert_eq!(conditions[0].name(), "fast-burn");
    assert_eq!(conditions[0].policy(), "scoring-burns");
    assert_eq!(conditions[0].severity(), "page");
    assert_eq!(conditions[0].threshold(), 14.4);
    assert_eq!(conditions[0].comparison(), Comparison::AtLeast);
    assert_eq!(conditions[0].lookback(), Duration::from_secs(3600));
    assert_eq!(conditions[0].alert_after(), Duration::from_secs(300));
    assert_eq!(conditions[0].targets(), ["on-call-mail"]);
    assert!(
        conditions[0]
            .notify_when()
            .iter()
            .eq(&[NotifyWhen::Breaching, NotifyWhen::Resolved])
    );
    assert_eq!(conditions[1].comparison(), Comparison::MoreThan);
    assert_eq!(conditions[1].alert_after(), Duration::ZERO);
}

#[test]
fn a_strict_bound_is_the_double_next_to_it() {
    let slos = import("openslo.yaml", TIMESLICES).unwrap();
    let objective = slos[0].objective();
    let Indicator::Threshold(threshold) = objective.indicator() else {
        panic!("the indicator is a threshold");
    };
    assert_eq!(threshold.direction(), Direction::AtMost);
    assert_eq!(objective.indicator().judge(0.05), Some(false));
    assert_eq!(
        objective.indicator().judge(0.05_f64.next_down()),
        Some(true)
    );
    assert_eq!(objective.kind(), Kind::Latency);
    assert!(matches!(
        objective.budgeting(),
        BudgetingMethod::Timeslices { slice, target }
            if slice.length() == Duration::from_secs(60) && target.ratio() == 0.95
    ));
    assert_eq!(
        objective.window(),
        &Window::calendar(CalendarUnit::Month, "Europe/Berlin").unwrap()
    );
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_the_key_that_was_meant() {
    assert_eq!(
        broken(SLOTH, "error_query", "eror_query"),
        "`slo.yaml`:12:9: unknown key `eror_query` in `sloth.slos[0].sli.events`; did you mean `error_query`?"
    );
    assert_eq!(
        broken(OPENSLO, "budgetingMethod", "budgettingMethod"),
        "`slo.yaml`:18:3: unknown key `budgettingMethod` in `SLO.spec`; did you mean `budgetingMethod`?"
    );
    assert_eq!(
        broken(KUBERNETES, "errorQuery", "error_query"),
        "`slo.yaml`:15:11: unknown key `error_query` in `sloth.spec.slos[0].sli.events`; did you mean `errorQuery`?"
    );
    assert_eq!(
        broken(OPENSLO, "lookbackWindow: 1h", "lookback: 1h"),
        "`slo.yaml`:88:5: unknown key `lookback` in `AlertCondition.spec.condition`; remove it"
    );
}

#[test]
fn what_cannot_be_represented_is_refused_and_says_what_to_do() {
    for (yaml, from, to, message) in [
        (
            SLOTH,
            "99.9",
            "100",
            "`slo.yaml`:9:16: `sloth.slos[0].objective` is `100`",
        ),
        (SLOTH, "99.9", "\"99.9\"", "is text; write a number"),
        (
            SLOTH,
            "tier: \"1\"",
            "tier: 1",
            "`slo.yaml`:5:9: `sloth.labels.tier` is a number; put it in quotes",
        ),
        (SLOTH, "[{{.window}}]", "[5m]", "has no `{{.window}}`"),
        (SLOTH, "events:", "plugin:", "is an SLI plugin"),
        (
            SLOTH,
            "noops_kind: latency",
            "noops_kind: latancy",
            "write one of `availability`",
        ),
        (
            SLOTH,
            "name: requests-latency",
            "name: requests-availability",
            "is there already at `7:5`",
        ),
        (
            SLOTH,
            "name: requests-latency",
            "name: requests latency",
            "name `requests latency`",
        ),
        (
            SLOTH,
            "prometheus/v1",
            "prometheus/v2",
            "is `prometheus/v2`",
        ),
        (
            SLOTH,
            "service: fraud-scoring",
            "service: \" \"",
            "is blank",
        ),
        (
            KUBERNETES,
            "kind: PrometheusServiceLevel",
            "kind: Prometheus",
            "`PrometheusServiceLevel` is read",
        ),
        (
            OPENSLO,
            "openslo/v1",
            "openslo/v1alpha",
            "is `openslo/v1alpha`",
        ),
        (
            OPENSLO,
            "kind: SLI",
            "kind: SLl",
            "which OpenSLO does not have",
        ),
        (
            OPENSLO,
            "indicatorRef: scoring-answers",
            "indicatorRef: scoring-answer",
            "did you mean `scoring-answers`?",
        ),
        (
            OPENSLO,
            "conditionRef: fast-burn",
            "conditionRef: nowhere",
            "add the document of kind `AlertCondition`",
        ),
        (
            OPENSLO,
            "target: 0.99",
            "target: 99",
            "write a ratio strictly between 0 and 1",
        ),
        (
            OPENSLO,
            "targetPercent: 99.9",
            "targetPercent: 99.9\n      compositeWeight: 2",
            "makes a composite objective",
        ),
        (
            OPENSLO,
            "duration: 4w",
            "duration: 1M",
            "whose length varies",
        ),
        (
            OPENSLO,
            "duration: 4w",
            "duration: 5s",
            "write a number and one of",
        ),
        (
            OPENSLO,
            "budgetingMethod: Occurrences",
            "budgetingMethod: occurrences",
            "write `Occurrences`",
        ),
        (
            OPENSLO,
            "target: 0.99",
            "target: 0.99\n      timeSliceWindow: 5m",
            "has no meaning",
        ),
        (
            OPENSLO,
            "target: 0.99",
            "target: 0.99\n      op: lte",
            "the indicator is a ratio",
        ),
        (
            OPENSLO,
            "threshold: 14.4",
            "threshold: 0",
            "write a burn rate above zero",
        ),
        (
            OPENSLO,
            "op: gt",
            "op: lte",
            "a burn rate alerts when it is great",
        ),
        (
            OPENSLO,
            "kind: burnrate",
            "kind: budget",
            "`burnrate` is read",
        ),
        (
            OPENSLO,
            "name: scoring-answers",
            "nam: scoring-answers",
            "did you mean `name`?",
        ),
        (
            TIMESLICES,
            "Europe/Berlin",
            "Europe/Berlim",
            "did you mean `Europe/Berlin`?",
        ),
        (
            TIMESLICES,
            "2026-01-01 00:00:00",
            "2026-01-21 12:30:00",
            "on the first of a month",
        ),
        (
            TIMESLICES,
            "duration: 1M",
            "duration: 2M",
            "a calendar window is",
        ),
        (
            TIMESLICES,
            "timeSliceTarget: 0.95",
            "timeSliceTarget: 1.0",
            "strictly between 0 and 1",
        ),
        (TIMESLICES, "op: lt", "op: below", "write `lte`"),
        (
            TIMESLICES,
            "thresholdMetric",
            "ratioMetric",
            "unknown key `metricSource`",
        ),
    ] {
        let refusal = broken(yaml, from, to);
        assert!(refusal.contains(message), "{to}: {refusal}");
        let place = refusal.strip_prefix("`slo.yaml`:").unwrap_or_default();
        assert!(
            place.starts_with(|first: char| first.is_ascii_digit()),
            "no line: {refusal}"
        );
    }
}

#[test]
fn a_file_without_an_objective_is_refused() {
    assert!(refusal("").contains("there is no objective"));
    assert!(refusal("a: 1\n").contains("neither OpenSLO nor Sloth"));
    assert!(refusal("[]\n").contains("is a list; write a map"));
    assert!(refusal("version: prometheus/v1\nservice: x\nslos: []\n").contains("add an objective"));
    let service = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: x}\nspec: {}\n";
    assert!(refusal(service).contains("there is no objective"));
}

#[test]
fn an_unused_part_of_a_stream_is_checked_too() {
    let stray = "---\napiVersion: openslo/v1\nkind: AlertCondition\nmetadata: {name: stray}\nspec: {severity: page, conditon: {}}\n";
    let refusal = refusal(&format!("{TIMESLICES}{stray}"));
    assert!(refusal.contains("did you mean `condition`?"), "{refusal}");
}

#[test]
fn the_parts_of_an_imported_objective_survive_storage() {
    for yaml in [SLOTH, KUBERNETES, OPENSLO, TIMESLICES] {
        for slo in import("slo.yaml", yaml).unwrap() {
            let stored = serde_json::to_value(&slo).unwrap();
            let objective: Objective = serde_json::from_value(stored["objective"].clone()).unwrap();
            let queries: Queries = serde_json::from_value(stored["queries"].clone()).unwrap();
            let routing: AlertRouting = serde_json::from_value(stored["routing"].clone()).unwrap();
            assert_eq!(&objective, slo.objective());
            assert_eq!(&queries, slo.queries());
            assert_eq!(&routing, slo.routing());
        }
    }
}

#[test]
fn the_window_is_found_whatever_its_blanks() {
    assert!(queries::has_window("rate(a[{{ .window }}])"));
    assert!(queries::has_window("{{.other}} {{.window}}"));
    for bad in ["", "{{", "{{window}}", "{{.window", "{.window}"] {
        assert!(!queries::has_window(bad), "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_makes_the_import_panic(text in ".{0,400}") {
        let _ = import("slo.yaml", &text);
    }

    #[test]
    fn no_damage_makes_the_import_panic(which in 0_usize..4, at in 0_usize..2000, put in ".{0,3}", cut in 0_usize..40) {
        let yaml = [SLOTH, KUBERNETES, OPENSLO, TIMESLICES][which];
        let characters: Vec<char> = yaml.chars().collect();
        let at = at.min(characters.len());
        let damaged: String = characters[..at]
            .iter()
            .copied()
            .chain(put.chars())
            .chain(characters[(at + cut).min(characters.len())..].iter().copied())
            .collect();
        if let Err(error) = import("slo.yaml", &damaged) {
            prop_assert!(error.to_string().starts_with("`slo.yaml`"));
        }
    }
}
