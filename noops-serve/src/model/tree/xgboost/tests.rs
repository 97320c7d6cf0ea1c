use noops_core::ErrorKind;

use super::*;
use crate::model::tree::testing::{TOLERANCE, bytes, difference};

const JSON: [&str; 17] = [
    "xgb_reg_squarederror",
    "xgb_reg_absoluteerror",
    "xgb_reg_logistic",
    "xgb_binary_logistic",
    "xgb_binary_logitraw",
    "xgb_binary_hinge",
    "xgb_count_poisson",
    "xgb_reg_gamma",
    "xgb_reg_tweedie",
    "xgb_survival_cox",
    "xgb_rank_pairwise",
    "xgb_softprob",
    "xgb_dart",
    "xgb_forest",
    "xgb_categories",
    "xgb_base",
    "xgb_targets",
];
const UBJ: [&str; 4] = ["xgb_softmax", "xgb_ubj", "xgb_deep", "xgb_onehot"];

fn model(name: &str) -> TreeModel {
    if UBJ.contains(&name) {
        from_ubj(&bytes(&format!("{name}.ubj"))).unwrap()
    } else {
        from_json(&bytes(&format!("{name}.json"))).unwrap()
    }
}

#[test]
fn predictions_are_those_of_the_library() {
    for name in JSON.iter().chain(&UBJ).chain(&["xgb_pruned"]) {
        let difference = difference(name, &model(name));
        assert!(difference <= TOLERANCE, "{name}: {difference:e}");
    }
}

/// A model of one tree with these nodes, in the fields that a test changes.
fn one_tree(changes: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("left_children", "[1,-1,-1]"),
        ("right_children", "[2,-1,-1]"),
        ("split_indices", "[0,0,0]"),
        ("split_conditions", "[0.5,1.5,2.5]"),
        ("default_left", "[1,0,0]"),
        ("base_score", "\"0\""),
        ("num_class", "\"0\""),
        ("num_feature", "\"1\""),
        ("objective", "{\"name\":\"reg:squarederror\"}"),
        ("tree_info", "[0]"),
        ("name", "\"gbtree\""),
        ("tree_param", "{\"size_leaf_vector\":\"1\"}"),
    ];
    for (field, value) in &mut fields {
        if let Some((_, changed)) = changes.iter().find(|(name, _)| name == field) {
            *value = changed;
        }
    }
    let get = |name: &str| fields.iter().find(|(field, _)| *field == name).unwrap().1;
    let tree: Vec<String> = [
        "left_children",
        "right_children",
        "split_indices",
        "split_conditions",
        "default_left",
        "tree_param",
    ]
    .iter()
    .map(|name| format!("\"{name}\":{}", get(name)))
    .collect();
    format!(
        "{{\"learner\":{{\"learner_model_param\":{{\"base_score\":{},\"num_class\":{},\"num_feature\":{}}},\"objective\":{},\
         \"gradient_booster\":{{\"name\":{},\"model\":{{\"tree_info\":{},\"trees\":[{{{}}}]}}}}}}}}",
        get("base_score"),
        get("num_class"),
        get("num_feature"),
        get("objective"),
        get("name"),
        get("tree_info"),
        tree.join(",")
    )
}

#[test]
fn a_small_model_by_hand() {
    let model = from_json(one_tree(&[("base_score", "\"[1E0]\"")]).as_bytes()).unwrap();
    let mut out = Vec::new();
    model
        .forest()
        .score(&[0.4, 0.5, f32::NAN], 1, &mut out)
        .unwrap();
    assert_eq!(out, [2.5, 3.5, 2.5]);
}

#[test]
fn malformed_models_are_corrupt_and_say_what_is_wrong() {
    for (change, message) in [
        (("left_children", "[0,-1,-1]"), "two nodes lead to one"),
        (("right_children", "[1,-1,-1]"), "two nodes lead to one"),
        (("right_children", "[9,-1,-1]"), "a node leads to none"),
        (("right_children", "[-7,-1,-1]"), "an index is negative"),
        (("right_children", "[1e99,-1,-1]"), "the wrong type"),
        (("right_children", "[2]"), "differ in length"),
        (("right_children", "{}"), "the wrong type"),
        (("left_children", "[]"), "differ in length"),
        (("split_indices", "[1,0,0]"), "a feature that is not there"),
        (
            ("split_conditions", "[\"nan\",1,1]"),
            "a threshold is not a number",
        ),
        (
            ("split_conditions", "[0.5,1e300,1]"),
            "a weight that cannot be used",
        ),
        (
            ("split_conditions", "[0.5,\"nan\",1]"),
            "a weight that cannot be used",
        ),
        (("base_score", "\"zero\""), "the base score is not a number"),
        (("base_score", "\"nan\""), "out of the range"),
        (
            ("base_score", "\"[1,2]\""),
            "one finite base value per output",
        ),
        (("num_class", "\"4000000000\""), "out of range"),
        (("num_class", "\"-1\""), "the wrong type"),
        (("num_feature", "\"99999999999\""), "out of range"),
        (("tree_info", "[3]"), "a weight that cannot be used"),
        (("tree_info", "[-3]"), "a weight that cannot be used"),
        (("tree_info", "[]"), "a group"),
        (("objective", "7"), "a field is missing"),
    ] {
        let error = from_json(one_tree(&[change]).as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{change:?}: {error}");
        assert!(error.to_string().contains(message), "{change:?}: {error}");
    }
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    for (change, culprit) in [
        (("objective", "{\"name\":\"my:own\"}"), "my:own"),
        (("name", "\"gblinear\""), "gblinear"),
        (
            ("tree_param", "{\"size_leaf_vector\":\"3\"}"),
            "multi_output_tree",
        ),
    ] {
        let error = from_json(one_tree(&[change]).as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains(culprit), "{error}");
    }
}

#[test]
fn a_model_cut_off_anywhere_is_corrupt() {
    let json = bytes("xgb_binary_logistic.json");
    let ubj = bytes("xgb_onehot.ubj");
    for cut in (0..json.len()).step_by(97) {
        assert_eq!(
            from_json(&json[..cut]).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{cut}"
        );
    }
    for cut in (0..ubj.len()).step_by(31) {
        assert_eq!(
            from_ubj(&ubj[..cut]).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{cut}"
        );
    }
}

#[test]
fn a_changed_byte_is_no_reason_to_panic() {
    let (json, ubj) = (bytes("xgb_categories.json"), bytes("xgb_onehot.ubj"));
    let mut refused = 0;
    for step in 0..150 {
        for (read, original) in [(from_json as fn(&[u8]) -> _, &json), (from_ubj, &ubj)] {
            let mut changed = original.clone();
            let place = step * 7919 % changed.len();
            changed[place] ^= 1 << (step % 8);
            refused += usize::from(read(&changed).is_err());
        }
    }
    assert!(refused > 0, "some changes break the syntax");
}

#[test]
fn nested_lists_are_refused_before_the_stack_ends() {
    let json = "[".repeat(1_000_000);
    assert_eq!(
        from_json(json.as_bytes()).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    assert_eq!(
        from_ubj(json.as_bytes()).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
}
