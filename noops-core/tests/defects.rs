//! Defects that other model registries have, as tests that ours has not.
//!
//! Each was reproduced on MLflow 3.17.2 with its REST interface; the numbers are those of the issues of its repository.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use noops_core::{
    Alias, AliasMove, AliasTarget, ArtifactStore, Contract, Deletion, Digest, DirectoryArtifacts,
    Error, ErrorKind, FencingToken, ModelName, ModelRegistry, ModelVersion, OutputRule,
    Registration, Retention, SqlDatabase, SqlRegistry, Timestamp, apply_retention,
};

/// A file of a registered model is overwritten with a `PUT`: the answer is 200 and the version stays READY (mlflow#3175, open
/// since 2020). Neither the registry nor the model has a digest that would tell.
#[tokio::test]
async fn an_artifact_cannot_be_overwritten_after_registration() {
    let platform = Platform::new("overwritten").await;
    let good = platform.register(b"the good model").await;

    // There is no call that takes an address and bytes: other bytes get another address.
    let poisoned = platform.artifacts.put(b"the bad model!").await.unwrap();
    assert_ne!(poisoned, good);
    let loaded = platform.artifacts.load(&good).await.unwrap();
    assert_eq!(loaded, b"the good model");

    // Nor does it help to write past the store: what is loaded is what was registered or nothing.
    fs::write(platform.file_of(&good), b"the bad model!").unwrap();
    let error = platform.artifacts.load(&good).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let mut download = platform.artifacts.download(&good).await.unwrap();
    let error = loop {
        match download.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a changed artifact was streamed to its end"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");

    platform.artifacts.put(b"the good model").await.unwrap();
    let loaded = platform.artifacts.load(&good).await.unwrap();
    assert_eq!(loaded, b"the good model");
}

/// What is registered about a version can be changed later: tags, description and source have their own endpoints.
#[tokio::test]
async fn a_version_cannot_be_registered_again_with_other_facts() {
    let platform = Platform::new("facts").await;
    let digest = platform.register(b"one").await;
    let mut other = registration(digest);
    other.metrics.insert("auc".into(), 0.99);
    let error = platform.registry().register(other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    let version = platform.registry().version(&model(), &digest).await;
    assert_eq!(*version.unwrap().registration(), registration(digest));
}

/// Two writers move an alias: the last one wins and the first is not told, because `POST registered-models/alias` has no
/// precondition (mlflow#2169, open since 2019).
#[tokio::test]
async fn two_writers_cannot_both_move_an_alias_from_the_same_version() {
    let platform = Platform::new("swap").await;
    let one = platform.register(b"one").await;
    let two = platform.register(b"two").await;
    let three = platform.register(b"three").await;
    platform.point(None, Some(one), 1).await.unwrap();

    let (first, second) = tokio::join!(
        platform.point(Some(one), Some(two), 2),
        platform.point(Some(one), Some(three), 2),
    );
    let (winner, loser) = match (first, second) {
        (Ok(winner), Err(loser)) | (Err(loser), Ok(winner)) => (winner, loser),
        (first, second) => panic!("not one of two: {first:?} {second:?}"),
    };
    assert_eq!(loser.kind(), ErrorKind::Conflict, "{loser}");
    let history = platform.history().await;
    assert_eq!(history.last().copied(), Some(winner));
    assert_eq!(history.len(), 2);
}

/// What `champion` was at an earlier time cannot be found out: the alias is one row that is overwritten (mlflow#2169: "lack of
/// any history or audit trail for which model was Production").
#[tokio::test]
async fn what_was_live_at_any_time_is_known_after_a_restart() {
    let platform = Platform::new("history").await;
    let one = platform.register(b"one").await;
    let two = platform.register(b"two").await;
    platform.point(None, Some(one), 10).await.unwrap();
    platform.point(Some(one), Some(two), 20).await.unwrap();
    platform.point(Some(two), Some(one), 30).await.unwrap();
    platform.point(Some(one), None, 40).await.unwrap();

    let platform = platform.reopen().await;
    let history = platform.history().await;
    let live = |at: i64| AliasTarget::live_at(&history, second(at));
    assert_eq!(live(9), None);
    assert_eq!([live(10), live(19)], [Some(one), Some(one)]);
    assert_eq!([live(20), live(29)], [Some(two), Some(two)]);
    assert_eq!([live(30), live(39)], [Some(one), Some(one)]);
    assert_eq!(live(40), None);
}

/// A writer that was paused, and whose work another took over meanwhile, moves the alias when it wakes up. With compare-and-swap
/// alone it may even succeed, because the alias has come back to where it was.
#[tokio::test]
async fn a_writer_that_lost_its_lease_cannot_move_an_alias() {
    let platform = Platform::new("fenced").await;
    let one = platform.register(b"one").await;
    let two = platform.register(b"two").await;
    let by = |token: u64, from: Option<Digest>, to: Digest| AliasMove {
        alias: Alias::champion(),
        from,
        to: Some(to),
        at: second(1),
        token: FencingToken::new(token),
    };
    let registry = platform.registry();
    for change in [
        by(1, None, one),
        by(2, Some(one), two),
        by(2, Some(two), one),
    ] {
        registry.move_alias(&model(), &change).await.unwrap();
    }
    let error = registry
        .move_alias(&model(), &by(1, Some(one), two))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
    assert_eq!(platform.history().await.len(), 3);
}

/// The version that carries `champion` is deleted: the answer is 200, the alias is gone and serving by alias fails (by design:
/// mlflow#8459).
#[tokio::test]
async fn a_live_version_cannot_be_deleted() {
    let platform = Platform::new("live").await;
    let one = platform.register(b"one").await;
    let two = platform.register(b"two").await;
    platform.point(None, Some(one), 1).await.unwrap();

    let error = platform.delete(one).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    let live = platform.history().await.last().and_then(|last| last.digest);
    assert_eq!(live, Some(one));
    assert!(platform.registry().version(&model(), &one).await.is_ok());

    platform.point(Some(one), Some(two), 2).await.unwrap();
    platform.delete(one).await.unwrap();
    let error = platform.point(Some(two), Some(one), 3).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone, "{error}");
}

/// The number of a deleted version can be given to another model: `MAX(version) + 1` over what is left (mlflow#22635).
#[tokio::test]
async fn the_number_of_a_deleted_version_is_not_used_again() {
    let platform = Platform::new("numbers").await;
    platform.register(b"one").await;
    let two = platform.register(b"two").await;
    platform.delete(two).await.unwrap();
    let platform = platform.reopen().await;
    let three = platform.register(b"three").await;
    let version = platform.registry().version(&model(), &three).await;
    assert_eq!(version.unwrap().number(), 3);
    let again = platform.registry().register(registration(two)).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Gone);
}

/// A version is made of `s3://nowhere/at/all`: it is READY at once.
#[tokio::test]
async fn a_version_whose_artifact_is_not_stored_whole_is_refused() {
    let platform = Platform::new("not-stored").await;
    let promised = registration(Digest::of(b"the model"));
    let error = platform.register_stored(&promised).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");

    platform.artifacts.put(b"the model").await.unwrap();
    fs::write(platform.file_of(&promised.digest), b"the mod").unwrap();
    let error = platform.register_stored(&promised).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let versions = platform.registry().versions(&model()).await.unwrap();
    assert!(versions.is_empty(), "{versions:?}");

    platform.artifacts.put(b"the model").await.unwrap();
    let version = platform.register_stored(&promised).await.unwrap();
    assert_eq!(version.number(), 1);
}

/// The same with a registration that does not look: it fails when it is loaded, if it does, with whatever is there by then. Here a
/// version is named by the digest of its bytes, and nothing else ever answers to that.
#[tokio::test]
async fn a_version_whose_artifact_is_missing_never_loads_as_something_else() {
    let platform = Platform::new("missing").await;
    let promised = Digest::of(b"not stored yet");
    platform
        .registry()
        .register(registration(promised))
        .await
        .unwrap();
    let missing = |error: Error| assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    missing(platform.artifacts.load(&promised).await.unwrap_err());
    missing(platform.artifacts.download(&promised).await.unwrap_err());
    assert!(platform.artifacts.list().await.unwrap().is_empty());

    // Half an upload is not there, and other bytes do not come to lie at the promised address.
    let mut upload = platform.artifacts.upload().await.unwrap();
    upload.write(b"not stored").await.unwrap();
    drop(upload);
    platform.artifacts.put(b"something else").await.unwrap();
    missing(platform.artifacts.load(&promised).await.unwrap_err());

    // A version is named by the digest of its bytes: only they make it whole.
    let stored = platform.artifacts.put(b"not stored yet").await.unwrap();
    assert_eq!(stored, promised);
    assert!(platform.artifacts.load(&promised).await.is_ok());
}

/// The run behind a registered version is deleted, and its files with it (mlflow#3160, open since 2020): cleaning up knows
/// nothing of what is registered. `apply_retention` does; whoever calls `delete` of the store itself goes past it, and gets
/// `NotFound` afterwards, never something else.
#[tokio::test]
async fn cleaning_up_keeps_what_is_live_and_what_another_model_is_made_of() {
    let platform = Platform::new("cleaning").await;
    let live = platform.register(b"live").await;
    let shared = platform.register(b"shared").await;
    let unused = platform.register(b"unused").await;
    let newest = platform.register(b"newest").await;
    platform.point(None, Some(live), 1).await.unwrap();
    let sibling: ModelName = "sibling".parse().unwrap();
    let mut of_sibling = registration(shared);
    of_sibling.model = sibling.clone();
    platform.registry().register(of_sibling).await.unwrap();

    let retention = Retention::default()
        .with_keep_newest(1)
        .with_keep_after_registration(Duration::ZERO)
        .with_keep_after_use(Duration::ZERO);
    let deleted = apply_retention(
        &platform.registry(),
        &platform.artifacts,
        &model(),
        &retention,
        second(1_000_000),
        FencingToken::NONE,
    )
    .await
    .unwrap();
    assert_eq!(deleted, [shared, unused]);
    for kept in [live, shared, newest] {
        assert!(platform.artifacts.load(&kept).await.is_ok(), "{kept}");
    }
    let error = platform.artifacts.load(&unused).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(platform.registry().version(&sibling, &shared).await.is_ok());
}

/// Where a version came from is a reference to a run that can be deleted (mlflow#3160); here it is part of the version.
#[tokio::test]
async fn where_a_version_came_from_stays_with_it() {
    let platform = Platform::new("lineage").await;
    let parent = platform.register(b"parent").await;
    let child = platform.artifacts.put(b"child").await.unwrap();
    let mut registered = registration(child);
    registered.lineage.training_run = "run 7".into();
    registered.lineage.dataset = Some(Digest::of(b"rows"));
    registered.lineage.code_revision = "1f2e3d".into();
    registered.lineage.parent = Some(parent);
    platform
        .registry()
        .register(registered.clone())
        .await
        .unwrap();
    platform.delete(parent).await.unwrap();

    let platform = platform.reopen().await;
    let version = platform.registry().version(&model(), &child).await;
    assert_eq!(version.unwrap().registration().lineage, registered.lineage);
}

/// The registry and the artifacts that a service has without a server.
struct Platform {
    folder: Folder,
    database: SqlDatabase,
    artifacts: DirectoryArtifacts,
}

impl Platform {
    async fn new(name: &str) -> Self {
        let name = format!("noops-defects-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).unwrap();
        Self::open(Folder(folder)).await
    }

    async fn open(folder: Folder) -> Self {
        let database = SqlDatabase::open(&folder.0.join("models.sqlite")).await;
        let artifacts = DirectoryArtifacts::open(&folder.0.join(ARTIFACTS)).await;
        Self {
            folder,
            database: database.unwrap(),
            artifacts: artifacts.unwrap(),
        }
    }

    /// As another process would see it.
    async fn reopen(self) -> Self {
        self.database.close().await;
        Self::open(self.folder).await
    }

    fn registry(&self) -> SqlRegistry {
        self.database.registry()
    }

    async fn register(&self, bytes: &[u8]) -> Digest {
        let digest = self.artifacts.put(bytes).await.unwrap();
        self.registry()
            .register(registration(digest))
            .await
            .unwrap();
        digest
    }

    async fn register_stored(&self, registration: &Registration) -> Result<ModelVersion, Error> {
        let (registry, registration) = (self.registry(), registration.clone());
        let registered = registration.register_stored(&registry, &self.artifacts);
        registered.await
    }

    async fn point(
        &self,
        from: Option<Digest>,
        to: Option<Digest>,
        at: i64,
    ) -> Result<AliasTarget, Error> {
        let change = AliasMove {
            alias: Alias::champion(),
            from,
            to,
            at: second(at),
            token: FencingToken::NONE,
        };
        self.registry().move_alias(&model(), &change).await
    }

    async fn history(&self) -> Vec<AliasTarget> {
        let registry = self.registry();
        let history = registry.alias_history(&model(), &Alias::champion()).await;
        history.unwrap()
    }

    async fn delete(&self, digest: Digest) -> Result<(), Error> {
        let deletion = Deletion {
            digest,
            at: second(100),
            token: FencingToken::NONE,
        };
        self.registry().delete(&model(), &deletion).await
    }

    fn file_of(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        let shard = self
            .folder
            .0
            .join(ARTIFACTS)
            .join("sha256")
            .join(&name[..2]);
        shard.join(name)
    }
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn model() -> ModelName {
    "arrival-delay".parse().unwrap()
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn registration(digest: Digest) -> Registration {
    let contract = Contract::new([], OutputRule::probability()).unwrap();
    Registration::new(model(), digest, contract, second(0))
}

const ARTIFACTS: &str = "artifacts";
