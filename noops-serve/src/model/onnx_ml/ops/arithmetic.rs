//! Element by element: functions of one number, and sums, products and the like of several.

use noops_core::Error;

use super::broadcast::{common, stretch};
use super::{Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, Tensor};

/// A function in single precision, in double precision and, where it has a meaning, of whole numbers.
struct Function {
    single: Box<dyn Fn(f32) -> f32 + Send + Sync>,
    double: Box<dyn Fn(f64) -> f64 + Send + Sync>,
    whole: Option<fn(i64) -> i64>,
}

impl Function {
    fn new(
        single: impl Fn(f32) -> f32 + Send + Sync + 'static,
        double: impl Fn(f64) -> f64 + Send + Sync + 'static,
    ) -> Self {
        Self {
            single: Box::new(single),
            double: Box::new(double),
            whole: None,
        }
    }

    fn with_whole(mut self, whole: fn(i64) -> i64) -> Self {
        self.whole = Some(whole);
        self
    }
}

pub(super) fn unary(node: &Node<'_>) -> Result<Run, Error> {
    let kind = node.kind();
    let function = match kind {
        "Abs" => Function::new(f32::abs, f64::abs).with_whole(i64::saturating_abs),
        "Ceil" => Function::new(f32::ceil, f64::ceil),
        "Exp" => Function::new(f32::exp, f64::exp),
        "Floor" => Function::new(f32::floor, f64::floor),
        "Log" => Function::new(f32::ln, f64::ln),
        "Neg" => Function::new(|x| -x, |x| -x).with_whole(i64::saturating_neg),
        "Reciprocal" => Function::new(f32::recip, f64::recip),
        // Written so that NaN stays NaN.
        "Relu" => Function::new(
            |x| if x < 0.0 { 0.0 } else { x },
            |x| if x < 0.0 { 0.0 } else { x },
        )
        .with_whole(|x| x.max(0)),
        "Round" => Function::new(f32::round_ties_even, f64::round_ties_even),
        "Sigmoid" => Function::new(|x| 1.0 / (1.0 + (-x).exp()), |x| 1.0 / (1.0 + (-x).exp())),
        "Sign" => Function::new(
            |x| if x == 0.0 { 0.0 } else { x.signum() },
            |x| if x == 0.0 { 0.0 } else { x.signum() },
        )
        .with_whole(i64::signum),
        "Softplus" => Function::new(
            |x: f32| x.max(0.0) + (-x.abs()).exp().ln_1p(),
            |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p(),
        ),
        "Sqrt" => Function::new(f32::sqrt, f64::sqrt),
        "Tanh" => Function::new(f32::tanh, f64::tanh),
        "Elu" => {
            let alpha = node.float("alpha")?.unwrap_or(1.0);
            let wide = f64::from(alpha);
            Function::new(
                move |x| if x < 0.0 { alpha * x.exp_m1() } else { x },
                move |x| if x < 0.0 { wide * x.exp_m1() } else { x },
            )
        }
        _ => {
            let alpha = node.float("alpha")?.unwrap_or(0.01);
            let wide = f64::from(alpha);
            Function::new(
                move |x| if x < 0.0 { alpha * x } else { x },
                move |x| if x < 0.0 { wide * x } else { x },
            )
        }
    };
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let data = match (input.data(), function.whole) {
            (Data::F32(values), _) => {
                Data::F32(values.iter().map(|&x| (function.single)(x)).collect())
            }
            (Data::F64(values), _) => {
                Data::F64(values.iter().map(|&x| (function.double)(x)).collect())
            }
            (Data::I64(values), Some(whole)) => {
                Data::I64(values.iter().map(|&x| whole(x)).collect())
            }
            _ => return Err(failed("numbers with a fraction are wanted")),
        };
        Tensor::new(input.shape().to_vec(), data)
    }))
}

/// A function of two numbers, in each of the precisions.
#[derive(Clone, Copy)]
struct Pair {
    single: fn(f32, f32) -> f32,
    double: fn(f64, f64) -> f64,
    whole: fn(i64, i64) -> Option<i64>,
}

impl Pair {
    fn of(kind: &str) -> Self {
        match kind {
            "Add" | "Sum" | "Mean" => Self {
                single: |a, b| a + b,
                double: |a, b| a + b,
                whole: |a, b| Some(a.wrapping_add(b)),
            },
            "Sub" => Self {
                single: |a, b| a - b,
                double: |a, b| a - b,
                whole: |a, b| Some(a.wrapping_sub(b)),
            },
            "Mul" => Self {
                single: |a, b| a * b,
                double: |a, b| a * b,
                whole: |a, b| Some(a.wrapping_mul(b)),
            },
            "Div" => Self {
                single: |a, b| a / b,
                double: |a, b| a / b,
                whole: i64::checked_div,
            },
            "Mod" => Self {
                single: |a, b| a % b,
                double: |a, b| a % b,
                whole: |a, b| {
                    let rest = a.checked_rem(b)?;
                    Some(if rest != 0 && (rest < 0) != (b < 0) {
                        rest + b
                    } else {
                        rest
                    })
                },
            },
            "Pow" => Self {
                single: f32::powf,
                double: f64::powf,
                whole: |a, b| Some(a.wrapping_pow(u32::try_from(b).ok()?)),
            },
            // The comparison is written so that NaN wins, as numpy has it.
            "Max" => Self {
                single: |a, b| if a >= b || a.is_nan() { a } else { b },
                double: |a, b| if a >= b || a.is_nan() { a } else { b },
                whole: |a, b| Some(a.max(b)),
            },
            _ => Self {
                single: |a, b| if a <= b || a.is_nan() { a } else { b },
                double: |a, b| if a <= b || a.is_nan() { a } else { b },
                whole: |a, b| Some(a.min(b)),
            },
        }
    }

    fn apply(&self, left: &Tensor, right: &Tensor) -> Result<Tensor, Error> {
        let shape = common(left.shape(), right.shape())?;
        let (from, other) = (left.shape(), right.shape());
        let data = match (left.data(), right.data()) {
            (Data::F32(a), Data::F32(b)) => Data::F32(zip(
                &stretch(a, from, &shape),
                &stretch(b, other, &shape),
                self.single,
            )),
            (Data::F64(a), Data::F64(b)) => Data::F64(zip(
                &stretch(a, from, &shape),
                &stretch(b, other, &shape),
                self.double,
            )),
            (Data::I64(a), Data::I64(b)) => {
                let results = zip(
                    &stretch(a, from, &shape),
                    &stretch(b, other, &shape),
                    self.whole,
                );
                let results: Option<Vec<i64>> = results.into_iter().collect();
                Data::I64(results.ok_or_else(|| failed("two whole numbers have no such result"))?)
            }
            _ => return Err(failed("two numbers of one type are wanted")),
        };
        Tensor::new(shape, data)
    }
}

pub(super) fn binary(node: &Node<'_>) -> Result<Run, Error> {
    if node.kind() == "Pow" {
        return Ok(power());
    }
    let pair = Pair::of(node.kind());
    Ok(one(move |inputs| pair.apply(inputs.at(0)?, inputs.at(1)?)))
}

/// The exponent of a power may be of another type, and the result is of the base's.
fn power() -> Run {
    let pair = Pair::of("Pow");
    one(move |inputs| {
        let (base, exponent) = (inputs.at(0)?, inputs.at(1)?);
        let exponent = match base.data() {
            Data::F32(_) => Data::F32(exponent.singles()?),
            Data::F64(_) => Data::F64(exponent.doubles()?),
            _ => exponent.data().clone(),
        };
        let like = inputs.at(1)?.shape().to_vec();
        pair.apply(base, &Tensor::new(like, exponent)?)
    })
}

pub(super) fn variadic(node: &Node<'_>) -> Result<Run, Error> {
    let pair = Pair::of(node.kind());
    let mean = node.kind() == "Mean";
    Ok(one(move |inputs| {
        let all = inputs.all()?;
        let mut result = inputs.at(0)?.clone();
        for next in all.iter().skip(1) {
            result = pair.apply(&result, next)?;
        }
        if mean {
            let count = Tensor::scalar(Data::F32(vec![all.len() as f32]))?;
            result = Pair::of("Div").apply(&result, &count)?;
        }
        Ok(result)
    }))
}

/// The bounds are attributes at first, and inputs from operator set 11 on.
pub(super) fn clip(node: &Node<'_>) -> Result<Run, Error> {
    let bound = |name| -> Result<Option<Tensor>, Error> {
        let value = node.float(name)?;
        value
            .map(|value| Tensor::scalar(Data::F32(vec![value])))
            .transpose()
    };
    let (least, most) = (bound("min")?, bound("max")?);
    let (lower, upper) = (Pair::of("Max"), Pair::of("Min"));
    Ok(one(move |inputs| {
        let mut result = inputs.at(0)?.clone();
        if let Some(least) = inputs.maybe(1).or(least.as_ref()) {
            result = lower.apply(&result, least)?;
        }
        if let Some(most) = inputs.maybe(2).or(most.as_ref()) {
            result = upper.apply(&result, most)?;
        }
        Ok(result)
    }))
}

fn zip<T: Copy, U>(left: &[T], right: &[T], function: fn(T, T) -> U) -> Vec<U> {
    left.iter()
        .zip(right)
        .map(|(&a, &b)| function(a, b))
        .collect()
}
