//! The program from the outside: a socket, and what it says.

mod access;
mod bad_input;
mod client;
mod contest;
mod fixtures;
mod repository;

use std::path::{Path, PathBuf};

use clap::Parser;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::client::Client;
use crate::Arguments;
use crate::failure::Failure;
use crate::host::Host;

/// A server on a port of its own.
struct Running {
    client: Client,
    told: String,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<String, Failure>>,
}

impl Running {
    async fn start(line: &[&str]) -> Result<Self, Failure> {
        let host = Host::start(&arguments(line)).await?;
        let (stop, stopped) = oneshot::channel();
        let (client, told) = (Client::new(host.address()), host.told());
        let ended = tokio::spawn(host.serve_until(async {
            let _ = stopped.await;
        }));
        Ok(Self {
            client,
            told,
            stop,
            ended,
        })
    }

    /// What it says at its end.
    async fn stop(self) -> String {
        drop(self.stop);
        self.ended.await.unwrap().unwrap()
    }
}

/// A command line, on a free port.
fn arguments(line: &[&str]) -> Arguments {
    let line = ["serve", "--bind", "127.0.0.1:0"].iter().chain(line);
    Arguments::try_parse_from(line).unwrap()
}

/// A file of the models that `noops-serve` is tested on.
fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../noops-serve/testdata");
    folder.join(name).to_str().unwrap().to_owned()
}

/// An empty folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("noops-serve-example-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn copy(&self, fixture_name: &str, name: &str) -> String {
        self.write(name, std::fs::read(fixture(fixture_name)).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
