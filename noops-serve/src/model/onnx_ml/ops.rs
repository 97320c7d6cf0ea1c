//! The operators.

mod arithmetic;
mod broadcast;
mod cast;
mod compare;
mod encode;
mod features;
mod indexing;
mod labels;
mod linear;
mod matrix;
mod reduce;
mod scale;
mod shape;
mod softmax;
mod svm;
mod transform;
mod tree;

use noops_core::Error;

use super::error::failed;
use super::node::Node;
use super::value::Tensor;

/// What a node does with its inputs: a closure over attributes that were checked when the model was loaded.
pub(super) type Run = Box<dyn Fn(&Inputs<'_>) -> Result<Vec<Tensor>, Error> + Send + Sync>;

/// The inputs of a node, of which optional ones may be absent.
#[derive(Debug)]
pub(super) struct Inputs<'a>(pub(super) Vec<Option<&'a Tensor>>);

impl<'a> Inputs<'a> {
    /// An input that the operator cannot do without.
    fn at(&self, index: usize) -> Result<&'a Tensor, Error> {
        let input = self.maybe(index);
        input.ok_or_else(|| failed("an input is missing").with("input", index))
    }

    fn maybe(&self, index: usize) -> Option<&'a Tensor> {
        self.0.get(index).copied().flatten()
    }

    /// All inputs, of an operator that takes any number of them.
    fn all(&self) -> Result<Vec<&'a Tensor>, Error> {
        (0..self.0.len()).map(|index| self.at(index)).collect()
    }
}

/// Builds what a node of the default domain does; `None` for an operator that is not here.
pub(super) fn general(node: &Node<'_>) -> Result<Option<Run>, Error> {
    Ok(Some(match node.kind() {
        "Abs" | "Ceil" | "Elu" | "Exp" | "Floor" | "LeakyRelu" | "Log" | "Neg" | "Reciprocal"
        | "Relu" | "Round" | "Sigmoid" | "Sign" | "Softplus" | "Sqrt" | "Tanh" => {
            arithmetic::unary(node)?
        }
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Mod" => arithmetic::binary(node)?,
        "Sum" | "Max" | "Min" | "Mean" => arithmetic::variadic(node)?,
        "Clip" => arithmetic::clip(node)?,
        "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "Equal" => compare::compare(node)?,
        "And" | "Or" | "Xor" => compare::logical(node)?,
        "Not" => compare::not(),
        "IsNaN" => compare::is_nan(),
        "IsInf" => compare::is_inf(node)?,
        "Where" => compare::choose(),
        "Cast" => cast::cast(node)?,
        "MatMul" => matrix::matmul(),
        "Gemm" => matrix::gemm(node)?,
        "ReduceL1" | "ReduceL2" | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceMax"
        | "ReduceMean" | "ReduceMin" | "ReduceProd" | "ReduceSum" | "ReduceSumSquare" => {
            reduce::reduce(node)?
        }
        "ArgMax" | "ArgMin" => reduce::arg(node)?,
        "TopK" => reduce::top(node)?,
        "Softmax" | "LogSoftmax" => softmax::softmax(node)?,
        "Identity" | "Dropout" => shape::identity(),
        "Reshape" => shape::reshape(node)?,
        "Flatten" => shape::flatten(node)?,
        "Squeeze" => shape::squeeze(node)?,
        "Unsqueeze" => shape::unsqueeze(node)?,
        "Shape" => shape::shape(),
        "ConstantOfShape" => shape::constant_of_shape(node)?,
        "Constant" => shape::constant(node)?,
        "Transpose" => indexing::transpose(node)?,
        "Concat" => indexing::concat(node)?,
        "Gather" => indexing::gather(node)?,
        "Slice" => indexing::slice(node)?,
        "Expand" => indexing::expand(),
        _ => return Ok(None),
    }))
}

/// Builds what a node of `ai.onnx.ml` does; `None` for an operator that is not here.
pub(super) fn classical(node: &Node<'_>) -> Result<Option<Run>, Error> {
    Ok(Some(match node.kind() {
        "ArrayFeatureExtractor" => features::array_feature_extractor(),
        "Binarizer" => scale::binarizer(node)?,
        "CategoryMapper" => encode::category_mapper(node)?,
        "FeatureVectorizer" => features::feature_vectorizer(node)?,
        "Imputer" => scale::imputer(node)?,
        "LabelEncoder" => encode::label_encoder(node)?,
        "LinearClassifier" => linear::classifier(node)?,
        "LinearRegressor" => linear::regressor(node)?,
        "Normalizer" => scale::normalizer(node)?,
        "OneHotEncoder" => encode::one_hot(node)?,
        "Scaler" => scale::scaler(node)?,
        "SVMClassifier" => svm::classifier(node)?,
        "SVMRegressor" => svm::regressor(node)?,
        "TreeEnsemble" => tree::ensemble(node)?,
        "TreeEnsembleClassifier" => tree::classifier(node)?,
        "TreeEnsembleRegressor" => tree::regressor(node)?,
        // The maps of a zip map are held as the matrix they are made of.
        "ZipMap" => shape::identity(),
        _ => return Ok(None),
    }))
}

/// An operator with one output.
fn one(run: impl Fn(&Inputs<'_>) -> Result<Tensor, Error> + Send + Sync + 'static) -> Run {
    Box::new(move |inputs| run(inputs).map(|output| vec![output]))
}
