//! One client's faults are nobody else's business.

use std::thread;
use std::time::Duration;

use crate::client::{Client, request};
use crate::model::{BREAK, FAIL, ORDERS, PANIC, POINTS, WAIT};
use crate::question::{
    ASK_ORDERS, ASK_POINTS, about_orders, about_points, is_answer_to_orders, is_answer_to_points,
    points_are_answered,
};
use crate::server::Running;

fn ask_for(client: &mut Client, row: [f32; 3]) {
    client.send(request("POST", ASK_POINTS, &[], about_points(&[row])));
}

/// The model is at work until its gate opens.
fn occupied(server: &Running) -> Client {
    let mut client = server.connect();
    ask_for(&mut client, [WAIT, 0.0, 0.0]);
    server.gate.wait_for_arrival();
    client
}

/// So many clients who wait behind it.
fn waiting(server: &Running, count: usize) -> Vec<Client> {
    let before = server.models.waiting_rows();
    let clients = (0..count).map(|row| {
        let mut client = server.connect();
        ask_for(&mut client, [row as f32, 1.0, 0.0]);
        client
    });
    let clients = clients.collect();
    until_waiting(server, before + count);
    clients
}

fn until_waiting(server: &Running, rows: usize) {
    for _ in 0..2_000 {
        if server.models.waiting_rows() == rows {
            return;
        }
        thread::sleep(Duration::from_millis(2));
    }
    panic!(
        "{rows} rows should wait, {} do",
        server.models.waiting_rows()
    );
}

fn are_answered(clients: Vec<Client>) {
    for (row, mut client) in clients.into_iter().enumerate() {
        is_answer_to_points(&client.answer(), &[[row as f32, 1.0, 0.0]]);
    }
}

#[test]
fn a_client_that_leaves_takes_nobody_with_it() {
    let server = Running::start();
    let leader = occupied(&server);
    let neighbours = waiting(&server, 6);
    for leaver in waiting(&server, 6) {
        leaver.hang_up();
    }
    // Whoever leads may leave too.
    leader.hang_up();
    server.gate.open();
    are_answered(neighbours);
    points_are_answered(&mut server.connect(), &[[1.0, 2.0, 3.0]]);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_request_harms_nobody() {
    let server = Running::start();
    let mut honest = server.connect();
    let whole = request("POST", ASK_POINTS, &[], about_points(&[[1.0, 2.0, 3.0]]));
    for end in (1..whole.len()).step_by(9) {
        let mut client = server.connect();
        client.send(&whole[..end]);
        client.hang_up();
    }
    points_are_answered(&mut honest, &[[1.0, 2.0, 3.0]]);
}

#[test]
fn a_malformed_request_harms_nobody_beside_it() {
    let server = Running::start();
    let mut leader = occupied(&server);
    let neighbours = waiting(&server, 6);
    let mut wrong = server.connect();
    wrong.post(ASK_POINTS, "{").error(400);
    wrong
        .post(ASK_POINTS, about_orders(&[(1.0, "de")]))
        .error(400);
    wrong
        .post(
            "/v2/models/points/versions/9/infer",
            about_points(&[[0.0; 3]]),
        )
        .error(404);
    server.gate.open();
    are_answered(neighbours);
    is_answer_to_points(&leader.answer(), &[[WAIT, 0.0, 0.0]]);
}

#[test]
fn a_row_that_the_model_fails_on_costs_its_own_client_the_answer_alone() {
    for order in [PANIC, FAIL, BREAK] {
        let server = Running::start();
        let mut leader = occupied(&server);
        let neighbours = waiting(&server, 4);
        let mut culprit = server.connect();
        ask_for(&mut culprit, [order, 0.0, 0.0]);
        until_waiting(&server, 5);
        server.gate.open();
        culprit.answer().error(500);
        are_answered(neighbours);
        is_answer_to_points(&leader.answer(), &[[WAIT, 0.0, 0.0]]);
    }
}

#[test]
fn a_model_that_panics_answers_with_an_error_and_goes_on() {
    let server = Running::start();
    let mut client = server.connect();
    for _ in 0..5 {
        let answer = client.post(ASK_POINTS, about_points(&[[PANIC, 0.0, 0.0]]));
        assert!(answer.error(500).contains("panicked"));
        points_are_answered(&mut client, &[[1.0, 2.0, 3.0]]);
    }
    assert_eq!(client.get("/v2/models/points/ready").status, 200);
}

#[test]
fn a_model_that_is_at_work_keeps_no_other_waiting() {
    let server = Running::start();
    let mut leader = occupied(&server);
    let mut client = server.connect();
    let answer = client.post(ASK_ORDERS, about_orders(&[(1.0, "de")]));
    is_answer_to_orders(&answer, &[1002.0]);
    assert_eq!(client.get("/v2/health/ready").status, 200);
    assert_eq!(client.get("/metrics").status, 200);
    server.gate.open();
    is_answer_to_points(&leader.answer(), &[[WAIT, 0.0, 0.0]]);
}

#[test]
fn two_models_answer_many_clients_each_with_its_own() {
    let server = Running::start();
    thread::scope(|scope| {
        for number in 0..6 {
            let mut client = server.connect();
            scope.spawn(move || {
                for row in 0..40 {
                    let x = (row * 10 + number) as f32;
                    if (row + number) % 2 == 0 {
                        points_are_answered(&mut client, &[[x, 1.0, 0.0], [0.0, x, 1.0]]);
                    } else {
                        let answer = client.post(ASK_ORDERS, about_orders(&[(x, "se")]));
                        is_answer_to_orders(&answer, &[2000.0 + 2.0 * x]);
                    }
                }
            });
        }
    });
    for model in [POINTS, ORDERS] {
        let stats = server
            .connect()
            .get(&format!("/v2/models/{model}/stats"))
            .ok();
        let success = &stats["model_stats"][0]["inference_stats"]["success"]["count"];
        assert_eq!(success, 120, "{model}");
    }
}
