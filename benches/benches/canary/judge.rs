//! Requests into a judge of ten metrics, and its verdict.

use std::error::Error;
use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion};
use noops_canary::Arm;
use noops_canary::judge::{Judge, JudgeSpec, Observation, SliceValue, Units, Verdict};
use noops_core::Share;

use crate::measure::{group, same};
use crate::traffic::{METRICS, Request, metrics, requests};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let half = Share::from_ratio(0.5)?;
    let past = requests(0, WARM, half)?;
    let next = requests(WARM as u64, REQUESTS, half)?;
    observe(criterion, &past, &next)?;
    sliced(criterion, &past, &next)?;
    verdict(criterion, &past, &next)
}

fn observe(
    criterion: &mut Criterion,
    past: &[Request],
    next: &[Request],
) -> Result<(), Box<dyn Error>> {
    let mut group = group(criterion, "judge", REQUESTS);
    for (name, units) in [
        ("noops", Units::Independent),
        ("noops-sticky", Units::default()),
    ] {
        let judge = warmed(Judge::new(spec(units)?)?, past, &unsliced(past))?;
        observing(&mut group, name, &judge, next, &unsliced(next));
    }
    // Units that came before, at the same share, count as requests and no more.
    let judge = warmed(Judge::new(spec(Units::default())?)?, past, &unsliced(past))?;
    let again = past.get(..REQUESTS).ok_or("the past is too short")?;
    let again = again
        .iter()
        .cloned()
        .zip(next)
        .map(|(request, next)| Request {
            at: next.at,
            ..request
        })
        .collect::<Vec<_>>();
    observing(
        &mut group,
        "noops-sticky-returning",
        &judge,
        &again,
        &unsliced(&again),
    );

    let ramp = ramp()?;
    let judge = warmed(
        Judge::new(spec(Units::Independent)?)?,
        past,
        &unsliced(past),
    )?;
    observing(&mut group, "noops-ramp", &judge, &ramp, &unsliced(&ramp));

    let _ = same(&mut group, "floor-sums", REQUESTS, || sums(black_box(next)));
    group.finish();
    Ok(())
}

fn sliced(
    criterion: &mut Criterion,
    past: &[Request],
    next: &[Request],
) -> Result<(), Box<dyn Error>> {
    let mut group = group(criterion, "judge-slices", REQUESTS);
    for (units, of_one, of_eight) in [
        (Units::Independent, "noops-one-of-8", "noops-8-at-once"),
        (
            Units::default(),
            "noops-sticky-one-of-8",
            "noops-sticky-8-at-once",
        ),
    ] {
        // One column of eight values: a request is in one slice.
        let mut judge = Judge::new(spec(units)?.with_slices(["country"]))?;
        let values = countries(&mut judge)?;
        let judge = warmed(judge, past, &in_turn(&values, past))?;
        observing(&mut group, of_one, &judge, next, &in_turn(&values, next));

        // Eight columns of one value each: a request is in eight slices.
        let columns: Vec<String> = (0..SLICES)
            .map(|column| format!("column-{column}"))
            .collect();
        let mut judge = Judge::new(spec(units)?.with_slices(columns.clone()))?;
        let mut values = Vec::with_capacity(SLICES);
        for column in &columns {
            values.push(judge.slice_value(column, "all")?);
        }
        let every: [SliceValue; SLICES] = values
            .try_into()
            .map_err(|_| "there are not eight slices")?;
        let judge = warmed(judge, past, &vec![every; past.len()])?;
        observing(&mut group, of_eight, &judge, next, &vec![every; next.len()]);
    }
    group.finish();
    Ok(())
}

fn verdict(
    criterion: &mut Criterion,
    past: &[Request],
    next: &[Request],
) -> Result<(), Box<dyn Error>> {
    let plain = Judge::new(spec(Units::Independent)?)?;
    let plain = warmed(plain, past, &unsliced(past))?;
    let plain = warmed(plain, next, &unsliced(next))?;

    let mut judge = Judge::new(spec(Units::Independent)?.with_slices(["country"]))?;
    let values = countries(&mut judge)?;
    let sliced = warmed(judge, past, &in_turn(&values, past))?;
    let sliced = warmed(sliced, next, &in_turn(&values, next))?;

    let mut group = group(criterion, "verdict", 1);
    for (judge, slices) in [(&plain, 0), (&sliced, SLICES)] {
        let verdict = same(&mut group, "noops", slices, || black_box(judge).verdict());
        assert!(
            !matches!(verdict, Verdict::RollBack { .. }),
            "a better candidate is rolled back: {verdict:?}"
        );
        let judgement = same(&mut group, "noops-judgement", slices, || {
            black_box(judge).judgement()
        });
        assert_eq!(*judgement.verdict(), verdict);
        let paragraph = same(&mut group, "noops-explain", slices, || {
            black_box(&judgement).explain()
        });
        assert!(!paragraph.is_empty());
    }
    // What compares ten ratios of means with ten margins, and knows nothing of chance.
    let totals = sums(next);
    let within = same(&mut group, "floor-ratios", 0, || {
        let [champion, challenger] = black_box(&totals);
        let ratios = champion.iter().zip(challenger).map(|(a, b)| b / a);
        ratios.filter(|ratio| *ratio < 1.5).count()
    });
    assert_eq!(within, METRICS);
    group.finish();
    Ok(())
}

fn observing<const N: usize>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    judge: &Judge,
    requests: &[Request],
    slices: &[[SliceValue; N]],
) {
    let expected = served(judge) + requests.len() as u64;
    group.bench_function(BenchmarkId::new(name, requests.len()), |bencher| {
        // From the same state each time, copied outside of the measurement: the memory of units would know the requests otherwise.
        bencher.iter_batched_ref(
            || judge.clone(),
            |judge| {
                for (request, slices) in black_box(requests).iter().zip(slices) {
                    assert!(judge.observe(&observation(request, slices)).is_ok());
                }
                assert_eq!(served(judge), expected);
            },
            BatchSize::PerIteration,
        );
    });
}

fn warmed<const N: usize>(
    mut judge: Judge,
    requests: &[Request],
    slices: &[[SliceValue; N]],
) -> Result<Judge, Box<dyn Error>> {
    for (request, slices) in requests.iter().zip(slices) {
        judge.observe(&observation(request, slices))?;
    }
    Ok(judge)
}

fn observation<'a>(request: &'a Request, slices: &'a [SliceValue]) -> Observation<'a> {
    let (unit, arm, share) = (request.unit, request.arm, request.share);
    Observation::new(request.at, unit, arm, share, &request.values).with_slices(slices)
}

fn served(judge: &Judge) -> u64 {
    judge.requests(Arm::Champion) + judge.requests(Arm::Challenger)
}

fn spec(units: Units) -> Result<JudgeSpec, Box<dyn Error>> {
    Ok(JudgeSpec::new(metrics()?)?.with_units(units))
}

fn countries(judge: &mut Judge) -> Result<Vec<SliceValue>, Box<dyn Error>> {
    let mut values = Vec::with_capacity(SLICES);
    for country in 0..SLICES {
        values.push(judge.slice_value("country", &format!("c{country}"))?);
    }
    Ok(values)
}

fn unsliced(requests: &[Request]) -> Vec<[SliceValue; 0]> {
    vec![[]; requests.len()]
}

/// One slice after the other.
fn in_turn(slices: &[SliceValue], requests: &[Request]) -> Vec<[SliceValue; 1]> {
    let slices = slices.iter().cycle().take(requests.len());
    slices.map(|slice| [*slice]).collect()
}

/// As many requests, the share rising to a half over four stages.
fn ramp() -> Result<Vec<Request>, Box<dyn Error>> {
    let mut all = Vec::with_capacity(REQUESTS);
    for (first, share) in (WARM as u64..)
        .step_by(REQUESTS / 4)
        .zip([0.05, 0.1, 0.25, 0.5])
    {
        all.extend(requests(first, REQUESTS / 4, Share::from_ratio(share)?)?);
    }
    Ok(all)
}

/// What ten counters an arm would hold: the least that a request of ten numbers can cost.
fn sums(requests: &[Request]) -> [[f64; METRICS]; 2] {
    let (mut champion, mut challenger) = ([0.0; METRICS], [0.0; METRICS]);
    for request in requests {
        let sums = match request.arm {
            Arm::Champion => &mut champion,
            Arm::Challenger => &mut challenger,
        };
        for (sum, value) in sums.iter_mut().zip(&request.values) {
            *sum += value.unwrap_or(0.0);
        }
    }
    [champion, challenger]
}

const WARM: usize = 20_000;
const REQUESTS: usize = 20_000;
const SLICES: usize = 8;
