//! Assigning units to arms.

use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use noops_canary::{Arm, Assignment, Challenger, Salt, WeightedAssignment, bucket};
use noops_core::{Share, unit_hash};

use crate::measure::{group, same};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let salt = Salt::new("checkout-42");
    let units: Vec<String> = (0..UNITS).map(|unit| format!("user-{unit:08}")).collect();
    buckets(criterion, &salt, &units);
    arms(criterion, &salt, &units)
}

fn buckets(criterion: &mut Criterion, salt: &Salt, units: &[String]) {
    let mut group = group(criterion, "bucket", UNITS);
    let sum = same(&mut group, "noops", UNITS, || {
        let buckets = black_box(units)
            .iter()
            .map(|unit| u64::from(bucket(salt, unit)));
        buckets.sum::<u64>()
    });
    // Uniform buckets average half a million; a thousand of them stray by less than a tenth of that.
    assert!(
        (450_000..550_000).contains(&(sum / UNITS as u64)),
        "the buckets are not uniform"
    );
    let _ = same(&mut group, "floor-unit-hash", UNITS, || {
        let hashes = black_box(units)
            .iter()
            .map(|unit| unit_hash(salt.as_str(), unit));
        hashes.fold(0, |all, hash| all ^ hash)
    });
    let _ = same(&mut group, "floor-fnv1a", UNITS, || {
        let hashes = black_box(units)
            .iter()
            .map(|unit| fnv1a(salt.as_str(), unit));
        hashes.fold(0, |all, hash| all ^ hash)
    });
    group.finish();
}

fn arms(criterion: &mut Criterion, salt: &Salt, units: &[String]) -> Result<(), Box<dyn Error>> {
    let two = Assignment::new(salt.clone(), Share::from_ratio(0.2)?);
    let challengers = [("small", 50_000), ("large", 100_000), ("cheap", 50_000)]
        .into_iter()
        .map(|(name, ppm)| Ok(Challenger::new(name, Share::from_ppm(ppm)?)))
        .collect::<Result<Vec<_>, noops_core::UnitError>>()?;
    let many = WeightedAssignment::new(salt.clone(), challengers)?;

    let mut group = group(criterion, "arm", UNITS);
    let of_two = same(&mut group, "noops", UNITS, || {
        let arms = black_box(units).iter().map(|unit| two.arm(unit));
        arms.filter(|arm| *arm == Arm::Challenger).count()
    });
    let of_many = same(&mut group, "noops-multi-arm", UNITS, || {
        let arms = black_box(units).iter().map(|unit| many.assign(unit).arm());
        arms.filter(|arm| *arm > 0).count()
    });
    group.finish();
    // A fifth of a thousand, give or take four standard deviations.
    for challenged in [of_two, of_many] {
        assert!(
            (149..=251).contains(&challenged),
            "the share is not kept: {challenged} of {UNITS}"
        );
    }
    Ok(())
}

fn fnv1a(salt: &str, unit: &str) -> u64 {
    let bytes = salt.bytes().chain(std::iter::once(0)).chain(unit.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

const UNITS: usize = 1_000;
