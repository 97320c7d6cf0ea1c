//! The values that flow through a graph.

use std::sync::Arc;

use noops_core::Error;

use super::error::{corrupt, failed, unsupported};
use super::proto::TensorProto;

/// A dense row-major tensor. The first axis of what depends on the input is the rows.
///
/// Every integer type is held as `i64`. The maps of a `ZipMap` are held as the matrix they were made of, one column per class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    shape: Vec<usize>,
    data: Data,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
    Bool(Vec<bool>),
    Text(Vec<Arc<str>>),
}

impl Tensor {
    /// Values in row-major order. Refuses a shape that the values do not fill.
    pub(super) fn new(shape: Vec<usize>, data: Data) -> Result<Self, Error> {
        if elements(&shape)? == data.len() {
            return Ok(Self { shape, data });
        }
        Err(failed("the values do not fill the shape")
            .with("shape", format_args!("{shape:?}"))
            .with("values", data.len()))
    }

    pub(super) fn scalar(data: Data) -> Result<Self, Error> {
        Self::new(Vec::new(), data)
    }

    /// The values of an initializer or of an attribute.
    pub(super) fn from_proto(proto: &TensorProto) -> Result<Self, Error> {
        let named = |error: Error| error.with("tensor", &proto.name);
        if proto.external {
            return Err(named(unsupported(
                "the weights of a tensor are in another file; store them in the model",
            )));
        }
        let dims = proto.dims.iter().map(|&dim| usize::try_from(dim));
        let shape = dims.collect::<Result<Vec<usize>, _>>();
        let shape = shape.map_err(|_| named(corrupt("a tensor has a negative dimension")))?;
        let count = shape
            .iter()
            .try_fold(1_usize, |all, &dim| all.checked_mul(dim));
        let data = Data::from_proto(proto).map_err(named)?;
        if count != Some(data.len()) {
            return Err(
                named(corrupt("the values of a tensor do not fill its shape"))
                    .with("shape", format_args!("{shape:?}"))
                    .with("values", data.len()),
            );
        }
        Ok(Self { shape, data })
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(super) fn rank(&self) -> usize {
        self.shape.len()
    }

    pub(super) fn data(&self) -> &Data {
        &self.data
    }

    pub(super) fn into_data(self) -> Data {
        self.data
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    /// The same values in another shape.
    pub(super) fn reshaped(&self, shape: Vec<usize>) -> Result<Self, Error> {
        Self::new(shape, self.data.clone())
    }

    /// The number of rows and of columns, with a vector as a single row, as the operators of ONNX-ML see their input.
    pub(super) fn matrix(&self) -> Result<(usize, usize), Error> {
        match self.shape.as_slice() {
            [columns] => Ok((1, *columns)),
            [rows, columns] => Ok((*rows, *columns)),
            shape => Err(failed("the input is no matrix").with("shape", format_args!("{shape:?}"))),
        }
    }

    /// Where axis `axis`, which counts from the end if it is negative, is.
    pub(super) fn axis(&self, axis: i64) -> Result<usize, Error> {
        axis_of(axis, self.rank())
    }

    /// The sizes before, at and behind an axis.
    pub(super) fn around(&self, axis: usize) -> (usize, usize, usize) {
        let outer = self.shape.iter().take(axis).product();
        let size = self.shape.get(axis).copied().unwrap_or(1);
        let inner = self.shape.iter().skip(axis + 1).product();
        (outer, size, inner)
    }

    /// The values as singles, from numbers of any kind.
    pub(super) fn singles(&self) -> Result<Vec<f32>, Error> {
        match &self.data {
            Data::F32(values) => Ok(values.clone()),
            Data::F64(values) => Ok(values.iter().map(|&value| value as f32).collect()),
            Data::I64(values) => Ok(values.iter().map(|&value| value as f32).collect()),
            Data::Bool(values) => Ok(values
                .iter()
                .map(|&value| f32::from(u8::from(value)))
                .collect()),
            Data::Text(_) => Err(failed("text was given where numbers are wanted")),
        }
    }

    /// The values as doubles, from numbers of any kind.
    pub(super) fn doubles(&self) -> Result<Vec<f64>, Error> {
        match &self.data {
            Data::F32(values) => Ok(values.iter().map(|&value| f64::from(value)).collect()),
            Data::F64(values) => Ok(values.clone()),
            Data::I64(values) => Ok(values.iter().map(|&value| value as f64).collect()),
            Data::Bool(values) => Ok(values
                .iter()
                .map(|&value| f64::from(u8::from(value)))
                .collect()),
            Data::Text(_) => Err(failed("text was given where numbers are wanted")),
        }
    }

    /// Whole numbers, as shapes, axes and indices are given.
    pub(super) fn integers(&self) -> Result<&[i64], Error> {
        match &self.data {
            Data::I64(values) => Ok(values),
            _ => Err(failed("whole numbers are wanted")),
        }
    }
}

impl Data {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    fn from_proto(proto: &TensorProto) -> Result<Self, Error> {
        Ok(
            match (ElementKind::from_code(proto.data_type)?, proto.data_type) {
                (ElementKind::F32, _) if proto.raw.is_empty() => Self::F32(proto.floats.clone()),
                (ElementKind::F32, _) => Self::F32(raw(&proto.raw, f32::from_le_bytes)?),
                (ElementKind::F64, _) if proto.raw.is_empty() => Self::F64(proto.doubles.clone()),
                (ElementKind::F64, _) => Self::F64(raw(&proto.raw, f64::from_le_bytes)?),
                (ElementKind::Text, _) => Self::Text(texts(&proto.texts)?),
                (ElementKind::Bool, _) if proto.raw.is_empty() => {
                    Self::Bool(proto.ints.iter().map(|&value| value != 0).collect())
                }
                (ElementKind::Bool, _) => {
                    Self::Bool(proto.raw.iter().map(|&byte| byte != 0).collect())
                }
                (ElementKind::I64, code) if proto.raw.is_empty() => {
                    let wide = matches!(code, 7 | 12 | 13);
                    Self::I64(if wide {
                        proto.longs.clone()
                    } else {
                        proto.ints.clone()
                    })
                }
                (ElementKind::I64, code) => Self::I64(match code {
                    2 => raw(&proto.raw, |bytes| i64::from(u8::from_le_bytes(bytes)))?,
                    3 => raw(&proto.raw, |bytes| i64::from(i8::from_le_bytes(bytes)))?,
                    4 => raw(&proto.raw, |bytes| i64::from(u16::from_le_bytes(bytes)))?,
                    5 => raw(&proto.raw, |bytes| i64::from(i16::from_le_bytes(bytes)))?,
                    6 => raw(&proto.raw, |bytes| i64::from(i32::from_le_bytes(bytes)))?,
                    12 => raw(&proto.raw, |bytes| i64::from(u32::from_le_bytes(bytes)))?,
                    _ => raw(&proto.raw, i64::from_le_bytes)?,
                }),
            },
        )
    }
}

/// What the elements of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ElementKind {
    F32,
    F64,
    I64,
    Bool,
    Text,
}

impl ElementKind {
    /// The kind behind a code of `TensorProto.DataType`.
    pub(super) fn from_code(code: i64) -> Result<Self, Error> {
        match code {
            1 => Ok(Self::F32),
            2..=7 | 12 | 13 => Ok(Self::I64),
            8 => Ok(Self::Text),
            9 => Ok(Self::Bool),
            11 => Ok(Self::F64),
            10 | 14..=64 => {
                Err(unsupported("a tensor has elements of an unsupported type").with("type", code))
            }
            _ => Err(corrupt("a tensor has elements of an unknown type").with("type", code)),
        }
    }
}

/// How many elements a shape has, as far as this is bounded.
pub(super) fn elements(shape: &[usize]) -> Result<usize, Error> {
    let count = shape
        .iter()
        .try_fold(1_usize, |all, &dim| all.checked_mul(dim));
    count.filter(|&count| count <= MAX_ELEMENTS).ok_or_else(|| {
        failed("a value would be too large").with("shape", format_args!("{shape:?}"))
    })
}

/// Where axis `axis`, which counts from the end if it is negative, is among `rank`.
pub(super) fn axis_of(axis: i64, rank: usize) -> Result<usize, Error> {
    let size = i64::try_from(rank).unwrap_or(i64::MAX);
    let place = if axis < 0 {
        axis.checked_add(size)
    } else {
        Some(axis)
    };
    let place = place.filter(|place| (0..size).contains(place));
    place
        .and_then(|place| usize::try_from(place).ok())
        .ok_or_else(|| {
            failed("an axis is out of range")
                .with("axis", axis)
                .with("axes", rank)
        })
}

/// Texts of bytes.
pub(super) fn texts(bytes: &[Vec<u8>]) -> Result<Vec<Arc<str>>, Error> {
    let texts = bytes
        .iter()
        .map(|bytes| std::str::from_utf8(bytes).map(Arc::from));
    let texts = texts.collect::<Result<_, _>>();
    texts.map_err(|error| corrupt("a text is not UTF-8").caused_by(error))
}

fn raw<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Result<Vec<T>, Error> {
    let (numbers, []) = bytes.as_chunks::<N>() else {
        return Err(corrupt("the raw values of a tensor end within one"));
    };
    Ok(numbers.iter().map(|bytes| number(*bytes)).collect())
}

/// The most elements a value may have: far above what a classical model needs for a few rows, and far below what would hurt.
const MAX_ELEMENTS: usize = 1 << 24;
