use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::cells::ColumnCells;
use super::rates::{ColumnRates, RateKind, RateTest, another_value_would_have_shown};
use super::samples::SampleStatistics;
use super::settings::DriftSettings;
use crate::column_counts::ColumnCounts;
use crate::error::DriftError;
use crate::profile::{Binning, ColumnProfile};
use crate::statistic::{self, Bracket, Comparison, LogBase, Method, TestSettings, Verdict};

/// How one column changed.
///
/// The verdict is from the PSI of the usable values and from the rates of nulls, non-finite numbers and unlisted
/// categories. The other statistics are computed from the [`cells`](Self::cells) when they are asked for: each is a
/// plain test of usable values, without tolerance, at the error rate of the settings for that one test, and does not
/// change the verdict.
///
/// Written with `{}` it is one plain sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnDrift {
    column: String,
    alpha: Alpha,
    tolerance: f64,
    psi: Comparison,
    strongest_rate: Option<RateTest>,
    p_value: f64,
    adjusted_p_value: f64,
    jumped: Option<RateKind>,
    reference: ColumnRates,
    current: ColumnRates,
    verdict: Verdict,
    cells: ColumnCells,
    samples: Option<SampleStatistics>,
}

impl ColumnDrift {
    /// Compares a column that is one of `peers` among which alpha is shared, before any correction.
    pub(super) fn compare(
        profile: &ColumnProfile,
        current: &ColumnCounts,
        settings: &DriftSettings,
        peers: usize,
    ) -> Result<Self, DriftError> {
        let reference = profile.counts();
        let rates = RateTest::all(profile, current);
        let tests = rates.len() + 1;
        let test = settings.psi_test(peers.saturating_mul(tests));
        let share = test.alpha();
        let psi = statistic::psi(&reference.value_cells(), &current.value_cells(), &test)?;
        let strongest_rate = rates
            .into_iter()
            .min_by(|a, b| a.p_value.total_cmp(&b.p_value))
            .map(|rate| RateTest {
                p_value: (rate.p_value * tests as f64).min(1.0),
                ..rate
            });
        let by_rate = strongest_rate.map_or(1.0, |rate| rate.p_value);
        let p_value = (psi.p_value() * tests as f64).min(by_rate);
        Ok(Self {
            column: profile.name().to_owned(),
            alpha: settings.alpha(),
            tolerance: settings.tolerance(),
            strongest_rate,
            p_value,
            adjusted_p_value: p_value,
            jumped: None,
            reference: ColumnRates::of(reference),
            current: ColumnRates::of(current),
            verdict: if same_single_cell(reference, current)
                && another_value_would_have_shown(psi.n_reference(), psi.n_current(), share)
            {
                Verdict::NoDrift
            } else {
                psi.verdict()
            },
            psi,
            cells: ColumnCells::new(profile.binning(), reference, current),
            samples: None,
        })
    }

    /// Takes the adjusted p-value, and drift for a verdict if it is below alpha. A rate whose p-value times `factor` is
    /// below alpha was enough for that.
    pub(super) fn decide(&mut self, adjusted: f64, factor: f64, alpha: Alpha) {
        self.adjusted_p_value = adjusted;
        if adjusted < alpha.get() {
            self.verdict = Verdict::Drift;
            self.jumped = self
                .strongest_rate
                .filter(|rate| rate.p_value * factor < alpha.get())
                .map(|rate| rate.kind);
        }
    }

    pub(super) fn attach(&mut self, samples: SampleStatistics) {
        self.samples = Some(samples);
    }

    /// The column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The PSI of usable values, tested at this test's equal share of alpha.
    ///
    /// Nulls and non-finite numbers are not in it; see [`jumped`](Self::jumped) and [`rate_p_value`](Self::rate_p_value).
    pub fn psi(&self) -> &Comparison {
        &self.psi
    }

    /// The true PSI that was forgiven.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The Jensen–Shannon distance of usable values in base 2, from 0 to 1.
    ///
    /// # Complexity
    ///
    /// Computed anew, as are the four below: the cells are few, but their laws without drift are summed and inverted.
    pub fn jensen_shannon(&self) -> Comparison {
        let base = LogBase::Two;
        self.compared(
            Method::JensenShannonDistance { base },
            |reference, current, settings| {
                statistic::jensen_shannon_distance(reference, current, base, settings)
            },
        )
    }

    /// The Hellinger distance of usable values, from 0 to 1.
    pub fn hellinger(&self) -> Comparison {
        self.compared(Method::Hellinger, statistic::hellinger)
    }

    /// The total variation distance of usable values, from 0 to 1.
    pub fn total_variation(&self) -> Comparison {
        self.compared(Method::TotalVariation, statistic::total_variation)
    }

    /// The Kullback–Leibler divergence of the current usable values from those of the reference, in nats.
    pub fn kullback_leibler(&self) -> Comparison {
        self.compared(Method::KullbackLeibler, statistic::kullback_leibler)
    }

    /// The chi-square test of homogeneity of usable values, with its degrees of freedom.
    pub fn chi_square(&self) -> Comparison {
        self.compared(
            Method::ChiSquareHomogeneity,
            statistic::chi_square_homogeneity,
        )
    }

    /// What the Kolmogorov–Smirnov distance of the finite numbers can be, given their bins; nothing for categories,
    /// which have no order.
    #[must_use]
    pub fn binned_ks(&self) -> Option<Bracket> {
        match self.cells.binning() {
            Binning::Number { .. } => {
                statistic::binned_ks(self.cells.reference().bins(), self.cells.current().bins())
                    .ok()
            }
            Binning::Category { .. } => None,
        }
    }

    /// The cells, with the counts of both sides.
    pub fn cells(&self) -> &ColumnCells {
        &self.cells
    }

    /// What the values themselves say; nothing for categories, beyond the limit of the settings, and where only counts
    /// were compared.
    pub fn samples(&self) -> Option<&SampleStatistics> {
        self.samples.as_ref()
    }

    /// The p-value of the rate whose change is the most surprising, times the number of tests of this column; 1 without
    /// a null, a non-finite number or an unlisted category on either side.
    pub fn rate_p_value(&self) -> f64 {
        self.strongest_rate.map_or(1.0, |rate| rate.p_value)
    }

    /// The rate whose change is enough for the verdict; of several, the most surprising one.
    ///
    /// Nothing when the verdict is not drift, or when it is for the PSI alone. The rate may also have fallen: compare
    /// [`reference`](Self::reference) and [`current`](Self::current).
    pub fn jumped(&self) -> Option<RateKind> {
        self.jumped
    }

    /// The p-value of the column: the smallest of its PSI and its rates, times their number.
    pub fn p_value(&self) -> f64 {
        self.p_value
    }

    /// The p-value corrected for the number of columns: the smallest error rate for all of them together at which this
    /// column is called drifted.
    pub fn adjusted_p_value(&self) -> f64 {
        self.adjusted_p_value
    }

    /// Rates in the reference.
    pub fn reference(&self) -> ColumnRates {
        self.reference
    }

    /// Rates in the current data.
    pub fn current(&self) -> ColumnRates {
        self.current
    }

    /// The answer, with the error rate held for all columns together.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    fn compared(
        &self,
        method: Method,
        test: impl Fn(&[u64], &[u64], &TestSettings) -> Result<Comparison, DriftError>,
    ) -> Comparison {
        let (reference, current) = (self.cells.reference(), self.cells.current());
        let settings = TestSettings::default().with_alpha(self.alpha);
        // Both sides have the same cells and the settings are in range, so no test is refused.
        test(&reference.value_cells(), &current.value_cells(), &settings)
            .unwrap_or_else(|_| Comparison::blind(method, reference.present(), current.present()))
    }
}

/// Whether all usable values of both sides are in one cell, and in the range of the reference: the PSI has nothing to compare then.
fn same_single_cell(reference: &ColumnCounts, current: &ColumnCounts) -> bool {
    let filled = |counts: &ColumnCounts| {
        let cells = counts.value_cells();
        let mut filled = cells.iter().enumerate().filter(|(_, count)| **count > 0);
        match (filled.next(), filled.next()) {
            (Some((cell, _)), None) => Some(cell),
            _ => None,
        }
    };
    filled(reference).is_some()
        && filled(reference) == filled(current)
        && current.out_of_range() == 0
}
