use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower_service::Service as _;

use super::router;
use crate::protocol::testing;
use crate::protocol::{AccessRules, ClientCertificate, Grant, Limits, Verb};

mod infer;

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

async fn call(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

async fn ask(router: &Router, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    call(router, request.body(Body::from(body.to_owned())).unwrap()).await
}

fn open() -> Router {
    router(testing::service(AccessRules::open(), Limits::default()))
}

#[tokio::test]
async fn every_path_of_the_protocol_answers() {
    let router = open();
    let m = testing::MODEL;
    for (method, path, status) in [
        ("GET", "/v2".to_owned(), 200),
        ("GET", "/v2/".to_owned(), 200),
        ("HEAD", "/v2".to_owned(), 200),
        ("GET", "/v2/health/live".to_owned(), 200),
        ("GET", "/v2/health/ready".to_owned(), 200),
        ("GET", format!("/v2/models/{m}"), 200),
        ("GET", format!("/v2/models/{m}/versions/1"), 200),
        ("GET", format!("/v2/models/{m}/ready"), 200),
        ("GET", format!("/v2/models/{m}/versions/1/ready"), 200),
        ("GET", format!("/v2/models/{m}/config"), 200),
        ("GET", format!("/v2/models/{m}/stats"), 200),
        ("GET", "/v2/models/stats".to_owned(), 200),
        ("GET", "/v2/models/nobody".to_owned(), 404),
        ("GET", format!("/v2/models/{m}/versions/99"), 404),
        ("GET", "/v2/models/nobody/ready".to_owned(), 404),
        ("GET", "/v2/models/nobody/config".to_owned(), 404),
        ("GET", "/v2/models/nobody/stats".to_owned(), 404),
        ("GET", "/v2/models/%ff/stats".to_owned(), 400),
        ("POST", "/v2/repository/index".to_owned(), 200),
        ("POST", format!("/v2/repository/models/{m}/load"), 200),
        ("POST", "/v2/repository/models/nobody/load".to_owned(), 404),
        (
            "POST",
            "/v2/repository/models/nobody/unload".to_owned(),
            404,
        ),
        ("GET", "/v2/trace/setting".to_owned(), 501),
        ("POST", "/v2/logging".to_owned(), 501),
        ("GET", "/metrics".to_owned(), 200),
        ("POST", format!("/v2/models/{m}"), 405),
        ("GET", format!("/v2/models/{m}/infer"), 405),
        ("DELETE", "/v2/repository/index".to_owned(), 405),
    ] {
        let answer = ask(&router, method, &path, "").await;
        assert_eq!(
            answer.status,
            status,
            "{method} {path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        if status >= 400 {
            assert!(!answer.error().is_empty(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    let answer = ask(&open(), "PUT", "/v2/models/x/infer", "").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.headers["allow"], "POST");
}

#[tokio::test]
async fn metadata_has_the_fields_of_the_specification() {
    let router = open();
    let server = ask(&router, "GET", "/v2", "").await.json();
    assert!(
        server["name"].is_string()
            && server["version"].is_string()
            && server["extensions"].is_array()
    );
    let model = ask(
        &router,
        "GET",
        &format!("/v2/models/{}", testing::MODEL),
        "",
    )
    .await
    .json();
    assert_eq!(model["name"], testing::MODEL);
    assert!(model["versions"].is_array() && model["platform"].is_string());
    assert!(model["inputs"][0]["shape"].is_array() && model["inputs"][0]["datatype"].is_string());
}

#[tokio::test]
async fn statistics_have_tritons_names() {
    let stats = ask(&open(), "GET", "/v2/models/stats", "").await.json();
    let model = &stats["model_stats"][0];
    for field in [
        "name",
        "version",
        "last_inference",
        "inference_count",
        "execution_count",
        "batch_stats",
    ] {
        assert!(!model[field].is_null(), "{field}");
    }
    for field in [
        "success",
        "fail",
        "queue",
        "compute_input",
        "compute_infer",
        "compute_output",
    ] {
        assert!(model["inference_stats"][field]["ns"].is_u64(), "{field}");
    }
}

#[tokio::test]
async fn the_index_lists_states() {
    let router = open();
    let all = ask(&router, "POST", "/v2/repository/index", "")
        .await
        .json();
    assert!(
        all.as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["state"] == "READY")
    );
    let ready = ask(&router, "POST", "/v2/repository/index", r#"{"ready":true}"#)
        .await
        .json();
    assert!(
        ready
            .as_array()
            .unwrap()
            .iter()
            .all(|entry| entry["state"] == "READY")
    );
    for wrong in ["{", "[1]", r#"{"ready":1}"#] {
        assert_eq!(
            ask(&router, "POST", "/v2/repository/index", wrong)
                .await
                .status,
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_load_that_would_change_the_model_is_refused() {
    let path = format!("/v2/repository/models/{}/load", testing::MODEL);
    let answer = ask(&open(), "POST", &path, r#"{"parameters":{"config":"{}"}}"#).await;
    assert_eq!(answer.status, 501);
}

#[tokio::test]
async fn a_host_may_merge_and_nest_the_routes_and_keeps_its_own_fallback() {
    let host = Router::new()
        .nest("/ml", open())
        .merge(open())
        .fallback(async || (StatusCode::IM_A_TEAPOT, "mine"));
    for path in ["/ml/v2/health/live", "/v2/health/live"] {
        assert_eq!(ask(&host, "GET", path, "").await.status, 200, "{path}");
    }
    assert_eq!(ask(&host, "GET", "/v3", "").await.status, 418);
}

#[tokio::test]
async fn rules_hold_for_every_path_but_health() {
    let m = testing::MODEL;
    let rules = AccessRules::open()
        .with_token("asks", Grant::new([Verb::Infer]).on_models([m]))
        .with_token("reads", Grant::new([Verb::Read]))
        .with_token("runs", Grant::new([Verb::Manage]).on_models([m]))
        .with_token("scrapes", Grant::new([Verb::Metrics]));
    let router = router(testing::service(rules, Limits::default()));
    for (method, path, verb) in [
        ("POST", format!("/v2/models/{m}/infer"), "asks"),
        ("GET", "/v2".to_owned(), "reads"),
        ("GET", format!("/v2/models/{m}"), "reads"),
        ("GET", format!("/v2/models/{m}/config"), "reads"),
        ("GET", format!("/v2/models/{m}/stats"), "reads"),
        ("GET", "/v2/models/stats".to_owned(), "reads"),
        ("POST", "/v2/repository/index".to_owned(), "reads"),
        ("POST", format!("/v2/repository/models/{m}/load"), "runs"),
        ("POST", format!("/v2/repository/models/{m}/unload"), "runs"),
        ("GET", "/metrics".to_owned(), "scrapes"),
    ] {
        let with = async |credentials: Option<&str>| {
            let mut request = Request::builder().method(method).uri(&path);
            if let Some(credentials) = credentials {
                request = request.header("authorization", credentials);
            }
            call(&router, request.body(Body::empty()).unwrap()).await
        };
        for stranger in [
            None,
            Some("Bearer who"),
            Some("Basic asks"),
            Some("Bearer"),
            Some("bearer "),
        ] {
            let answer = with(stranger).await;
            assert_eq!(answer.status, 401, "{path} {stranger:?}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
        for token in ["asks", "reads", "runs", "scrapes"] {
            let status = with(Some(&format!("bearer {token}"))).await.status;
            assert_eq!(status != 403, token == verb, "{path} {token}: {status}");
            assert_ne!(status, 401);
        }
    }
    assert_eq!(
        ask(&router, "GET", "/v2/health/ready", "").await.status,
        200
    );
}

#[tokio::test]
async fn a_certificate_among_the_extensions_is_a_credential() {
    let certificate = ClientCertificate::of_der(b"der");
    let rules = AccessRules::open().with_certificate(certificate.subject(), Grant::everything());
    let router = router(testing::service(rules, Limits::default()));
    let mut request = Request::builder().uri("/v2").body(Body::empty()).unwrap();
    request.extensions_mut().insert(certificate);
    assert_eq!(call(&router, request).await.status, 200);
    assert_eq!(ask(&router, "GET", "/v2", "").await.status, 401);
}
