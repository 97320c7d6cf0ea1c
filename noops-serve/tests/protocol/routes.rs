//! Every path, with every method and every name that is wrong.

use crate::client::Client;
use crate::server::Running;

#[test]
fn a_wrong_method_is_refused_and_told_the_right_one() {
    let server = Running::with_repository();
    let mut client = server.connect();
    let reads = [
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/stats",
        "/v2/models/points",
        "/v2/models/points/ready",
        "/v2/models/points/config",
        "/v2/models/points/stats",
        "/v2/models/points/versions/1",
        "/v2/models/points/versions/1/ready",
        "/v2/models/points/versions/1/config",
        "/v2/models/points/versions/1/stats",
        "/metrics",
    ];
    let orders = [
        "/v2/models/points/infer",
        "/v2/models/points/versions/1/infer",
        "/v2/repository/index",
        "/v2/repository/models/orders/load",
        "/v2/repository/models/orders/unload",
    ];
    let reads = reads.map(|path| (path, "GET", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]));
    let orders = orders.map(|path| (path, "POST", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"]));
    for (path, right, wrong) in reads.into_iter().chain(orders) {
        for method in wrong {
            let answer = client.ask(method, path, "");
            let sentence = answer.error(405);
            assert!(sentence.contains(method), "{method} {path}: {sentence}");
            let allowed = answer.header("allow").expect("the methods that are right");
            assert!(allowed.contains(right), "{method} {path}: {allowed}");
        }
    }
}

#[test]
fn what_can_be_read_has_a_head() {
    let server = Running::start();
    let mut client = server.connect();
    for path in ["/v2", "/v2/health/live", "/v2/models/points"] {
        let length = client.get(path).body.len().to_string();
        let answer = client.ask("HEAD", path, "");
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-length"), Some(length.as_str()));
    }
}

#[test]
fn a_path_that_is_not_there_is_404() {
    let server = Running::start();
    let mut client = server.connect();
    for path in [
        "/",
        "/v1",
        "/v3/models",
        "/v2/model/points",
        "/v2/models",
        "/v2/models/",
        "/v2/models/points/versions",
        "/v2/models/points/infer/more",
        "/v2/models/points/predict",
        "/v2/health",
        "/v2/repository",
        "/v2/repository/models/points",
        "/V2",
        "/v2/../v2",
    ] {
        for method in ["GET", "POST"] {
            let sentence = client.ask(method, path, "").error(404);
            assert!(sentence.contains("`/v2`"), "{method} {path}: {sentence}");
        }
    }
}

#[test]
fn a_model_or_version_that_is_not_there_is_404_and_named() {
    let server = Running::start();
    let mut client = server.connect();
    for suffix in ["", "/ready", "/config", "/stats", "/infer"] {
        for (model, name) in [
            ("nobody", "nobody"),
            ("points/versions/2", "2"),
            ("points/versions/one", "one"),
            ("points/versions/01", "01"),
            ("POINTS", "POINTS"),
            ("no%2Fbody", "no/body"),
        ] {
            let path = format!("/v2/models/{model}{suffix}");
            let sentence = ask(&mut client, &path).error(404);
            assert!(
                sentence.contains(&format!("`{name}`")),
                "{path}: {sentence}"
            );
        }
    }
}

#[test]
fn an_empty_name_is_no_model() {
    let server = Running::start();
    ask(&mut server.connect(), "/v2/models//infer").error(404);
}

#[test]
fn a_name_that_is_no_text_is_400() {
    let server = Running::start();
    let mut client = server.connect();
    for path in [
        "/v2/models/%ff",
        "/v2/models/%C3/infer",
        "/v2/models/points/versions/%80",
    ] {
        ask(&mut client, path).error(400);
    }
    // A percent sign that encodes nothing is a character like others.
    ask(&mut client, "/v2/models/%zz").error(404);
}

#[test]
fn settings_that_there_are_none_of_are_501() {
    let server = Running::start();
    let mut client = server.connect();
    for path in ["/v2/trace/setting", "/v2/logging"] {
        for method in ["GET", "POST"] {
            client.ask(method, path, "").error(501);
        }
    }
}

/// Gets, or posts rows to a path that wants them.
fn ask(client: &mut Client, path: &str) -> crate::client::Answer {
    match path.ends_with("/infer") {
        true => client.post(path, crate::question::about_points(&[[1.0, 2.0, 3.0]])),
        false => client.get(path),
    }
}
