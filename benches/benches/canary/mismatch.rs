//! Whether the arms get the shares that they should.

use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use noops_benches::SplitMix64;
use noops_canary::Arm;
use noops_canary::sequential::{
    AllocationSettings, RampedSampleRatio, SampleRatioMismatch, srm_chi_square,
};
use noops_core::Share;

use crate::measure::{group, same, sequence};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    sequential(criterion)?;
    once(criterion)
}

fn sequential(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let half = Share::from_ratio(0.5)?;
    let mut generator = SplitMix64::new(1);
    let arms: Vec<usize> = (0..EVENTS)
        .map(|_| usize::from(generator.next_f64() < half.ratio()))
        .collect();
    let challenged = |arms: &[usize]| arms.iter().sum::<usize>() as f64;

    let every_event = sequence(
        criterion,
        "srm",
        &arms,
        |arms| {
            let mut ratio = SampleRatioMismatch::new(2, AllocationSettings::default()).ok()?;
            for arm in arms {
                ratio.observe(*arm, &[half, half]).ok()?;
            }
            Some(ratio)
        },
        |ratio| ratio.verdict().is_mismatch(),
        challenged,
    )?;
    assert!(!every_event);

    let at_looks = sequence(
        criterion,
        "srm-ramped",
        &arms,
        |arms| {
            let mut ratio = RampedSampleRatio::new(AllocationSettings::default());
            for arm in arms {
                let arm = [Arm::Champion, Arm::Challenger].get(*arm)?;
                ratio.observe(*arm, half);
            }
            Some(ratio)
        },
        RampedSampleRatio::log_e,
        challenged,
    )?;
    assert!(at_looks.get() < 1.0);
    Ok(())
}

/// The counts of a published mismatch, whose p-value is 1.8e-6.
fn once(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let half = Share::from_ratio(0.5)?;
    let mut group = group(criterion, "srm-chi-square", 1);
    let p_value = same(&mut group, "noops", 2, || {
        let observed = black_box([821_588_u64, 815_482]);
        let test = srm_chi_square(&observed, &[half, half]);
        test.ok().map(|test| test.p_value())
    });
    group.finish();
    assert!(p_value.is_some_and(|p| (p - 1.822e-6).abs() < 1e-9));
    Ok(())
}

const EVENTS: usize = 100_000;
