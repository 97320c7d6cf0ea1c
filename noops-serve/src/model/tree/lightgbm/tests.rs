use noops_core::ErrorKind;

use super::*;
use crate::model::tree::testing::{TOLERANCE, bytes, difference};

const NAMES: [&str; 20] = [
    "lgb_regression",
    "lgb_regression_l1",
    "lgb_quantile",
    "lgb_binary",
    "lgb_poisson",
    "lgb_gamma",
    "lgb_tweedie",
    "lgb_cross_entropy",
    "lgb_cross_entropy_lambda",
    "lgb_lambdarank",
    "lgb_multiclass",
    "lgb_multiclassova",
    "lgb_sqrt",
    "lgb_forest",
    "lgb_forest_classes",
    "lgb_dart",
    "lgb_categories",
    "lgb_zero",
    "lgb_none",
    "lgb_deep",
];

#[test]
fn predictions_are_those_of_the_library() {
    for name in NAMES {
        let model = from_text(&bytes(&format!("{name}.txt"))).unwrap();
        assert_eq!(model.feature_names().len(), model.features(), "{name}");
        let difference = difference(name, &model);
        assert!(difference <= TOLERANCE, "{name}: {difference:e}");
    }
}

/// A model of one tree, with one line changed.
fn one_tree(name: &str, value: &str) -> String {
    let lines = [
        ("num_tree_per_iteration", "1"),
        ("max_feature_idx", "0"),
        ("objective", "regression"),
        ("feature_names", "age"),
        ("Tree", "0"),
        ("num_leaves", "2"),
        ("split_feature", "0"),
        ("threshold", "0.5"),
        ("decision_type", "2"),
        ("left_child", "-1"),
        ("right_child", "-2"),
        ("leaf_value", "1.5 2.5"),
        ("cat_boundaries", "0 1"),
        ("cat_threshold", "1"),
        ("is_linear", "0"),
    ];
    let mut text = String::from("tree\n");
    for (line, usual) in lines {
        text += &format!("{line}={}\n", if line == name { value } else { usual });
    }
    text + "\nend of trees\n"
}

#[test]
fn malformed_models_are_corrupt_and_say_what_is_wrong() {
    for (line, value, message) in [
        ("left_child", "0", "two nodes lead to one"),
        ("left_child", "1", "a node leads to none"),
        ("left_child", "-9", "a node leads to none"),
        ("left_child", "-9223372036854775808", "a node leads to none"),
        ("left_child", "x", "not a number"),
        ("left_child", "", "differ in length"),
        ("num_leaves", "4000000000", "differ in length"),
        ("num_leaves", "0", "differ in length"),
        ("threshold", "nan", "a threshold is not a number"),
        ("leaf_value", "inf 1", "a weight that cannot be used"),
        ("leaf_value", "1", "differ in length"),
        ("split_feature", "1", "a feature that is not there"),
        ("max_feature_idx", "18446744073709551615", "out of range"),
        ("num_tree_per_iteration", "0", "a round has no trees"),
        ("num_tree_per_iteration", "2", "the last round is not whole"),
        ("num_tree_per_iteration", "99999999", "out of range"),
        ("decision_type", "14", "kind of missing value"),
        ("objective", "binary sigmoid:nan", "sigmoid"),
        ("feature_names", "a b", "one name each"),
    ] {
        let error = from_text(one_tree(line, value).as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{line}={value}: {error}");
        assert!(
            error.to_string().contains(message),
            "{line}={value}: {error}"
        );
    }
}

#[test]
fn a_set_of_categories_that_is_not_there_is_corrupt() {
    for (line, value) in [
        ("cat_boundaries", "0"),
        ("cat_boundaries", "1 0"),
        ("cat_boundaries", "0 99"),
        ("threshold", "7"),
    ] {
        let text = one_tree(line, value).replace("decision_type=2", "decision_type=1");
        let text = if line == "threshold" {
            text
        } else {
            text.replace("threshold=0.5", "threshold=0")
        };
        let error = from_text(text.as_bytes()).unwrap_err();
        assert!(
            error.to_string().contains("set of categories"),
            "{line}={value}: {error}"
        );
    }
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    for (line, value, culprit) in [
        ("is_linear", "1", "linear_tree"),
        ("objective", "my_own", "my_own"),
    ] {
        let error = from_text(one_tree(line, value).as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains(culprit), "{error}");
    }
}

#[test]
fn a_model_cut_off_anywhere_is_corrupt() {
    let text = bytes("lgb_categories.txt");
    let end = text
        .windows(12)
        .position(|window| window == b"end of trees")
        .unwrap()
        + 12;
    for cut in (0..end).step_by(53) {
        assert_eq!(
            from_text(&text[..cut]).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{cut}"
        );
    }
}

#[test]
fn a_changed_byte_is_no_reason_to_panic() {
    let original = bytes("lgb_categories.txt");
    let mut refused = 0;
    for step in 0..200 {
        let mut changed = original.clone();
        let place = step * 7919 % changed.len();
        changed[place] ^= 1 << (step % 8);
        refused += usize::from(from_text(&changed).is_err());
    }
    assert!(refused > 0, "some changes break the syntax");
}
