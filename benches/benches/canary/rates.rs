//! The two engines of a judge, alone: events whose rates are compared, and outcomes whose means are.

use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use noops_benches::SplitMix64;
use noops_canary::Arm;
use noops_canary::sequential::{MeanDifference, MeanLimit, RateComparison};
use noops_core::{Alpha, Share};

use crate::measure::{group, same};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let fixed = outcomes(1, &[Share::from_ratio(0.5)?]);
    let shares = [0.01, 0.05, 0.1, 0.25, 0.5].map(Share::from_ratio);
    let shares = shares.into_iter().collect::<Result<Vec<_>, _>>()?;
    let ramp = outcomes(2, &shares);
    rates(criterion, &fixed, &ramp)?;
    means(criterion, &fixed, &ramp)
}

fn rates(
    criterion: &mut Criterion,
    fixed: &[Outcome],
    ramp: &[Outcome],
) -> Result<(), Box<dyn Error>> {
    let mut observing = group(criterion, "rate-observe", EVENTS);
    let state = same(&mut observing, "noops", EVENTS, || {
        rate_of(black_box(fixed))
    });
    let ramped = same(&mut observing, "noops-ramp", EVENTS, || {
        rate_of(black_box(ramp))
    });
    let counted = same(&mut observing, "floor-count", EVENTS, || {
        let events = black_box(fixed).iter();
        events.filter(|event| event.arm == Arm::Challenger).count()
    });
    observing.finish();
    assert_eq!(state.events(Arm::Challenger), counted as u64);

    let mut looking = group(criterion, "rate-look", 1);
    for (evidence, interval, state) in [
        ("noops-log-e", "noops-interval", &state),
        ("noops-ramp-log-e", "noops-ramp-interval", &ramped),
    ] {
        let log_e = same(&mut looking, evidence, EVENTS, || {
            black_box(state).log_e_above(1.25).ok()
        });
        assert!(log_e.is_some_and(|log_e| log_e.get() < 1.0));
        let interval = same(&mut looking, interval, EVENTS, || {
            black_box(state).interval(Alpha::ONE_PERCENT)
        });
        assert!(interval.contains(1.0) && interval.width() < 0.5);
    }
    looking.finish();
    Ok(())
}

fn means(
    criterion: &mut Criterion,
    fixed: &[Outcome],
    ramp: &[Outcome],
) -> Result<(), Box<dyn Error>> {
    let mut observing = group(criterion, "mean-observe", EVENTS);
    let state = same(&mut observing, "noops", EVENTS, || {
        mean_of(black_box(fixed))
    });
    let ramped = same(&mut observing, "noops-ramp", EVENTS, || {
        mean_of(black_box(ramp))
    });
    let _ = same(&mut observing, "floor-sum", EVENTS, || {
        black_box(fixed)
            .iter()
            .map(|outcome| outcome.value)
            .sum::<f64>()
    });
    observing.finish();

    let limit = MeanLimit::relative(1.1)?;
    let mut looking = group(criterion, "mean-look", 1);
    for (evidence, interval, state) in [
        ("noops-log-e", "noops-interval", state),
        ("noops-ramp-log-e", "noops-ramp-interval", ramped),
    ] {
        let state = state.ok_or("an outcome was refused")?;
        let log_e = same(&mut looking, evidence, EVENTS, || {
            black_box(&state).log_e_above(limit)
        });
        assert!(log_e.get() < 1.0);
        let interval = same(&mut looking, interval, EVENTS, || {
            black_box(&state).interval(Alpha::ONE_PERCENT)
        });
        assert!(interval.contains(0.0) && interval.width() < 0.5);
    }
    looking.finish();
    Ok(())
}

fn rate_of(events: &[Outcome]) -> RateComparison {
    let mut rates = RateComparison::new();
    for event in events {
        rates.observe(event.arm, event.share);
    }
    rates
}

fn mean_of(outcomes: &[Outcome]) -> Option<MeanDifference> {
    let mut means = MeanDifference::new(0.0, 1.0).ok()?;
    for outcome in outcomes {
        means
            .observe(outcome.arm, outcome.share, outcome.value)
            .ok()?;
    }
    Some(means)
}

struct Outcome {
    arm: Arm,
    share: Share,
    value: f64,
}

/// Outcomes that are the same in both arms, with each of the shares in force for as long.
fn outcomes(seed: u64, shares: &[Share]) -> Vec<Outcome> {
    let mut generator = SplitMix64::new(seed);
    let each = EVENTS / shares.len().max(1);
    shares
        .iter()
        .flat_map(|share| std::iter::repeat_n(*share, each))
        .map(|share| {
            let arm = if generator.next_f64() < share.ratio() {
                Arm::Challenger
            } else {
                Arm::Champion
            };
            Outcome {
                arm,
                share,
                value: generator.next_f64(),
            }
        })
        .collect()
}

const EVENTS: usize = 100_000;
