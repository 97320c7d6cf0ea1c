//! The server with everything that belongs to it.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use noops_serve::Runtime;
use noops_serve::protocol::http::Server;
use noops_serve::protocol::{Service, grpc};

use crate::Arguments;
use crate::failure::{Failure, fail};
use crate::file::Files;
use crate::folder::Folder;
use crate::line_up;
use crate::tokens;
use crate::watch::Watch;

/// What listens, and what it serves.
#[derive(Debug)]
pub(crate) struct Host {
    runtime: Arc<Runtime>,
    server: Server,
    watch: Watch,
    lines: Vec<String>,
}

impl Host {
    /// Loads the models and listens.
    pub(crate) async fn start(arguments: &Arguments) -> Result<Self, Failure> {
        let files = Arc::new(Files::new(arguments.ort_library.as_deref())?);
        let runtime = Arc::new(Runtime::new());
        let mut lines = line_up::deploy(&runtime, &files, arguments)?;
        let mut service = Service::new(runtime.clone());
        if let Some(path) = &arguments.repository {
            let folder = Arc::new(Folder::open(path, files)?);
            lines.extend(folder.deploy_all(&runtime)?);
            service = service.with_repository(folder);
        }
        if lines.is_empty() {
            return Err(fail(
                "there is nothing to serve; give `--model FILE` or `--repository DIR`",
            ));
        }
        if let Some(path) = &arguments.token_file {
            service = service.with_access(tokens::read(path)?);
        }
        let service = Arc::new(service);
        let server = Server::bind(arguments.bind, service.clone()).await?;
        Ok(Self {
            server: server.with_grpc(grpc::router(service)),
            watch: Watch::start(runtime.clone()),
            runtime,
            lines,
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// One line: where, and what.
    pub(crate) fn told(&self) -> String {
        format!(
            "serving http://{}: {}",
            self.address(),
            self.lines.join("; ")
        )
    }

    /// Serves until it is told to stop, answers what has begun, and says what became of it all.
    pub(crate) async fn serve_until(
        self,
        stopped: impl Future<Output = ()>,
    ) -> Result<String, Failure> {
        let drained = self.server.serve_until(stopped).await;
        self.runtime.close();
        let told = self.watch.stop().await?;
        Ok(format!(
            "stopped: {} connections were finished and {} cut off{told}",
            drained.finished(),
            drained.aborted()
        ))
    }
}
