//! Whether a graph keeps the rows of a batch apart.
//!
//! ONNX lets a graph do anything with the first axis: sum along it, transpose it away. An executor must not let one row depend on
//! another. So a graph is followed once when it is loaded: where every operator on the way is known to keep rows apart for the
//! shapes it meets, batches run whole. Any other graph runs row by row, which is right whatever it does.

use noops_core::Error;

use super::{Graph, Plan, Step};
use crate::model::onnx_ml::ops::Inputs;
use crate::model::onnx_ml::value::Tensor;

/// What a value depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// On nothing that is asked.
    Fixed,
    /// Element by element along the first axis, on the rows.
    Rows,
    /// On how many rows there are.
    Count,
}

impl Graph {
    /// Whether each row of an output depends on its own row of the inputs alone. `given` holds [`ROWS`] rows.
    pub(in crate::model::onnx_ml) fn keeps_rows_apart(
        &self,
        plan: &Plan,
        given: Vec<Tensor>,
    ) -> Result<bool, Error> {
        let mut flows = vec![Flow::Fixed; self.constants.len()];
        for input in &self.inputs {
            flows
                .get_mut(input.slot)
                .into_iter()
                .for_each(|flow| *flow = Flow::Rows);
        }
        let mut apart = true;
        self.each(plan, given, &mut Vec::new(), |step, inputs, made| {
            let of = |slot: &Option<usize>| slot.and_then(|slot| flows.get(slot).copied());
            let read: Vec<Flow> = step
                .inputs
                .iter()
                .map(|slot| of(slot).unwrap_or(Flow::Fixed))
                .collect();
            let flow = step.flow(&read, inputs, made);
            apart &= flow.is_some();
            for slot in step.outputs.iter().flatten() {
                flows
                    .get_mut(*slot)
                    .into_iter()
                    .for_each(|place| *place = flow.unwrap_or(Flow::Count));
            }
        })?;
        Ok(apart && flows.get(plan.slot) == Some(&Flow::Rows))
    }
}

impl Step {
    /// What the outputs depend on; `None` where rows may meet.
    fn flow(&self, read: &[Flow], inputs: &Inputs<'_>, made: &[Tensor]) -> Option<Flow> {
        if !read.contains(&Flow::Rows) {
            let counts = read.contains(&Flow::Count);
            return Some(if counts { Flow::Count } else { Flow::Fixed });
        }
        if self.kind == "Shape" {
            return Some(Flow::Count);
        }
        let made = made.first()?;
        let first = inputs.0.first().copied().flatten()?;
        let by_row = read.first() == Some(&Flow::Rows);
        let others = |allowed: &[Flow]| read.iter().skip(1).all(|flow| allowed.contains(flow));
        let leads = made.shape().first() == Some(&ROWS) && first.shape().first() == Some(&ROWS);
        let off_rows = |axis: i64| first.axis(axis).is_ok_and(|axis| axis > 0);
        let apart = match self.kind.as_str() {
            "Abs" | "Ceil" | "Elu" | "Exp" | "Floor" | "LeakyRelu" | "Log" | "Neg"
            | "Reciprocal" | "Relu" | "Round" | "Sigmoid" | "Sign" | "Softplus" | "Sqrt"
            | "Tanh" | "Not" | "IsNaN" | "IsInf" | "Cast" | "Identity" | "Dropout"
            | "Binarizer" | "CategoryMapper" | "LabelEncoder" | "OneHotEncoder" | "ZipMap" => leads,
            "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Mod" | "Sum" | "Max" | "Min" | "Mean"
            | "Clip" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "Equal" | "And"
            | "Or" | "Xor" | "Where" => aligned(read, inputs, made),
            "Imputer"
            | "LinearClassifier"
            | "LinearRegressor"
            | "Normalizer"
            | "Scaler"
            | "SVMClassifier"
            | "SVMRegressor"
            | "TreeEnsemble"
            | "TreeEnsembleClassifier"
            | "TreeEnsembleRegressor" => leads && first.rank() == 2,
            "FeatureVectorizer" | "Concat" => {
                let axis = self.hints.axis.unwrap_or(1);
                leads && by_row && others(&[Flow::Rows]) && off_rows(axis)
            }
            "ArrayFeatureExtractor" => {
                leads && by_row && first.rank() > 1 && others(&[Flow::Fixed])
            }
            "MatMul" => leads && by_row && first.rank() > 1 && others(&[Flow::Fixed]),
            "Gemm" => {
                !self.hints.turned
                    && leads
                    && by_row
                    && others(&[Flow::Fixed])
                    && aligned_bias(inputs)
            }
            "Softmax" | "LogSoftmax" => {
                let axis = if self.hints.opset < 13 { 1 } else { -1 };
                leads && off_rows(self.hints.axis.unwrap_or(axis))
            }
            "ArgMax" | "ArgMin" => leads && off_rows(self.hints.axis.unwrap_or(0)),
            "TopK" => {
                leads && by_row && others(&[Flow::Fixed]) && off_rows(self.hints.axis.unwrap_or(-1))
            }
            "Gather" => {
                leads && by_row && others(&[Flow::Fixed]) && off_rows(self.hints.axis.unwrap_or(0))
            }
            "Slice" => {
                leads
                    && by_row
                    && others(&[Flow::Fixed])
                    && self.axes(inputs, 3).iter().all(|&axis| off_rows(axis))
                    && !self.axes(inputs, 3).is_empty()
            }
            kind if kind.starts_with("Reduce") => {
                let axes = self.axes(inputs, 1);
                leads
                    && by_row
                    && others(&[Flow::Fixed])
                    && !axes.is_empty()
                    && axes.iter().all(|&axis| off_rows(axis))
            }
            // Where the first axis stays as long as it is, the elements behind it stay with it.
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => {
                leads && by_row && others(&[Flow::Fixed, Flow::Count])
            }
            "Expand" => {
                leads
                    && by_row
                    && first.rank() == made.rank()
                    && others(&[Flow::Fixed, Flow::Count])
            }
            "Transpose" => leads && self.hints.order.first() == Some(&0),
            _ => false,
        };
        apart.then_some(Flow::Rows)
    }

    fn axes(&self, inputs: &Inputs<'_>, index: usize) -> Vec<i64> {
        match inputs.0.get(index).copied().flatten() {
            Some(axes) => axes.integers().map(<[i64]>::to_vec).unwrap_or_default(),
            None => self.hints.axes.clone(),
        }
    }
}

/// Whether every row meets only itself and what is the same for all rows when values are stretched to one shape.
fn aligned(read: &[Flow], inputs: &Inputs<'_>, made: &Tensor) -> bool {
    let rank = made.rank();
    let pairs = read.iter().zip(&inputs.0);
    let mut values = pairs.filter_map(|(flow, input)| input.map(|input| (flow, input)));
    made.shape().first() == Some(&ROWS)
        && values.all(|(flow, input)| match flow {
            Flow::Rows => input.rank() == rank && input.shape().first() == Some(&ROWS),
            Flow::Fixed => input.rank() < rank || input.shape().first() == Some(&1),
            Flow::Count => false,
        })
}

fn aligned_bias(inputs: &Inputs<'_>) -> bool {
    let bias = inputs.0.get(2).copied().flatten();
    bias.is_none_or(|bias| bias.rank() < 2 || bias.shape().first() == Some(&1))
}

/// With how many rows a graph is followed: few, and more than one.
pub(in crate::model::onnx_ml) const ROWS: usize = 7;
