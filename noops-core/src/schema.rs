//! What a table of features looks like.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

use crate::column::{NumberColumn, TextColumn};
use crate::error::{Error, ErrorKind};

/// The kind of a feature, with what is known of its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureKind {
    /// A number, with the smallest and largest value that was seen or is allowed.
    Number {
        /// The smallest value.
        min: f64,
        /// The largest value.
        max: f64,
    },
    /// One of a known list of texts.
    Category {
        /// The known values, in the order of their codes.
        categories: Vec<String>,
    },
}

/// One named input of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    name: String,
    #[serde(flatten)]
    kind: FeatureKind,
}

impl Feature {
    /// A number in any range.
    #[must_use]
    pub fn number(name: impl Into<String>) -> Self {
        Self::number_between(name, f64::MIN, f64::MAX)
    }

    /// A number between two bounds, both included.
    #[must_use]
    pub fn number_between(name: impl Into<String>, min: f64, max: f64) -> Self {
        Self {
            name: name.into(),
            kind: FeatureKind::Number { min, max },
        }
    }

    /// One of `categories`.
    #[must_use]
    pub fn category(name: impl Into<String>, categories: impl IntoIterator<Item = String>) -> Self {
        Self {
            name: name.into(),
            kind: FeatureKind::Category {
                categories: categories.into_iter().collect(),
            },
        }
    }

    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind, with what is known of the values.
    #[must_use]
    pub fn kind(&self) -> &FeatureKind {
        &self.kind
    }
}

/// The named inputs of a model, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Feature>", into = "Vec<Feature>")]
pub struct Schema {
    features: Vec<Feature>,
}

impl Schema {
    /// A schema of some features.
    ///
    /// # Errors
    ///
    /// Refuses two features of one name, and a number whose bounds are out of order, infinite or NaN.
    pub fn new(features: impl IntoIterator<Item = Feature>) -> Result<Self, Error> {
        let features: Vec<Feature> = features.into_iter().collect();
        let mut seen = BTreeSet::new();
        for feature in &features {
            if !seen.insert(feature.name()) {
                return Err(
                    invalid("two features have the same name").with("feature", feature.name())
                );
            }
            let FeatureKind::Number { min, max } = feature.kind() else {
                continue;
            };
            if min.partial_cmp(max).is_none_or(|order| order.is_gt()) {
                return Err(invalid("the bounds are out of order").with("feature", feature.name()));
            }
            // JSON has no word for infinity, so what is written could not be read again.
            if min.is_infinite() || max.is_infinite() {
                let message = "a bound is infinite; the largest finite number leaves a range open";
                return Err(invalid(message).with("feature", feature.name()));
            }
        }
        Ok(Self { features })
    }

    /// Reads a schema off example data: numeric columns get their observed range, text columns their observed values in
    /// lexical order.
    ///
    /// # Errors
    ///
    /// Refuses data without rows, a column of another type, and a numeric column without a single finite value: nothing can
    /// be inferred from those.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use arrow_array::{Float64Array, RecordBatch, StringArray};
    /// use noops_core::{FeatureKind, Schema};
    ///
    /// let rows = RecordBatch::try_from_iter([
    ///     ("amount", Arc::new(Float64Array::from(vec![Some(3.0), None, Some(9.0)])) as _),
    ///     ("country", Arc::new(StringArray::from(vec!["se", "de", "se"])) as _),
    /// ])?;
    /// let schema = Schema::infer(&[rows])?;
    /// assert_eq!(schema.features()[0].kind(), &FeatureKind::Number { min: 3.0, max: 9.0 });
    /// assert_eq!(schema.features()[1].kind(), &FeatureKind::Category { categories: vec!["de".into(), "se".into()] });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn infer(batches: &[RecordBatch]) -> Result<Self, Error> {
        let first = batches
            .iter()
            .find(|batch| batch.num_rows() > 0)
            .ok_or_else(|| infer_error("there are no rows"))?;
        let features = first
            .schema()
            .fields()
            .iter()
            .map(|field| infer_feature(field.name(), field.data_type(), batches))
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(features)
    }

    /// The features in order.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The feature of a name.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<&Feature> {
        self.features.iter().find(|feature| feature.name() == name)
    }
}

impl TryFrom<Vec<Feature>> for Schema {
    type Error = Error;

    fn try_from(features: Vec<Feature>) -> Result<Self, Error> {
        Self::new(features)
    }
}

impl From<Schema> for Vec<Feature> {
    fn from(schema: Schema) -> Self {
        schema.features
    }
}

fn infer_feature(
    name: &str,
    data_type: &DataType,
    batches: &[RecordBatch],
) -> Result<Feature, Error> {
    let columns = batches
        .iter()
        .filter(|batch| batch.num_rows() > 0)
        .map(|batch| {
            batch
                .column_by_name(name)
                .ok_or_else(|| infer_error("a later batch lacks the column").with("column", name))
        });
    if TextColumn::accepts(data_type) {
        let mut categories = BTreeMap::new();
        for column in columns {
            let column = column?;
            let texts = TextColumn::try_new(column.as_ref())
                .ok_or_else(|| infer_error("the column changes its type").with("column", name))?;
            for row in 0..column.len() {
                if let Some(text) = texts.value(row)
                    && !categories.contains_key(text)
                {
                    categories.insert(text.to_owned(), ());
                }
            }
        }
        return Ok(Feature::category(name, categories.into_keys()));
    }
    let mut range: Option<(f64, f64)> = None;
    for column in columns {
        let numbers = NumberColumn::try_new(column?.as_ref()).ok_or_else(|| {
            infer_error("only numbers, booleans and text can be features")
                .with("column", name)
                .with("type", data_type)
        })?;
        for value in numbers.iter().flatten().filter(|value| value.is_finite()) {
            range = Some(range.map_or((value, value), |(min, max)| {
                (min.min(value), max.max(value))
            }));
        }
    }
    let (min, max) =
        range.ok_or_else(|| infer_error("the column has no finite value").with("column", name))?;
    Ok(Feature::number_between(name, min, max))
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "build a schema", message)
}

fn infer_error(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "infer a schema", message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int32Type;
    use arrow_array::{Float64Array, Int16Array, ListArray, NullArray};

    use super::*;

    #[test]
    fn a_column_of_nulls_cannot_be_inferred() {
        let rows = RecordBatch::try_from_iter([(
            "x",
            Arc::new(Float64Array::from(vec![None, Some(f64::NAN)])) as _,
        )])
        .unwrap();
        assert_eq!(
            Schema::infer(&[rows]).unwrap_err().to_string(),
            "cannot infer a schema: the column has no finite value (column `x`)"
        );
        let rows = RecordBatch::try_from_iter([("x", Arc::new(NullArray::new(2)) as _)]).unwrap();
        assert!(Schema::infer(&[rows]).is_err());
    }

    #[test]
    fn structured_columns_are_refused_by_name() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1)])]);
        let rows = RecordBatch::try_from_iter([
            ("n", Arc::new(Int16Array::from(vec![1])) as _),
            ("xs", Arc::new(list) as _),
        ])
        .unwrap();
        assert!(
            Schema::infer(&[rows])
                .unwrap_err()
                .to_string()
                .contains("column `xs`")
        );
    }

    #[test]
    fn twins_and_reversed_bounds_are_refused() {
        assert!(Schema::new([Feature::number("x"), Feature::number("x")]).is_err());
        assert!(Schema::new([Feature::number_between("x", 2.0, 1.0)]).is_err());
        assert!(Schema::new([Feature::number_between("x", f64::NAN, 1.0)]).is_err());
    }
}
