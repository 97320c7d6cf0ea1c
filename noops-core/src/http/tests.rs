use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;

/// A server that answers one connection with fixed bytes, and tells what it was asked.
fn server(answer: Vec<u8>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request: Vec<u8> = Vec::new();
        let mut buffer = [0u8; 4096];
        loop {
            let read = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&request).to_lowercase();
            let Some(head) = text.find("\r\n\r\n") else {
                assert!(read > 0, "the client went away");
                continue;
            };
            let length = text
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next())
                .map_or(0, |digits| digits.parse::<usize>().unwrap());
            if request.len() >= head + 4 + length {
                break;
            }
        }
        // The client may hang up early on purpose.
        stream.write_all(&answer).ok();
        stream.flush().ok();
        String::from_utf8_lossy(&request).into_owned()
    });
    (address, asked)
}

fn plain(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

#[tokio::test]
async fn a_name_with_a_slash_stays_one_segment_and_the_query_is_escaped() {
    let (address, asked) = server(plain("200 OK", "{\"a\":1}"));
    let client = HttpClient::new(&format!("{address}/prefix/")).unwrap();
    let value = client
        .get_json("read", &["api", "a/b c?", ""], &[("q", "x&y=1")])
        .await
        .unwrap();
    assert_eq!(value, serde_json::json!({ "a": 1 }));
    let line = asked.join().unwrap();
    assert!(
        line.starts_with("GET /prefix/api/a%2Fb%20c%3F/?q=x%26y%3D1 HTTP/1.1"),
        "{line}"
    );
}

#[tokio::test]
async fn a_posted_document_says_that_it_is_json_and_carries_the_token() {
    let (address, asked) = server(plain("200 OK", "[]"));
    let client = HttpClient::new(&address)
        .unwrap()
        .with_bearer(Secret::new("t0ken"));
    assert!(!format!("{client:?}").contains("t0ken"));
    let body = serde_json::json!({ "name": "m" });
    client.post_json("write", &["x"], &body).await.unwrap();
    let request = asked.join().unwrap().to_lowercase();
    assert!(request.starts_with("post /x http/1.1"), "{request}");
    assert!(
        request.contains("content-type: application/json"),
        "{request}"
    );
    assert!(request.contains("authorization: bearer t0ken"), "{request}");
    assert!(request.ends_with("{\"name\":\"m\"}"), "{request}");
}

#[tokio::test]
async fn each_status_is_the_error_a_caller_acts_on() {
    let cases = [
        ("301 Moved Permanently", ErrorKind::Invalid),
        ("400 Bad Request", ErrorKind::Invalid),
        ("401 Unauthorized", ErrorKind::Unauthorised),
        ("403 Forbidden", ErrorKind::Unauthorised),
        ("404 Not Found", ErrorKind::NotFound),
        ("409 Conflict", ErrorKind::Conflict),
        ("410 Gone", ErrorKind::Gone),
        ("412 Precondition Failed", ErrorKind::Conflict),
        ("422 Unprocessable Entity", ErrorKind::Invalid),
        ("429 Too Many Requests", ErrorKind::Overloaded),
        ("500 Internal Server Error", ErrorKind::Unavailable),
        ("503 Service Unavailable", ErrorKind::Unavailable),
    ];
    for (status, kind) in cases {
        let (address, asked) = server(plain(status, "why\u{7}\nnot"));
        let client = HttpClient::new(&address).unwrap();
        let error = client.get_json("read", &["x"], &[]).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
        assert!(error.to_string().contains("why  not"), "{error}");
        asked.join().unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_announces_too_much_is_refused_before_it_is_read() {
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
        MAX_ANSWER + 1
    );
    let (address, asked) = server(answer.into_bytes());
    let client = HttpClient::new(&address).unwrap();
    let error = client.get_json("read", &["x"], &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("too large"), "{error}");
    asked.join().unwrap();
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_unavailable() {
    let (address, asked) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{".to_vec());
    let client = HttpClient::new(&address).unwrap();
    let error = client.get_json("read", &["x"], &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    asked.join().unwrap();
}

#[tokio::test]
async fn a_page_that_is_not_json_is_invalid_and_quoted_shortly() {
    let page = format!("<html>{}", "x".repeat(100_000));
    let (address, asked) = server(plain("200 OK", &page));
    let client = HttpClient::new(&address).unwrap();
    let error = client.get_json("read", &["x"], &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().len() < 1000);
    asked.join().unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_or_silent_is_unavailable() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let client = HttpClient::new(&address).unwrap();
    let error = client.get_json("read", &["x"], &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let client = HttpClient::new(&address)
        .unwrap()
        .with_timeout(Duration::from_millis(50));
    let error = client.get_json("read", &["x"], &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("in time"), "{error}");
}

#[tokio::test]
async fn relative_or_unprintable_segments_are_refused() {
    let client = HttpClient::new("http://127.0.0.1:1/prefix").unwrap();
    for name in [".", "..", "a\nb", "\t..", "x\0"] {
        let error = client.get_json("read", &["api", name], &[]).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid, "{name}");
    }
}

#[test]
fn hostile_addresses_are_refused_without_showing_a_password() {
    let addresses = [
        "",
        "host:80",
        "ftp://host",
        "data:text/plain,x",
        "http://user:hunter2@host/",
        "http://host/?token=hunter2",
        "http://host/#hunter2",
        // Without a scheme this is a URL all the same: one of the scheme `admin`.
        "admin:hunter2@host:80",
    ];
    for address in addresses {
        let error = HttpClient::new(address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{address}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_request_does_not_bring_the_secret_into_an_error() {
    for status in ["401 Unauthorized", "500 Internal Server Error", "200 OK"] {
        // Also at the end of what is quoted.
        for before in [0, 370] {
            let page = format!(
                "{}Authorization: Bearer hunter2-hunter2",
                "x".repeat(before)
            );
            let (address, asked) = server(plain(status, &page));
            let client = HttpClient::new(&address)
                .unwrap()
                .with_bearer(Secret::new("hunter2-hunter2"));
            let error = client.get_json("read", &["x"], &[]).await.unwrap_err();
            let printed = format!("{error} {error:?}");
            assert!(!printed.contains("hunter2"), "{status} {before}: {printed}");
            assert!(printed.contains("answer"), "the rest is quoted: {printed}");
            asked.join().unwrap();
        }
    }
}

#[tokio::test]
async fn a_secret_that_no_header_takes_is_the_callers_to_mend() {
    let client = HttpClient::new("http://127.0.0.1:1")
        .unwrap()
        .with_bearer(Secret::new("hunter2\n"));
    let error = client.get_json("read", &["x"], &[]).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Invalid,
        "trying again is of no use"
    );
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_secret_stays() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let target = elsewhere.local_addr().unwrap();
    for status in ["301 Moved Permanently", "307 Temporary Redirect"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nlocation: http://{target}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let (address, asked) = server(answer.into_bytes());
        let client = HttpClient::new(&address)
            .unwrap()
            .with_bearer(Secret::new("t0ken"));
        let error = client.get_json("read", &["x"], &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{status}");
        asked.join().unwrap();
        assert!(elsewhere.accept().is_err(), "nobody came");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_announce_its_length_is_cut_off_at_the_limit() {
    let mut answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    answer.resize(answer.len() + MAX_ANSWER + 1, b' ');
    let (address, asked) = server(answer);
    let client = HttpClient::new(&address).unwrap();
    let error = client.get_json("read", &["x"], &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("too large"), "{error}");
    asked.join().unwrap();
}

#[test]
fn a_document_that_would_take_far_more_than_its_text_is_refused() {
    let list = |item: &str, count: usize| {
        HttpAnswer::new(200, format!("[{}{item}]", format!("{item},").repeat(count)))
    };
    for outsized in [list(r#"{"":0}"#, MAX_NESTED), list("0", MAX_LISTED + 1)] {
        let error = outsized.json("read").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("parts"), "{error}");
    }
    // What stands in a text is no part.
    let text = format!(r#""\"{}""#, "[,".repeat(MAX_LISTED + 1));
    assert!(HttpAnswer::new(200, text).json("read").is_ok());
    assert!(list("[]", 1_000).json("read").is_ok());
}
