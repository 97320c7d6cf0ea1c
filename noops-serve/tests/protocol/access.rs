//! Who may do what.

use noops_serve::protocol::{AccessRules, Grant, Verb};

use crate::client::{Answer, Client};
use crate::model::{ORDERS, POINTS};
use crate::question::{ASK_ORDERS, ASK_POINTS, about_orders, about_points};
use crate::server::Running;

/// Each token may do one thing, on points alone.
fn guarded() -> Running {
    let on_points = |verb| Grant::new([verb]).on_models([POINTS]);
    let rules = AccessRules::open()
        .with_token("asks", on_points(Verb::Infer))
        .with_token("reads", on_points(Verb::Read))
        .with_token("runs", on_points(Verb::Manage))
        .with_token("scrapes", Grant::new([Verb::Metrics]))
        .with_token("owns", Grant::everything());
    Running::guarded(rules)
}

fn with(client: &mut Client, credentials: &str, method: &str, path: &str) -> Answer {
    let headers = [("authorization", credentials)];
    let body = match path {
        ASK_POINTS => about_points(&[[1.0, 2.0, 3.0]]),
        ASK_ORDERS => about_orders(&[(1.0, "de")]),
        _ => String::new(),
    };
    client.ask_with(method, path, &headers, body)
}

const PATHS: [(&str, &str, &str); 13] = [
    ("POST", ASK_POINTS, "asks"),
    ("GET", "/v2", "reads"),
    ("GET", "/v2/", "reads"),
    ("GET", "/v2/models/points", "reads"),
    ("GET", "/v2/models/points/ready", "reads"),
    ("GET", "/v2/models/points/config", "reads"),
    ("GET", "/v2/models/points/stats", "reads"),
    ("GET", "/v2/models/points/versions/1", "reads"),
    ("GET", "/v2/models/stats", "reads"),
    ("POST", "/v2/repository/index", "reads"),
    ("POST", "/v2/repository/models/points/load", "runs"),
    ("POST", "/v2/repository/models/points/unload", "runs"),
    ("GET", "/metrics", "scrapes"),
];

#[test]
fn a_stranger_is_401_and_told_how_to_show_itself() {
    let server = guarded();
    let mut client = server.connect();
    for (method, path, token) in PATHS {
        let answer = client.ask(method, path, "");
        answer.error(401);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{path}");
        for wrong in [
            "Bearer",
            "Bearer ",
            "Bearer nobody",
            &format!("Bearer {token}x"),
            &format!("Bearer {}", &token[1..]),
            &format!("Basic {token}"),
            token,
        ] {
            with(&mut client, wrong, method, path).error(401);
        }
    }
}

#[test]
fn a_token_does_what_it_was_granted_and_nothing_else() {
    let server = guarded();
    let mut client = server.connect();
    for (method, path, right) in PATHS {
        for token in ["asks", "reads", "runs", "scrapes"] {
            let answer = with(&mut client, &format!("Bearer {token}"), method, path);
            if token != right {
                answer.error(403);
            } else if right == "runs" {
                // Allowed; but points are of no repository.
                let status = answer.status;
                assert!(
                    status == 404 || answer.error(403).contains(POINTS),
                    "{path}: {status}"
                );
            } else {
                assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            }
        }
    }
}

#[test]
fn a_token_for_one_model_is_nothing_to_another() {
    let server = guarded();
    let mut client = server.connect();
    for (method, path, token) in [
        ("POST", ASK_ORDERS, "asks"),
        ("GET", "/v2/models/orders", "reads"),
        ("GET", "/v2/models/orders/ready", "reads"),
        ("GET", "/v2/models/orders/config", "reads"),
        ("GET", "/v2/models/orders/stats", "reads"),
        ("POST", "/v2/repository/models/orders/load", "runs"),
        ("POST", "/v2/repository/models/orders/unload", "runs"),
        // Whether a model exists is not for everybody to find out.
        ("GET", "/v2/models/nobody", "reads"),
        ("POST", "/v2/models/nobody/infer", "asks"),
    ] {
        with(&mut client, &format!("Bearer {token}"), method, path).error(403);
    }
    let answer = with(&mut client, "Bearer owns", "POST", ASK_ORDERS);
    assert_eq!(answer.ok()["model_name"], ORDERS);
}

#[test]
fn health_is_for_everybody() {
    let server = guarded();
    let mut client = server.connect();
    for path in ["/v2/health/live", "/v2/health/ready"] {
        assert_eq!(client.get(path).status, 200);
        assert_eq!(with(&mut client, "Bearer nobody", "GET", path).status, 200);
    }
}

#[test]
fn a_scheme_may_be_written_in_any_case() {
    let server = guarded();
    let mut client = server.connect();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = with(&mut client, &format!("{scheme} owns"), "GET", "/v2");
        assert_eq!(answer.status, 200, "{scheme}");
    }
}

#[test]
fn a_stranger_is_refused_before_its_body_is_sent() {
    let server = guarded();
    let mut client = server.connect();
    let head = format!(
        "POST {ASK_POINTS} HTTP/1.1\r\nhost: test\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n"
    );
    client.send(head);
    client.answer().error(401);
}
