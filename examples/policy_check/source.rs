//! Texts of files and folders.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::problem::Problem;

/// A file that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Source {
    /// Reads a file that a person wrote.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        Self::read_up_to(path, MOST_BYTES)
    }

    /// Reads a file of at most so many bytes.
    pub(crate) fn read_up_to(path: &Path, most: u64) -> Result<Self, Problem> {
        let name = path.display().to_string();
        if path.is_dir() {
            return Err(Problem::of_file(name, "it is a folder; name a file in it"));
        }
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(most + 1).read_to_string(&mut text))
            .map_err(|error| Problem::of_file(name.as_str(), format!("cannot read it: {error}")))?;
        if text.len() as u64 > most {
            return Err(Problem::of_file(
                name,
                format!("it has more than `{most}` bytes; split it"),
            ));
        }
        Ok(Self { name, text })
    }
}

/// The policy documents among files and folders, and what could not be read.
pub(crate) fn documents(paths: &[PathBuf]) -> (Vec<Source>, Vec<Problem>) {
    let mut sources: Vec<Source> = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for path in paths {
        let files = if path.is_dir() {
            in_folder(path)
        } else {
            Ok(vec![path.clone()])
        };
        match files {
            Ok(files) => {
                for file in files {
                    match Source::read(&file) {
                        Ok(source) => sources.push(source),
                        Err(problem) => problems.push(problem),
                    }
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    // A file that is named, and is in a folder that is named too, is there once.
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    sources.dedup_by(|a, b| a.name == b.name);
    (sources, problems)
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let shown = folder.display();
    let cannot = |error: std::io::Error| {
        Problem::of_file(
            shown.to_string(),
            format!("cannot read the folder: {error}"),
        )
    };
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.is_file() && is_policy(&path) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Problem::of_file(
            shown.to_string(),
            "no policy is in the folder; name one with files that end in `.yaml` or `.yml`",
        ));
    }
    files.sort();
    Ok(files)
}

fn is_policy(path: &Path) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
    is_yaml && !name.ends_with(".schema.yaml") && !name.ends_with(".schema.yml")
}

const MOST_BYTES: u64 = 4 << 20;
