//! Against a real server: started by `scripts/with-mlflow`.

mod faults;
mod foreign;
mod secret;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;
use crate::conformance;
use crate::conformance::registry::registration;
use crate::error::ErrorKind;
use crate::http::{HttpBody, Method};
use crate::memory::InMemoryLeases;

/// A server with a namespace that nobody has used, and what the processes that share it share.
struct Bench {
    url: String,
    namespace: String,
    leases: Arc<InMemoryLeases>,
    clock: Arc<ManualClock>,
    /// What somebody uses who knows nothing of us.
    api: Api,
}

impl Bench {
    fn new() -> Option<Self> {
        let url = crate::test_server::url("NOOPS_MLFLOW_URL")?;
        let unique = RandomState::new().build_hasher().finish();
        let client = HttpClient::new(&url).unwrap();
        Some(Self {
            url,
            namespace: format!("t{unique:016x}."),
            leases: Arc::new(InMemoryLeases::new()),
            clock: Arc::new(ManualClock::new(at(0))),
            api: Api::new(Arc::new(Direct::new(client, None))),
        })
    }

    fn settings(&self) -> MlflowSettings {
        MlflowSettings::new(&self.url)
            .with_namespace(&self.namespace)
            // The server of a test is one process that others may load.
            .with_timeout(Duration::from_secs(20))
            .with_lease_time(Duration::from_secs(100))
            .with_patience(Duration::from_secs(120))
    }

    fn registry(&self, holder: &str) -> MlflowRegistry {
        let (leases, clock) = (self.leases.clone(), self.clock.clone());
        MlflowRegistry::new(self.settings(), leases, clock, holder).unwrap()
    }

    fn name(&self, model: &ModelName) -> String {
        format!("{}{model}", self.namespace)
    }

    /// A call that MLflow must accept.
    async fn call(&self, method: Method, route: &[&str], body: Value) -> Value {
        let answer = self.api.call("test", method, route, &[], Some(&body)).await;
        answer.unwrap().done("test").unwrap()
    }

    /// MLflow's number of the version an alias points at there.
    async fn pointed_at(&self, model: &ModelName, alias: &str) -> Option<u64> {
        let remote = self.api.model("test", &self.name(model)).await.unwrap();
        remote.unwrap().aliases.get(alias).copied()
    }
}

#[tokio::test]
async fn the_contract_of_registries_holds() {
    let Some(bench) = Bench::new() else { return };
    conformance::registry::all(&bench.registry("one")).await;
}

#[tokio::test]
async fn namespaces_do_not_see_each_other() {
    let (Some(left), Some(right)) = (Bench::new(), Bench::new()) else {
        return;
    };
    let model = model("shared");
    let (left, right) = (left.registry("left"), right.registry("right"));
    left.register(registration(&model, b"one")).await.unwrap();
    assert_eq!(left.models().await.unwrap(), std::slice::from_ref(&model));
    assert!(right.models().await.unwrap().is_empty());
    assert!(right.versions(&model).await.unwrap().is_empty());
}

#[tokio::test]
async fn people_find_in_mlflow_what_was_registered() {
    let Some(bench) = Bench::new() else { return };
    let (registry, model) = (bench.registry("one"), model("seen.by-people"));
    let mut long = registration(&model, b"one");
    long.metrics.insert("not (this)".into(), 1.0);
    long.parameters.insert("text".into(), "x".repeat(10_000));
    long.profile = Some(json!({ "é": "ü".repeat(20_000) }));
    let version = registry.register(long.clone()).await.unwrap();
    assert_eq!(*version.registration(), long);
    let again = bench.registry("two");
    let read = again.version(&model, &version.digest()).await.unwrap();
    assert_eq!(read, version, "long profiles are read back whole");

    move_to(&registry, &model, None, Some(version.digest()), 1).await;
    assert_eq!(bench.pointed_at(&model, "champion").await, Some(1));
    let remote = bench.api.version("test", &bench.name(&model), 1).await;
    let remote = remote.unwrap().unwrap();
    assert_eq!(remote.tags["noops.digest"], version.digest().to_string());
    let id = remote.source.strip_prefix("models:/").unwrap();
    let logged = bench.api.get("test", &["logged-models", id], &[]).await;
    let logged = logged.unwrap().done("test").unwrap();
    let run = logged.pointer("/model/info/source_run_id").unwrap();
    let status = logged.pointer("/model/info/status").unwrap();
    assert_eq!(status, "LOGGED_MODEL_READY");
    let query = [("run_id", run.as_str().unwrap())];
    let run = bench.api.get("test", &["runs", "get"], &query).await;
    let run = run.unwrap().done("test").unwrap();
    let metrics = run.pointer("/run/data/metrics").unwrap();
    assert_eq!(metrics.as_array().unwrap().len(), 1);
    assert_eq!(metrics.pointer("/0/key").unwrap(), "brier");
    assert_eq!(metrics.pointer("/0/value").unwrap(), 0.166);
    let source = run.pointer("/run/inputs/dataset_inputs/0/dataset/source");
    let dataset = Digest::of(b"rows");
    assert_eq!(source.unwrap(), &format!("sha256:{dataset}"));
    assert_eq!(run.pointer("/run/info/status").unwrap(), "FINISHED");
}

#[tokio::test]
async fn an_artifact_that_was_overwritten_behind_its_version_is_found() {
    let Some(bench) = Bench::new() else { return };
    let (registry, model) = (bench.registry("one"), model("overwritten"));
    let version = registry.register(registration(&model, b"weights")).await;
    let digest = version.unwrap().digest();
    let remote = bench.api.version("test", &bench.name(&model), 1).await;
    let source = remote.unwrap().unwrap().source;
    let mut path: Vec<String> = ["api", "2.0", "mlflow-artifacts", "artifacts"]
        .map(str::to_owned)
        .to_vec();
    path.extend(lineage::files(&bench.api, "test", &source).await.unwrap());
    path.extend(["data".to_owned(), "model.onnx".to_owned()]);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let client = HttpClient::new(&bench.url).unwrap();
    let load = || registry.load_artifact(&model, &digest, "data/model.onnx");
    let missing = load().await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "there is no file yet");
    for (bytes, kind) in [
        (b"weights".as_slice(), None),
        (b"Weights".as_slice(), Some(ErrorKind::Corrupt)),
        (b"".as_slice(), Some(ErrorKind::Corrupt)),
    ] {
        let body = HttpBody::Bytes(bytes);
        let put = client.request("put", Method::PUT, &path, &[], body).await;
        assert_eq!(put.unwrap().status(), 200, "MLflow lets anybody do this");
        let loaded = load().await;
        assert_eq!(loaded.as_ref().err().map(Error::kind), kind);
        if kind.is_none() {
            assert_eq!(loaded.unwrap(), bytes);
        }
    }
    for file in ["", ".", "../data/model.onnx", "data/none", "/etc/passwd"] {
        let refused = registry.load_artifact(&model, &digest, file).await;
        assert!(refused.is_err(), "{file}");
    }
}

#[tokio::test]
async fn a_run_that_is_deleted_takes_nothing_of_the_version_along() {
    let Some(bench) = Bench::new() else { return };
    let (registry, model) = (bench.registry("one"), model("run-deleted"));
    let version = registry.register(registration(&model, b"one")).await;
    let version = version.unwrap();
    let filter = format!("tags.`noops.digest` = '{}'", version.digest());
    let experiment = format!("noops/{}", bench.name(&model));
    let query = [("experiment_name", experiment.as_str())];
    let route = ["experiments", "get-by-name"];
    let found = bench.api.get("test", &route, &query).await.unwrap();
    let found = found.done("test").unwrap();
    let id = found.pointer("/experiment/experiment_id").unwrap();
    let search = json!({"experiment_ids": [id], "filter": filter});
    let runs = bench.call(Method::POST, &["runs", "search"], search).await;
    let run = runs.pointer("/runs/0/info/run_id").unwrap();
    let delete = json!({"run_id": run});
    bench.call(Method::POST, &["runs", "delete"], delete).await;
    assert_eq!(registry.versions(&model).await.unwrap(), [version]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_change_of_sixteen_writers_has_a_predecessor_of_its_own() {
    let Some(bench) = Bench::new() else { return };
    let model = model("sixteen");
    let setup = bench.registry("setup");
    let mut digests: Vec<Digest> = Vec::new();
    for artifact in [b"one", b"two"] {
        let version = setup.register(registration(&model, artifact)).await;
        digests.push(version.unwrap().digest());
    }
    let mut writers = Vec::new();
    for writer in 0..16_i64 {
        let registry = bench.registry("writer");
        let model = model.clone();
        let to = digests[usize::try_from(writer % 2).unwrap()];
        writers.push(tokio::spawn(async move {
            loop {
                let history = registry.alias_history(&model, &Alias::champion()).await;
                let from = history.unwrap().last().and_then(|newest| newest.digest);
                let change = champion(from, Some(to), writer);
                match registry.move_alias(&model, &change).await {
                    Ok(_) => return,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                }
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let history = setup.alias_history(&model, &Alias::champion()).await;
    let history = history.unwrap();
    assert_eq!(history.len(), 16, "none is lost, none counts twice");
    assert!(history.is_sorted_by_key(|target| target.since));
    let to = |digest: Digest| {
        let there = history
            .iter()
            .filter(|target| target.digest == Some(digest));
        there.count()
    };
    assert_eq!((to(digests[0]), to(digests[1])), (8, 8));
    let live = history.last().unwrap().digest.unwrap();
    let number = setup.version(&model, &live).await.unwrap().number();
    assert_eq!(bench.pointed_at(&model, "champion").await, Some(number));
    assert!(setup.foreign_writes(&model).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_alias_that_mlflow_keeps_for_itself_is_refused_before_anything_is_asked() {
    // Nobody listens here.
    let settings = MlflowSettings::new("http://127.0.0.1:9");
    let leases = Arc::new(InMemoryLeases::new());
    let clock = Arc::new(ManualClock::new(at(0)));
    let registry = MlflowRegistry::new(settings, leases, clock, "one").unwrap();
    let model = model("reserved");
    for alias in ["latest", "v1", "v20", "champion.eu"] {
        let change = AliasMove {
            alias: alias.parse().unwrap(),
            ..champion(None, None, 1)
        };
        let refused = registry.move_alias(&model, &change).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid, "{alias}");
    }
    let lost = registry.move_alias(&model, &champion(None, None, 1)).await;
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn who_waits_too_long_for_the_others_is_told_to_come_back() {
    let leases = Arc::new(InMemoryLeases::new());
    let clock = Arc::new(ManualClock::new(at(0)));
    let settings = MlflowSettings::default().with_patience(Duration::from_millis(20));
    let registry = MlflowRegistry::new(settings, leases.clone(), clock, "one").unwrap();
    let name = "mlflow.busy".parse().unwrap();
    let hour = Duration::from_secs(3600);
    leases.acquire(&name, "other", at(0), hour).await.unwrap();
    let refused = registry
        .register(registration(&model("busy"), b"one"))
        .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Overloaded);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let fine = MlflowSettings::new("http://127.0.0.1:9");
    let wrong = [
        MlflowSettings::new(""),
        MlflowSettings::new("http://me:hunter2@127.0.0.1:9"),
        fine.clone().with_namespace("team/"),
        fine.clone().with_namespace("-team"),
        fine.clone().with_namespace("a'; --"),
        fine.clone().with_namespace("a".repeat(101)),
        fine.clone().with_timeout(Duration::ZERO),
        fine.clone().with_lease_time(Duration::from_secs(1)),
        fine.clone().with_timeout(Duration::MAX),
    ];
    let open = |settings: MlflowSettings| {
        let leases = Arc::new(InMemoryLeases::new());
        let clock = Arc::new(ManualClock::new(at(0)));
        MlflowRegistry::new(settings, leases, clock, "one")
    };
    open(fine).unwrap();
    for settings in wrong {
        let error = open(settings).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(!error.to_string().contains("hunter2"));
    }
}

async fn move_to(
    registry: &MlflowRegistry,
    model: &ModelName,
    from: Option<Digest>,
    to: Option<Digest>,
    second: i64,
) {
    let change = champion(from, to, second);
    registry.move_alias(model, &change).await.unwrap();
}

fn champion(from: Option<Digest>, to: Option<Digest>, second: i64) -> AliasMove {
    AliasMove {
        alias: Alias::champion(),
        from,
        to,
        at: at(second),
        token: FencingToken::NONE,
    }
}

fn model(text: &str) -> ModelName {
    text.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}
