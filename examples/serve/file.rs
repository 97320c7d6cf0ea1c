//! From a file to a model in service.

use std::path::Path;
use std::sync::Arc;

use noops_core::{Clock, Contract, Digest, ModelName, ModelVersion, Registration, SystemClock};
use noops_serve::model::file::{FileLoader, ModelFormat};
use noops_serve::model::ort::OrtLibrary;
use noops_serve::{Deployment, DeploymentSettings, ServedModel, ServingSettings};

use crate::failure::{Failure, fail};

/// Reads model files.
#[derive(Debug)]
pub(crate) struct Files {
    loader: FileLoader,
    clock: Arc<dyn Clock>,
}

/// A model that is ready to answer, and how its file was written.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) model: Arc<ServedModel>,
    pub(crate) format: ModelFormat,
}

impl Files {
    pub(crate) fn new(library: Option<&Path>) -> Result<Self, Failure> {
        let loader = FileLoader::new();
        let loader = match library {
            Some(path) => loader.with_onnx_runtime(OrtLibrary::load(path)?),
            None => loader,
        };
        Ok(Self {
            loader,
            clock: Arc::new(SystemClock),
        })
    }

    /// Loads a file as a numbered version of a model, under its own contract unless there is another.
    pub(crate) fn open(
        &self,
        path: &Path,
        name: &ModelName,
        number: u64,
        contract: Option<&Contract>,
    ) -> Result<Opened, Failure> {
        let bytes = std::fs::read(path)
            .map_err(|error| fail(format!("cannot read `{}`: {error}", path.display())))?;
        let wrong = |error: noops_core::Error| {
            fail(format!("`{}`: {}", path.display(), Failure::from(error)))
        };
        let file = self.loader.read(&bytes).map_err(wrong)?;
        let format = file.format();
        let contract = contract.or(file.contract()).cloned().ok_or_else(|| {
            fail(format!(
                "`{}` does not say which texts it reads; give `--contract FILE`",
                path.display()
            ))
        })?;
        let executor = file.into_executor_for(&contract).map_err(wrong)?;
        let now = self.clock.now();
        let registration = Registration::new(name.clone(), Digest::of(&bytes), contract, now);
        let version = ModelVersion::new(number, registration);
        let settings = ServingSettings::default();
        let model = ServedModel::with_settings(version, executor, &settings, self.clock.clone());
        Ok(Opened {
            model: model.map_err(wrong)?,
            format,
        })
    }

    /// Puts a model into service.
    pub(crate) fn deployment(&self, champion: Arc<ServedModel>) -> Deployment {
        let settings = DeploymentSettings::default();
        Deployment::new(champion, self.clock.clone(), &settings)
    }
}

impl Opened {
    /// What a person is told of it.
    pub(crate) fn told(&self) -> String {
        format!(
            "{}, batches of up to {} rows",
            self.format,
            self.model.batch_invariant_up_to()
        )
    }
}

/// The name of a model by its file.
pub(crate) fn name_of(path: &Path) -> Result<ModelName, Failure> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.parse().map_err(|error| {
        fail(format!(
            "`{}` cannot be the name of a model: {error}; give `--name NAME=FILE`",
            path.display()
        ))
    })
}
