use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::protocol::{AccessRules, testing};

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

async fn start(limits: Limits) -> Running {
    let service = testing::service(AccessRules::open(), limits);
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let grpc = Router::new().fallback(async || ([("grpc-status", "12")], ""));
    let server = Server::bind(any_port, service)
        .await
        .unwrap()
        .with_grpc(grpc);
    let address = server.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(server.serve_until(async {
        stopped.await.unwrap_or_default();
    }));
    Running {
        address,
        stop,
        ended,
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn stop(self) -> Drained {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap()
    }
}

async fn everything(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut bytes));
    // A connection that is reset has ended too.
    let _ = read.await.expect("the server closes the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains(end) {
        bytes.push(stream.read_u8().await.expect("an answer"));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const LIVE: &[u8] = b"GET /v2/health/live HTTP/1.1\r\nhost: h\r\n\r\n";
const LIVE_AND_CLOSE: &[u8] =
    b"GET /v2/health/live HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_connection_carries_many_requests() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(LIVE).await.unwrap();
        assert!(
            until(&mut stream, r#"{"live":true}"#)
                .await
                .starts_with("HTTP/1.1 200")
        );
    }
    drop(stream);
    assert_eq!(server.stop().await.aborted(), 0);
}

#[tokio::test]
async fn unknown_paths_get_the_error_body() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /v3 HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let answer = everything(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(
        answer.contains(r#"{"error":"there is nothing at `/v3`"#),
        "{answer}"
    );
}

#[tokio::test]
async fn grpc_goes_to_its_own_router() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    let request = b"POST /any HTTP/1.1\r\nhost: h\r\ncontent-type: application/grpc+proto\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    assert!(everything(&mut stream).await.contains("grpc-status: 12"));
}

#[tokio::test]
async fn http_2_is_spoken_without_negotiation() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    // The preface and an empty SETTINGS frame (RFC 9113, 3.4).
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "the server's first frame is SETTINGS");
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_cut_off() {
    let server = start(Limits::default().with_header_timeout(Duration::from_millis(80))).await;
    for beginning in [
        &b""[..],
        b"P",
        b"PRI * HTTP/2.0\r\n",
        b"GET /v2 HTTP/1.1\r\nhost",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(beginning).await.unwrap();
        let answer = everything(&mut stream).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    let mut stream = server.connect().await;
    stream.write_all(LIVE_AND_CLOSE).await.unwrap();
    assert!(everything(&mut stream).await.contains("200 OK"));
}

#[tokio::test]
async fn one_connection_too_many_waits_for_another_to_close() {
    let server = start(Limits::default().with_max_connections(std::num::NonZeroUsize::MIN)).await;
    let mut first = server.connect().await;
    first.write_all(LIVE).await.unwrap();
    until(&mut first, "true}").await;
    let mut second = server.connect().await;
    second.write_all(LIVE_AND_CLOSE).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(60), second.read_u8()).await;
    assert!(early.is_err(), "the second is not served yet");
    drop(first);
    assert!(everything(&mut second).await.contains("{\"live\":true}"));
}

async fn half_a_question(server: &Running) -> TcpStream {
    let mut stream = server.connect().await;
    let head = format!(
        "POST /v2/models/{}/infer HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{{",
        testing::MODEL
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(40)).await;
    stream
}

#[tokio::test]
async fn a_request_in_flight_is_answered_after_the_order_to_stop() {
    let server = start(Limits::default()).await;
    let mut idle = server.connect().await;
    idle.write_all(LIVE).await.unwrap();
    until(&mut idle, "true}").await;
    let mut busy = half_a_question(&server).await;
    let address = server.address;
    server.stop.send(()).unwrap();
    assert_eq!(
        everything(&mut idle).await,
        "",
        "an idle connection is closed"
    );
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nothing new is accepted"
    );
    busy.write_all(b"}").await.unwrap();
    assert!(everything(&mut busy).await.starts_with("HTTP/1.1 400"));
    let drained = server.ended.await.unwrap();
    assert_eq!((drained.finished(), drained.aborted()), (2, 0));
}

#[tokio::test]
async fn draining_ends_with_its_time() {
    let server = start(Limits::default().with_drain_timeout(Duration::from_millis(50))).await;
    let _stuck = half_a_question(&server).await;
    let drained = server.stop().await;
    assert_eq!((drained.finished(), drained.aborted()), (0, 1));
}

#[tokio::test]
async fn a_port_in_use_is_one_clear_sentence() {
    let server = start(Limits::default()).await;
    let service = testing::service(AccessRules::open(), Limits::default());
    let error = Server::bind(server.address, service).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.to_string().contains(&server.address.to_string()),
        "{error}"
    );
}
