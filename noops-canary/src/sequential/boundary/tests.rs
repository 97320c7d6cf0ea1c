use noops_core::{Alpha, Probability};
use noops_stats::special::ln_scaled_gamma_lower;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::simulation::Random;

const ALPHA: Alpha = Alpha::FIVE_PERCENT;

fn near(found: f64, expected: f64) {
    // The unit tests of confseq ask for 1e-5 of values printed with seven digits.
    assert!((found - expected).abs() < 1e-5, "{found} {expected}");
}

#[test]
fn the_normal_mixtures_are_those_of_confseq() {
    let two = NormalMixture::two_sided(100.0, ALPHA).unwrap();
    let one = NormalMixture::one_sided(100.0, ALPHA).unwrap();
    near(two.rho(), 12.60056);
    near(two.log_e(10.0, 100.0).get(), -0.651_005_2);
    near(one.log_e(10.0, 100.0).get(), -0.065_023_91);
    near(two.bound(100.0, ALPHA), 30.35209);
    near(one.bound(100.0, ALPHA), 27.66071);
}

#[test]
fn the_gamma_mixtures_are_those_of_confseq() {
    let exponential = GammaExponential::new(100.0, ALPHA, 2.0).unwrap();
    near(exponential.log_e(10.0, 100.0).get(), -0.249_016_5);
    near(exponential.bound(100.0, ALPHA), 33.02017);
    let poisson = GammaPoisson::new(100.0, ALPHA, 2.0).unwrap();
    near(poisson.log_e(10.0, 100.0).get(), -0.069_912_19);
    near(poisson.bound(100.0, ALPHA), 30.1949);
}

#[derive(Deserialize)]
struct Row {
    call: String,
    family: String,
    s: f64,
    v: f64,
    c: f64,
    log_e: f64,
}

#[test]
fn the_gamma_mixtures_are_those_of_fifty_digits() {
    let rows: Vec<Row> =
        serde_json::from_str(include_str!("../../../testdata/boundaries.json")).unwrap();
    assert!(rows.len() > 60);
    for row in rows {
        let found = if row.family == "exponential" {
            let mixture = GammaExponential::new(100.0, ALPHA, row.c).unwrap();
            mixture.log_e(row.s, row.v).get()
        } else {
            let mixture = GammaPoisson::new(100.0, ALPHA, row.c).unwrap();
            mixture.log_e(row.s, row.v).get()
        };
        let allowed = 1e-10 * row.log_e.abs().max(1.0);
        assert!((found - row.log_e).abs() < allowed, "{} {found}", row.call);
    }
}

#[test]
fn the_stitched_bounds_are_those_of_confseq() {
    let bound = |c| PolyStitching::new(10.0, c).unwrap().bound(100.0, ALPHA);
    near(bound(3.0), 64.48755);
    near(bound(-1.0), 28.99389);
    let lil = ProcessLil::new(100.0, ALPHA).unwrap();
    near(lil.bound(1000.0), 0.082_047_69);
    assert_eq!(lil.bound(99.0), f64::INFINITY);
    let double = DoubleStitching::new(100.0).unwrap();
    for (p, expected) in [(0.5, 68.62803), (0.9, 43.72119), (0.1, 59.96521)] {
        near(
            double.bound(Probability::new(p).unwrap(), 1000.0, ALPHA),
            expected,
        );
    }
}

#[test]
fn a_small_scale_turns_the_gamma_mixtures_into_the_normal_one() {
    let normal = NormalMixture::one_sided(100.0, ALPHA).unwrap();
    let exponential = GammaExponential::new(100.0, ALPHA, 1e-3).unwrap();
    let poisson = GammaPoisson::new(100.0, ALPHA, 1e-3).unwrap();
    for s in [-20.0, 0.0, 10.0, 40.0] {
        let expected = normal.log_e(s, 100.0).get();
        assert!((exponential.log_e(s, 100.0).get() - expected).abs() < 0.01);
        assert!((poisson.log_e(s, 100.0).get() - expected).abs() < 0.01);
    }
    // Shapes of a million millions, whose series end too early when cut off.
    let exponential = GammaExponential::new(100.0, ALPHA, 1e-6).unwrap();
    let poisson = GammaPoisson::new(100.0, ALPHA, 1e-6).unwrap();
    for (s, v) in [
        (-20.0, 100.0),
        (0.0, 100.0),
        (0.0, 1e4),
        (40.0, 100.0),
        (300.0, 1e4),
    ] {
        let expected = normal.log_e(s, v).get();
        assert!((exponential.log_e(s, v).get() - expected).abs() < 1e-3);
        assert!((poisson.log_e(s, v).get() - expected).abs() < 1e-3);
    }
}

#[test]
fn hostile_sums_and_times_give_numbers() {
    let normal = NormalMixture::one_sided(100.0, ALPHA).unwrap();
    let exponential = GammaExponential::new(100.0, ALPHA, 2.0).unwrap();
    let poisson = GammaPoisson::new(100.0, ALPHA, 2.0).unwrap();
    let hostile = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -1e300,
        1e300,
    ];
    for s in hostile {
        for v in hostile {
            for log_e in [
                normal.log_e(s, v),
                exponential.log_e(s, v),
                poisson.log_e(s, v),
            ] {
                assert!(!log_e.get().is_nan());
            }
        }
        assert!(!normal.bound(s, ALPHA).is_nan());
        assert!(!exponential.bound(s, ALPHA).is_nan());
        assert!(!poisson.bound(s, ALPHA).is_nan());
    }
    assert!(exponential.log_e(0.0, 0.0).get().abs() < 1e-12);
    assert!(poisson.log_e(0.0, 0.0).get().abs() < 1e-12);
    assert!(GammaExponential::new(f64::NAN, ALPHA, 1.0).is_err());
    assert!(GammaPoisson::new(1.0, ALPHA, 0.0).is_err());
    assert!(serde_json::from_str::<NormalMixture>(r#"{"rho":-1.0,"sides":"one"}"#).is_err());
}

#[test]
fn a_random_walk_rarely_crosses_at_any_of_its_steps() {
    let mixture = NormalMixture::two_sided(500.0, ALPHA).unwrap();
    let bounds: Vec<f64> = (1..=2000)
        .map(|v| mixture.bound(f64::from(v), ALPHA))
        .collect();
    let crossed = (0..400)
        .filter(|&seed| {
            let mut random = Random::new(seed);
            let mut sum = 0.0_f64;
            bounds.iter().any(|bound| {
                sum += random.normal();
                sum.abs() >= *bound
            })
        })
        .count();
    // scipy.stats.binom.sf(34, 400, 0.05) = 0.0012
    assert!(crossed <= 34, "{crossed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_scaled_integral_is_that_of_the_trapezoid(a in 1.0..50.0_f64, x in 0.0..80.0_f64) {
        let steps = 20_000;
        let integrand = |t: f64| t.powf(a - 1.0) * (x * (1.0 - t)).exp();
        let sum: f64 = (0..steps)
            .map(|i| integrand((f64::from(i) + 0.5) / f64::from(steps)))
            .sum();
        let naive = (sum / f64::from(steps)).ln();
        prop_assert!((ln_scaled_gamma_lower(a, x) - naive).abs() < 1e-4);
    }

    #[test]
    fn the_evidence_at_the_bound_is_the_threshold(v in 0.0..1e4_f64, c in 0.1..5.0_f64) {
        let mixture = GammaExponential::new(100.0, ALPHA, c).unwrap();
        let bound = mixture.bound(v, ALPHA);
        prop_assert!((mixture.log_e(bound, v).get() - 20.0_f64.ln()).abs() < 1e-6);
    }
}
