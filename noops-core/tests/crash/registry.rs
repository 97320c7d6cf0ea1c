//! Versions, an alias, a state and a lease in one SQLite file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use noops_core::{
    Alias, AliasMove, Contract, Deletion, Digest, ErrorKind, FencingToken, LeaseName, LeaseStore,
    ModelName, ModelRegistry, OutputRule, Registration, SqlDatabase, StateStore, Timestamp,
};

use crate::harness::Workload;
use crate::lines::{Line, Report};
use crate::random::Random;

/// What was begun and what was acknowledged, by the numbers of versions, generations and tokens.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    begun: BTreeMap<String, BTreeSet<u64>>,
    done: BTreeMap<String, BTreeSet<u64>>,
}

impl Workload for Registry {
    const WRITES_OF_A_FOLDER: u64 = 8000;

    fn begin(_: &Path) -> Self {
        Self::default()
    }

    async fn work(folder: &Path, round: u64, report: &Report) {
        let database = open(folder).await;
        let (registry, states, leases) =
            (database.registry(), database.states(), database.leases());
        let now = Timestamp::from_second(round as i64 * 3600).unwrap();
        let ttl = Duration::from_secs(60);
        report.begin("lease");
        let mut lease = leases
            .acquire(&lease_name(), &format!("child {round}"), now, ttl)
            .await
            .expect("the lease of the dead has expired");
        let token = lease.token;
        report.done(&format!("lease {}", token.get()));

        let saved = states.load(KEY).await.unwrap();
        let mut generation = saved.map_or(0, |saved| saved.generation);
        let versions = registry.versions(&model()).await.unwrap();
        let mut live: Vec<u64> = versions.iter().map(|version| version.number()).collect();
        let history = registry.alias_history(&model(), &Alias::champion()).await;
        let mut from = history.unwrap().last().and_then(|target| target.digest);
        // Whoever does not know whether a call was done calls again.
        if let Some(last) = live.last() {
            let again = registry.register(registration(*last)).await.unwrap();
            assert_eq!(again.number(), *last);
        }
        let mut next = live.last().map_or(1, |last| last + 1);
        loop {
            report.begin(&format!("register {next}"));
            let version = registry.register(registration(next)).await.unwrap();
            assert_eq!(version.number(), next);
            report.done(&format!("register {next}"));
            live.push(next);

            report.begin(&format!("move {next}"));
            let change = AliasMove {
                alias: Alias::champion(),
                from,
                to: Some(digest(next)),
                at: Timestamp::from_second(next as i64).unwrap(),
                token,
            };
            registry.move_alias(&model(), &change).await.unwrap();
            report.done(&format!("move {next}"));
            from = change.to;

            let following = generation + 1;
            report.begin(&format!("save {following}"));
            let bytes = state(following);
            states.save(KEY, generation, &bytes, token).await.unwrap();
            report.done(&format!("save {following}"));
            generation = following;

            report.begin("renew");
            lease = leases.renew(&lease, now, ttl).await.unwrap();
            report.done("renew");

            if live.len() > KEPT {
                let oldest = live.remove(0);
                report.begin(&format!("delete {oldest}"));
                let deletion = Deletion {
                    digest: digest(oldest),
                    at: now,
                    token,
                };
                registry.delete(&model(), &deletion).await.unwrap();
                report.done(&format!("delete {oldest}"));
            }
            next += 1;
        }
    }

    async fn check(&mut self, folder: &Path, _: u64, lines: &[Line]) {
        let newest_token = self.newest("lease");
        let deleted_now = self.take(lines, newest_token);
        let database = open(folder).await;
        self.check_versions(&database, &deleted_now).await;
        self.check_alias(&database).await;
        self.check_state(&database).await;
        self.check_lease(&database).await;
        database.close().await;
    }
}

impl Registry {
    /// Takes in what a child told, and returns what it deleted.
    fn take(&mut self, lines: &[Line], newest_token: u64) -> Vec<u64> {
        let mut deleted = Vec::new();
        for line in lines {
            let Some(number) = line.numbers.first().copied() else {
                continue;
            };
            if line.is_done && line.what == "lease" {
                assert!(number > newest_token, "token {number} was granted before");
            }
            if line.is_done && line.what == "delete" {
                deleted.push(number);
            }
            let heard = if line.is_done {
                &mut self.done
            } else {
                &mut self.begun
            };
            heard.entry(line.what.clone()).or_default().insert(number);
        }
        deleted
    }

    fn has_begun(&self, what: &str, number: u64) -> bool {
        let begun = self.begun.get(what);
        begun.is_some_and(|begun| begun.contains(&number))
    }

    fn acknowledged(&self, what: &str) -> impl Iterator<Item = u64> {
        self.done.get(what).into_iter().flatten().copied()
    }

    /// The largest acknowledged number.
    fn newest(&self, what: &str) -> u64 {
        self.acknowledged(what).last().unwrap_or(0)
    }

    async fn check_versions(&self, database: &SqlDatabase, deleted_now: &[u64]) {
        let registry = database.registry();
        let versions = registry.versions(&model()).await.unwrap();
        let mut live = BTreeSet::new();
        for version in &versions {
            let number = version.number();
            assert_eq!(*version.registration(), registration(number));
            assert!(self.has_begun("register", number), "version {number}");
            assert!(live.insert(number), "version {number} is there twice");
        }
        for number in self.acknowledged("register") {
            assert!(
                live.contains(&number) || self.has_begun("delete", number),
                "version {number} is lost"
            );
        }
        for number in self.acknowledged("delete") {
            assert!(!live.contains(&number), "version {number} is back");
        }
        for number in deleted_now {
            let found = registry.version(&model(), &digest(*number)).await;
            assert_eq!(found.unwrap_err().kind(), ErrorKind::Gone);
        }
    }

    async fn check_alias(&self, database: &SqlDatabase) {
        let registry = database.registry();
        let history = registry.alias_history(&model(), &Alias::champion()).await;
        let history = history.unwrap();
        let begun = self.begun.get("move").cloned().unwrap_or_default();
        let numbers: BTreeMap<Digest, u64> = begun
            .iter()
            .map(|number| (digest(*number), *number))
            .collect();
        let moves: Vec<u64> = history
            .iter()
            .map(|target| numbers[&target.digest.expect("the alias always points somewhere")])
            .collect();
        assert!(moves.is_sorted_by(|one, next| one < next), "{moves:?}");
        assert!(history.is_sorted_by_key(|target| target.since));
        assert!(history.is_sorted_by_key(|target| target.token));
        for number in self.acknowledged("move") {
            let found = moves.binary_search(&number);
            assert!(found.is_ok(), "the move to {number} is lost");
        }
        let Some(last) = history.last() else { return };
        let champion = last.digest.unwrap();
        registry
            .version(&model(), &champion)
            .await
            .expect("the champion is registered and not deleted");
        if last.token > FencingToken::new(1) {
            let late = AliasMove {
                alias: Alias::champion(),
                from: last.digest,
                to: None,
                at: last.since,
                token: FencingToken::new(last.token.get() - 1),
            };
            let refused = registry.move_alias(&model(), &late).await;
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Fenced);
        }
    }

    async fn check_state(&self, database: &SqlDatabase) {
        let saved = database.states().load(KEY).await.unwrap();
        let generation = saved.as_ref().map_or(0, |saved| saved.generation);
        assert!(
            generation >= self.newest("save"),
            "generation {generation} is not the newest"
        );
        if let Some(saved) = saved {
            assert!(self.has_begun("save", generation));
            assert!(saved.bytes == state(generation), "half a state was saved");
        }
    }

    async fn check_lease(&self, database: &SqlDatabase) {
        let current = database.leases().current(&lease_name()).await.unwrap();
        let token = current.map_or(0, |lease| lease.token.get());
        assert!(
            token >= self.newest("lease"),
            "token {token} is not the newest"
        );
    }
}

async fn open(folder: &Path) -> SqlDatabase {
    SqlDatabase::open(&folder.join("models.sqlite"))
        .await
        .expect("the database opens after a crash")
}

fn model() -> ModelName {
    "arrival-delay".parse().unwrap()
}

fn lease_name() -> LeaseName {
    "arrival-delay.control".parse().unwrap()
}

fn digest(number: u64) -> Digest {
    Digest::of(&number.to_le_bytes())
}

/// All that there is to know of a version follows from its number.
fn registration(number: u64) -> Registration {
    let contract = Contract::new([], OutputRule::probability()).unwrap();
    let at = Timestamp::from_second(number as i64).unwrap();
    let mut registration = Registration::new(model(), digest(number), contract, at);
    registration
        .metrics
        .insert("auc".into(), 1.0 / number as f64);
    registration.lineage.training_run = format!("run {number}");
    registration
}

/// A few pages of the database.
fn state(generation: u64) -> Vec<u8> {
    let mut random = Random::new(generation);
    let words = (0..=generation % 2000).map(|_| random.next().to_le_bytes());
    words.flatten().collect()
}

const KEY: &str = "control";
const KEPT: usize = 12;
