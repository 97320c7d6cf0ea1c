use noops_core::Digest;
use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// The sum of the random features of some rows: the same whatever the order and grouping in which they were added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawEmbedding")]
#[must_use]
pub struct MeanEmbedding {
    map: Digest,
    rows: u64,
    left_out: u64,
    sums: Vec<i64>,
}

impl MeanEmbedding {
    pub(super) fn empty(map: Digest, features: usize) -> Self {
        Self {
            map,
            rows: 0,
            left_out: 0,
            sums: vec![0; features],
        }
    }

    /// Adds the rows of another embedding.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for an embedding that another reference made, and for more rows than an embedding holds
    /// (2^30). Nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), DriftError> {
        self.same_map(other)?;
        if self.rows.saturating_add(other.rows) > MOST_ROWS {
            return Err(full());
        }
        self.absorb(other);
        Ok(())
    }

    /// Rows that were added.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows that were left out, because they are not complete.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// How many features a row has.
    #[must_use]
    pub fn features(&self) -> usize {
        self.sums.len()
    }

    pub(super) fn map(&self) -> Digest {
        self.map
    }

    pub(super) fn leave_out(&mut self, rows: u64) {
        self.left_out = self.left_out.saturating_add(rows);
    }

    /// Adds one row by the angles of its features.
    pub(super) fn add(&mut self, angles: impl Iterator<Item = f64>) -> Result<(), DriftError> {
        if self.rows >= MOST_ROWS {
            return Err(full());
        }
        self.rows += 1;
        for (pair, angle) in self.sums.chunks_exact_mut(2).zip(angles) {
            let (sine, cosine) = angle.sin_cos();
            if let [of_cosine, of_sine] = pair {
                *of_cosine = of_cosine.saturating_add(in_units(cosine));
                *of_sine = of_sine.saturating_add(in_units(sine));
            }
        }
        Ok(())
    }

    /// Adds an embedding that is known to have the same map and few enough rows.
    pub(super) fn absorb(&mut self, other: &Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.left_out = self.left_out.saturating_add(other.left_out);
        for (sum, more) in self.sums.iter_mut().zip(&other.sums) {
            *sum = sum.saturating_add(*more);
        }
    }

    /// The distance of the two mean embeddings, 0 when either has no row.
    pub(super) fn distance(&self, other: &Self) -> Result<f64, DriftError> {
        self.same_map(other)?;
        Ok(self.distance_of_means(self.sums.iter().zip(&other.sums), other.rows))
    }

    /// The distance of this mean embedding from that of the other rows of `total`.
    pub(super) fn distance_to_rest(&self, total: &Self) -> f64 {
        let rest: Vec<i64> = total
            .sums
            .iter()
            .zip(&self.sums)
            .map(|(all, own)| all.saturating_sub(*own))
            .collect();
        self.distance_of_means(
            self.sums.iter().zip(&rest),
            total.rows.saturating_sub(self.rows),
        )
    }

    fn distance_of_means<'a>(
        &self,
        sums: impl Iterator<Item = (&'a i64, &'a i64)>,
        other_rows: u64,
    ) -> f64 {
        if self.rows == 0 || other_rows == 0 || self.sums.is_empty() {
            return 0.0;
        }
        let (own, others) = (self.rows as f64 * UNIT, other_rows as f64 * UNIT);
        let squared: f64 = sums
            .map(|(a, b)| (*a as f64 / own - *b as f64 / others).powi(2))
            .sum();
        (squared * 2.0 / self.sums.len() as f64).sqrt()
    }

    fn same_map(&self, other: &Self) -> Result<(), DriftError> {
        if self.map == other.map && self.sums.len() == other.sums.len() {
            return Ok(());
        }
        Err(DriftError::InvalidInput {
            input: "embedding",
            reason: "was made for another reference; embed the rows again".to_owned(),
        })
    }
}

impl TryFrom<RawEmbedding> for MeanEmbedding {
    type Error = DriftError;

    fn try_from(raw: RawEmbedding) -> Result<Self, DriftError> {
        let invalid = |reason: String| DriftError::InvalidState {
            state: "mean embedding",
            reason,
        };
        if raw.rows > MOST_ROWS {
            return Err(invalid(format!(
                "`{}` rows are more than it holds",
                raw.rows
            )));
        }
        if !raw.sums.len().is_multiple_of(2) {
            return Err(invalid("it has a cosine without a sine".to_owned()));
        }
        // Below 2^62 by the number of rows.
        let most = raw.rows * UNIT as u64;
        if raw.sums.iter().any(|sum| sum.unsigned_abs() > most) {
            return Err(invalid(format!(
                "a sum is more than `{}` rows can give",
                raw.rows
            )));
        }
        Ok(Self {
            map: raw.map,
            rows: raw.rows,
            left_out: raw.left_out,
            sums: raw.sums,
        })
    }
}

fn in_units(feature: f64) -> i64 {
    (feature * UNIT).round() as i64
}

fn full() -> DriftError {
    DriftError::InvalidInput {
        input: "rows",
        reason: format!("are more than the `{MOST_ROWS}` an embedding holds; start another one"),
    }
}

/// 2^32 units make 1, and 2^30 rows of them stay below 2^62.
const UNIT: f64 = 4_294_967_296.0;
const MOST_ROWS: u64 = 1 << 30;

#[derive(Deserialize)]
struct RawEmbedding {
    map: Digest,
    rows: u64,
    left_out: u64,
    sums: Vec<i64>,
}
