//! A small server with faults.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request for scores.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Answers with the sums of the rows.
    None,
    /// Answers with the sums of the rows after a while.
    Slow(Duration),
    /// Answers with a status, headers and a body.
    Status(u16, &'static str, Vec<u8>),
    /// Closes the connection without an answer.
    Gone,
    /// Announces a longer body than it sends.
    Truncated,
    /// Sends a body without end.
    Endless,
    /// Answers for one row too few.
    ShortByOne,
    /// Answers with rows that depend on how many there are.
    Batched,
}

type Plan = Arc<dyn Fn(usize) -> Fault + Send + Sync>;

/// A server of the model `sum` with one matrix of two columns, or whatever its metadata says.
#[derive(Clone)]
pub(super) struct TestServer {
    pub(super) url: String,
    asked: Arc<AtomicUsize>,
    last: Arc<Mutex<Vec<u8>>>,
}

impl TestServer {
    /// A server that does as planned with the nth request for scores, the first being 0.
    pub(super) async fn start(
        extensions: &[&str],
        plan: impl Fn(usize) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let metadata = json!({
            "name": "sum", "versions": ["1"], "platform": "test",
            "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
            "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 1]}],
        });
        Self::describing(extensions, metadata, plan).await
    }

    pub(super) async fn describing(
        extensions: &[&str],
        metadata: Value,
        plan: impl Fn(usize) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            asked: Arc::default(),
            last: Arc::default(),
        };
        let about = json!({"name": "test", "version": "1", "extensions": extensions}).to_string();
        let (plan, metadata): (Plan, _) = (Arc::new(plan), metadata.to_string());
        let shared = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = Connection {
                    server: shared.clone(),
                    plan: plan.clone(),
                    about: about.clone(),
                    metadata: metadata.clone(),
                };
                tokio::spawn(connection.serve(stream));
            }
        });
        server
    }

    /// How many requests for scores came in.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The JSON of the last request for scores.
    pub(super) fn last(&self) -> Value {
        let body = self.last.lock().unwrap().clone();
        let mut values = serde_json::Deserializer::from_slice(&body).into_iter::<Value>();
        values.next().unwrap().unwrap()
    }
}

struct Connection {
    server: TestServer,
    plan: Plan,
    about: String,
    metadata: String,
}

impl Connection {
    async fn serve(self, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        while let Some((head, body)) = read(&mut stream, &mut buffer).await {
            let path = head.split(' ').nth(1).unwrap_or_default();
            let reply = match path {
                "/v2" => answer(200, "", self.about.as_bytes()),
                path if path.ends_with("/infer") => {
                    let nth = self.server.asked.fetch_add(1, Ordering::SeqCst);
                    *self.server.last.lock().unwrap() = body.clone();
                    match (self.plan)(nth) {
                        Fault::None => scores(&body, 0, 0.0),
                        Fault::Batched => {
                            let rows = sums(&body).len() as f32;
                            scores(&body, 0, rows)
                        }
                        Fault::ShortByOne => scores(&body, 1, 0.0),
                        Fault::Slow(pause) => {
                            tokio::time::sleep(pause).await;
                            scores(&body, 0, 0.0)
                        }
                        Fault::Status(status, headers, body) => answer(status, headers, &body),
                        Fault::Gone => return,
                        Fault::Truncated => {
                            let head =
                                b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"outputs\"";
                            let _ = stream.write_all(head).await;
                            return;
                        }
                        Fault::Endless => {
                            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                            let _ = stream.write_all(head).await;
                            let chunk = [b"400\r\n".as_slice(), &[b' '; 1024], b"\r\n"].concat();
                            while stream.write_all(&chunk).await.is_ok() {}
                            return;
                        }
                    }
                }
                "/v2/models/sum" => answer(200, "", self.metadata.as_bytes()),
                _ => answer(404, "", b"{\"error\":\"there is no such model\"}"),
            };
            if stream.write_all(&reply).await.is_err() {
                return;
            }
        }
    }
}

/// The head and the body of the next request.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if buffer.len() >= end + 4 + length {
                let rest = buffer.split_off(end + 4 + length);
                let body = std::mem::replace(buffer, rest).split_off(end + 4);
                return Some((head, body));
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => buffer.extend_from_slice(&chunk[..read]),
        }
    }
}

/// The sum of each row of the matrix in a request, in JSON or behind it.
fn sums(body: &[u8]) -> Vec<f32> {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
    let head = values.next().unwrap().unwrap();
    let input = &head["inputs"][0];
    let elements: Vec<f32> = match input["data"].as_array() {
        Some(data) => data
            .iter()
            .map(|value| value.as_f64().map_or(f32::NAN, |value| value as f32))
            .collect(),
        None => body[values.byte_offset()..]
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect(),
    };
    let columns = input["shape"][1].as_u64().unwrap_or(1) as usize;
    elements
        .chunks(columns)
        .map(|row| row.iter().sum())
        .collect()
}

fn scores(request: &[u8], missing: usize, more: f32) -> Vec<u8> {
    let mut sums: Vec<f32> = sums(request).iter().map(|sum| sum + more).collect();
    sums.truncate(sums.len() - missing);
    let binary = serde_json::Deserializer::from_slice(request)
        .into_iter::<Value>()
        .next()
        .unwrap()
        .unwrap()["outputs"][0]["parameters"]["binary_data"]
        == json!(true);
    let shape = [sums.len(), 1];
    if binary {
        let bytes: Vec<u8> = sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
        let head = json!({"model_name": "sum", "model_version": "1", "outputs": [
            {"name": "y", "datatype": "FP32", "shape": shape, "parameters": {"binary_data_size": bytes.len()}}]})
        .to_string();
        let header = format!("Inference-Header-Content-Length: {}\r\n", head.len());
        return answer(200, &header, &[head.as_bytes(), &bytes].concat());
    }
    let body = json!({"model_name": "sum", "model_version": "1", "outputs": [
        {"name": "y", "datatype": "FP32", "shape": shape, "data": sums}]});
    answer(200, "", body.to_string().as_bytes())
}

fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
