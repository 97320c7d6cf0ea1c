mod deadline;

use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::{
    Alias, AliasMove, ArtifactStore, AuditEntry, AuditLog, AuditRecord, Digest, FencingToken,
    ModelName, ModelRegistry, StateStore, Timestamp, conformance, verify_chain,
};

/// A database in a folder of its own, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("noops-core-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("db.sqlite")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A schema of its own in the Postgres server of the tests, removed by the next run that uses the name.
async fn postgres(name: &str) -> Option<(SqlDatabase, String)> {
    let url = crate::test_server::url("NOOPS_POSTGRES_URL")?;
    let server = SqlDatabase::with(
        AnyPoolOptions::new().max_connections(1),
        &url,
        Dialect::Postgres,
    )
    .await
    .unwrap();
    let fresh = format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(fresh))
        .execute(&server.pool)
        .await
        .unwrap();
    server.close().await;
    let url = format!("{url}?options=-c%20search_path%3D{name}");
    let database = SqlDatabase::connect(&url).await.unwrap();
    Some((database, url))
}

async fn every_store_keeps_its_contract(database: &SqlDatabase) {
    conformance::registry::all(&database.registry()).await;
    conformance::artifacts::all(&database.artifacts()).await;
    conformance::audit_log::all(&database.audit_log()).await;
    conformance::states::all(&database.states()).await;
    conformance::leases::all(&database.leases()).await;
    let features = database.features(conformance::features::feature_view());
    let features = features.unwrap();
    conformance::features::all(&features, &features).await;
    let fill = async |rows: arrow_array::RecordBatch| {
        crate::OnlineFeatures::push(&features, &rows).await.unwrap();
    };
    conformance::features::feature_history(&features, &fill).await;
}

#[tokio::test]
async fn every_store_in_sqlite_keeps_its_contract() {
    let folder = Folder::new("conformance");
    let database = SqlDatabase::open(&folder.file()).await.unwrap();
    every_store_keeps_its_contract(&database).await;
}

#[tokio::test]
async fn every_store_in_postgres_keeps_its_contract() {
    let Some((database, _)) = postgres("conformance").await else {
        return;
    };
    every_store_keeps_its_contract(&database).await;
}

#[tokio::test]
async fn what_was_stored_is_there_after_reopening() {
    let folder = Folder::new("reopen");
    let database = SqlDatabase::open(&folder.file()).await.unwrap();
    let digest = database.artifacts().put(b"weights").await.unwrap();
    let none = FencingToken::NONE;
    database
        .states()
        .save("loop", 0, b"day 1", none)
        .await
        .unwrap();
    database.close().await;
    let database = SqlDatabase::open(&folder.file()).await.unwrap();
    assert_eq!(
        database.artifacts().load(&digest).await.unwrap(),
        b"weights"
    );
    let snapshot = database.states().load("loop").await.unwrap().unwrap();
    assert_eq!(snapshot.generation, 1);
}

#[tokio::test]
async fn a_path_with_letters_that_mean_something_in_a_url_is_a_path() {
    let folder = Folder::new("Odd ?#%41&=é");
    let database = SqlDatabase::open(&folder.file()).await.unwrap();
    database.artifacts().put(b"weights").await.unwrap();
    assert!(folder.file().exists());
}

#[tokio::test]
async fn an_artifact_changed_behind_our_back_is_corrupt_and_putting_it_again_repairs_it() {
    let folder = Folder::new("tamper-artifact");
    let database = SqlDatabase::open(&folder.file()).await.unwrap();
    let digest = database.artifacts().put(b"weights").await.unwrap();
    sqlx::query("UPDATE artifact SET bytes = x'00'")
        .execute(&database.pool)
        .await
        .unwrap();
    assert_eq!(
        database.artifacts().load(&digest).await.unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    database.artifacts().put(b"weights").await.unwrap();
    assert!(database.artifacts().load(&digest).await.is_ok());
}

async fn the_audit_table_refuses_changes(database: &SqlDatabase) {
    for n in 0..3 {
        let record = AuditRecord {
            key: format!("{n}"),
            at: Timestamp::UNIX_EPOCH,
            kind: "test".into(),
            body: n.into(),
            token: FencingToken::NONE,
        };
        database.audit_log().append(record).await.unwrap();
    }
    for change in [
        "DELETE FROM audit WHERE sequence = 1",
        "UPDATE audit SET record = ''",
    ] {
        let refused = sqlx::query(change).execute(&database.pool).await;
        assert!(refused.is_err(), "{change}");
    }
    assert_eq!(database.audit_log().entries().await.unwrap().len(), 3);
}

#[tokio::test]
async fn the_audit_log_refuses_changes_and_shows_forced_ones() {
    let folder = Folder::new("tamper-audit");
    let database = SqlDatabase::open(&folder.file()).await.unwrap();
    the_audit_table_refuses_changes(&database).await;
    // SQLite deletes what it replaces without asking the triggers of deletions.
    for taken in ["1, 'new'", "9, '1'"] {
        let replace = format!("REPLACE INTO audit VALUES ({taken}, '', '', '')");
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(replace));
        assert!(refused.execute(&database.pool).await.is_err(), "{taken}");
    }
    assert_eq!(database.audit_log().entries().await.unwrap().len(), 3);
    sqlx::raw_sql("DROP TRIGGER audit_is_never_deleted; DELETE FROM audit WHERE sequence = 1")
        .execute(&database.pool)
        .await
        .unwrap();
    let entries: Vec<AuditEntry> = database.audit_log().entries().await.unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(verify_chain(&entries).unwrap_err().sequence(), 1);
}

#[tokio::test]
async fn the_audit_log_in_postgres_refuses_changes_too() {
    let Some((database, _)) = postgres("tamper_audit").await else {
        return;
    };
    the_audit_table_refuses_changes(&database).await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = Folder::new("garbage");
    std::fs::write(folder.file(), vec![7; 8192]).unwrap();
    let error = SqlDatabase::open(&folder.file()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    assert!(error.to_string().contains("db.sqlite"), "{error}");
}

#[tokio::test]
async fn a_file_of_a_newer_release_is_left_alone() {
    let folder = Folder::new("newer");
    let database = SqlDatabase::open(&folder.file()).await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 99")
        .execute(&database.pool)
        .await
        .unwrap();
    database.close().await;
    let error = SqlDatabase::open(&folder.file()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("upgrade this one"), "{error}");
}

#[tokio::test]
async fn a_file_of_the_first_release_is_brought_forward_with_its_history() {
    let folder = Folder::new("forward");
    install_default_drivers();
    let old =
        sqlx::AnyPool::connect_lazy(&dialect::sqlite_url(&folder.file(), Access::Write).unwrap())
            .unwrap();
    sqlx::raw_sql(include_str!("migration/1.sqlite.sql"))
        .execute(&old)
        .await
        .unwrap();
    let model: ModelName = "old".parse().unwrap();
    let registration = conformance::registry::registration(&model, b"one");
    let digest = registration.digest;
    sqlx::query("INSERT INTO model_version VALUES ('old', 1, $1, $2)")
        .bind(digest.to_string())
        .bind(serde_json::to_string(&registration).unwrap())
        .execute(&old)
        .await
        .unwrap();
    sqlx::query("INSERT INTO alias_move VALUES (1, 'old', 'champion', $1, $2)")
        .bind(digest.to_string())
        .bind("2013-01-01T00:00:00Z")
        .execute(&old)
        .await
        .unwrap();
    old.close().await;
    let registry = SqlDatabase::open(&folder.file()).await.unwrap().registry();
    let history = registry.alias_history(&model, &Alias::champion()).await;
    let target = history.unwrap()[0];
    assert_eq!(target.digest, Some(digest));
    assert_eq!(target.token, FencingToken::NONE);
    assert_eq!(registry.versions(&model).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_opened_to_be_read_shows_what_its_owner_writes_and_is_never_written() {
    let folder = Folder::new("read-only");
    let owner = SqlDatabase::open(&folder.file()).await.unwrap();
    let model: ModelName = "read".parse().unwrap();
    let first = conformance::registry::registration(&model, b"one");
    let digest = owner.registry().register(first.clone()).await;
    let digest = digest.unwrap().digest();
    let reader = SqlDatabase::open_read_only(&folder.file()).await.unwrap();
    let second = conformance::registry::registration(&model, b"two");
    owner.registry().register(second.clone()).await.unwrap();
    let champion = AliasMove {
        alias: Alias::champion(),
        from: None,
        to: Some(digest),
        at: Timestamp::UNIX_EPOCH,
        token: FencingToken::NONE,
    };
    let moved = owner.registry().move_alias(&model, &champion).await;
    moved.unwrap();
    let registry = reader.registry();
    assert_eq!(registry.versions(&model).await.unwrap().len(), 2);
    let history = registry.alias_history(&model, &Alias::champion()).await;
    assert_eq!(history.unwrap()[0].digest, Some(digest));
    owner.close().await;
    // While somebody reads, some of it is still in the log.
    let log = folder.0.join("db.sqlite-wal");
    let bytes = || [folder.file(), log.clone()].map(|path| std::fs::read(path).unwrap());
    let before = bytes();

    let third = conformance::registry::registration(&model, b"three");
    for registration in [first, second, third] {
        let error = registry.register(registration).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(error.to_string().contains("opened to be read"), "{error}");
    }
    let none = FencingToken::NONE;
    let error = reader.states().save("loop", 0, b"day 1", none).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unavailable);
    let error = reader.artifacts().put(b"weights").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(registry.versions(&model).await.unwrap().len(), 2);
    reader.close().await;
    assert_eq!(bytes(), before);
}

#[tokio::test]
async fn a_file_of_another_release_is_not_changed_to_be_read() {
    let folder = Folder::new("read-only-other");
    install_default_drivers();
    let url = dialect::sqlite_url(&folder.file(), Access::Write).unwrap();
    for (version, says) in [
        (0, "an earlier release wrote it, or none"),
        (1, "an earlier release wrote it, or none"),
        (99, "upgrade this one"),
    ] {
        let theirs = sqlx::AnyPool::connect_lazy(&url).unwrap();
        let text = format!(
            "CREATE TABLE IF NOT EXISTS theirs (id INTEGER); PRAGMA user_version = {version}"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(text))
            .execute(&theirs)
            .await
            .unwrap();
        theirs.close().await;
        let bytes = std::fs::read(folder.file()).unwrap();
        let error = SqlDatabase::open_read_only(&folder.file()).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
        let text = error.to_string();
        assert!(text.contains(says) && text.contains("db.sqlite"), "{text}");
        assert_eq!(std::fs::read(folder.file()).unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made_to_be_read() {
    let folder = Folder::new("read-only-none");
    let error = SqlDatabase::open_read_only(&folder.file()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(!folder.file().exists());
    std::fs::write(folder.file(), vec![7; 8192]).unwrap();
    let error = SqlDatabase::open_read_only(&folder.file()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn two_handles_on_one_file_never_both_win() {
    let folder = Folder::new("race");
    let first = SqlDatabase::open(&folder.file()).await.unwrap();
    let second = SqlDatabase::open(&folder.file()).await.unwrap();
    let (states_a, states_b) = (first.states(), second.states());
    let none = FencingToken::NONE;
    let (a, b) = tokio::join!(
        states_a.save("k", 0, b"a", none),
        states_b.save("k", 0, b"b", none)
    );
    assert!(a.is_ok() != b.is_ok());
}

#[tokio::test]
async fn what_answers_to_a_digest_was_registered_under_it() {
    let folder = Folder::new("swapped");
    let database = SqlDatabase::open(&folder.file()).await.unwrap();
    let registry = database.registry();
    let model: ModelName = "swapped".parse().unwrap();
    let mut digests = Vec::new();
    for bytes in [b"one", b"two"] {
        let registration = conformance::registry::registration(&model, bytes);
        digests.push(registry.register(registration).await.unwrap().digest());
    }
    sqlx::query("UPDATE model_version SET registration = (SELECT registration FROM model_version WHERE number = 1)")
        .execute(&database.pool)
        .await
        .unwrap();
    assert!(registry.version(&model, &digests[0]).await.is_ok());
    let error = registry.version(&model, &digests[1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let error = registry.versions(&model).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

/// Writes, and gives each of them up at another of its points of waiting; then writes that are not given up.
async fn acknowledged_writes_after_abandoned_ones(database: &SqlDatabase, other: &SqlDatabase) {
    let mut stored = Vec::new();
    for n in 0..120_u64 {
        let states = database.states();
        let mut save = states.save("abandoned", 0, b"x", FencingToken::NONE);
        let mut wakes = n % 12;
        std::future::poll_fn(|context| {
            if save.as_mut().poll(context).is_ready() || wakes == 0 {
                return Poll::Ready(());
            }
            wakes -= 1;
            Poll::Pending
        })
        .await;
        drop(save);
        stored.push(database.artifacts().put(&n.to_le_bytes()).await.unwrap());
    }
    for (n, digest) in stored.iter().enumerate() {
        let seen = other.artifacts().load(digest).await;
        assert!(seen.is_ok(), "write {n} was acknowledged: {seen:?}");
    }
}

#[tokio::test]
async fn a_write_is_not_lost_with_one_that_was_abandoned_in_sqlite() {
    let folder = Folder::new("abandoned");
    let database = SqlDatabase::open(&folder.file()).await.unwrap();
    let other = SqlDatabase::open(&folder.file()).await.unwrap();
    acknowledged_writes_after_abandoned_ones(&database, &other).await;
}

#[tokio::test]
async fn a_write_is_not_lost_with_one_that_was_abandoned_in_postgres() {
    let Some((database, url)) = postgres("abandoned").await else {
        return;
    };
    let other = SqlDatabase::connect(&url).await.unwrap();
    acknowledged_writes_after_abandoned_ones(&database, &other).await;
}

#[test]
fn without_a_runtime_it_is_refused_rather_than_a_panic() {
    let folder = Folder::new("no-runtime");
    let file = folder.file();
    let open = pin!(SqlDatabase::open(&file));
    let Poll::Ready(Err(error)) = open.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it must be refused at once");
    };
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn what_cannot_be_connected_to_is_told_apart() {
    let url = "postgres://somebody:hush@127.0.0.1:port/none";
    let error = SqlDatabase::connect(url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    let Some(url) = crate::test_server::url("NOOPS_POSTGRES_URL") else {
        return;
    };
    for (change, kind) in [
        ("dbname=no_such_database", ErrorKind::Invalid),
        ("password=wrong", ErrorKind::Unauthorised),
        ("options[search_path]=no_such_schema", ErrorKind::Invalid),
    ] {
        let error = SqlDatabase::connect(&format!("{url}?{change}")).await;
        assert_eq!(error.unwrap_err().kind(), kind, "{change}");
    }
}

#[tokio::test]
async fn tables_of_others_under_our_names_are_said_to_be_such() {
    let folder = Folder::new("others");
    install_default_drivers();
    let theirs =
        sqlx::AnyPool::connect_lazy(&dialect::sqlite_url(&folder.file(), Access::Write).unwrap())
            .unwrap();
    sqlx::raw_sql("CREATE TABLE audit (id INTEGER)")
        .execute(&theirs)
        .await
        .unwrap();
    theirs.close().await;
    let error = SqlDatabase::open(&folder.file()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("of their own"), "{error}");
}

#[tokio::test]
async fn a_refused_server_is_unavailable_and_its_password_is_not_printed() {
    let error = SqlDatabase::connect("postgres://somebody:hush@127.0.0.1:1/none").await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        text += &inner.to_string();
        source = inner.source();
    }
    assert!(!text.contains("hush"), "{text}");
}

/// Each of 64 writers moves the alias once, on handles of their own, and tries again after a conflict.
async fn sixty_four_writers(handles: Vec<SqlDatabase>) {
    let model: ModelName = "contended".parse().unwrap();
    let mut digests = Vec::new();
    for n in 0..64_u64 {
        let registration = conformance::registry::registration(&model, &n.to_le_bytes());
        digests.push(registration.digest);
        handles[0].registry().register(registration).await.unwrap();
    }
    let mut writers = Vec::new();
    for (n, digest) in digests.iter().copied().enumerate() {
        let registry = handles[n % handles.len()].registry();
        let model = model.clone();
        writers.push(tokio::spawn(async move {
            loop {
                let history = registry.alias_history(&model, &Alias::champion()).await;
                let from = history.unwrap().last().and_then(|target| target.digest);
                let change = AliasMove {
                    alias: Alias::champion(),
                    from,
                    to: Some(digest),
                    at: Timestamp::UNIX_EPOCH,
                    token: FencingToken::NONE,
                };
                match registry.move_alias(&model, &change).await {
                    Ok(_) => return from,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}"),
                }
            }
        }));
    }
    let mut predecessors = std::collections::BTreeSet::new();
    for writer in writers {
        assert!(
            predecessors.insert(writer.await.unwrap()),
            "two moves had one predecessor"
        );
    }
    let history = handles[0]
        .registry()
        .alias_history(&model, &Alias::champion())
        .await;
    let moved: std::collections::BTreeSet<Digest> = history
        .unwrap()
        .iter()
        .filter_map(|target| target.digest)
        .collect();
    assert_eq!(moved, digests.into_iter().collect(), "none was lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_writers_of_one_alias_follow_each_other_in_sqlite() {
    let folder = Folder::new("contended");
    let mut handles = Vec::new();
    for _ in 0..4 {
        handles.push(SqlDatabase::open(&folder.file()).await.unwrap());
    }
    sixty_four_writers(handles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_writers_of_one_alias_follow_each_other_in_postgres() {
    let Some((first, url)) = postgres("contended").await else {
        return;
    };
    let second = SqlDatabase::connect(&url).await.unwrap();
    sixty_four_writers(vec![first, second]).await;
}

/// With a stricter level than the server comes with, what a writer reads after its wait would be what was there before it.
#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_writers_follow_each_other_whatever_the_isolation_level_of_the_server_is() {
    let Some((first, url)) = postgres("isolated").await else {
        return;
    };
    first.close().await;
    let url = format!("{url}&options[default_transaction_isolation]=repeatable%20read");
    let mut handles = Vec::new();
    for _ in 0..2 {
        handles.push(SqlDatabase::connect(&url).await.unwrap());
    }
    sixty_four_writers(handles).await;
}
