use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::{Float64Array, RecordBatch, StringArray};
use noops_core::{Feature, FeatureRule, Rows};
use proptest::prelude::*;

use super::*;
use crate::routing::Condition;
use crate::routing::testing::{Model, clock, contract, contract_of, names, request, scores};
use crate::runtime::Refusal;

type Targets = BTreeMap<ModelName, Arc<dyn Router>>;

fn targets(models: &[(&str, &Model)]) -> Targets {
    let models = models.iter();
    models
        .map(|(name, model)| {
            let deployment: Arc<dyn Router> = model.deployment.clone();
            (name.parse().unwrap(), deployment)
        })
        .collect()
}

fn rule(when: Condition, to: &str) -> Rule {
    Rule::new(when, to.parse().unwrap())
}

fn router(contract: &Contract, rules: &[Rule], targets: &Targets) -> Result<RuleRouter, Error> {
    let default = "default".parse().unwrap();
    RuleRouter::new(contract, rules, &default, targets, clock())
}

/// A number that may be missing, and a category.
fn mixed() -> Contract {
    contract_of([
        FeatureRule::strict(Feature::category("country", ["de".into(), "se".into()])),
        FeatureRule::strict(Feature::number_between("amount", 0.0, 1.0)),
    ])
}

#[tokio::test]
async fn the_first_rule_that_a_row_keeps_decides() {
    let clock = clock();
    let models = ["default", "german", "large", "blank"]
        .map(|name| (name, Model::on(name, &clock, mixed(), |x| x)));
    let targets = targets(&models.each_ref().map(|(name, model)| (*name, model)));
    let rules = [
        rule(Condition::is("country", "de"), "large").and(Condition::between("amount", 0.1, 1.0)),
        rule(Condition::is("country", "de"), "german"),
        rule(Condition::missing("amount"), "blank"),
    ];
    let router = router(&mixed(), &rules, &targets).unwrap();
    let countries = ["de", "se", "de", "se", "de"];
    // 0.1 in double precision is above the bound in single precision, and the same in the same.
    let amounts = [Some(0.1), Some(0.5), Some(0.05), None, None];
    let ids: Vec<String> = (0..5).map(|id| format!("r{id}")).collect();
    let rows = RecordBatch::try_from_iter([
        (
            "amount",
            Arc::new(Float64Array::from(amounts.to_vec())) as _,
        ),
        (
            "country",
            Arc::new(StringArray::from(countries.to_vec())) as _,
        ),
    ]);
    let routed = router
        .route(&Request::new(ids.clone(), rows.unwrap()).unwrap())
        .await;
    let routed = routed.unwrap();
    assert_eq!(names(&routed), ["large", "default", "german", "-", "-"]);
    // Where the value is missing the target's own contract decides, not the router.
    assert!(matches!(
        routed.rows()[3].answer(),
        Err(Refusal::Contract(_))
    ));
    let asked = models[3].1.deployment.drain_exposures();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].request, "r3");
    let numbers = amounts.map(|amount| amount.map_or(f32::NAN, |amount: f64| amount as f32));
    let texts = countries.map(|country| Some(country.to_owned()));
    let rows = Rows::new(5, numbers.to_vec(), texts.to_vec()).unwrap();
    let unnamed = router
        .route(&Request::of_rows(ids, rows).unwrap())
        .await
        .unwrap();
    assert_eq!(names(&unnamed), names(&routed));
    assert_eq!(router.counts().rows, 10);
    assert_eq!(router.counts().refused, 4);
}

#[tokio::test]
async fn a_category_that_the_contract_does_not_know_is_missing() {
    let clock = clock();
    let (default, blank) = (
        Model::on("default", &clock, mixed(), |x| x),
        Model::on("blank", &clock, mixed(), |x| x),
    );
    let targets = targets(&[("default", &default), ("blank", &blank)]);
    let rules = [rule(Condition::missing("country"), "blank")];
    let router = router(&mixed(), &rules, &targets).unwrap();
    let texts = vec![Some("xx".to_owned()), None, Some("se".to_owned())];
    let rows = Rows::new(3, vec![0.5; 3], texts).unwrap();
    let ids = ["a", "b", "c"].map(str::to_owned).to_vec();
    let _ = router
        .route(&Request::of_rows(ids, rows).unwrap())
        .await
        .unwrap();
    assert_eq!(blank.deployment.drain_exposures().len(), 2);
    assert_eq!(default.deployment.drain_exposures().len(), 1);
}

#[test]
fn a_rule_that_cannot_hold_is_refused_with_its_culprit() {
    let model = Model::new("default", |x| x);
    let targets = targets(&[("default", &model)]);
    let cases = [
        (
            Condition::missing("amuont"),
            "no such feature (feature `amuont`",
        ),
        (
            Condition::is("country", "xx"),
            "no such category (feature `country`, category `xx`",
        ),
        (
            Condition::is("amount", "de"),
            "no categories (feature `amount`",
        ),
        (
            Condition::between("country", 0.0, 1.0),
            "no range (feature `country`",
        ),
        (
            Condition::between("amount", 1.0, 0.0),
            "finite and in order (feature `amount`",
        ),
        (
            Condition::between("amount", f32::NAN, 0.0),
            "finite and in order",
        ),
        (
            Condition::between("amount", 0.0, f32::INFINITY),
            "finite and in order",
        ),
    ];
    for (condition, expected) in cases {
        let good = rule(Condition::missing("amount"), "default");
        let rules = [good, rule(condition, "default")];
        let error = router(&mixed(), &rules, &targets).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.ends_with("rule `1`)"),
            "{error}"
        );
    }
    let nowhere = [rule(Condition::missing("amount"), "nowhere")];
    let error = router(&mixed(), &nowhere, &targets)
        .unwrap_err()
        .to_string();
    assert!(error.contains("target `nowhere`, rule `0`"), "{error}");
    let error = router(&mixed(), &[], &BTreeMap::new()).unwrap_err();
    assert!(error.to_string().contains("target `default`"), "{error}");
    let empty: Rule = serde_json::from_str(r#"{"when": [], "to": "default"}"#).unwrap();
    let error = router(&mixed(), &[empty], &targets)
        .unwrap_err()
        .to_string();
    assert!(error.contains("without conditions"), "{error}");
}

#[test]
fn a_misspelt_rule_is_not_read() {
    let read = |json: &str| serde_json::from_str::<Rule>(json);
    assert!(read(r#"{"when": [{"missing": {"feature": "x"}}], "to": "a"}"#).is_ok());
    assert!(read(r#"{"when": [{"missing": {"feature": "x", "not": 1}}], "to": "a"}"#).is_err());
    assert!(read(r#"{"when": [{"misses": {"feature": "x"}}], "to": "a"}"#).is_err());
    assert!(read(r#"{"when": [{"missing": {"feature": "x"}}], "to": "a", "or": 1}"#).is_err());
}

#[tokio::test]
async fn a_target_that_fails_costs_its_own_rows_and_no_others() {
    let failing = Arc::new(AtomicBool::new(false));
    let fails = failing.clone();
    let default = Model::new("default", |x| x);
    let broken = Model::new("broken", move |x| match fails.load(Ordering::Relaxed) {
        true => f32::NAN,
        false => x,
    });
    failing.store(true, Ordering::Relaxed);
    let rules = [
        rule(Condition::between("x", 0.9, 1.0), "broken"),
        rule(Condition::between("x", 0.8, 1.0), "foreign"),
    ];
    let foreign = contract_of([FeatureRule::strict(Feature::number("y"))]);
    let foreign = Model::on("foreign", &clock(), foreign, |_| 0.0);
    let targets = targets(&[
        ("default", &default),
        ("broken", &broken),
        ("foreign", &foreign),
    ]);
    let router = router(&contract(), &rules, &targets).unwrap();
    let routed = router
        .route(&request(&[0.95, 0.25, 0.85, 0.5]))
        .await
        .unwrap();
    assert_eq!(names(&routed), ["-", "default", "-", "default"]);
    assert!(matches!(routed.rows()[0].answer(), Err(Refusal::Model(_))));
    assert!(matches!(routed.rows()[2].answer(), Err(Refusal::Model(_))));
    assert_eq!(foreign.rows(), 0);
}

#[tokio::test]
async fn rows_that_cannot_be_read_fail_as_a_whole() {
    let default = Model::new("default", |x| x);
    let router = router(&contract(), &[], &targets(&[("default", &default)])).unwrap();
    let rows = Rows::one(vec![0.5, 0.5]);
    let asked = Request::of_rows(vec!["a".to_owned()], rows).unwrap();
    assert!(router.route(&asked).await.is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_row_gets_its_own_target_in_order(xs in prop::collection::vec(0.0_f32..=1.0, 0..40)) {
        let low = Model::new("low", |x| x / 2.0);
        let high = Model::new("high", |x| 1.0 - x / 2.0);
        let default = Model::new("default", |x| x);
        let targets = targets(&[("low", &low), ("high", &high), ("default", &default)]);
        let rules = [
            rule(Condition::between("x", 0.0, 0.25), "low"),
            rule(Condition::between("x", 0.75, 1.0), "high"),
            rule(Condition::between("x", 0.7, 0.72), "low"),
        ];
        let router = router(&contract(), &rules, &targets).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let routed = runtime.block_on(router.route(&request(&xs))).unwrap();
        let expected = xs.iter().map(|&x| match x {
            0.0..=0.25 | 0.7..=0.72 => ("low", x / 2.0),
            0.75..=1.0 => ("high", 1.0 - x / 2.0),
            _ => ("default", x),
        });
        let (expected_names, expected_scores): (Vec<_>, Vec<_>) = expected.unzip();
        prop_assert_eq!(names(&routed), expected_names);
        prop_assert_eq!(scores(&routed), expected_scores);
        // All rows of a target go there together.
        prop_assert!([low, high, default].iter().all(|model| model.runs() <= 1));
    }
}
