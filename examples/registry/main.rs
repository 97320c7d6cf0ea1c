//! A model registry in a folder: versions and artifacts, who was live when, and back again when it was a mistake.
//!
//! ```text
//! cargo run --release --example registry -- DIR register fraud model.bin --feature amount age --metric auc=0.91
//! cargo run --release --example registry -- DIR list
//! cargo run --release --example registry -- DIR promote fraud 1
//! cargo run --release --example registry -- DIR rollback fraud
//! cargo run --release --example registry -- DIR history fraud champion --at 2026-03-01
//! cargo run --release --example registry -- DIR sign fraud champion --key signer.pem
//! cargo run --release --example registry -- DIR verify --public-key signer.pub.pem
//! cargo run --release --example registry -- DIR retain fraud --keep 10 --days 30
//! ```
//!
//! A folder holds `registry.sqlite` with versions, aliases, leases and the audit log, `artifacts` with the models, and `signatures`. Whatever
//! changes an alias or removes a version holds the registry's lease, carries its token and is in the audit log before it is done.
//!
//! `verify` finds what a bad disk, a crash or a careless hand has changed. Whoever may write `registry.sqlite` can also write it anew, log and
//! all: against that stand signatures with a key that is kept elsewhere, and an audit log that is signed and witnessed, such as the autopilot's.
//!
//! DIR may also be the SQLite file of another program, such as `state.sqlite` of the example `autopilot`, also while that runs. Versions and
//! aliases are read from it, artifacts from the folder `artifacts` beside it and, by `verify`, decisions from the folder `audit` beside it, with
//! the file `witness`; where there is no such folder, from the file as well. Nothing can be changed then, because the token of our lease would
//! shut that program out. The database is opened to be read; of `artifacts`, what a killed process left unfinished there is cleared away. A
//! database of another release is refused untouched, and so is a SQLite file that holds no registry.

mod act;
#[path = "../autopilot/failure.rs"]
mod failure;
mod find;
mod key;
mod read;
mod register;
mod signed_log;
mod store;
#[cfg(test)]
mod tests;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use noops_core::{Alias, Clock, ModelName, SystemClock, Timestamp};

use crate::failure::Failure;
use crate::register::NewVersion;
use crate::store::{Access, Store};

/// Reads and changes a model registry in a folder.
#[derive(Debug, Parser)]
#[command(name = "registry")]
struct Arguments {
    /// The folder of the registry, or the SQLite file of another program, which is only read
    #[arg(value_name = "DIR")]
    place: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put a file into the registry as a new version of a model; makes the registry if there is none
    Register(NewVersion),
    /// List all models, or the versions of one
    List {
        /// The model
        model: Option<ModelName>,
    },
    /// Show everything that is known of a version, and the versions it descends from
    Show {
        /// The model
        model: ModelName,
        /// Its number, the first six or more digits of its digest, or an alias
        version: String,
    },
    /// Show where the aliases of a model have pointed
    History {
        /// The model
        model: ModelName,
        /// Only this alias
        alias: Option<Alias>,
        /// Only where they pointed at this time: `2026-03-01T12:00:00Z`, or `2026-03-01` for its beginning in UTC
        #[arg(long, value_name = "TIME", value_parser = parse_time)]
        at: Option<Timestamp>,
    },
    /// Point an alias at a version, after its artifact was verified
    Promote {
        /// The model
        model: ModelName,
        /// Its number, the first six or more digits of its digest, or an alias
        version: String,
        /// What to move
        #[arg(long, value_name = "NAME", default_value = "champion")]
        alias: Alias,
        /// The reason, for the audit log
        #[arg(long, value_name = "TEXT", default_value = "by hand")]
        because: String,
    },
    /// Point an alias at what it pointed at before, after that artifact was verified
    Rollback {
        /// The model
        model: ModelName,
        /// What to move
        #[arg(long, value_name = "NAME", default_value = "champion")]
        alias: Alias,
        /// Where to, if not to what it pointed at last
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
        /// The reason, for the audit log
        #[arg(long, value_name = "TEXT", default_value = "by hand")]
        because: String,
    },
    /// Check every artifact, every alias and the audit log; fails when anything is wrong
    Verify {
        /// Only the versions of this model
        model: Option<ModelName>,
        /// Demand that every version was signed by the private key of this public key
        #[arg(long, value_name = "PEM")]
        public_key: Option<PathBuf>,
    },
    /// Sign a version, in the format of the OpenSSF for models
    Sign {
        /// The model
        model: ModelName,
        /// Its number, the first six or more digits of its digest, or an alias
        version: String,
        /// The private key; made if there is no such file
        #[arg(long, value_name = "PEM")]
        key: PathBuf,
    },
    /// Delete versions that are neither among the newest nor in use nor young
    Retain {
        /// The model
        model: ModelName,
        /// How many of the newest versions to keep
        #[arg(long, value_name = "N")]
        keep: usize,
        /// How many days to keep a version after it was registered, and after an alias moved on from it
        #[arg(long, value_name = "D")]
        days: u32,
    },
}

impl Command {
    fn access(&self) -> Access {
        match self {
            Self::Register(_) => Access::Create,
            Self::List { .. } | Self::Show { .. } | Self::History { .. } | Self::Verify { .. } => {
                Access::Read
            }
            Self::Promote { .. }
            | Self::Rollback { .. }
            | Self::Sign { .. }
            | Self::Retain { .. } => Access::Change,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse(), &SystemClock).await {
        Ok(text) => {
            say(text.trim_end());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            say_error(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments, clock: &dyn Clock) -> Result<String, Failure> {
    let Arguments { place, command } = arguments;
    // What a new version is made of is looked at before a registry is made for it.
    if let Command::Register(version) = &command {
        version.check()?;
    }
    let store = Store::open(&place, command.access()).await?;
    let done = perform(&store, command, clock).await;
    store.close().await;
    done
}

async fn perform(store: &Store, command: Command, clock: &dyn Clock) -> Result<String, Failure> {
    match command {
        Command::Register(version) => register::register(store, version, clock).await,
        Command::List { model: None } => read::list_models(store).await,
        Command::List { model: Some(model) } => read::list_versions(store, &model).await,
        Command::Show { model, version } => read::show(store, &model, &version).await,
        Command::History { model, alias, at } => {
            read::history(store, &model, alias.as_ref(), at).await
        }
        Command::Promote {
            model,
            version,
            alias,
            because,
        } => act::promote(store, &model, &version, alias, &because, clock).await,
        Command::Rollback {
            model,
            alias,
            to,
            because,
        } => act::roll_back(store, &model, alias, to.as_deref(), &because, clock).await,
        Command::Verify { model, public_key } => {
            verify::verify(store, model.as_ref(), public_key.as_deref()).await
        }
        Command::Sign {
            model,
            version,
            key,
        } => act::sign(store, &model, &version, &key, clock).await,
        Command::Retain { model, keep, days } => {
            act::retain(store, &model, keep, days, clock).await
        }
    }
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    let forms = [
        text.to_owned(),
        format!("{text}Z"),
        format!("{text}T00:00:00Z"),
    ];
    let parsed = forms.iter().find_map(|form| form.parse::<Timestamp>().ok());
    parsed.ok_or_else(|| "write `2026-03-01T12:00:00Z`, or `2026-03-01`".to_owned())
}

#[expect(clippy::print_stdout, reason = "a program speaks to its user")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a program speaks to its user")]
fn say_error(failure: &Failure) {
    eprintln!("registry: {failure}");
}
