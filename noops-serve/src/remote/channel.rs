//! The bounded way to the server.

use std::time::Duration;

use jiff::Timestamp;
use noops_core::{Error, ErrorKind, Secret};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Request, Url};

use super::codec::{EncodedRequest, HEADER_LENGTH};
use super::failure::{Failure, INFER, retry_after};

/// A client of one server that follows no redirect, uses no proxy of the environment and reads answers of a bounded size.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    client: Client,
    base: Url,
    bearer: Option<Secret>,
    answer_bytes: usize,
}

/// A good answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// How many bytes of the body are JSON, when not all are.
    pub(super) header: Option<usize>,
}

impl Channel {
    pub(super) fn new(
        url: &str,
        bearer: Option<Secret>,
        answer_bytes: usize,
    ) -> Result<Self, Error> {
        let refuse = |message: &str| Error::new(ErrorKind::Invalid, CONNECT, message);
        // The address is not repeated: it may hold a password.
        let base = Url::parse(url).map_err(|error| {
            refuse("the address is not a URL: write it as http://host:port").caused_by(error)
        })?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(refuse(
                "the address must begin with http:// or https:// and a host",
            ));
        }
        let plain = base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        if !plain {
            return Err(refuse(
                "the address must hold no user, password, query or fragment: pass a bearer token as a secret",
            ));
        }
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| refuse("the client cannot be set up").caused_by(error))?;
        Ok(Self {
            client,
            base,
            bearer,
            answer_bytes,
        })
    }

    /// The JSON document at a path.
    pub(super) async fn document(&self, path: &[&str], now: Timestamp) -> Result<Vec<u8>, Failure> {
        let request = self.request(Method::GET, path, None)?;
        Ok(self.send(request, now).await?.body)
    }

    /// A request that posts a body.
    pub(super) fn post(&self, path: &[&str], body: EncodedRequest) -> Result<Request, Failure> {
        self.request(Method::POST, path, Some(body))
    }

    /// Sends a request and reads its whole answer.
    pub(super) async fn send(&self, request: Request, now: Timestamp) -> Result<Answer, Failure> {
        let mut response = self.client.execute(request).await.map_err(Failure::lost)?;
        let status = response.status();
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let (length, after) = (header(HEADER_LENGTH), header(RETRY_AFTER.as_str()));
        let most = self.answer_bytes;
        let too_large = || {
            let message = "the answer is larger than the settings allow";
            Failure::unreadable(Error::new(ErrorKind::Invalid, INFER, message).with("limit", most))
        };
        if response.content_length().unwrap_or(0) > most as u64 {
            return Err(too_large());
        }
        let mut body: Vec<u8> = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Failure::lost)? {
            if body.len().saturating_add(chunk.len()) > most {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            let after = after.and_then(|value| retry_after(&value, now));
            return Err(Failure::status(
                status.as_u16(),
                after,
                &self.excerpt(&body),
            ));
        }
        let header = match length.map(|text| text.trim().parse()) {
            None => None,
            Some(Ok(length)) => Some(length),
            Some(Err(_)) => {
                let message = "the answer's `inference-header-content-length` is no number";
                let error = Error::new(ErrorKind::Invalid, INFER, message);
                return Err(Failure::unreadable(error));
            }
        };
        Ok(Answer { body, header })
    }

    fn request(
        &self,
        method: Method,
        path: &[&str],
        body: Option<EncodedRequest>,
    ) -> Result<Request, Failure> {
        let refuse =
            |message: &str| Failure::unsent(Error::new(ErrorKind::Invalid, INFER, message));
        // The URL parser would drop these without a word, and another model would be asked.
        let altered = |segment: &&str| {
            matches!(*segment, "" | "." | "..") || segment.contains(char::is_control)
        };
        if path.iter().any(altered) {
            return Err(refuse(
                "a model's name and version must be no relative path and hold no control characters",
            ));
        }
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| refuse("the address cannot carry a path"))?
            .pop_if_empty()
            .extend(path);
        let mut request = self.client.request(method, url);
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer.expose());
        }
        if let Some(EncodedRequest { body, header }) = body {
            request = match header {
                Some(length) => request
                    .header(HEADER_LENGTH, length)
                    .header(CONTENT_TYPE, "application/octet-stream"),
                None => request.header(CONTENT_TYPE, "application/json"),
            };
            request = request.body(body);
        }
        request.build().map_err(|error| {
            let message = "the request cannot be made: does the secret hold a line end or another character that no header takes?";
            Failure::unsent(
                Error::new(ErrorKind::Invalid, INFER, message).caused_by(error.without_url()),
            )
        })
    }

    /// The first characters of what the server said, without the secret that it may repeat.
    fn excerpt(&self, said: &[u8]) -> String {
        let text = String::from_utf8_lossy(said);
        let hidden = self.bearer.as_ref().map(Secret::expose);
        let text = match hidden.filter(|secret| !secret.is_empty()) {
            Some(secret) => text.replace(secret, "…"),
            None => text.into_owned(),
        };
        text.chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(MAX_EXCERPT)
            .collect()
    }
}

pub(super) const CONNECT: &str = "connect to a remote model";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_EXCERPT: usize = 400;
