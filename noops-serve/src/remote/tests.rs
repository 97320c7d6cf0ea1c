//! A client against a server that misbehaves.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use noops_core::conformance::executor;
use noops_core::{
    Batch, Column, Contract, Error, ErrorKind, Executor, Feature, FeatureRule, OutputRule, Share,
    SystemClock,
};
use tokio::runtime::Handle;

use super::test_server::{Fault, TestServer};
use super::*;

const BINARY: &[&str] = &["binary_tensor_data", "schedule_policy"];
const PATIENT: Duration = Duration::from_secs(10);

fn contract() -> Contract {
    let rules = ["a", "b"].map(|name| FeatureRule::strict(Feature::number(name)));
    Contract::new(rules, OutputRule::number()).unwrap()
}

fn batch() -> Batch {
    Batch::new(vec![
        Column::Number(vec![1.0, 0.1, f32::NAN]),
        Column::Number(vec![2.0, 0.2, 1.0]),
    ])
    .unwrap()
}

/// Retries as fast as they are allowed, and no hedges.
fn settings(server: &TestServer) -> RemoteSettings {
    RemoteSettings::new(&server.url, "sum")
        .with_retries(
            RetrySettings::default()
                .with_backoff(Duration::from_millis(1), Duration::from_millis(1))
                .with_budget(Share::FULL, 0, 100),
        )
        .with_hedges(HedgeSettings::default().with_share(Share::ZERO))
}

async fn connect(settings: RemoteSettings) -> Result<RemoteModel, Error> {
    RemoteModel::connect(settings, &contract(), Arc::new(SystemClock), PATIENT).await
}

async fn served(
    extensions: &[&str],
    plan: impl Fn(usize) -> Fault + Send + Sync + 'static,
) -> (TestServer, RemoteModel) {
    let server = TestServer::start(extensions, plan).await;
    let model = connect(settings(&server)).await.unwrap();
    (server, model)
}

fn failing(status: u16) -> Fault {
    Fault::Status(status, "", b"{\"error\":\"no\"}".to_vec())
}

#[tokio::test]
async fn binary_and_json_give_the_same_scores() {
    for (extensions, binary) in [(BINARY, true), (&[][..], false)] {
        let (server, model) = served(extensions, |_| Fault::None).await;
        assert_eq!(model.is_binary(), binary);
        let scores = model.infer(&batch(), PATIENT).await.unwrap();
        assert_eq!(scores.values()[..2], [3.0, 0.1_f32 + 0.2]);
        assert!(scores.values()[2].is_nan(), "a missing number stays one");
        // The time limit goes along where the server knows what to do with it.
        let timeout = server.last()["parameters"]["timeout"].as_u64();
        assert_eq!(timeout.is_some(), binary);
        assert!(timeout.is_none_or(|limit| limit > 0 && limit <= 10_000_000));
    }
}

#[tokio::test]
async fn a_batch_without_rows_asks_nobody() {
    let (server, model) = served(BINARY, |_| Fault::None).await;
    let scores = model.infer(&batch().take(&[]), PATIENT).await.unwrap();
    assert_eq!((scores.rows(), server.asked()), (0, 0));
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for fault in [
        failing(503),
        failing(429),
        failing(502),
        failing(504),
        Fault::Gone,
        Fault::Truncated,
    ] {
        let plan = fault.clone();
        let (server, model) = served(BINARY, move |nth| match nth {
            0 => plan.clone(),
            _ => Fault::None,
        })
        .await;
        let scores = model.infer(&batch(), PATIENT).await.unwrap();
        assert_eq!(scores.rows(), 3, "{fault:?}");
        assert_eq!(
            (server.asked(), model.counts().retries),
            (2, 1),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    for (fault, kind) in [
        (failing(400), ErrorKind::Invalid),
        (failing(401), ErrorKind::Unauthorised),
        (failing(404), ErrorKind::NotFound),
        (failing(500), ErrorKind::Unavailable),
        (
            Fault::Status(302, "location: http://127.0.0.1:1/\r\n", vec![]),
            ErrorKind::Invalid,
        ),
        (Fault::Status(200, "", b"{}".to_vec()), ErrorKind::Invalid),
        (
            Fault::Status(
                200,
                "Inference-Header-Content-Length: 9\r\n",
                b"{}".to_vec(),
            ),
            ErrorKind::Invalid,
        ),
        (
            Fault::Status(
                200,
                "Inference-Header-Content-Length: x\r\n",
                b"{}".to_vec(),
            ),
            ErrorKind::Invalid,
        ),
        (Fault::ShortByOne, ErrorKind::Invalid),
        (Fault::Endless, ErrorKind::Invalid),
    ] {
        let plan = fault.clone();
        let (server, model) = served(BINARY, move |_| plan.clone()).await;
        let error = model.infer(&batch(), PATIENT).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}: {error}");
        assert_eq!(server.asked(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_pause_that_the_server_asks_for_is_not_waited_for_past_the_deadline() {
    let busy = Fault::Status(503, "retry-after: 60\r\n", vec![]);
    let (server, model) = served(BINARY, move |_| busy.clone()).await;
    let error = model.infer(&batch(), PATIENT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn a_deadline_ends_the_wait() {
    let (_server, model) = served(BINARY, |_| Fault::Slow(PATIENT)).await;
    let rows = batch();
    let wait = model.infer(&rows, Duration::from_millis(30));
    let error = tokio::time::timeout(Duration::from_secs(5), wait)
        .await
        .unwrap()
        .unwrap_err();
    assert!(error.to_string().contains("within the deadline"), "{error}");
    assert_eq!(model.breaker(), BreakerState::Closed);
}

#[tokio::test]
async fn an_answer_is_not_read_past_its_limit() {
    let huge = Fault::Status(200, "", vec![b' '; 2_000]);
    let server = TestServer::start(BINARY, move |_| huge.clone()).await;
    let limited = settings(&server).with_answer_bytes(NonZeroUsize::new(1_000).unwrap());
    let model = connect(limited).await.unwrap();
    let error = model.infer(&batch(), PATIENT).await.unwrap_err();
    assert!(error.to_string().contains("larger"), "{error}");
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone() {
    let server = TestServer::start(BINARY, |_| failing(503)).await;
    let hasty =
        settings(&server).with_retries(RetrySettings::default().with_attempts(NonZeroU32::MIN));
    let model = connect(hasty).await.unwrap();
    for _ in 0..50 {
        assert!(model.infer(&batch(), PATIENT).await.is_err());
    }
    assert_eq!(model.breaker(), BreakerState::Open);
    assert_eq!(server.asked(), 20);
    assert_eq!(model.counts().stopped, 30);
}

#[tokio::test]
async fn a_hedge_overtakes_a_slow_request() {
    // Forty quick answers, then one that would take longer than the test.
    let server = TestServer::start(BINARY, |nth| match nth {
        40 => Fault::Slow(PATIENT),
        _ => Fault::None,
    })
    .await;
    let hedged = settings(&server).with_hedges(HedgeSettings::default());
    let model = connect(hedged).await.unwrap();
    for _ in 0..39 {
        model.infer(&batch(), PATIENT).await.unwrap();
    }
    // A busy machine may have spent a hedge on an ordinary request already.
    while server.asked() <= 40 {
        let scores = model.infer(&batch(), PATIENT).await.unwrap();
        assert_eq!(scores.row(0), Some([3.0].as_slice()));
    }
    let counts = model.counts();
    assert!(counts.hedges >= 1 && counts.hedges_won >= 1, "{counts:?}");
    assert_eq!(counts.sent, counts.requests + counts.hedges);
}

#[tokio::test]
async fn a_large_batch_goes_in_parts() {
    let server = TestServer::start(&[], |_| Fault::None).await;
    let parts = settings(&server).with_rows(NonZeroUsize::new(2).unwrap());
    let model = connect(parts).await.unwrap();
    let scores = model.infer(&batch(), PATIENT).await.unwrap();
    assert_eq!((scores.rows(), server.asked()), (3, 2));
    assert_eq!(scores.values()[..2], [3.0, 0.1_f32 + 0.2]);
}

#[tokio::test]
async fn a_probe_tells_whether_rows_depend_on_one_another() {
    let (_server, model) = served(BINARY, |_| Fault::None).await;
    let finite = batch().take(&[0, 1]);
    let report = model.probe(&finite, PATIENT).await.unwrap();
    assert_eq!(report.batching(), Agreement::Exact);
    let (_server, model) = served(BINARY, |_| Fault::Batched).await;
    let report = model.probe(&finite, PATIENT).await.unwrap();
    assert_eq!(report.rows(), 2);
    assert_eq!(report.repetition(), Agreement::Exact);
    let Agreement::Within(apart) = report.batching() else {
        panic!("two rows are scored one higher than one");
    };
    assert!((apart - 1.0).abs() < 1e-6, "{apart}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn it_is_an_executor() {
    let (_server, model) = served(BINARY, |_| Fault::None).await;
    let mut remote = RemoteExecutor::new(model, Handle::current(), PATIENT);
    tokio::task::spawn_blocking(move || {
        executor::all(&mut remote, &batch());
        assert_eq!(remote.replica().unwrap().run(&batch()).unwrap().rows(), 3);
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn an_executor_on_the_only_thread_of_its_runtime_fails_instead_of_hanging() {
    let (_server, model) = served(BINARY, |_| Fault::None).await;
    let mut remote = RemoteExecutor::new(model, Handle::current(), Duration::from_millis(1));
    let error = remote.run(&batch()).unwrap_err();
    assert!(error.to_string().contains("not driven"), "{error}");
}

#[test]
fn a_runtime_that_is_gone_is_an_error() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (_server, model) = runtime.block_on(served(BINARY, |_| Fault::None));
    let mut remote = RemoteExecutor::new(model, runtime.handle().clone(), PATIENT);
    drop(runtime);
    let error = remote.run(&batch()).unwrap_err();
    assert!(error.to_string().contains("shut down"), "{error}");
}

#[tokio::test]
async fn an_address_or_a_name_that_is_none_is_refused() {
    for url in [
        "",
        "localhost",
        "ftp://host",
        "http://user:pw@host",
        "http://host?token=1",
    ] {
        let error = connect(RemoteSettings::new(url, "sum")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{url}");
        assert!(!error.to_string().contains("pw"), "{error}");
    }
    let server = TestServer::start(BINARY, |_| Fault::None).await;
    for name in ["", "..", "a\nb"] {
        let error = connect(RemoteSettings::new(&server.url, name))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{name:?}");
    }
    let absent = connect(RemoteSettings::new(&server.url, "a/b"))
        .await
        .unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound);
}
