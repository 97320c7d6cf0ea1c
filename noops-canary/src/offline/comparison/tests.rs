use super::*;
use crate::direction::Direction;
use crate::simulation::Random;

const CHAMPION: [f64; 12] = [
    0.1, 0.4, 0.35, 0.8, 0.65, 0.4, 0.9, 0.2, 0.55, 0.7, 0.4, 0.05,
];
const CANDIDATE: [f64; 12] = [
    0.2, 0.3, 0.45, 0.7, 0.75, 0.5, 0.8, 0.1, 0.45, 0.9, 0.3, 0.15,
];
const BLOCKS: [u64; 12] = [0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5];

fn labels() -> Vec<bool> {
    [0, 0, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0]
        .map(|label| label == 1)
        .to_vec()
}

fn small(margin: f64, blocks: &[u64]) -> OfflineComparison {
    compare(
        &CHAMPION,
        &CANDIDATE,
        &labels(),
        blocks,
        margin,
        Alpha::FIVE_PERCENT,
    )
    .unwrap()
}

#[test]
fn the_clustered_interval_equals_numpy() {
    let comparison = small(0.0, &BLOCKS);
    let interval = comparison.interval().unwrap();
    // numpy: u = block sums of d - d.mean(), se = sqrt(6 / 5 * (u ** 2).sum()) / 12, 144 / 26 = 5.54 effective
    // blocks, scipy.stats.t.ppf(0.95, 4)
    assert!((comparison.mean_difference() - (-0.04250000000000001)).abs() < 1e-12);
    assert!((interval.lower() - (-0.06431239750208279)).abs() < 1e-9);
    assert!((interval.upper() - (-0.020687602497917235)).abs() < 1e-9);
    assert_eq!((comparison.n(), comparison.blocks()), (12, 6));
    assert!((comparison.effective_blocks() - 144.0 / 26.0).abs() < 1e-12);
    assert_eq!(comparison.verdict(), OfflineVerdict::NonInferior);
}

#[test]
fn the_margin_decides() {
    assert_eq!(small(-0.04, &BLOCKS).verdict(), OfflineVerdict::Undecided);
    assert_eq!(small(-0.5, &BLOCKS).verdict(), OfflineVerdict::Inferior);
}

#[test]
fn one_block_decides_nothing() {
    let comparison = small(0.5, &[7; 12]);
    assert_eq!(comparison.interval(), None);
    assert_eq!(comparison.verdict(), OfflineVerdict::Undecided);
}

/// Models that err equally on average, while each block shifts all its rows alike.
fn shifted(seed: u64, sizes: &[usize], noise: f64) -> OfflineComparison {
    let mut random = Random::new(seed);
    let (mut champion, mut candidate, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
    for (block, size) in sizes.iter().enumerate() {
        let shift = noise * random.normal();
        for _ in 0..*size {
            champion.push((0.5 - shift).clamp(0.0, 1.0));
            candidate.push((0.5 + shift).clamp(0.0, 1.0));
            blocks.push(block as u64);
        }
    }
    let labels = vec![true; champion.len()];
    compare(
        &champion,
        &candidate,
        &labels,
        &blocks,
        0.0,
        Alpha::FIVE_PERCENT,
    )
    .unwrap()
}

#[test]
fn a_block_that_holds_most_rows_leaves_all_undecided() {
    let five_of_thirty = [1000, 30, 30, 30, 30, 30];
    let mut thirty_of_five = vec![1000];
    thirty_of_five.extend([5; 30]);
    for sizes in [&five_of_thirty[..], &thirty_of_five[..]] {
        for seed in 0..50 {
            let comparison = shifted(seed, sizes, 0.05);
            assert!((1.0..1.5).contains(&comparison.effective_blocks()));
            assert_eq!(comparison.verdict(), OfflineVerdict::Undecided);
        }
    }
}

#[test]
fn blocks_of_one_size_are_all_effective() {
    assert_eq!(shifted(1, &[7; 12], 0.05).effective_blocks(), 12.0);
    assert_eq!(small(0.0, &[7; 12]).effective_blocks(), 1.0);
}

#[test]
fn fewer_than_five_effective_blocks_decide_nothing() {
    let few = small(0.9, &[0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
    assert_eq!(few.effective_blocks(), 4.0);
    assert!(few.interval().unwrap().upper() < 0.9);
    assert_eq!(few.verdict(), OfflineVerdict::Undecided);
}

#[test]
fn differences_without_variation_between_blocks_decide_nothing() {
    let labels = vec![true; 60];
    let blocks: Vec<u64> = (0..60).map(|row| row / 3).collect();
    let verdict_of = |candidate: f64| {
        let comparison = compare(
            &[0.7; 60],
            &[candidate; 60],
            &labels,
            &blocks,
            0.002,
            Alpha::FIVE_PERCENT,
        );
        comparison.unwrap().verdict()
    };
    assert_eq!(verdict_of(0.8), OfflineVerdict::Undecided);
    assert_eq!(verdict_of(0.61), OfflineVerdict::Undecided);
    // No differences at all are the same model.
    assert_eq!(verdict_of(0.7), OfflineVerdict::NonInferior);
}

#[test]
fn an_alpha_that_turns_the_bounds_around_is_refused() {
    for (alpha, refused) in [(0.499, false), (0.5, true), (0.9, true)] {
        let alpha = Alpha::new(alpha).unwrap();
        let compared = compare(&CHAMPION, &CANDIDATE, &labels(), &BLOCKS, 0.0, alpha);
        assert_eq!(compared.is_err(), refused);
        if let Err(error) = compared {
            assert!(error.to_string().contains("`alpha`"), "{error}");
        }
    }
}

#[test]
fn errors_name_the_column() {
    let labels = labels();
    let short = compare(
        &CHAMPION,
        &CANDIDATE,
        &labels,
        &[1],
        0.0,
        Alpha::FIVE_PERCENT,
    );
    assert!(short.unwrap_err().to_string().contains("`blocks`"));
    let margin = compare(
        &CHAMPION,
        &CANDIDATE,
        &labels,
        &BLOCKS,
        f64::NAN,
        Alpha::FIVE_PERCENT,
    );
    assert!(margin.unwrap_err().to_string().contains("`margin`"));
}

#[test]
fn rows_that_move_together_rarely_prove_what_is_not_so() {
    // Both models err equally on average, but a day shifts all its rows alike.
    let claims = (0..300)
        .filter(|&seed| {
            let comparison = shifted(seed, &[10; 40], 0.05);
            comparison.verdict() == OfflineVerdict::NonInferior
        })
        .count();
    // scipy.stats.binom.sf(27, 300, 0.05) = 0.0013; binom.cdf(3, 300, 0.05) = 0.0002
    assert!((4..=27).contains(&claims), "{claims}");
}

#[test]
fn a_loss_of_any_kind_is_compared_alike() {
    let margin = Margin::new(Direction::LowerIsBetter, 0.01).unwrap();
    let compared = compare_losses(
        &brier_losses(&CHAMPION, &labels()).unwrap(),
        &brier_losses(&CANDIDATE, &labels()).unwrap(),
        &BLOCKS,
        margin,
        Alpha::FIVE_PERCENT,
    )
    .unwrap();
    assert_eq!(compared, small(0.01, &BLOCKS));
}

#[test]
fn where_higher_is_better_a_fall_is_the_harm() {
    let blocks: Vec<u64> = (0..60).collect();
    let champion: Vec<f64> = (0..60).map(|row| 0.8 + 0.01 * f64::from(row % 5)).collect();
    let shifted = |by: f64| -> Vec<f64> {
        let noise = (0..60).map(|row| 0.001 * f64::from(row % 3));
        champion
            .iter()
            .zip(noise)
            .map(|(v, e)| v + by + e)
            .collect()
    };
    let verdict = |by: f64| {
        let margin = Margin::new(Direction::HigherIsBetter, 0.05).unwrap();
        compare_losses(
            &champion,
            &shifted(by),
            &blocks,
            margin,
            Alpha::FIVE_PERCENT,
        )
        .unwrap()
        .verdict()
    };
    assert_eq!(verdict(0.1), OfflineVerdict::NonInferior);
    assert_eq!(verdict(0.0), OfflineVerdict::NonInferior);
    assert_eq!(verdict(-0.1), OfflineVerdict::Inferior);
    assert_eq!(verdict(-0.051), OfflineVerdict::Undecided);
}

#[test]
fn losses_too_large_to_average_are_refused() {
    let margin = Margin::new(Direction::LowerIsBetter, 1.0).unwrap();
    for (champion, candidate) in [(-1e308, 1e308), (0.0, 1e200)] {
        let rows = [candidate, champion, candidate, champion];
        let refused = compare_losses(
            &[champion; 4],
            &rows,
            &[0, 1, 2, 3],
            margin,
            Alpha::FIVE_PERCENT,
        );
        assert!(
            matches!(refused, Err(CanaryError::Input { .. })),
            "{refused:?}"
        );
    }
    for wrong in [f64::NAN, f64::INFINITY] {
        assert!(compare_losses(&[0.0], &[wrong], &[0], margin, Alpha::FIVE_PERCENT).is_err());
        assert!(compare_losses(&[wrong], &[0.0], &[0], margin, Alpha::FIVE_PERCENT).is_err());
    }
}
