//! Clients that are slow, or send too much.

use std::time::Duration;

use noops_serve::protocol::Limits;

use crate::client::request;
use crate::question::{ASK_POINTS, about_points, points_are_answered};
use crate::server::Running;

/// What an honest client on a busy machine keeps within.
const SHORT: Duration = Duration::from_millis(300);

fn hurried() -> Running {
    let limits = Limits::default()
        .with_header_timeout(SHORT)
        .with_body_timeout(SHORT);
    Running::within(limits)
}

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let server = hurried();
    let beginnings = [
        "",
        "P",
        "PRI * HTTP/2.0\r\n",
        "GET /v2 HTTP/1.1\r\nhost: test\r\n",
    ];
    let mut clients = beginnings.map(|beginning| {
        let mut client = server.connect();
        client.send(beginning);
        client
    });
    for client in &mut clients {
        let rest = client.rest();
        assert!(!rest.contains(" 200 "), "{rest}");
    }
    points_are_answered(&mut server.connect(), &[[1.0, 2.0, 3.0]]);
}

#[test]
fn a_head_that_comes_byte_by_byte_is_cut_off_by_its_whole_time() {
    let server = hurried();
    let mut client = server.connect();
    let head = format!("GET /v2 HTTP/1.1\r\nhost: test\r\nx: {}", "y".repeat(200));
    let mut sent = 0;
    for byte in head.as_bytes() {
        if !client.try_send([*byte]) {
            break;
        }
        sent += 1;
        std::thread::sleep(Duration::from_millis(10));
        if client.hears_within(Duration::from_millis(1)) {
            break;
        }
    }
    assert!(sent < head.len(), "it was listened to for two seconds");
    let rest = client.rest();
    assert!(!rest.contains(" 200 "), "{rest}");
}

#[test]
fn a_body_that_does_not_come_is_answered_with_an_error_and_the_end() {
    let server = hurried();
    let mut stalled = [
        Some(("content-length", "100")),
        Some(("transfer-encoding", "chunked")),
    ]
    .map(|header| {
        let mut client = server.connect();
        let headers: Vec<_> = header.into_iter().collect();
        client.send(request("POST", ASK_POINTS, &headers, ""));
        client
    });
    points_are_answered(&mut server.connect(), &[[1.0, 2.0, 3.0]]);
    for client in &mut stalled {
        let sentence = client.answer().error(504);
        assert!(sentence.contains("body"), "{sentence}");
        assert_eq!(client.rest(), "", "the rest of the body is not waited for");
    }
}

#[test]
fn a_body_that_comes_byte_by_byte_is_cut_off_by_its_whole_time() {
    let server = hurried();
    let mut client = server.connect();
    client.send(request(
        "POST",
        ASK_POINTS,
        &[("content-length", "1000")],
        "",
    ));
    for _ in 0..200 {
        if !client.try_send(" ") || client.hears_within(Duration::from_millis(10)) {
            break;
        }
    }
    client.answer().error(504);
}

#[test]
fn a_connection_without_requests_is_closed_in_time() {
    let server = hurried();
    let mut client = server.connect();
    points_are_answered(&mut client, &[[1.0, 2.0, 3.0]]);
    assert_eq!(client.rest(), "");
}

#[test]
fn a_body_that_is_too_large_is_413_announced_or_not() {
    let body = about_points(&[[1.0, 2.0, 3.0]]);
    let limit = body.len();
    let server = Running::within(Limits::default().with_max_body_bytes(limit));
    points_are_answered(&mut server.connect(), &[[1.0, 2.0, 3.0]]);

    let mut announced = server.connect();
    let length = (limit + 1).to_string();
    announced.send(request(
        "POST",
        ASK_POINTS,
        &[("content-length", &length)],
        "",
    ));
    let answer = announced.answer();
    assert!(answer.error(413).contains(&limit.to_string()));
    assert_eq!(announced.rest(), "", "nothing is read behind it");

    let mut expecting = server.connect();
    let headers = [
        ("content-length", length.as_str()),
        ("expect", "100-continue"),
    ];
    expecting.send(request("POST", ASK_POINTS, &headers, ""));
    expecting.answer().error(413);

    let mut chunked = server.connect();
    let half = format!("{:x}\r\n{}\r\n", limit / 2 + 1, " ".repeat(limit / 2 + 1));
    let body = [half.as_str(), &half].concat();
    chunked.send(request(
        "POST",
        ASK_POINTS,
        &[("transfer-encoding", "chunked")],
        body,
    ));
    chunked.answer().error(413);

    let mut endless = server.connect();
    let length = u64::MAX.to_string();
    endless.send(request(
        "POST",
        "/v2/repository/index",
        &[("content-length", &length)],
        "",
    ));
    let answer = endless.rest();
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    points_are_answered(&mut server.connect(), &[[1.0, 2.0, 3.0]]);
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let server = Running::start();
    let mut client = server.connect();
    let head = format!(
        "GET /v2 HTTP/1.1\r\nhost: test\r\nx: {}\r\n\r\n",
        "y".repeat(1 << 20)
    );
    // The server may have had enough before the end.
    client.try_send(head);
    let rest = client.rest();
    assert!(
        rest.is_empty() || rest.starts_with("HTTP/1.1 431"),
        "{rest}"
    );
    points_are_answered(&mut server.connect(), &[[1.0, 2.0, 3.0]]);
}
