use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

/// How a [`Profile`](crate::Profile) is learned.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use noops_drift::ProfileSettings;
///
/// let settings = ProfileSettings::default().with_bins(NonZeroUsize::MIN.saturating_add(19)).with_columns(["age", "city"]);
/// assert_eq!(settings.bins().get(), 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProfileSettings {
    bins: NonZeroUsize,
    max_categories: NonZeroUsize,
    columns: Option<Vec<String>>,
}

impl ProfileSettings {
    /// Sets how many quantile bins a numeric column gets; 10 unless set.
    ///
    /// Values that hold at least one bin's share of the reference get a bin of their own, which can make a few more.
    #[must_use]
    pub fn with_bins(mut self, bins: NonZeroUsize) -> Self {
        self.bins = bins;
        self
    }

    /// Sets how many categories of a text column are listed, the most frequent first; 100 unless set.
    #[must_use]
    pub fn with_max_categories(mut self, max_categories: NonZeroUsize) -> Self {
        self.max_categories = max_categories;
        self
    }

    /// Sets the columns to profile; all columns of the frame unless set.
    #[must_use]
    pub fn with_columns<I, S>(mut self, columns: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Quantile bins of a numeric column.
    pub fn bins(&self) -> NonZeroUsize {
        self.bins
    }

    /// Listed categories of a text column.
    pub fn max_categories(&self) -> NonZeroUsize {
        self.max_categories
    }

    /// The columns to profile, or nothing for all.
    pub fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }
}

impl Default for ProfileSettings {
    fn default() -> Self {
        Self {
            bins: NonZeroUsize::MIN.saturating_add(9),
            max_categories: NonZeroUsize::MIN.saturating_add(99),
            columns: None,
        }
    }
}
