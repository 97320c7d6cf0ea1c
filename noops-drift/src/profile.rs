mod binning;
mod builder;
mod column;
mod distinct;
mod edges;
mod moments;
mod runs;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use noops_core::Digest;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::binning::{Binning, ValueRange};
pub use self::builder::ProfileBuilder;
pub use self::column::{ColumnProfile, Frequency, Quantile};
pub use self::distinct::Distinct;
pub use self::moments::Moments;
pub use self::settings::{ProfileSettings, Quantiles};
use crate::column_counts::NumberCounter;
use crate::error::DriftError;

/// What the model learned from: a small summary of a reference frame, fixed once and compared with ever after.
///
/// Numbers are cut at quantiles of the reference, categories are listed, and nulls and non-finite numbers are counted
/// on their own. The bins never depend on later data, so counts of later data add up exactly and two days are
/// comparable. A profile is immutable and known by its [`digest`](Profile::digest); a new reference is a new profile.
///
/// A profile of every column of a frame has no room for identifiers and time stamps: name the columns that matter with
/// [`ProfileSettings::with_columns`].
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
/// use noops_drift::{Profile, ProfileSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let age: ArrayRef = Arc::new(Float64Array::from(vec![Some(31.0), Some(44.0), None, Some(58.0)]));
/// let city: ArrayRef = Arc::new(StringArray::from(vec!["Graz", "Linz", "Graz", "Wien"]));
/// let frame = RecordBatch::try_from_iter([("age", age), ("city", city)])?;
///
/// let profile = Profile::fit(&[frame], &ProfileSettings::default())?;
/// assert_eq!(profile.rows(), 4);
/// assert_eq!(profile.column("age").map(|column| column.counts().missing()), Some(1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Profile {
    body: Body,
    digest: Digest,
    /// Made of the body, for counting; nothing for a column of texts.
    counters: Vec<Option<NumberCounter>>,
}

impl Profile {
    /// Learns the profile of a reference frame that comes in one or more batches.
    ///
    /// Columns may be floating point (of 32 or 64 bits), integer, boolean (as 0 and 1), date, time, duration or timestamp (as a count of its
    /// unit, which must stay the same), or text, plain or in a dictionary. Integers beyond 2^53 are rounded to the nearest double. A reference that does
    /// not fit in memory is learned by a [`ProfileBuilder`].
    ///
    /// # Errors
    ///
    /// [`DriftError::NoRows`] without a row, [`DriftError::UnsupportedType`] for a column of another type,
    /// [`DriftError::DuplicateColumn`] for a name that two columns of the profile or of a batch have,
    /// [`DriftError::MissingColumn`] and [`DriftError::TypeChanged`] where the batches disagree.
    ///
    /// # Complexity
    ///
    /// O(n log n) per column for the exact quantiles. The distinct finite values of all columns are held in memory; see
    /// [`Quantiles`] for how much that takes, and for how to bound it.
    pub fn fit(batches: &[RecordBatch], settings: &ProfileSettings) -> Result<Self, DriftError> {
        let mut builder = ProfileBuilder::new(settings.clone());
        for batch in batches {
            builder.observe(batch)?;
        }
        builder.finish()
    }

    /// Learns the profile of plain numbers, such as the scores of a model; NaN and infinities are counted apart.
    ///
    /// # Errors
    ///
    /// [`DriftError::NoRows`] without a value.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_drift::{Counts, Profile, ProfileSettings};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let scores: Vec<f64> = (0..1_000).map(|i| f64::from(i) / 1_000.0).collect();
    /// let profile = Profile::of_values("score", &scores, &ProfileSettings::default())?;
    /// let mut today = Counts::new(&profile);
    /// today.observe_value(&profile, 0.25)?;
    /// assert_eq!(today.rows(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_values(
        name: impl Into<String>,
        values: &[f64],
        settings: &ProfileSettings,
    ) -> Result<Self, DriftError> {
        let mut builder = ProfileBuilder::new(settings.clone());
        builder.observe_values(&name.into(), values)?;
        builder.finish()
    }

    /// What the profile is known by: a hash of everything in it.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The version of the profile's form; profiles of another version are refused when read.
    pub fn version(&self) -> u32 {
        self.body.version
    }

    /// Rows of the reference.
    pub fn rows(&self) -> u64 {
        self.body.rows
    }

    /// The columns, in the order of the reference frame or of the settings.
    pub fn columns(&self) -> &[ColumnProfile] {
        &self.body.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.body
            .columns
            .iter()
            .find(|column| column.name() == name)
    }

    fn of_columns(rows: u64, columns: Vec<ColumnProfile>) -> Self {
        Self::from_body(Body {
            version: VERSION,
            rows,
            columns,
        })
    }

    fn from_body(body: Body) -> Self {
        let digest = Digest::of_json(&body);
        let counters = body
            .columns
            .iter()
            .map(|column| NumberCounter::new(column.binning()))
            .collect();
        Self {
            body,
            digest,
            counters,
        }
    }

    pub(crate) fn counters(&self) -> &[Option<NumberCounter>] {
        &self.counters
    }
}

impl PartialEq for Profile {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Body::deserialize(deserializer)?;
        body.validate().map_err(D::Error::custom)?;
        Ok(Self::from_body(body))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Body {
    version: u32,
    rows: u64,
    columns: Vec<ColumnProfile>,
}

impl Body {
    fn validate(&self) -> Result<(), DriftError> {
        if self.version != VERSION {
            let reason = format!("version `{}` is not version `{VERSION}`", self.version);
            return Err(DriftError::InvalidProfile { reason });
        }
        if self.rows == 0 {
            return Err(DriftError::NoRows);
        }
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.name().to_owned())
            .collect();
        if let Some(column) = first_duplicate(&names) {
            return Err(DriftError::DuplicateColumn { column });
        }
        self.columns
            .iter()
            .try_for_each(|column| column.validate(self.rows))
    }
}

fn first_duplicate(names: &[String]) -> Option<String> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    names
        .iter()
        .find(|name| !seen.insert(name.as_str()))
        .cloned()
}

/// Part of every digest: a change of the bins or of the counting rules is a new version.
const VERSION: u32 = 2;
