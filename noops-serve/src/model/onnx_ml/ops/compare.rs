//! Questions with the answer yes or no, and what is made of the answers.

use noops_core::Error;

use super::broadcast::{common, places, stretch};
use super::{Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::ops::indexing::pick;
use crate::model::onnx_ml::value::{Data, Tensor};

pub(super) fn compare(node: &Node<'_>) -> Result<Run, Error> {
    let kind: Compared = match node.kind() {
        "Less" => Compared::Less,
        "LessOrEqual" => Compared::LessOrEqual,
        "Greater" => Compared::Greater,
        "GreaterOrEqual" => Compared::GreaterOrEqual,
        _ => Compared::Equal,
    };
    Ok(one(move |inputs| {
        let (left, right) = (inputs.at(0)?, inputs.at(1)?);
        let shape = common(left.shape(), right.shape())?;
        let answers = match (left.data(), right.data()) {
            (Data::F32(a), Data::F32(b)) => kind.all(left, a, right, b, &shape),
            (Data::F64(a), Data::F64(b)) => kind.all(left, a, right, b, &shape),
            (Data::I64(a), Data::I64(b)) => kind.all(left, a, right, b, &shape),
            (Data::Bool(a), Data::Bool(b)) => kind.all(left, a, right, b, &shape),
            (Data::Text(a), Data::Text(b)) => kind.all(left, a, right, b, &shape),
            _ => return Err(failed("two values of one type are wanted")),
        };
        Tensor::new(shape, Data::Bool(answers))
    }))
}

#[derive(Clone, Copy)]
enum Compared {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

impl Compared {
    fn all<T: Clone + PartialOrd>(
        self,
        left: &Tensor,
        a: &[T],
        right: &Tensor,
        b: &[T],
        shape: &[usize],
    ) -> Vec<bool> {
        let a = stretch(a, left.shape(), shape);
        let b = stretch(b, right.shape(), shape);
        let pairs = a.iter().zip(b.iter());
        pairs
            .map(|(a, b)| match self {
                Self::Less => a < b,
                Self::LessOrEqual => a <= b,
                Self::Greater => a > b,
                Self::GreaterOrEqual => a >= b,
                Self::Equal => a == b,
            })
            .collect()
    }
}

pub(super) fn logical(node: &Node<'_>) -> Result<Run, Error> {
    let answer: fn(bool, bool) -> bool = match node.kind() {
        "And" => |a, b| a && b,
        "Or" => |a, b| a || b,
        _ => |a, b| a != b,
    };
    Ok(one(move |inputs| {
        let (left, right) = (inputs.at(0)?, inputs.at(1)?);
        let shape = common(left.shape(), right.shape())?;
        let a = stretch(booleans(left)?, left.shape(), &shape);
        let b = stretch(booleans(right)?, right.shape(), &shape);
        let answers = a
            .iter()
            .zip(b.iter())
            .map(|(&a, &b)| answer(a, b))
            .collect();
        Tensor::new(shape, Data::Bool(answers))
    }))
}

pub(super) fn not() -> Run {
    one(|inputs| {
        let input = inputs.at(0)?;
        let answers = booleans(input)?.iter().map(|answer| !answer).collect();
        Tensor::new(input.shape().to_vec(), Data::Bool(answers))
    })
}

pub(super) fn is_nan() -> Run {
    one(|inputs| {
        let input = inputs.at(0)?;
        let answers = match input.data() {
            Data::F32(values) => values.iter().map(|value| value.is_nan()).collect(),
            Data::F64(values) => values.iter().map(|value| value.is_nan()).collect(),
            _ => return Err(failed("numbers with a fraction are wanted")),
        };
        Tensor::new(input.shape().to_vec(), Data::Bool(answers))
    })
}

pub(super) fn is_inf(node: &Node<'_>) -> Result<Run, Error> {
    let negative = node.flag("detect_negative", true)?;
    let positive = node.flag("detect_positive", true)?;
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let values = input.doubles()?;
        let infinite =
            |value: &f64| value.is_infinite() && if *value > 0.0 { positive } else { negative };
        let answers = values.iter().map(infinite).collect();
        Tensor::new(input.shape().to_vec(), Data::Bool(answers))
    }))
}

/// `Where`: the first of two values where a condition holds, and the second where it does not.
pub(super) fn choose() -> Run {
    one(|inputs| {
        let (condition, yes, no) = (inputs.at(0)?, inputs.at(1)?, inputs.at(2)?);
        let shape = common(condition.shape(), &common(yes.shape(), no.shape())?)?;
        let condition = stretch(booleans(condition)?, condition.shape(), &shape);
        // Both side by side, of which one place each is picked.
        let both = yes.data().clone().followed_by(no.data())?;
        let from = places(yes.shape(), &shape)
            .into_iter()
            .zip(places(no.shape(), &shape));
        let chosen = condition.iter().zip(from);
        let chosen = chosen.map(|(&holds, (a, b))| if holds { a } else { yes.len() + b });
        let data = pick(&both, chosen);
        Tensor::new(shape, data)
    })
}

fn booleans(tensor: &Tensor) -> Result<&[bool], Error> {
    match tensor.data() {
        Data::Bool(values) => Ok(values),
        _ => Err(failed("answers of yes and no are wanted")),
    }
}
