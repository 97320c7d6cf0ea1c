//! The binary tensor extension.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::model::score;
use crate::question::{
    ASK_ORDERS, ASK_POINTS, about_points, is_answer_to_orders, is_answer_to_points, matrix, raw,
    raw_texts, split,
};
use crate::server::Running;

const ROWS: [[f32; 3]; 2] = [[1.0, 2.0, 3.0], [-4.0, 0.5, 0.0]];

fn send(client: &mut Client, path: &str, head: &Value, bytes: &[u8]) -> Answer {
    let head = head.to_string();
    let length = head.len().to_string();
    let header = [("Inference-Header-Content-Length", length.as_str())];
    client.ask_with("POST", path, &header, [head.as_bytes(), bytes].concat())
}

fn announced(name: &str, datatype: &str, shape: Value, size: usize) -> Value {
    json!({"name": name, "shape": shape, "datatype": datatype, "parameters": {"binary_data_size": size}})
}

fn matrix_as_bytes() -> Value {
    announced("input", "FP32", json!([2, 3]), 24)
}

fn scores() -> Vec<u8> {
    raw(ROWS.map(score).as_flattened())
}

#[test]
fn bytes_in_json_out() {
    let server = Running::start();
    let head = json!({"inputs": [matrix_as_bytes()]});
    let answer = send(
        &mut server.connect(),
        ASK_POINTS,
        &head,
        &raw(ROWS.as_flattened()),
    );
    is_answer_to_points(&answer, &ROWS);
}

#[test]
fn json_in_bytes_out_for_all_outputs_or_for_one() {
    let server = Running::start();
    let mut client = server.connect();
    let output = |binary: bool| json!([{"name": "output", "parameters": {"binary_data": binary}}]);
    for (parameters, outputs, in_bytes) in [
        (json!({"binary_data_output": true}), json!([]), true),
        (json!({}), output(true), true),
        (json!({"binary_data_output": false}), output(true), true),
        (json!({"binary_data_output": true}), output(false), false),
        (json!({"binary_data_output": false}), json!([]), false),
    ] {
        let body = json!({"inputs": [matrix(&ROWS)], "parameters": parameters, "outputs": outputs});
        let answer = client.post(ASK_POINTS, body.to_string());
        if !in_bytes {
            assert_eq!(answer.header("inference-header-content-length"), None);
            is_answer_to_points(&answer, &ROWS);
            continue;
        }
        let (head, bytes) = split(&answer);
        assert_eq!(bytes, scores(), "{body}");
        let parameters = json!({"binary_data_size": 16});
        assert_eq!(
            head["outputs"],
            json!([{"name": "output", "datatype": "FP32", "shape": [2, 2], "parameters": parameters}])
        );
    }
}

#[test]
fn bytes_in_bytes_out_as_tritons_client_sends_them() {
    let server = Running::start();
    let head = json!({"id": "t", "parameters": {"binary_data_output": true}, "inputs": [matrix_as_bytes()]});
    let answer = send(
        &mut server.connect(),
        ASK_POINTS,
        &head,
        &raw(ROWS.as_flattened()),
    );
    let (head, bytes) = split(&answer);
    assert_eq!((&head["id"], bytes), (&json!("t"), scores().as_slice()));
}

#[test]
fn some_inputs_as_bytes_and_others_as_json() {
    let server = Running::start();
    let mut client = server.connect();
    let countries = raw_texts(&[b"se", b"de"]);
    let amount = json!({"name": "amount", "shape": [2], "datatype": "FP32", "data": [1.0, 2.0]});
    let country = announced("country", "BYTES", json!([2]), countries.len());
    let head = json!({"inputs": [amount, country]});
    is_answer_to_orders(
        &send(&mut client, ASK_ORDERS, &head, &countries),
        &[2002.0, 1004.0],
    );

    let amount = announced("amount", "FP64", json!([2]), 16);
    let country =
        json!({"name": "country", "shape": [2], "datatype": "BYTES", "data": ["se", "de"]});
    let head = json!({"inputs": [amount, country]});
    let amounts = [1.0_f64.to_le_bytes(), 2.0_f64.to_le_bytes()].concat();
    is_answer_to_orders(
        &send(&mut client, ASK_ORDERS, &head, &amounts),
        &[2002.0, 1004.0],
    );
}

#[test]
fn several_inputs_as_bytes_follow_one_another() {
    let server = Running::start();
    let countries = raw_texts(&[b"se", b"de"]);
    let head = json!({"inputs": [
        announced("country", "BYTES", json!([2, 1]), countries.len()),
        announced("amount", "FP32", json!([2, 1]), 8),
    ]});
    let bytes = [countries, raw(&[1.0, 2.0])].concat();
    let answer = send(&mut server.connect(), ASK_ORDERS, &head, &bytes);
    is_answer_to_orders(&answer, &[2002.0, 1004.0]);
}

#[test]
fn a_header_for_json_alone_is_the_length_of_the_body() {
    let server = Running::start();
    let head: Value = serde_json::from_str(&about_points(&ROWS)).unwrap();
    is_answer_to_points(&send(&mut server.connect(), ASK_POINTS, &head, b""), &ROWS);
}

#[test]
fn sizes_that_do_not_add_up_are_refused() {
    let server = Running::start();
    let mut client = server.connect();
    let bytes = raw(ROWS.as_flattened());
    for (shape, size, sent) in [
        (json!([2, 3]), json!(24), &bytes[..23]),
        (json!([2, 3]), json!(20), &bytes[..]),
        (json!([2, 3]), json!(20), &bytes[..20]),
        (json!([1, 3]), json!(24), &bytes[..]),
        (json!([2, 3]), json!(-1), &bytes[..]),
        (json!([2, 3]), json!("24"), &bytes[..]),
        (json!([2, 3]), json!(24.0), &bytes[..]),
        (json!([2, 3]), json!(u64::MAX), &bytes[..]),
        (json!([1_u64 << 62, 3]), json!(24), &bytes[..]),
        (json!([2, -3]), json!(24), &bytes[..]),
    ] {
        let input = json!({"name": "input", "shape": shape, "datatype": "FP32", "parameters": {"binary_data_size": size}});
        send(&mut client, ASK_POINTS, &json!({"inputs": [input]}), sent).error(400);
    }
    let both = json!({"name": "input", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3], "parameters": {"binary_data_size": 12}});
    send(
        &mut client,
        ASK_POINTS,
        &json!({"inputs": [both]}),
        &bytes[..12],
    )
    .error(400);
    // Bytes that nobody announced, and bytes announced where there is no header.
    let spare = serde_json::from_str(&about_points(&ROWS)).unwrap();
    send(&mut client, ASK_POINTS, &spare, b"spare").error(400);
    let body = json!({"inputs": [matrix_as_bytes()]}).to_string();
    client.post(ASK_POINTS, body).error(400);
}

#[test]
fn a_header_that_is_no_length_within_the_body_is_refused() {
    let server = Running::start();
    let mut client = server.connect();
    let body = about_points(&ROWS);
    for length in [
        "0",
        "1",
        "9999",
        "-1",
        "+5",
        "x",
        "",
        "1.0",
        "99999999999999999999999",
    ] {
        let header = [("Inference-Header-Content-Length", length)];
        client
            .ask_with("POST", ASK_POINTS, &header, &body)
            .error(400);
    }
    points_still_work(&mut client);
}

#[test]
fn texts_that_end_before_their_length_or_are_no_utf_8_are_refused() {
    let server = Running::start();
    let mut client = server.connect();
    let amount = json!({"name": "amount", "shape": [1], "datatype": "FP32", "data": [1.0]});
    for bytes in [
        &b"\x03\0\0\0de"[..],
        b"\xff\xff\xff\xffde",
        b"\x02\0\0",
        b"\x01\0\0\0de",
        b"",
        &raw_texts(&[b"de", b"se"]),
        &raw_texts(&[b"d\xff"]),
        &raw_texts(&[b"fr"]),
        &raw_texts(&[b""]),
    ] {
        let country = announced("country", "BYTES", json!([1]), bytes.len());
        let head = json!({"inputs": [amount, country]});
        let sentence = send(&mut client, ASK_ORDERS, &head, bytes).error(400);
        assert!(sentence.contains("`country`"), "{bytes:?}: {sentence}");
    }
}

#[test]
fn numbers_that_are_not_finite_reach_no_model() {
    let server = Running::start();
    let mut client = server.connect();
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let head = json!({"inputs": [announced("input", "FP32", json!([1, 3]), 12)]});
        let sentence = send(&mut client, ASK_POINTS, &head, &raw(&[1.0, number, 3.0])).error(400);
        assert!(sentence.contains("`b`"), "{sentence}");
    }
    points_still_work(&mut client);
}

#[test]
fn a_parameter_that_is_no_truth_value_is_refused() {
    let server = Running::start();
    let mut client = server.connect();
    for wrong in [json!(1), json!("true")] {
        let all = json!({"inputs": [matrix(&ROWS)], "parameters": {"binary_data_output": wrong}});
        client.post(ASK_POINTS, all.to_string()).error(400);
        let outputs = json!([{"name": "output", "parameters": {"binary_data": wrong}}]);
        let one = json!({"inputs": [matrix(&ROWS)], "outputs": outputs});
        client.post(ASK_POINTS, one.to_string()).error(400);
    }
}

fn points_still_work(client: &mut Client) {
    crate::question::points_are_answered(client, &ROWS);
}
