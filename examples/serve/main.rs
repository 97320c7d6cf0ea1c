//! Serves model files over the Open Inference Protocol: REST and gRPC at `/v2/…`, metrics at `/metrics`, all on one port.
//!
//! ```text
//! cargo run --release --example serve -- --model churn.json --model price.onnx
//! cargo run --release --example serve -- --champion v1.txt --challenger v2.txt --share 0.05 --shadow v3.txt
//! cargo run --release --example serve -- --repository models --token-file tokens --bind 0.0.0.0:8000
//! ```
//!
//! Files are burnpack and safetensors with a small network, ONNX, XGBoost (JSON, UBJSON) and LightGBM (text); which of them is seen by
//! what is in them. A model is called as its file without the ending, unless `--name NAME=FILE` says otherwise.
//!
//! A champion, challengers with their shares and shadows make one deployment, which has the champion's name. Challengers and shadows
//! are shown what they do not answer; what they would have said is told at the end.
//!
//! What a file says of its inputs is its contract, see `noops_serve::model::file`. `--contract FILE` is the JSON of a
//! `noops_core::Contract` instead, for every model of the command line: with ranges, categories, and what to do with values that are
//! missing or outside.
//!
//! Models of `--repository DIR` are loaded and unloaded by clients, by their names without the endings; all are loaded at the start.
//!
//! A token file has a line for every grant: `TOKEN`, then verbs (`infer`, `read`, `manage`, `metrics`, or `all`), then models, both
//! with commas between; all verbs and all models where there are none. Lines that begin with `#` are left out. Without such a file
//! everybody may do everything.
//!
//! # Exit codes
//!
//! 0 when it was told to stop, by SIGTERM or ctrl-c, after the requests that had begun were answered; 1 with one line on the error
//! stream when it cannot serve; 2 for a command line that makes no sense.

#[path = "../autopilot/failure.rs"]
mod failure;
mod file;
mod folder;
mod host;
mod line_up;
#[cfg(test)]
mod tests;
mod tokens;
mod watch;

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use noops_core::{ModelName, Share};

use crate::failure::{Failure, fail};
use crate::host::Host;

/// Serves model files over the Open Inference Protocol.
#[derive(Debug, Parser)]
#[command(name = "serve")]
struct Arguments {
    /// A model file; can be repeated
    #[arg(long = "model", value_name = "FILE")]
    models: Vec<PathBuf>,
    /// The model that answers what no challenger does
    #[arg(long, value_name = "FILE")]
    champion: Option<PathBuf>,
    /// A model that answers a share of the requests; can be repeated
    #[arg(long = "challenger", value_name = "FILE", requires = "champion")]
    challengers: Vec<PathBuf>,
    /// The share of a challenger, from 0 to 1; one for each
    #[arg(long = "share", value_name = "SHARE", requires = "challengers", value_parser = parse_share)]
    shares: Vec<Share>,
    /// A model that is shown all requests and answers none; can be repeated
    #[arg(long = "shadow", value_name = "FILE", requires = "champion")]
    shadows: Vec<PathBuf>,
    /// Call the model of a file by this name; can be repeated
    #[arg(long = "name", value_name = "NAME=FILE", value_parser = parse_name)]
    names: Vec<Named>,
    /// A folder of models that clients may load and unload
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
    /// What the models of the command line demand of their input: JSON
    #[arg(long, value_name = "FILE")]
    contract: Option<PathBuf>,
    /// Who may do what
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    bind: SocketAddr,
    /// Run ONNX files by this shared library of ONNX Runtime
    #[arg(long, value_name = "PATH")]
    ort_library: Option<PathBuf>,
    /// How many threads serve; as many as the machine has, unless set
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,
}

/// A name for the model of a file.
#[derive(Clone, Debug)]
struct Named {
    name: ModelName,
    file: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say_error(&failure);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) = arguments.workers {
        builder.worker_threads(workers.get());
    }
    let runtime = builder
        .enable_all()
        .build()
        .map_err(|error| fail(format!("cannot start threads: {error}")))?;
    runtime.block_on(async {
        // Before anything is said, so that whoever reads that it serves can stop it.
        let stopped = told_to_stop()?;
        let host = Host::start(arguments).await?;
        say(&host.told());
        let ended = host.serve_until(stopped).await?;
        say(&ended);
        Ok(())
    })
}

/// Ends at SIGTERM and at ctrl-c.
#[cfg(unix)]
fn told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen =
        |kind| signal(kind).map_err(|error| fail(format!("cannot listen for signals: {error}")));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
    })
}

/// Ends at ctrl-c.
#[cfg(not(unix))]
fn told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
}

fn parse_share(text: &str) -> Result<Share, String> {
    let ratio: f64 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    Share::from_ratio(ratio).map_err(|error| error.to_string())
}

fn parse_name(text: &str) -> Result<Named, String> {
    let (name, file) = text
        .split_once('=')
        .ok_or_else(|| "write NAME=FILE".to_owned())?;
    let name = name.parse().map_err(|error| format!("{error}"))?;
    Ok(Named {
        name,
        file: file.into(),
    })
}

/// Nobody may be listening, which is no reason not to serve.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[expect(clippy::print_stderr, reason = "a program speaks to its user")]
fn say_error(failure: &Failure) {
    eprintln!("serve: {}", failure.to_string().replace('\n', " "));
}
