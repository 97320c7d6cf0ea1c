//! Servers that are not, or no longer, what they were.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use super::*;

/// An address that answers each request with what a function makes of its path and body; without an answer it stays silent.
fn server(answer: impl Fn(&str, &Value) -> Option<String> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut silent: Vec<TcpStream> = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let Some((path, body)) = request(&mut stream) else {
                continue;
            };
            match answer(&path, &body) {
                Some(answer) => {
                    stream.write_all(answer.as_bytes()).ok();
                }
                None => silent.push(stream),
            }
        }
    });
    address
}

/// The path and the JSON of a request.
fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut received: Vec<u8> = Vec::new();
    let mut buffer = [0_u8; 4096];
    loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        received.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&received).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let path = head.split(' ').nth(1)?.to_owned();
        if let Ok(body) = serde_json::from_str(body) {
            return Some((path, body));
        }
    }
}

fn plain(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

/// What Feast answers for drivers that it knows as `cells` says: value and status of `conv_rate`, with one event time.
pub(super) fn document(
    body: &Value,
    rate: &Value,
    trips: &Value,
    status: &str,
    event: &str,
) -> Value {
    let drivers = &body["entities"]["driver_id"];
    let count = drivers.as_array().map_or(0, Vec::len);
    let column = |value: &Value| {
        json!({
            "values": vec![value; count],
            "statuses": vec![status; count],
            "event_timestamps": vec![event; count],
        })
    };
    json!({
        "metadata": { "feature_names": ["driver_id", "trips", "conv_rate"] },
        "results": [
            {
                "values": drivers,
                "statuses": vec!["PRESENT"; count],
                "event_timestamps": vec!["1970-01-01T00:00:00Z"; count],
            },
            column(trips),
            column(rate),
        ],
    })
}

fn unknown(body: &Value) -> String {
    let nothing = document(
        body,
        &Value::Null,
        &Value::Null,
        "NOT_FOUND",
        "1970-01-01T00:00:00Z",
    );
    plain("200 OK", &nothing.to_string())
}

/// Connected to a server that answers the first question well and the others with something else.
async fn connected(
    answer: impl Fn(&str, &Value) -> Option<String> + Send + 'static,
) -> FeastFeatures {
    let online = server(move |path, body| {
        if body["entities"]["driver_id"] == json!([0]) {
            return Some(unknown(body));
        }
        answer(path, body)
    });
    let states = Arc::new(InMemoryStates::new());
    let settings = FeastSettings::new(online, "grpc://127.0.0.1:1", states);
    FeastFeatures::connect(settings, view("driver_hourly", HOUR))
        .await
        .unwrap()
}

async fn ask(features: &FeastFeatures, deadline: Duration) -> Result<FeatureFrame, Error> {
    features
        .online(&drivers(&[1]), at(HALF_PAST_TEN), deadline)
        .await
}

#[tokio::test]
async fn a_well_formed_answer_is_a_frame() {
    let features = connected(|_, body| {
        let answer = document(
            body,
            &json!(1),
            &json!(10),
            "PRESENT",
            "2025-06-02T10:00:00Z",
        );
        Some(plain("200 OK", &answer.to_string()))
    })
    .await;
    let frame = ask(&features, DEADLINE).await.unwrap();
    assert_eq!(statuses(&frame), [CellStatus::Present]);
    assert_eq!(
        (rates(&frame), trips(&frame)),
        (vec![Some(1.0)], vec![Some(10)])
    );
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_an_error_of_its_cell() {
    let features = connected(|_, body| {
        let answer = document(
            body,
            &json!(1.0),
            &json!(10),
            "INVALID",
            "2025-06-02T10:00:00Z",
        );
        Some(plain("200 OK", &answer.to_string()))
    })
    .await;
    let frame = ask(&features, DEADLINE).await.unwrap();
    assert_eq!(statuses(&frame), [CellStatus::Error]);
    assert_eq!(
        rates(&frame),
        [None],
        "the value of such a cell is not shown"
    );
}

#[tokio::test]
async fn an_answer_of_another_shape_is_an_error_and_never_a_frame() {
    let good = |event: &str| {
        let body = json!({ "entities": { "driver_id": [1] } });
        document(&body, &json!(1.0), &json!(10), "PRESENT", event)
    };
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut answer = good("2025-06-02T10:00:00Z");
        edit(&mut answer);
        answer.to_string()
    };
    let answers: Vec<String> = vec![
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "<html>".to_owned(),
        "[".repeat(100_000),
        r#"{"results":[{"values":[1e999]}]}"#.to_owned(),
        good("yesterday").to_string(),
        good("").to_string(),
        good("99999-01-01T00:00:00Z").to_string(),
        edited(&|answer| answer["results"] = json!([])),
        edited(&|answer| answer["metadata"] = json!({})),
        edited(&|answer| answer["metadata"]["feature_names"] = json!([])),
        edited(&|answer| answer["metadata"]["feature_names"][2] = json!("other")),
        edited(&|answer| answer["results"][0]["values"] = json!([2])),
        edited(&|answer| answer["results"][0]["values"] = json!(["1"])),
        edited(&|answer| answer["results"][1]["values"] = json!([])),
        edited(&|answer| answer["results"][1]["values"] = json!([1, 2])),
        edited(&|answer| answer["results"][2]["statuses"] = json!([])),
        edited(&|answer| answer["results"][2]["statuses"] = json!([1])),
        edited(&|answer| answer["results"][2]["event_timestamps"] = json!([])),
        edited(&|answer| answer["results"][2]["values"] = json!(["1.0"])),
        edited(&|answer| answer["results"][2]["values"] = json!([{ "x": [1] }])),
        edited(&|answer| answer["results"][1]["values"] = json!([1.5])),
        edited(&|answer| answer["results"][1]["values"] = json!([u64::MAX])),
    ];
    for text in answers {
        let shown: String = text.chars().take(300).collect();
        let features = connected(move |_, _| Some(plain("200 OK", &text))).await;
        let error = ask(&features, DEADLINE).await.unwrap_err();
        let kind = error.kind();
        assert!(
            matches!(kind, ErrorKind::Corrupt | ErrorKind::Invalid),
            "{kind:?} for {shown}"
        );
        assert!(error.to_string().len() < 2_000, "an error stays short");
    }
}

#[tokio::test]
async fn each_status_is_the_error_a_caller_acts_on() {
    let cases = [
        ("401 Unauthorized", ErrorKind::Unauthorised),
        ("404 Not Found", ErrorKind::NotFound),
        ("422 Unprocessable Entity", ErrorKind::Invalid),
        ("429 Too Many Requests", ErrorKind::Overloaded),
        ("500 Internal Server Error", ErrorKind::Unavailable),
        ("503 Service Unavailable", ErrorKind::Unavailable),
    ];
    for (status, kind) in cases {
        let features = connected(move |_, _| Some(plain(status, "\"no\""))).await;
        let error = ask(&features, DEADLINE).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
    }
}

#[tokio::test]
async fn a_silent_server_is_unavailable_within_the_deadline() {
    let features = connected(|_, _| None).await;
    let error = ask(&features, Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = ask(&features, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
}

#[tokio::test]
async fn a_push_that_was_answered_well_and_not_kept_is_noticed() {
    let features = connected(|path, body| {
        Some(match path {
            "/push" => plain("200 OK", ""),
            _ => unknown(body),
        })
    })
    .await;
    let row = rows(&[(1, "2025-06-02T10:00:00Z", Some(1.0), Some(1))]);
    let error = features.push(&row).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let freshness = features.freshness().await.unwrap();
    assert_eq!(freshness, Freshness::default(), "nothing was pushed");
}

#[tokio::test]
async fn a_refused_push_is_an_error() {
    let features = connected(|path, body| {
        Some(match path {
            "/push" => plain("422 Unprocessable Entity", "\"Unable to find push source\""),
            _ => unknown(body),
        })
    })
    .await;
    let row = rows(&[(1, "2025-06-02T10:00:00Z", Some(1.0), Some(1))]);
    let error = features.push(&row).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.to_string().contains("push source `driver_hourly`"),
        "{error}"
    );
}

#[tokio::test]
async fn an_offline_server_that_is_silent_gone_or_another_is_an_error() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone_address = gone.local_addr().unwrap();
    drop(gone);
    let online = server(|_, body| Some(unknown(body)));
    let another = online.replace("http://", "");
    let addresses = [
        silent.local_addr().unwrap().to_string(),
        gone_address.to_string(),
        another,
    ];
    for address in addresses {
        let states = Arc::new(InMemoryStates::new());
        let settings = FeastSettings::new(online.as_str(), format!("grpc://{address}"), states)
            .with_offline_timeout(Duration::from_millis(500));
        let features = FeastFeatures::connect(settings, view("v", HOUR))
            .await
            .unwrap();
        let error = features
            .as_of(&drivers(&[1]), &[at(HALF_PAST_TEN)], Knowledge::AtRowTime)
            .await
            .unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Invalid),
            "{address}: {error}"
        );
        let nobody = features
            .as_of(&drivers(&[]), &[], Knowledge::AtRowTime)
            .await;
        assert_eq!(
            nobody.unwrap().values().num_rows(),
            0,
            "nothing is asked for nobody"
        );
    }
}

async fn connect(online: &str, offline: &str, view: FeatureView) -> Result<FeastFeatures, Error> {
    let states = Arc::new(InMemoryStates::new());
    let settings = FeastSettings::new(online, offline, states);
    FeastFeatures::connect(settings, view).await
}

#[tokio::test]
async fn views_and_addresses_that_cannot_work_are_refused_when_connecting() {
    let online = server(|_, body| Some(unknown(body)));
    let grpc = "grpc://127.0.0.1:1";
    let plain = || FeatureView::new("v", "").with_feature("trips", FeatureType::Integer);
    let views = [
        plain(),
        plain().with_key("share", FeatureType::Number),
        plain().with_key("flag", FeatureType::Flag),
        plain().with_key("trips", FeatureType::Integer),
        FeatureView::new("v", "").with_key("driver_id", FeatureType::Integer),
    ];
    for refused in views {
        let error = connect(&online, grpc, refused).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    for address in [
        "",
        "127.0.0.1:1",
        "ftp://h",
        "grpc://",
        "grpc://u:hunter2@h:1",
        "grpc://a b",
    ] {
        let error = connect(&online, address, view("v", HOUR))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{address}");
        assert!(!error.to_string().contains("hunter2"));
    }
    let error = connect("http://u:hunter2@h:1", grpc, view("v", HOUR))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!error.to_string().contains("hunter2"));
}

#[tokio::test]
async fn entities_that_cannot_be_asked_for_are_refused_before_anything_is_sent() {
    let features = connected(|_, _| Some(plain("500 Internal Server Error", "asked"))).await;
    let keyless: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let keyless = RecordBatch::try_from_iter([("somebody", keyless)]).unwrap();
    let null: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let null = RecordBatch::try_from_iter([("driver_id", null)]).unwrap();
    let now = at(HALF_PAST_TEN);
    for entities in [&keyless, &null] {
        let error = features.online(entities, now, DEADLINE).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let times = vec![now; entities.num_rows()];
        let error = features
            .as_of(entities, &times, Knowledge::AtRowTime)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    let untimed = features
        .as_of(&drivers(&[1]), &[], Knowledge::AtRowTime)
        .await;
    assert_eq!(untimed.unwrap_err().kind(), ErrorKind::Invalid);
}
