use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use hyper::body::Frame;

use super::*;

/// So many bytes, one after the other, unannounced.
struct Pieces(usize);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or_default();
        Poll::Ready(left.map(|_| Ok(Frame::data(Bytes::from_static(b" ")))))
    }
}

/// A body that is never sent.
struct Silence;

impl HttpBody for Silence {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

fn path() -> String {
    format!("/v2/models/{}/infer", testing::MODEL)
}

fn question() -> String {
    json!({"id": "q-1", "inputs": [{"name": "input", "shape": [1, 2], "datatype": "FP32", "data": [1.0, 2.0]}]}).to_string()
}

async fn post(router: &Router, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method("POST").uri(path());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    call(router, request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn json_in_json_out_with_the_id_repeated() {
    let answer = post(&open(), &[], question()).await;
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    assert_eq!(answer.headers["content-type"], "application/json");
    let body = answer.json();
    assert_eq!(
        (&body["id"], &body["model_name"]),
        (&json!("q-1"), &json!(testing::MODEL))
    );
    assert!(body["outputs"][0]["data"].is_array());
}

#[tokio::test]
async fn bytes_in_bytes_out() {
    let header = json!({
        "parameters": {"binary_data_output": true},
        "inputs": [{"name": "input", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}],
    })
    .to_string();
    let length = header.len().to_string();
    let body = [
        header.as_bytes(),
        &1.0_f32.to_le_bytes(),
        &2.0_f32.to_le_bytes(),
    ]
    .concat();
    let answer = post(
        &open(),
        &[("Inference-Header-Content-Length", &length)],
        body.clone(),
    )
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    let length: usize = answer.headers["inference-header-content-length"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let head: Value = serde_json::from_slice(&answer.body[..length]).unwrap();
    let size = head["outputs"][0]["parameters"]["binary_data_size"]
        .as_u64()
        .unwrap();
    assert_eq!(answer.body.len() - length, size as usize);

    for wrong in ["1", "999999", "-1", "x", "99999999999999999999999", "+5"] {
        let answer = post(
            &open(),
            &[("Inference-Header-Content-Length", wrong)],
            body.clone(),
        )
        .await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_malformed_question_gets_400_and_a_sentence() {
    for body in ["", "{", "[]", "{\"inputs\":1}", "\u{0}"] {
        let answer = post(&open(), &[], body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(!answer.error().is_empty());
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_announced_or_not() {
    let limits = Limits::default().with_max_body_bytes(64);
    let router = router(testing::service(AccessRules::open(), limits));
    assert_eq!(post(&router, &[], vec![b' '; 65]).await.status, 413);
    let unannounced = Pieces(100);
    assert_eq!(post(&router, &[], Body::new(unannounced)).await.status, 413);
    // A thousand to one: small as sent, large as meant.
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&[b' '; 10_000]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 64);
    assert_eq!(
        post(&router, &[("content-encoding", "gzip")], bomb)
            .await
            .status,
        413
    );
}

#[tokio::test]
async fn compressed_bodies_are_read() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(question().as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(question().as_bytes()).unwrap();
    let router = open();
    assert_eq!(
        post(&router, &[("content-encoding", "gzip")], gzip.clone())
            .await
            .status,
        200
    );
    assert_eq!(
        post(
            &router,
            &[("content-encoding", "deflate")],
            zlib.finish().unwrap()
        )
        .await
        .status,
        200
    );
    assert_eq!(
        post(&router, &[("content-encoding", "identity")], question())
            .await
            .status,
        200
    );
    assert_eq!(
        post(&router, &[("content-encoding", "br")], question())
            .await
            .status,
        415
    );
    assert_eq!(
        post(&router, &[("content-encoding", "gzip")], question())
            .await
            .status,
        400
    );
    let cut = gzip[..gzip.len() - 9].to_vec();
    assert_eq!(
        post(&router, &[("content-encoding", "gzip")], cut)
            .await
            .status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_not_waited_for() {
    let limits = Limits::default().with_body_timeout(Duration::from_secs(3));
    let router = router(testing::service(AccessRules::open(), limits));
    let endless = Silence;
    assert_eq!(post(&router, &[], Body::new(endless)).await.status, 504);
}

#[tokio::test]
async fn a_client_without_rights_is_refused_before_its_body_is_read() {
    let rules = AccessRules::open().with_token("t", Grant::everything());
    let router = router(testing::service(rules, Limits::default()));
    let endless = Silence;
    assert_eq!(post(&router, &[], Body::new(endless)).await.status, 401);
}

#[tokio::test]
async fn a_wait_that_is_no_number_is_refused() {
    let router = open();
    assert_eq!(
        post(&router, &[("noops-timeout-ms", "60000")], question())
            .await
            .status,
        200
    );
    assert_eq!(
        post(&router, &[("noops-timeout-ms", "soon")], question())
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_percent_encoded_name_is_the_name() {
    let request = Request::builder()
        .method("POST")
        .uri("/v2/models/no%2Fbody%20%C3%BC/infer");
    let answer = call(&open(), request.body(Body::from(question())).unwrap()).await;
    assert_eq!(answer.status, 404);
    assert!(answer.error().contains("`no/body ü`"), "{}", answer.error());
}
