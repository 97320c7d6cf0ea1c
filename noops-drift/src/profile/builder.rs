mod column;
#[cfg(test)]
mod tests;

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use self::column::ColumnBuilder;
pub(super) use self::column::Seen;
use super::settings::ProfileSettings;
use super::{Profile, first_duplicate};
use crate::error::DriftError;
use crate::frame::{Frame, Numbers, Values};

/// Learns a [`Profile`] from batches as they come, on one machine or on many.
///
/// Builders merge exactly: any split of the rows over builders, merged in any order, finishes as the same profile, byte for byte, with
/// the same digest. A batch without rows leaves no trace. With [`Quantiles::Bounded`](crate::Quantiles::Bounded) a column of numbers takes bounded memory, whatever the
/// number of rows; without, all its distinct numbers are held, of all columns at once.
///
/// A builder may be stored and resumed at any time. It holds distinct values of the data: treat a stored one as you treat the data. Name the
/// columns in the settings when the batches do not all have the same ones in the same order.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{ArrayRef, Float64Array, RecordBatch};
/// use noops_drift::{ProfileBuilder, ProfileSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let batch = |values: Vec<f64>| {
///     let x: ArrayRef = Arc::new(Float64Array::from(values));
///     RecordBatch::try_from_iter([("x", x)])
/// };
/// let settings = ProfileSettings::default();
/// let mut whole = ProfileBuilder::new(settings.clone());
/// whole.observe(&batch(vec![1.0, 2.0, 3.0, 4.0])?)?;
///
/// let (mut here, mut there) = (ProfileBuilder::new(settings.clone()), ProfileBuilder::new(settings));
/// here.observe(&batch(vec![4.0, 1.0])?)?;
/// there.observe(&batch(vec![3.0, 2.0])?)?;
/// there.merge(&here)?;
/// assert_eq!(there.finish()?.digest(), whole.finish()?.digest());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct ProfileBuilder {
    settings: ProfileSettings,
    rows: u64,
    columns: Option<Vec<ColumnBuilder>>,
}

impl ProfileBuilder {
    /// Starts without a row.
    #[must_use]
    pub fn new(settings: ProfileSettings) -> Self {
        Self {
            settings,
            rows: 0,
            columns: None,
        }
    }

    /// Adds the rows of a batch. The columns are those of the settings, or else those of the first batch.
    ///
    /// # Errors
    ///
    /// [`DriftError::MissingColumn`], [`DriftError::DuplicateColumn`], [`DriftError::UnsupportedType`],
    /// [`DriftError::TypeChanged`] or [`DriftError::TooManyCategories`] naming the column. Nothing is added then.
    ///
    /// # Complexity
    ///
    /// O(log n) amortised per value.
    pub fn observe(&mut self, batch: &RecordBatch) -> Result<(), DriftError> {
        let frame = Frame::new(batch);
        let names: Vec<String> = match (&self.columns, self.settings.columns()) {
            (Some(columns), _) => columns.iter().map(|column| column.name.clone()).collect(),
            (None, Some(names)) => names.to_vec(),
            (None, None) => batch
                .schema_ref()
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect(),
        };
        if let Some(column) = first_duplicate(&names) {
            return Err(DriftError::DuplicateColumn { column });
        }
        let mut values = Vec::with_capacity(names.len());
        for name in &names {
            let data_type = frame.array(name)?.data_type().to_string();
            values.push((frame.values(name)?, data_type));
        }
        self.observe_columns(&names, &values, batch.num_rows() as u64)
    }

    /// Adds numbers to the one column `name`.
    ///
    /// # Errors
    ///
    /// As of [`observe`](Self::observe).
    pub fn observe_values(&mut self, name: &str, values: &[f64]) -> Result<(), DriftError> {
        let column = (
            Values::Number(Numbers::of_slice(values)),
            "Float64".to_owned(),
        );
        self.observe_columns(&[name.to_owned()], &[column], values.len() as u64)
    }

    /// Adds the rows of a view, whose columns have these names.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] unless there is a name for each column, and as of [`observe`](Self::observe).
    #[cfg(feature = "ndarray")]
    pub fn observe_array(
        &mut self,
        names: &[&str],
        rows: ndarray::ArrayView2<'_, f64>,
    ) -> Result<(), DriftError> {
        let columns = crate::array::columns(rows, names.len())?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        if let Some(column) = first_duplicate(&names) {
            return Err(DriftError::DuplicateColumn { column });
        }
        let values: Vec<(Values<'_>, String)> = columns
            .iter()
            .map(|column| {
                (
                    Values::Number(Numbers::of_slice(column)),
                    "Float64".to_owned(),
                )
            })
            .collect();
        self.observe_columns(&names, &values, rows.nrows() as u64)
    }

    fn observe_columns(
        &mut self,
        names: &[String],
        values: &[(Values<'_>, String)],
        rows: u64,
    ) -> Result<(), DriftError> {
        let fresh: Vec<ColumnBuilder> = match &self.columns {
            Some(_) => Vec::new(),
            None => names
                .iter()
                .zip(values)
                .map(|(name, (values, _))| ColumnBuilder::new(name, values, &self.settings))
                .collect(),
        };
        let columns = self.columns.as_ref().unwrap_or(&fresh);
        check_names(columns, names.iter().map(String::as_str))?;
        columns
            .iter()
            .zip(values)
            .try_for_each(|(column, (values, data_type))| {
                column.check(values, data_type, &self.settings)
            })?;
        // Kinds and types are those of rows, so that it does not matter where empty batches come.
        if rows > 0 {
            let columns = self.columns.get_or_insert(fresh);
            for (column, (values, data_type)) in columns.iter_mut().zip(values) {
                column.observe(values, data_type);
            }
            self.rows = self.rows.saturating_add(rows);
        }
        Ok(())
    }

    /// Adds what another builder has seen.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for a builder of other settings, [`DriftError::MissingColumn`] or
    /// [`DriftError::TypeChanged`] for one that saw other columns, [`DriftError::TooManyCategories`]. Nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), DriftError> {
        if self.settings != other.settings {
            return Err(DriftError::InvalidInput {
                input: "builder",
                reason: "has other settings; start all builders of a profile with the same"
                    .to_owned(),
            });
        }
        let Some(theirs) = &other.columns else {
            return Ok(());
        };
        let Some(ours) = &mut self.columns else {
            self.columns = Some(theirs.clone());
            self.rows = other.rows;
            return Ok(());
        };
        check_names(ours, theirs.iter().map(|column| column.name.as_str()))?;
        for (our, their) in ours.iter().zip(theirs) {
            our.check_merge(their, &self.settings)?;
        }
        for (our, their) in ours.iter_mut().zip(theirs) {
            our.merge(their);
        }
        self.rows = self.rows.saturating_add(other.rows);
        Ok(())
    }

    /// Rows seen.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The profile of what was seen.
    ///
    /// # Errors
    ///
    /// [`DriftError::NoRows`] without a row.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n distinct values.
    pub fn finish(self) -> Result<Profile, DriftError> {
        if self.rows == 0 {
            return Err(DriftError::NoRows);
        }
        let columns = self.columns.unwrap_or_default();
        let columns = columns
            .into_iter()
            .map(|column| column.finish(&self.settings))
            .collect();
        Ok(Profile::of_columns(self.rows, columns))
    }
}

/// Fails unless a builder's columns have these names, in this order.
fn check_names<'a>(
    columns: &[ColumnBuilder],
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), DriftError> {
    let ours = || columns.iter().map(|column| column.name.as_str());
    if ours().eq(names.clone()) {
        return Ok(());
    }
    let missing = ours()
        .find(|our| names.clone().all(|name| name != *our))
        .or_else(|| names.clone().find(|name| ours().all(|our| our != *name)));
    Err(match missing {
        Some(column) => DriftError::MissingColumn {
            column: column.to_owned(),
        },
        None => DriftError::InvalidInput {
            input: "columns",
            reason: "has the columns in another order; pass them in one order, or name them in the settings"
                .to_owned(),
        },
    })
}

/// What a builder is read from, before it is checked.
#[derive(Deserialize)]
struct Stored {
    settings: ProfileSettings,
    rows: u64,
    columns: Option<Vec<ColumnBuilder>>,
}

impl TryFrom<Stored> for ProfileBuilder {
    type Error = DriftError;

    fn try_from(stored: Stored) -> Result<Self, DriftError> {
        let refused = |reason: String| {
            Err(DriftError::InvalidState {
                state: "profile builder",
                reason,
            })
        };
        let columns = stored.columns.as_deref().unwrap_or_default();
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        if let Some(column) = first_duplicate(&names) {
            return refused(format!("column `{column}` is there twice"));
        }
        if stored.columns.is_some() != (stored.rows > 0) {
            return refused("it has columns without rows, or rows without columns".to_owned());
        }
        for column in columns {
            if let Some(contradiction) = column.contradiction(stored.rows, &stored.settings) {
                return refused(format!("column `{}`: {contradiction}", column.name));
            }
        }
        Ok(Self {
            settings: stored.settings,
            rows: stored.rows,
            columns: stored.columns,
        })
    }
}
