use super::*;
use crate::testing::Draws as _;

fn error_rate(random: &mut SplitMix64, rate: f64) -> f64 {
    f64::from(u8::from(random.unit() < rate))
}

fn stream(seed: u64, rates: [f64; 2], change_at: u64, rows: u64) -> Vec<f64> {
    let mut random = SplitMix64(seed);
    (0..rows)
        .map(|row| error_rate(&mut random, rates[usize::from(row >= change_at)]))
        .collect()
}

fn e_detector(alpha: f64, direction: Direction, recursion: Recursion) -> EDetector {
    let settings = EDetectorSettings::default()
        .with_reference_mean(Probability::new(0.2).unwrap())
        .with_alpha(Alpha::new(alpha).unwrap())
        .with_direction(direction)
        .with_recursion(recursion);
    EDetector::new(settings).unwrap()
}

#[test]
fn an_e_detector_alarms_within_t_rows_with_probability_at_most_t_alpha() {
    for direction in [Direction::Up, Direction::Down, Direction::Both] {
        for recursion in [Recursion::Cusum, Recursion::ShiryaevRoberts] {
            let mut random = SplitMix64(31);
            let runs = 2_000;
            let mut alarmed = 0_u32;
            for _ in 0..runs {
                let mut detector = e_detector(0.001, direction, recursion);
                if (0..100).any(|_| detector.update(error_rate(&mut random, 0.2)).is_drift()) {
                    alarmed += 1;
                }
            }
            // Binomial(2000, 0.1) exceeds 242 with probability 0.001: scipy.stats.binom.isf(0.001, 2000, 0.1).
            assert!(alarmed <= 242, "{alarmed}: {direction:?}, {recursion:?}");
        }
    }
}

#[test]
fn the_run_length_of_an_e_detector_is_at_least_one_over_alpha() {
    for recursion in [Recursion::Cusum, Recursion::ShiryaevRoberts] {
        let mut random = SplitMix64(32);
        let mut detector = e_detector(0.002, Direction::Up, recursion);
        let (runs, mut rows) = (1_000_u32, 0_u64);
        for _ in 0..runs {
            loop {
                rows += 1;
                if detector.update(error_rate(&mut random, 0.2)).is_drift() {
                    break;
                }
            }
        }
        // Run lengths are close to exponential: the mean of a thousand is known within 3.2 %, and 10 % is three of it.
        let mean = rows as f64 / f64::from(runs);
        assert!(mean >= 0.9 * 500.0, "{mean}: {recursion:?}");
    }
}

#[test]
fn dependence_does_not_break_the_promise_of_an_e_detector() {
    // Errors in bursts of alternating conditional mean, never above the reference: no rows are independent.
    let mut random = SplitMix64(33);
    let mut alarmed = 0_u32;
    for _ in 0..1_000 {
        let mut detector = e_detector(0.001, Direction::Up, Recursion::ShiryaevRoberts);
        let mut rate = 0.2;
        for _ in 0..100 {
            let error = error_rate(&mut random, rate);
            rate = if error > 0.0 { 0.0 } else { 0.2 };
            if detector.update(error).is_drift() {
                alarmed += 1;
                break;
            }
        }
    }
    // Binomial(1000, 0.1) exceeds 130 with probability 0.001: scipy.stats.binom.isf(0.001, 1000, 0.1).
    assert!(alarmed <= 130, "{alarmed}");
}

#[test]
fn an_e_detector_finds_an_error_rate_of_three_tenths_within_350_rows() {
    for recursion in [Recursion::Cusum, Recursion::ShiryaevRoberts] {
        for change_at in [0, 1_000] {
            let runs: Vec<Evaluation> = (0..300)
                .map(|seed| {
                    let mut detector = e_detector(1e-4, Direction::Up, recursion);
                    let rows = change_at + 10_000;
                    let values = stream(1_000 + seed, [0.2, 0.3], change_at, rows);
                    // Only the first alarm from the change on counts, so the rest need not be run.
                    evaluate(
                        &mut detector,
                        values.into_iter().take(rows as usize),
                        change_at,
                    )
                })
                .collect();
            let summary = EvaluationSummary::of(&runs);
            assert_eq!(summary.missed(), 0);
            let delay = summary.mean_delay().unwrap();
            assert!(delay <= 350.0, "{delay}: {recursion:?}, {change_at}");
        }
    }
}

#[test]
fn kswin_sees_a_change_of_spread_that_adwin_is_blind_to() {
    let mut random = SplitMix64(9);
    let values: Vec<f64> = (0..4_000)
        .map(|row| random.bell() * if row < 2_000 { 1.0 } else { 0.1 })
        .collect();
    let kswin = evaluate(
        &mut Kswin::new(KswinSettings::default()).unwrap(),
        values.iter().copied(),
        2_000,
    );
    let adwin = evaluate(
        &mut Adwin::new(AdwinSettings::default()).unwrap(),
        values.iter().copied(),
        2_000,
    );
    assert!(kswin.delay().is_some_and(|rows| rows <= 60), "{kswin:?}");
    assert!(adwin.is_missed(), "{adwin:?}");
}

#[test]
fn a_constant_stream_never_drifts_however_large_its_values() {
    for value in [0.1, 123_456_789.123, 1.7e9 + 0.3, -1e12 - 0.1, 1e99] {
        let mut adwin = Adwin::new(AdwinSettings::default()).unwrap();
        let mut page_hinkley = PageHinkley::new(PageHinkleySettings::default()).unwrap();
        for row in 0..200_000 {
            assert_eq!(adwin.update(value), State::Stable, "{value}, row {row}");
            assert_eq!(
                page_hinkley.update(value),
                State::Stable,
                "{value}, row {row}"
            );
        }
        assert_eq!(adwin.width(), 200_000);
        assert!((adwin.mean() / value - 1.0).abs() < 1e-10, "{value}");
        assert_eq!(page_hinkley.mean(), value);
    }
}

#[test]
fn a_shift_of_values_far_from_zero_is_seen_as_one_close_to_it() {
    let mut random = SplitMix64(10);
    let values: Vec<f64> = (0..4_000)
        .map(|row| random.bell() + if row < 2_000 { 0.0 } else { 1.0 })
        .collect();
    let kinds = [DetectorKind::Adwin, DetectorKind::PageHinkley];
    for kind in kinds {
        let run = |offset: f64| {
            let mut detector = AnyDetector::fit(kind, &[]).unwrap();
            let far = values.iter().map(|value| value + offset);
            evaluate(&mut detector, far, 2_000)
        };
        assert!(run(0.0).delay().is_some(), "{kind}");
        assert_eq!(run(0.0), run(1e7), "{kind}");
    }
}
