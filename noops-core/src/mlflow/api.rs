use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::remote::{Page, RemoteModel, RemoteVersion, page, part};
use super::transport::{Request, Transport};
use crate::error::{Error, ErrorKind};
use crate::http::{HttpAnswer, HttpBody, Method};

/// The calls that the registry makes. MLflow names errors in the body: an alias that is missing is a 400, one that exists too.
#[derive(Clone, Debug)]
pub(super) struct Api {
    transport: Arc<dyn Transport>,
}

/// What to search for, and under which key the answer has it.
#[derive(Clone, Copy, Debug)]
struct List<'a> {
    route: &'a str,
    key: &'static str,
    filter: &'a str,
    order: &'a str,
}

/// What came of a call that the server understood.
#[derive(Debug)]
pub(super) enum Answer {
    Done(Value),
    NoSuch,
    Exists,
}

impl Answer {
    /// The answer, when neither of the others makes sense.
    pub(super) fn done(self, operation: &'static str) -> Result<Value, Error> {
        let (kind, message) = match self {
            Self::Done(value) => return Ok(value),
            Self::NoSuch => (
                ErrorKind::NotFound,
                "MLflow does not know it: somebody removed it there meanwhile",
            ),
            Self::Exists => (
                ErrorKind::Conflict,
                "MLflow has it already: somebody made it there meanwhile",
            ),
        };
        Err(Error::new(kind, operation, message))
    }
}

impl Api {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }

    /// A registered model with its tags and aliases.
    pub(super) async fn model(
        &self,
        operation: &'static str,
        name: &str,
    ) -> Result<Option<RemoteModel>, Error> {
        let route = ["registered-models", "get"];
        match self.get(operation, &route, &[("name", name)]).await? {
            Answer::NoSuch => Ok(None),
            answer => part(operation, &answer.done(operation)?, "registered_model").map(Some),
        }
    }

    /// The registered models that carry a tag.
    pub(super) async fn models(
        &self,
        operation: &'static str,
        tag: (&str, &str),
    ) -> Result<Vec<RemoteModel>, Error> {
        let filter = format!("tags.`{}` = '{}'", tag.0, tag.1);
        let list = List {
            route: "registered-models",
            key: "registered_models",
            filter: &filter,
            order: "name ASC",
        };
        self.list(operation, &list).await
    }

    /// Makes a registered model; nothing happens when somebody was faster.
    pub(super) async fn create_model(
        &self,
        operation: &'static str,
        name: &str,
    ) -> Result<(), Error> {
        let body = json!({"name": name});
        let route = ["registered-models", "create"];
        match self.post(operation, &route, &body).await? {
            Answer::Exists => Ok(()),
            answer => answer.done(operation).map(drop),
        }
    }

    pub(super) async fn set_model_tag(
        &self,
        operation: &'static str,
        name: &str,
        key: &str,
        value: &str,
    ) -> Result<(), Error> {
        let body = json!({"name": name, "key": key, "value": value});
        let route = ["registered-models", "set-tag"];
        let answer = self.post(operation, &route, &body).await?;
        answer.done(operation).map(drop)
    }

    /// Points an alias at a version, or at nothing. `false` when there is no such version.
    pub(super) async fn set_alias(
        &self,
        operation: &'static str,
        name: &str,
        alias: &str,
        version: Option<u64>,
    ) -> Result<bool, Error> {
        let route = ["registered-models", "alias"];
        let (method, body) = match version {
            Some(version) => (
                Method::POST,
                json!({"name": name, "alias": alias, "version": version.to_string()}),
            ),
            None => (Method::DELETE, json!({"name": name, "alias": alias})),
        };
        let answer = self
            .call(operation, method, &route, &[], Some(&body))
            .await?;
        match answer {
            Answer::NoSuch => Ok(false),
            answer => answer.done(operation).map(|_| true),
        }
    }

    /// A version, unless it was deleted or never there.
    pub(super) async fn version(
        &self,
        operation: &'static str,
        name: &str,
        number: u64,
    ) -> Result<Option<RemoteVersion>, Error> {
        let number = number.to_string();
        let route = ["model-versions", "get"];
        let query = [("name", name), ("version", number.as_str())];
        match self.get(operation, &route, &query).await? {
            Answer::NoSuch => Ok(None),
            answer => part(operation, &answer.done(operation)?, "model_version").map(Some),
        }
    }

    /// All versions of a registered model by number, or those that carry a tag.
    pub(super) async fn versions(
        &self,
        operation: &'static str,
        name: &str,
        tag: Option<(&str, &str)>,
    ) -> Result<Vec<RemoteVersion>, Error> {
        let mut filter = format!("name = '{name}'");
        if let Some((key, value)) = tag {
            filter.push_str(&format!(" AND tags.`{key}` = '{value}'"));
        }
        let list = List {
            route: "model-versions",
            key: "model_versions",
            filter: &filter,
            order: "version_number ASC",
        };
        let mut versions: Vec<RemoteVersion> = self.list(operation, &list).await?;
        versions.sort_by_key(|version| version.number);
        Ok(versions)
    }

    pub(super) async fn create_version(
        &self,
        operation: &'static str,
        body: &Value,
    ) -> Result<RemoteVersion, Error> {
        let route = ["model-versions", "create"];
        let answer = self.post(operation, &route, body).await?;
        part(operation, &answer.done(operation)?, "model_version")
    }

    pub(super) async fn set_version_tag(
        &self,
        operation: &'static str,
        name: &str,
        number: u64,
        tag: (&str, &str),
    ) -> Result<(), Error> {
        let number = number.to_string();
        let body = json!({"name": name, "version": number, "key": tag.0, "value": tag.1});
        let route = ["model-versions", "set-tag"];
        match self.post(operation, &route, &body).await? {
            // Somebody deleted it in MLflow: there is nothing left to mark.
            Answer::NoSuch => Ok(()),
            answer => answer.done(operation).map(drop),
        }
    }

    /// The bytes of a file that the server keeps for itself or proxies.
    pub(super) async fn artifact(
        &self,
        operation: &'static str,
        path: &[&str],
    ) -> Result<HttpAnswer, Error> {
        let path: Vec<&str> = ARTIFACTS.iter().chain(path).copied().collect();
        let request = Request {
            operation,
            method: Method::GET,
            path: &path,
            query: &[],
            body: HttpBody::Empty,
        };
        self.transport.send(request).await?.success(operation)
    }

    pub(super) async fn get(
        &self,
        operation: &'static str,
        route: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, Error> {
        self.call(operation, Method::GET, route, query, None).await
    }

    pub(super) async fn post(
        &self,
        operation: &'static str,
        route: &[&str],
        body: &Value,
    ) -> Result<Answer, Error> {
        self.call(operation, Method::POST, route, &[], Some(body))
            .await
    }

    pub(super) async fn call(
        &self,
        operation: &'static str,
        method: Method,
        route: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, Error> {
        let answer = self.send(operation, method, route, query, body).await?;
        classify(operation, &answer)
    }

    async fn send(
        &self,
        operation: &'static str,
        method: Method,
        route: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<HttpAnswer, Error> {
        let path: Vec<&str> = API.iter().chain(route).copied().collect();
        let request = Request {
            operation,
            method,
            path: &path,
            query,
            body: body.map_or(HttpBody::Empty, HttpBody::Json),
        };
        self.transport.send(request).await
    }

    /// A whole list, page by page.
    async fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        list: &List<'_>,
    ) -> Result<Vec<T>, Error> {
        let mut items: Vec<T> = Vec::new();
        let mut token = String::new();
        let (mut pages, mut bytes) = (0_usize, 0_usize);
        loop {
            let answer = {
                let mut query: Vec<(&str, &str)> = vec![
                    ("filter", list.filter),
                    ("max_results", PAGE),
                    ("order_by", list.order),
                ];
                if !token.is_empty() {
                    query.push(("page_token", token.as_str()));
                }
                let route = [list.route, "search"];
                self.send(operation, Method::GET, &route, &query, None)
                    .await?
            };
            pages = pages.saturating_add(1);
            bytes = bytes.saturating_add(answer.body().len());
            bounded(operation, pages, bytes)?;
            let answer = classify(operation, &answer)?.done(operation)?;
            let page: Page<T> = page(operation, &answer, list.key)?;
            items.extend(page.items);
            match another(operation, &token, page.next)? {
                None => return Ok(items),
                Some(next) => token = next,
            }
        }
    }
}

fn classify(operation: &'static str, answer: &HttpAnswer) -> Result<Answer, Error> {
    if (200..300).contains(&answer.status()) {
        return answer.json(operation).map(Answer::Done);
    }
    let refusal: Option<Refusal> = serde_json::from_slice(answer.body()).ok();
    match refusal.as_ref().map(|refusal| refusal.error_code.as_str()) {
        Some("RESOURCE_DOES_NOT_EXIST") => Ok(Answer::NoSuch),
        Some("RESOURCE_ALREADY_EXISTS") => Ok(Answer::Exists),
        None if answer.status() == 404 => {
            let message =
                "the server does not know this call: is this the address of another server?";
            Err(Error::new(ErrorKind::Invalid, operation, message).with("status", 404))
        }
        _ => Err(answer.error(operation)),
    }
}

/// Refuses a list that has no end: tokens may go round in a circle, or count up for ever.
fn bounded(operation: &'static str, pages: usize, bytes: usize) -> Result<(), Error> {
    if pages <= MOST_PAGES && bytes <= LARGEST_LIST {
        return Ok(());
    }
    let message = "the list of the server has no end, or is too long to be read at once";
    Err(Error::new(ErrorKind::Invalid, operation, message)
        .with("pages", pages)
        .with("bytes", bytes))
}

/// The token of the page after this one. A server that hands out the same token again would keep us for ever.
fn another(
    operation: &'static str,
    token: &str,
    next: Option<String>,
) -> Result<Option<String>, Error> {
    if next.as_deref() == Some(token) {
        let message = "the server gives the same page of a list again and again";
        return Err(Error::new(ErrorKind::Invalid, operation, message));
    }
    Ok(next)
}

#[derive(Deserialize)]
struct Refusal {
    error_code: String,
}

const API: [&str; 3] = ["api", "2.0", "mlflow"];
const ARTIFACTS: [&str; 4] = ["api", "2.0", "mlflow-artifacts", "artifacts"];
/// A page of versions with the largest registrations, of which MLflow writes each `ü` as six bytes, and a page of models with the newest of
/// them and thousands of moves, stay below what one answer may hold.
const PAGE: &str = "10";
const MOST_PAGES: usize = 10_000;
const LARGEST_LIST: usize = 1 << 30;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;

    use super::*;

    /// A server that always has another page.
    #[derive(Debug)]
    struct Endless {
        tokens: usize,
        calls: AtomicUsize,
    }

    #[async_trait]
    impl Transport for Endless {
        async fn send(&self, _: Request<'_>) -> Result<HttpAnswer, Error> {
            let call = self.calls.fetch_add(1, Ordering::SeqCst);
            let token = (call % self.tokens).to_string();
            let body = json!({"model_versions": [{"version": "1"}], "next_page_token": token});
            Ok(HttpAnswer::new(200, body.to_string()))
        }
    }

    #[tokio::test]
    async fn a_list_without_an_end_is_given_up() {
        for (tokens, calls) in [(1, 2), (2, MOST_PAGES + 1), (usize::MAX, MOST_PAGES + 1)] {
            let server = Arc::new(Endless {
                tokens,
                calls: AtomicUsize::new(0),
            });
            let transport: Arc<dyn Transport> = server.clone();
            let error = Api::new(transport).versions("read", "m", None).await;
            assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);
            assert_eq!(server.calls.load(Ordering::SeqCst), calls, "{tokens}");
        }
        assert!(bounded("read", 1, LARGEST_LIST).is_ok());
        assert!(bounded("read", 1, LARGEST_LIST + 1).is_err());
    }

    #[test]
    fn a_page_of_the_largest_versions_fits_into_an_answer() {
        let items: usize = PAGE.parse().unwrap();
        assert!(items * 6 / 2 * super::super::chunks::LONGEST < crate::http::MAX_ANSWER);
    }
}
