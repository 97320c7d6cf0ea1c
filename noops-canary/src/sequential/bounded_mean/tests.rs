use super::*;
use crate::simulation::Random;

fn bernoulli(seed: u64, p: f64, n: u32, points: usize) -> BoundedMean {
    let mut random = Random::new(seed);
    let mut mean = BoundedMean::with_points(0.0, 1.0, Alpha::FIVE_PERCENT, points).unwrap();
    for _ in 0..n {
        mean.observe(f64::from(u8::from(random.uniform() < p)))
            .unwrap();
    }
    mean
}

#[test]
fn widths_are_the_published_ones_within_the_grid() {
    let width = |n| {
        (0..10)
            .map(|seed| {
                bernoulli(seed, 0.02, n, 2000)
                    .interval(Alpha::FIVE_PERCENT)
                    .width()
            })
            .sum::<f64>()
            / 10.0
    };
    // A reference implementation, the mean of ten runs: 0.0276 and, ten times later, 0.00955.
    let early = width(1000);
    assert!((early - 0.0276).abs() < 0.004, "{early}");
    let late = width(10_000);
    assert!((late - 0.00955).abs() < 0.0012, "{late}");
}

#[test]
fn the_true_mean_is_rarely_excluded_at_any_of_twenty_thousand_looks() {
    let excluded = (0..100)
        .filter(|&seed| {
            // The largest capital is kept, so the last interval is the intersection of all.
            !bernoulli(seed, 0.3, 20_000, 100)
                .interval(Alpha::FIVE_PERCENT)
                .contains(0.3)
        })
        .count();
    // scipy.stats.binom.sf(12, 100, 0.05) = 0.0015
    assert!(excluded <= 12, "{excluded}");
}

#[test]
fn a_distant_mean_is_refuted_from_its_side() {
    let mean = bernoulli(1, 0.5, 500, 1000);
    assert!(mean.lower_bound(Alpha::FIVE_PERCENT) > 0.35);
    assert!(mean.upper_bound(Alpha::FIVE_PERCENT) < 0.65);
    assert!(mean.log_e(0.2).rejects(Alpha::FIVE_PERCENT));
    assert!(!mean.log_e(0.5).rejects(Alpha::FIVE_PERCENT));
    assert_eq!(mean.log_e(f64::NAN), LogE::default());
}

#[test]
fn the_evidence_is_that_of_the_naive_product() {
    let xs = [0.9, 0.1, 0.8, 0.7, 1.0, 0.6];
    let mut mean = BoundedMean::with_points(0.0, 1.0, Alpha::FIVE_PERCENT, 10).unwrap();
    for x in xs {
        mean.observe(x).unwrap();
    }
    let m = 0.25;
    let (mut up, mut down) = (1.0_f64, 1.0_f64);
    let (mut sum, mut squares) = (0.5, 0.25);
    for (t, x) in (1_u32..).zip(xs) {
        let t = f64::from(t);
        let bet = (2.0 * 40.0_f64.ln() / (squares / t * t * (1.0 + t).ln())).sqrt();
        up *= 1.0 + bet.min(0.5 / m) * (x - m);
        down *= 1.0 - bet.min(0.5 / (1.0 - m)) * (x - m);
        sum += x;
        squares += (x - sum / (t + 1.0)).powi(2);
    }
    let expected = (up.max(down) / 2.0).ln();
    assert!((mean.log_e(m).get() - expected).abs() < 1e-12);
}

#[test]
fn bad_input_is_refused_and_changes_nothing() {
    let mut mean = bernoulli(1, 0.5, 10, 10);
    let before = mean.clone();
    for x in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
        assert!(mean.observe(x).is_err());
    }
    assert_eq!(mean, before);
    assert!(BoundedMean::new(1.0, 1.0, Alpha::FIVE_PERCENT).is_err());
    assert!(BoundedMean::new(f64::NAN, 1.0, Alpha::FIVE_PERCENT).is_err());
    assert!(BoundedMean::new(-1e308, 1e308, Alpha::FIVE_PERCENT).is_err());
}

#[test]
fn resumed_evidence_goes_on_exactly_and_a_damaged_state_is_refused() {
    let mut unbroken = bernoulli(1, 0.5, 100, 10);
    let text = serde_json::to_string(&unbroken).unwrap();
    let mut resumed: BoundedMean = serde_json::from_str(&text).unwrap();
    unbroken.observe(0.3).unwrap();
    resumed.observe(0.3).unwrap();
    assert_eq!(unbroken, resumed);
    let damaged = text.replace("\"count\":100", "\"count\":1");
    assert!(serde_json::from_str::<BoundedMean>(&damaged).is_err());
}
