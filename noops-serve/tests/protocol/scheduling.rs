//! Deadlines, priorities and arms.

use std::time::Duration;

use noops_serve::protocol::Limits;
use serde_json::{Value, json};

use crate::client::{Client, request};
use crate::model::WAIT;
use crate::question::{ASK_POINTS, about_points, is_answer_to_points, matrix, points_are_answered};
use crate::server::Running;

const ROW: [[f32; 3]; 1] = [[1.0, 2.0, 3.0]];

fn with_parameters(parameters: Value) -> String {
    json!({"inputs": [matrix(&ROW)], "parameters": parameters}).to_string()
}

fn occupied(server: &Running) -> Client {
    let mut client = server.connect();
    client.send(request(
        "POST",
        ASK_POINTS,
        &[],
        about_points(&[[WAIT, 0.0, 0.0]]),
    ));
    server.gate.wait_for_arrival();
    client
}

#[test]
fn a_request_that_waits_too_long_is_504_and_not_run() {
    let server = Running::start();
    let mut leader = occupied(&server);
    let mut client = server.connect();
    client
        .post(ASK_POINTS, with_parameters(json!({"timeout": 50_000})))
        .error(504);
    let headers = [("noops-timeout-ms", "50")];
    client
        .ask_with("POST", ASK_POINTS, &headers, about_points(&ROW))
        .error(504);
    server.gate.open();
    is_answer_to_points(&leader.answer(), &[[WAIT, 0.0, 0.0]]);
    points_are_answered(&mut client, &ROW);
    let stats = client.get("/v2/models/points/stats").ok();
    assert_eq!(stats["model_stats"][0]["execution_count"], 2);
}

#[test]
fn nobody_waits_longer_than_the_server_allows() {
    let server = Running::within(Limits::default().with_request_timeout(Duration::from_millis(80)));
    let mut leader = occupied(&server);
    let mut client = server.connect();
    for timeout in [json!({}), json!({"timeout": 3_600_000_000_u64})] {
        client.post(ASK_POINTS, with_parameters(timeout)).error(504);
    }
    leader.answer().error(504);
}

#[test]
fn a_timeout_that_can_be_kept_changes_nothing() {
    let server = Running::start();
    let mut client = server.connect();
    for timeout in [json!(0), json!(30_000_000), json!(u64::MAX)] {
        let answer = client.post(ASK_POINTS, with_parameters(json!({"timeout": timeout})));
        is_answer_to_points(&answer, &ROW);
    }
}

#[test]
fn a_timeout_or_priority_that_is_no_whole_number_is_400_and_named() {
    let server = Running::start();
    let mut client = server.connect();
    for name in ["timeout", "priority"] {
        for wrong in [json!(-1), json!(0.5), json!("1"), json!(true)] {
            let parameters = Value::from_iter([(name, wrong)]);
            let sentence = client
                .post(ASK_POINTS, with_parameters(parameters))
                .error(400);
            assert!(sentence.contains(&format!("`{name}`")), "{sentence}");
        }
    }
    for wrong in ["soon", "-1", "1.5", ""] {
        let headers = [("noops-timeout-ms", wrong)];
        client
            .ask_with("POST", ASK_POINTS, &headers, about_points(&ROW))
            .error(400);
    }
    let unit = with_parameters(json!({"unit": 7}));
    assert!(client.post(ASK_POINTS, unit).error(400).contains("`unit`"));
}

#[test]
fn any_whole_number_is_a_priority() {
    let server = Running::start();
    let mut client = server.connect();
    for priority in [0, 1, 128, 255, 256, u64::MAX] {
        let body = with_parameters(json!({"priority": priority, "unit": "customer-7"}));
        is_answer_to_points(&client.post(ASK_POINTS, body), &ROW);
    }
}

#[test]
fn an_arm_is_asked_for_by_its_name() {
    let server = Running::start();
    let mut client = server.connect();
    let mut asked = |arm| {
        client.ask_with(
            "POST",
            ASK_POINTS,
            &[("noops-arm", arm)],
            about_points(&ROW),
        )
    };
    is_answer_to_points(&asked("champion"), &ROW);
    assert!(asked("winner").error(400).contains("`winner`"));
}
