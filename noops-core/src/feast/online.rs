use std::sync::Arc;
use std::time::Duration;

use arrow_array::ArrayRef;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::rows::Key;
use super::settings::FeastSettings;
use super::values;
use crate::error::{Error, ErrorKind};
use crate::features::{FeatureView, ViewFeature};
use crate::http::{HttpAnswer, HttpBody, HttpClient, Method};
use crate::secret::{SecretName, Secrets, with_secret};

/// The online server, asked about one feature view.
#[derive(Debug)]
pub(super) struct OnlineServer {
    client: HttpClient,
    secret: Option<(Arc<dyn Secrets>, SecretName)>,
    feature_view: String,
    timeout: Duration,
}

/// What Feast holds of one feature, for each entity that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    /// Null where Feast has no value, or does not show it.
    pub(super) values: ArrayRef,
    pub(super) origins: Vec<Origin>,
}

/// Where a cell came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Feast knows nothing of the entity.
    Nothing,
    /// A row with this event time.
    Row(Timestamp),
    /// A row with this event time that Feast itself finds too old to show.
    Withheld(Timestamp),
    /// Feast cannot say.
    Failed,
}

impl Origin {
    /// When what the row says happened.
    pub(super) fn event(self) -> Option<Timestamp> {
        match self {
            Self::Row(event) | Self::Withheld(event) => Some(event),
            Self::Nothing | Self::Failed => None,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Document {
    metadata: Metadata,
    results: Vec<Vector>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    feature_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Vector {
    values: Vec<Value>,
    statuses: Vec<String>,
    event_timestamps: Vec<String>,
}

impl OnlineServer {
    pub(super) fn new(settings: &FeastSettings, feature_view: String) -> Result<Self, Error> {
        Ok(Self {
            client: HttpClient::new(settings.online())?,
            secret: settings.secret.clone(),
            feature_view,
            timeout: settings.timeout,
        })
    }

    pub(super) fn feature_view(&self) -> &str {
        &self.feature_view
    }

    /// What is held of each entity, one answer per feature of the view, in its order.
    pub(super) async fn read(
        &self,
        view: &FeatureView,
        keys: &[Key],
        deadline: Duration,
    ) -> Result<Vec<Answered>, Error> {
        let features: Vec<String> = view
            .features()
            .iter()
            .map(|feature| format!("{}:{}", self.feature_view, feature.name))
            .collect();
        let mut entities: Map<String, Value> = Map::new();
        for (index, part) in view.keys().iter().enumerate() {
            let column = keys
                .iter()
                .map(|key| key.get(index).map_or(Value::Null, |part| part.json()));
            entities.insert(part.name.clone(), Value::Array(column.collect()));
        }
        let body = json!({
            "features": features,
            "entities": entities,
            "full_feature_names": false,
        });
        let deadline = deadline.min(self.timeout);
        let answer = self
            .post(READ, "get-online-features", &body, deadline)
            .await?;
        if !(200..300).contains(&answer.status()) {
            return Err(self.refusal(view, &answer));
        }
        let document: Document = serde_json::from_value(answer.json(READ)?)
            .map_err(|source| self.misshapen("a field").caused_by(source))?;
        self.columns(view, keys, &document)
    }

    /// Sends rows to a push source, into the online store alone.
    pub(super) async fn push(
        &self,
        source: &str,
        columns: Map<String, Value>,
    ) -> Result<(), Error> {
        let body = json!({ "push_source_name": source, "df": columns, "to": "online" });
        let answer = self.post(PUSH, "push", &body, self.timeout).await?;
        answer.success(PUSH).map(drop).map_err(|error| {
            error
                .with("feature view", &self.feature_view)
                .with("push source", source)
        })
    }

    async fn post(
        &self,
        operation: &'static str,
        path: &str,
        body: &Value,
        deadline: Duration,
    ) -> Result<HttpAnswer, Error> {
        let client = self.client.clone().with_timeout(deadline);
        let answering = async {
            match &self.secret {
                None => attempt(client, operation, path, body).await,
                Some((secrets, name)) => {
                    let client = &client;
                    with_secret(secrets.as_ref(), name, move |secret| {
                        attempt(client.clone().with_bearer(secret), operation, path, body)
                    })
                    .await
                }
            }
        };
        // With a fresh secret a request is sent twice, and both are one call.
        let answer = tokio::time::timeout(deadline, answering).await;
        answer.unwrap_or_else(|source| {
            let message = "the server did not answer in time";
            Err(Error::new(ErrorKind::Unavailable, operation, message)
                .with("feature view", &self.feature_view)
                .with("deadline", format_args!("{deadline:?}"))
                .caused_by(source))
        })
    }

    /// What an error means: Feast answers "failed" to a request for a feature that it does not have.
    fn refusal(&self, view: &FeatureView, answer: &HttpAnswer) -> Error {
        let said = String::from_utf8_lossy(answer.body()).into_owned();
        let error = if answer.status() == 500 && said.contains("not found in projection") {
            let message =
                "feast has no such feature in the feature view; make the definitions agree";
            let unknown = view
                .features()
                .iter()
                .find(|feature| said.contains(&format!("Feature {} not found", feature.name)));
            let error = Error::new(ErrorKind::Invalid, READ, message);
            match unknown {
                Some(feature) => error.with("feature", &feature.name),
                None => error.with("answer", answer.excerpt()),
            }
        } else if answer.status() == 500 && said.contains("invalid literal for int()") {
            let message =
                "feast has a key of another type than the view says; make the definitions agree";
            Error::new(ErrorKind::Invalid, READ, message).with("answer", answer.excerpt())
        } else {
            answer.error(READ)
        };
        error.with("feature view", &self.feature_view)
    }

    fn columns(
        &self,
        view: &FeatureView,
        keys: &[Key],
        document: &Document,
    ) -> Result<Vec<Answered>, Error> {
        let rows = keys.len();
        // Feast repeats the keys. Were they others, the rows would be those of other entities.
        for (index, part) in view.keys().iter().enumerate() {
            let echo = &self.column(document, rows, &part.name)?.values;
            let asked = keys
                .iter()
                .map(|key| key.get(index).map(|part| part.json()));
            if !asked.eq(echo.iter().map(|value| Some(value.clone()))) {
                let error = self.misshapen("the keys that were asked for");
                return Err(error.with("column", &part.name));
            }
        }
        view.features()
            .iter()
            .map(|feature| self.answered(feature, self.column(document, rows, &feature.name)?))
            .collect()
    }

    fn column<'a>(
        &self,
        document: &'a Document,
        rows: usize,
        name: &str,
    ) -> Result<&'a Vector, Error> {
        let names = &document.metadata.feature_names;
        let place = names.iter().position(|found| found == name);
        let vector = place.and_then(|place| document.results.get(place));
        let whole = |vector: &&Vector| {
            vector.values.len() == rows
                && vector.statuses.len() == rows
                && vector.event_timestamps.len() == rows
        };
        vector.filter(whole).ok_or_else(|| {
            self.misshapen("a column or some of its rows")
                .with("column", name)
        })
    }

    fn answered(&self, feature: &ViewFeature, vector: &Vector) -> Result<Answered, Error> {
        let mut origins: Vec<Origin> = Vec::with_capacity(vector.values.len());
        let mut shown: Vec<Option<&Value>> = Vec::with_capacity(vector.values.len());
        let cells = vector.values.iter().zip(&vector.statuses);
        for ((value, status), event) in cells.zip(&vector.event_timestamps) {
            let event = || -> Result<Timestamp, Error> {
                event.parse::<Timestamp>().map_err(|source| {
                    self.misshapen("an event time that is one")
                        .with("column", &feature.name)
                        .caused_by(source)
                })
            };
            let origin = match status.as_str() {
                "PRESENT" | "NULL_VALUE" => Origin::Row(event()?),
                "OUTSIDE_MAX_AGE" => Origin::Withheld(event()?),
                // Its event time is the epoch, which says nothing.
                "NOT_FOUND" => Origin::Nothing,
                _ => Origin::Failed,
            };
            shown.push(matches!(origin, Origin::Row(_)).then_some(value));
            origins.push(origin);
        }
        Ok(Answered {
            values: values::read(feature, &shown, READ)?,
            origins,
        })
    }

    fn misshapen(&self, lacks: &str) -> Error {
        let message =
            "the server's answer lacks something: is it a feast server of another version?";
        Error::new(ErrorKind::Corrupt, READ, message)
            .with("lacks", lacks)
            .with("feature view", &self.feature_view)
    }
}

async fn attempt(
    client: HttpClient,
    operation: &'static str,
    path: &str,
    body: &Value,
) -> Result<HttpAnswer, Error> {
    let body = HttpBody::Json(body);
    let answer = client
        .request(operation, Method::POST, &[path], &[], body)
        .await?;
    if matches!(answer.status(), 401 | 403) {
        return Err(answer.error(operation));
    }
    Ok(answer)
}

const READ: &str = "read features from feast";
const PUSH: &str = "push features to feast";
