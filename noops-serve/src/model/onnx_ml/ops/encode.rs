//! Categories in, numbers or other categories out.

use std::collections::HashMap;
use std::sync::Arc;

use noops_core::Error;

use super::{Run, one};
use crate::model::onnx_ml::error::{failed, unsupported};
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::ops::indexing::pick;
use crate::model::onnx_ml::value::{Data, Tensor, elements};

/// A category: floats by their bits, with one zero and one NaN.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Text(Arc<str>),
    Whole(i64),
    Float(u64),
}

impl Key {
    fn float(value: f64) -> Self {
        Self::Float(if value.is_nan() {
            f64::NAN.to_bits()
        } else {
            // Makes the negative zero positive.
            (value + 0.0).to_bits()
        })
    }

    fn all(data: &Data) -> Result<Vec<Self>, Error> {
        Ok(match data {
            Data::Text(values) => values.iter().cloned().map(Self::Text).collect(),
            Data::I64(values) => values.iter().copied().map(Self::Whole).collect(),
            Data::F32(values) => values
                .iter()
                .map(|&value| Self::float(f64::from(value)))
                .collect(),
            Data::F64(values) => values.iter().copied().map(Self::float).collect(),
            Data::Bool(_) => return Err(failed("yes and no are no categories here")),
        })
    }
}

/// From category to category. The default lies behind the values, where the unknown ones are sent.
struct Mapping {
    places: HashMap<Key, usize>,
    values: Data,
}

impl Mapping {
    fn new(keys: &Data, values: &Data, default: &Data) -> Result<Self, Error> {
        if keys.len() != values.len() {
            return Err(super::super::error::corrupt(
                "a mapping has another number of keys than of values",
            )
            .with("keys", keys.len())
            .with("values", values.len()));
        }
        let mut places = HashMap::with_capacity(keys.len());
        for (place, key) in Key::all(keys)?.into_iter().enumerate() {
            // The first of equal keys counts.
            places.entry(key).or_insert(place);
        }
        let values = values.clone().followed_by(default)?;
        Ok(Self { places, values })
    }

    fn apply(&self, input: &Tensor) -> Result<Tensor, Error> {
        let default = self.values.len().saturating_sub(1);
        let keys = Key::all(input.data())?;
        let places = keys
            .iter()
            .map(|key| self.places.get(key).copied().unwrap_or(default));
        Tensor::new(input.shape().to_vec(), pick(&self.values, places))
    }
}

/// One value for each category: the first version knows text and whole numbers, the second pairs of lists, the fourth tensors too.
pub(super) fn label_encoder(node: &Node<'_>) -> Result<Run, Error> {
    let unused = Data::Text(vec![Arc::from(
        node.text("default_string")?.unwrap_or("_Unused"),
    )]);
    let whole = Data::I64(vec![node.int("default_int64")?.unwrap_or(-1)]);
    if node.opset() < 2 {
        let classes = Data::Text(node.texts("classes_strings")?);
        let numbers = Data::I64((0_i64..).take(classes.len()).collect());
        return either_way(&classes, &numbers, &unused, &whole);
    }
    let keys = list(node, "keys")?;
    let values = list(node, "values")?;
    let default = match (node.tensor("default_tensor")?, &values) {
        (Some(default), _) => default.into_data(),
        (None, Data::Text(_)) => unused,
        (None, Data::I64(_)) => whole,
        (None, Data::F64(_)) => Data::F64(vec![-0.0]),
        (None, _) => Data::F32(vec![node.float("default_float")?.unwrap_or(-0.0)]),
    };
    if default.len() != 1 {
        return Err(node.wrong("default_tensor", "must hold one value"));
    }
    let mapping = Mapping::new(&keys, &values, &default)?;
    Ok(one(move |inputs| mapping.apply(inputs.at(0)?)))
}

/// The keys or the values of a mapping, of whichever type they are.
fn list(node: &Node<'_>, name: &'static str) -> Result<Data, Error> {
    let (texts, ints, floats, tensor) = match name {
        "keys" => ("keys_strings", "keys_int64s", "keys_floats", "keys_tensor"),
        _ => (
            "values_strings",
            "values_int64s",
            "values_floats",
            "values_tensor",
        ),
    };
    if let Some(tensor) = node.tensor(tensor)? {
        Ok(tensor.into_data())
    } else if node.has(texts) {
        Ok(Data::Text(node.texts(texts)?))
    } else if node.has(ints) {
        Ok(Data::I64(node.ints(ints)?.to_vec()))
    } else if node.has(floats) {
        Ok(Data::F32(node.floats(floats)?.to_vec()))
    } else {
        Err(node.wrong(tensor, "and its alternatives are missing"))
    }
}

/// Text to whole numbers or the other way, whichever is given.
fn either_way(texts: &Data, numbers: &Data, unused: &Data, whole: &Data) -> Result<Run, Error> {
    let there = Mapping::new(texts, numbers, whole)?;
    let back = Mapping::new(numbers, texts, unused)?;
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        match input.data() {
            Data::Text(_) => there.apply(input),
            _ => back.apply(input),
        }
    }))
}

pub(super) fn category_mapper(node: &Node<'_>) -> Result<Run, Error> {
    let unused = Data::Text(vec![Arc::from(
        node.text("default_string")?.unwrap_or("_Unused"),
    )]);
    let whole = Data::I64(vec![node.int("default_int64")?.unwrap_or(-1)]);
    let texts = Data::Text(node.texts("cats_strings")?);
    let numbers = Data::I64(node.ints("cats_int64s")?.to_vec());
    either_way(&texts, &numbers, &unused, &whole)
}

/// A last axis with a 1 at the place of the category and 0 elsewhere. Numbers are cut to whole ones.
pub(super) fn one_hot(node: &Node<'_>) -> Result<Run, Error> {
    let texts = Data::Text(node.texts("cats_strings")?);
    let numbers = Data::I64(node.ints("cats_int64s")?.to_vec());
    let lenient = node.flag("zeros", true)?;
    let categories = if texts.len() > 0 { texts } else { numbers };
    if categories.len() == 0 {
        return Err(node.wrong("cats_int64s", "or `cats_strings` must have values"));
    }
    let width = categories.len();
    let by_text = matches!(categories, Data::Text(_));
    let keys = Key::all(&categories)?.into_iter().enumerate();
    let places: HashMap<Key, usize> = keys.map(|(place, key)| (key, place)).collect();
    if places.len() != width {
        return Err(unsupported("a one-hot encoder names a category twice"));
    }
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let keys = match input.data() {
            Data::F32(values) => values
                .iter()
                .map(|&value| Key::Whole(value as i64))
                .collect(),
            Data::F64(values) => values
                .iter()
                .map(|&value| Key::Whole(value as i64))
                .collect(),
            other => Key::all(other)?,
        };
        if by_text != matches!(input.data(), Data::Text(_)) {
            return Err(failed("the categories are of another type"));
        }
        let mut shape = input.shape().to_vec();
        shape.push(width);
        let mut hot = vec![0.0_f32; elements(&shape)?];
        for (key, row) in keys.iter().zip(hot.chunks_exact_mut(width)) {
            match self::slot(&places, key, row) {
                Some(cell) => *cell = 1.0,
                None if lenient => {}
                None => {
                    return Err(
                        failed("a category is unknown").with("category", format_args!("{key:?}"))
                    );
                }
            }
        }
        Tensor::new(shape, Data::F32(hot))
    }))
}

fn slot<'a>(places: &HashMap<Key, usize>, key: &Key, row: &'a mut [f32]) -> Option<&'a mut f32> {
    row.get_mut(*places.get(key)?)
}
