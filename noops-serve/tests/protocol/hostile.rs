//! Bytes that no honest client sends: the server refuses them, and goes on for everybody else.

use crate::client::request;
use crate::question::{ASK_POINTS, points_are_answered};
use crate::server::Running;

const ROW: [[f32; 3]; 1] = [[1.0, 2.0, 3.0]];

#[test]
fn what_is_no_http_is_refused_and_the_connection_ends() {
    let server = Running::start();
    let mut honest = server.connect();
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /v2\r\n\r\n",
        b"GET /v2 HTTP/9.9\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nx: \0\r\n\r\n",
        b"GET v2 v2 HTTP/1.1\r\n\r\n",
        b"POST /v2/repository/index HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"POST /v2/repository/index HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /v2/repository/index HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"POST /v2/repository/index HTTP/1.1\r\ntransfer-encoding: nonsense\r\n\r\n{}",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
    ] {
        let mut client = server.connect();
        client.send(bytes);
        let answer = client.rest();
        let shown = String::from_utf8_lossy(bytes);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{shown}: {answer}"
        );
        points_are_answered(&mut honest, &ROW);
    }
}

#[test]
fn chunks_that_are_none_end_the_connection() {
    let server = Running::start();
    for chunks in [
        "x\r\n",
        "fffffffffffffffff\r\n",
        "-1\r\n",
        "2\r\n{}3\r\n",
        "\r\n\r\n",
    ] {
        let mut client = server.connect();
        client.send(request(
            "POST",
            ASK_POINTS,
            &[("transfer-encoding", "chunked")],
            chunks,
        ));
        let answer = client.rest();
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 400 ");
        assert!(refused, "{chunks:?}: {answer}");
    }
    points_are_answered(&mut server.connect(), &ROW);
}

#[test]
fn a_request_whose_end_is_told_in_two_ways_smuggles_none_in() {
    let server = Running::start();
    let mut client = server.connect();
    // Who believes the length sees one request, who believes the chunks sees two (RFC 9112, 6.3).
    let inner = "0\r\n\r\nGET /metrics HTTP/1.1\r\nhost: test\r\n\r\n";
    let length = inner.len().to_string();
    let headers = [
        ("content-length", length.as_str()),
        ("transfer-encoding", "chunked"),
    ];
    client.send(request("POST", "/v2/repository/index", &headers, inner));
    let answers = client.rest();
    assert!(answers.matches("HTTP/1.1 ").count() < 2, "{answers}");
    assert!(!answers.contains("nv_inference"), "{answers}");
}

#[test]
fn nesting_without_end_is_refused() {
    let server = Running::start();
    let mut client = server.connect();
    let deep = |open: &str| open.repeat(100_000);
    for body in [
        deep("["),
        deep("{\"a\":"),
        format!(r#"{{"inputs":{}"#, deep("[")),
        format!(r#"{{"later":{}{},"inputs":[]}}"#, deep("["), deep("]")),
        format!(r#"{{"parameters":{}"#, deep("{\"a\":")),
        format!(
            r#"{{"inputs":[{{"name":"input","shape":[1,3],"datatype":"FP32","data":{}{}}}]}}"#,
            deep("["),
            deep("]")
        ),
    ] {
        client.post(ASK_POINTS, &body).error(400);
        // What it does not know it may pass over.
        let index = client.post("/v2/repository/index", &body).status;
        assert!(index == 200 || index == 400, "{index}");
    }
    points_are_answered(&mut client, &ROW);
}

#[test]
fn a_long_name_is_not_repeated_without_end() {
    let server = Running::start();
    let mut client = server.connect();
    let long = "x".repeat(20_000);
    let nowhere = client.get(&format!("/{long}"));
    assert!(nowhere.error(404).len() < 1_000);
    let body = format!(
        r#"{{"inputs":[{{"name":"input","shape":[1,3],"datatype":"FP32","data":[1,"{long}",3]}}]}}"#
    );
    assert!(client.post(ASK_POINTS, body).error(400).len() < 1_000);
}

#[test]
fn a_thousand_tensors_and_more_are_too_many() {
    let server = Running::start();
    let mut client = server.connect();
    let tensor =
        |index: usize| format!(r#"{{"name":"t{index}","shape":[0],"datatype":"FP32","data":[]}}"#);
    let tensors: Vec<String> = (0..1025).map(tensor).collect();
    let body = format!(r#"{{"inputs":[{}]}}"#, tensors.join(","));
    assert!(client.post(ASK_POINTS, body).error(400).contains("1025"));
}
