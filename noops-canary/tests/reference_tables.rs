//! Published numbers that cross the borders of modules: what peeking costs, what looking at any time costs, corrections, widths and stopping
//! times. The tables of one module are tested beside it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use noops_canary::Arm;
use noops_canary::batch::{benjamini_hochberg, e_benjamini_hochberg};
use noops_canary::sequential::{
    BoundedMean, Concentrations, CountMixture, CountSettings, EmpiricalBernstein,
    GroupSequentialBoundary, NormalMixture, Sides,
};
use noops_core::{Alpha, LogE, Share};
use noops_stats::SplitMix64;

fn alpha(alpha: f64) -> Alpha {
    Alpha::new(alpha).unwrap()
}

#[track_caller]
fn close(found: f64, expected: f64, relative: f64) {
    let error = (found - expected).abs();
    assert!(error <= relative * expected, "{found}, expected {expected}");
}

#[test]
fn a_test_of_five_per_cent_that_is_looked_at_again_and_again_is_one_of_a_quarter_and_more() {
    // The chance that |z| >= 1.96 at any of K equal looks (Armitage, McPherson and Rowe, 1969). Pocock's constant undoes it.
    for (looks, chance) in [
        (2, 0.0831),
        (3, 0.1073),
        (5, 0.1417),
        (10, 0.1934),
        (20, 0.2479),
    ] {
        let boundary = GroupSequentialBoundary::pocock(alpha(chance), Sides::Two, looks).unwrap();
        for critical in boundary.critical_values() {
            close(critical, 1.959_964, 3e-4);
        }
    }
}

#[test]
fn looking_at_any_time_costs_half_the_width_again() {
    // The bound of the normal mixture where it is narrowest, over z sqrt(v) of one look: scipy.stats.norm.isf(...)
    let v = 100.0;
    for (level, z, expected) in [
        (0.05, 1.959_963_984_540_054, 1.5486),
        (0.01, 2.575_829_303_548_901, 1.3866),
    ] {
        let bound = NormalMixture::two_sided(v, alpha(level))
            .unwrap()
            .bound(v, alpha(level));
        close(bound / (z * v.sqrt()), expected, 1e-4);
    }
    for (level, z, expected) in [
        (0.05, 1.644_853_626_951_472_2, 1.6817),
        (0.01, 2.326_347_874_040_840_8, 1.4415),
    ] {
        let bound = NormalMixture::one_sided(v, alpha(level))
            .unwrap()
            .bound(v, alpha(level));
        close(bound / (z * v.sqrt()), expected, 1e-4);
    }
}

#[test]
fn corrections_reject_what_was_published() {
    let evidence = [200.0_f64, 60.0, 35.0, 1.0, 0.5].map(|e| LogE::new(libm::log(e)));
    let rejected = e_benjamini_hochberg(&evidence, Alpha::FIVE_PERCENT);
    assert_eq!(rejected, [true, true, true, false, false]);

    // The 25 dietary variables of García-Arenzana et al. (2014), as in McDonald's Handbook of Biological Statistics.
    let adjusted = benjamini_hochberg(&[
        0.001, 0.008, 0.039, 0.041, 0.042, 0.060, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269,
        0.275, 0.34, 0.341, 0.384, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986,
    ]);
    let within = |rate: f64| adjusted.iter().filter(|p| **p <= rate + 1e-12).count();
    assert_eq!((within(0.05), within(0.25)), (1, 6));
}

/// Beta(10, 30): a gamma variable of whole shape is a sum of exponential ones.
fn beta(random: &mut SplitMix64) -> f64 {
    let mut gamma =
        |shape: u32| -> f64 { (0..shape).map(|_| -libm::log(1.0 - random.unit())).sum() };
    let (ten, thirty) = (gamma(10), gamma(30));
    ten / (ten + thirty)
}

#[test]
fn widths_for_a_beta_variable_are_the_published_ones() {
    // Means of ten runs, at 5 %, after 1,000 and 10,000 observations: betting .01305 and .0042, empirical Bernstein .0186 and .0049.
    let mut widths = [[0.0; 2]; 2];
    for seed in 0..10 {
        let mut random = SplitMix64(seed);
        let mut bets = BoundedMean::with_points(0.0, 1.0, Alpha::FIVE_PERCENT, 4_000).unwrap();
        let mut bernstein = EmpiricalBernstein::new(0.0, 1.0, Alpha::FIVE_PERCENT).unwrap();
        for n in 1..=10_000 {
            let x = beta(&mut random);
            bets.observe(x).unwrap();
            bernstein.observe(x).unwrap();
            let place = match n {
                1_000 => 0,
                10_000 => 1,
                _ => continue,
            };
            widths[0][place] += bets.interval(Alpha::FIVE_PERCENT).width() / 10.0;
            widths[1][place] += bernstein.interval().width() / 10.0;
        }
    }
    let [betting, bernstein] = widths;
    // The interval ends outwards on a grid of 4,000 means: up to a step wider at each end.
    let step = 1.0 / 4_000.0;
    for (width, expected) in betting.into_iter().zip([0.01305, 0.0042]) {
        let least = 0.9 * expected;
        assert!(
            (least..1.1 * expected + 2.0 * step).contains(&width),
            "{width}"
        );
    }
    close(bernstein[0], 0.0186, 0.1);
    close(bernstein[1], 0.0049, 0.1);
}

/// The mean number of events until a mixture of concentration 100 rejects equal rates at 5 %.
fn mean_stop(share: f64, ratio: f64, runs: u32) -> f64 {
    let concentrations = Concentrations::single(100.0).unwrap();
    let settings = CountSettings::default().with_concentrations(concentrations);
    let fresh = CountMixture::new(Share::from_ratio(share).unwrap(), settings).unwrap();
    let p = share * ratio / (share * ratio + 1.0 - share);
    let mut random = SplitMix64(u64::from(runs));
    let mut events = 0_u64;
    for _ in 0..runs {
        let mut mixture = fresh.clone();
        while !mixture.log_e().rejects(Alpha::FIVE_PERCENT) {
            let challenger = random.unit() < p;
            mixture.observe(if challenger {
                Arm::Challenger
            } else {
                Arm::Champion
            });
            events += 1;
        }
    }
    events as f64 / f64::from(runs)
}

#[test]
fn stopping_times_are_the_published_ones_at_every_share_and_ratio() {
    // A stopping time deviates by 0.7 of its mean or so, the mean of 400 by 3.5 %, and the published means by about 2 %.
    for (share, ratio, expected) in [
        (0.5, 1.25, 638.0),
        (0.5, 1.5, 255.0),
        (0.5, 2.0, 113.0),
        (0.5, 3.0, 66.0),
        (0.5, 5.0, 46.0),
        (0.1, 1.5, 526.0),
        (0.1, 2.0, 183.0),
        (0.1, 3.0, 75.0),
        (0.1, 5.0, 41.0),
    ] {
        close(mean_stop(share, ratio, 400), expected, 0.12);
    }
    for (share, ratio, expected) in [
        (0.5, 1.1, 3798.0),
        (0.1, 1.25, 1840.0),
        (0.1, 1.1, 11_119.0),
    ] {
        close(mean_stop(share, ratio, 120), expected, 0.2);
    }
}
