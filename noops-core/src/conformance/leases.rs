//! The clauses of [`LeaseStore`].

use std::time::Duration;

use super::artifacts::together;
use super::{at, kind};
use crate::{ErrorKind, LeaseName, LeaseStore};

/// Every clause.
pub async fn all(leases: &dyn LeaseStore) {
    one_holder_at_a_time(leases).await;
    of_many_who_ask_at_once_one_is_granted(leases).await;
    tokens_grow_with_every_holder(leases).await;
    a_lost_lease_is_fenced(leases).await;
    an_expired_lease_that_nobody_took_may_be_renewed(leases).await;
    releasing_is_idempotent(leases).await;
    names_do_not_see_each_other(leases).await;
}

/// Until the end, which is outside: at `until` it is free.
pub async fn one_holder_at_a_time(leases: &dyn LeaseStore) {
    let name = name("conformance-one");
    assert_eq!(leases.current(&name).await.unwrap(), None);
    let held = leases.acquire(&name, "a", at(0), TEN).await.unwrap();
    assert_eq!((held.until, held.holder.as_str()), (at(10), "a"));
    assert_eq!(leases.current(&name).await.unwrap(), Some(held.clone()));
    let refused = leases.acquire(&name, "b", at(9), TEN).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert!(
        refused.to_string().contains("`a`"),
        "the holder is named: {refused}"
    );
    let again = leases.acquire(&name, "a", at(5), TEN).await.unwrap();
    assert_eq!(
        (again.token, again.until),
        (held.token, at(15)),
        "the holder itself extends it"
    );
    let renewed = leases.renew(&again, at(8), TEN).await.unwrap();
    assert_eq!((renewed.token, renewed.until), (held.token, at(18)));
    assert_eq!(
        kind(leases.acquire(&name, "b", at(17), TEN).await),
        ErrorKind::Conflict
    );
    leases.acquire(&name, "b", at(18), TEN).await.unwrap();
}

/// Eight at once.
pub async fn of_many_who_ask_at_once_one_is_granted(leases: &dyn LeaseStore) {
    let name = name("conformance-at-once");
    let holders: Vec<String> = (0..8).map(|n| format!("holder-{n}")).collect();
    let asked = holders.iter();
    let asked = asked.map(|holder| leases.acquire(&name, holder, at(0), TEN));
    let mut granted = Vec::new();
    for result in together(asked.collect()).await {
        match result {
            Ok(lease) => granted.push(lease),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
        }
    }
    assert_eq!(granted.len(), 1, "one and no other");
    assert_eq!(leases.current(&name).await.unwrap(), granted.pop());
}

/// Also when the same process comes back, and after a release.
pub async fn tokens_grow_with_every_holder(leases: &dyn LeaseStore) {
    let name = name("conformance-tokens");
    let first = leases.acquire(&name, "a", at(0), TEN).await.unwrap();
    assert!(!first.token.is_none());
    let second = leases.acquire(&name, "a", at(10), TEN).await.unwrap();
    assert!(second.token > first.token, "it had ended in between");
    leases.release(&second).await.unwrap();
    assert_eq!(leases.current(&name).await.unwrap(), None);
    let third = leases.acquire(&name, "b", at(11), TEN).await.unwrap();
    assert!(third.token > second.token);
}

/// The old holder cannot get it back by renewing, nor take it from the new one.
pub async fn a_lost_lease_is_fenced(leases: &dyn LeaseStore) {
    let name = name("conformance-lost");
    let old = leases.acquire(&name, "a", at(0), TEN).await.unwrap();
    let new = leases.acquire(&name, "b", at(10), TEN).await.unwrap();
    assert_eq!(
        kind(leases.renew(&old, at(11), TEN).await),
        ErrorKind::Fenced
    );
    assert_eq!(kind(leases.release(&old).await), ErrorKind::Fenced);
    assert_eq!(leases.current(&name).await.unwrap(), Some(new));
}

/// Nobody else has acted.
pub async fn an_expired_lease_that_nobody_took_may_be_renewed(leases: &dyn LeaseStore) {
    let name = name("conformance-late");
    let held = leases.acquire(&name, "a", at(0), TEN).await.unwrap();
    let renewed = leases.renew(&held, at(100), TEN).await.unwrap();
    assert_eq!((renewed.token, renewed.until), (held.token, at(110)));
}

/// A release may be sent again; a released lease is not renewed.
pub async fn releasing_is_idempotent(leases: &dyn LeaseStore) {
    let name = name("conformance-release");
    let held = leases.acquire(&name, "a", at(0), TEN).await.unwrap();
    leases.release(&held).await.unwrap();
    leases.release(&held).await.unwrap();
    assert_eq!(
        kind(leases.renew(&held, at(1), TEN).await),
        ErrorKind::Fenced
    );
}

/// A lease is for one thing.
pub async fn names_do_not_see_each_other(leases: &dyn LeaseStore) {
    let (left, right) = (name("conformance-left"), name("conformance-right"));
    leases.acquire(&left, "a", at(0), TEN).await.unwrap();
    leases.acquire(&right, "b", at(0), TEN).await.unwrap();
}

fn name(text: &str) -> LeaseName {
    text.parse().unwrap()
}

const TEN: Duration = Duration::from_secs(10);
