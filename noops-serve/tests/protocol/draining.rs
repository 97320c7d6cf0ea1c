//! Going away without losing what was accepted.

use std::net::TcpStream;
use std::time::Duration;

use noops_serve::protocol::Limits;
use serde_json::json;

use crate::client::{Client, request};
use crate::model::WAIT;
use crate::question::{ASK_POINTS, about_points, is_answer_to_points, points_are_answered};
use crate::server::Running;

const HELD: [f32; 3] = [WAIT, 1.0, 0.0];

/// A client whose request is being answered.
fn running(server: &Running) -> Client {
    let mut client = server.connect();
    client.send(request("POST", ASK_POINTS, &[], about_points(&[HELD])));
    server.gate.wait_for_arrival();
    client
}

#[test]
fn a_runtime_that_closes_is_not_ready_takes_nothing_and_ends_what_runs() {
    let server = Running::start();
    let mut running = running(&server);
    let mut client = server.connect();
    assert_eq!(client.get("/v2/health/ready").status, 200);
    server.models.close();
    let answer = client.get("/v2/health/ready");
    assert_eq!(
        (answer.status, answer.json()),
        (503, json!({"ready": false}))
    );
    assert_eq!(client.get("/v2/health/live").status, 200);
    client
        .post(ASK_POINTS, about_points(&[[1.0; 3]]))
        .error(503);
    server.gate.open();
    is_answer_to_points(&running.answer(), &[HELD]);
}

#[test]
fn a_server_that_stops_answers_what_it_has_and_accepts_nothing() {
    let mut server = Running::start();
    let mut running = running(&server);
    let mut idle = server.connect();
    points_are_answered(&mut idle, &[]);
    server.tell_to_stop();
    assert_eq!(idle.rest(), "", "a connection without a request is closed");
    assert!(TcpStream::connect(server.address).is_err());
    server.gate.open();
    let answer = running.answer();
    is_answer_to_points(&answer, &[HELD]);
    assert_eq!(running.rest(), "");
    let drained = server.ended();
    assert_eq!((drained.finished(), drained.aborted()), (2, 0));
}

#[test]
fn a_body_that_is_under_way_is_waited_for() {
    let mut server = Running::start();
    let mut client = server.connect();
    let body = about_points(&[[1.0, 2.0, 3.0]]);
    let length = body.len().to_string();
    let headers = [
        ("content-length", length.as_str()),
        ("expect", "100-continue"),
    ];
    client.send(request("POST", ASK_POINTS, &headers, ""));
    assert_eq!(client.answer().status, 100);
    let mut idle = server.connect();
    points_are_answered(&mut idle, &[]);
    server.tell_to_stop();
    assert_eq!(idle.rest(), "");
    client.send(body);
    is_answer_to_points(&client.answer(), &[[1.0, 2.0, 3.0]]);
    assert_eq!(server.ended().aborted(), 0);
}

#[test]
fn requests_that_had_arrived_before_the_order_to_stop_are_answered() {
    for _ in 0..5 {
        let mut server = Running::start();
        let mut clients: Vec<Client> = (0..30).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.send(request(
                "POST",
                ASK_POINTS,
                &[],
                about_points(&[[1.0, 2.0, 3.0]]),
            ));
        }
        server.tell_to_stop();
        for client in &mut clients {
            is_answer_to_points(&client.answer(), &[[1.0, 2.0, 3.0]]);
        }
        let drained = server.ended();
        assert_eq!((drained.finished(), drained.aborted()), (30, 0));
    }
}

#[test]
fn a_request_that_does_not_end_is_cut_off_in_the_end() {
    let limits = Limits::default().with_drain_timeout(Duration::from_millis(50));
    let mut server = Running::within(limits);
    let mut running = running(&server);
    server.tell_to_stop();
    assert_eq!(running.rest(), "");
    assert_eq!(server.ended().aborted(), 1);
}
