//! A server on a port of its own, with both models.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use noops_core::{Error, ErrorKind};
use noops_serve::protocol::http::{Drained, Server};
use noops_serve::protocol::{AccessRules, Limits, Repository, Service};
use noops_serve::{Deployment, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::model::{Gate, ORDERS, POINTS, orders, points};

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) models: Arc<Runtime>,
    pub(crate) gate: Arc<Gate>,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<JoinHandle<Drained>>,
    threads: Option<tokio::runtime::Runtime>,
}

impl Running {
    /// Open to everybody, with default limits and without a repository.
    pub(crate) fn start() -> Self {
        Self::of(|service| service)
    }

    pub(crate) fn within(limits: Limits) -> Self {
        Self::of(|service| service.with_limits(limits))
    }

    pub(crate) fn guarded(rules: AccessRules) -> Self {
        Self::of(|service| service.with_access(rules).with_repository(Arc::new(Shelf)))
    }

    /// With a repository that knows [`ORDERS`] and two models that cannot be loaded.
    pub(crate) fn with_repository() -> Self {
        Self::of(|service| service.with_repository(Arc::new(Shelf)))
    }

    fn of(settings: impl FnOnce(Service) -> Service) -> Self {
        let gate = Arc::default();
        let models = Arc::new(Runtime::new());
        models
            .deploy(POINTS.parse().unwrap(), points(&gate))
            .unwrap();
        models.deploy(ORDERS.parse().unwrap(), orders()).unwrap();
        let service = Arc::new(settings(Service::new(models.clone())));
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = threads.block_on(Server::bind(any_port, service)).unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = threads.spawn(server.serve_until(async {
            stopped.await.unwrap_or_default();
        }));
        Self {
            address,
            models,
            gate,
            stop: Some(stop),
            ended: Some(ended),
            threads: Some(threads),
        }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Tells the server to stop, and returns at once.
    pub(crate) fn tell_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// How it ended.
    pub(crate) fn ended(mut self) -> Drained {
        let ended = self.ended.take().unwrap();
        self.threads.as_ref().unwrap().block_on(ended).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.gate.open();
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

/// Can load [`ORDERS`], knows `broken`, and says that it has `gone`.
#[derive(Debug)]
struct Shelf;

#[async_trait]
impl Repository for Shelf {
    fn names(&self) -> Vec<String> {
        [ORDERS, "broken", "gone"].map(str::to_owned).to_vec()
    }

    async fn load(&self, model: &str) -> Result<Arc<Deployment>, Error> {
        let refuse = |kind, message: &'static str| {
            Err(Error::new(kind, "load a model", message).with("model", model))
        };
        match model {
            ORDERS => Ok(orders()),
            "broken" => refuse(ErrorKind::Corrupt, "its bytes are not its own"),
            _ => refuse(ErrorKind::NotFound, "there is none of the name"),
        }
    }
}
