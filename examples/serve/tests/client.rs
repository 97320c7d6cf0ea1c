//! A client that knows no more of HTTP than it must.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Clone, Debug)]
pub(super) struct Client {
    address: SocketAddr,
    token: Option<&'static str>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Client {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            token: None,
        }
    }

    pub(super) fn with_token(&self, token: &'static str) -> Self {
        Self {
            token: Some(token),
            ..self.clone()
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    pub(super) async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, body).await
    }

    /// Asks a model for rows of numbers.
    pub(super) async fn infer(&self, model: &str, rows: &[Vec<f64>], id: &str) -> Answer {
        let width = rows.first().map_or(0, Vec::len);
        let question = json!({
            "id": id,
            "inputs": [{
                "name": "input",
                "datatype": "FP32",
                "shape": [rows.len(), width],
                "data": rows,
            }],
        });
        let path = format!("/v2/models/{model}/infer");
        self.post(&path, &question.to_string()).await
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let token = self.token.map_or_else(String::new, |token| {
            format!("authorization: Bearer {token}\r\n")
        });
        let length = body.len();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n{token}content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            body: body.to_owned(),
        }
    }
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    /// The numbers of the first output.
    pub(super) fn scores(&self) -> Vec<f64> {
        let answer = self.json();
        let data = answer["outputs"][0]["data"].as_array().unwrap();
        data.iter().map(|value| value.as_f64().unwrap()).collect()
    }
}
