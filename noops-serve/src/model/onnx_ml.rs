//! Classical machine learning from ONNX files, in plain Rust.
//!
//! What scikit-learn, XGBoost and LightGBM export is a graph of a few dozen operators, most of them from the `ai.onnx.ml` domain.
//! [`OnnxMlModel`] reads such a file, refuses what it cannot run by naming every operator that is missing, and scores rows as ONNX
//! Runtime does, within `1e-5` of every number of every export that the tests hold.
//!
//! What it is not: a runtime for neural networks. Convolutions, recurrences, loops and subgraphs are refused.

mod error;
mod graph;
mod node;
mod ops;
mod proto;
mod protobuf;
mod value;

use std::ops::Range;
use std::sync::Arc;

use noops_core::{Batch, ColumnKind, Error, ErrorKind, Executor, Scores};

use graph::flow::ROWS;
use graph::{Declared, Graph, Plan};
use value::{Data, ElementKind, Tensor};

/// A classical ONNX model.
///
/// The inputs of the model take the columns of a batch in order: a single matrix takes all of them, several inputs as many as each
/// is wide. Categories reach numeric inputs as their index, as in [`Batch::dense`], and text inputs as the texts given to
/// [`with_categories`](Self::with_categories). A missing value is NaN in an input with fractions, [`i64::MIN`] among whole numbers
/// and the empty text.
///
/// The scores are those of one output: of the last with fractions unless [`with_output`](Self::with_output) says otherwise, which
/// for a classifier are its probabilities, one column per class.
///
/// A clone shares the weights. Every integer type is computed with 64 bits. Trees and the other classical operators compute in
/// single precision also where their input is in double precision.
///
/// # Examples
///
/// ```
/// use noops_core::{Batch, Column, Executor};
/// use noops_serve::model::onnx_ml::OnnxMlModel;
///
/// let bytes = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/onnx/logreg.onnx"));
/// let mut model = OnnxMlModel::from_bytes(bytes)?;
/// assert_eq!(model.inputs()[0].width(), Some(6));
/// assert_eq!(model.output(), "output_probability");
///
/// let row = Batch::new((0..6).map(|_| Column::Number(vec![0.5])).collect())?;
/// let scores = model.run(&row)?;
/// assert_eq!(scores.width(), 2);
/// assert!((scores.values().iter().sum::<f32>() - 1.0).abs() < 1e-6);
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OnnxMlModel {
    graph: Arc<Graph>,
    plan: Arc<Plan>,
    output: usize,
    /// The texts of the categories of each text column, in order.
    categories: Option<Arc<[Vec<Arc<str>>]>>,
    /// How many rows run at once: one where the graph is not known to keep rows apart.
    chunk: usize,
}

/// What a model wants in one of its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnnxInput {
    name: String,
    kind: ColumnKind,
    width: Option<usize>,
}

impl OnnxInput {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds numbers or the texts of categories.
    #[must_use]
    pub fn kind(&self) -> ColumnKind {
        self.kind
    }

    /// How many columns it takes; `None` where the model leaves that open, and it takes all.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        self.width
    }
}

impl OnnxMlModel {
    /// Loads a model from the bytes of an `.onnx` file.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the bytes are no ONNX model or contradict themselves: a cycle, a value that nothing makes, an attribute of the
    /// wrong type or length, a tensor that does not fill its shape. `Invalid` when the model is well formed but has operators,
    /// element types or operator sets that are not supported; the error names them.
    ///
    /// # Complexity
    ///
    /// Linear in the number of bytes, up to the logarithms of sorting nodes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let graph = Graph::load(bytes)?;
        let fractions = |declared: &Declared| {
            matches!(
                declared.kind,
                None | Some(ElementKind::F32 | ElementKind::F64)
            )
        };
        let output = graph.outputs.iter().rposition(fractions);
        let output = output.unwrap_or(graph.outputs.len().saturating_sub(1));
        Self::new(Arc::new(graph), output, None)
    }

    fn new(
        graph: Arc<Graph>,
        output: usize,
        categories: Option<Arc<[Vec<Arc<str>>]>>,
    ) -> Result<Self, Error> {
        let declared = graph.outputs.get(output);
        let plan = graph.plan(declared.ok_or_else(|| invalid("the model has no such output"))?);
        let mut model = Self {
            graph,
            plan: Arc::new(plan),
            output,
            categories,
            chunk: 1,
        };
        // A graph that cannot be followed on made-up rows may still run on real ones, one by one.
        let apart = model.graph.keeps_rows_apart(&model.plan, model.made_up()?);
        if apart.unwrap_or(false) {
            model.chunk = CHUNK;
        }
        Ok(model)
    }

    /// Takes the scores from another output: a name of [`outputs`](Self::outputs). Whole numbers leave as singles.
    ///
    /// # Errors
    ///
    /// `Invalid` when there is no such output, or it holds text.
    pub fn with_output(self, name: &str) -> Result<Self, Error> {
        let found = self
            .graph
            .outputs
            .iter()
            .position(|output| output.name == name);
        let index = found.ok_or_else(|| {
            invalid("the model has no such output")
                .with("output", name)
                .with("outputs", self.outputs().collect::<Vec<_>>().join("`, `"))
        })?;
        let kind = self.graph.outputs.get(index).and_then(|output| output.kind);
        if kind == Some(ElementKind::Text) {
            return Err(invalid("an output holds text, which is no score").with("output", name));
        }
        Self::new(self.graph, index, self.categories)
    }

    /// Gives the texts of the categories of every text column, column by column in the order of the inputs: category `i` of a
    /// batch, which has the code `i + 1`, is the `i`th text.
    ///
    /// # Errors
    ///
    /// `Invalid` unless there is one list per text column.
    pub fn with_categories(mut self, categories: Vec<Vec<String>>) -> Result<Self, Error> {
        let texts = self.inputs();
        let texts = texts
            .iter()
            .filter(|input| input.kind == ColumnKind::Category);
        let columns: Option<usize> = texts.map(|input| input.width).sum();
        if columns.is_some_and(|columns| columns != categories.len()) {
            return Err(
                invalid("there must be one list of categories per text column")
                    .with("lists", categories.len())
                    .with("columns", columns.unwrap_or_default()),
            );
        }
        let shared = |texts: Vec<String>| texts.into_iter().map(Arc::from).collect();
        self.categories = Some(categories.into_iter().map(shared).collect());
        Ok(self)
    }

    /// The inputs, in the order in which they take the columns of a batch.
    #[must_use]
    pub fn inputs(&self) -> Vec<OnnxInput> {
        let inputs = self.graph.inputs.iter();
        inputs
            .map(|input| OnnxInput {
                name: input.name.clone(),
                kind: match input.kind {
                    Some(ElementKind::Text) => ColumnKind::Category,
                    _ => ColumnKind::Number,
                },
                width: input.width(),
            })
            .collect()
    }

    /// The names of the outputs.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.graph.outputs.iter().map(|output| output.name.as_str())
    }

    /// The name of the output that the scores are taken from.
    #[must_use]
    pub fn output(&self) -> &str {
        self.graph
            .outputs
            .get(self.output)
            .map_or("", |output| &output.name)
    }

    /// Rows of zeros and empty texts.
    fn made_up(&self) -> Result<Vec<Tensor>, Error> {
        let inputs = self.graph.inputs.iter().map(|input| {
            let width = input.width().unwrap_or(1).min(MOST_COLUMNS);
            let count = ROWS * width;
            let data = match input.kind {
                Some(ElementKind::F64) => Data::F64(vec![0.0; count]),
                Some(ElementKind::I64) => Data::I64(vec![0; count]),
                Some(ElementKind::Bool) => Data::Bool(vec![false; count]),
                Some(ElementKind::Text) => Data::Text(vec![Arc::from(""); count]),
                _ => Data::F32(vec![0.0; count]),
            };
            Tensor::new(input.shape(ROWS, width), data)
        });
        inputs.collect()
    }

    /// Which columns of a batch each input takes.
    fn columns(&self, given: usize) -> Result<Vec<Range<usize>>, Error> {
        let inputs = &self.graph.inputs;
        let open = inputs
            .iter()
            .filter(|input| input.width().is_none())
            .count();
        let known = inputs
            .iter()
            .filter_map(Declared::width)
            .fold(0_usize, usize::saturating_add);
        // One input of unknown width takes what the others leave.
        let rest = given.checked_sub(known).filter(|rest| match open {
            0 => *rest == 0,
            1 => true,
            _ => *rest == open,
        });
        let rest = rest.ok_or_else(|| {
            run_error("the batch has other columns than the model has inputs")
                .with("columns", given)
                .with("wanted", known)
        })?;
        let share = if open > 1 { 1 } else { rest };
        let mut start = 0;
        let ranges = inputs.iter().map(|input| {
            let range = start..start + input.width().unwrap_or(share);
            start = range.end;
            range
        });
        Ok(ranges.collect())
    }

    /// The tensors of some rows.
    fn tensors(
        &self,
        batch: &Batch,
        dense: &[f32],
        rows: Range<usize>,
    ) -> Result<Vec<Tensor>, Error> {
        let width = batch.kinds().len();
        let ranges = self.columns(width)?;
        let mut lists = self.categories.iter().flat_map(|lists| lists.iter());
        let mut tensors = Vec::with_capacity(ranges.len());
        for (input, columns) in self.graph.inputs.iter().zip(ranges) {
            let lines = dense
                .chunks_exact(width.max(1))
                .skip(rows.start)
                .take(rows.len());
            let cells = lines.flat_map(|line| line.get(columns.clone()).unwrap_or_default());
            let cells = cells.copied();
            let data = match input.kind {
                Some(ElementKind::F64) => Data::F64(cells.map(f64::from).collect()),
                Some(ElementKind::I64) => Data::I64(cells.map(whole).collect()),
                Some(ElementKind::Bool) => Data::Bool(cells.map(|value| value != 0.0).collect()),
                Some(ElementKind::Text) => {
                    let kinds = batch.kinds().get(columns.clone()).unwrap_or_default();
                    if kinds.contains(&ColumnKind::Number) {
                        return Err(run_error("an input wants text and the batch has numbers")
                            .with("input", &input.name));
                    }
                    let lists: Vec<&Vec<Arc<str>>> = lists.by_ref().take(columns.len()).collect();
                    if lists.len() != columns.len() {
                        return Err(run_error(
                            "the texts of the categories are not known; give them to the model",
                        )
                        .with("input", &input.name));
                    }
                    let texts = cells.zip(lists.into_iter().cycle());
                    Data::Text(texts.map(|(index, list)| text(index, list)).collect())
                }
                _ => Data::F32(cells.collect()),
            };
            tensors.push(Tensor::new(input.shape(rows.len(), columns.len()), data)?);
        }
        Ok(tensors)
    }
}

impl Executor for OnnxMlModel {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        let mut scratch = Vec::new();
        let dense = batch.dense(&mut scratch);
        let mut values = Vec::new();
        let mut width = 1;
        let mut start = 0;
        while start < batch.rows() {
            let rows = start..batch.rows().min(start + self.chunk);
            start = rows.end;
            let count = rows.len();
            let given = self.tensors(batch, dense, rows)?;
            let made = self.graph.run(&self.plan, given)?;
            if made.len() == 0 || !made.len().is_multiple_of(count) {
                return Err(run_error("the output does not hold the same for every row")
                    .with("output", self.output())
                    .with("rows", count)
                    .with("values", made.len()));
            }
            width = made.len() / count;
            match made.into_data() {
                Data::F32(singles) if values.is_empty() => values = singles,
                data => values.extend(Tensor::new(vec![data.len()], data)?.singles()?),
            }
        }
        Scores::new(width, values)
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(self.clone()))
    }
}

impl Declared {
    /// How many columns an input takes, where that is known.
    fn width(&self) -> Option<usize> {
        match self.dims.as_deref() {
            Some([_]) => Some(1),
            Some([_, width]) => width.and_then(|width| usize::try_from(width).ok()),
            _ => None,
        }
    }

    fn shape(&self, rows: usize, width: usize) -> Vec<usize> {
        match self.dims.as_deref() {
            Some([_]) => vec![rows],
            _ => vec![rows, width],
        }
    }
}

/// A number among whole ones: cut, and the least there is where it is missing.
fn whole(value: f32) -> i64 {
    if value.is_nan() {
        i64::MIN
    } else {
        value as i64
    }
}

/// The text of the category with an index; empty where it is missing or unknown.
fn text(index: f32, texts: &[Arc<str>]) -> Arc<str> {
    let known = (index >= 0.0).then(|| texts.get(index as usize)).flatten();
    known.cloned().unwrap_or_default()
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "set up an ONNX model", message)
}

fn run_error(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "run an ONNX model", message)
}

/// How many rows run at once: enough to pay for the steps of a graph, few enough for what they leave to stay in the cache.
const CHUNK: usize = 64;

/// The most columns that a graph is followed with.
const MOST_COLUMNS: usize = 1 << 16;

#[cfg(test)]
mod tests;
