use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::Schema;

use super::DriftReport;
use super::column::ColumnDrift;
use super::rates::RateKind;
use super::samples::SampleStatistics;
use crate::statistic::{Comparison, Verdict};

impl DriftReport {
    /// The report as a table of one row per column, in the order of the profile.
    ///
    /// A value that does not apply is null: the smallest visible shift where none is, a degree of freedom without a test,
    /// a statistic of ordered values for categories, a sample statistic where only counts were compared.
    ///
    /// | columns | type | meaning |
    /// |---|---|---|
    /// | `name`, `kind` | text | the column; `number` or `category` |
    /// | `n_reference`, `n_current` | unsigned | rows of each side |
    /// | `null_rate_reference`, `null_rate_current` | float | shares of rows that are null |
    /// | `not_finite_rate_reference`, `not_finite_rate_current` | float | shares of rows that are NaN or infinite |
    /// | `unseen_rate_reference`, `unseen_rate_current` | float | shares of usable values in unlisted categories |
    /// | `out_of_range_rate_current` | float | share of usable values outside the range of the reference |
    /// | `verdict` | text | `drift`, `no_drift` or `undecided` |
    /// | `jumped` | text | the rate that is enough for drift: `missing`, `not_finite` or `unseen` |
    /// | `p_value`, `adjusted_p_value` | float | of the column, and corrected for the number of columns |
    /// | `psi`, `psi_p_value`, `psi_critical`, `psi_visible_from` | float | [`ColumnDrift::psi`] |
    /// | `js_distance_base2`, `hellinger`, `tv`, `kl`, `chi2`, each also with `_p_value` | float | the tests of counts |
    /// | `chi2_df` | unsigned | degrees of freedom of the chi-square test |
    /// | `ks_low`, `ks_high` | float | [`ColumnDrift::binned_ks`] |
    /// | `ks`, `kuiper`, `cramer_von_mises`, `anderson_darling`, `mann_whitney`, `wasserstein`, `energy_distance`, each also with `_p_value` | float | [`ColumnDrift::samples`] |
    #[must_use]
    pub fn to_batch(&self) -> RecordBatch {
        let mut table = Table::of(self.columns());
        table.texts("name", |column| Some(column.column().to_owned()));
        table.texts("kind", |column| Some(column.cells().kind().to_owned()));
        table.counts("n_reference", |column| {
            Some(column.cells().reference().rows())
        });
        table.counts("n_current", |column| Some(column.cells().current().rows()));
        table.rates();
        table.texts("verdict", |column| {
            Some(verdict_name(column.verdict()).to_owned())
        });
        table.texts("jumped", |column| {
            column.jumped().map(|kind| rate_name(kind).to_owned())
        });
        table.numbers("p_value", |column| Some(column.p_value()));
        table.numbers("adjusted_p_value", |column| Some(column.adjusted_p_value()));
        table.comparisons("psi", |column| Some(column.psi().clone()));
        table.numbers("psi_critical", |column| column.psi().critical());
        table.numbers("psi_visible_from", |column| column.psi().visible_from());
        table.comparisons("js_distance_base2", |column| Some(column.jensen_shannon()));
        table.comparisons("hellinger", |column| Some(column.hellinger()));
        table.comparisons("tv", |column| Some(column.total_variation()));
        table.comparisons("kl", |column| Some(column.kullback_leibler()));
        table.comparisons("chi2", |column| Some(column.chi_square()));
        table.counts("chi2_df", |column| column.chi_square().degrees_of_freedom());
        table.numbers("ks_low", |column| Some(column.binned_ks()?.low()));
        table.numbers("ks_high", |column| Some(column.binned_ks()?.high()));
        table.samples("ks", |samples| Some(samples.ks()));
        table.samples("kuiper", |samples| Some(samples.kuiper()));
        table.samples("cramer_von_mises", |samples| {
            Some(samples.cramer_von_mises())
        });
        table.samples("anderson_darling", |samples| {
            Some(samples.anderson_darling())
        });
        table.samples("mann_whitney", |samples| Some(samples.mann_whitney()));
        table.samples("wasserstein", SampleStatistics::wasserstein);
        table.samples("energy_distance", SampleStatistics::energy);
        table.finish()
    }
}

/// A table that grows by a column at a time, each with a value for every column of the report.
struct Table<'a> {
    columns: &'a [ColumnDrift],
    arrays: Vec<(String, ArrayRef)>,
}

impl<'a> Table<'a> {
    fn of(columns: &'a [ColumnDrift]) -> Self {
        Self {
            columns,
            arrays: Vec::new(),
        }
    }

    fn texts(&mut self, name: &str, of: impl Fn(&ColumnDrift) -> Option<String>) {
        let array: StringArray = self.columns.iter().map(of).collect();
        self.arrays.push((name.to_owned(), Arc::new(array)));
    }

    fn counts(&mut self, name: &str, of: impl Fn(&ColumnDrift) -> Option<u64>) {
        let array: UInt64Array = self.columns.iter().map(of).collect();
        self.arrays.push((name.to_owned(), Arc::new(array)));
    }

    fn numbers(&mut self, name: &str, of: impl Fn(&ColumnDrift) -> Option<f64>) {
        let values: Vec<Option<f64>> = self.columns.iter().map(of).collect();
        self.push_numbers(name.to_owned(), values);
    }

    /// A column for the statistic and one for its p-value.
    fn comparisons(&mut self, name: &str, of: impl Fn(&ColumnDrift) -> Option<Comparison>) {
        let (statistics, p_values): (Vec<Option<f64>>, Vec<Option<f64>>) = self
            .columns
            .iter()
            .map(|column| {
                let comparison = of(column);
                (
                    comparison.as_ref().map(Comparison::statistic),
                    comparison.as_ref().map(Comparison::p_value),
                )
            })
            .unzip();
        self.push_numbers(name.to_owned(), statistics);
        self.push_numbers(format!("{name}_p_value"), p_values);
    }

    fn samples(&mut self, name: &str, of: impl Fn(&SampleStatistics) -> Option<&Comparison>) {
        self.comparisons(name, |column| column.samples().and_then(&of).cloned());
    }

    fn rates(&mut self) {
        self.numbers("null_rate_reference", |column| {
            Some(column.reference().missing())
        });
        self.numbers("null_rate_current", |column| {
            Some(column.current().missing())
        });
        self.numbers("not_finite_rate_reference", |column| {
            Some(column.reference().not_finite())
        });
        self.numbers("not_finite_rate_current", |column| {
            Some(column.current().not_finite())
        });
        self.numbers("unseen_rate_reference", |column| {
            Some(column.reference().unseen())
        });
        self.numbers("unseen_rate_current", |column| {
            Some(column.current().unseen())
        });
        self.numbers("out_of_range_rate_current", |column| {
            Some(column.current().out_of_range())
        });
    }

    /// A value that is no number has no place in a table.
    fn push_numbers(&mut self, name: String, values: Vec<Option<f64>>) {
        let array: Float64Array = values
            .into_iter()
            .map(|value| value.filter(|value| value.is_finite()))
            .collect();
        self.arrays.push((name, Arc::new(array)));
    }

    fn finish(self) -> RecordBatch {
        let arrays = self
            .arrays
            .into_iter()
            .map(|(name, array)| (name, array, true));
        // All arrays have one value per column of the report, which is all that is asked of them.
        RecordBatch::try_from_iter_with_nullable(arrays)
            .unwrap_or_else(|_| RecordBatch::new_empty(Arc::new(Schema::empty())))
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Drift => "drift",
        Verdict::NoDrift => "no_drift",
        Verdict::Undecided { .. } => "undecided",
    }
}

fn rate_name(kind: RateKind) -> &'static str {
    match kind {
        RateKind::Missing => "missing",
        RateKind::NotFinite => "not_finite",
        RateKind::Unseen => "unseen",
        RateKind::OutOfRange => "out_of_range",
    }
}
