//! Models from files of any format, recognised by what is in them.

mod contract;
mod format;
mod onnx;

use async_trait::async_trait;
use noops_core::{Contract, Error, ErrorKind, Executor, FeatureKind, ModelLoader, ModelVersion};

use super::mlp::Mlp;
use super::onnx_ml::OnnxMlModel;
#[cfg(feature = "ort")]
use super::ort::OrtLibrary;
use super::tree::TreeModel;

pub use format::ModelFormat;

/// Reads a model file of any [`ModelFormat`] that the features of this crate have a reader for.
///
/// The same as [`FileLoader::read`] with the default loader.
///
/// # Errors
///
/// As [`FileLoader::read`].
///
/// # Examples
///
/// ```
/// use noops_core::{Batch, Column, Executor};
/// use noops_serve::model::file::{ModelFormat, load_file};
///
/// let text = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nobjective=regression\nfeature_names=age\n\n\
///     Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=40.5\ndecision_type=2\nleft_child=-1\nright_child=-2\n\
///     leaf_value=1.5 2.5\n\nend of trees\n";
/// let file = load_file(text.as_bytes())?;
/// assert_eq!(file.format(), ModelFormat::LightgbmText);
/// assert_eq!(file.contract().unwrap().rules()[0].feature().name(), "age");
/// let batch = Batch::new(vec![Column::Number(vec![30.0])])?;
/// assert_eq!(file.into_executor().run(&batch)?.values(), [1.5]);
/// # Ok::<(), noops_core::Error>(())
/// ```
pub fn load_file(bytes: &[u8]) -> Result<LoadedFile, Error> {
    FileLoader::new().read(bytes)
}

/// Loads model files of any format, for registries that hold more than one.
///
/// ONNX is run by this crate's classical operators where they suffice, and otherwise by tract where the feature `onnx` is on. ONNX
/// Runtime runs it only when a loader is given its library.
#[derive(Clone, Debug, Default)]
pub struct FileLoader {
    #[cfg(feature = "ort")]
    library: Option<OrtLibrary>,
}

impl FileLoader {
    /// A loader that needs nothing of the machine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs every ONNX file by an ONNX Runtime of the machine.
    #[cfg(feature = "ort")]
    #[must_use]
    pub fn with_onnx_runtime(mut self, library: OrtLibrary) -> Self {
        self.library = Some(library);
        self
    }

    /// Reads a model file.
    ///
    /// # Errors
    ///
    /// `Corrupt` for malformed bytes; `Invalid` for a format that is not recognised, for a model that is not supported, and where a
    /// feature of this crate is off that would read it, which the error names.
    ///
    /// # Complexity
    ///
    /// Linear in the bytes, and for ONNX two runs of one row.
    pub fn read(&self, bytes: &[u8]) -> Result<LoadedFile, Error> {
        let format = ModelFormat::detect(bytes)?;
        let model = match format {
            ModelFormat::Burnpack => Model::Mlp(burnpack(bytes)?),
            ModelFormat::Safetensors => Model::Mlp(Mlp::from_safetensors(bytes)?),
            ModelFormat::XgboostJson => Model::Tree(TreeModel::from_xgboost_json(bytes)?),
            ModelFormat::XgboostUbj => Model::Tree(TreeModel::from_xgboost_ubj(bytes)?),
            ModelFormat::LightgbmText => Model::Tree(TreeModel::from_lightgbm_text(bytes)?),
            ModelFormat::Onnx => self.onnx(bytes)?,
        };
        let contract = contract::implied(&model)?;
        Ok(LoadedFile {
            format,
            model,
            contract,
        })
    }

    #[cfg(feature = "ort")]
    fn onnx(&self, bytes: &[u8]) -> Result<Model, Error> {
        let Some(library) = &self.library else {
            return onnx::load(bytes);
        };
        let model = super::ort::OrtModel::from_bytes(library, bytes)?;
        Ok(Model::Network {
            columns: model.columns(),
            executor: Box::new(model),
        })
    }

    #[cfg(not(feature = "ort"))]
    fn onnx(&self, bytes: &[u8]) -> Result<Model, Error> {
        onnx::load(bytes)
    }
}

/// The contract of the version decides what the model is shown, see [`LoadedFile::into_executor_for`].
#[async_trait]
impl ModelLoader for FileLoader {
    async fn load(
        &self,
        version: &ModelVersion,
        artifact: &[u8],
    ) -> Result<Box<dyn Executor>, Error> {
        let file = self.read(artifact)?;
        file.into_executor_for(&version.registration().contract)
    }
}

/// A model as it was found in a file.
#[derive(Debug)]
pub struct LoadedFile {
    format: ModelFormat,
    model: Model,
    contract: Option<Contract>,
}

impl LoadedFile {
    /// How the file is written.
    #[must_use]
    pub fn format(&self) -> ModelFormat {
        self.format
    }

    /// The contract that the file implies: its features by the names that it has for them, or else `f0`, `f1` and so on, with numbers in
    /// any range; and as many outputs as it gives, of any size. A missing value is shown to tree ensembles, and to ONNX models that give
    /// finite scores for a row without values; elsewhere it is refused.
    ///
    /// `None` where the file leaves open what it reads: the categories of texts and embeddings, and the number of columns.
    #[must_use]
    pub fn contract(&self) -> Option<&Contract> {
        self.contract.as_ref()
    }

    /// The model, to be run on columns as the file has them.
    #[must_use]
    pub fn into_executor(self) -> Box<dyn Executor> {
        match self.model {
            Model::Tree(model) => Box::new(model),
            Model::Mlp(model) => Box::new(model),
            Model::Classical(model) => Box::new(*model),
            Model::Network { executor, .. } => executor,
        }
    }

    /// The model, to be run on the columns of a contract of the host's own: text inputs of an ONNX model read the categories of the
    /// contract.
    ///
    /// # Errors
    ///
    /// `Invalid` when the contract has other columns than the file, or has the file's features in another order, which would give wrong
    /// scores and no error.
    pub fn into_executor_for(self, contract: &Contract) -> Result<Box<dyn Executor>, Error> {
        contract::check(&self.model, contract)?;
        let Model::Classical(model) = self.model else {
            return Ok(self.into_executor());
        };
        let categories = contract.rules().iter().filter_map(|rule| {
            let FeatureKind::Category { categories } = rule.feature().kind() else {
                return None;
            };
            Some(categories.clone())
        });
        let texts = contract::reads_text(&model);
        let model = match texts {
            true => model.with_categories(categories.collect())?,
            false => *model,
        };
        Ok(Box::new(model))
    }
}

/// What can be read.
#[derive(Debug)]
enum Model {
    Tree(TreeModel),
    Mlp(Mlp),
    Classical(Box<OnnxMlModel>),
    /// A network that another library runs, on a matrix of numbers.
    #[cfg_attr(not(any(feature = "onnx", feature = "ort")), expect(dead_code))]
    Network {
        columns: usize,
        executor: Box<dyn Executor>,
    },
}

#[cfg(feature = "burn")]
fn burnpack(bytes: &[u8]) -> Result<Mlp, Error> {
    Mlp::from_burnpack(bytes)
}

#[cfg(not(feature = "burn"))]
fn burnpack(_: &[u8]) -> Result<Mlp, Error> {
    Err(invalid(
        "it is a burnpack file; turn on the feature `burn` of `noops-serve`, or save the model as safetensors",
    ))
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "load a model file", message)
}

#[cfg(test)]
mod tests;
