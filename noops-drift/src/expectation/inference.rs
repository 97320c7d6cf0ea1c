use noops_core::{Alpha, Probability};
use serde::{Deserialize, Serialize};

use super::column::ColumnExpectation;
use super::column_type::ColumnType;
use super::frame::UnknownColumns;
use super::rules::{Domain, Range};
use crate::error::DriftError;
use crate::profile::{Binning, ColumnProfile, Distinct, Profile};
use noops_stats::special::{binomial_sf, clopper_pearson_lower};

/// How expectations are inferred from a profile.
///
/// # Formula
///
/// Types are those of the reference, and every column must be there.
///
/// A limit of a null or NaN rate allows for two errors, each of probability alpha. The rate of the source is at most the
/// upper bound u of Clopper and Pearson (1934) with confidence 1 − alpha; and a batch of `batch_rows` independent rows at
/// rate u exceeds k / `batch_rows` with probability at most alpha. The smallest such k gives the limit. A smaller batch
/// exceeds it more often, which is what [`QualityGate`](crate::QualityGate) is for.
///
/// A range is that of the finite numbers of the reference, each end moved outwards by `widening` times its width, or times
/// the magnitude of the value where the reference is constant, and never across 0. It is omitted for booleans, dates,
/// times and timestamps, and where the reference has infinities. A range without widening would be wrong: the next of n
/// independent rows is outside it with probability up to 2 / (n + 1).
///
/// A domain is inferred for a text when the profile lists all its categories, these are at most `max_categories`, and the
/// reference has at least 10 rows for each on average.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct InferenceSettings {
    alpha: Alpha,
    batch_rows: u64,
    widening: f64,
    max_categories: usize,
    unknown_columns: UnknownColumns,
}

impl InferenceSettings {
    /// Sets the probability of each of the two errors of a rate limit; 1 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the rows of the smallest usual batch; 1,000 unless set.
    #[must_use]
    pub fn with_batch_rows(mut self, rows: u64) -> Self {
        self.batch_rows = rows;
        self
    }

    /// Sets how far each end of a range is moved, in widths of the range; 0.5 unless set.
    #[must_use]
    pub fn with_widening(mut self, widening: f64) -> Self {
        self.widening = widening;
        self
    }

    /// Sets how many categories a domain may have; 100 unless set.
    #[must_use]
    pub fn with_max_categories(mut self, categories: usize) -> Self {
        self.max_categories = categories;
        self
    }

    /// Sets what becomes of columns the profile does not have; they pass unless set.
    #[must_use]
    pub fn with_unknown_columns(mut self, unknown: UnknownColumns) -> Self {
        self.unknown_columns = unknown;
        self
    }

    /// The probability of each of the two errors of a rate limit.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The rows of the smallest usual batch.
    #[must_use]
    pub fn batch_rows(&self) -> u64 {
        self.batch_rows
    }

    /// How far each end of a range is moved, in widths of the range.
    #[must_use]
    pub fn widening(&self) -> f64 {
        self.widening
    }

    /// How many categories a domain may have.
    #[must_use]
    pub fn max_categories(&self) -> usize {
        self.max_categories
    }

    /// What becomes of columns the profile does not have.
    #[must_use]
    pub fn unknown_columns(&self) -> UnknownColumns {
        self.unknown_columns.clone()
    }

    fn validate(&self) -> Result<(), DriftError> {
        if !(0.0..=1_000.0).contains(&self.widening) {
            return Err(DriftError::InvalidSetting {
                setting: "widening",
                value: self.widening,
                allowed: "a number from 0 to 1000",
            });
        }
        if !(1..=MAX_BATCH_ROWS).contains(&self.batch_rows) {
            return Err(DriftError::InvalidSetting {
                setting: "batch_rows",
                value: self.batch_rows as f64,
                allowed: "a number from 1 to 1000000000",
            });
        }
        Ok(())
    }
}

impl Default for InferenceSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::ONE_PERCENT,
            batch_rows: 1_000,
            widening: 0.5,
            max_categories: 100,
            unknown_columns: UnknownColumns::Allowed,
        }
    }
}

pub(super) fn infer(
    profile: &Profile,
    settings: &InferenceSettings,
) -> Result<Vec<ColumnExpectation>, DriftError> {
    settings.validate()?;
    profile
        .columns()
        .iter()
        .map(|column| infer_column(column, settings))
        .collect()
}

fn infer_column(
    column: &ColumnProfile,
    settings: &InferenceSettings,
) -> Result<ColumnExpectation, DriftError> {
    let counts = column.counts();
    let mut types = Vec::with_capacity(column.types().len());
    for name in column.types() {
        types.push(name.parse::<ColumnType>()?);
    }
    let is = |start: &str| column.types().iter().any(|name| name.starts_with(start));
    let mut expected = ColumnExpectation::new(column.name())
        .with_types(types)
        .with_max_null_rate(rate_limit(counts.missing(), counts.rows(), settings));
    if is("Float") {
        expected = expected.with_max_nan_rate(rate_limit(counts.nan(), counts.rows(), settings));
    }
    let counted = is("Boolean") || is("Date") || is("Time");
    let finite = counts.positive_infinity() == 0 && counts.negative_infinity() == 0;
    match column.binning() {
        Binning::Number {
            range: Some(range), ..
        } if finite && !counted => {
            let (min, max) = widened(range.min(), range.max(), settings.widening);
            expected = expected.with_range(Range::new(min, max)?);
        }
        Binning::Number { .. } => {}
        Binning::Category { categories } => {
            let listed = categories.len() as u64;
            if listed > 0
                && counts.unseen() == 0
                && column.distinct() == Distinct::Exactly(listed)
                && categories.len() <= settings.max_categories
                && counts.present() >= listed.saturating_mul(ROWS_PER_CATEGORY)
            {
                expected = expected.with_allowed(Domain::Texts(categories.clone()));
            }
        }
    }
    Ok(expected)
}

fn widened(min: f64, max: f64, widening: f64) -> (f64, f64) {
    let width = max - min;
    let scale = if width > 0.0 { width } else { max.abs() };
    // The width of numbers near the largest double is infinite; so is then the product, but for no widening.
    let step = if widening > 0.0 {
        widening * scale
    } else {
        0.0
    };
    let mut low = (min - step).max(f64::MIN);
    let mut high = (max + step).min(f64::MAX);
    if min >= 0.0 {
        low = low.max(0.0);
    }
    if max <= 0.0 {
        high = high.min(0.0);
    }
    (low, high)
}

/// The share that a batch at the largest plausible rate of the source seldom exceeds.
fn rate_limit(count: u64, rows: u64, settings: &InferenceSettings) -> Probability {
    let alpha = settings.alpha.get();
    let rate = upper_rate(count, rows, alpha);
    let batch = settings.batch_rows;
    // The smallest k with P(X > k) at most alpha.
    let (mut low, mut high) = (0_u64, batch);
    while low < high {
        let middle = low + (high - low) / 2;
        if binomial_sf(middle + 1, batch, rate) <= alpha {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Probability::new(low as f64 / batch as f64).unwrap_or(Probability::ONE)
}

/// The bound of Clopper and Pearson: the rate at which so few successes, or fewer, have probability `alpha`.
fn upper_rate(count: u64, rows: u64, alpha: f64) -> f64 {
    if rows == 0 || count >= rows {
        return 1.0;
    }
    1.0 - clopper_pearson_lower(rows - count, rows, alpha)
}

const ROWS_PER_CATEGORY: u64 = 10;
const MAX_BATCH_ROWS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_rate_agrees_with_the_beta_quantile() {
        let oracle: serde_json::Value =
            serde_json::from_str(include_str!("../../testdata/expectations/upper_rate.json"))
                .unwrap();
        let rows = oracle["clopper_pearson_upper"].as_array().unwrap();
        assert!(rows.len() >= 10);
        for row in rows {
            let found = upper_rate(
                row["count"].as_u64().unwrap(),
                row["rows"].as_u64().unwrap(),
                row["alpha"].as_f64().unwrap(),
            );
            let expected = row["upper"].as_f64().unwrap();
            assert!(
                (found - expected).abs() <= 1e-10 * expected,
                "{row}: {found}"
            );
        }
    }

    #[test]
    fn a_range_is_widened_but_never_across_zero() {
        assert_eq!(widened(2.0, 4.0, 0.5), (1.0, 5.0));
        assert_eq!(widened(1.0, 4.0, 0.5), (0.0, 5.5));
        assert_eq!(widened(-4.0, -1.0, 0.5), (-5.5, 0.0));
        assert_eq!(widened(-1.0, 1.0, 0.0), (-1.0, 1.0));
        assert_eq!(widened(5.0, 5.0, 0.5), (2.5, 7.5));
        assert_eq!(widened(0.0, 0.0, 0.5), (0.0, 0.0));
        assert_eq!(widened(f64::MIN, f64::MAX, 0.5), (f64::MIN, f64::MAX));
        assert_eq!(widened(f64::MIN, f64::MAX, 0.0), (f64::MIN, f64::MAX));
    }
}
