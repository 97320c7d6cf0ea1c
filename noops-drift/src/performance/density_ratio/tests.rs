use super::*;
use crate::testing::{Draws as _, SplitMix64};

fn normal(random: &mut SplitMix64, n: usize, centre: f64) -> Matrix {
    let column =
        |random: &mut SplitMix64, centre: f64| (0..n).map(|_| random.bell() + centre).collect();
    let shifted = column(random, centre);
    let same = column(random, 0.0);
    Matrix::from_columns(vec![shifted, same]).unwrap()
}

#[test]
fn weights_follow_the_true_ratio_of_densities() {
    let mut random = SplitMix64(31);
    let reference = normal(&mut random, 6_000, 0.0);
    let current = normal(&mut random, 3_000, 0.7);
    let ratio = DensityRatio::fit(&reference, &current, DensityRatioSettings::default()).unwrap();
    let mean = ratio.weights().iter().sum::<f64>() / 6_000.0;
    assert!((mean - 1.0).abs() < 1e-9);
    // Of N(0.7, 1) over N(0, 1): exp(0.7x − 0.245).
    let truth: Vec<f64> = reference.columns()[0]
        .iter()
        .map(|x| (0.7 * x - 0.245).exp())
        .collect();
    let off = ratio
        .weights()
        .iter()
        .zip(&truth)
        .map(|(w, t)| (w - t).abs())
        .sum::<f64>()
        / 6_000.0;
    let unweighted = truth.iter().map(|t| (1.0 - t).abs()).sum::<f64>() / 6_000.0;
    assert!(off < 0.35 * unweighted, "{off} of {unweighted}");
    // Weighted, the reference has the mean of the current rows.
    let moved: f64 = ratio
        .weights()
        .iter()
        .zip(&reference.columns()[0])
        .map(|(w, x)| w * x)
        .sum();
    assert!((moved / 6_000.0 - 0.7).abs() < 0.1, "{}", moved / 6_000.0);
    let fresh = ratio
        .ratios(&Matrix::from_columns(vec![vec![-1.5, 1.5], vec![0.0, 0.0]]).unwrap())
        .unwrap();
    assert!(fresh[0] < 0.5 && fresh[1] > 1.5, "{fresh:?}");
}

#[test]
fn without_shift_hardly_a_row_is_lost() {
    let mut random = SplitMix64(32);
    let reference = normal(&mut random, 3_000, 0.0);
    let current = normal(&mut random, 1_000, 0.0);
    let ratio = DensityRatio::fit(&reference, &current, DensityRatioSettings::default()).unwrap();
    assert!(
        ratio.effective_rows() > 2_400.0,
        "{}",
        ratio.effective_rows()
    );
    assert_eq!(ratio.capped(), 0);
}

#[test]
fn rows_without_overlap_leave_little_to_go_by() {
    let reference = Matrix::from_columns(vec![(0..500).map(f64::from).collect()]).unwrap();
    let current = Matrix::from_columns(vec![(490..990).map(f64::from).collect()]).unwrap();
    let settings = DensityRatioSettings::default().with_cap(5.0);
    let ratio = DensityRatio::fit(&reference, &current, settings).unwrap();
    assert!(ratio.effective_rows() < 100.0, "{}", ratio.effective_rows());
    assert!(
        ratio
            .weights()
            .iter()
            .all(|weight| weight.is_finite() && *weight >= 0.0)
    );
    let beyond = Matrix::from_columns(vec![vec![900.0, f64::NAN, f64::INFINITY]]).unwrap();
    let ratios = ratio.ratios(&beyond).unwrap();
    assert_eq!(ratios[0], 5.0);
    assert!(ratios.iter().all(|ratio| (0.0..=5.0).contains(ratio)));
}

#[test]
fn bad_input_and_damaged_state_are_refused() {
    let rows = Matrix::from_columns(vec![(0..60).map(f64::from).collect()]).unwrap();
    let wide = Matrix::from_columns(vec![vec![1.0; 60], vec![2.0; 60]]).unwrap();
    let few = Matrix::from_columns(vec![vec![1.0; 9]]).unwrap();
    let settings = DensityRatioSettings::default();
    assert!(DensityRatio::fit(&rows, &wide, settings.clone()).is_err());
    assert!(DensityRatio::fit(&rows, &few, settings.clone()).is_err());
    assert!(DensityRatio::fit(&few, &rows, settings.clone()).is_err());
    assert!(DensityRatio::fit(&rows, &rows, settings.clone().with_cap(0.5)).is_err());
    assert!(DensityRatio::fit(&rows, &rows, settings.clone().with_cap(f64::NAN)).is_err());
    let ratio = DensityRatio::fit(&rows, &rows, settings).unwrap();
    assert!(ratio.ratios(&wide).is_err());
    let text = serde_json::to_string(&ratio).unwrap();
    assert_eq!(serde_json::from_str::<DensityRatio>(&text).unwrap(), ratio);
    for (sound, damaged) in [
        ("\"folds\":5", "\"folds\":3"),
        ("\"capped\":0", "\"capped\":61"),
        ("\"prior_odds\":1.0", "\"prior_odds\":0.0"),
    ] {
        assert!(text.contains(sound), "{sound}");
        assert!(serde_json::from_str::<DensityRatio>(&text.replace(sound, damaged)).is_err());
    }
}
