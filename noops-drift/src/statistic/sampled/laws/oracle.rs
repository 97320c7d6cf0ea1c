use serde_json::Value;

use crate::testing::SplitMix64;
use noops_stats::SortedSample;

/// Two samples and what other programs say of them.
pub(crate) struct Pair {
    pub(crate) reference: SortedSample,
    pub(crate) current: SortedSample,
    said: Value,
}

impl Pair {
    /// All pairs of the file of oracle values.
    pub(crate) fn all() -> Vec<Self> {
        let pairs = oracle()["pairs"].as_array().unwrap().clone();
        let read = pairs.into_iter().map(|said| Self {
            reference: sample(&said["reference"]),
            current: sample(&said["current"]),
            said,
        });
        read.collect()
    }

    /// What this call gave, if it was made.
    pub(crate) fn says(&self, call: &str) -> Option<f64> {
        self.said[call].as_f64()
    }
}

pub(crate) fn oracle() -> Value {
    serde_json::from_str(include_str!("../../../../testdata/sampled.json")).unwrap()
}

pub(crate) fn sample(values: &Value) -> SortedSample {
    let values: Vec<f64> = values
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().unwrap())
        .collect();
    SortedSample::new(&values)
}

#[track_caller]
pub(crate) fn close(found: f64, expected: f64, relative: f64) {
    let distance = (found - expected).abs();
    assert!(
        distance <= relative * expected.abs(),
        "found {found}, expected {expected}"
    );
}

/// Samples that a test may meet, as a draw of one value.
pub(crate) const SHAPES: [fn(&mut SplitMix64) -> f64; 4] = [normal, rounded, zero_inflated, cauchy];

pub(crate) fn normal(random: &mut SplitMix64) -> f64 {
    let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.unit()).cos()
}

fn rounded(random: &mut SplitMix64) -> f64 {
    (2.0 * normal(random)).round()
}

fn zero_inflated(random: &mut SplitMix64) -> f64 {
    if random.unit() < 0.7 {
        0.0
    } else {
        normal(random).exp()
    }
}

fn cauchy(random: &mut SplitMix64) -> f64 {
    (std::f64::consts::PI * (random.unit() - 0.5)).tan()
}

pub(crate) fn draw(
    random: &mut SplitMix64,
    rows: usize,
    shape: impl Fn(&mut SplitMix64) -> f64,
) -> SortedSample {
    let values: Vec<f64> = (0..rows).map(|_| shape(random)).collect();
    SortedSample::new(&values)
}

/// In how many of `runs` pairs of samples of `n` and `m` rows the test says drift.
pub(crate) fn alarms(
    runs: u32,
    (n, m): (usize, usize),
    shapes: (
        impl Fn(&mut SplitMix64) -> f64,
        impl Fn(&mut SplitMix64) -> f64,
    ),
    is_drift: impl Fn(&SortedSample, &SortedSample) -> bool,
) -> u32 {
    let mut random = SplitMix64(u64::from(runs) + 31 * n as u64 + 7 * m as u64);
    let mut alarms = 0;
    for _ in 0..runs {
        let reference = draw(&mut random, n, &shapes.0);
        let current = draw(&mut random, m, &shapes.1);
        alarms += u32::from(is_drift(&reference, &current));
    }
    alarms
}

/// Fails when alarms at 5 % in `runs` are more than four standard deviations above their mean.
#[track_caller]
pub(crate) fn assert_no_more_than_five_percent(alarms: u32, runs: u32) {
    let mean = 0.05 * f64::from(runs);
    let most = mean + 4.0 * (0.95 * mean).sqrt();
    assert!(f64::from(alarms) <= most, "{alarms} alarms in {runs} runs");
}

/// Values and sizes that nobody should pass.
pub(crate) fn hostile() -> Vec<SortedSample> {
    let samples: [&[f64]; 9] = [
        &[],
        &[f64::NAN, f64::NAN],
        &[0.0],
        &[-0.0, 0.0],
        &[f64::INFINITY, f64::INFINITY],
        &[f64::NEG_INFINITY, 0.0, f64::INFINITY],
        &[f64::MIN, f64::MAX],
        &[f64::MIN_POSITIVE / 4.0, f64::MIN_POSITIVE, 0.0, -1e-310],
        &[1.0, 2.0, 3.0, 4.0, 4.0, f64::NAN],
    ];
    samples.into_iter().map(SortedSample::new).collect()
}

/// Fails unless the comparison holds numbers only.
#[track_caller]
pub(crate) fn assert_sane(outcome: &crate::statistic::comparison::Comparison) {
    assert!(outcome.statistic().is_finite(), "{outcome:?}");
    assert!((0.0..=1.0).contains(&outcome.p_value()), "{outcome:?}");
    assert!(outcome.critical().is_none_or(f64::is_finite), "{outcome:?}");
    assert!(
        outcome.visible_from().is_none_or(f64::is_finite),
        "{outcome:?}"
    );
}
