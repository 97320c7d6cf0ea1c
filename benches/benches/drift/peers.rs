//! The crates that others use, behind functions that panic on nothing and tell what they found.

use std::error::Error;

use driftwatch::streaming::PageHinkleyDetector;
use driftwatch::{DatasetMonitor, EqualFrequencyBinning, LiveFeature, ReferenceDistribution};
use statrs::stats_tests::NaNPolicy;
use statrs::stats_tests::ks_test::{KSTwoSampleAlternativeMethod, ks_twosample};

/// What the defaults of driftwatch say of columns of numbers: their PSI over ten bins, and a KS test.
pub(crate) struct Driftwatch {
    monitor: DatasetMonitor,
    names: Vec<String>,
}

impl Driftwatch {
    pub(crate) fn fit(reference: &[Vec<f64>]) -> Result<Self, Box<dyn Error>> {
        let mut monitor = DatasetMonitor::new();
        let mut names = Vec::with_capacity(reference.len());
        for (place, values) in reference.iter().enumerate() {
            let name = noops_benches::column_name(place);
            let binning = EqualFrequencyBinning::new(10)?;
            let learned = ReferenceDistribution::fit_continuous(name.clone(), values, binning)?;
            monitor.add_feature(learned);
            names.push(name);
        }
        Ok(Self { monitor, names })
    }

    /// How many columns there are in the report, and how many of them drifted.
    pub(crate) fn check(&self, current: &[Vec<f64>]) -> Option<Checked> {
        let live: Vec<(&str, LiveFeature<'_>)> = self
            .names
            .iter()
            .zip(current)
            .map(|(name, values)| (name.as_str(), LiveFeature::Continuous(values)))
            .collect();
        let report = self.monitor.check(&live).ok()?;
        Some(Checked {
            columns: report.features.len(),
            drifted: report.drifted_features().count(),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) columns: usize,
    pub(crate) drifted: usize,
}

pub(crate) fn driftwatch_profile(values: &[f64]) -> Option<ReferenceDistribution> {
    let binning = EqualFrequencyBinning::new(10).ok()?;
    ReferenceDistribution::fit_continuous("c0000", values, binning).ok()
}

pub(crate) fn driftwatch_ks(reference: &[f64], current: &[f64]) -> Option<f64> {
    let found = driftwatch::ks_test(reference, current).ok()?;
    Some(found.statistic)
}

/// With Kolmogorov's law for the p-value; the exact law of statrs is of no use beyond a few hundred values.
pub(crate) fn statrs_ks(reference: &[f64], current: &[f64]) -> Option<f64> {
    let method = KSTwoSampleAlternativeMethod::TwoSidedAsymptotic;
    let found = ks_twosample(
        reference.to_vec(),
        current.to_vec(),
        method,
        NaNPolicy::Error,
    );
    found.ok().map(|(statistic, _)| statistic)
}

/// The alarms of ADWIN of rill-ml, which keeps the last thousand values.
pub(crate) fn rill_adwin(stream: &[f64]) -> usize {
    let mut detector = rill_ml::drift::Adwin::default();
    rill_alarms(&mut detector, stream)
}

/// The rows at which Page–Hinkley of rill-ml is in alarm; it stays so until it is reset.
pub(crate) fn rill_page_hinkley(stream: &[f64]) -> usize {
    let mut detector = rill_ml::drift::PageHinkley::default();
    rill_alarms(&mut detector, stream)
}

fn rill_alarms<D: rill_ml::drift::DriftDetector>(detector: &mut D, stream: &[f64]) -> usize {
    let alarm = rill_ml::drift::DriftLevel::Drift;
    stream
        .iter()
        .filter(|value| detector.update(**value).is_ok_and(|level| level == alarm))
        .count()
}

/// The alarms of Page–Hinkley of driftwatch, with the settings that are our defaults.
pub(crate) fn driftwatch_page_hinkley(stream: &[f64]) -> usize {
    let mut detector = PageHinkleyDetector::new(0.005, 50.0);
    stream
        .iter()
        .filter(|value| detector.update(**value).is_some())
        .count()
}
