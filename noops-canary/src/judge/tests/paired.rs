use super::*;
use crate::shadow::PairedSettings;

fn loss(value: f64) -> Probability {
    Probability::new(value).unwrap()
}

fn paired(settings: PairedSettings) -> Judge {
    let metric = MetricSpec::new("loss", MetricKind::Paired(settings)).with_min_outcomes(100);
    judge([metric])
}

/// Judges after every block of twenty pairs and returns the first final verdict.
fn run(seed: u64, blocks: u64, mean: f64, noise: f64) -> Option<Verdict> {
    let mut random = Random::new(seed);
    let mut judge = paired(PairedSettings::default());
    (0..blocks).find_map(|block| {
        let shift = mean + noise * random.normal();
        for _ in 0..20 {
            let champion = 0.3 + 0.2 * random.uniform();
            let candidate = (champion + shift).clamp(0.0, 1.0);
            judge
                .observe_pair("loss", block, loss(champion), loss(candidate))
                .unwrap();
        }
        judge.close_before(block + 1);
        let verdict = judge.verdict();
        matches!(verdict, Verdict::Promote | Verdict::RollBack { .. }).then_some(verdict)
    })
}

fn count(runs: u64, expected: &Verdict, run: impl Fn(u64) -> Option<Verdict>) -> usize {
    (0..runs)
        .filter(|&seed| run(seed).as_ref() == Some(expected))
        .count()
}

fn harm() -> Verdict {
    rolled_back(Cause::Metric("loss".to_owned()))
}

#[test]
fn identical_models_are_rarely_rolled_back() {
    // The noise fills the range, so that the test has its full size.
    let wrong = count(200, &harm(), |seed| run(seed, 200, 0.0, 0.06));
    // scipy.stats.binom.sf(20, 200, 0.05) = 0.0012
    assert!(wrong <= 20, "{wrong}");
}

#[test]
fn a_candidate_at_the_margin_is_rarely_promoted() {
    let wrong = count(200, &Verdict::Promote, |seed| run(seed, 200, 0.002, 0.06));
    // scipy.stats.binom.sf(20, 200, 0.05) = 0.0012
    assert!(wrong <= 20, "{wrong}");
}

#[test]
fn a_clearly_worse_candidate_is_rolled_back_and_a_better_one_promoted_soon() {
    // Of the betting formula with numpy: medians of 25 and 84 blocks, the slowest of 300 took 34 and 145.
    assert!(count(100, &harm(), |seed| run(seed, 40, 0.03, 0.02)) >= 97);
    assert!(count(100, &Verdict::Promote, |seed| run(seed, 160, -0.005, 0.01)) >= 97);
}

#[test]
fn a_disaster_in_every_twentieth_block_is_never_promoted() {
    // True mean +0.0405, twenty times the margin; clamped mean -0.0045: by the clamped evidence alone every run would pass.
    for seed in 0..30 {
        let mut random = Random::new(seed);
        // A harm bound out of reach, so that no rollback comes first.
        let mut judge = paired(PairedSettings::default().with_harm(0.09).with_margin(0.09));
        let mut strict = paired(PairedSettings::default().with_harm(0.0));
        for block in 0..300 {
            let shift = -0.01 + 0.01 * random.normal();
            let (champion, candidate) = if block % 20 == 10 {
                (0.0, 1.0)
            } else {
                (0.3, 0.3 + shift)
            };
            for judge in [&mut judge, &mut strict] {
                for _ in 0..10 {
                    judge
                        .observe_pair("loss", block, loss(champion), loss(candidate))
                        .unwrap();
                }
                judge.close_before(block + 1);
            }
            assert_ne!(strict.verdict(), Verdict::Promote);
        }
        assert!(judge.judgement().metrics()[0].clipped() > 0);
    }
}

#[test]
fn a_discarded_block_changes_no_verdict() {
    let mut judge = steady(-0.01, 20);
    let before = judge.verdict();
    for _ in 0..1_000 {
        judge
            .observe_pair("loss", 20, loss(0.0), loss(1.0))
            .unwrap();
    }
    judge.discard_from(20);
    judge.close_before(21);
    assert_eq!(judge.verdict(), before);
}

fn steady(difference: f64, blocks: u64) -> Judge {
    let mut judge = paired(PairedSettings::default());
    for block in 0..blocks {
        for _ in 0..10 {
            judge
                .observe_pair("loss", block, loss(0.3), loss(0.3 + difference))
                .unwrap();
        }
    }
    judge.close_before(blocks);
    judge
}

#[test]
fn the_forecast_of_pairs_is_met_by_steady_evidence() {
    let Verdict::Continue { needs } = steady(-0.01, 20).verdict() else {
        panic!("no forecast");
    };
    let later = steady(-0.01, 20 + needs.requests().unwrap().div_ceil(10));
    assert_eq!(later.verdict(), Verdict::Promote);
}

#[test]
fn pairs_are_explained_as_pairs() {
    let text = steady(-0.03, 120).judgement().explain();
    for part in ["Promote", "difference -0.03000", "1200 pairs of `loss`"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}
