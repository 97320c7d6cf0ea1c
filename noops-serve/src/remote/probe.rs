//! Whether a server answers the same row alike.

use std::time::Duration;

use noops_core::{Batch, Error, Scores};

use super::model::RemoteModel;

/// How far a server's answers for the same rows lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ProbeReport {
    rows: usize,
    repetition: Agreement,
    batching: Agreement,
}

/// Whether two answers for the same rows are the same.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Agreement {
    /// To the last bit.
    Exact,
    /// No two scores are further apart than this; infinite when one of them is not finite.
    Within(f32),
}

impl ProbeReport {
    pub(super) async fn of(
        model: &RemoteModel,
        batch: &Batch,
        deadline: Duration,
    ) -> Result<Self, Error> {
        let rows: Vec<usize> = (0..batch.rows().min(LOOKED_AT)).collect();
        let batch = batch.take(&rows);
        let together = model.infer(&batch, deadline).await?;
        let again = model.infer(&batch, deadline).await?;
        let mut alone = Vec::new();
        for &row in &rows {
            let scores = model.infer(&batch.take(&[row]), deadline).await?;
            alone.extend(scores.into_values());
        }
        let alone = Scores::new(together.width(), alone)?;
        Ok(Self {
            rows: rows.len(),
            repetition: Agreement::of(&together, &again),
            batching: Agreement::of(&together, &alone),
        })
    }

    /// How many rows were looked at.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How a batch compares with the same batch asked again.
    #[must_use]
    pub fn repetition(&self) -> Agreement {
        self.repetition
    }

    /// How rows of a batch compare with the same rows alone.
    #[must_use]
    pub fn batching(&self) -> Agreement {
        self.batching
    }
}

impl Agreement {
    fn of(left: &Scores, right: &Scores) -> Self {
        let mut pairs = left.values().iter().zip(right.values());
        if pairs.clone().all(|(a, b)| a.to_bits() == b.to_bits()) {
            return Self::Exact;
        }
        let apart = pairs.try_fold(0.0_f32, |most, (a, b)| {
            let apart = (a - b).abs();
            // Equal infinities are no number apart, and neither is anything from NaN.
            (a.is_finite() && b.is_finite()).then_some(most.max(apart))
        });
        Self::Within(apart.unwrap_or(f32::INFINITY))
    }
}

const LOOKED_AT: usize = 16;
