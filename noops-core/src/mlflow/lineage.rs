//! What people look for in MLflow's own pages: a run with metrics, parameters and the data set, and a logged model that came of it.
//!
//! It is a copy for their eyes: we read none of it back. Each step finds what an earlier try left behind.

use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Answer, Api};
use super::remote::part;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::http::Method;
use crate::registry::Registration;
use crate::registry::refusal::REGISTER;

/// Where MLflow shows a registration.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) run: String,
    pub(super) logged_model: String,
}

/// Shows a registration, whose text has this digest, as a run and a logged model of the experiment that belongs to its registered model.
pub(super) async fn publish(
    api: &Api,
    name: &str,
    registration: &Registration,
    text: Digest,
) -> Result<Published, Error> {
    let experiment = experiment(api, &format!("noops/{name}")).await?;
    let (run, outputs) = run(api, &experiment, registration, text).await?;
    for batch in batches(&run, registration) {
        done(api, &["runs", "log-batch"], &batch).await?;
    }
    if let Some(inputs) = inputs(&run, registration) {
        done(api, &["runs", "log-inputs"], &inputs).await?;
    }
    let logged_model = logged_model(api, &experiment, &run, registration, text).await?;
    // The one call that fails when it is made twice.
    if !outputs.contains(&logged_model) {
        let outputs = json!({"run_id": run, "models": [{"model_id": logged_model, "step": 0}]});
        done(api, &["runs", "outputs"], &outputs).await?;
    }
    let finished = json!({"run_id": run, "status": "FINISHED", "end_time": millis(registration)});
    done(api, &["runs", "update"], &finished).await?;
    Ok(Published { run, logged_model })
}

/// The logged model that a source names, and where its files are: the segments of the address below the proxy.
pub(super) async fn files(
    api: &Api,
    operation: &'static str,
    source: &str,
) -> Result<Vec<String>, Error> {
    let elsewhere = |place: &str| {
        let message = "MLflow does not keep its files: ask the store that does";
        let shown: String = place.chars().take(LONGEST_VALUE).collect();
        Error::new(ErrorKind::Invalid, operation, message).with("source", shown.escape_debug())
    };
    let id = source
        .strip_prefix("models:/")
        .filter(|id| !id.contains('/'))
        .ok_or_else(|| elsewhere(source))?;
    let answer = api.get(operation, &["logged-models", id], &[]).await?;
    let model: LoggedModel = part(operation, &answer.done(operation)?, "model")?;
    let path = model
        .info
        .artifact_uri
        .strip_prefix("mlflow-artifacts:/")
        .ok_or_else(|| elsewhere(&model.info.artifact_uri))?;
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    Ok(segments.map(str::to_owned).collect())
}

async fn experiment(api: &Api, name: &str) -> Result<String, Error> {
    if let Some(id) = existing_experiment(api, name).await? {
        return Ok(id);
    }
    let body = json!({"name": name});
    match api
        .post(REGISTER, &["experiments", "create"], &body)
        .await?
    {
        Answer::Exists => {
            let found = existing_experiment(api, name).await?;
            found.ok_or_else(|| experiment_deleted(name))
        }
        answer => part(REGISTER, &answer.done(REGISTER)?, "experiment_id"),
    }
}

async fn existing_experiment(api: &Api, name: &str) -> Result<Option<String>, Error> {
    let query = [("experiment_name", name)];
    let route = ["experiments", "get-by-name"];
    let found: Experiment = match api.get(REGISTER, &route, &query).await? {
        Answer::NoSuch => return Ok(None),
        answer => part(REGISTER, &answer.done(REGISTER)?, "experiment")?,
    };
    if found.lifecycle_stage == "deleted" {
        return Err(experiment_deleted(name));
    }
    Ok(Some(found.experiment_id))
}

fn experiment_deleted(name: &str) -> Error {
    let message = "its experiment was deleted in MLflow: restore it there";
    Error::new(ErrorKind::Conflict, REGISTER, message).with("experiment", name)
}

/// The run of a registration, and the logged models that it is known to have made.
async fn run(
    api: &Api,
    experiment: &str,
    registration: &Registration,
    text: Digest,
) -> Result<(String, Vec<String>), Error> {
    let search = json!({"experiment_ids": [experiment], "filter": filter(text), "max_results": 1});
    let answer = done(api, &["runs", "search"], &search).await?;
    if answer.get("runs").is_some() {
        let runs: Vec<Run> = part(REGISTER, &answer, "runs")?;
        if let Some(run) = runs.into_iter().next() {
            let outputs = run.outputs.model_outputs.into_iter();
            let made = outputs.map(|output| output.model_id).collect();
            return Ok((run.info.run_id, made));
        }
    }
    let lineage = &registration.lineage;
    let mut tags = vec![
        tag("noops.digest", &registration.digest.to_string()),
        tag(REGISTRATION, &text.to_string()),
    ];
    let named = [
        ("noops.training_run", lineage.training_run.clone()),
        ("mlflow.source.git.commit", lineage.code_revision.clone()),
        (
            "noops.feature_view",
            lineage.feature_view.map(String::from).unwrap_or_default(),
        ),
        (
            "noops.parent",
            lineage.parent.map(String::from).unwrap_or_default(),
        ),
    ];
    let known = named.iter().filter(|(_, value)| !value.is_empty());
    tags.extend(known.map(|(key, value)| tag(key, &cut(value))));
    let name = if lineage.training_run.is_empty() {
        registration.digest.short()
    } else {
        cut(&lineage.training_run)
    };
    let body = json!({
        "experiment_id": experiment, "run_name": name, "start_time": millis(registration), "tags": tags,
    });
    let answer = done(api, &["runs", "create"], &body).await?;
    let run: Run = part(REGISTER, &answer, "run")?;
    Ok((run.info.run_id, Vec::new()))
}

async fn logged_model(
    api: &Api,
    experiment: &str,
    run: &str,
    registration: &Registration,
    text: Digest,
) -> Result<String, Error> {
    let search = json!({"experiment_ids": [experiment], "filter": filter(text), "max_results": 1});
    let answer = done(api, &["logged-models", "search"], &search).await?;
    let mut found: Vec<LoggedModel> = Vec::new();
    if answer.get("models").is_some() {
        found = part(REGISTER, &answer, "models")?;
    }
    let id = match found.into_iter().next() {
        Some(model) => model.info.model_id,
        None => {
            let body = json!({
                "experiment_id": experiment,
                // MLflow takes no dots here.
                "name": registration.model.as_str().replace('.', "-"),
                "model_type": "noops",
                "source_run_id": run,
                "params": parameters(registration),
                "tags": [
                    tag("noops.digest", &registration.digest.to_string()),
                    tag(REGISTRATION, &text.to_string()),
                ],
            });
            let answer = done(api, &["logged-models"], &body).await?;
            let model: LoggedModel = part(REGISTER, &answer, "model")?;
            model.info.model_id
        }
    };
    let ready = json!({"model_id": id, "status": "LOGGED_MODEL_READY"});
    let route = ["logged-models", id.as_str()];
    api.call(REGISTER, Method::PATCH, &route, &[], Some(&ready))
        .await?
        .done(REGISTER)?;
    Ok(id)
}

/// Metrics and parameters in the sizes that MLflow takes.
fn batches(run: &str, registration: &Registration) -> Vec<Value> {
    let at = millis(registration);
    let metrics: Vec<Value> = registration
        .metrics
        .iter()
        .filter(|(key, _)| takes(key))
        .map(|(key, value)| json!({"key": key, "value": value, "timestamp": at, "step": 0}))
        .collect();
    let metrics = metrics
        .chunks(LARGEST_BATCH)
        .map(|batch| json!({"run_id": run, "metrics": batch}));
    let parameters = parameters(registration);
    let parameters = parameters
        .chunks(LARGEST_BATCH)
        .map(|batch| json!({"run_id": run, "params": batch}));
    metrics.chain(parameters).collect()
}

fn inputs(run: &str, registration: &Registration) -> Option<Value> {
    let digest = registration.lineage.dataset?.to_string();
    // MLflow takes 36 characters of a digest; all of it is in the source.
    let short: String = digest.chars().take(36).collect();
    Some(json!({"run_id": run, "datasets": [{
        "dataset": {"name": "training", "digest": short, "source_type": "noops", "source": format!("sha256:{digest}")},
        "tags": [{"key": "mlflow.data.context", "value": "training"}],
    }]}))
}

fn parameters(registration: &Registration) -> Vec<Value> {
    let shown = registration.parameters.iter().filter(|(key, _)| takes(key));
    shown.map(|(key, value)| tag(key, &cut(value))).collect()
}

/// Whether every MLflow server takes a text as the name of a metric or a parameter, also one that keeps them as files.
fn takes(key: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/');
    let plain = |segment: &str| !matches!(segment, "" | "." | "..");
    key.len() <= LONGEST_KEY && key.chars().all(legal) && key.split('/').all(plain)
}

fn cut(value: &str) -> String {
    if value.chars().count() <= LONGEST_VALUE {
        return value.to_owned();
    }
    let mut head: String = value.chars().take(LONGEST_VALUE - 1).collect();
    head.push('…');
    head
}

fn tag(key: &str, value: &str) -> Value {
    json!({"key": key, "value": value})
}

/// Finds what the same registration made: another one of the same artifact may have other parameters, which MLflow does not let
/// change.
fn filter(text: Digest) -> String {
    format!("tags.`{REGISTRATION}` = '{text}'")
}

fn millis(registration: &Registration) -> i64 {
    registration.registered_at.as_millisecond().max(0)
}

async fn done(api: &Api, route: &[&str], body: &Value) -> Result<Value, Error> {
    api.post(REGISTER, route, body).await?.done(REGISTER)
}

#[derive(Deserialize)]
struct Experiment {
    experiment_id: String,
    #[serde(default)]
    lifecycle_stage: String,
}

#[derive(Deserialize)]
struct Run {
    info: RunInfo,
    #[serde(default)]
    outputs: Outputs,
}

#[derive(Default, Deserialize)]
struct Outputs {
    #[serde(default)]
    model_outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    model_id: String,
}

#[derive(Deserialize)]
struct RunInfo {
    run_id: String,
}

#[derive(Deserialize)]
struct LoggedModel {
    info: LoggedModelInfo,
}

#[derive(Deserialize)]
struct LoggedModelInfo {
    model_id: String,
    #[serde(default)]
    artifact_uri: String,
}

const REGISTRATION: &str = "noops.registration";
const LONGEST_KEY: usize = 250;
/// What the oldest servers that have logged models take of a parameter.
const LONGEST_VALUE: usize = 500;
const LARGEST_BATCH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::registry::registration;

    #[test]
    fn only_names_that_mlflow_takes_are_shown_there() {
        // MLflow answered 200 to a log-batch with the first and 400 to one with the second.
        for key in ["brier", "a b", "a/b", "x_1.2-3"] {
            assert!(takes(key), "{key}");
        }
        let long = "a".repeat(251);
        for key in [
            "", ".", "a(b)", "a@b", "/x", "../x", "a/../b", "a//b", "x/", "a\n", &long,
        ] {
            assert!(!takes(key), "{key}");
        }
    }

    #[test]
    fn long_texts_are_cut_visibly() {
        assert_eq!(cut("é"), "é");
        let long = cut(&"é".repeat(LONGEST_VALUE + 1));
        assert_eq!(long.chars().count(), LONGEST_VALUE);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn batches_hold_everything_once_and_no_more_than_mlflow_takes() {
        let mut many = registration(&"delay".parse().unwrap(), b"one");
        many.metrics = (0..250).map(|i| (format!("m{i}"), f64::from(i))).collect();
        many.parameters = (0..101).map(|i| (format!("p{i}"), i.to_string())).collect();
        many.metrics.insert("not (this)".into(), 1.0);
        let batches = batches("run", &many);
        let count = |key: &str| -> Vec<usize> {
            let found = batches.iter().filter_map(|batch| batch.get(key));
            found.map(|rows| rows.as_array().unwrap().len()).collect()
        };
        assert_eq!(count("metrics"), [100, 100, 50]);
        assert_eq!(count("params"), [100, 1]);
    }
}
