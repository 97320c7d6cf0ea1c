//! The files of a model directory.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{file, path};
use crate::error::{Error, ErrorKind};

/// A file of the directory: the name a manifest gives it, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// What is left out: paths below the directory, with everything below them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ignored(BTreeSet<PathBuf>);

impl Ignored {
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(PathBuf::from).collect())
    }

    fn covers(&self, relative: &Path) -> bool {
        relative.ancestors().any(|path| self.0.contains(path))
    }
}

/// All files below a directory in the order of the format: by path component.
///
/// A symbolic link or a special file is refused wherever it is, as the reference does: also below an ignored path. A file in
/// `always` is not left out even if it is ignored, because it was signed.
pub(super) fn files(
    root: &Path,
    ignored: &Ignored,
    always: &BTreeSet<&str>,
    operation: &'static str,
) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    // Directories yet to read, relative to the root: a stack, because nesting is as deep as somebody made it.
    let mut pending = vec![PathBuf::new()];
    while let Some(relative) = pending.pop() {
        let directory = root.join(&relative);
        let failed = |source| file::io_error(operation, &directory, source);
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let relative = relative.join(entry.file_name());
            if kind.is_symlink() {
                return Err(refuse(
                    "a symbolic link cannot be signed: put the file in its place",
                    &relative,
                    operation,
                ));
            } else if kind.is_dir() {
                pending.push(relative);
            } else if !kind.is_file() {
                return Err(refuse(
                    "neither a file nor a directory: remove it",
                    &relative,
                    operation,
                ));
            } else {
                let name = path::name_of(&relative);
                let signed = name.as_deref().is_some_and(|name| always.contains(name));
                if ignored.covers(&relative) && !signed {
                    continue;
                }
                let Some(name) = name else {
                    return Err(refuse(
                        "the name of the file is not portable: rename it",
                        &relative,
                        operation,
                    ));
                };
                let path = entry.path();
                found.push(Found { name, path });
            }
        }
    }
    found.sort_by(|one, other| one.name.split('/').cmp(other.name.split('/')));
    Ok(found)
}

/// A directory without a trailing slash, which would make the system follow a link.
pub(super) fn root(directory: &Path, operation: &'static str) -> Result<PathBuf, Error> {
    let root: PathBuf = directory.components().collect();
    let metadata = fs::symlink_metadata(&root)
        .map_err(|source| file::io_error(operation, directory, source))?;
    if metadata.is_symlink() {
        let message = "the model directory is a symbolic link: name the directory itself";
        return Err(refuse(message, directory, operation));
    }
    if !metadata.is_dir() {
        let message = "the model is not a directory: use `sign_artifact` and `verify_artifact`";
        return Err(refuse(message, directory, operation));
    }
    Ok(root)
}

fn refuse(message: &str, path: &Path, operation: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, operation, message)
        .with("file", path.to_string_lossy().escape_debug())
}
