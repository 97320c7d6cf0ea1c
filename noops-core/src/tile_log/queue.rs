use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::directory::lock;
use super::engine::Engine;
use super::storage::WRITE;
use crate::audit::{AuditEntry, AuditRecord};
use crate::error::{Error, ErrorKind};

/// Those who want something of the log. The first to come starts a leader, which works for all who came in the meantime until nobody is left:
/// a record waits for at most two syncs, under load one sync serves thousands, and everything else has its turn between two commits.
pub(super) struct Queue {
    engine: Mutex<Engine>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<Task>,
    is_led: bool,
}

enum Task {
    Append {
        records: Vec<AuditRecord>,
        reply: oneshot::Sender<Result<Vec<AuditEntry>, Error>>,
    },
    Other(Box<dyn FnOnce(&mut Engine) -> Answer + Send>),
}

/// Tells whoever waits what became of a task.
type Answer = Box<dyn FnOnce() + Send>;

impl Queue {
    /// A queue in front of a log.
    pub(super) fn new(engine: Engine) -> Self {
        Self {
            engine: Mutex::new(engine),
            waiting: Mutex::new(Waiting::default()),
        }
    }

    /// Appends records, all or none, durable on return.
    ///
    /// Once called it is done even if the caller does not wait.
    pub(super) async fn append(
        self: &Arc<Self>,
        records: Vec<AuditRecord>,
    ) -> Result<Vec<AuditEntry>, Error> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Task::Append { records, reply })?;
        answer.await.map_err(|_| writer_gone())?
    }

    /// Does something with the log between two commits.
    pub(super) async fn with_engine<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Engine) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let task = move |engine: &mut Engine| -> Answer {
            let result = match engine.check() {
                Ok(()) => work(engine),
                Err(error) => Err(error),
            };
            Box::new(move || {
                reply.send(result).ok();
            })
        };
        self.enqueue(Task::Other(Box::new(task)))?;
        answer.await.map_err(|_| writer_gone())?
    }

    fn enqueue(self: &Arc<Self>, task: Task) -> Result<(), Error> {
        let runtime = runtime()?;
        let must_lead = {
            let mut waiting = lock(&self.waiting);
            waiting.tasks.push_back(task);
            !std::mem::replace(&mut waiting.is_led, true)
        };
        if must_lead {
            let leader = Leader {
                queue: Arc::clone(self),
                is_done: false,
            };
            runtime.spawn_blocking(move || leader.lead());
        }
        Ok(())
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

/// The one who works. However it ends, somebody else can lead afterwards and nobody waits in vain.
struct Leader {
    queue: Arc<Queue>,
    is_done: bool,
}

impl Leader {
    fn lead(mut self) {
        let mut answers: Vec<Answer> = Vec::new();
        loop {
            let tasks = self.take();
            if tasks.is_empty() {
                // Whoever hears the last answer may drop the log and open it again at once: nothing here holds it any more.
                drop(self);
                tell(&mut answers);
                return;
            }
            tell(&mut answers);
            let (mut groups, mut replies, mut others) = (Vec::new(), Vec::new(), Vec::new());
            for task in tasks {
                match task {
                    Task::Append { records, reply } => {
                        groups.push(records);
                        replies.push(reply);
                    }
                    Task::Other(work) => others.push(work),
                }
            }
            // A panic while the log was held left it in an unknown state.
            let Ok(mut engine) = self.queue.engine.lock() else {
                return;
            };
            for (reply, result) in replies.into_iter().zip(engine.commit(groups)) {
                // Whoever does not wait any more can ask again under the same key.
                answers.push(Box::new(move || {
                    reply.send(result).ok();
                }));
            }
            // As long as somebody else waits, the log is not dropped.
            if !others.is_empty() {
                tell(&mut answers);
            }
            for work in others {
                answers.push(work(&mut engine));
            }
            if self.is_awaited() {
                tell(&mut answers);
            }
            // What was appended is durable in the journal. A failure here is told to every later call.
            engine.integrate_when_due().ok();
        }
    }

    /// Takes as many tasks as fit a commit; gives the lead up when there is none.
    fn take(&mut self) -> Vec<Task> {
        let mut waiting = lock(&self.queue.waiting);
        if waiting.tasks.is_empty() {
            waiting.is_led = false;
            self.is_done = true;
            return Vec::new();
        }
        let mut records: usize = 0;
        let count = waiting
            .tasks
            .iter()
            .take_while(|task| {
                let before = records;
                if let Task::Append { records: group, .. } = task {
                    records = records.saturating_add(group.len());
                }
                before == 0 || records <= MAX_RECORDS
            })
            .count();
        waiting.tasks.drain(..count).collect()
    }

    fn is_awaited(&self) -> bool {
        !lock(&self.queue.waiting).tasks.is_empty()
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        // The runtime ended before this began, or a commit panicked: those who wait are told by the loss of their reply.
        if !self.is_done {
            let mut waiting = lock(&self.queue.waiting);
            waiting.tasks.clear();
            waiting.is_led = false;
        }
    }
}

fn tell(answers: &mut Vec<Answer>) {
    for answer in answers.drain(..) {
        answer();
    }
}

/// Runs something that blocks beside the runtime.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    runtime()?
        .spawn_blocking(work)
        .await
        .map_err(|_| writer_gone())?
}

/// The runtime of the caller.
pub(super) fn runtime() -> Result<Handle, Error> {
    Handle::try_current().map_err(|error| {
        let message = "there is no tokio runtime; call from within one";
        Error::new(ErrorKind::Invalid, WRITE, message).caused_by(error)
    })
}

/// Nobody can say what became of the call.
pub(super) fn writer_gone() -> Error {
    let message = "the writer ended before it answered; open the log again";
    Error::new(ErrorKind::Unavailable, WRITE, message)
}

/// The most records of small groups in one commit: even if each were as long as a leaf can be, they fit a frame.
const MAX_RECORDS: usize = 2048;
