//! A specification in YAML.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use noops_canary::judge::JudgeSpec;

use crate::failure::{Failure, fail};

/// Reads what is compared, and how surely.
pub(crate) fn read(path: &Path) -> Result<JudgeSpec, Failure> {
    let shown = path.display();
    if path.is_dir() {
        return Err(fail(format!("`{shown}` is a folder; name a file in it")));
    }
    let mut yaml = String::new();
    File::open(path)
        .and_then(|file| file.take(MOST_YAML + 1).read_to_string(&mut yaml))
        .map_err(|error| fail(format!("cannot read `{shown}`: {error}")))?;
    if yaml.trim().is_empty() {
        return Err(fail(format!("`{shown}` is empty")));
    }
    if yaml.len() as u64 > MOST_YAML {
        return Err(fail(format!(
            "`{shown}` has more than `{MOST_YAML}` bytes; a specification has less"
        )));
    }
    serde_saphyr::from_str(&yaml).map_err(|error| {
        let text = error.without_snippet().to_string();
        let problem = text.lines().next().unwrap_or_default().trim();
        let line = error
            .location()
            // Where the parser says it already, once is enough.
            .filter(|location| location.line() > 0 && !problem.contains(" at line "))
            .map(|location| format!(" at line {}", location.line()))
            .unwrap_or_default();
        fail(format!("cannot use `{shown}`{line}: {problem}"))
    })
}

const MOST_YAML: u64 = 1 << 20;
