//! Signatures over all files of a directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::bundle::Bundle;
use super::key::{SigningKey, VerifyingKey};
use super::manifest::{Resource, SignedManifest};
use super::statement::Statement;
use super::walk::{self, Ignored};
use super::{SIGN, VERIFY, file, path};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// Signs all files below a directory and writes the signature, which may be in the directory.
///
/// Left out are the signature itself, `.git`, `.gitattributes`, `.github` and `.gitignore`, as the reference tool does. The
/// signature appears whole or not at all; an older signature at its place is replaced.
///
/// # Errors
///
/// * `NotFound` when there is no such directory.
/// * `Invalid` when it has no file, a symbolic link, a special file or a name that is not portable (not UTF-8, or with a
///   backslash), or when it has no name of its own.
/// * `Conflict` when the signature would replace a file that is no signature.
/// * `Unavailable` when the file system fails.
///
/// # Complexity
///
/// One pass over the content through a buffer of 1 MiB; memory is O(n) for n files, whatever their sizes.
pub fn sign_directory(
    directory: &Path,
    key: &SigningKey,
    signature: &Path,
) -> Result<SignedManifest, Error> {
    let root = walk::root(directory, SIGN)?;
    let model_name = model_name(&root)?;
    refuse_to_destroy(signature)?;
    let mut ignored_paths: Vec<String> = GIT_PATHS.iter().map(|&name| name.to_owned()).collect();
    ignored_paths.extend(name_inside(&root, signature, SIGN)?);
    ignored_paths.sort();
    ignored_paths.dedup();

    let ignored = Ignored::new(ignored_paths.iter().map(String::as_str));
    let mut resources = Vec::new();
    for found in walk::files(&root, &ignored, &BTreeSet::new(), SIGN)? {
        let digest = file::digest(&found.path, SIGN)?;
        resources.push(Resource::new(found.name, digest));
    }
    if resources.is_empty() {
        let error = Error::new(
            ErrorKind::Invalid,
            SIGN,
            "the directory has no file to sign",
        );
        return Err(error.with("directory", directory.display()));
    }
    let statement = Statement {
        model_name,
        resources,
        ignored_paths,
    };
    let bundle = Bundle::sign(&statement, key)?;
    file::replace(signature, &bundle.to_bytes(), SIGN)?;
    Ok(SignedManifest::new(
        statement.model_name,
        statement.resources,
        statement.ignored_paths,
        key.public_key().hint(),
    ))
}

/// Checks that a directory has exactly the files that a key signed.
///
/// First the signature, then that no file is missing or extra, then every digest. No path of the signature is ever opened: the
/// directory is listed, and what is found is looked up in the signature.
///
/// The files in git's own paths, and those that the signer left out, are not checked unless they were signed. The answer holds
/// for the moment: whoever can write to the directory can change it between the check and the use.
///
/// # Errors
///
/// * `NotFound` when the directory or the signature does not exist.
/// * `Invalid` when another key signed, when the directory has a symbolic link, a special file or a name that is not portable,
///   or when the signature uses a part of the format that is not supported.
/// * `Corrupt` when the signature is not valid, and when a file was changed, is missing or was not signed; the error names it.
/// * `Unavailable` when the file system fails.
///
/// # Complexity
///
/// One pass over the content through a buffer of 1 MiB; memory is O(n) for n files, whatever their sizes.
pub fn verify_directory(
    directory: &Path,
    key: &VerifyingKey,
    signature: &Path,
) -> Result<SignedManifest, Error> {
    let bytes = read_signature(signature, VERIFY)?;
    let in_file = |error: Error| error.with("signature", signature.display());
    let bundle = Bundle::from_bytes(&bytes).map_err(in_file)?;
    let statement = bundle.open(key).map_err(in_file)?;
    if statement.is_single_file() {
        let message = "the signature is over a single file: use `verify_artifact`";
        return Err(in_file(Error::new(ErrorKind::Corrupt, VERIFY, message)));
    }

    let root = walk::root(directory, VERIFY)?;
    let signature_name = name_inside(&root, signature, VERIFY)?;
    let ignored = Ignored::new(
        GIT_PATHS
            .iter()
            .copied()
            .chain(signature_name.as_deref())
            .chain(statement.ignored_paths.iter().map(String::as_str)),
    );
    let signed: BTreeMap<&str, Digest> = statement
        .resources
        .iter()
        .map(|resource| (resource.name(), resource.digest()))
        .collect();
    let always: BTreeSet<&str> = signed.keys().copied().collect();
    let found = walk::files(&root, &ignored, &always, VERIFY)?;

    let present: BTreeSet<&str> = found.iter().map(|found| found.name.as_str()).collect();
    if let Some(missing) = always.difference(&present).next() {
        return Err(corrupt("a signed file is missing", missing));
    }
    if let Some(extra) = present.difference(&always).next() {
        return Err(corrupt("a file was not signed", extra));
    }
    for found in &found {
        let digest = file::digest(&found.path, VERIFY)?;
        let expected = signed.get(found.name.as_str()).copied();
        if expected != Some(digest) {
            let error = corrupt("a file was changed after it was signed", &found.name);
            return Err(match expected {
                Some(expected) => error.with("signed", expected).with("found", digest),
                None => error.with("found", digest),
            });
        }
    }
    Ok(SignedManifest::new(
        statement.model_name,
        statement.resources,
        statement.ignored_paths,
        key.hint(),
    ))
}

/// The last component of the directory's path, which the signature carries for people.
fn model_name(root: &Path) -> Result<String, Error> {
    let whole;
    let name = match root.file_name() {
        Some(name) => Some(name),
        None => {
            whole = fs::canonicalize(root).map_err(|source| file::io_error(SIGN, root, source))?;
            whole.file_name()
        }
    };
    match name.and_then(|name| name.to_str()) {
        Some(name) => Ok(name.to_owned()),
        None => {
            let message =
                "the directory has no name in UTF-8: move the model into a named directory";
            Err(Error::new(ErrorKind::Invalid, SIGN, message).with("directory", root.display()))
        }
    }
}

/// The name of the signature in the directory, if it is there.
fn name_inside(
    root: &Path,
    signature: &Path,
    operation: &'static str,
) -> Result<Option<String>, Error> {
    let refuse = |message: &str| {
        Err(Error::new(ErrorKind::Invalid, operation, message)
            .with("signature", signature.display()))
    };
    let Some(name) = signature.file_name() else {
        return refuse("the path of the signature names no file");
    };
    let parent = file::directory_of(signature);
    let parent =
        fs::canonicalize(parent).map_err(|source| file::io_error(operation, parent, source))?;
    let root = fs::canonicalize(root).map_err(|source| file::io_error(operation, root, source))?;
    match parent.join(name).strip_prefix(&root) {
        Err(_) => Ok(None),
        Ok(relative) => match path::name_of(relative) {
            Some(name) => Ok(Some(name)),
            None => refuse("the name of the signature is not portable: choose another"),
        },
    }
}

/// A signature lies in a place that others may write to: opening a pipe that was put there would wait for ever.
fn read_signature(signature: &Path, operation: &'static str) -> Result<Vec<u8>, Error> {
    let metadata =
        fs::metadata(signature).map_err(|source| file::io_error(operation, signature, source))?;
    if !metadata.is_file() {
        let message = "the signature is no file: name the file of the signature";
        return Err(Error::new(ErrorKind::Invalid, operation, message)
            .with("signature", signature.display()));
    }
    let mut bytes = Vec::new();
    file::read_bounded(signature, Bundle::MAX_BYTES, &mut bytes, operation)?;
    Ok(bytes)
}

/// Stops a mistyped path from costing somebody a weights file.
fn refuse_to_destroy(signature: &Path) -> Result<(), Error> {
    match fs::metadata(signature) {
        Err(_) => return Ok(()),
        Ok(metadata) if metadata.len() == 0 && metadata.is_file() => return Ok(()),
        Ok(_) => {}
    }
    let read = read_signature(signature, SIGN);
    if read.is_ok_and(|bytes| Bundle::from_bytes(&bytes).is_ok()) {
        return Ok(());
    }
    let message = "a file that is no signature is in the place of the signature: move it away";
    Err(Error::new(ErrorKind::Conflict, SIGN, message).with("signature", signature.display()))
}

fn corrupt(message: &str, name: &str) -> Error {
    Error::new(ErrorKind::Corrupt, VERIFY, message).with("file", name.escape_debug())
}

/// What the reference tool ignores unless told otherwise.
const GIT_PATHS: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];
