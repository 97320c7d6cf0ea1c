//! The model repository extension.

use serde_json::{Value, json};

use crate::client::Client;
use crate::model::{ORDERS, POINTS};
use crate::question::{ASK_ORDERS, about_orders, is_answer_to_orders};
use crate::server::Running;

fn states(client: &mut Client, question: &str) -> Vec<(String, String)> {
    let index = client.post("/v2/repository/index", question).ok();
    let entries = index.as_array().unwrap().iter();
    let states = entries.map(|entry| {
        let text = |field: &str| entry[field].as_str().unwrap().to_owned();
        let (version, reason) = (text("version"), text("reason"));
        let ready = text("state") == "READY";
        assert_eq!(
            (version.is_empty(), reason.is_empty()),
            (!ready, ready),
            "{entry}"
        );
        (text("name"), text("state"))
    });
    states.collect()
}

fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, state): &(&str, &str)| ((*name).to_owned(), (*state).to_owned());
    pairs.iter().map(owned).collect()
}

const READY: [(&str, &str); 2] = [(ORDERS, "READY"), (POINTS, "READY")];

#[test]
fn the_index_has_what_serves_and_what_could() {
    let server = Running::with_repository();
    let mut client = server.connect();
    let all = [
        READY[0],
        READY[1],
        ("broken", "UNAVAILABLE"),
        ("gone", "UNAVAILABLE"),
    ];
    for question in [
        "",
        " ",
        "{}",
        r#"{"ready":false}"#,
        r#"{"repository_name":"r"}"#,
    ] {
        assert_eq!(states(&mut client, question), of(&all), "{question}");
    }
    assert_eq!(states(&mut client, r#"{"ready":true}"#), of(&READY));
    let server = Running::start();
    assert_eq!(states(&mut server.connect(), ""), of(&READY));
}

#[test]
fn a_model_that_is_unloaded_is_gone_until_it_is_loaded() {
    let server = Running::with_repository();
    let mut client = server.connect();
    let answer = client.post("/v2/repository/models/orders/unload", "");
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    client
        .post(ASK_ORDERS, about_orders(&[(1.0, "de")]))
        .error(404);
    client.get("/v2/models/orders").error(404);
    client.get("/v2/models/orders/ready").error(404);
    client
        .post("/v2/repository/models/orders/unload", "")
        .error(404);
    assert!(states(&mut client, "").contains(&of(&[(ORDERS, "UNAVAILABLE")])[0]));
    assert_eq!(
        client.get("/v2/health/ready").status,
        200,
        "points are there"
    );

    let answer = client.post("/v2/repository/models/orders/load", "");
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(client.get("/v2/models/orders/ready").status, 200);
    let answer = client.post(ASK_ORDERS, about_orders(&[(1.0, "de")]));
    is_answer_to_orders(&answer, &[1002.0]);
}

#[test]
fn a_model_that_serves_is_loaded_anew() {
    let server = Running::with_repository();
    let mut client = server.connect();
    client.post(ASK_ORDERS, about_orders(&[(1.0, "de")])).ok();
    assert_eq!(
        client
            .post("/v2/repository/models/orders/load", "{}")
            .status,
        200
    );
    let stats = client.get("/v2/models/orders/stats").ok();
    assert_eq!(stats["model_stats"][0]["inference_count"], 0);
}

#[test]
fn parameters_of_an_unload_are_taken() {
    let server = Running::with_repository();
    let body = json!({"parameters": {"unload_dependents": true}}).to_string();
    let answer = server
        .connect()
        .post("/v2/repository/models/orders/unload", body);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn what_cannot_be_loaded_is_an_error_and_changes_nothing() {
    let server = Running::with_repository();
    let mut client = server.connect();
    for (model, status) in [
        ("gone", 404),
        ("nobody", 404),
        ("broken", 500),
        ("no%2Fname", 400),
    ] {
        let path = format!("/v2/repository/models/{model}/load");
        client.post(&path, "").error(status);
    }
    for (model, status) in [("gone", 404), ("nobody", 404), (POINTS, 403)] {
        let path = format!("/v2/repository/models/{model}/unload");
        let sentence = client.post(&path, "").error(status);
        assert!(sentence.contains(&format!("`{model}`")), "{sentence}");
    }
    assert_eq!(states(&mut client, r#"{"ready":true}"#), of(&READY));
}

#[test]
fn an_order_that_is_none_is_400() {
    let server = Running::with_repository();
    let mut client = server.connect();
    let orders = "/v2/repository/models/orders";
    for path in [format!("{orders}/load"), format!("{orders}/unload")] {
        for wrong in [
            "{",
            "1",
            "null",
            "[]",
            "[{}]",
            r#"{"parameters":1}"#,
            "\"\"",
            "{} {}",
        ] {
            client.post(&path, wrong).error(400);
        }
    }
    for wrong in [
        "{",
        "1",
        "null",
        "[]",
        "[true]",
        r#"{"ready":"yes"}"#,
        r#"{"ready":1}"#,
    ] {
        client.post("/v2/repository/index", wrong).error(400);
    }
    assert_eq!(states(&mut client, r#"{"ready":true}"#), of(&READY));
}

#[test]
fn a_model_is_loaded_as_it_is_stored() {
    let server = Running::with_repository();
    let mut client = server.connect();
    for name in ["config", "file:1/model.onnx"] {
        let parameters = Value::from_iter([(name, "{}")]);
        let body = json!({"parameters": parameters}).to_string();
        client
            .post("/v2/repository/models/orders/load", body)
            .error(501);
    }
}

#[test]
fn without_a_repository_nothing_is_loaded_at_a_clients_request() {
    let server = Running::start();
    let mut client = server.connect();
    for order in ["load", "unload"] {
        let path = format!("/v2/repository/models/orders/{order}");
        client.post(&path, "").error(501);
    }
    assert_eq!(client.get("/v2/models/orders/ready").status, 200);
}
