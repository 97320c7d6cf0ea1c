use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::CommandFactory;
use noops_core::{
    AliasMove, AuditLog, Digest, LeaseStore, ManualClock, ModelRegistry, SqlDatabase, verify_chain,
};

use super::*;

mod bad_input;
mod foreign;

/// A folder of its own, which goes when it is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("noops-registry-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn registry(&self) -> PathBuf {
        self.0.join("models")
    }

    pub(crate) fn clock(&self, second: i64) -> ManualClock {
        ManualClock::new(Timestamp::from_second(second).unwrap())
    }

    /// Runs a command on the registry at a time.
    pub(crate) async fn run(&self, second: i64, words: &[&str]) -> Result<String, String> {
        self.run_on(&self.registry(), second, words).await
    }

    /// Registers some bytes with one feature and more arguments.
    pub(crate) async fn register(
        &self,
        model: &str,
        bytes: &[u8],
        second: i64,
        more: &[&str],
    ) -> Digest {
        let file = self.file("model.bin");
        fs::write(&file, bytes).unwrap();
        let mut words = vec!["register", model, &file, "--feature", "amount"];
        words.extend(more);
        self.run(second, &words).await.unwrap();
        Digest::of(bytes)
    }

    async fn run_on(&self, place: &Path, second: i64, words: &[&str]) -> Result<String, String> {
        let place = place.display().to_string();
        let mut all = vec!["registry", place.as_str()];
        all.extend(words);
        let arguments = Arguments::try_parse_from(all).map_err(|error| error.to_string())?;
        run(arguments, &self.clock(second))
            .await
            .map_err(|failure| failure.to_string())
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn artifact(&self, digest: &Digest) -> PathBuf {
        let digest = digest.to_string();
        let shard = self.registry().join("artifacts/sha256").join(&digest[..2]);
        shard.join(digest)
    }

    fn database(&self) -> PathBuf {
        self.registry().join("registry.sqlite")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Changes bytes in a file, as a bad disk or a person would.
fn patch(file: &Path, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read(file).unwrap();
    let places: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter_map(|(place, window)| (window == from).then_some(place))
        .collect();
    assert!(!places.is_empty(), "there is nothing to change");
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    fs::write(file, bytes).unwrap();
}

#[test]
fn the_command_line_is_well_formed() {
    Arguments::command().debug_assert();
}

#[tokio::test]
async fn a_model_is_promoted_rolled_back_and_explained() {
    let folder = Folder::new("life");
    let first = folder
        .register(
            "fraud",
            b"one",
            100,
            &["--metric", "auc=0.75", "--run", "r-1"],
        )
        .await;
    let second = folder
        .register(
            "fraud",
            b"two",
            200,
            &["--parent", "1", "--parameter", "depth=6"],
        )
        .await;
    let short = second.short();
    let third = folder
        .register("fraud", b"three", 300, &["--parent", &short])
        .await;
    folder.run(400, &["promote", "fraud", "1"]).await.unwrap();
    let told = folder
        .run(500, &["promote", "fraud", &short, "--because", "better"])
        .await
        .unwrap();
    assert!(told.contains("points at version 2"), "{told}");
    let told = folder
        .run(550, &["promote", "fraud", "champion"])
        .await
        .unwrap();
    assert!(told.contains("already"), "{told}");
    let told = folder.run(600, &["rollback", "fraud"]).await.unwrap();
    assert!(told.contains("points at version 1"), "{told}");

    for (time, expected) in [
        ("1970-01-01", "nothing".to_owned()),
        (
            "1970-01-01T00:06:40Z",
            format!("version 1 ({})", first.short()),
        ),
        ("1970-01-01T00:08:20Z", format!("version 2 ({short})")),
        ("1970-01-01T00:09:59Z", format!("version 2 ({short})")),
        ("1970-01-02", format!("version 1 ({})", first.short())),
    ] {
        let words = ["history", "fraud", "champion", "--at", time];
        let told = folder.run(700, &words).await.unwrap();
        assert!(told.trim_end().ends_with(&expected), "{time}: {told}");
    }
    let history = folder.run(700, &["history", "fraud"]).await.unwrap();
    assert_eq!(history.matches("1970-01-01T00:").count(), 3, "{history}");

    let shown = folder.run(700, &["show", "fraud", "3"]).await.unwrap();
    for expected in [
        third.to_string(),
        format!("version 2 ({short})"),
        format!("version 1 ({})", first.short()),
        "amount: a number".to_owned(),
        "5 bytes, digest verified".to_owned(),
    ] {
        assert!(shown.contains(&expected), "{expected}: {shown}");
    }
    let shown = folder
        .run(700, &["show", "fraud", "champion"])
        .await
        .unwrap();
    assert!(
        shown.contains("auc = 0.75") && shown.contains("r-1"),
        "{shown}"
    );
    let listed = folder.run(700, &["list"]).await.unwrap();
    assert!(listed.contains("champion: 1"), "{listed}");
    let listed = folder.run(700, &["list", "fraud"]).await.unwrap();
    assert!(
        listed.contains("auc 0.75") && listed.contains(&short),
        "{listed}"
    );

    let verified = folder.run(700, &["verify"]).await.unwrap();
    assert!(verified.starts_with("3 versions, 11 bytes"), "{verified}");
    assert!(verified.ends_with("nothing is wrong"), "{verified}");
    let database = SqlDatabase::open(&folder.database()).await.unwrap();
    let entries = database.audit_log().entries().await.unwrap();
    verify_chain(&entries).unwrap();
    let kinds: Vec<&str> = entries
        .iter()
        .map(|entry| entry.record.kind.as_str())
        .collect();
    let expected = [
        "register", "register", "register", "promote", "promote", "rollback",
    ];
    assert_eq!(kinds, expected, "what changed nothing is not recorded");
    assert!(
        entries
            .windows(2)
            .all(|pair| pair[0].record.token < pair[1].record.token),
        "every act has a token of its own"
    );
    database.close().await;
}

#[tokio::test]
async fn what_no_rule_keeps_goes_and_stays_explained() {
    let folder = Folder::new("retain");
    folder.register("fraud", b"one", 100, &[]).await;
    let second = folder.register("fraud", b"two", 200, &[]).await;
    folder
        .register("fraud", b"three", 300, &["--parent", "2"])
        .await;
    folder.register("churn", b"four", 300, &[]).await;
    folder.run(400, &["promote", "fraud", "1"]).await.unwrap();
    folder.run(500, &["promote", "fraud", "2"]).await.unwrap();
    folder.run(600, &["rollback", "fraud"]).await.unwrap();

    let retain = ["retain", "fraud", "--keep", "1", "--days", "1"];
    let young = folder.run(700, &retain).await.unwrap();
    assert_eq!(young, "nothing of `fraud` has to go");
    let told = folder.run(100_000, &retain).await.unwrap();
    assert_eq!(told, "deleted 1 of 3 versions of `fraud`: 2");
    assert!(!folder.artifact(&second).exists());

    let unknown = folder
        .run(100_001, &["show", "fraud", "2"])
        .await
        .unwrap_err();
    assert!(
        unknown.contains("has no version `2`; there is 3 ("),
        "{unknown}"
    );
    let gone = folder
        .run(100_001, &["show", "fraud", &second.to_string()])
        .await;
    assert!(gone.unwrap_err().contains("it was deleted"));
    let file = folder.file("two.bin");
    fs::write(&file, b"two").unwrap();
    let again = ["register", "fraud", &file, "--feature", "amount"];
    let again = folder.run(100_001, &again).await.unwrap_err();
    assert!(again.contains("does not come back"), "{again}");
    let child = folder.run(100_001, &["show", "fraud", "3"]).await.unwrap();
    assert!(
        child.contains(&format!("{}, deleted", second.short())),
        "{child}"
    );
    let back = folder
        .run(100_001, &["rollback", "fraud"])
        .await
        .unwrap_err();
    assert!(
        back.contains("which was deleted; choose a version with --to"),
        "{back}"
    );
    let verified = folder.run(100_001, &["verify"]).await.unwrap();
    assert!(verified.starts_with("3 versions"), "{verified}");
}

#[tokio::test]
async fn a_damaged_or_missing_artifact_is_named_and_never_promoted() {
    let folder = Folder::new("damage");
    let first = folder.register("fraud", b"one", 100, &[]).await;
    let second = folder.register("fraud", b"two", 200, &[]).await;
    folder.run(300, &["promote", "fraud", "1"]).await.unwrap();
    fs::write(folder.artifact(&second), b"owt").unwrap();

    let promoted = folder
        .run(400, &["promote", "fraud", "2"])
        .await
        .unwrap_err();
    assert!(promoted.contains("version 2 is damaged"), "{promoted}");
    let signed = folder
        .run(400, &["sign", "fraud", "2", "--key", &folder.file("k.pem")])
        .await;
    assert!(signed.unwrap_err().contains("version 2 is damaged"));
    assert!(
        !Path::new(&folder.file("k.pem")).exists(),
        "no key was made"
    );
    fs::remove_file(folder.artifact(&first)).unwrap();
    let wrong = folder.run(400, &["verify"]).await.unwrap_err();
    assert!(wrong.starts_with("2 things are wrong"), "{wrong}");
    assert!(
        wrong.contains(&format!("{second} of `fraud` version 2 is damaged")),
        "{wrong}"
    );
    assert!(
        wrong.contains(&format!("{first} of `fraud` version 1 is missing")),
        "{wrong}"
    );

    // The same bytes again repair it.
    folder.register("fraud", b"two", 500, &[]).await;
    let told = folder.run(600, &["promote", "fraud", "2"]).await.unwrap();
    assert!(told.contains("points at version 2"), "{told}");
    let back = folder.run(700, &["rollback", "fraud"]).await.unwrap_err();
    assert!(back.contains("version 1 is missing"), "{back}");
}

#[tokio::test]
async fn a_changed_database_is_found() {
    let folder = Folder::new("tamper");
    folder
        .register("fraud", b"one", 100, &["--metric", "auc=0.75"])
        .await;
    let because = ["promote", "fraud", "1", "--because", "nobody looked"];
    folder.run(200, &because).await.unwrap();
    folder.run(300, &["verify"]).await.unwrap();

    patch(&folder.database(), b"nobody looked", b"review passed");
    let wrong = folder.run(300, &["verify"]).await.unwrap_err();
    assert!(wrong.contains("audit entry 1 was changed"), "{wrong}");
    patch(&folder.database(), b"\"auc\":0.75", b"\"auc\":0.95");
    let wrong = folder.run(300, &["verify", "fraud"]).await.unwrap_err();
    assert!(
        wrong.contains("`fraud` version 1 was changed after it was registered"),
        "{wrong}"
    );
}

#[tokio::test]
async fn a_move_that_the_audit_log_does_not_tell_of_is_found() {
    let folder = Folder::new("moved");
    let first = folder.register("fraud", b"one", 100, &[]).await;
    let second = folder.register("fraud", b"two", 200, &[]).await;
    folder.run(300, &["promote", "fraud", "1"]).await.unwrap();
    let model: ModelName = "fraud".parse().unwrap();
    let database = SqlDatabase::open(&folder.database()).await.unwrap();
    let registry = database.registry();
    let history = registry.alias_history(&model, &Alias::champion()).await;
    let token = history.unwrap().last().unwrap().token;
    let mut change = AliasMove {
        alias: "shadow".parse().unwrap(),
        from: None,
        to: Some(second),
        at: Timestamp::from_second(400).unwrap(),
        token,
    };
    registry.move_alias(&model, &change).await.unwrap();
    let noted = folder.run(500, &["verify"]).await.unwrap();
    assert!(
        noted.contains("move 1 of `shadow` of `fraud` is not in the audit log"),
        "{noted}"
    );
    (change.alias, change.from) = (Alias::champion(), Some(first));
    registry.move_alias(&model, &change).await.unwrap();
    database.close().await;
    let wrong = folder.run(500, &["verify"]).await.unwrap_err();
    assert!(
        wrong.contains("move 2 of `champion` of `fraud` is not the one in the audit log"),
        "{wrong}"
    );
}

#[tokio::test]
async fn what_others_wrote_cannot_forge_a_line() {
    let folder = Folder::new("forged");
    let text = "note=\u{1b}[2Kgood\nversion     9";
    folder
        .register("fraud", b"one", 100, &["--parameter", text])
        .await;
    let shown = folder.run(200, &["show", "fraud", "1"]).await.unwrap();
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    let versions = shown.lines().filter(|line| line.starts_with("version"));
    assert_eq!(versions.count(), 1, "{shown}");
    assert!(shown.contains("\\n"), "it is shown for what it is: {shown}");
}

#[tokio::test]
async fn signatures_hold_for_their_model_and_their_key_only() {
    let folder = Folder::new("sign");
    // Two models of the same bytes: a signature names its model.
    for model in ["churn", "fraud"] {
        folder.register(model, b"one", 100, &[]).await;
    }
    let (key, public) = (folder.file("signer.pem"), folder.file("signer.pub.pem"));
    let told = folder
        .run(200, &["sign", "fraud", "1", "--key", &key])
        .await
        .unwrap();
    assert!(told.contains("made the private key"), "{told}");
    #[cfg(unix)]
    {
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&key).unwrap().permissions());
        assert_eq!(mode & 0o077, 0, "only its owner may read a private key");
    }
    let check = ["verify", "--public-key", &public];
    let wrong = folder.run(300, &check).await.unwrap_err();
    assert!(wrong.contains("`churn` version 1 is not signed"), "{wrong}");
    let told = folder
        .run(300, &["sign", "churn", "1", "--key", &key])
        .await
        .unwrap();
    assert!(!told.contains("made the private key"), "{told}");
    folder.run(400, &check).await.unwrap();

    let signatures = folder.registry().join("signatures");
    let name = format!("{}.sig", Digest::of(b"one"));
    fs::copy(
        signatures.join("churn").join(&name),
        signatures.join("fraud").join(&name),
    )
    .unwrap();
    let wrong = folder.run(400, &check).await.unwrap_err();
    assert!(wrong.contains("signed under another name"), "{wrong}");
    // A process that was cut off between the two files of a key.
    fs::remove_file(&public).unwrap();
    let told = folder
        .run(450, &["sign", "fraud", "1", "--key", &key])
        .await
        .unwrap();
    assert!(told.contains("wrote the public key"), "{told}");
    folder.run(450, &check).await.unwrap();
    let other = folder.file("other.pem");
    folder
        .run(500, &["sign", "fraud", "1", "--key", &other])
        .await
        .unwrap();
    let wrong = folder.run(500, &check).await.unwrap_err();
    assert!(wrong.contains("signed by another key"), "{wrong}");
    fs::remove_file(&key).unwrap();
    let kept = folder
        .run(600, &["sign", "fraud", "1", "--key", &key])
        .await
        .unwrap_err();
    assert!(
        kept.contains("signer.pub.pem"),
        "a published key is not replaced: {kept}"
    );
}

#[tokio::test]
async fn whoever_does_not_hold_the_lease_changes_nothing() {
    let folder = Folder::new("lease");
    folder.register("fraud", b"one", 100, &[]).await;
    let database = SqlDatabase::open(&folder.database()).await.unwrap();
    let (name, now) = (
        "registry".parse().unwrap(),
        Timestamp::from_second(200).unwrap(),
    );
    let minute = Duration::from_secs(60);
    let leases = database.leases();
    let held = leases.acquire(&name, "somebody", now, minute).await;
    held.unwrap();
    let refused = folder
        .run(210, &["promote", "fraud", "1"])
        .await
        .unwrap_err();
    assert!(
        refused.contains("another holds it") && refused.contains("somebody"),
        "{refused}"
    );
    folder.run(260, &["promote", "fraud", "1"]).await.unwrap();
    database.close().await;
}
