use serde::{Deserialize, Serialize};

use crate::statistic::comparison::Comparison;

/// What a [`DomainClassifier`](super::DomainClassifier) found: how well it tells the sides apart, and by which columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct DomainClassification {
    comparison: Comparison,
    area: f64,
    lower: f64,
    upper: f64,
    columns: Vec<ColumnShare>,
}

impl DomainClassification {
    /// `area` holds the area and the ends of its interval; `gains` what each column gained.
    pub(super) fn new(comparison: Comparison, area: [f64; 3], gains: &[f64]) -> Self {
        let [area, lower, upper] = area;
        let total: f64 = gains.iter().sum();
        let mut columns: Vec<ColumnShare> = gains
            .iter()
            .enumerate()
            .map(|(column, gain)| ColumnShare {
                column,
                share: if total > 0.0 { gain / total } else { 0.0 },
            })
            .collect();
        // Stable, so that equals stay in the order of the columns.
        columns.sort_by(|a, b| b.share.total_cmp(&a.share));
        Self {
            comparison,
            area,
            lower: lower.clamp(0.0, 1.0),
            upper: upper.clamp(0.0, 1.0),
            columns,
        }
    }

    /// The test of whether the area exceeds one half and the tolerance; its statistic is the area.
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }

    /// The probability that a current row scores above a reference row; one half when nothing could be told.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.area
    }

    /// The lower end of the interval that holds the area of these classifiers with probability 1 − alpha.
    #[must_use]
    pub fn lower(&self) -> f64 {
        self.lower
    }

    /// The upper end of that interval.
    #[must_use]
    pub fn upper(&self) -> f64 {
        self.upper
    }

    /// All columns, the most telling first.
    ///
    /// A share says what a column did for the fit, and chance gives some to every column: read it only beside a verdict
    /// of drift.
    pub fn columns(&self) -> &[ColumnShare] {
        &self.columns
    }
}

/// How much a column did to tell the sides apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct ColumnShare {
    column: usize,
    share: f64,
}

impl ColumnShare {
    /// Which column of the matrix, counted from 0.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// Its part of what all splits gained, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.share
    }
}
