//! How often a judge errs, looked at after every few requests, on traffic that is not kind to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use noops_canary::Arm;
use noops_canary::judge::{
    AaCheck, Judge, JudgeSpec, MetricKind, MetricSpec, Observation, Tolerance, Unit, Units, Verdict,
};
use noops_canary::labels::{LabelledExposure, LateLabelSettings, LateLabels};
use noops_core::jiff::SignedDuration;
use noops_core::{Share, Timestamp};
use noops_stats::SplitMix64;

const RAMP: [f64; 4] = [0.01, 0.05, 0.25, 0.5];

fn share(ratio: f64) -> Share {
    Share::from_ratio(ratio).unwrap()
}

fn at(second: usize) -> Timestamp {
    Timestamp::from_second(i64::try_from(second).unwrap()).unwrap()
}

fn random(seed: u64) -> SplitMix64 {
    SplitMix64(seed.wrapping_mul(0xd1b5_4a32_d192_ed03))
}

fn spec(units: Units) -> JudgeSpec {
    let errors = errors();
    JudgeSpec::new([errors]).unwrap().with_units(units)
}

fn errors() -> MetricSpec {
    MetricSpec::new("errors", MetricKind::Rate).with_margin(Tolerance::relative(0.25).unwrap())
}

fn count(runs: u64, claim: impl Fn(u64) -> bool) -> usize {
    (0..runs).filter(|&seed| claim(seed)).count()
}

fn rolls_back(judge: &Judge) -> bool {
    matches!(judge.verdict(), Verdict::RollBack { .. })
}

/// Requests assigned one by one, over a ramp, while the champion's rate rises from 1 to 3 % (times `level`), looked at after every failure;
/// whether `found` ever holds.
fn independent(
    spec: &JudgeSpec,
    seed: u64,
    requests: usize,
    [level, ratio]: [f64; 2],
    found: impl Fn(&Judge) -> bool,
) -> bool {
    let mut random = random(seed);
    let mut judge = Judge::new(spec.clone()).unwrap();
    (0..requests).any(|request| {
        let theta = RAMP[request * 4 / requests];
        let challenger = random.unit() < theta;
        let base = level * (0.01 + 0.02 * request as f64 / requests as f64);
        let rate = if challenger { base * ratio } else { base };
        let failed = random.unit() < rate;
        let arm = if challenger {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        let values = [Some(f64::from(u8::from(failed)))];
        let unit = Unit::of_number(request as u64);
        judge
            .observe(&Observation::new(
                at(request),
                unit,
                arm,
                share(theta),
                &values,
            ))
            .unwrap();
        failed && found(&judge)
    })
}

#[test]
fn an_identical_candidate_is_rarely_rolled_back_over_a_ramp_with_a_drifting_level() {
    let spec = spec(Units::Independent);
    let wrong = count(150, |seed| {
        independent(&spec, seed, 12_000, [1.0, 1.0], rolls_back)
    });
    // scipy.stats.binom.sf(16, 150, 0.05) = 0.0014
    assert!(wrong <= 16, "{wrong}");
}

#[test]
fn a_candidate_at_the_margin_is_rarely_promoted_over_a_ramp_with_a_drifting_level() {
    let promoted = |judge: &Judge| judge.verdict() == Verdict::Promote;
    // Harm up to the margin is tolerated, so that no rollback comes first.
    let margin = Tolerance::relative(0.25).unwrap();
    let spec = JudgeSpec::new([errors().with_harm(margin)])
        .unwrap()
        .with_units(Units::Independent);
    let wrong = count(100, |seed| {
        independent(&spec, seed, 4_000, [5.0, 1.25], promoted)
    });
    // scipy.stats.binom.sf(12, 100, 0.05) = 0.0015
    assert!(wrong <= 12, "{wrong}");
}

/// Units that come back: one in twenty fails nine times of ten, whichever model serves it. Raising the share only adds units.
struct Population {
    units: Vec<(f64, f64)>,
}

impl Population {
    fn new(random: &mut SplitMix64, units: usize) -> Self {
        let unit = |random: &mut SplitMix64| {
            let propensity = if random.unit() < 0.05 { 0.9 } else { 0.002 };
            (random.unit(), propensity)
        };
        Self {
            units: (0..units).map(|_| unit(random)).collect(),
        }
    }

    /// The unit of a request, whether it is the challenger's at this share, and whether the request fails.
    fn request(&self, random: &mut SplitMix64, theta: f64) -> (usize, Arm, bool) {
        let unit = random.below(self.units.len());
        let (bucket, propensity) = self.units[unit];
        let arm = if bucket < theta {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        (unit, arm, random.unit() < propensity)
    }
}

fn sticky_alarm(seed: u64, units: Units, shares: &[f64]) -> bool {
    let mut random = random(seed);
    let population = Population::new(&mut random, 400);
    let mut judge = Judge::new(spec(units)).unwrap();
    let requests = 8_000;
    (0..requests).any(|request| {
        let theta = shares[request * shares.len() / requests];
        let (unit, arm, failed) = population.request(&mut random, theta);
        let values = [Some(f64::from(u8::from(failed)))];
        let unit = Unit::of_number(unit as u64);
        judge
            .observe(&Observation::new(
                at(request),
                unit,
                arm,
                share(theta),
                &values,
            ))
            .unwrap();
        failed && rolls_back(&judge)
    })
}

#[test]
fn units_that_fail_again_and_again_are_not_taken_for_harm() {
    for shares in [&RAMP[..], &[0.1]] {
        let wrong = count(100, |seed| sticky_alarm(seed, Units::Sticky(4_096), shares));
        // scipy.stats.binom.sf(12, 100, 0.05) = 0.0015
        assert!(wrong <= 12, "{wrong}");
    }
}

#[test]
fn counting_every_request_of_a_sticky_unit_would_break_the_error_rate() {
    let wrong = count(40, |seed| sticky_alarm(seed, Units::Independent, &RAMP));
    assert!(wrong >= 12, "{wrong}");
}

#[test]
fn an_a_a_check_tells_a_sound_judge_from_an_unsound_one() {
    for (units, sound) in [(Units::Sticky(4_096), true), (Units::Independent, false)] {
        let mut check = AaCheck::new(&spec(units), 60).unwrap();
        let mut random = random(9);
        let population = Population::new(&mut random, 300);
        for request in 0..6_000 {
            let (unit, _, failed) = population.request(&mut random, 0.0);
            let values = [Some(f64::from(u8::from(failed)))];
            let unit = Unit::of_number(unit as u64);
            let seen = Observation::new(at(request), unit, Arm::Champion, Share::ZERO, &values);
            check.observe(&seen).unwrap();
            if request % 100 == 99 {
                check.look();
            }
        }
        let report = check.report();
        assert_eq!(report.is_broken(), !sound, "{report:?}");
        assert_eq!(report.replicates(), 60);
        if sound {
            // scipy.stats.binom.sf(8, 60, 0.05) = 0.0026
            assert!(report.false_alarms() <= 8, "{report:?}");
        }
    }
}

/// A day of four stages; labels come after six hours on average, the rate doubles, the models are the same.
fn late_labels(seed: u64, requests: usize) -> (bool, f64) {
    let mut random = random(seed);
    let spec = spec(Units::Independent).with_max_lateness_seconds(3_600);
    // Most of the labels that never come in time are missing for both arms alike.
    let spec = spec.with_max_missing(noops_core::Probability::ONE);
    let mut judge = Judge::new(spec).unwrap();
    let settings = LateLabelSettings::default().with_window(SignedDuration::from_hours(12));
    let mut labels = LateLabels::new(settings).unwrap();
    let mut told = Vec::new();
    let day = 24 * 3_600;
    for request in 0..requests {
        let second = request * day / requests;
        let theta = RAMP[request * 4 / requests];
        let arm = if random.unit() < theta {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        let bad = random.unit() < 0.05 * (1.0 + request as f64 / requests as f64);
        let delay = -21_600.0 * libm::log(1.0 - random.unit());
        let id = format!("{request:06}");
        labels
            .observe_exposure(&id, LabelledExposure::new(at(second), arm, share(theta)))
            .unwrap();
        told.push((second + delay as usize, id, bad, arm));
    }
    told.sort_by_key(|(second, ..)| *second);
    // What there is at the end of the day, of those with a label: bad ones are recorded, good ones assumed meanwhile.
    let mut naive = [[0.0_f64; 2]; 2];
    for (second, _, bad, arm) in &told {
        let side = usize::from(*arm == Arm::Challenger);
        naive[side][0] += f64::from(u8::from(*second < day && *bad));
        naive[side][1] += 1.0;
    }
    let naive = (naive[1][0] / naive[1][1]) / (naive[0][0] / naive[0][1]);
    let mut alarmed = false;
    let mut next = told.into_iter().peekable();
    for hour in 0..37 {
        let now = hour * 3_600;
        while let Some((second, id, bad, _)) = next.next_if(|(second, ..)| *second <= now) {
            labels
                .observe_label(&id, at(second), f64::from(u8::from(bad)))
                .unwrap();
        }
        for matured in labels.release_before(at(now)) {
            let exposure = matured.exposure();
            let values = [matured.label()];
            let unit = Unit::of(matured.id());
            let (arm, share) = (exposure.arm(), exposure.share());
            judge
                .observe(&Observation::new(
                    exposure.served_at(),
                    unit,
                    arm,
                    share,
                    &values,
                ))
                .unwrap();
            alarmed |= matured.label() == Some(1.0) && rolls_back(&judge);
        }
    }
    (alarmed, naive)
}

#[test]
fn late_labels_judged_at_equal_age_rarely_alarm_where_labels_at_hand_mislead() {
    let runs: Vec<(bool, f64)> = (0..100).map(|seed| late_labels(seed, 3_000)).collect();
    let alarms = runs.iter().filter(|(alarmed, _)| *alarmed).count();
    // scipy.stats.binom.sf(12, 100, 0.05) = 0.0015
    assert!(alarms <= 12, "{alarms}");
    // The challenger's requests are younger on average, so fewer of their bad outcomes are known.
    let naive = runs.iter().map(|(_, ratio)| ratio).sum::<f64>() / runs.len() as f64;
    assert!(naive < 0.92, "{naive}");
}
