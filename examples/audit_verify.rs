//! Checks an audit log from its directory alone: every entry, every hash, the signature, and a witness if there is one.
//!
//! ```text
//! cargo run --release --example audit_verify -- DIR
//! cargo run --release --example audit_verify -- DIR --public-key FILE --witness FILE --json
//! ```

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use noops_core::merkle::NoteVerifier;
use noops_core::{FileWitness, VerifiedLog, verify_directory};

/// Checks an audit log.
#[derive(Debug, Parser)]
#[command(name = "audit_verify")]
struct Arguments {
    /// The directory of the log
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The public key from somewhere you trust; without it the key beside the log is used, which whoever replaced the log could have replaced too
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// The newest checkpoint that a witness has seen
    #[arg(long, value_name = "FILE")]
    witness: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match verify(&arguments) {
        Ok(report) => {
            say(&report);
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            say_error(&sentence);
            ExitCode::FAILURE
        }
    }
}

fn verify(arguments: &Arguments) -> Result<String, String> {
    let beside = arguments.directory.join("public-key");
    let key = arguments.public_key.as_deref().unwrap_or(&beside);
    // Opening a pipe that somebody put beside the log would wait for ever.
    if key == beside && !beside.is_file() {
        return Err(format!(
            "{}: there is no such file; name the directory of a log, or its key with --public-key",
            beside.display()
        ));
    }
    let verifier = read_key(key)?;
    let witnessed = match &arguments.witness {
        None => None,
        Some(path) => {
            let seen = FileWitness::new(path, verifier.clone())
                .read()
                .map_err(|error| format!("{}: {error}", path.display()))?
                .ok_or_else(|| format!("{}: there is no such file", path.display()))?;
            Some(seen.checkpoint().clone())
        }
    };
    let log = verify_directory(&arguments.directory, &verifier, witnessed.as_ref())
        .map_err(|error| format!("{} does not verify: {error}", arguments.directory.display()))?;
    let witnessed = witnessed.map(|witnessed| witnessed.size());
    if arguments.json {
        Ok(as_json(&log, &verifier, witnessed))
    } else {
        Ok(as_text(&log, key, witnessed))
    }
}

fn read_key(path: &Path) -> Result<NoteVerifier, String> {
    let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut text = String::new();
    std::fs::File::open(path)
        .map_err(|error| fault(&error))?
        .take(MAX_KEY)
        .read_to_string(&mut text)
        .map_err(|error| fault(&error))?;
    NoteVerifier::parse(text.trim_end()).map_err(|error| fault(&error))
}

fn as_text(log: &VerifiedLog, key: &Path, witnessed: Option<u64>) -> String {
    let checkpoint = log.checkpoint().checkpoint();
    let mut lines = vec![
        format!("{} verifies", checkpoint.origin()),
        format!(
            "  entries    {} signed, {} in the journal",
            checkpoint.size(),
            log.journalled()
        ),
    ];
    if let (Some(first), Some(last)) = (log.entries().first(), log.entries().last()) {
        lines.push(format!(
            "  time       {} to {}",
            first.record.at, last.record.at
        ));
    }
    for (kind, count) in kinds(log) {
        lines.push(format!("  kind       {count} {kind}"));
    }
    lines.push(format!("  head       {}", log.head()));
    lines.push(format!("  root       {}", checkpoint.root()));
    lines.push(format!("  key        {}", key.display()));
    lines.push(match witnessed {
        Some(size) => format!("  witness    continues the {size} entries that were witnessed"),
        None => "  witness    none: that the log was put back to an earlier state would not show"
            .to_owned(),
    });
    for path in log.strays() {
        lines.push(format!("  stray      {path}"));
    }
    lines.join("\n")
}

fn as_json(log: &VerifiedLog, verifier: &NoteVerifier, witnessed: Option<u64>) -> String {
    let checkpoint = log.checkpoint().checkpoint();
    serde_json::json!({
        "origin": checkpoint.origin(),
        "signed": checkpoint.size(),
        "journalled": log.journalled(),
        "kinds": kinds(log),
        "head": log.head().to_string(),
        "root": checkpoint.root().to_string(),
        "key": verifier.to_string(),
        "witnessed": witnessed,
        "strays": log.strays(),
    })
    .to_string()
}

fn kinds(log: &VerifiedLog) -> BTreeMap<&str, u64> {
    let mut kinds = BTreeMap::new();
    for entry in log.entries() {
        *kinds.entry(entry.record.kind.as_str()).or_insert(0) += 1;
    }
    kinds
}

#[expect(clippy::print_stdout, reason = "a program speaks to its user")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a program speaks to its user")]
fn say_error(text: &str) {
    eprintln!("audit_verify: {text}");
}

/// A key is one line.
const MAX_KEY: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use noops_core::merkle::NoteSigner;
    use noops_core::{AuditLog, AuditRecord, FencingToken, TileLog, TileLogSettings, Timestamp};

    use super::*;

    #[tokio::test]
    async fn a_whole_log_is_reported_and_a_changed_one_is_refused_in_one_sentence() {
        let directory =
            std::env::temp_dir().join(format!("noops-audit-verify-{}", std::process::id()));
        std::fs::remove_dir_all(&directory).ok();
        let signer = NoteSigner::generate("example.com/models").unwrap();
        let log = TileLog::open(&directory, signer, TileLogSettings::default())
            .await
            .unwrap();
        let record = AuditRecord {
            key: "promote/1".into(),
            at: Timestamp::UNIX_EPOCH,
            kind: "promote".into(),
            body: serde_json::json!({ "to": 1 }),
            token: FencingToken::NONE,
        };
        log.append(record).await.unwrap();
        log.close().await.unwrap();
        let mut arguments = Arguments {
            directory: directory.clone(),
            public_key: None,
            witness: None,
            json: false,
        };
        let report = verify(&arguments).unwrap();
        assert!(report.contains("1 signed, 0 in the journal"), "{report}");
        assert!(report.contains("1 promote"), "{report}");
        arguments.json = true;
        let report: serde_json::Value = serde_json::from_str(&verify(&arguments).unwrap()).unwrap();
        assert_eq!(report["signed"], 1);

        let bundle = directory.join("tile/entries/000.p/1");
        let text = std::fs::read_to_string(&bundle).unwrap();
        std::fs::write(&bundle, text.replace("\"to\":1", "\"to\":2")).unwrap();
        let sentence = verify(&arguments).unwrap_err();
        assert!(sentence.contains("does not verify"), "{sentence}");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
