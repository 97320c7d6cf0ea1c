//! Neural ONNX models in pure Rust, by tract.

use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use noops_core::{Batch, Error, ErrorKind, Executor, Scores};
use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModelExt, IntoRunnable, IntoTValue, SymbolScope,
    TDim, TVec, Tensor, ToDim, TractResult, TypedSimplePlan, TypedSimpleState, tvec,
};
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::DimLike;

use super::batching::Batching;

/// An ONNX model of dense, convolutional or recurrent layers, run by tract.
///
/// The model has one input of single-precision numbers, whose first dimension is the batch: a row is [`Batch::dense`], read in the shape
/// of the other dimensions. The scores are its first output of floating-point numbers. The first dimension may be open or fixed.
///
/// Rows go to tract as [`batching`](Self::batching) says. Replicas share the plan and its weights.
///
/// # Limits
///
/// tract keeps no promise not to panic on malformed files. A panic while loading is caught and reported as `Corrupt`, which needs the
/// default of unwinding; one while running is caught by the runtime as any executor's.
pub struct TractModel {
    plan: Arc<Plan>,
    state: TypedSimpleState,
    scratch: Vec<f32>,
}

impl TractModel {
    /// Loads an ONNX model, optimises it and probes how it must be batched.
    ///
    /// # Errors
    ///
    /// `Corrupt` for bytes that are no ONNX model; `Invalid` for a model that tract does not support, or that does not have one input of
    /// numbers with known sizes but for the first.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let loaded = catch_unwind(AssertUnwindSafe(|| Self::load(bytes)));
        loaded.unwrap_or_else(|_| Err(corrupt("tract panicked on the model")))
    }

    /// How many numbers a row has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.plan.columns
    }

    /// How rows reach tract.
    #[must_use]
    pub fn batching(&self) -> Batching {
        self.plan.batching
    }

    fn load(bytes: &[u8]) -> Result<Self, Error> {
        let malformed = |error| corrupt("the bytes are no ONNX model").caused_by(text(&error));
        let onnx = tract_onnx::onnx();
        let proto = onnx.proto_model_for_read(&mut &*bytes).map_err(malformed)?;
        if proto.graph.is_none() {
            return Err(corrupt("the ONNX model has no graph"));
        }
        let unsupported =
            |error| invalid("tract does not support the model").caused_by(text(&error));
        let model = onnx.model_for_proto_model(&proto).map_err(unsupported)?;
        let inputs = model.input_outlets().map_err(unsupported)?.len();
        if inputs != 1 {
            return Err(invalid("the model must have one input").with("inputs", inputs));
        }
        let fact = model.input_fact(0).map_err(unsupported)?;
        let input = Input::of(fact)?;
        let fact = input.fact(&model.symbols);
        let model = model.with_input_fact(0, fact).map_err(unsupported)?;
        let mut model = model.into_typed().map_err(unsupported)?;
        let outputs = model.output_outlets().map_err(unsupported)?.to_vec();
        let scores = outputs.into_iter().find(|outlet| {
            let fact = model.outlet_fact(*outlet);
            fact.is_ok_and(|fact| fact.datum_type.is_float())
        });
        let scores =
            scores.ok_or_else(|| invalid("the model has no output of floating-point numbers"))?;
        model
            .select_output_outlets(&[scores])
            .map_err(unsupported)?;
        let plan = model
            .into_optimized()
            .and_then(IntoRunnable::into_runnable)
            .map_err(unsupported)?;
        let mut state = plan.spawn().map_err(unsupported)?;
        let batching = Batching::probe(input.fixed, input.columns, |values, rows| {
            run(&mut state, &input.shape, values, rows).map_err(unsupported)
        })?;
        let plan = Plan {
            plan,
            columns: input.columns,
            shape: input.shape,
            batching,
        };
        Ok(Self {
            plan: Arc::new(plan),
            state,
            scratch: Vec::new(),
        })
    }
}

impl Executor for TractModel {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        if batch.rows() == 0 {
            return Scores::new(1, Vec::new());
        }
        let Self {
            plan,
            state,
            scratch,
        } = self;
        let values = batch.dense(scratch);
        if plan.columns.checked_mul(batch.rows()) != Some(values.len()) {
            let error = Error::new(
                ErrorKind::Invalid,
                "run a model",
                "the batch has other columns than the model",
            );
            return Err(error
                .with("columns expected", plan.columns)
                .with("columns given", batch.kinds().len()));
        }
        let scores = plan
            .batching
            .run(values, batch.rows(), plan.columns, |values, rows| {
                run(state, &plan.shape, values, rows).map_err(|error| {
                    // What a failed run leaves in the state is not worth finding out.
                    if let Ok(fresh) = plan.plan.spawn() {
                        *state = fresh;
                    }
                    Error::new(ErrorKind::Unavailable, "run a model", "tract failed")
                        .caused_by(text(&error))
                })
            })?;
        let width = scores.len().checked_div(batch.rows()).unwrap_or(0);
        Scores::new(width, scores)
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(Self {
            plan: self.plan.clone(),
            state: self.plan.plan.spawn().ok()?,
            scratch: Vec::new(),
        }))
    }
}

impl fmt::Debug for TractModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TractModel")
            .field("columns", &self.plan.columns)
            .field("batching", &self.plan.batching)
            .finish_non_exhaustive()
    }
}

/// What replicas share.
struct Plan {
    plan: Arc<TypedSimplePlan>,
    columns: usize,
    /// The dimensions behind the batch.
    shape: Vec<usize>,
    batching: Batching,
}

/// What the model says of its input.
struct Input {
    fixed: Option<NonZeroUsize>,
    columns: usize,
    shape: Vec<usize>,
}

impl Input {
    fn of(fact: &InferenceFact) -> Result<Self, Error> {
        let wrong = || {
            invalid("the input must be single-precision numbers of known sizes but for the first")
                .with("input", fact.format_dt_shape())
        };
        if fact
            .datum_type
            .concretize()
            .is_some_and(|datum| datum != DatumType::F32)
        {
            return Err(wrong());
        }
        let mut sizes = fact.shape.dims().map(|dim| {
            let dim = dim.concretize()?;
            dim.to_usize().ok()
        });
        let batch = sizes.next().ok_or_else(wrong)?;
        let shape: Option<Vec<usize>> = sizes.collect();
        let shape = shape.ok_or_else(wrong)?;
        let columns = shape
            .iter()
            .try_fold(1_usize, |product, size| product.checked_mul(*size));
        let columns = columns
            .filter(|columns| (1..=WIDEST).contains(columns))
            .ok_or_else(wrong)?;
        let fixed = match batch {
            None => None,
            Some(rows) if rows <= WIDEST / columns => {
                Some(NonZeroUsize::new(rows).ok_or_else(wrong)?)
            }
            Some(_) => return Err(wrong()),
        };
        Ok(Self {
            fixed,
            columns,
            shape,
        })
    }

    fn fact(&self, symbols: &SymbolScope) -> InferenceFact {
        let batch: TDim = match self.fixed {
            Some(rows) => rows.get().to_dim(),
            None => symbols.sym("N").to_dim(),
        };
        let sizes = self.shape.iter().map(|size| size.to_dim());
        let shape: TVec<TDim> = std::iter::once(batch).chain(sizes).collect();
        InferenceFact::dt_shape(DatumType::F32, shape)
    }
}

fn run(
    state: &mut TypedSimpleState,
    shape: &[usize],
    values: &[f32],
    rows: usize,
) -> TractResult<Vec<f32>> {
    let shape: TVec<usize> = std::iter::once(rows).chain(shape.iter().copied()).collect();
    let input = Tensor::from_shape(&shape, values)?;
    let outputs = state.run(tvec![input.into_tvalue()])?;
    let Some(scores) = outputs.first() else {
        return Ok(Vec::new());
    };
    let scores = scores.cast_to::<f32>()?;
    let scores = scores.to_plain_array_view::<f32>()?;
    Ok(scores.iter().copied().collect())
}

/// The error with its causes, which the top one rarely tells.
fn text(error: &impl fmt::Debug) -> String {
    format!("{error:?}")
}

fn corrupt(message: &str) -> Error {
    Error::new(ErrorKind::Corrupt, "load an ONNX model", message)
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "load an ONNX model", message)
}

/// Numbers of an input at most: what the probe at load may allocate for a file that claims more than it has.
const WIDEST: usize = 1 << 22;

#[cfg(test)]
mod tests;
