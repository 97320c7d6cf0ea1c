//! Steps of a rollout, and looks on a schedule.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use noops_canary::rollout::{
    EvidenceSummary, RampStage, Rollout, RolloutEvent, RolloutSpec, RolloutVerdict, Stage,
    StageGate,
};
use noops_canary::sequential::{GroupSequential, LookDecision, Sides, SpendingFunction};
use noops_core::{Alpha, Digest, Share, Timestamp};

use crate::measure::{group, same};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    steps(criterion)?;
    looks(criterion)
}

fn steps(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let gate = StageGate::new(Duration::from_secs(60), Duration::from_secs(3_600), 100);
    let ramp = [0.01, 0.1, 0.5]
        .into_iter()
        .map(|share| Ok(RampStage::new(Share::from_ratio(share)?, gate)))
        .collect::<Result<Vec<_>, noops_core::UnitError>>()?;
    let stages = ramp.len() + 1;
    let spec = RolloutSpec::canary(Some(gate), ramp)?;
    let start = Timestamp::from_second(0)?;
    let (candidate, judge) = (Digest::of(b"candidate"), Digest::of(b"judge"));
    let rollout = Rollout::start("checkout".to_owned(), spec, candidate, judge, start);

    let mut stepping = group(criterion, "rollout-step", 1);
    let event = judged(judge, RolloutVerdict::Continue, 10);
    let step = same(&mut stepping, "noops", stages, || {
        black_box(&rollout).step(start, black_box(&event))
    });
    stepping.finish();
    assert_eq!(step.state().stage(), Stage::Shadow);

    let mut promoting = group(criterion, "rollout-promotion", 1);
    let last = same(&mut promoting, "noops", stages, || {
        promoted(black_box(&rollout), judge)
    });
    promoting.finish();
    assert_eq!(last, Some(Stage::Promoted));
    Ok(())
}

/// Drives a rollout to its end, a verdict a minute, with a router that does what it is told.
fn promoted(rollout: &Rollout, judge: Digest) -> Option<Stage> {
    let mut state = rollout.clone();
    for minute in 0..MINUTES {
        let now = Timestamp::from_second(i64::from(minute) * 60).ok()?;
        let applied = RolloutEvent::ShareApplied {
            generation: state.generation(),
            share: state.share(),
        };
        let event = judged(judge, RolloutVerdict::Promote, 1_000 * u64::from(minute));
        for event in [RolloutEvent::Tick, applied, event] {
            state = state.step(now, &event).into_state();
        }
        if state.is_final() {
            return Some(state.stage());
        }
    }
    None
}

fn judged(judge: Digest, verdict: RolloutVerdict, events: u64) -> RolloutEvent {
    RolloutEvent::Judged {
        verdict,
        evidence: EvidenceSummary::new(judge, events, events),
    }
}

/// Looks at equal steps of information under O'Brien and Fleming's spending, with a z-value of 1, which never decides.
fn looks(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let alpha = Alpha::new(0.025)?;
    let mut looking = group(criterion, "group-sequential", 1);
    looking.sample_size(10);
    for looks in [5_usize, 20] {
        let test = GroupSequential::lan_de_mets(
            alpha,
            Sides::One,
            SpendingFunction::OBrienFleming,
            looks as f64,
        )?;
        let boundaries = same(&mut looking, "noops", looks, || {
            let mut test = black_box(&test).clone();
            let looks = (1..looks).map(|look| {
                let found = test.look(look as f64, 1.0).ok()?;
                (found.decision() == LookDecision::Continue).then(|| found.boundary())
            });
            looks.collect::<Option<Vec<f64>>>()
        });
        let boundaries = boundaries.ok_or("a look decides, or is refused")?;
        if looks == 5 {
            // Jennison and Turnbull, "Group Sequential Methods" (2000), and every program since.
            let first = boundaries.first().copied().unwrap_or(0.0);
            assert!((first - 4.8769).abs() < 1e-4);
        }
    }
    looking.finish();
    Ok(())
}

const MINUTES: u32 = 60;
