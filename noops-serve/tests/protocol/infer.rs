//! Asking a model in JSON.

use serde_json::{Value, json};

use crate::model::POINTS;
use crate::question::{
    ASK_ORDERS, ASK_POINTS, about_orders, about_points, is_answer_to_orders, is_answer_to_points,
    matrix, points_are_answered,
};
use crate::server::Running;

const ROWS: [[f32; 3]; 2] = [[1.0, 2.0, 3.0], [-4.0, 0.5, 0.0]];

#[test]
fn rows_are_answered_in_their_order() {
    let server = Running::start();
    let mut client = server.connect();
    points_are_answered(&mut client, &ROWS[..1]);
    points_are_answered(&mut client, &ROWS);
    let many: Vec<[f32; 3]> = (0..700).map(|row| [row as f32, 1.0, 0.0]).collect();
    points_are_answered(&mut client, &many);
}

#[test]
fn no_rows_are_answered_with_none() {
    let server = Running::start();
    points_are_answered(&mut server.connect(), &[]);
}

#[test]
fn data_is_flat_or_nested_as_the_shape_says() {
    let server = Running::start();
    let mut client = server.connect();
    for data in [
        json!([1.0, 2.0, 3.0, -4.0, 0.5, 0.0]),
        json!([[1.0, 2.0, 3.0], [-4.0, 0.5, 0.0]]),
        json!([[1, 2, 3], [-4, 0.5, 0]]),
    ] {
        let mut input = matrix(&ROWS);
        input["data"] = data;
        let answer = client.post(ASK_POINTS, json!({"inputs": [input]}).to_string());
        is_answer_to_points(&answer, &ROWS);
    }
}

#[test]
fn every_type_of_number_is_taken() {
    let server = Running::start();
    let mut client = server.connect();
    let integers = [
        "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
    ];
    for datatype in integers.into_iter().chain(["FP32", "FP64"]) {
        let body = json!({"inputs": [{"name": "input", "shape": [1, 3], "datatype": datatype, "data": [1, 2, 3]}]});
        is_answer_to_points(&client.post(ASK_POINTS, body.to_string()), &ROWS[..1]);
    }
    let body = json!({"inputs": [{"name": "input", "shape": [1, 3], "datatype": "BOOL", "data": [true, false, true]}]});
    is_answer_to_points(
        &client.post(ASK_POINTS, body.to_string()),
        &[[1.0, 0.0, 1.0]],
    );
}

#[test]
fn a_model_with_categories_takes_its_features_in_any_order_and_either_shape() {
    let server = Running::start();
    let mut client = server.connect();
    let rows = [(7.0, "de"), (0.5, "se")];
    let scores = [1014.0, 2001.0];
    is_answer_to_orders(&client.post(ASK_ORDERS, about_orders(&rows)), &scores);
    let turned = json!({"inputs": [
        {"name": "country", "shape": [2, 1], "datatype": "BYTES", "data": [["de"], ["se"]]},
        {"name": "amount", "shape": [2, 1], "datatype": "FP32", "data": [[7.0], [0.5]]},
    ]});
    is_answer_to_orders(&client.post(ASK_ORDERS, turned.to_string()), &scores);
}

#[test]
fn a_model_of_numbers_takes_its_features_one_by_one_too() {
    let server = Running::start();
    let feature = |name: &str, data: [f32; 2]| json!({"name": name, "shape": [2], "datatype": "FP32", "data": data});
    let body = json!({"inputs": [feature("c", [3.0, 0.0]), feature("a", [1.0, -4.0]), feature("b", [2.0, 0.5])]});
    let answer = server.connect().post(ASK_POINTS, body.to_string());
    is_answer_to_points(&answer, &ROWS);
}

#[test]
fn keys_come_in_any_order_and_unknown_ones_are_passed_over() {
    let server = Running::start();
    let body = r#" {"later":{"a":[1,null]},"inputs":[{"data":[1,2,3],"more":null,"datatype":"FP32","shape":[1,3],"name":"input"}]} "#;
    is_answer_to_points(&server.connect().post(ASK_POINTS, body), &ROWS[..1]);
}

#[test]
fn escapes_in_names_and_texts_are_undone() {
    let server = Running::start();
    let body = r#"{"inputs":[
        {"name":"\u0061mount","shape":[1],"datatype":"FP\u0033\u0032","data":[7]},
        {"name":"country","shape":[1],"datatype":"BYTES","data":["\u0064e"]}]}"#;
    is_answer_to_orders(&server.connect().post(ASK_ORDERS, body), &[1014.0]);
}

#[test]
fn an_id_comes_back_as_it_was_sent() {
    let server = Running::start();
    let mut client = server.connect();
    for id in ["q-1", "ü \"quoted\" \\ \n", &"long".repeat(500)] {
        let body = json!({"id": id, "inputs": [matrix(&ROWS)]}).to_string();
        assert_eq!(client.post(ASK_POINTS, body).ok()["id"], id);
    }
    let without = client.post(ASK_POINTS, about_points(&ROWS)).ok();
    assert_eq!(without.get("id"), None);
}

#[test]
fn a_named_version_answers_with_its_name() {
    let server = Running::start();
    let path = format!("/v2/models/{POINTS}/versions/1/infer");
    let answer = server.connect().post(&path, about_points(&ROWS));
    is_answer_to_points(&answer, &ROWS);
}

#[test]
fn the_outputs_that_are_asked_for_come_back() {
    let server = Running::start();
    let mut client = server.connect();
    for outputs in [json!([]), json!([{"name": "output"}])] {
        let body = json!({"inputs": [matrix(&ROWS)], "outputs": outputs}).to_string();
        is_answer_to_points(&client.post(ASK_POINTS, body), &ROWS);
    }
}

#[test]
fn parameters_that_mean_nothing_here_are_passed_over() {
    let server = Running::start();
    let any = json!({"text": "x", "whole": -1, "large": u64::MAX, "half": 0.5, "yes": true});
    let mut input = matrix(&ROWS);
    input["parameters"] = any.clone();
    let outputs = json!([{"name": "output", "parameters": any}]);
    let body = json!({"inputs": [input], "parameters": any, "outputs": outputs}).to_string();
    is_answer_to_points(&server.connect().post(ASK_POINTS, body), &ROWS);
}

#[test]
fn parameters_that_are_no_scalars_are_refused() {
    let server = Running::start();
    let mut client = server.connect();
    for value in [json!([1]), json!({"a": 1}), Value::Null] {
        let body = json!({"inputs": [matrix(&ROWS)], "parameters": {"p": value}}).to_string();
        client.post(ASK_POINTS, body).error(400);
    }
}

#[test]
fn extensions_that_would_change_the_answer_are_501() {
    let server = Running::start();
    let mut client = server.connect();
    let mut input = matrix(&ROWS);
    input["parameters"] = json!({"shared_memory_region": "r"});
    let shared = json!({"inputs": [input]}).to_string();
    client.post(ASK_POINTS, shared).error(501);
    let outputs = json!([{"name": "output", "parameters": {"classification": 2}}]);
    let classes = json!({"inputs": [matrix(&ROWS)], "outputs": outputs}).to_string();
    client.post(ASK_POINTS, classes).error(501);
}
