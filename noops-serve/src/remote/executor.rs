//! A remote model as an executor.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use noops_core::{Batch, Error, ErrorKind, Executor, Scores};
use tokio::runtime::Handle;

use super::failure::INFER;
use super::model::RemoteModel;

/// A [`RemoteModel`] as an [`Executor`].
///
/// `run` blocks its thread until the answer is there: it belongs on a thread of a pool, never on a worker of an async runtime. The
/// request itself runs on the runtime of the handle, which must have timers and networking and be driven by another thread. Where it is not
/// driven, `run` fails after the deadline.
///
/// An executor must not let a row's scores depend on the others of its batch. Whether the server keeps that is what
/// [`RemoteModel::probe`] reports; [`RemoteSettings::with_rows`](super::RemoteSettings::with_rows) with one row keeps it in any case.
///
/// A replica shares the client, with its connections, budgets and breaker.
#[derive(Clone, Debug)]
pub struct RemoteExecutor {
    model: RemoteModel,
    handle: Handle,
    deadline: Duration,
}

impl RemoteExecutor {
    /// Runs requests on a runtime, each with this deadline.
    #[must_use]
    pub fn new(model: RemoteModel, handle: Handle, deadline: Duration) -> Self {
        Self {
            model,
            handle,
            deadline,
        }
    }
}

impl Executor for RemoteExecutor {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        let (model, batch, deadline) = (self.model.clone(), batch.clone(), self.deadline);
        let (sender, receiver) = sync_channel(1);
        let task = self.handle.spawn(async move {
            let answer = model.infer(&batch, deadline).await;
            // Nobody listens any longer when the deadline has passed.
            let _ = sender.send(answer);
        });
        // The request ends by itself; a little later at the latest the runtime is known to stand still.
        receiver
            .recv_timeout(deadline.saturating_add(GRACE))
            .unwrap_or_else(|error| {
                task.abort();
                let message = match error {
                    RecvTimeoutError::Timeout => "the runtime of the handle is not driven",
                    RecvTimeoutError::Disconnected => "the runtime of the handle has shut down",
                };
                Err(Error::new(ErrorKind::Unavailable, INFER, message))
            })
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(self.clone()))
    }
}

const GRACE: Duration = Duration::from_millis(100);
