mod delays;
mod false_alarms;
mod oracle;
mod references;
mod state;

use crate::sequential::ReferenceCdf;
use crate::statistic::SortedSample;
use crate::testing::SplitMix64;

fn normal(random: &mut SplitMix64) -> f64 {
    let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.unit()).cos()
}

fn reference_of(rows: usize, draw: &mut impl FnMut() -> f64) -> ReferenceCdf {
    let values: Vec<f64> = (0..rows).map(|_| draw()).collect();
    ReferenceCdf::of_sample(&SortedSample::new(&values))
}

fn normal_reference(rows: usize, random: &mut SplitMix64) -> ReferenceCdf {
    reference_of(rows, &mut || normal(random))
}
