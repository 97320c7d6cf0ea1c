use super::*;

/// The evidence after every event, kept up to date instead of recomputed: one term per place of the grid.
pub(super) struct Running {
    shares: Vec<f64>,
    /// What an event adds to each term, by share, for the champion and for the challenger.
    steps: Vec<[[f64; GRID.len()]; 2]>,
    terms: [f64; GRID.len()],
}

impl Running {
    pub(super) fn new(shares: &[f64], ratio: f64, side: f64) -> Self {
        let step = |theta: f64, challenger: bool| {
            GRID.map(|(log_ratio, _)| {
                let factor = ratio * libm::exp(side * log_ratio);
                let null = theta * ratio + 1.0 - theta;
                let denominator = libm::log(null / (theta * factor + 1.0 - theta));
                denominator + if challenger { side * log_ratio } else { 0.0 }
            })
        };
        Self {
            shares: shares.to_vec(),
            steps: shares
                .iter()
                .map(|&theta| [step(theta, false), step(theta, true)])
                .collect(),
            terms: GRID.map(|(_, log_weight)| log_weight),
        }
    }

    pub(super) fn add(&mut self, arm: Arm, stage: usize) {
        let steps = &self.steps[stage][usize::from(arm == Arm::Challenger)];
        for (term, step) in self.terms.iter_mut().zip(steps) {
            *term += step;
        }
    }

    pub(super) fn log_e(&self) -> f64 {
        log_sum_exp(self.terms.iter().copied())
    }

    /// Whether the sum reaches `needed`; it cannot where no term comes near.
    pub(super) fn reaches(&self, needed: f64) -> bool {
        let near = needed - libm::log(GRID.len() as f64);
        self.terms.iter().any(|&term| term >= near) && self.log_e() >= needed
    }
}

/// Whether the evidence against `ratio` on `side` ever reaches 1 / 0.05, looked at after every event, while the true ratio is that very
/// one. `stage` tells the place of the share in force from the number of the event.
fn ever_rejects(
    seed: u64,
    shares: &[f64],
    ratio: f64,
    side: f64,
    events: usize,
    stage: impl Fn(usize) -> usize,
) -> bool {
    let mut random = Random::new(seed);
    let mut running = Running::new(shares, ratio, side);
    let needed = -libm::log(0.05);
    for event in 0..events {
        let stage = stage(event);
        let theta = running.shares[stage];
        let challenger = random.uniform() < theta * ratio / (theta * ratio + 1.0 - theta);
        running.add(
            if challenger {
                Arm::Challenger
            } else {
                Arm::Champion
            },
            stage,
        );
        if running.reaches(needed) {
            return true;
        }
    }
    false
}

fn count(runs: u64, claim: impl Fn(u64) -> bool) -> usize {
    (0..runs).filter(|&seed| claim(seed)).count()
}

#[test]
fn evidence_kept_up_to_date_is_the_evidence_recomputed() {
    let shares = [0.01, 0.05, 0.25, 0.5];
    for (ratio, side) in [(1.0, 1.0), (1.25, -1.0), (1.5, 1.0)] {
        let mut random = Random::new(7);
        let mut running = Running::new(&shares, ratio, side);
        let mut comparison = RateComparison::new();
        for event in 0..4_000 {
            let stage = event / 1_000;
            let challenger = random.uniform() < 1.2 * shares[stage];
            let arm = if challenger {
                Arm::Challenger
            } else {
                Arm::Champion
            };
            running.add(arm, stage);
            comparison.observe(arm, share(shares[stage]));
            if event % 37 == 0 {
                let whole = comparison.log_e(ratio, side, 1.0);
                assert!(
                    (running.log_e() - whole).abs() < 1e-8 * (1.0 + whole.abs()),
                    "{event}"
                );
            }
        }
    }
}

#[test]
fn identical_arms_rarely_alarm_at_any_share_in_twenty_thousand_looks() {
    for theta in [0.01, 0.1, 0.5] {
        let alarms = count(400, |seed| {
            ever_rejects(seed, &[theta], 1.0, 1.0, 20_000, |_| 0)
        });
        // scipy.stats.binom.sf(34, 400, 0.05) = 0.0011
        assert!(alarms <= 34, "{alarms} at {theta}");
    }
}

#[test]
fn a_candidate_at_the_margin_is_rarely_proven_below_it_in_twenty_thousand_looks() {
    for theta in [0.01, 0.1, 0.5] {
        let proven = count(400, |seed| {
            ever_rejects(seed, &[theta], 1.25, -1.0, 20_000, |_| 0)
        });
        // scipy.stats.binom.sf(34, 400, 0.05) = 0.0011
        assert!(proven <= 34, "{proven} at {theta}");
    }
}

#[test]
fn a_ramp_changes_nothing_about_either_error_rate() {
    // The events per stage grow with a base rate that triples meanwhile.
    let stage = |event: usize| match event {
        0..3_000 => 0,
        3_000..7_000 => 1,
        7_000..12_500 => 2,
        _ => 3,
    };
    for (ratio, side) in [(1.0, 1.0), (1.25, -1.0)] {
        let shares = [0.01, 0.05, 0.25, 0.5];
        let wrong = count(400, |seed| {
            ever_rejects(seed, &shares, ratio, side, 20_000, stage)
        });
        // scipy.stats.binom.sf(34, 400, 0.05) = 0.0011
        assert!(wrong <= 34, "{wrong} of {ratio}");
    }
}

/// A day of four stages at 1, 5, 25 and 50 %, the base rate rising from 1 to 3 %, the share told through `shown`.
fn drifting_ramp(seed: u64, ratio: f64, shown: impl Fn(f64) -> f64) -> RateComparison {
    let mut random = Random::new(seed);
    let mut comparison = RateComparison::new();
    let requests = 100_000;
    for request in 0..requests {
        let theta = [0.01, 0.05, 0.25, 0.5][request * 4 / requests];
        let base = 0.01 + 0.02 * request as f64 / requests as f64;
        let challenger = random.uniform() < theta;
        let arm = if challenger {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        let rate = if challenger { base * ratio } else { base };
        if random.uniform() < rate {
            comparison.observe(arm, share(shown(theta)));
        }
    }
    comparison
}

#[test]
fn the_share_at_the_event_keeps_what_pooling_breaks() {
    let rejects = |comparison: RateComparison| {
        comparison
            .log_e_above(1.0)
            .unwrap()
            .rejects(Alpha::FIVE_PERCENT)
    };
    let ours = count(200, |seed| rejects(drifting_ramp(seed, 1.0, |theta| theta)));
    // scipy.stats.binom.sf(20, 200, 0.05) = 0.0012
    assert!(ours <= 20, "{ours}");
    // Every event at the mean share of the whole ramp: the events are late, when the share is high.
    let pooled = count(100, |seed| rejects(drifting_ramp(seed, 1.0, |_| 0.2025)));
    assert!(pooled >= 95, "{pooled}");
}

#[test]
fn the_rate_ratio_is_estimated_across_the_ramp() {
    let estimate = drifting_ramp(1, 2.0, |theta| theta).rate_ratio().unwrap();
    assert!((1.6..2.5).contains(&estimate), "{estimate}");
}

#[test]
fn the_interval_holds_the_ratio_at_every_look() {
    let missed = count(200, |seed| {
        let mut random = Random::new(seed);
        let mut comparison = RateComparison::new();
        // The ratio is outside exactly where the evidence against it, on one of the sides, reaches 2 / alpha.
        let needed = -libm::log(0.025);
        (0..600).any(|event| {
            let theta = [0.05, 0.5][event / 300];
            let challenger = random.uniform() < theta * 1.4 / (theta * 1.4 + 1.0 - theta);
            let arm = if challenger {
                Arm::Challenger
            } else {
                Arm::Champion
            };
            comparison.observe(arm, share(theta));
            let outside = |side: f64| comparison.log_e(1.4, side, 1.0) >= needed;
            event % 5 == 4 && (outside(1.0) || outside(-1.0))
        })
    });
    // scipy.stats.binom.sf(20, 200, 0.05) = 0.0012
    assert!(missed <= 20, "{missed}");
}
