use proptest::prelude::*;

use super::*;

// Every expected value is a line printed by `testdata/generate_beta.py`: mpmath with 60 digits.
const LN_BETA: [(f64, f64, f64); 9] = [
    (1e-06, 1e-06, 14.508657738522574),
    (0.3, 40.0, -0.00823652427335247),
    (2.5, 1000000000.0, -51.52348172376811),
    (13.0, 11.5, -16.911279553940137),
    (50.0, 50.0, -70.00271747688562),
    (1000000.0, 9000000.0, -3250835.670050886),
    (1000000000000000.0, 3.0, -102.92318200417212),
    (1e+18, 1e+18, -1.3862943611198907e+18),
    (1e-300, 5.0, 690.7755278982137),
];

/// x, a, b, ln I and ln (1 - I).
const INCOMPLETE: [(f64, f64, f64, f64, f64); 27] = [
    (
        0.5,
        1000000.0,
        1000000.0,
        -std::f64::consts::LN_2,
        -std::f64::consts::LN_2,
    ),
    (
        0.1,
        1000000.0,
        9000000.0,
        -0.6929229272558985,
        -0.6933714841648169,
    ),
    (
        0.5,
        1000000000.0,
        1000000000.0,
        -std::f64::consts::LN_2,
        -std::f64::consts::LN_2,
    ),
    (
        0.49999,
        1000000000.0,
        1000000000.0,
        -1.684448758694759,
        -0.20523816966938996,
    ),
    (
        0.4994,
        1000000000.0,
        1000000000.0,
        -1444.9030950416688,
        -0.0,
    ),
    (
        0.1,
        1000000000.0,
        9000000000.0,
        -0.6931400882764119,
        -0.6931542728937795,
    ),
    (0.0996, 1000000000.0, 9000000000.0, -8915.834987815962, -0.0),
    (0.3, 2.0, 5.0, -0.545028945107489, -0.8670839878195068),
    (0.9, 2.0, 5.0, -5.500151255546056e-05, -9.808177372731805),
    (0.25, 60.0, 140.0, -2.858632484083844, -0.059057176292717575),
    (0.01, 60.0, 140.0, -158.65708993776386, 0.0),
    (0.2, 1000.0, 2000.0, -149.84483883965126, 0.0),
    (0.01, 200.0, 300.0, -591.3421539316795, 0.0),
    (
        1e-05,
        12.0,
        900000.0,
        -1.624544851639206,
        -0.21940220841106386,
    ),
    (
        0.001,
        100.0,
        100000.0,
        -0.6592001287107162,
        -0.7282872528546303,
    ),
    (0.5, 0.3, 0.2, -0.9309712610713432, -0.501156985641701),
    (1e-09, 0.001, 5.0, -0.018640643920880107, -3.991716769145222),
    (0.999, 4.0, 0.5, -0.0716095317663123, -2.672118200117599),
    (0.5, 1.5, 1000.0, 0.0, -689.9182202710172),
    (0.6, 10000.0, 9000.0, 0.0, -215.33827542718788),
    (
        0.52,
        10000.0,
        9000.0,
        -3.20252957088607,
        -0.04150892143926906,
    ),
    (
        0.55,
        10000.0,
        9000.0,
        -2.8263933441011153e-11,
        -24.289434560791978,
    ),
    (
        0.4999,
        10000000000.0,
        10000000000.0,
        -404.2624985145389,
        -2.6979112227659342e-176,
    ),
    (
        0.50001,
        10000000000.0,
        10000000000.0,
        -0.0023416069116393287,
        -6.058088445909546,
    ),
    (
        0.24998,
        10000000000.0,
        30000000000.0,
        -45.82179809405825,
        -1.2584788954206946e-20,
    ),
    (0.5, 2e-06, 2.0, -3.862948611195573e-07, -14.766665063332871),
    (0.33, 33.0, 67.0, -0.6740702971890389, -0.7125950807246573),
];

#[test]
fn the_beta_function_agrees_with_mpmath_for_huge_and_tiny_shapes() {
    for (a, b, expected) in LN_BETA {
        for found in [ln_beta(a, b), ln_beta(b, a)] {
            let error = (found - expected).abs();
            assert!(error <= 2e-14 * (1.0 + expected.abs()), "{a} {b}: {found}");
        }
    }
}

#[test]
fn both_tails_agree_with_mpmath() {
    for (x, a, b, ln_lower, ln_upper) in INCOMPLETE {
        for (found, expected) in [
            (ln_regularized_beta_lower(x, a, b), ln_lower),
            (ln_regularized_beta_upper(x, a, b), ln_upper),
        ] {
            // The error of the logarithm is the relative error of the probability.
            let bound = if expected < -600.0 { 1e-7 } else { 1e-10 };
            let error = (found - expected).abs();
            assert!(error <= bound, "{x} {a} {b}: {found}, expected {expected}");
            // One minus a small tail keeps the tail's digits.
            if (-0.01..-1e-300).contains(&expected) {
                assert!(
                    error <= -1e-9 * expected,
                    "{x} {a} {b}: {found}, expected {expected}"
                );
            }
        }
    }
}

#[test]
fn the_values_that_statrs_gets_wrong_are_right() {
    let half = ln_regularized_beta_lower(0.5, 1e6, 1e6).exp();
    assert!((half - 0.5).abs() < 1e-12, "{half}");
    let skewed = ln_regularized_beta_lower(0.1, 1e6, 9e6).exp();
    assert!((skewed - 0.500_112).abs() < 1e-6, "{skewed}");
}

#[test]
fn fraction_and_expansion_meet() {
    for z in [-40.0, -6.0, -0.5, -0.0005, 0.0005, 0.002, 1.0, 8.0, 30.0] {
        let (a, b) = (9.99e7_f64, 2.3e8_f64);
        let mean = a / (a + b);
        let x = mean + z * (mean * (1.0 - mean) / (a + b)).sqrt();
        let point = Point::new(x, a, b);
        let below = if z < 0.0 { point } else { point.mirrored() };
        let (fraction, expanded) = (ln_positive_fraction(below), ln_expanded(below));
        assert!(
            (fraction - expanded).abs() < 1e-6 * (1e-4 + z * z),
            "{z}: {fraction} {expanded}"
        );
    }
}

#[test]
fn the_remainder_has_no_seam_and_is_that_of_the_factorial() {
    let before = STIRLING_FROM - 1e-9;
    let seam = gamma_remainder(before) - gamma_remainder(STIRLING_FROM);
    // The slope is -1 / (12 x²).
    assert!((seam - 1e-9 / 1_728.0).abs() < 2e-14, "{seam}");
    assert!((gamma_remainder(1.0) - 0.081_061_466_795_327_26).abs() < 1e-15);
    // mpmath: loggamma(1e-6) - (1e-6 - .5) * log(1e-6) + 1e-6 - log(2 * pi) / 2
    assert!((gamma_remainder(1e-6) - 5.988_830_984_073_18).abs() < 1e-13);
}

#[test]
fn what_is_not_a_beta_law_is_no_evidence() {
    for bad in [f64::NAN, 0.0, -1.0, f64::INFINITY, f64::MAX] {
        assert!(ln_beta(bad, 1.0).is_nan() || bad == f64::MAX);
        assert_eq!(ln_regularized_beta_lower(0.3, bad, f64::MAX), 0.0);
        assert_eq!(ln_regularized_beta_upper(0.3, f64::MAX, bad), 0.0);
    }
    assert_eq!(ln_regularized_beta_lower(f64::NAN, 1.0, 1.0), 0.0);
    assert_eq!(ln_regularized_beta_lower(0.0, 1.0, 1.0), f64::NEG_INFINITY);
    assert_eq!(ln_regularized_beta_upper(1.0, 1.0, 1.0), f64::NEG_INFINITY);
}

fn naive_lower(x: f64, a: u32, b: u32) -> f64 {
    // P(X <= x) = P(Binomial(a + b - 1, x) >= a).
    let n = a + b - 1;
    (a..=n)
        .map(|i| {
            let ways: f64 = (0..i)
                .map(|j| f64::from(n - j) / f64::from(i - j))
                .product();
            ways * x.powi(i as i32) * (1.0 - x).powi((n - i) as i32)
        })
        .sum()
}

proptest! {
    #[test]
    fn whole_shapes_give_the_binomial_sum(x in 0.001_f64..0.999, a in 1_u32..40, b in 1_u32..40) {
        let found = ln_regularized_beta_lower(x, f64::from(a), f64::from(b)).exp();
        let naive = naive_lower(x, a, b);
        prop_assert!((found - naive).abs() <= 1e-11 * naive, "{found} {naive}");
    }

    #[test]
    fn the_two_tails_are_everything(x in 0.0_f64..=1.0, a in -3.0_f64..12.0, b in -3.0_f64..12.0) {
        let (a, b) = (libm::exp10(a), libm::exp10(b));
        let (lower, upper) = (ln_regularized_beta_lower(x, a, b), ln_regularized_beta_upper(x, a, b));
        prop_assert!((lower.exp() + upper.exp() - 1.0).abs() < 1e-9, "{lower} {upper}");
    }

    #[test]
    fn any_arguments_give_a_logarithm_of_a_probability(x in any::<f64>(), a in any::<f64>(), b in any::<f64>()) {
        prop_assert!(ln_regularized_beta_lower(x, a, b) <= 0.0);
        prop_assert!(ln_regularized_beta_upper(x, a.abs(), b.abs()) <= 0.0);
        prop_assert!(deviance_term(1.0 + a.abs().min(9.0), 2.0, a.abs().min(9.0) - 1.0) >= 0.0);
    }
}
