//! A folder of models that clients may load and unload.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use noops_core::{Error, ErrorKind, ModelName};
use noops_serve::protocol::Repository;
use noops_serve::{Deployment, Runtime};

use crate::failure::{Failure, fail};
use crate::file::Files;

/// The files of a folder by the names of their models. The folder is looked at again whenever somebody asks.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    files: Arc<Files>,
    /// Every loading makes a version of its own, so that a client sees whether the file was read anew.
    next_number: AtomicU64,
}

impl Folder {
    pub(crate) fn open(path: &Path, files: Arc<Files>) -> Result<Self, Failure> {
        let folder = Self {
            path: path.to_owned(),
            files,
            next_number: AtomicU64::new(1),
        };
        folder
            .list()
            .map_err(|error| fail(format!("cannot read `{}`: {error}", path.display())))?;
        Ok(folder)
    }

    /// Puts all models into service that are not in it yet, and says what each is.
    pub(crate) fn deploy_all(&self, runtime: &Runtime) -> Result<Vec<String>, Failure> {
        let listed = self
            .list()
            .map_err(|error| fail(format!("cannot read `{}`: {error}", self.path.display())))?;
        let mut lines = Vec::new();
        for (name, path) in listed {
            if runtime.deployment(name.as_str()).is_some() {
                return Err(fail(format!(
                    "`{}` has a model `{name}`, and so has the command line; give one of them another name",
                    self.path.display()
                )));
            }
            let opened = self.files.open(&path, &name, self.number(), None)?;
            lines.push(format!("{name} ({})", opened.told()));
            let deployment = self.files.deployment(opened.model);
            runtime.deploy(name, Arc::new(deployment))?;
        }
        Ok(lines)
    }

    /// Files whose names, without the ending, can be names of models; of two that differ by the ending alone, the first.
    fn list(&self) -> std::io::Result<BTreeMap<ModelName, PathBuf>> {
        let entries = std::fs::read_dir(&self.path)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = entries.collect::<Result<Vec<_>, _>>()?;
        paths.sort();
        let mut found = BTreeMap::new();
        for path in paths.into_iter().filter(|path| path.is_file()) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            if let Ok(name) = stem.parse() {
                found.entry(name).or_insert(path);
            }
        }
        Ok(found)
    }

    fn number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }
}

#[async_trait]
impl Repository for Folder {
    fn names(&self) -> Vec<String> {
        // A folder that cannot be read now has nothing to load now.
        let listed = self.list().unwrap_or_default();
        listed.into_keys().map(|name| name.to_string()).collect()
    }

    async fn load(&self, model: &str) -> Result<Arc<Deployment>, Error> {
        let refused = |kind, message: &str| {
            Error::new(kind, "load a model of the repository", message).with("model", model)
        };
        // The name never becomes part of a path: only what the listing has found is read.
        let listed = self.list().map_err(|error| {
            refused(ErrorKind::Unavailable, "the folder cannot be read").caused_by(error)
        })?;
        let found = listed.into_iter().find(|(name, _)| name.as_str() == model);
        let (name, path) = found
            .ok_or_else(|| refused(ErrorKind::NotFound, "the folder has no file of this name"))?;
        let (files, number) = (self.files.clone(), self.number());
        // Reading and probing take long enough to be in the way of answers.
        let opened = tokio::task::spawn_blocking(move || {
            let opened = files.open(&path, &name, number, None);
            opened.map(|opened| files.deployment(opened.model))
        });
        match opened.await {
            Ok(Ok(deployment)) => Ok(Arc::new(deployment)),
            Ok(Err(failure)) => Err(refused(ErrorKind::Invalid, &failure.to_string())),
            Err(_) => Err(refused(ErrorKind::Corrupt, "loading the file panicked")),
        }
    }
}
