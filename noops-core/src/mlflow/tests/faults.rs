//! Connections that break, and processes that die, between any two calls.

use std::sync::atomic::AtomicUsize;

use tokio::sync::Notify;

use super::*;
use crate::http::HttpAnswer;
use crate::mlflow::transport::Request;

/// What happens at one call.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The request is lost.
    Before,
    /// The answer is lost.
    After,
    /// The process ends after the server has done it.
    Death,
    /// The request is held up on its way.
    Delay,
}

/// A connection with one fault.
#[derive(Debug)]
struct Faulty {
    inner: Direct,
    fault: Fault,
    at: usize,
    calls: AtomicUsize,
    reached: Notify,
    resumed: Notify,
}

impl Faulty {
    fn new(bench: &Bench, fault: Fault, at: usize) -> Arc<Self> {
        let client = HttpClient::new(&bench.url).unwrap();
        Arc::new(Self {
            inner: Direct::new(client, None),
            fault,
            at,
            calls: AtomicUsize::new(0),
            reached: Notify::new(),
            resumed: Notify::new(),
        })
    }

    fn registry(self: &Arc<Self>, bench: &Bench) -> MlflowRegistry {
        let transport: Arc<dyn Transport> = self.clone();
        let (leases, clock) = (bench.leases.clone(), bench.clock.clone());
        MlflowRegistry::over(transport, bench.settings(), leases, clock, "faulty").unwrap()
    }

    fn happened(&self) -> bool {
        self.calls.load(Ordering::SeqCst) > self.at
    }

    /// What came of some work, unless the process ended in it.
    async fn survive<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Option<Result<T, Error>> {
        tokio::select! {
            done = work => Some(done),
            () = self.reached.notified() => None,
        }
    }
}

#[async_trait]
impl Transport for Faulty {
    async fn send(&self, request: Request<'_>) -> Result<HttpAnswer, Error> {
        if self.calls.fetch_add(1, Ordering::SeqCst) != self.at {
            return self.inner.send(request).await;
        }
        let lost = Error::new(ErrorKind::Unavailable, "test", "the connection broke");
        match self.fault {
            Fault::Before => Err(lost),
            Fault::After => {
                self.inner.send(request).await?;
                Err(lost)
            }
            Fault::Death => {
                self.inner.send(request).await?;
                self.reached.notify_one();
                std::future::pending().await
            }
            Fault::Delay => {
                self.reached.notify_one();
                self.resumed.notified().await;
                self.inner.send(request).await
            }
        }
    }
}

/// The next process begins after the lease of the one before has ended.
fn next_process(bench: &Bench) -> MlflowRegistry {
    let later = bench.clock.now().checked_add(Duration::from_secs(1000));
    bench.clock.set(later.unwrap());
    bench.registry("next")
}

#[tokio::test]
async fn whichever_call_breaks_a_second_try_succeeds_and_the_history_is_whole() {
    let Some(bench) = Bench::new() else { return };
    for fault in [Fault::Before, Fault::After, Fault::Death] {
        let model = model(&format!("faulty-{fault:?}").to_lowercase());
        let mut rounds = 0;
        while round(&bench, &model, fault, rounds).await {
            rounds += 1;
        }
        assert!(rounds > 10, "registering takes more calls than {rounds}");
        let registry = bench.registry("end");
        assert!(registry.foreign_writes(&model).await.unwrap().is_empty());
        let history = registry.alias_history(&model, &Alias::champion()).await;
        assert_eq!(history.unwrap().len(), 2 * (rounds + 1));
        assert!(registry.versions(&model).await.unwrap().is_empty());
    }
}

/// One version is registered, made champion, replaced and deleted, with a fault at the same call of each. `false` when there was none.
async fn round(bench: &Bench, model: &ModelName, fault: Fault, at_call: usize) -> bool {
    let champion_alias = Alias::champion();
    let new = registration(model, format!("artifact {at_call}").as_bytes());
    let digest = new.digest;
    let mut happened = false;

    let faulty = Faulty::new(bench, fault, at_call);
    let first = faulty.registry(bench);
    let tried = faulty.survive(first.register(new.clone())).await;
    let registry = next_process(bench);
    let version = registry.register(new.clone()).await.unwrap();
    assert_eq!(*version.registration(), new);
    let listed = registry.versions(model).await.unwrap();
    assert_eq!(
        listed,
        std::slice::from_ref(&version),
        "{fault:?} {at_call}"
    );
    if let Some(Ok(done)) = tried {
        assert_eq!(done, version, "what was acknowledged stays");
    }
    happened |= faulty.happened();

    let before = registry
        .alias_history(model, &champion_alias)
        .await
        .unwrap();
    let change = champion(None, Some(digest), 1);
    let faulty = Faulty::new(bench, fault, at_call);
    let second = faulty.registry(bench);
    let tried = faulty.survive(second.move_alias(model, &change)).await;
    let registry = next_process(bench);
    let acknowledged = matches!(tried, Some(Ok(_)));
    match registry.move_alias(model, &change).await {
        Ok(_) => assert!(!acknowledged),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "it was done: {error}"),
    }
    let after = registry
        .alias_history(model, &champion_alias)
        .await
        .unwrap();
    assert_eq!(after.len(), before.len() + 1, "{fault:?} {at_call}");
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.last().unwrap().digest, Some(digest));
    let pointed_at = bench.pointed_at(model, "champion").await;
    assert_eq!(pointed_at, Some(version.number()), "{fault:?} {at_call}");
    happened |= faulty.happened();

    move_to(&registry, model, Some(digest), None, 2).await;
    let deletion = Deletion {
        digest,
        at: at(3),
        token: FencingToken::NONE,
    };
    let faulty = Faulty::new(bench, fault, at_call);
    let third = faulty.registry(bench);
    faulty.survive(third.delete(model, &deletion)).await;
    let registry = next_process(bench);
    registry.delete(model, &deletion).await.unwrap();
    let gone = registry.version(model, &digest).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Gone);
    happened | faulty.happened()
}

#[tokio::test]
async fn a_move_that_comes_after_its_lease_has_ended_does_not_replace_a_newer_one() {
    let Some(bench) = Bench::new() else { return };
    let (registry, model) = (bench.registry("setup"), model("late"));
    let mut digests: Vec<Digest> = Vec::new();
    for artifact in [b"one", b"two"] {
        let version = registry.register(registration(&model, artifact)).await;
        digests.push(version.unwrap().digest());
    }
    let (one, two) = (digests[0], digests[1]);
    // The model and the version are read, then the history is written.
    let slow = Faulty::new(&bench, Fault::Delay, 2);
    let late = tokio::spawn({
        let (registry, model) = (slow.registry(&bench), model.clone());
        async move {
            let change = champion(None, Some(one), 1);
            registry.move_alias(&model, &change).await
        }
    });
    slow.reached.notified().await;
    let registry = next_process(&bench);
    let newer = champion(None, Some(two), 2);
    let newer = registry.move_alias(&model, &newer).await.unwrap();
    slow.resumed.notify_one();
    let refused = late.await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");

    let history = registry.alias_history(&model, &Alias::champion()).await;
    assert_eq!(history.unwrap(), [newer]);
    assert_eq!(bench.pointed_at(&model, "champion").await, Some(2));
    let lost = ForeignWrite::MoveLost {
        alias: Alias::champion(),
        target: champion(None, Some(one), 1).after(None),
    };
    assert_eq!(registry.foreign_writes(&model).await.unwrap(), [lost]);
    move_to(&registry, &model, Some(two), Some(one), 3).await;
}
