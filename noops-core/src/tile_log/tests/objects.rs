use std::fmt;

use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Location;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};

use super::*;

async fn open(store: &Arc<InMemory>, signer: &NoteSigner) -> Result<TileLog, Error> {
    let store: Arc<dyn object_store::ObjectStore> = store.clone();
    TileLog::on_object_store(store, "logs/a", signer.clone(), TileLogSettings::default()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_keeps_the_contract_of_an_audit_log() {
    let store = Arc::new(InMemory::new());
    let log = open(&store, &signer()).await.unwrap();
    crate::conformance::audit_log::all(&log).await;
}

/// A log under a prefix of its own in the bucket of the tests.
async fn open_in_s3(
    store: &Arc<dyn ObjectStore>,
    prefix: &str,
    signer: &NoteSigner,
) -> Result<TileLog, Error> {
    let prefix = format!("{prefix}-{}", std::process::id());
    let settings = TileLogSettings::default();
    TileLog::on_object_store(Arc::clone(store), &prefix, signer.clone(), settings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_in_s3_keeps_the_contract_of_an_audit_log() {
    let Some(store) = crate::test_server::s3() else {
        return;
    };
    let log = open_in_s3(&store, "log-contract", &signer()).await.unwrap();
    crate::conformance::audit_log::all(&log).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_writers_in_s3_the_one_that_opened_last_wins() {
    let Some(store) = crate::test_server::s3() else {
        return;
    };
    let signer = signer();
    let first = open_in_s3(&store, "log-writers", &signer).await.unwrap();
    first.append(record(0)).await.unwrap();
    let second = open_in_s3(&store, "log-writers", &signer).await.unwrap();
    // Both would write the bundle of two entries, with different contents.
    let (lost, won) = tokio::join!(first.append(record(1)), second.append(record(2)));
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::Fenced);
    won.unwrap();
    let error = first.append(record(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fenced);
    let third = open_in_s3(&store, "log-writers", &signer).await.unwrap();
    let entries = third.entries().await.unwrap();
    let keys: Vec<&str> = entries
        .iter()
        .map(|entry| entry.record.key.as_str())
        .collect();
    assert_eq!(keys, ["event/0", "event/2"]);
    let proof = third.inclusion_proof(1).await.unwrap();
    proof.verify(&signer.verifier()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_writers_that_open_a_log_in_s3_at_once_only_one_writes() {
    let Some(store) = crate::test_server::s3() else {
        return;
    };
    let signer = signer();
    let mut acknowledged = Vec::new();
    for round in 0..4 {
        let (one, other) = tokio::join!(
            open_in_s3(&store, "log-race", &signer),
            open_in_s3(&store, "log-race", &signer)
        );
        let mut appended = Vec::new();
        for (number, opened) in (round * 2..).zip([one, other]) {
            match opened {
                Ok(log) => appended.push((log.append(record(number)).await, log)),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Fenced, "{error:?}"),
            }
        }
        let mut winners = 0;
        for (appended, _) in appended {
            match appended {
                Ok(entry) => {
                    winners += 1;
                    acknowledged.push(entry);
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Fenced, "{error:?}"),
            }
        }
        assert_eq!(winners, 1, "in round {round}");
    }
    let log = open_in_s3(&store, "log-race", &signer).await.unwrap();
    assert_eq!(log.entries().await.unwrap(), acknowledged);
}

#[tokio::test]
async fn what_was_appended_is_there_after_reopening() {
    let store = Arc::new(InMemory::new());
    let signer = signer();
    let log = open(&store, &signer).await.unwrap();
    let mut expected = log
        .append_all((0..300).map(record).collect())
        .await
        .unwrap();
    expected.push(
        log.append(record_with(300, json!("x".repeat(70_000))))
            .await
            .unwrap(),
    );
    drop(log);
    let log = open(&store, &signer).await.unwrap();
    assert_eq!(log.entries().await.unwrap(), expected);
    let proof = log.inclusion_proof(299).await.unwrap();
    proof.verify(&signer.verifier()).unwrap();
}

#[tokio::test]
async fn of_two_writers_the_earlier_one_is_fenced_and_harms_nothing() {
    let store = Arc::new(InMemory::new());
    let signer = signer();
    let first = open(&store, &signer).await.unwrap();
    first.append(record(0)).await.unwrap();
    let second = open(&store, &signer).await.unwrap();
    // Both would write the bundle of two entries, with different contents.
    let error = first.append(record(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fenced);
    second.append(record(2)).await.unwrap();
    let error = first.append(record(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fenced);
    assert!(first.entries().await.is_err());

    let third = open(&store, &signer).await.unwrap();
    let keys: Vec<String> = third
        .entries()
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.record.key)
        .collect();
    assert_eq!(keys, ["event/0", "event/2"]);
}

#[tokio::test]
async fn a_changed_object_is_found() {
    use object_store::ObjectStoreExt;

    let store = Arc::new(InMemory::new());
    let signer = signer();
    let log = open(&store, &signer).await.unwrap();
    log.append_all((0..3).map(record).collect()).await.unwrap();
    let path = object_store::path::Path::from("logs/a/tile/entries/000.p/3");
    let mut bytes = store
        .get(&path)
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap()
        .to_vec();
    bytes[40] ^= 1;
    store.put(&path, bytes.into()).await.unwrap();
    assert_eq!(log.entries().await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(
        open(&store, &signer).await.unwrap_err().kind(),
        ErrorKind::Corrupt
    );
}

#[tokio::test]
async fn an_export_reads_evidence_from_the_store() {
    let store = Arc::new(InMemory::new());
    let signer = signer();
    let log = open(&store, &signer).await.unwrap();
    log.append(record_with(0, json!("x".repeat(70_000))))
        .await
        .unwrap();
    log.append(record(1)).await.unwrap();
    let mut out = Vec::new();
    let settings = ExportSettings::default();
    assert_eq!(log.export(&settings, None, &mut out).await.unwrap(), 2);
    let verified = verify_export(&mut out.as_slice(), &signer.verifier()).unwrap();
    assert_eq!(verified.entries(), log.entries().await.unwrap());
}

#[tokio::test]
async fn a_write_that_the_client_repeats_is_no_other_writer() {
    let store: Arc<dyn ObjectStore> = Arc::new(Repeating(InMemory::new()));
    let signer = signer();
    let settings = TileLogSettings::default();
    let mut expected = Vec::new();
    for round in 0..3 {
        let log = TileLog::on_object_store(
            Arc::clone(&store),
            "logs/a",
            signer.clone(),
            settings.clone(),
        );
        let log = log.await.unwrap();
        for number in round * 3..round * 3 + 3 {
            expected.push(log.append(record(number)).await.unwrap());
        }
        assert_eq!(log.entries().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_store_that_cannot_replace_on_condition_is_refused_when_opening() {
    let folder = Folder::new("unconditional");
    std::fs::create_dir_all(&folder.0).unwrap();
    let store = LocalFileSystem::new_with_prefix(&folder.0).unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(store);
    let signer = signer();
    // Also after the first try has left something.
    for _ in 0..2 {
        let settings = TileLogSettings::default();
        let log = TileLog::on_object_store(Arc::clone(&store), "logs/a", signer.clone(), settings);
        let error = log.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains("on condition"), "{error}");
    }
}

/// A client that sends every write twice because the first answer was lost.
#[derive(Debug)]
struct Repeating(InMemory);

impl fmt::Display for Repeating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "repeating {}", self.0)
    }
}

#[async_trait]
impl ObjectStore for Repeating {
    async fn put_opts(
        &self,
        location: &Location,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        let first = self.0.put_opts(location, payload.clone(), options.clone());
        first.await?;
        self.0.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Location,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_opts(
        &self,
        location: &Location,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Location>>,
    ) -> BoxStream<'static, object_store::Result<Location>> {
        self.0.delete_stream(locations)
    }

    fn list(
        &self,
        prefix: Option<&Location>,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(
        &self,
        prefix: Option<&Location>,
    ) -> object_store::Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Location,
        to: &Location,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}
