//! One bounded way to speak to a server that somebody else runs over HTTP.

#![allow(dead_code, reason = "each adapter uses the part it needs")]

use std::fmt;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::secret::Secret;

pub(crate) use reqwest::Method;

/// A client of one server.
///
/// Addresses are reached directly (no proxy of the environment), redirects are not followed (a secret must not travel to an
/// address nobody configured), every call has a deadline, and an answer of more than [`MAX_ANSWER`] bytes is refused.
#[derive(Clone)]
pub(crate) struct HttpClient {
    client: Client,
    base: Url,
    bearer: Option<Secret>,
    timeout: Duration,
}

/// What a request carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HttpBody<'a> {
    /// Nothing.
    Empty,
    /// A JSON document.
    Json(&'a Value),
    /// Plain bytes.
    Bytes(&'a [u8]),
}

/// What a server answered, whatever the status.
#[derive(Clone, Debug)]
pub(crate) struct HttpAnswer {
    status: u16,
    body: Vec<u8>,
    /// What was sent along, and must not be quoted when the server repeats the request.
    bearer: Option<Secret>,
}

/// The cause of the error about an answer of more than [`MAX_ANSWER`] bytes, for who has a use for an answer that cannot be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooLarge;

impl HttpClient {
    /// A client of the server at `base`, such as `http://mlflow.internal:5000/prefix`.
    ///
    /// # Errors
    ///
    /// `Invalid` when the address is none, is neither `http` nor `https`, or carries a user name, a password, a query or a
    /// fragment.
    pub(crate) fn new(base: &str) -> Result<Self, Error> {
        let refuse = |message: &str| Error::new(ErrorKind::Invalid, "open a client", message);
        // The text itself is not repeated before it is known to hold no password.
        let url = Url::parse(base).map_err(|error| {
            refuse("the address is not a URL: write it as http://host:port").caused_by(error)
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse(
                "the address carries a credential: pass it as a secret",
            ));
        }
        // Neither is the address of these shown: `user:password@host` without `http://` parses as a URL, and a query may hold a token.
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            let message = "the address must begin with http:// or https:// and a host";
            return Err(refuse(message));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(
                refuse("the address must end before any `?` or `#`").with("host", shown(&url))
            );
        }
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| refuse("the client cannot be set up").caused_by(error))?;
        Ok(Self {
            client,
            base: url,
            bearer: None,
            timeout: TIMEOUT,
        })
    }

    /// Sends a bearer token with every request.
    #[must_use]
    pub(crate) fn with_bearer(mut self, bearer: Secret) -> Self {
        self.bearer = Some(bearer);
        self
    }

    /// How long one call may take from connecting to the last byte; 30 seconds unless told.
    #[must_use]
    pub(crate) fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The address of the server.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The JSON document at a path.
    pub(crate) async fn get_json(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, Error> {
        self.request(operation, Method::GET, path, query, HttpBody::Empty)
            .await?
            .success(operation)?
            .json(operation)
    }

    /// What the server answers to a posted JSON document.
    pub(crate) async fn post_json(
        &self,
        operation: &'static str,
        path: &[&str],
        body: &Value,
    ) -> Result<Value, Error> {
        self.request(operation, Method::POST, path, &[], HttpBody::Json(body))
            .await?
            .success(operation)?
            .json(operation)
    }

    /// Sends one request and returns the answer, also when its status is an error.
    ///
    /// `path` is a list of segments, each escaped, so that a name with a slash stays one segment; a last empty segment makes a
    /// trailing slash.
    ///
    /// # Errors
    ///
    /// `Invalid` for a segment that is `.` or `..` or holds control characters, for a secret that no header takes, and for an answer that is
    /// too large; `Unavailable` when no answer came.
    pub(crate) async fn request(
        &self,
        operation: &'static str,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: HttpBody<'_>,
    ) -> Result<HttpAnswer, Error> {
        let url = self.url(operation, path, query)?;
        let mut request = self.client.request(method, url).timeout(self.timeout);
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer.expose());
        }
        request = match body {
            HttpBody::Empty => request,
            HttpBody::Json(value) => request
                .header(CONTENT_TYPE, "application/json")
                .body(value.to_string()),
            HttpBody::Bytes(bytes) => request
                .header(CONTENT_TYPE, "application/octet-stream")
                .body(bytes.to_vec()),
        };
        let lost = |error: reqwest::Error| self.lost(operation, error);
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let announced = response.content_length().unwrap_or(0);
        if announced > MAX_ANSWER as u64 {
            return Err(self.too_large(operation));
        }
        let mut bytes: Vec<u8> = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if bytes.len().saturating_add(chunk.len()) > MAX_ANSWER {
                return Err(self.too_large(operation));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(HttpAnswer {
            status,
            body: bytes,
            bearer: self.bearer.clone(),
        })
    }

    fn url(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Url, Error> {
        // The URL parser would drop these without a word, and another thing than the named one would be asked for.
        let altered =
            |segment: &&&str| matches!(**segment, "." | "..") || segment.contains(char::is_control);
        if let Some(name) = path.iter().find(altered) {
            let message = "a name must not be a relative path or hold control characters";
            return Err(Error::new(ErrorKind::Invalid, operation, message)
                .with("name", name.escape_debug()));
        }
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => {
                segments.pop_if_empty().extend(path);
            }
            Err(()) => {
                let message = "the address cannot carry a path";
                return Err(Error::new(ErrorKind::Invalid, operation, message));
            }
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn lost(&self, operation: &'static str, error: reqwest::Error) -> Error {
        if error.is_builder() {
            // Nothing was sent, and nothing will be.
            let message = "the request cannot be made: does the secret hold a line end or another character that no header takes?";
            return Error::new(ErrorKind::Invalid, operation, message)
                .with("server", &self.base)
                .caused_by(error.without_url());
        }
        let message = if error.is_timeout() {
            "the server did not answer in time"
        } else if error.is_connect() {
            "the server cannot be reached"
        } else {
            "the connection broke"
        };
        Error::new(ErrorKind::Unavailable, operation, message)
            .with("server", &self.base)
            .caused_by(error.without_url())
    }

    fn too_large(&self, operation: &'static str) -> Error {
        let message = "the answer is too large to be one";
        Error::new(ErrorKind::Invalid, operation, message)
            .with("server", &self.base)
            .with("limit", MAX_ANSWER)
            .caused_by(TooLarge)
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer has more than {MAX_ANSWER} bytes")
    }
}

impl std::error::Error for TooLarge {}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("base", &self.base.as_str())
            .field("bearer", &self.bearer.is_some())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl HttpAnswer {
    #[cfg(test)]
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            body: body.into(),
            bearer: None,
        }
    }

    /// The status code.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The body.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, when nothing else is wanted.
    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// The first characters of the body as text for an error, without control characters and without the secret that was sent.
    pub(crate) fn excerpt(&self) -> String {
        excerpt(&self.body, self.bearer.as_ref())
    }

    /// The answer itself if its status is a success, otherwise the error it stands for.
    ///
    /// # Errors
    ///
    /// 401 and 403 `Unauthorised`; 404 `NotFound`; 409 and 412 `Conflict`; 410 `Gone`; 429 `Overloaded`; 408 and 5xx
    /// `Unavailable`; everything else `Invalid`.
    pub(crate) fn success(self, operation: &'static str) -> Result<Self, Error> {
        if (200..300).contains(&self.status) {
            Ok(self)
        } else {
            Err(self.error(operation))
        }
    }

    /// The error this answer stands for, with an excerpt of what the server said.
    pub(crate) fn error(&self, operation: &'static str) -> Error {
        let (kind, message) = match self.status {
            300..=399 => (
                ErrorKind::Invalid,
                "the server points elsewhere: configure the final address",
            ),
            401 | 403 => (
                ErrorKind::Unauthorised,
                "the server refuses this credential",
            ),
            404 => (ErrorKind::NotFound, "the server does not know it"),
            409 | 412 => (
                ErrorKind::Conflict,
                "the server says that it is otherwise there",
            ),
            410 => (ErrorKind::Gone, "the server says that it was deleted"),
            429 => (ErrorKind::Overloaded, "the server asks for fewer requests"),
            408 | 500..600 => (ErrorKind::Unavailable, "the server failed"),
            _ => (ErrorKind::Invalid, "the server refuses the request"),
        };
        Error::new(kind, operation, message)
            .with("status", self.status)
            .with("answer", self.excerpt())
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// `Invalid` when it is not: the address is that of another kind of server. `Invalid` for a document that would take a multiple of
    /// [`MAX_ANSWER`] once it is read, as one of nothing but brackets would.
    pub(crate) fn json(&self, operation: &'static str) -> Result<Value, Error> {
        if is_outsized(&self.body) {
            let message = "the answer has more parts than any has that is meant";
            return Err(
                Error::new(ErrorKind::Invalid, operation, message).with("bytes", self.body.len())
            );
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = "the answer is not JSON: is this the address of another server?";
            Error::new(ErrorKind::Invalid, operation, message)
                .with("status", self.status)
                .with("answer", self.excerpt())
                .caused_by(error)
        })
    }
}

/// The first characters of what a server said, without control characters and without a secret that it may repeat: pages for debugging show
/// the headers of the request.
pub(crate) fn excerpt(said: &[u8], secret: Option<&Secret>) -> String {
    let hidden = secret.map(Secret::expose).filter(|text| !text.is_empty());
    let text = match hidden {
        // As a whole, since a secret at the end of a head would be cut and not be found.
        Some(hidden) => String::from_utf8_lossy(said).replace(hidden, "…"),
        None => {
            let head: &[u8] = said.get(..MAX_EXCERPT * 4).unwrap_or(said);
            String::from_utf8_lossy(head).into_owned()
        }
    };
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_EXCERPT)
        .collect()
}

/// Scheme, host and port of an address, which hold no secret.
fn shown(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Whether a JSON text makes more values than fit into a sensible amount of memory. An object of seven bytes takes hundreds.
fn is_outsized(text: &[u8]) -> bool {
    let (mut nested, mut listed) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.iter().copied() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => nested = nested.saturating_add(1),
            b',' => listed = listed.saturating_add(1),
            _ => {}
        }
    }
    nested > MAX_NESTED || listed > MAX_LISTED
}

/// The most bytes of an answer that are read.
pub(crate) const MAX_ANSWER: usize = 64 << 20;
/// The most characters of an answer that an error carries.
const MAX_EXCERPT: usize = 400;
/// The most arrays and objects of a JSON answer: some hundred bytes each.
const MAX_NESTED: usize = 1 << 20;
/// The most values of a JSON answer, of which one of [`MAX_ANSWER`] bytes with features and their times has five million.
const MAX_LISTED: usize = 8 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
