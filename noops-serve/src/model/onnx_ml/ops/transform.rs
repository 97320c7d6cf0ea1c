//! What the classical operators do with the scores of a row before they leave.

use noops_core::Error;

use crate::model::onnx_ml::node::Node;

/// A function of the scores of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transform {
    None,
    Logistic,
    Softmax,
    SoftmaxZero,
    Probit,
}

/// How the single score of a model of two classes becomes two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Second {
    /// It does not.
    Never,
    /// It is a probability `p`: `1 - p, p`.
    Complement,
    /// It is a margin `m`: `-m, m`, or the logistic function of both.
    Margin,
}

impl Transform {
    pub(super) fn of(node: &Node<'_>) -> Result<Self, Error> {
        Ok(match node.text("post_transform")? {
            None | Some("NONE") => Self::None,
            Some("LOGISTIC") => Self::Logistic,
            Some("SOFTMAX") => Self::Softmax,
            Some("SOFTMAX_ZERO") => Self::SoftmaxZero,
            Some("PROBIT") => Self::Probit,
            Some(_) => return Err(node.wrong("post_transform", "is unknown")),
        })
    }

    /// The function behind a number of the later `TreeEnsemble`.
    pub(super) fn of_code(node: &Node<'_>) -> Result<Self, Error> {
        Ok(match node.int("post_transform")? {
            None | Some(0) => Self::None,
            Some(1) => Self::Softmax,
            Some(2) => Self::Logistic,
            Some(3) => Self::SoftmaxZero,
            Some(4) => Self::Probit,
            Some(_) => return Err(node.wrong("post_transform", "is unknown")),
        })
    }

    /// Appends the scores of one row as ONNX Runtime writes them: a single one is transformed by `Probit` alone, unless it becomes
    /// two.
    pub(super) fn write(self, scores: &mut [f32], second: Second, to: &mut Vec<f32>) {
        match (scores, self, second) {
            ([score], Self::Probit, _) => to.push(probit(*score)),
            ([score], _, Second::Never) => to.push(*score),
            ([score], _, Second::Complement) => to.extend([1.0 - *score, *score]),
            ([score], Self::Logistic, _) => to.extend([logistic(-*score), logistic(*score)]),
            ([score], _, Second::Margin) => to.extend([-*score, *score]),
            (scores, _, _) => {
                match self {
                    Self::None => {}
                    Self::Logistic => scores
                        .iter_mut()
                        .for_each(|score| *score = logistic(*score)),
                    Self::Probit => scores.iter_mut().for_each(|score| *score = probit(*score)),
                    Self::Softmax => softmax(scores),
                    Self::SoftmaxZero => softmax_zero(scores),
                }
                to.extend_from_slice(scores);
            }
        }
    }
}

pub(super) fn logistic(value: f32) -> f32 {
    let positive = 1.0 / (1.0 + (-value.abs()).exp());
    if value < 0.0 {
        1.0 - positive
    } else {
        positive
    }
}

pub(super) fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// A softmax over the scores that are not zero; the others stay about zero.
fn softmax_zero(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        if score.abs() > 1e-7 {
            *score = (*score - most).exp();
            sum += *score;
        } else {
            *score *= (-most).exp();
        }
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// `√2 erf⁻¹(2 p - 1)`, with Winitzki's approximation of the inverse error function, as ONNX Runtime has it.
fn probit(probability: f32) -> f32 {
    let value = 2.0 * probability - 1.0;
    let log = ((1.0 - value) * (1.0 + value)).ln();
    // Written with the roundings of ONNX Runtime: near one half, two numbers that are almost equal are subtracted.
    let half = 2.0 / (NEARLY_PI * 0.147) + 0.5 * log;
    let root = -half + (half * half - 1.0 / 0.147 * log).sqrt();
    let sign = if value < 0.0 { -1.0 } else { 1.0 };
    std::f32::consts::SQRT_2 * sign * root.sqrt()
}

/// π with the digits that ONNX Runtime gives it.
#[expect(clippy::approx_constant, reason = "the same number as the oracle's")]
const NEARLY_PI: f32 = 3.14159;
