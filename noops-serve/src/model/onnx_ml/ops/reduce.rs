//! Many numbers to one, along axes.

use std::cmp::Ordering;

use noops_core::Error;

use super::indexing::pick;
use super::{Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, Tensor};

/// What is done to each number, how two are put together, and what is done to the result with the number of numbers.
struct Reduction {
    before: fn(f64) -> f64,
    fold: fn(f64, f64) -> f64,
    after: fn(f64, f64) -> f64,
}

impl Reduction {
    fn of(kind: &str) -> Self {
        let sum = Self {
            before: |x| x,
            fold: |a, b| a + b,
            after: |x, _| x,
        };
        match kind {
            "ReduceL1" => Self {
                before: f64::abs,
                ..sum
            },
            "ReduceL2" => Self {
                before: |x| x * x,
                after: |x, _| x.sqrt(),
                ..sum
            },
            "ReduceLogSum" => Self {
                after: |x, _| x.ln(),
                ..sum
            },
            "ReduceLogSumExp" => Self {
                fold: log_add_exp,
                ..sum
            },
            "ReduceMax" => Self {
                fold: |a, b| if a >= b || a.is_nan() { a } else { b },
                ..sum
            },
            "ReduceMean" => Self {
                after: |x, count| x / count,
                ..sum
            },
            "ReduceMin" => Self {
                fold: |a, b| if a <= b || a.is_nan() { a } else { b },
                ..sum
            },
            "ReduceProd" => Self {
                fold: |a, b| a * b,
                ..sum
            },
            "ReduceSumSquare" => Self {
                before: |x| x * x,
                ..sum
            },
            _ => sum,
        }
    }
}

/// `ln(exp(a) + exp(b))`, where neither may be representable.
fn log_add_exp(a: f64, b: f64) -> f64 {
    let (most, least) = if a >= b { (a, b) } else { (b, a) };
    if most.is_finite() {
        most + (least - most).exp().ln_1p()
    } else {
        most
    }
}

/// Numbers are put together in double precision, whole ones too, and leave in the type they came in.
pub(super) fn reduce(node: &Node<'_>) -> Result<Run, Error> {
    let reduction = Reduction::of(node.kind());
    let attribute = node.ints("axes")?.to_vec();
    let keep = node.flag("keepdims", true)?;
    let idle = node.flag("noop_with_empty_axes", false)?;
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let asked = match inputs.maybe(1) {
            Some(axes) => axes.integers()?,
            None => &attribute,
        };
        if asked.is_empty() && idle {
            return Ok(input.clone());
        }
        let mut axes = asked
            .iter()
            .map(|&axis| input.axis(axis))
            .collect::<Result<Vec<usize>, _>>()?;
        if axes.is_empty() {
            axes = (0..input.rank()).collect();
        }
        let mut values = input.doubles()?;
        values
            .iter_mut()
            .for_each(|value| *value = (reduction.before)(*value));
        let mut shape = input.shape().to_vec();
        let mut count = 1.0;
        for (axis, &size) in input
            .shape()
            .iter()
            .enumerate()
            .filter(|(axis, _)| axes.contains(axis))
        {
            if size == 0 {
                return Err(failed("there is nothing along an axis").with("axis", axis));
            }
            count *= size as f64;
            let inner = shape.iter().skip(axis + 1).product();
            values = folded(&values, size, inner, reduction.fold);
            if let Some(dim) = shape.get_mut(axis) {
                *dim = 1;
            }
        }
        values
            .iter_mut()
            .for_each(|value| *value = (reduction.after)(*value, count));
        if !keep {
            let dims = shape
                .iter()
                .enumerate()
                .filter(|(axis, _)| !axes.contains(axis));
            shape = dims.map(|(_, dim)| *dim).collect();
        }
        let data = match input.data() {
            Data::F32(_) => Data::F32(values.into_iter().map(|value| value as f32).collect()),
            Data::I64(_) => Data::I64(values.into_iter().map(|value| value as i64).collect()),
            _ => Data::F64(values),
        };
        Tensor::new(shape, data)
    }))
}

fn folded(values: &[f64], size: usize, inner: usize, fold: fn(f64, f64) -> f64) -> Vec<f64> {
    let mut result = Vec::with_capacity(values.len() / size);
    for block in values.chunks_exact((size * inner).max(1)) {
        let lanes =
            (0..inner).map(|lane| block.iter().skip(lane).step_by(inner).copied().reduce(fold));
        result.extend(lanes.flatten());
    }
    result
}

/// The place of the largest or the least along an axis.
pub(super) fn arg(node: &Node<'_>) -> Result<Run, Error> {
    let axis = node.int("axis")?.unwrap_or(0);
    let keep = node.flag("keepdims", true)?;
    let last = node.flag("select_last_index", false)?;
    let wanted = if node.kind() == "ArgMax" {
        Ordering::Greater
    } else {
        Ordering::Less
    };
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let axis = input.axis(axis)?;
        let lanes = lanes(input, axis)?;
        let best = lanes.iter().map(|lane| {
            let mut best: Option<(i64, f64)> = None;
            for (index, &value) in (0_i64..).zip(lane) {
                let better = best.is_none_or(|(_, most)| match value.partial_cmp(&most) {
                    Some(Ordering::Equal) => last,
                    order => order == Some(wanted),
                });
                if better {
                    best = Some((index, value));
                }
            }
            best.map_or(0, |(index, _)| index)
        });
        let data = Data::I64(best.collect());
        let mut shape = input.shape().to_vec();
        if keep {
            shape.get_mut(axis).into_iter().for_each(|dim| *dim = 1);
        } else {
            shape.remove(axis);
        }
        Tensor::new(shape, data)
    }))
}

/// The values along an axis, for each place around it.
fn lanes(input: &Tensor, axis: usize) -> Result<Vec<Vec<f64>>, Error> {
    let (_, size, inner) = input.around(axis);
    if size == 0 || inner == 0 {
        return Err(failed("there is nothing along an axis").with("axis", axis));
    }
    let values = input.doubles()?;
    let blocks = values.chunks_exact(size * inner);
    let lanes = blocks.flat_map(|block| {
        (0..inner).map(|lane| block.iter().skip(lane).step_by(inner).copied().collect())
    });
    Ok(lanes.collect())
}

/// The largest or least `k` along an axis with their places, the best first; of equals, the first.
pub(super) fn top(node: &Node<'_>) -> Result<Run, Error> {
    let axis = node.int("axis")?.unwrap_or(-1);
    let attribute = node.int("k")?;
    let largest = node.flag("largest", true)?;
    Ok(Box::new(move |inputs| {
        let input = inputs.at(0)?;
        let axis = input.axis(axis)?;
        let asked = match inputs.maybe(1) {
            Some(k) => k.integers()?.first().copied(),
            None => attribute,
        };
        let (outer, size, inner) = input.around(axis);
        let k = asked
            .and_then(|k| usize::try_from(k).ok())
            .filter(|k| *k <= size);
        let k = k.ok_or_else(|| failed("`TopK` asks for more than there is").with("size", size))?;
        let mut ranked = Vec::with_capacity(outer.saturating_mul(inner));
        for lane in lanes(input, axis)? {
            let mut order: Vec<(usize, f64)> = lane.into_iter().enumerate().collect();
            let by = |a: &(usize, f64), b: &(usize, f64)| {
                if largest {
                    b.1.total_cmp(&a.1)
                } else {
                    a.1.total_cmp(&b.1)
                }
            };
            order.sort_by(by);
            order.truncate(k);
            ranked.push(
                order
                    .into_iter()
                    .map(|(index, _)| index)
                    .collect::<Vec<_>>(),
            );
        }
        let mut shape = input.shape().to_vec();
        shape.get_mut(axis).into_iter().for_each(|dim| *dim = k);
        let (mut places, mut indices) = (Vec::new(), Vec::new());
        for (block, lanes) in ranked.chunks(inner.max(1)).enumerate() {
            for rank in 0..k {
                for (lane, order) in lanes.iter().enumerate() {
                    let index = order.get(rank).copied().unwrap_or(0);
                    places.push((block * size + index) * inner + lane);
                    indices.push(i64::try_from(index).unwrap_or(i64::MAX));
                }
            }
        }
        let values = Tensor::new(shape.clone(), pick(input.data(), places.into_iter()))?;
        Ok(vec![values, Tensor::new(shape, Data::I64(indices))?])
    }))
}
