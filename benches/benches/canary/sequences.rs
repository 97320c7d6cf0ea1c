//! Anytime-valid tests and confidence sequences, of two arms that are the same.

use std::error::Error;

use criterion::Criterion;
use noops_benches::SplitMix64;
use noops_canary::Arm;
use noops_canary::sequential::{
    AsymptoticSequence, BernoulliSequence, BoundedMean, CountMixture, CountSettings,
    DistributionBand, EmpiricalBernstein, MixtureSprt, QuantileComparison, QuantileSequence,
};
use noops_core::{Alpha, Probability, Share};

use crate::measure::sequence;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    counts(criterion, &samples(1, MANY))?;
    means(criterion, &samples(2, MANY), &samples(3, FEW))?;
    differences(criterion, &samples(4, MANY))?;
    quantiles(criterion, &samples(5, FEW))?;
    distributions(criterion, &samples(6, MANY))
}

fn counts(criterion: &mut Criterion, samples: &[Sample]) -> Result<(), Box<dyn Error>> {
    let half = Share::from_ratio(0.5)?;
    let ratio = sequence(
        criterion,
        "count-mixture",
        samples,
        |samples| {
            let mut mixture = CountMixture::new(half, CountSettings::default()).ok()?;
            samples
                .iter()
                .for_each(|sample| mixture.observe(sample.arm));
            Some(mixture)
        },
        |mixture| mixture.rate_ratio_interval(Alpha::ONE_PERCENT),
        sum,
    )?;
    assert!(ratio.contains(1.0) && ratio.width() < 0.5);

    let proportion = sequence(
        criterion,
        "bernoulli",
        samples,
        |samples| {
            let mut tries = BernoulliSequence::new(1_000, Alpha::ONE_PERCENT).ok()?;
            for sample in samples {
                if sample.value < 0.5 {
                    tries.observe_success();
                } else {
                    tries.observe_failure();
                }
            }
            Some(tries)
        },
        |tries| tries.interval(Alpha::ONE_PERCENT),
        sum,
    )?;
    assert!(proportion.contains(0.5) && proportion.width() < 0.1);
    Ok(())
}

fn means(criterion: &mut Criterion, many: &[Sample], few: &[Sample]) -> Result<(), Box<dyn Error>> {
    let bernstein = sequence(
        criterion,
        "empirical-bernstein",
        many,
        |samples| {
            let mut mean = EmpiricalBernstein::new(0.0, 1.0, Alpha::ONE_PERCENT).ok()?;
            for sample in samples {
                mean.observe(sample.value).ok()?;
            }
            Some(mean)
        },
        EmpiricalBernstein::interval,
        sum,
    )?;
    assert!(bernstein.contains(0.5) && bernstein.width() < 0.1);

    // A thousand capitals, one for each mean that could be.
    let betting = sequence(
        criterion,
        "bounded-mean",
        few,
        |samples| {
            let mut mean = BoundedMean::new(0.0, 1.0, Alpha::ONE_PERCENT).ok()?;
            for sample in samples {
                mean.observe(sample.value).ok()?;
            }
            Some(mean)
        },
        |mean| mean.interval(Alpha::ONE_PERCENT),
        sum,
    )?;
    assert!(betting.contains(0.5) && betting.width() < 0.1);
    Ok(())
}

fn differences(criterion: &mut Criterion, samples: &[Sample]) -> Result<(), Box<dyn Error>> {
    let difference = sequence(
        criterion,
        "asymptotic",
        samples,
        |samples| {
            let mut means = AsymptoticSequence::new(10_000.0, Alpha::ONE_PERCENT).ok()?;
            for sample in samples {
                means.observe(sample.arm, sample.value).ok()?;
            }
            Some(means)
        },
        |means| means.difference(Alpha::ONE_PERCENT),
        sum,
    )?;
    assert!(difference.contains(0.0) && difference.width() < 0.1);

    let log_e = sequence(
        criterion,
        "m-sprt",
        samples,
        |samples| {
            let mut test = MixtureSprt::new(0.1).ok()?;
            for sample in samples {
                test.observe(sample.arm, sample.value).ok()?;
            }
            Some(test)
        },
        MixtureSprt::log_e,
        sum,
    )?;
    assert!(!log_e.rejects(Alpha::ONE_PERCENT));
    Ok(())
}

fn quantiles(criterion: &mut Criterion, samples: &[Sample]) -> Result<(), Box<dyn Error>> {
    let median = Probability::new(0.5)?;
    let interval = sequence(
        criterion,
        "quantile",
        samples,
        |samples| {
            let mut values = QuantileSequence::new(median, 1_000.0).ok()?;
            for sample in samples {
                values.observe(sample.value).ok()?;
            }
            Some(values)
        },
        |values| values.interval(Alpha::ONE_PERCENT),
        sum,
    )?;
    assert!(interval.contains(0.5) && interval.width() < 0.1);

    let log_e = sequence(
        criterion,
        "quantile-comparison",
        samples,
        |samples| {
            let mut arms = QuantileComparison::new(median, 1_000.0).ok()?;
            for sample in samples {
                arms.observe(sample.arm, sample.value).ok()?;
            }
            Some(arms)
        },
        QuantileComparison::log_e,
        sum,
    )?;
    assert!(!log_e.rejects(Alpha::ONE_PERCENT));
    Ok(())
}

fn distributions(criterion: &mut Criterion, samples: &[Sample]) -> Result<(), Box<dyn Error>> {
    let baseline = SplitMix64::new(7).numbers(FEW);
    let empty = DistributionBand::from_baseline(&baseline, EDGES)?;
    let differs = sequence(
        criterion,
        "distribution",
        samples,
        |samples| {
            let mut band = empty.clone();
            for sample in samples {
                band.observe(sample.arm, sample.value).ok()?;
            }
            Some(band)
        },
        |band| band.differs(Alpha::ONE_PERCENT),
        sum,
    )?;
    assert!(!differs);
    Ok(())
}

struct Sample {
    arm: Arm,
    value: f64,
}

fn samples(seed: u64, count: usize) -> Vec<Sample> {
    let mut generator = SplitMix64::new(seed);
    (0..count)
        .map(|_| Sample {
            arm: if generator.next_f64() < 0.5 {
                Arm::Challenger
            } else {
                Arm::Champion
            },
            value: generator.next_f64(),
        })
        .collect()
}

fn sum(samples: &[Sample]) -> f64 {
    samples.iter().map(|sample| sample.value).sum()
}

const MANY: usize = 100_000;
const FEW: usize = 10_000;
const EDGES: usize = 100;
