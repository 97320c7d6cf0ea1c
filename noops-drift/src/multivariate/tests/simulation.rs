use super::*;
use noops_stats::special::normal_upper_quantile;

/// Correlated, skewed and zero-inflated columns.
fn mixed(rows: usize, random: &mut SplitMix64) -> Matrix {
    let mut columns = vec![Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..rows {
        let shared = random.bell();
        let draws = [
            shared,
            (0.7 * shared + random.bell()).exp(),
            if random.unit() < 0.6 {
                0.0
            } else {
                random.unit()
            },
        ];
        for (column, draw) in columns.iter_mut().zip(draws) {
            column.push(draw);
        }
    }
    Matrix::from_columns(columns).unwrap()
}

fn within(alarms: u32, runs: u32, rate: f64) -> bool {
    let slack = 4.0 * (rate * (1.0 - rate) / f64::from(runs)).sqrt();
    f64::from(alarms) / f64::from(runs) <= rate + slack
}

#[test]
fn permutation_tests_alarm_without_drift_as_rarely_as_promised() {
    let runs = 300;
    let settings = PermutationSettings::default().with_permutations(99);
    let mut random = SplitMix64(11);
    let mut alarms = [0_u32; 3];
    for _ in 0..runs {
        let (reference, current) = (mixed(45, &mut random), mixed(25, &mut random));
        let comparisons = permutation_tests(&reference, &current, &settings);
        for (count, (_, comparison)) in alarms.iter_mut().zip(comparisons) {
            *count += u32::from(comparison.verdict().is_drift());
        }
    }
    // Never alarming would be no test either: with 99 permutations the level is 4 %.
    assert!(
        alarms
            .iter()
            .all(|count| within(*count, runs, 0.05) && *count > 0),
        "{alarms:?}"
    );
}

#[test]
fn the_bound_for_embeddings_and_the_reconstruction_test_keep_their_alpha() {
    let runs = 400;
    let mut random = SplitMix64(12);
    let (mut bound, mut reconstruction) = (0, 0);
    let settings = MmdSettings::default().with_features(64);
    for _ in 0..runs {
        let (reference, current) = (mixed(60, &mut random), mixed(40, &mut random));
        let mmd = RandomFourierMmd::fit(&reference, &settings).unwrap();
        let embedded = mmd.embed(&current).unwrap();
        bound += u32::from(mmd.compare(&embedded).unwrap().verdict().is_drift());

        let (reference, current) = (
            correlated(400, 0.6, &mut random),
            correlated(80, 0.6, &mut random),
        );
        let pca =
            PrincipalComponents::fit(&reference, &PrincipalComponentsSettings::default()).unwrap();
        reconstruction += u32::from(pca.compare(&current).unwrap().verdict().is_drift());
    }
    assert!(within(bound, runs, 0.05), "{bound}");
    assert!(
        within(reconstruction, runs, 0.05) && reconstruction > 0,
        "{reconstruction}"
    );
}

#[test]
fn a_change_of_dependence_that_no_column_shows_is_seen() {
    let runs = 15;
    let settings = PermutationSettings::default().with_permutations(99);
    let mut random = SplitMix64(13);
    let mut seen = [0_u32; 5];
    let mut columns = 0;
    for _ in 0..runs {
        let reference = correlated(250, 0.0, &mut random);
        let current = correlated(250, 0.8, &mut random);
        let comparisons = permutation_tests(&reference, &current, &settings);
        for (count, (_, comparison)) in seen.iter_mut().zip(comparisons) {
            *count += u32::from(comparison.verdict().is_drift());
        }
        for index in 0..2 {
            let (reference, current) = (column(&reference, index), column(&current, index));
            let alone = EnergyTest::fit(&reference, &settings.clone().with_max_rows(80)).unwrap();
            columns += u32::from(alone.compare(&current).unwrap().verdict().is_drift());
        }

        // The other way round, columns that hung together and no longer do.
        let (reference, current) = (
            correlated(400, 0.8, &mut random),
            correlated(200, 0.0, &mut random),
        );
        let pca =
            PrincipalComponents::fit(&reference, &PrincipalComponentsSettings::default()).unwrap();
        seen[3] += u32::from(pca.compare(&current).unwrap().verdict().is_drift());

        let (reference, current) = (
            correlated(4_000, 0.0, &mut random),
            correlated(4_000, 0.8, &mut random),
        );
        let mmd = RandomFourierMmd::fit(&reference, &MmdSettings::default()).unwrap();
        let embedded = mmd.embed(&current).unwrap();
        seen[4] += u32::from(mmd.compare(&embedded).unwrap().verdict().is_drift());
    }
    assert!(seen.iter().all(|count| *count >= 12), "{seen:?}");
    assert!(within(columns, 2 * runs, 0.05), "{columns}");
}

#[test]
fn enough_rows_without_drift_are_called_no_drift_and_too_few_undecided() {
    let mut random = SplitMix64(14);
    let settings = PermutationSettings::default()
        .with_permutations(99)
        .with_relevant(0.5);
    let reference = correlated(300, 0.5, &mut random);
    let many = permutation_tests(&reference, &correlated(300, 0.5, &mut random), &settings);
    let few = permutation_tests(&reference, &correlated(4, 0.5, &mut random), &settings);
    for ((name, many), (_, few)) in many.into_iter().zip(few) {
        assert_eq!(many.verdict(), crate::statistic::Verdict::NoDrift, "{name}");
        assert!(
            matches!(
                few.verdict(),
                crate::statistic::Verdict::Undecided {
                    visible_from: Some(_)
                }
            ),
            "{name}: {few:?}"
        );
    }
}

#[test]
fn few_rows_of_many_skewed_columns_do_not_alarm_more_often() {
    // On scales of the reference alone the energy test alarms 40 times with 20 rows against 60.
    let draw = |random: &mut SplitMix64, rows: usize| {
        let columns = (0..5).map(|_| (0..rows).map(|_| random.bell().exp()).collect());
        Matrix::from_columns(columns.collect()).unwrap()
    };
    let runs = 400;
    // The level is 5 % exactly: p is below alpha with at most four of 99.
    let settings = PermutationSettings::default()
        .with_permutations(99)
        .with_alpha(noops_core::Alpha::new(0.0501).unwrap());
    for (n_reference, n_current) in [(5, 60), (20, 60), (60, 5)] {
        let mut random = SplitMix64(5);
        let mut alarms = [0_u32; 3];
        for _ in 0..runs {
            let reference = draw(&mut random, n_reference);
            let current = draw(&mut random, n_current);
            let comparisons = permutation_tests(&reference, &current, &settings);
            for (count, (_, comparison)) in alarms.iter_mut().zip(comparisons) {
                *count += u32::from(comparison.verdict().is_drift());
            }
        }
        // scipy.stats.binom.ppf([0.001, 0.999], 400, 0.05) is [8, 34].
        assert!(
            alarms.iter().all(|count| (8..=34).contains(count)),
            "{n_reference}, {n_current}: {alarms:?}"
        );
    }
}

#[test]
fn a_single_odd_row_is_no_drift_on_whichever_side_it_is() {
    // Every relabelling is the same then: one odd row on one of two equal sides.
    for rows in [37, 101, 400] {
        let even = Matrix::from_columns(vec![vec![0.0; rows]]).unwrap();
        let mut values = vec![0.0; rows];
        values[7] = 1.0;
        let odd = Matrix::from_columns(vec![values]).unwrap();
        for (reference, current) in [(&even, &odd), (&odd, &even)] {
            for (name, comparison) in permutation_tests(reference, current, &quick()) {
                assert_eq!(comparison.p_value(), 1.0, "{name} of {rows}");
            }
        }
    }
}

#[test]
fn what_is_visible_shows_four_times_in_five() {
    // Two standard normal columns, the first of which moves by δ: over both sides its deviation is √(1 + δ²/4).
    let spread = |shift: f64| (1.0 + shift * shift / 4.0).sqrt();
    let energy = |shift: f64| {
        let moved = mean_length(shift / spread(shift), spread(shift));
        (2.0 * (moved - mean_length(0.0, spread(shift))))
            .max(0.0)
            .sqrt()
    };
    // The mean of |cos| over all directions is 2 / π.
    let sliced = |shift: f64| shift / spread(shift) * std::f64::consts::FRAC_2_PI;
    let settings = PermutationSettings::default().with_permutations(99);
    let mut random = SplitMix64(15);
    let (mut seen, runs) = ([0_u32; 2], 60);
    for _ in 0..runs {
        let reference = correlated(60, 0.0, &mut random);
        let same = correlated(60, 0.0, &mut random);
        let null = permutation_tests(&reference, &same, &settings);
        for (index, (name, null)) in null.into_iter().take(2).enumerate() {
            let visible = null.visible_from().unwrap();
            let shift = if index == 0 {
                inverse(energy, visible)
            } else {
                inverse(sliced, visible)
            };
            assert!((0.3..2.0).contains(&shift), "{name}: {shift}");
            let other = correlated(60, 0.0, &mut random);
            let columns = vec![
                other.columns()[0].iter().map(|x| x + shift).collect(),
                other.columns()[1].clone(),
            ];
            let moved = Matrix::from_columns(columns).unwrap();
            let comparison = &permutation_tests(&reference, &moved, &settings)[index].1;
            seen[index] += u32::from(comparison.verdict().is_drift());
        }
    }
    // Of sixty at least 80 %: scipy.stats.binom.ppf(0.001, 60, 0.8) is 38.
    assert!(seen.iter().all(|count| *count >= 38), "{seen:?}");
}

/// The mean length of (x, y), x normal with this mean and standard deviation √2 / spread and y with mean 0 and √2.
fn mean_length(mean: f64, spread: f64) -> f64 {
    let quantile = |i: u32| {
        std::f64::consts::SQRT_2 * normal_upper_quantile((f64::from(i) + 0.5) / f64::from(NODES))
    };
    let lengths = (0..NODES)
        .flat_map(|i| (0..NODES).map(move |j| (mean + quantile(i) / spread).hypot(quantile(j))));
    lengths.sum::<f64>() / f64::from(NODES * NODES)
}

/// Where a rising function has this value.
fn inverse(rising: impl Fn(f64) -> f64, value: f64) -> f64 {
    let (mut low, mut high) = (0.0, 10.0);
    for _ in 0..20 {
        let middle = 0.5 * (low + high);
        if rising(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

const NODES: u32 = 24;
