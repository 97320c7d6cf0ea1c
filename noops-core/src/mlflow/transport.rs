use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Error;
use crate::http::{HttpAnswer, HttpBody, HttpClient, Method};
use crate::secret::{SecretName, Secrets, with_secret};

/// How a request reaches the server. A test puts a fault between.
#[async_trait]
pub(super) trait Transport: Debug + Send + Sync + 'static {
    /// What the server answered, whatever the status, unless the credential was refused.
    async fn send(&self, request: Request<'_>) -> Result<HttpAnswer, Error>;
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: HttpBody<'a>,
}

/// Straight to the server, with the secret if it wants one.
#[derive(Debug)]
pub(super) struct Direct {
    client: HttpClient,
    secret: Option<(Arc<dyn Secrets>, SecretName)>,
}

impl Direct {
    pub(super) fn new(client: HttpClient, secret: Option<(Arc<dyn Secrets>, SecretName)>) -> Self {
        Self { client, secret }
    }
}

#[async_trait]
impl Transport for Direct {
    async fn send(&self, request: Request<'_>) -> Result<HttpAnswer, Error> {
        let Some((secrets, name)) = &self.secret else {
            return attempt(self.client.clone(), &request).await;
        };
        let (client, request) = (&self.client, &request);
        with_secret(secrets.as_ref(), name, move |secret| {
            attempt(client.clone().with_bearer(secret), request)
        })
        .await
    }
}

async fn attempt(client: HttpClient, request: &Request<'_>) -> Result<HttpAnswer, Error> {
    let operation = request.operation;
    let method = request.method.clone();
    let answer = client
        .request(operation, method, request.path, request.query, request.body)
        .await?;
    if matches!(answer.status(), 401 | 403) {
        return Err(answer.error(operation));
    }
    Ok(answer)
}
