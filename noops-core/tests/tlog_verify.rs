//! A directory of ours is what C2SP `tlog-tiles` describes: a verifier that knows nothing of us says so.
//!
//! `NOOPS_TLOG_VERIFY` is the program to run, such as `scripts/tlog-verify`. Without it the tests print that they were skipped; in
//! CI they fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use noops_core::merkle::NoteSigner;
use noops_core::{AuditRecord, FencingToken, TileLog, TileLogSettings, Timestamp};

#[tokio::test]
async fn an_independent_verifier_accepts_logs_of_every_shape() {
    let Some(tool) = Tool::find() else { return };
    // Nothing, a partial tile, a full one, one more, and many under a second level; the last grown in steps that leave partial tiles behind.
    for (size, group) in [(0, 1), (1, 1), (256, 256), (257, 257), (5000, 999)] {
        let log = Log::write(size, group).await;
        let verified = tool.verify(&log.directory);
        assert!(verified.status.success(), "{size}: {verified:?}");
        let says = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert_eq!(says.trim_end(), format!("verified {size} entries"));
    }
}

#[tokio::test]
async fn an_independent_verifier_refuses_what_was_tampered_with() {
    let Some(tool) = Tool::find() else { return };
    let log = Log::write(300, 300).await;
    for name in [
        "checkpoint",
        "tile/entries/000",
        "tile/entries/001.p/44",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
    ] {
        let path = log.directory.join(name);
        let honest = fs::read(&path).unwrap();
        let mut changed = honest.clone();
        // Within a line of the checkpoint, an entry, a hash.
        changed[24] ^= 1;
        fs::write(&path, &changed).unwrap();
        let refused = tool.verify(&log.directory);
        assert!(!refused.status.success(), "{name}: {refused:?}");
        fs::remove_file(&path).unwrap();
        let refused = tool.verify(&log.directory);
        assert!(!refused.status.success(), "{name} is missing: {refused:?}");
        fs::write(&path, &honest).unwrap();
    }
    let verified = tool.verify(&log.directory);
    assert!(verified.status.success(), "{verified:?}");
    // The checkpoint of another log of this name, signed with another key.
    let other = Log::write(300, 300).await;
    fs::copy(
        other.directory.join("checkpoint"),
        log.directory.join("checkpoint"),
    )
    .unwrap();
    assert!(!tool.verify(&log.directory).status.success());
}

/// The other verifier.
struct Tool(OsString);

impl Tool {
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn find() -> Option<Self> {
        let program = std::env::var_os("NOOPS_TLOG_VERIFY").filter(|program| !program.is_empty());
        if program.is_none() {
            assert!(
                std::env::var_os("CI").is_none(),
                "set NOOPS_TLOG_VERIFY to the program `scripts/tlog-verify`"
            );
            eprintln!("skipped: NOOPS_TLOG_VERIFY is not set");
        }
        program.map(Self)
    }

    fn verify(&self, directory: &Path) -> Output {
        Command::new(&self.0)
            .arg(directory)
            .arg(directory.join("public-key"))
            .output()
            .expect("NOOPS_TLOG_VERIFY names a program that can be run")
    }
}

/// The directory of a log that was closed, removed when the test ends.
struct Log {
    directory: PathBuf,
}

impl Log {
    async fn write(size: u64, group: u64) -> Self {
        let signer = NoteSigner::generate("example.com/models").unwrap();
        let name = format!(
            "noops-tlog-verify-{size}-{:08x}-{}",
            signer.verifier().key_id(),
            std::process::id()
        );
        let directory = std::env::temp_dir().join(name);
        let log = TileLog::open(&directory, signer, TileLogSettings::default())
            .await
            .unwrap();
        for first in (0..size).step_by(group as usize) {
            let numbers = first..size.min(first + group);
            log.append_all(numbers.map(record).collect()).await.unwrap();
            log.checkpoint().await.unwrap();
        }
        let closed = log.close().await.unwrap();
        assert_eq!(closed.checkpoint().size(), size);
        Self { directory }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.directory));
    }
}

fn record(number: u64) -> AuditRecord {
    // One is too long for a leaf, which then carries the digest of its body.
    let notes = "a long story ".repeat(if number == 7 { 6000 } else { 1 });
    AuditRecord {
        key: format!("event/{number}"),
        at: Timestamp::from_second(number as i64).unwrap(),
        kind: "promote".into(),
        body: serde_json::json!({ "to": number, "notes": notes }),
        token: FencingToken::NONE,
    }
}
