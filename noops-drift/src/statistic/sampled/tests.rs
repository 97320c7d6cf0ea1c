//! Every statistic of samples against its definition, counted pair by pair and value by value.

use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, proptest};

use super::{
    SortedSample, WassersteinSettings, anderson_darling, cramer_von_mises, energy_distance,
    ks_two_sample, kuiper, mann_whitney, wasserstein,
};
use crate::statistic::settings::TestSettings;

/// Small whole numbers, which are full of ties, and fractions, which have few.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let tied = prop::collection::vec((-4_i8..4).prop_map(f64::from), 2..14);
    let distinct = prop::collection::vec(-3.0_f64..3.0, 2..14);
    prop::strategy::Union::new([tied.boxed(), distinct.boxed()])
}

fn pooled(x: &[f64], y: &[f64]) -> Vec<f64> {
    x.iter().chain(y).copied().collect()
}

fn distinct(x: &[f64], y: &[f64]) -> Vec<f64> {
    let mut all = pooled(x, y);
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

/// The share of values at most `at`.
fn share(values: &[f64], at: f64) -> f64 {
    values.iter().filter(|value| **value <= at).count() as f64 / values.len() as f64
}

/// How many are below, plus half of those that are equal.
fn middle(values: &[f64], at: f64) -> f64 {
    let below = values.iter().filter(|value| **value < at).count();
    let equal = values.iter().filter(|value| **value == at).count();
    below as f64 + equal as f64 / 2.0
}

fn mean_over_pairs(x: &[f64], y: &[f64], of: impl Fn(f64, f64) -> f64) -> f64 {
    let sum: f64 = x
        .iter()
        .flat_map(|a| y.iter().map(|b| of(*a, *b)).collect::<Vec<_>>())
        .sum();
    sum / (x.len() * y.len()) as f64
}

fn cramer_von_mises_by_ranks(x: &[f64], y: &[f64]) -> f64 {
    let (n, m) = (x.len() as f64, y.len() as f64);
    let all = pooled(x, y);
    let squares = |side: &[f64]| -> f64 {
        let mut side = side.to_vec();
        side.sort_by(f64::total_cmp);
        let ranks = side.iter().map(|value| middle(&all, *value) + 0.5);
        ranks
            .zip(1..)
            .map(|(rank, place)| (rank - f64::from(place)).powi(2))
            .sum()
    };
    let u = n * squares(x) + m * squares(y);
    u / (n * m * (n + m)) - (4.0 * n * m - 1.0) / (6.0 * (n + m))
}

/// A² of the mid-rank version, before it is standardised.
fn anderson_darling_by_ranks(x: &[f64], y: &[f64]) -> f64 {
    let all = pooled(x, y);
    let rows = all.len() as f64;
    let mut sum = 0.0;
    for side in [x, y] {
        for value in distinct(x, y) {
            let equal = all.iter().filter(|other| **other == value).count() as f64;
            let b = middle(&all, value);
            let gap = rows * middle(side, value) - side.len() as f64 * b;
            let spread = b * (rows - b) - rows * equal / 4.0;
            sum += equal / rows * gap * gap / spread / side.len() as f64;
        }
    }
    (rows - 1.0) / rows * sum
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn statistics_are_what_their_definitions_say(x in values(), y in values()) {
        let levels = distinct(&x, &y);
        proptest::prop_assume!(levels.len() > 1);
        let (reference, current) = (SortedSample::new(&x), SortedSample::new(&y));
        let settings = TestSettings::default();
        let gaps: Vec<f64> = levels.iter().map(|at| share(&x, *at) - share(&y, *at)).collect();
        let above = gaps.iter().copied().fold(0.0, f64::max);
        let below = gaps.iter().copied().fold(0.0, f64::min);

        let found = ks_two_sample(&reference, &current, &settings).unwrap().statistic();
        prop_assert!((found - above.max(-below)).abs() < 1e-14);
        let found = kuiper(&reference, &current, &settings).unwrap().statistic();
        prop_assert!((found - (above - below)).abs() < 1e-14);

        let found = cramer_von_mises(&reference, &current, &settings).unwrap().statistic();
        prop_assert!((found - cramer_von_mises_by_ranks(&x, &y)).abs() < 1e-12);

        let found = mann_whitney(&reference, &current, &settings).unwrap().statistic();
        let theta = mean_over_pairs(&x, &y, |a, b| {
            if b > a { 1.0 } else if b == a { 0.5 } else { 0.0 }
        });
        prop_assert!((found - theta).abs() < 1e-14);

        let found = wasserstein(&reference, &current, &WassersteinSettings::default()).unwrap().statistic();
        let area: f64 = levels.windows(2).zip(&gaps).map(|(pair, gap)| (pair[1] - pair[0]) * gap.abs()).sum();
        prop_assert!((found - area).abs() <= 1e-12 * area.max(1.0));

        let found = energy_distance(&reference, &current, &settings).unwrap().statistic();
        let apart = |one: &[f64], other: &[f64]| mean_over_pairs(one, other, |a, b| (a - b).abs());
        let square = 2.0 * apart(&x, &y) - apart(&x, &x) - apart(&y, &y);
        prop_assert!((found * found - square).abs() <= 1e-12);
    }

    #[test]
    fn anderson_and_darling_order_pairs_of_samples_as_the_definition_does(
        x in values(),
        y in values(),
        z in values(),
    ) {
        // The statistic is A² less its mean over a deviation that only the sizes decide.
        let sized = |values: &[f64], rows: usize| -> Vec<f64> {
            values.iter().copied().cycle().take(rows).collect()
        };
        let statistic = |y: &[f64]| {
            let settings = TestSettings::default();
            anderson_darling(&SortedSample::new(&x), &SortedSample::new(y), &settings).unwrap()
        };
        let (y, z) = (sized(&y, 9), sized(&z, 9));
        proptest::prop_assume!(distinct(&x, &y).len() > 1 && distinct(&x, &z).len() > 1);
        let by_definition = [&y, &z].map(|other| anderson_darling_by_ranks(&x, other));
        let found = [&y, &z].map(|other| statistic(other).statistic());
        let differ = found[0] - found[1];
        let by_definition = by_definition[0] - by_definition[1];
        prop_assert!(differ * by_definition >= -1e-18, "{} {}", differ, by_definition);
        let mirrored: Vec<f64> = y.iter().map(|value| -value).collect();
        let back = anderson_darling(
            &SortedSample::new(&x.iter().map(|value| -value).collect::<Vec<f64>>()),
            &SortedSample::new(&mirrored),
            &TestSettings::default(),
        ).unwrap();
        prop_assert!((back.statistic() - found[0]).abs() <= 1e-10 * (1.0 + found[0].abs()));
    }

    #[test]
    fn ranks_do_not_know_the_unit_and_areas_scale_with_it(x in values(), y in values(), unit in 1_i32..40) {
        // A power of two, so that no tie is made or broken.
        let unit = f64::powi(2.0, unit - 20);
        let scaled = |values: &[f64]| SortedSample::new(&values.iter().map(|value| value * unit).collect::<Vec<f64>>());
        let (reference, current) = (SortedSample::new(&x), SortedSample::new(&y));
        let settings = TestSettings::default();
        for test in [ks_two_sample, kuiper, cramer_von_mises, anderson_darling, mann_whitney] {
            let found = test(&reference, &current, &settings).unwrap();
            prop_assert_eq!(test(&scaled(&x), &scaled(&y), &settings).unwrap(), found);
        }
        let area = |one: &SortedSample, other: &SortedSample| {
            wasserstein(one, other, &WassersteinSettings::default()).unwrap()
        };
        let (small, large) = (area(&reference, &current), area(&scaled(&x), &scaled(&y)));
        prop_assert!((small.statistic() * unit - large.statistic()).abs() <= 1e-12 * large.statistic());
        prop_assert!((small.p_value() - large.p_value()).abs() <= 1e-9);
    }
}
