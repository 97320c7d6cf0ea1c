//! What HTTP/1.1 lets a client do with a connection.

use crate::client::request;
use crate::question::{
    ASK_ORDERS, ASK_POINTS, about_orders, about_points, is_answer_to_orders, is_answer_to_points,
    points_are_answered,
};
use crate::server::Running;

const ROW: [[f32; 3]; 1] = [[1.0, 2.0, 3.0]];

#[test]
fn a_connection_carries_one_request_after_the_other() {
    let server = Running::start();
    let mut client = server.connect();
    for row in 0..50 {
        points_are_answered(&mut client, &[[row as f32, 0.0, 1.0]]);
    }
}

#[test]
fn requests_sent_together_are_answered_in_their_order() {
    let server = Running::start();
    let mut client = server.connect();
    let mut together = Vec::new();
    for row in 0..20 {
        let body = about_points(&[[row as f32, 0.0, 0.0]]);
        together.extend(request("POST", ASK_POINTS, &[], body));
        together.extend(request("GET", "/v2/nowhere", &[], ""));
        together.extend(request(
            "POST",
            ASK_ORDERS,
            &[],
            about_orders(&[(row as f32, "de")]),
        ));
        together.extend(request("POST", ASK_POINTS, &[], "{"));
    }
    client.send(together);
    for row in 0..20 {
        is_answer_to_points(&client.answer(), &[[row as f32, 0.0, 0.0]]);
        client.answer().error(404);
        is_answer_to_orders(&client.answer(), &[1000.0 + 2.0 * row as f32]);
        client.answer().error(400);
    }
}

#[test]
fn a_client_that_waits_for_the_word_to_go_on_gets_it() {
    let server = Running::start();
    let mut client = server.connect();
    let body = about_points(&ROW);
    let length = body.len().to_string();
    let headers = [
        ("expect", "100-continue"),
        ("content-length", length.as_str()),
    ];
    client.send(request("POST", ASK_POINTS, &headers, ""));
    assert_eq!(client.answer().status, 100);
    client.send(body);
    is_answer_to_points(&client.answer(), &ROW);
}

#[test]
fn a_body_may_come_in_chunks() {
    let server = Running::start();
    let mut client = server.connect();
    let body = about_points(&ROW);
    for size in [1, 7, body.len()] {
        client.send(request(
            "POST",
            ASK_POINTS,
            &[("transfer-encoding", "chunked")],
            "",
        ));
        for chunk in body.as_bytes().chunks(size) {
            let chunk = [
                format!("{:x};ext=1\r\n", chunk.len()).as_bytes(),
                chunk,
                b"\r\n",
            ]
            .concat();
            client.send(chunk);
        }
        client.send("0\r\ntrailer: t\r\n\r\n");
        is_answer_to_points(&client.answer(), &ROW);
    }
}

#[test]
fn a_request_may_come_in_any_pieces() {
    let server = Running::start();
    let mut client = server.connect();
    for byte in request("POST", ASK_POINTS, &[], about_points(&ROW)) {
        client.send([byte]);
    }
    is_answer_to_points(&client.answer(), &ROW);
}

#[test]
fn a_client_that_asks_for_the_end_gets_it_after_its_answer() {
    let server = Running::start();
    let mut client = server.connect();
    let close = [("connection", "close")];
    let answer = client.ask_with("POST", ASK_POINTS, &close, about_points(&ROW));
    is_answer_to_points(&answer, &ROW);
    assert_eq!(client.rest(), "");
}

#[test]
fn a_client_of_http_1_0_is_answered_and_let_go() {
    let server = Running::start();
    let mut client = server.connect();
    client.send("GET /v2/health/live HTTP/1.0\r\n\r\n");
    let answer = client.rest();
    assert!(
        answer.contains(" 200 OK\r\n") && answer.ends_with(r#"{"live":true}"#),
        "{answer}"
    );
}

#[test]
fn a_path_may_be_a_whole_address() {
    let server = Running::start();
    let mut client = server.connect();
    assert_eq!(client.get("http://test/v2/health/live").status, 200);
}

#[test]
fn bodies_where_none_is_wanted_are_passed_over() {
    let server = Running::start();
    let mut client = server.connect();
    for _ in 0..3 {
        let answer = client.ask("GET", "/v2/health/live", "what is this?");
        assert_eq!(answer.status, 200);
    }
    client.ask("DELETE", "/v2", "gone").error(405);
    client
        .ask("POST", "/v2/nowhere", about_points(&ROW))
        .error(404);
    points_are_answered(&mut client, &ROW);
}
