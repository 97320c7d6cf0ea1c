use super::*;
use crate::merkle::leaf_hash;

async fn open(folder: &Folder, signer: &NoteSigner) -> TileLog {
    TileLog::open(&folder.0, signer.clone(), TileLogSettings::default())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_log_keeps_the_contract_of_an_audit_log() {
    let folder = Folder::new("contract");
    let log = open(&folder, &signer()).await;
    crate::conformance::audit_log::all(&log).await;
}

#[tokio::test]
async fn what_was_appended_is_there_after_reopening_with_and_without_closing() {
    let folder = Folder::new("reopen");
    let signer = signer();
    let mut expected = Vec::new();
    for round in 0..6 {
        let log = open(&folder, &signer).await;
        assert_eq!(log.entries().await.unwrap(), expected);
        expected.push(log.append(record(round)).await.unwrap());
        if round % 2 == 0 {
            let closed = log.close().await.unwrap();
            assert_eq!(closed.checkpoint().size(), round + 1);
        }
    }
    let verified = verify_directory(&folder.0, &signer.verifier(), None).unwrap();
    assert_eq!(verified.entries(), expected);
    assert_eq!(verified.journalled(), 1);
}

/// Begins to append, and does not wait for the end.
async fn give_up_appending(log: &TileLog, number: u64) {
    tokio::select! {
        biased;
        _ = log.append(record(number)) => {}
        () = std::future::ready(()) => {}
    }
}

/// Opens the log as soon as nothing holds it that was given up.
async fn reopen(folder: &Folder, signer: &NoteSigner) -> TileLog {
    for _ in 0..10_000 {
        let settings = TileLogSettings::default();
        match TileLog::open(&folder.0, signer.clone(), settings).await {
            Ok(log) => return log,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("what was begun holds the log for ever");
}

#[tokio::test]
async fn an_append_that_was_given_up_is_done_before_what_is_asked_for_next() {
    let folder = Folder::new("given-up");
    let signer = signer();
    let log = open(&folder, &signer).await;
    give_up_appending(&log, 0).await;
    assert_eq!(log.append(record(1)).await.unwrap().sequence, 1);
    // Whoever does not know whether it was done asks again, and it is not there twice.
    assert_eq!(log.append(record(0)).await.unwrap().sequence, 0);
    let entries = log.entries().await.unwrap();
    log.close().await.unwrap();
    let log = reopen(&folder, &signer).await;
    assert_eq!(log.entries().await.unwrap(), entries);
    let records: Vec<AuditRecord> = entries.into_iter().map(|entry| entry.record).collect();
    assert_eq!(records, [record(0), record(1)]);
    let verified = verify_directory(&folder.0, &signer.verifier(), None).unwrap();
    assert_eq!(verified.entries().len(), 2);
}

#[tokio::test]
async fn an_append_that_was_given_up_with_its_log_is_there_once_the_log_can_be_opened() {
    let folder = Folder::new("given-up-with-log");
    let signer = signer();
    let log = open(&folder, &signer).await;
    give_up_appending(&log, 0).await;
    drop(log);
    let log = reopen(&folder, &signer).await;
    assert_eq!(log.size().await.unwrap(), 1);
    assert_eq!(log.append(record(1)).await.unwrap().sequence, 1);
    let entries = log.entries().await.unwrap();
    log.close().await.unwrap();
    let verified = verify_directory(&folder.0, &signer.verifier(), None).unwrap();
    assert_eq!(verified.entries(), entries);
    assert_eq!(entries[0].record, record(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_appenders_share_syncs_and_lose_nothing() {
    let folder = Folder::new("many");
    let signer = signer();
    let settings = TileLogSettings::default().with_checkpoint_every(100);
    let log = Arc::new(
        TileLog::open(&folder.0, signer.clone(), settings)
            .await
            .unwrap(),
    );
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                for number in 0..50 {
                    let entry = log.append(record(task * 50 + number)).await.unwrap();
                    assert_eq!(entry.record, record(task * 50 + number));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let entries = log.entries().await.unwrap();
    assert_eq!(entries.len(), 400);
    assert_eq!(crate::verify_chain(&entries), Ok(()));
    log.checkpoint().await.unwrap();
    let verified = verify_directory(&folder.0, &signer.verifier(), None).unwrap();
    assert_eq!(verified.entries(), entries);
    assert_eq!(verified.strays(), [] as [String; 0]);
}

#[tokio::test]
async fn a_second_writer_is_kept_out_until_the_first_is_gone() {
    let folder = Folder::new("second");
    let signer = signer();
    let first = open(&folder, &signer).await;
    let refused = TileLog::open(&folder.0, signer.clone(), TileLogSettings::default()).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains(&folder.0.display().to_string()));
    first.append(record(0)).await.unwrap();
    drop(first);
    assert_eq!(open(&folder, &signer).await.size().await.unwrap(), 1);
}

#[tokio::test]
async fn a_group_is_appended_whole_or_not_at_all() {
    let folder = Folder::new("group");
    let signer = signer();
    let log = open(&folder, &signer).await;
    let first = log.append_all(vec![record(0), record(1)]).await.unwrap();
    let clash = record_with(1, json!("something else"));
    let error = log
        .append_all(vec![record(2), clash, record(3)])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(log.entries().await.unwrap(), first);
    // Within one group a record may come twice, and what was refused can be appended without the culprit.
    let again = log
        .append_all(vec![record(2), record(1), record(2)])
        .await
        .unwrap();
    let places: Vec<u64> = again.iter().map(|entry| entry.sequence).collect();
    assert_eq!(places, [2, 1, 2]);
    assert!(log.append_all(Vec::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_stale_token_is_refused_also_after_reopening() {
    let folder = Folder::new("token");
    let signer = signer();
    let with_token = |number: u64, token: u64| AuditRecord {
        token: FencingToken::new(token),
        ..record(number)
    };
    let log = open(&folder, &signer).await;
    let entry = log.append(with_token(0, 5)).await.unwrap();
    log.close().await.unwrap();
    let log = open(&folder, &signer).await;
    let error = log.append(with_token(1, 4)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fenced);
    // The next holder tells of the same event.
    assert_eq!(log.append(with_token(0, 6)).await.unwrap(), entry);
}

#[tokio::test]
async fn a_record_that_cannot_be_stored_is_refused_and_the_log_goes_on() {
    let folder = Folder::new("refused");
    let log = open(&folder, &signer()).await;
    let deep = (0..5000).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let error = log.append(record_with(0, deep)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let long = AuditRecord {
        key: "k".repeat(70_000),
        ..record(0)
    };
    assert_eq!(
        log.append(long).await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
    assert_eq!(log.append(record(0)).await.unwrap().sequence, 0);
}

#[tokio::test]
async fn evidence_is_kept_beside_the_log_and_is_part_of_the_entry() {
    let folder = Folder::new("evidence");
    let signer = signer();
    let log = open(&folder, &signer).await;
    let body = json!({ "plot": "x".repeat(100_000) });
    let entry = log.append(record_with(0, body.clone())).await.unwrap();
    assert_eq!(log.append(record_with(0, body)).await.unwrap(), entry);
    let proof = log.inclusion_proof(0).await.unwrap();
    assert!(proof.leaf().len() < 1000);
    proof.verify(&signer.verifier()).unwrap();
    log.close().await.unwrap();
    let verified = verify_directory(&folder.0, &signer.verifier(), None).unwrap();
    assert_eq!(verified.entries(), [entry]);
}

#[tokio::test]
async fn every_entry_is_proved_by_the_checkpoint_and_by_no_other_leaf() {
    let folder = Folder::new("proof");
    let signer = signer();
    let log = open(&folder, &signer).await;
    log.append_all((0..300).map(record).collect())
        .await
        .unwrap();
    for sequence in [0, 1, 255, 256, 299] {
        let proof = log.inclusion_proof(sequence).await.unwrap();
        assert_eq!(proof.entry().record, record(sequence));
        proof.verify(&signer.verifier()).unwrap();
        assert!(proof.verify(&super::signer().verifier()).is_err());
        let mut leaf = proof.leaf().to_vec();
        leaf[0] ^= 1;
        let root = proof.checkpoint().checkpoint().root();
        assert!(proof.inclusion().verify(&leaf_hash(&leaf), &root).is_err());
    }
    let error = log.inclusion_proof(300).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn later_checkpoints_continue_earlier_ones() {
    let folder = Folder::new("consistency");
    let log = open(&folder, &signer()).await;
    let mut roots = Vec::new();
    for number in 0..10 {
        log.append_all((number * 60..(number + 1) * 60).map(record).collect())
            .await
            .unwrap();
        roots.push(log.checkpoint().await.unwrap().checkpoint().clone());
    }
    let last = roots.last().unwrap();
    for root in &roots {
        let proof = log.consistency_proof(root.size()).await.unwrap();
        assert_eq!(proof.verify(&root.root(), &last.root()), Ok(()));
    }
    let error = log.consistency_proof(601).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_witness_refuses_a_log_that_was_put_back() {
    let folder = Folder::new("witness");
    let elsewhere = Folder::new("witness-elsewhere");
    let signer = signer();
    let witness = FileWitness::new(elsewhere.0.join("seen"), signer.verifier());
    let settings = TileLogSettings::default().with_witness(Arc::new(witness.clone()));
    let log = TileLog::open(&folder.0, signer.clone(), settings.clone())
        .await
        .unwrap();
    for number in 0..3 {
        log.append(record(number)).await.unwrap();
        log.checkpoint().await.unwrap();
        // The same again is no news.
        log.checkpoint().await.unwrap();
    }
    drop(log);
    let seen = witness.read().unwrap().unwrap();
    assert_eq!(seen.checkpoint().size(), 3);
    let checked = verify_directory(&folder.0, &signer.verifier(), Some(seen.checkpoint()));
    assert_eq!(checked.unwrap().entries().len(), 3);

    // The same key, another history: first shorter, then longer.
    std::fs::remove_dir_all(&folder.0).unwrap();
    let log = TileLog::open(&folder.0, signer.clone(), settings)
        .await
        .unwrap();
    for number in 10..15 {
        log.append(record(number)).await.unwrap();
        let error = log.checkpoint().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
    assert_eq!(witness.read().unwrap().unwrap().checkpoint().size(), 3);
}

#[test]
fn without_a_runtime_the_log_is_refused_and_nothing_panics() {
    let folder = Folder::new("runtime");
    let opening = TileLog::open(&folder.0, signer(), TileLogSettings::default());
    let mut opening = std::pin::pin!(opening);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match opening.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Err(error)) => assert_eq!(error.kind(), ErrorKind::Invalid),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_let_go_can_be_opened_at_once() {
    let folder = Folder::new("at-once");
    let signer = signer();
    let settings = TileLogSettings::default().with_checkpoint_every(3);
    for round in 0..120 {
        let opened = TileLog::open(&folder.0, signer.clone(), settings.clone()).await;
        let log = opened.unwrap_or_else(|error| panic!("round {round}: {error}"));
        log.append(record(round)).await.unwrap();
        match round % 4 {
            0 => drop(log.close().await.unwrap()),
            1 => assert_eq!(log.entries().await.unwrap().len() as u64, round + 1),
            2 => drop(log.inclusion_proof(round).await.unwrap()),
            _ => drop(log),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_has_its_turn_among_those_who_append_without_pause() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let folder = Folder::new("turns");
    let log = Arc::new(open(&folder, &signer()).await);
    let is_over = Arc::new(AtomicBool::new(false));
    let appenders: Vec<_> = (0..6)
        .map(|task| {
            let (log, is_over) = (Arc::clone(&log), Arc::clone(&is_over));
            tokio::spawn(async move {
                let mut appended = 0;
                while !is_over.load(Ordering::Relaxed) {
                    log.append(record(task * 1_000_000 + appended))
                        .await
                        .unwrap();
                    appended += 1;
                }
                appended
            })
        })
        .collect();
    let mut size = 0;
    for _ in 0..20 {
        let published = tokio::time::timeout(std::time::Duration::from_secs(30), log.checkpoint());
        let published = published.await.expect("nobody is starved").unwrap();
        assert!(published.checkpoint().size() >= size);
        size = published.checkpoint().size();
    }
    is_over.store(true, Ordering::Relaxed);
    let mut appended = 0;
    for appender in appenders {
        appended += appender.await.unwrap();
    }
    assert_eq!(log.size().await.unwrap(), appended);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_in_use_verifies_and_lacks_nothing_acknowledged_before() {
    let folder = Folder::new("in-use");
    let signer = signer();
    let settings = TileLogSettings::default().with_checkpoint_every(7);
    let log = TileLog::open(&folder.0, signer.clone(), settings)
        .await
        .unwrap();
    let mut acknowledged = 0;
    for _ in 0..60 {
        let (directory, verifier) = (folder.0.clone(), signer.verifier());
        let verified = tokio::task::spawn_blocking(move || {
            verify_directory(&directory, &verifier, None).map(VerifiedLog::into_entries)
        });
        let next = log.append_all((acknowledged..acknowledged + 5).map(record).collect());
        let (next, verified) = tokio::join!(next, verified);
        let entries = verified.unwrap().unwrap();
        assert!(entries.len() as u64 >= acknowledged);
        acknowledged += next.unwrap().len() as u64;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_witness_is_shown_checkpoints_in_order_however_many_ask_for_them() {
    let folder = Folder::new("in-order");
    let elsewhere = Folder::new("in-order-elsewhere");
    let signer = signer();
    let witness = FileWitness::new(elsewhere.0.join("seen"), signer.verifier());
    let settings = TileLogSettings::default().with_witness(Arc::new(witness.clone()));
    let log = TileLog::open(&folder.0, signer, settings).await.unwrap();
    let log = Arc::new(log);
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                log.append(record(number)).await.unwrap();
                log.checkpoint().await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let seen = witness.read().unwrap().unwrap();
    assert_eq!(seen.checkpoint().size(), 16);
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
    let folder = Folder::new("pipe");
    let signer = signer();
    let log = open(&folder, &signer).await;
    log.append(record(0)).await.unwrap();
    log.close().await.unwrap();
    for name in ["checkpoint", "journal", "public-key", "tile/0/000.p/1"] {
        let path = folder.0.join(name);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let error = verify_directory(&folder.0, &signer.verifier(), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: {error}");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, bytes).unwrap();
    }
    assert!(verify_directory(&folder.0, &signer.verifier(), None).is_ok());
}
