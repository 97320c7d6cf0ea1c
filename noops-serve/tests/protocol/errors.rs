//! Requests that are wrong, each with the status of the specification and a sentence that names the culprit.

use serde_json::json;

use crate::client::Client;
use crate::model::{BREAK, FAIL};
use crate::question::{ASK_ORDERS, ASK_POINTS, about_orders, about_points, points_are_answered};
use crate::server::Running;

/// Sends a body that is refused with 400, and checks that the connection goes on.
fn refused(client: &mut Client, path: &str, body: &str) -> String {
    let sentence = client.post(path, body).error(400);
    points_are_answered(client, &[[1.0, 2.0, 3.0]]);
    sentence
}

#[test]
fn what_is_no_inference_in_json_is_400() {
    let server = Running::start();
    let mut client = server.connect();
    for body in [
        "",
        " ",
        "{",
        "}",
        "null",
        "1",
        "[]",
        "\"inputs\"",
        "{}",
        r#"{"inputs":null}"#,
        r#"{"inputs":1}"#,
        r#"{"inputs":{}}"#,
        r#"{"inputs":[]}"#,
        r#"{"inputs":[1]}"#,
        r#"{"inputs":[[]]}"#,
        r#"{"inputs":[{}]}"#,
        r#"{"inputs":[],"inputs":[]}"#,
        r#"{"inputs":[]} trailing"#,
        r#"{"inputs":[],}"#,
        "{'inputs':[]}",
        "\u{feff}{}",
        "\0",
        r#"{"id":1,"inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}"#,
        r#"{"outputs":[{}],"inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}"#,
        r#"{"outputs":1,"inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}"#,
        r#"{"parameters":1,"inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}"#,
    ] {
        refused(&mut client, ASK_POINTS, body);
    }
    let answer = client.post(ASK_POINTS, b"{\"inputs\":[{\"name\":\"\xff\"}]}");
    answer.error(400);
}

#[test]
fn a_tensor_that_is_wrong_is_400_and_named() {
    let server = Running::start();
    let mut client = server.connect();
    for wrong in [
        r#""shape":[1,2],"datatype":"FP32","data":[1,2]"#,
        r#""shape":[1,4],"datatype":"FP32","data":[1,2,3,4]"#,
        r#""shape":[3],"datatype":"FP32","data":[1,2,3]"#,
        r#""shape":[1,3,1],"datatype":"FP32","data":[1,2,3]"#,
        r#""shape":[],"datatype":"FP32","data":[1]"#,
        r#""shape":[1,3],"datatype":"FP32","data":[1,2]"#,
        r#""shape":[1,3],"datatype":"FP32","data":[1,2,3,4]"#,
        r#""shape":[1,3],"datatype":"FP32","data":[]"#,
        r#""shape":[2,3],"datatype":"FP32","data":[[1,2,3],[4,5]]"#,
        r#""shape":[2,3],"datatype":"FP32","data":[[1,2],[3,4],[5,6]]"#,
        r#""shape":[1,3],"datatype":"FP32","data":[[[1,2,3]]]"#,
        r#""shape":[1,3],"datatype":"FP32","data":{"0":1}"#,
        r#""shape":[1,3],"datatype":"FP32","data":"AAAA""#,
        r#""shape":[1,3],"datatype":"FP32","data":[1,null,3]"#,
        r#""shape":[1,3],"datatype":"FP32","data":[1,"2",3]"#,
        r#""shape":[1,3],"datatype":"FP32","data":[1,true,3]"#,
        r#""shape":[1,3],"datatype":"FP32","data":[1,{},3]"#,
        r#""shape":[1,3],"datatype":"INT8","data":[1,200,3]"#,
        r#""shape":[1,3],"datatype":"INT32","data":[1,0.5,3]"#,
        r#""shape":[1,3],"datatype":"UINT8","data":[1,-1,3]"#,
        r#""shape":[1,3],"datatype":"BOOL","data":[1,0,1]"#,
        r#""shape":[1,3],"datatype":"BYTES","data":["a","b","c"]"#,
        r#""shape":[1,3],"datatype":"FP16","data":[1,2,3]"#,
        r#""shape":[1,3],"datatype":"FP31","data":[1,2,3]"#,
        r#""shape":[1,3],"datatype":"fp32","data":[1,2,3]"#,
        r#""shape":[1,3],"datatype":"FP32""#,
        r#""shape":[-1,3],"datatype":"FP32","data":[1,2,3]"#,
        r#""shape":[4611686018427387904,4],"datatype":"FP32","data":[]"#,
        r#""shape":[9223372036854775807,9223372036854775807],"datatype":"FP32","data":[1]"#,
    ] {
        let body = format!(r#"{{"inputs":[{{"name":"input",{wrong}}}]}}"#);
        let sentence = refused(&mut client, ASK_POINTS, &body);
        assert!(sentence.contains("`input`"), "{wrong}: {sentence}");
    }
    for wrong in [
        r#""shape":[1,3],"data":[1,2,3]"#,
        r#""datatype":"FP32","data":[1,2,3]"#,
        r#""shape":[1.5,3],"datatype":"FP32","data":[1,2,3]"#,
        r#""shape":3,"datatype":"FP32","data":[1,2,3]"#,
        r#""shape":[99999999999999999999,3],"datatype":"FP32","data":[1,2,3]"#,
    ] {
        let body = format!(r#"{{"inputs":[{{"name":"input",{wrong}}}]}}"#);
        refused(&mut client, ASK_POINTS, &body);
    }
}

#[test]
fn numbers_that_json_does_not_have_or_the_type_cannot_hold_are_400() {
    let server = Running::start();
    let mut client = server.connect();
    for number in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e39",
        "-1e39",
        "1e999",
        "\"NaN\"",
        "01",
        "+1",
        ".5",
    ] {
        let body = format!(
            r#"{{"inputs":[{{"name":"input","shape":[1,3],"datatype":"FP32","data":[1,{number},3]}}]}}"#
        );
        refused(&mut client, ASK_POINTS, &body);
    }
    let wide =
        r#"{"inputs":[{"name":"input","shape":[1,3],"datatype":"FP64","data":[1,1e300,3]}]}"#;
    refused(&mut client, ASK_POINTS, wide);
}

#[test]
fn a_tensor_that_is_unknown_absent_or_given_twice_is_400_and_named() {
    let server = Running::start();
    let mut client = server.connect();
    let number = |name: &str, rows: usize| json!({"name": name, "shape": [rows], "datatype": "FP32", "data": vec![1.0; rows]});
    let text = |rows: usize| json!({"name": "country", "shape": [rows], "datatype": "BYTES", "data": vec!["de"; rows]});
    for (inputs, culprit) in [
        (json!([number("amount", 1)]), "country"),
        (json!([text(1)]), "amount"),
        (
            json!([number("amount", 1), text(1), number("colour", 1)]),
            "colour",
        ),
        (
            json!([number("amount", 1), number("amount", 1), text(1)]),
            "amount",
        ),
        (json!([number("amount", 2), text(1)]), "country"),
        (
            json!([number("amount", 1), number("country", 1)]),
            "country",
        ),
        (json!([number("AMOUNT", 1), text(1)]), "AMOUNT"),
        (
            json!([{"name": "amount", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}, text(1)]),
            "amount",
        ),
        (
            json!([{"name": "input", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]),
            "country",
        ),
    ] {
        let body = json!({"inputs": inputs}).to_string();
        let sentence = refused(&mut client, ASK_ORDERS, &body);
        assert!(
            sentence.contains(&format!("`{culprit}`")),
            "{body}: {sentence}"
        );
    }
    let body = json!({"inputs": [number("nobody", 1)]}).to_string();
    assert!(refused(&mut client, ASK_POINTS, &body).contains("`nobody`"));
}

#[test]
fn an_output_that_is_unknown_or_named_twice_is_400() {
    let server = Running::start();
    let mut client = server.connect();
    let input = crate::question::matrix(&[[1.0, 2.0, 3.0]]);
    for (outputs, culprit) in [
        (json!([{"name": "score"}]), "score"),
        (json!([{"name": "output"}, {"name": "score"}]), "score"),
        (json!([{"name": "output"}, {"name": "output"}]), "output"),
    ] {
        let body = json!({"inputs": [input], "outputs": outputs}).to_string();
        let sentence = refused(&mut client, ASK_POINTS, &body);
        assert!(sentence.contains(&format!("`{culprit}`")), "{sentence}");
    }
}

#[test]
fn a_row_outside_the_contract_is_400_with_its_place_and_feature() {
    let server = Running::start();
    let mut client = server.connect();
    for (wrong, feature) in [
        ((1000.5, "de"), "amount"),
        ((-1.0, "de"), "amount"),
        ((1.0, "fr"), "country"),
    ] {
        let alone = refused(&mut client, ASK_ORDERS, &about_orders(&[wrong]));
        assert!(alone.contains(&format!("`{feature}`")), "{alone}");
        let rows = [(1.0, "de"), (2.0, "se"), wrong];
        let third = refused(&mut client, ASK_ORDERS, &about_orders(&rows));
        assert!(
            third.contains("row 2") && third.contains(feature),
            "{third}"
        );
    }
}

#[test]
fn a_model_that_fails_is_500_and_goes_on() {
    let server = Running::start();
    let mut client = server.connect();
    for order in [FAIL, BREAK] {
        let answer = client.post(ASK_POINTS, about_points(&[[order, 0.0, 0.0]]));
        let sentence = answer.error(500);
        assert!(!sentence.contains("NaN"), "{sentence}");
        points_are_answered(&mut client, &[[1.0, 2.0, 3.0]]);
    }
}

#[test]
fn a_compression_that_is_not_known_is_415() {
    let server = Running::start();
    let mut client = server.connect();
    let body = about_points(&[[1.0, 2.0, 3.0]]);
    let asked = |client: &mut Client, encoding| {
        client.ask_with("POST", ASK_POINTS, &[("content-encoding", encoding)], &body)
    };
    asked(&mut client, "br").error(415);
    asked(&mut client, "gzip").error(400);
    asked(&mut client, "deflate").error(400);
    assert_eq!(asked(&mut client, "identity").status, 200);
}
