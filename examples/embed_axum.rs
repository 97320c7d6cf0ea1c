//! `cargo run --release --example embed_axum`: a host's own axum service, with the inference protocol beside its own routes.
//!
//! The host keeps its router, its listener and its way to stop. `/v2/…` and `/metrics` are ours, here below `/models`; `/quote` is the
//! host's, and asks the same model in process, without a network between. With `--once` it asks itself and ends.
#![expect(clippy::print_stdout, reason = "an example speaks to its user")]

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use noops_core::{Digest, ModelVersion, Registration, Rows, SystemClock, Timestamp};
use noops_serve::model::file::load_file;
use noops_serve::protocol::{Service, http};
use noops_serve::{Deployment, DeploymentSettings, Request, Runtime, ServedModel};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Arc::new(Runtime::new());
    let app = app(&runtime)?;
    if std::env::args().any(|argument| argument == "--once") {
        return ask_itself(app).await;
    }
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    let address = listener.local_addr()?;
    println!("http://{address}/quote/12 and http://{address}/models/v2/models/price");
    let stopped = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, app)
        .with_graceful_shutdown(stopped)
        .await?;
    runtime.close();
    Ok(())
}

fn app(runtime: &Arc<Runtime>) -> Result<Router, Box<dyn Error>> {
    // A model of a file, or of the host's own making: see the example `custom_executor`.
    runtime.deploy("price".parse()?, price()?)?;
    let service = Arc::new(Service::new(runtime.clone()));
    Ok(Router::new()
        .route("/quote/{items}", get(quote))
        .with_state(runtime.clone())
        .nest("/models", http::router(service)))
}

/// Serves, asks both routes, and compares what they say.
async fn ask_itself(app: Router) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, app).await });
    let own = ask(address, "GET /quote/12", "").await?;
    let question =
        r#"{"inputs": [{"name": "input", "datatype": "FP32", "shape": [1, 1], "data": [12]}]}"#;
    let ours = ask(address, "POST /models/v2/models/price/infer", question).await?;
    let metrics = ask(address, "GET /models/metrics", "").await?;
    println!("the host's route says {own}");
    println!("the protocol says {ours}");
    println!("the metrics have {} lines", metrics.lines().count());
    let answer: serde_json::Value = serde_json::from_str(&ours)?;
    let score = answer
        .pointer("/outputs/0/data/0")
        .and_then(serde_json::Value::as_f64);
    if score != Some(21.0) || own.parse().ok() != score || metrics.is_empty() {
        return Err("the two routes must give the same answer".into());
    }
    Ok(())
}

/// The host's own route: the same deployment, asked in process.
async fn quote(
    State(runtime): State<Arc<Runtime>>,
    Path(items): Path<f32>,
) -> Result<String, (StatusCode, String)> {
    let failed = |error: noops_core::Error| (StatusCode::SERVICE_UNAVAILABLE, error.to_string());
    let rows = Rows::new(1, vec![items], Vec::new()).map_err(failed)?;
    let request = Request::of_rows(vec![format!("quote-{items}")], rows).map_err(failed)?;
    let reply = runtime.predict("price", &request).await.map_err(failed)?;
    match reply.into_iter().next() {
        Some(Ok(answer)) => Ok(answer.score().to_string()),
        Some(Err(refusal)) => Err((StatusCode::UNPROCESSABLE_ENTITY, refusal.to_string())),
        None => Err((StatusCode::INTERNAL_SERVER_ERROR, "no answer".to_owned())),
    }
}

fn price() -> Result<Arc<Deployment>, Box<dyn Error>> {
    let file = load_file(MODEL.as_bytes())?;
    let contract = file.contract().cloned().ok_or("the file has no contract")?;
    let digest = Digest::of(MODEL.as_bytes());
    let registration = Registration::new("price".parse()?, digest, contract, Timestamp::UNIX_EPOCH);
    let model = ServedModel::new(ModelVersion::new(1, registration), file.into_executor())?;
    let settings = DeploymentSettings::default();
    let deployment = Deployment::new(model, Arc::new(SystemClock), &settings);
    Ok(Arc::new(deployment))
}

/// What any client does.
async fn ask(
    address: std::net::SocketAddr,
    head: &str,
    body: &str,
) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let text = format!(
        "{head} HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("half an answer")?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("the service answered {head}: {body}").into());
    }
    Ok(body.to_owned())
}

/// What LightGBM writes: 20 for up to ten items, 21 for more.
const MODEL: &str = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\n\
    objective=regression\nfeature_names=items\n\n\
    Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=10.5\ndecision_type=2\n\
    left_child=-1\nright_child=-2\nleaf_value=20 21\n\nend of trees\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_routes_give_the_same_answer() {
        let app = app(&Arc::new(Runtime::new())).unwrap();
        ask_itself(app).await.unwrap();
    }
}
