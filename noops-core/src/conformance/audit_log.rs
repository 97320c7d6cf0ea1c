//! The clauses of [`AuditLog`].

use serde_json::json;

use super::artifacts::together;
use super::{at, kind};
use crate::{AuditEntry, AuditLog, AuditRecord, ErrorKind, FencingToken, verify_chain};

/// Every clause.
pub async fn all(log: &dyn AuditLog) {
    entries_form_a_chain(log).await;
    the_same_event_is_one_entry(log).await;
    many_at_once_follow_each_other(log).await;
    a_stale_token_is_refused(log).await;
}

/// From the origin, in order, and read back as appended.
pub async fn entries_form_a_chain(log: &dyn AuditLog) {
    assert!(
        log.entries().await.unwrap().is_empty(),
        "start with an empty log"
    );
    let first = log.append(record("a", 1)).await.unwrap();
    assert_eq!((first.sequence, first.previous), (0, AuditEntry::ORIGIN));
    let second = log.append(record("b", 2)).await.unwrap();
    assert_eq!(second.previous, first.hash);
    let entries = log.entries().await.unwrap();
    assert_eq!(entries, [first, second]);
    assert_eq!(verify_chain(&entries), Ok(()));
}

/// After a crash an event may be told of again.
pub async fn the_same_event_is_one_entry(log: &dyn AuditLog) {
    let first = log.append(record("again", 1)).await.unwrap();
    let length = log.entries().await.unwrap().len();
    assert_eq!(log.append(record("again", 1)).await.unwrap(), first);
    assert_eq!(
        kind(log.append(record("again", 2)).await),
        ErrorKind::Conflict,
        "another event under a used key is refused"
    );
    assert_eq!(log.entries().await.unwrap().len(), length);
}

/// Each of ten events, told of twice at once, has one place.
pub async fn many_at_once_follow_each_other(log: &dyn AuditLog) {
    let before = log.entries().await.unwrap().len();
    let told = (0..20_u64).map(|n| log.append(record(&format!("at once {}", n / 2), n / 2)));
    let mut places = std::collections::BTreeMap::new();
    for entry in together(told.collect()).await {
        let entry = entry.unwrap();
        let first = places
            .entry(entry.record.key.clone())
            .or_insert(entry.sequence);
        assert_eq!(*first, entry.sequence, "one event has one place");
    }
    let entries = log.entries().await.unwrap();
    assert_eq!((places.len(), entries.len()), (10, before + 10));
    assert_eq!(verify_chain(&entries), Ok(()));
}

/// Who has lost the lease cannot record any more; who holds it may repeat what another recorded.
pub async fn a_stale_token_is_refused(log: &dyn AuditLog) {
    let with = |token: u64, record: AuditRecord| AuditRecord {
        token: FencingToken::new(token),
        ..record
    };
    let first = log.append(with(5, record("fenced", 1))).await.unwrap();
    assert_eq!(
        kind(log.append(with(4, record("too late", 1))).await),
        ErrorKind::Fenced
    );
    assert_eq!(
        kind(log.append(with(4, record("fenced", 1))).await),
        ErrorKind::Fenced,
        "the token is looked at first"
    );
    let repeated = log.append(with(6, record("fenced", 1))).await.unwrap();
    assert_eq!(repeated, first);
    log.append(with(6, record("newer", 1))).await.unwrap();
    assert_eq!(verify_chain(&log.entries().await.unwrap()), Ok(()));
}

fn record(key: &str, value: u64) -> AuditRecord {
    AuditRecord {
        key: key.into(),
        at: at(0),
        kind: "conformance".into(),
        // Numbers that lose a digit when they are read carelessly, and names that are not in order.
        body: json!({
            "value": value,
            "text": "a \"quoted\" line\n",
            "nested": { "b": [1, 2.5, null], "a": true },
            "numbers": [0.1 + 0.2, 1e-300, 9.869604401089358, u64::MAX, i64::MIN],
        }),
        token: FencingToken::NONE,
    }
}
