use noops_core::Probability;
use serde::{Deserialize, Serialize};

use super::settings::GateSettings;
use crate::profile::{Binning, ColumnProfile};

/// The limits of one column in a [`QualityGate`](crate::QualityGate).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnConstraints {
    column: String,
    max_missing: Probability,
    max_not_finite: Option<Probability>,
    max_unseen: Option<Probability>,
    max_out_of_range: Option<Probability>,
    max_psi: Option<f64>,
}

impl ColumnConstraints {
    pub(super) fn suggest(column: &ColumnProfile, settings: &GateSettings) -> Self {
        let counts = column.counts();
        let rows = counts.rows();
        let missing = limit(counts.missing(), rows, settings.missing_tolerance());
        let suggestion = Self {
            column: column.name().to_owned(),
            max_missing: missing,
            max_not_finite: None,
            max_unseen: None,
            max_out_of_range: None,
            max_psi: Some(settings.max_psi()),
        };
        match column.binning() {
            Binning::Number { .. } => Self {
                max_not_finite: Some(limit(
                    counts.not_finite(),
                    rows,
                    settings.not_finite_tolerance(),
                )),
                max_out_of_range: Some(limit(0, rows, settings.out_of_range_tolerance())),
                ..suggestion
            },
            Binning::Category { .. } => Self {
                max_unseen: Some(limit(
                    counts.unseen(),
                    counts.present(),
                    settings.unseen_tolerance(),
                )),
                ..suggestion
            },
        }
    }

    /// Sets the share of rows that may be null.
    #[must_use]
    pub fn with_max_missing(mut self, limit: Probability) -> Self {
        self.max_missing = limit;
        self
    }

    /// Sets the share of rows that may be NaN or infinite.
    #[must_use]
    pub fn with_max_not_finite(mut self, limit: Probability) -> Self {
        self.max_not_finite = Some(limit);
        self
    }

    /// Sets the share of usable values that may be unlisted categories.
    #[must_use]
    pub fn with_max_unseen(mut self, limit: Probability) -> Self {
        self.max_unseen = Some(limit);
        self
    }

    /// Sets the share of usable values that may be outside the range of the reference.
    #[must_use]
    pub fn with_max_out_of_range(mut self, limit: Probability) -> Self {
        self.max_out_of_range = Some(limit);
        self
    }

    /// Sets the true PSI the column may have, from 0 to 100; nothing to let any distribution pass.
    #[must_use]
    pub fn with_max_psi(mut self, limit: Option<f64>) -> Self {
        self.max_psi = limit;
        self
    }

    /// The column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The share of rows that may be null.
    pub fn max_missing(&self) -> Probability {
        self.max_missing
    }

    /// The share of rows that may be NaN or infinite; nothing for a text.
    pub fn max_not_finite(&self) -> Option<Probability> {
        self.max_not_finite
    }

    /// The share of usable values that may be unlisted categories; nothing for a number.
    pub fn max_unseen(&self) -> Option<Probability> {
        self.max_unseen
    }

    /// The share of usable values that may be outside the range of the reference; nothing for a text.
    pub fn max_out_of_range(&self) -> Option<Probability> {
        self.max_out_of_range
    }

    /// The true PSI the column may have.
    pub fn max_psi(&self) -> Option<f64> {
        self.max_psi
    }

    pub(super) fn rules(&self) -> usize {
        1 + usize::from(self.max_not_finite.is_some())
            + usize::from(self.max_unseen.is_some())
            + usize::from(self.max_out_of_range.is_some())
            + usize::from(self.max_psi.is_some())
    }
}

fn limit(count: u64, rows: u64, tolerance: f64) -> Probability {
    let rate = if rows == 0 {
        0.0
    } else {
        count as f64 / rows as f64
    };
    Probability::new((rate + tolerance).clamp(0.0, 1.0)).unwrap_or(Probability::ONE)
}
