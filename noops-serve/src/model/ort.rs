//! ONNX models by the ONNX Runtime of the host.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ::ort::environment::Environment;
use ::ort::session::Session;
use ::ort::session::builder::PrepackedWeights;
use ::ort::value::{Outlet, TensorElementType, TensorRef};
use noops_core::{Batch, Error, ErrorKind, Executor, Scores};

use super::batching::Batching;

/// The ONNX Runtime of the host, loaded at run time from its shared library.
///
/// Nothing is bundled and nothing is linked: without the library everything else works. A process has one, which is loaded once and stays.
#[derive(Clone)]
pub struct OrtLibrary {
    environment: Environment,
    path: Arc<Path>,
}

impl OrtLibrary {
    /// The environment variable that names the library.
    pub const VARIABLE: &str = "ORT_DYLIB_PATH";

    /// Loads the shared library at a path.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no file, `Invalid` when it is no ONNX Runtime of a version that is understood, and `Conflict` when the
    /// process has loaded another.
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let failed = |kind, message| {
            Error::new(kind, "load ONNX Runtime", message).with("path", path.display())
        };
        if !path.is_file() {
            return Err(failed(ErrorKind::NotFound, "there is no such file"));
        }
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = &*loaded {
            if *library.path == *path {
                return Ok(library.clone());
            }
            let error = failed(
                ErrorKind::Conflict,
                "the process has loaded another one, and can have but one",
            );
            return Err(error.with("loaded", library.path.display()));
        }
        let unusable = |error: String| {
            failed(
                ErrorKind::Invalid,
                "the library is no ONNX Runtime that can be used",
            )
            .caused_by(error)
        };
        let builder = ::ort::init_from(&path).map_err(|error| unusable(error.to_string()))?;
        // The host has not agreed to send anything anywhere.
        let environment = builder.with_name("noops").with_telemetry(false).build();
        let environment = environment.map_err(|error| unusable(error.to_string()))?;
        let library = Self {
            environment,
            path: path.into(),
        };
        *loaded = Some(library.clone());
        Ok(library)
    }

    /// Loads the shared library that the environment variable [`VARIABLE`](Self::VARIABLE) names.
    ///
    /// # Errors
    ///
    /// `NotFound` when the variable is not set, and otherwise as [`load`](Self::load).
    pub fn from_environment() -> Result<Self, Error> {
        let path = std::env::var_os(Self::VARIABLE).ok_or_else(|| {
            let message = "set the variable to the path of its shared library";
            Error::new(ErrorKind::NotFound, "load ONNX Runtime", message)
                .with("variable", Self::VARIABLE)
        })?;
        Self::load(path)
    }

    /// Where the library was loaded from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for OrtLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrtLibrary")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// An ONNX model run by the host's ONNX Runtime, in the caller's thread.
///
/// The model has one input of single-precision numbers, whose first dimension is the batch: a row is [`Batch::dense`], read in the shape
/// of the other dimensions. The scores are its first output of single-precision numbers; labels, and probabilities as maps, are passed
/// over (`zipmap=False` has them as numbers).
///
/// Rows go to the runtime as [`batching`](Self::batching) says. A replica is a session of its own, and shares the weights that the
/// runtime has packed.
pub struct OrtModel {
    model: Arc<Model>,
    session: Session,
    scratch: Vec<f32>,
}

impl OrtModel {
    /// Loads an ONNX model and probes how it must be batched.
    ///
    /// # Errors
    ///
    /// `Corrupt` for bytes that the runtime does not load; `Invalid` for a model that does not have one input of numbers with known
    /// sizes but for the first, or no output of numbers.
    pub fn from_bytes(library: &OrtLibrary, bytes: &[u8]) -> Result<Self, Error> {
        let weights = PrepackedWeights::new();
        let mut session = session(library, &weights, bytes)
            .map_err(|error| corrupt("ONNX Runtime does not load the model").caused_by(error))?;
        let input = Input::of(session.inputs())?;
        let output = session
            .outputs()
            .iter()
            .find(|output| output.dtype().tensor_type() == Some(TensorElementType::Float32));
        let output =
            output.ok_or_else(|| invalid("the model has no output of single-precision numbers"))?;
        let output = output.name().to_owned();
        let batching = Batching::probe(input.fixed, input.columns, |values, rows| {
            run(&mut session, &input.shape, &output, values, rows)
        })?;
        let model = Model {
            library: library.clone(),
            bytes: bytes.into(),
            weights,
            columns: input.columns,
            shape: input.shape,
            output,
            batching,
        };
        Ok(Self {
            model: Arc::new(model),
            session,
            scratch: Vec::new(),
        })
    }

    /// How many numbers a row has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.model.columns
    }

    /// How rows reach ONNX Runtime.
    #[must_use]
    pub fn batching(&self) -> Batching {
        self.model.batching
    }
}

impl Executor for OrtModel {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        if batch.rows() == 0 {
            return Scores::new(1, Vec::new());
        }
        let Self {
            model,
            session,
            scratch,
        } = self;
        let values = batch.dense(scratch);
        if model.columns.checked_mul(batch.rows()) != Some(values.len()) {
            let error = Error::new(
                ErrorKind::Invalid,
                "run a model",
                "the batch has other columns than the model",
            );
            return Err(error
                .with("columns expected", model.columns)
                .with("columns given", batch.kinds().len()));
        }
        let scores = model
            .batching
            .run(values, batch.rows(), model.columns, |values, rows| {
                run(session, &model.shape, &model.output, values, rows)
            })?;
        let width = scores.len().checked_div(batch.rows()).unwrap_or(0);
        Scores::new(width, scores)
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        let model = self.model.clone();
        let session = session(&model.library, &model.weights, &model.bytes).ok()?;
        Some(Box::new(Self {
            model,
            session,
            scratch: Vec::new(),
        }))
    }
}

impl fmt::Debug for OrtModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrtModel")
            .field("columns", &self.model.columns)
            .field("output", &self.model.output)
            .field("batching", &self.model.batching)
            .finish_non_exhaustive()
    }
}

/// What replicas share.
struct Model {
    library: OrtLibrary,
    bytes: Arc<[u8]>,
    weights: PrepackedWeights,
    columns: usize,
    /// The dimensions behind the batch.
    shape: Vec<usize>,
    output: String,
    batching: Batching,
}

/// What the model says of its input.
struct Input {
    fixed: Option<NonZeroUsize>,
    columns: usize,
    shape: Vec<usize>,
}

impl Input {
    fn of(inputs: &[Outlet]) -> Result<Self, Error> {
        let [input] = inputs else {
            return Err(invalid("the model must have one input").with("inputs", inputs.len()));
        };
        let wrong = || {
            invalid("the input must be single-precision numbers of known sizes but for the first")
                .with("input", format!("{:?}", input.dtype()))
        };
        let shape = input.dtype().tensor_shape().ok_or_else(wrong)?;
        if input.dtype().tensor_type() != Some(TensorElementType::Float32) {
            return Err(wrong());
        }
        let (batch, rest) = shape.split_first().ok_or_else(wrong)?;
        let sizes: Result<Vec<usize>, _> = rest.iter().map(|size| usize::try_from(*size)).collect();
        let shape = sizes.map_err(|_| wrong())?;
        let columns = shape
            .iter()
            .try_fold(1_usize, |product, size| product.checked_mul(*size));
        let columns = columns
            .filter(|columns| (1..=WIDEST).contains(columns))
            .ok_or_else(wrong)?;
        let fixed = match usize::try_from(*batch) {
            Err(_) => None,
            Ok(rows) if rows <= WIDEST / columns => {
                Some(NonZeroUsize::new(rows).ok_or_else(wrong)?)
            }
            Ok(_) => return Err(wrong()),
        };
        Ok(Self {
            fixed,
            columns,
            shape,
        })
    }
}

/// A session that computes in the thread that calls it, because the serving runtime has its own.
fn session(
    library: &OrtLibrary,
    weights: &PrepackedWeights,
    bytes: &[u8],
) -> Result<Session, String> {
    let builder = Session::builder(&library.environment).map_err(|error| error.to_string())?;
    let builder = builder
        .with_intra_threads(1)
        .map_err(|error| error.to_string())?;
    let builder = builder
        .with_inter_threads(1)
        .map_err(|error| error.to_string())?;
    let builder = builder
        .with_prepacked_weights(weights)
        .map_err(|error| error.to_string())?;
    let mut builder = builder
        .with_intra_op_spinning(false)
        .map_err(|error| error.to_string())?;
    builder
        .commit_from_memory(bytes)
        .map_err(|error| error.to_string())
}

fn run(
    session: &mut Session,
    shape: &[usize],
    output: &str,
    values: &[f32],
    rows: usize,
) -> Result<Vec<f32>, Error> {
    let failed = |error: ::ort::Error| {
        let message = error.to_string();
        Error::new(ErrorKind::Unavailable, "run a model", "ONNX Runtime failed").caused_by(message)
    };
    let shape: Vec<usize> = std::iter::once(rows).chain(shape.iter().copied()).collect();
    let input = TensorRef::from_array_view((shape, values)).map_err(failed)?;
    let outputs = session.run(::ort::inputs![input]).map_err(failed)?;
    let Some(scores) = outputs.get(output) else {
        return Ok(Vec::new());
    };
    let (_, scores) = scores.try_extract_tensor::<f32>().map_err(failed)?;
    Ok(scores.to_vec())
}

fn corrupt(message: &str) -> Error {
    Error::new(ErrorKind::Corrupt, "load an ONNX model", message)
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "load an ONNX model", message)
}

/// The runtime allows one environment per process.
static LOADED: Mutex<Option<OrtLibrary>> = Mutex::new(None);

/// Numbers of an input at most: what the probe at load may allocate for a file that claims more than it has.
const WIDEST: usize = 1 << 22;

#[cfg(test)]
mod tests;
