use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::error::Error;
use crate::secret::{InMemorySecrets, Secret, SecretName, Secrets};

/// A server that speaks only to those who present one bearer token.
#[derive(Debug)]
pub(crate) struct Guarded {
    address: String,
    presented: Arc<Mutex<Vec<String>>>,
}

impl Guarded {
    /// Answers with what a function makes of the path and the JSON of a request, and with 401 and the token itself to another token.
    /// Without a token, the token is `none`.
    pub(crate) fn new(
        accepts: &'static str,
        mut answer: impl FnMut(&str, &Value) -> Value + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let presented: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&presented);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let Some((head, body)) = request(&mut stream) else {
                    continue;
                };
                let path = head.split(' ').nth(1).unwrap_or_default();
                let token = header(&head, "authorization")
                    .and_then(|value| value.strip_prefix("Bearer "))
                    .unwrap_or("none");
                let (status, body) = if token == accepts {
                    ("200 OK", answer(path, &body))
                } else {
                    ("401 Unauthorized", json!({ "error": token }))
                };
                seen.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(token.to_owned());
                let body = body.to_string();
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                // The client may have hung up.
                stream.write_all(answer.as_bytes()).ok();
            }
        });
        Self { address, presented }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The tokens that requests came with, in order.
    pub(crate) fn presented(&self) -> Vec<String> {
        let presented = self.presented.lock();
        presented.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A secret in a source, and a cache in front of it that is behind until it is refreshed.
#[derive(Debug)]
pub(crate) struct Cached {
    name: SecretName,
    cache: InMemorySecrets,
    source: InMemorySecrets,
}

impl Cached {
    /// The cache holds one secret and the source holds another.
    pub(crate) fn new(name: &SecretName, cached: &str, source: &str) -> Arc<Self> {
        let secrets = Self {
            name: name.clone(),
            cache: InMemorySecrets::new(),
            source: InMemorySecrets::new(),
        };
        secrets.fall_behind(cached);
        secrets.source.rotate(name.clone(), Secret::new(source));
        Arc::new(secrets)
    }

    /// Puts an earlier secret back into the cache.
    pub(crate) fn fall_behind(&self, cached: &str) {
        self.cache.rotate(self.name.clone(), Secret::new(cached));
    }
}

#[async_trait]
impl Secrets for Cached {
    async fn current(&self, name: &SecretName) -> Result<Secret, Error> {
        self.cache.current(name).await
    }

    async fn refresh(&self, name: &SecretName) -> Result<Secret, Error> {
        let fresh = self.source.refresh(name).await?;
        self.cache.rotate(name.clone(), fresh.clone());
        Ok(fresh)
    }
}

/// The head of a request, and its body if that is JSON.
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
        let length: usize =
            header(head, "content-length").map_or(0, |digits| digits.parse().unwrap());
        if body.len() >= length {
            let body: Value = serde_json::from_str(body).unwrap_or(Value::Null);
            return Some((head.to_owned(), body));
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n")
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}
