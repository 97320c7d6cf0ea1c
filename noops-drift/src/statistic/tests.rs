use noops_core::Alpha;
use proptest::prelude::*;

use super::{
    PsiSettings, Verdict, chi_square_homogeneity, jensen_shannon_distance, ks_two_sample, psi,
};
use crate::testing::SplitMix64;

const TENTHS: [f64; 10] = [0.1; 10];
const PSI_OF_A_TENTH: f64 = 0.1;

#[track_caller]
fn close(found: f64, expected: f64, relative: f64) {
    assert!(
        (found / expected - 1.0).abs() <= relative,
        "found {found}, expected {expected}"
    );
}

fn index(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).map(|(p, q)| (p - q) * (p / q).ln()).sum()
}

/// Shares that fall geometrically from cell to cell.
fn tilted(tilt: f64) -> Vec<f64> {
    let weights: Vec<f64> = (0..10)
        .map(|cell| (-tilt * f64::from(cell)).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

fn tilted_by_psi(target: f64) -> Vec<f64> {
    let (mut low, mut high) = (0.0, 2.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if index(&TENTHS, &tilted(middle)) < target {
            low = middle
        } else {
            high = middle
        }
    }
    tilted(high)
}

fn share_of_drift(shares: &[f64], n: u64, m: u64, settings: &PsiSettings, runs: u64) -> f64 {
    let mut random = SplitMix64(n ^ (m << 20));
    let found = (0..runs)
        .filter(|_| {
            let reference = random.counts(&TENTHS, n);
            let current = random.counts(shares, m);
            psi(&reference, &current, settings)
                .unwrap()
                .verdict()
                .is_drift()
        })
        .count();
    found as f64 / runs as f64
}

#[test]
fn psi_agrees_with_numpy_and_scipy() {
    // p = (r + .5) / (sum(r) + 1.5), q likewise; sum((p - q) log(p / q)), scipy.stats.chi2 and ncx2
    let plain = psi(&[100, 200, 700], &[150, 150, 200], &PsiSettings::default()).unwrap();
    close(plain.statistic(), 0.426_860_254_469_049_9, 1e-12);
    close(plain.p_value(), 1.267_139_677_514_886_8e-31, 1e-8);
    close(plain.critical().unwrap(), 0.017_974_393_641_323_95, 1e-8);
    let tolerant = psi(
        &[100, 200, 700],
        &[150, 150, 200],
        &PsiSettings::default().with_tolerance(0.1),
    )
    .unwrap();
    // The delta method's norm.sf is the larger here: ncx2 gives 5.4e-10 and a critical value of 0.168.
    close(tolerant.p_value(), 4.447_112_461_004_104e-6, 1e-8);
    close(tolerant.critical().unwrap(), 0.224_801_272_222_203_5, 1e-8);
}

#[test]
fn unchanged_data_are_rarely_called_drifted() {
    for (n, m) in [(400, 400), (1_000, 100), (2_000, 50)] {
        let share = share_of_drift(&TENTHS, n, m, &PsiSettings::default(), 500);
        assert!(share <= 0.08, "{share} at {n}, {m}");
    }
}

#[test]
fn a_shift_at_the_tolerance_is_rarely_called_drift() {
    let shares = tilted_by_psi(PSI_OF_A_TENTH);
    let settings = PsiSettings::default().with_tolerance(PSI_OF_A_TENTH);
    let share = share_of_drift(&shares, 1_000, 500, &settings, 400);
    assert!(share <= 0.085, "{share}");
}

#[test]
fn a_rare_reference_cell_that_grew_to_the_tolerance_is_rarely_called_drift() {
    let (reference, current) = ([0.003, 0.997], [0.078, 0.922]);
    let settings = PsiSettings::default()
        .with_alpha(Alpha::ONE_PERCENT)
        .with_tolerance(index(&reference, &current));
    let mut random = SplitMix64(12);
    let found = (0..1_000)
        .filter(|_| {
            let reference = random.counts(&reference, 1_000);
            let current = random.counts(&current, 500);
            psi(&reference, &current, &settings)
                .unwrap()
                .verdict()
                .is_drift()
        })
        .count();
    // The non-central chi-square law alone calls some 45 drifted.
    assert!(found < 20, "{found} of 1000");
}

#[test]
fn drift_is_a_statistic_above_the_critical_value() {
    let mut random = SplitMix64(13);
    for tolerance in [0.0, 0.05, 0.3] {
        let settings = PsiSettings::default().with_tolerance(tolerance);
        for _ in 0..200 {
            let reference = random.counts(&TENTHS, 600);
            let tilt = random.unit();
            let current = random.counts(&tilted(tilt), 200);
            let outcome = psi(&reference, &current, &settings).unwrap();
            let above = outcome.statistic() > outcome.critical().unwrap();
            assert_eq!(outcome.verdict().is_drift(), above, "{outcome:?}");
        }
    }
}

#[test]
fn a_visible_shift_is_seen_four_times_in_five() {
    let visible = psi(&[100; 10], &[50; 10], &PsiSettings::default())
        .unwrap()
        .visible_from()
        .unwrap();
    let share = share_of_drift(
        &tilted_by_psi(visible),
        1_000,
        500,
        &PsiSettings::default(),
        500,
    );
    assert!((0.7..=0.9).contains(&share), "{share}");
}

#[test]
fn few_rows_are_undecided_and_say_what_they_could_see() {
    let few = psi(&[100; 10], &[2; 10], &PsiSettings::default()).unwrap();
    let Verdict::Undecided {
        visible_from: Some(visible_from),
    } = few.verdict()
    else {
        panic!("{few:?}")
    };
    assert!(visible_from > 0.25);
    let none = psi(&[100; 10], &[0; 10], &PsiSettings::default()).unwrap();
    assert_eq!(none.verdict(), Verdict::Undecided { visible_from: None });
}

#[test]
fn a_category_that_appears_is_drift_and_finite() {
    let outcome = psi(&[500, 500, 0], &[200, 200, 100], &PsiSettings::default()).unwrap();
    assert_eq!(outcome.verdict(), Verdict::Drift);
    assert!(outcome.statistic().is_finite());
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for value in [f64::NAN, -1.0, f64::INFINITY] {
        assert!(
            psi(
                &[9, 9],
                &[9, 9],
                &PsiSettings::default().with_tolerance(value)
            )
            .is_err()
        );
        assert!(
            psi(
                &[9, 9],
                &[9, 9],
                &PsiSettings::default().with_relevant(value)
            )
            .is_err()
        );
    }
}

#[test]
fn chi_square_agrees_with_scipy() {
    // scipy.stats.chi2_contingency([[30, 50, 20], [45, 35, 20]], correction=False)
    let outcome =
        chi_square_homogeneity(&[30, 50, 20], &[45, 35, 20], Alpha::FIVE_PERCENT).unwrap();
    close(outcome.statistic(), 5.647_058_823_529_411, 1e-12);
    close(outcome.p_value(), 0.059_395_939_605_204_77, 1e-9);
    assert_eq!(outcome.verdict(), Verdict::NoDrift);
}

#[test]
fn chi_square_holds_its_level_where_a_fixed_reference_would_not() {
    let mut random = SplitMix64(11);
    let found = (0..500)
        .filter(|_| {
            let reference = random.counts(&TENTHS, 500);
            let current = random.counts(&TENTHS, 1_000);
            chi_square_homogeneity(&reference, &current, Alpha::FIVE_PERCENT)
                .unwrap()
                .verdict()
                .is_drift()
        })
        .count();
    assert!(found <= 42, "{found} of 500");
}

#[test]
fn jensen_shannon_agrees_with_scipy() {
    // scipy.spatial.distance.jensenshannon([10, 20, 70], [30, 30, 40], base=2)
    close(
        jensen_shannon_distance(&[10, 20, 70], &[30, 30, 40]).unwrap(),
        0.273_666_875_898_699_3,
        1e-12,
    );
}

#[test]
fn ks_agrees_with_scipy_on_ties() {
    let reference: Vec<f64> = [1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 5.0, 6.0, 7.0, 8.0].repeat(20);
    let current: Vec<f64> = [3.0, 4.0, 5.0, 5.0, 6.0, 7.0, 8.0, 8.0, 9.0, 10.0].repeat(10);
    let outcome = ks_two_sample(&reference, &current, Alpha::FIVE_PERCENT);
    // scipy.stats.ks_2samp(...).statistic; scipy.special.kolmogorov(0.3 * sqrt(200 * 100 / 300))
    close(outcome.statistic(), 0.3, 1e-12);
    close(outcome.p_value(), 1.228_842_470_665_632_8e-5, 1e-8);
}

#[test]
fn ks_of_identical_samples_is_one() {
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let outcome = ks_two_sample(&values, &values, Alpha::FIVE_PERCENT);
    assert_eq!((outcome.statistic(), outcome.p_value()), (0.0, 1.0));
    assert_eq!(outcome.verdict(), Verdict::NoDrift);
}

#[test]
fn ks_leaves_out_nan_and_takes_infinities() {
    let outcome = ks_two_sample(
        &[f64::NAN, 1.0, f64::INFINITY],
        &[f64::NEG_INFINITY, 1.0],
        Alpha::FIVE_PERCENT,
    );
    assert_eq!(outcome.n_reference(), 2);
    assert_eq!(outcome.statistic(), 0.5);
    assert_eq!(outcome.verdict(), Verdict::Undecided { visible_from: None });
}

#[test]
fn comparisons_survive_storage() {
    let outcome = psi(&[100; 10], &[2; 10], &PsiSettings::default()).unwrap();
    let stored = serde_json::to_string(&outcome).unwrap();
    let read: super::Comparison = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, outcome);
}

proptest! {
    #[test]
    fn ks_is_the_largest_distance_of_the_distribution_functions(
        left in prop::collection::vec(-9_i8..9, 1..40),
        right in prop::collection::vec(-9_i8..9, 1..40),
    ) {
        let left: Vec<f64> = left.into_iter().map(f64::from).collect();
        let right: Vec<f64> = right.into_iter().map(f64::from).collect();
        let below = |values: &[f64], x: f64| values.iter().filter(|v| **v <= x).count() as f64 / values.len() as f64;
        let naive = left.iter().chain(&right).map(|x| (below(&left, *x) - below(&right, *x)).abs()).fold(0.0, f64::max);
        let outcome = ks_two_sample(&left, &right, Alpha::FIVE_PERCENT);
        prop_assert!((outcome.statistic() - naive).abs() < 1e-12);
    }

    #[test]
    fn any_counts_give_finite_answers(counts in prop::collection::vec((any::<u64>(), any::<u64>()), 0..8)) {
        let (reference, current): (Vec<u64>, Vec<u64>) = counts.into_iter().unzip();
        let outcome = psi(&reference, &current, &PsiSettings::default()).unwrap();
        prop_assert!(outcome.statistic().is_finite() && (0.0..=1.0).contains(&outcome.p_value()));
        let tolerant = psi(&reference, &current, &PsiSettings::default().with_tolerance(0.1)).unwrap();
        prop_assert!((0.0..=1.0).contains(&tolerant.p_value()) && tolerant.critical().is_none_or(f64::is_finite));
        let table = chi_square_homogeneity(&reference, &current, Alpha::FIVE_PERCENT).unwrap();
        prop_assert!(table.statistic().is_finite() && (0.0..=1.0).contains(&table.p_value()));
        let distance = jensen_shannon_distance(&reference, &current).unwrap();
        prop_assert!((0.0..=1.0).contains(&distance));
    }
}
