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
    max_distinct_categories: NonZeroUsize,
    resolution: NonZeroUsize,
    quantiles: Quantiles,
    columns: Option<Vec<String>>,
}

/// What a profile keeps of the numbers of a column while it is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Quantiles {
    /// Every distinct number, and how often it occurs: up to some 64 bytes each, so a column of measurements may take several times the
    /// memory of its values, and one of few distinct numbers takes next to none.
    Exact,
    /// At most so many buckets of near numbers: numbers whose binary digits begin alike, as many digits as the limit allows.
    ///
    /// The counts at the ends of buckets are exact, so only the places where quantiles can be cut are limited, never how the
    /// reference is counted. Unlike a randomised sketch, buckets depend on the values alone and not on their order.
    Bounded {
        /// The limit, two at least. A column takes up to some 64 bytes for each, and 128 KiB beside them.
        buckets: NonZeroUsize,
    },
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

    /// Sets how many different categories a text column may have before it is refused; a million unless set.
    ///
    /// All of them are held in memory while a profile is learned. A column with more is an identifier.
    #[must_use]
    pub fn with_max_distinct_categories(mut self, limit: NonZeroUsize) -> Self {
        self.max_distinct_categories = limit;
        self
    }

    /// Sets at how many points the distribution of a numeric column is kept, beside its bins; 256 unless set.
    #[must_use]
    pub fn with_resolution(mut self, points: NonZeroUsize) -> Self {
        self.resolution = points;
        self
    }

    /// Sets what is kept of numbers while the profile is learned; every distinct number unless set.
    #[must_use]
    pub fn with_quantiles(mut self, quantiles: Quantiles) -> Self {
        self.quantiles = quantiles;
        self
    }

    /// Sets the columns of a frame to profile; all of them unless set.
    ///
    /// Plain values and arrays are named where they are passed and are profiled whatever is set here.
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

    /// Different categories a text column may have before it is refused.
    pub fn max_distinct_categories(&self) -> NonZeroUsize {
        self.max_distinct_categories
    }

    /// Points at which the distribution of a numeric column is kept.
    pub fn resolution(&self) -> NonZeroUsize {
        self.resolution
    }

    /// What is kept of numbers while the profile is learned.
    pub fn quantiles(&self) -> Quantiles {
        self.quantiles
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
            max_distinct_categories: NonZeroUsize::MIN.saturating_add(999_999),
            resolution: NonZeroUsize::MIN.saturating_add(255),
            quantiles: Quantiles::Exact,
            columns: None,
        }
    }
}
