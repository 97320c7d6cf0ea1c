use super::*;
use crate::boosting::BoostingSettings;
use crate::testing::{Draws as _, SplitMix64};
use noops_stats::special::binomial_sf;

struct Rows {
    features: Matrix,
    predictions: Vec<f64>,
    targets: Vec<f64>,
}

/// The model predicts 2x; the target scatters around it, the more the larger x is, and a second column is noise.
fn rows(random: &mut SplitMix64, n: usize, centre: f64) -> Rows {
    let (mut x, mut noise) = (Vec::new(), Vec::new());
    let (mut predictions, mut targets) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let feature = (centre + 0.25 * random.bell()).clamp(0.0, 1.0);
        let prediction = 2.0 * feature + 1.0;
        x.push(feature);
        noise.push(random.unit());
        predictions.push(prediction);
        targets.push(prediction + (0.1 + feature) * random.bell());
    }
    let features = Matrix::from_columns(vec![x, noise]).unwrap();
    Rows {
        features,
        predictions,
        targets,
    }
}

fn quick() -> LossEstimatorSettings {
    let small = BoostingSettings::default()
        .with_rounds(40)
        .with_depth(3)
        .with_bins(24)
        .with_min_child_weight(20.0);
    LossEstimatorSettings::default().with_boosting(small)
}

fn realised(rows: &Rows, loss: RegressionLoss) -> f64 {
    let pairs = rows.predictions.iter().zip(&rows.targets);
    let sum: f64 = pairs.map(|(p, t)| loss.of(*p, *t).unwrap()).sum();
    loss.metric(sum / rows.targets.len() as f64)
}

#[test]
fn the_interval_holds_the_loss_that_comes_true_also_after_a_shift() {
    let mut random = SplitMix64(21);
    let runs = 60;
    for loss in [RegressionLoss::Absolute, RegressionLoss::RootSquared] {
        let mut missed = 0;
        for _ in 0..runs {
            let reference = rows(&mut random, 1_500, 0.5);
            let estimator = LossEstimator::fit(
                &reference.features,
                &reference.predictions,
                &reference.targets,
                loss,
                quick(),
            )
            .unwrap();
            let batch = rows(&mut random, 300, 0.65);
            let found = estimator
                .estimate(&batch.features, &batch.predictions)
                .unwrap();
            let truth = realised(&batch, loss);
            missed += u64::from(truth < found.lower() || truth > found.upper());
        }
        assert!(
            binomial_sf(missed, runs, 0.06) > 1e-3,
            "{loss:?}: {missed} of {runs}"
        );
    }
}

#[test]
fn a_shift_to_harder_rows_raises_the_estimate() {
    let mut random = SplitMix64(22);
    let reference = rows(&mut random, 4_000, 0.4);
    let (easy, hard) = (rows(&mut random, 1_000, 0.2), rows(&mut random, 1_000, 0.8));
    for loss in [
        RegressionLoss::Absolute,
        RegressionLoss::Squared,
        RegressionLoss::RootSquared,
        RegressionLoss::AbsolutePercentage,
    ] {
        let estimator = LossEstimator::fit(
            &reference.features,
            &reference.predictions,
            &reference.targets,
            loss,
            LossEstimatorSettings::default(),
        );
        // A target close to 0 makes a percentage huge, which is the metric's own weakness.
        let estimator = estimator.unwrap();
        let low = estimator
            .estimate(&easy.features, &easy.predictions)
            .unwrap();
        let high = estimator
            .estimate(&hard.features, &hard.predictions)
            .unwrap();
        if loss != RegressionLoss::AbsolutePercentage {
            assert!(high.lower() > low.upper(), "{loss:?}: {low:?} {high:?}");
        }
        assert!(low.lower() >= 0.0 && high.rows() == 1_000);
    }
}

#[test]
fn the_interval_narrows_with_the_batch() {
    let mut random = SplitMix64(23);
    let reference = rows(&mut random, 4_000, 0.5);
    let estimator = LossEstimator::fit(
        &reference.features,
        &reference.predictions,
        &reference.targets,
        RegressionLoss::Absolute,
        quick(),
    )
    .unwrap();
    let mut widths = Vec::new();
    for n in [50, 500, 5_000] {
        let batch = rows(&mut random, n, 0.5);
        let found = estimator
            .estimate(&batch.features, &batch.predictions)
            .unwrap();
        widths.push(found.upper() - found.lower());
    }
    assert!(
        widths[0] > 2.0 * widths[1] && widths[1] > widths[2],
        "{widths:?}"
    );
}

#[test]
fn losses_are_those_of_their_definition() {
    let of = |loss: RegressionLoss, p: f64, t: f64| loss.of(p, t).map(|mean| loss.metric(mean));
    assert_eq!(of(RegressionLoss::Absolute, 1.0, -2.0), Some(3.0));
    assert_eq!(of(RegressionLoss::Squared, 1.0, -2.0), Some(9.0));
    assert_eq!(of(RegressionLoss::RootSquared, 1.0, -2.0), Some(3.0));
    assert_eq!(of(RegressionLoss::AbsolutePercentage, 1.0, -2.0), Some(1.5));
    assert_eq!(of(RegressionLoss::AbsolutePercentage, 1.0, 0.0), None);
    assert_eq!(of(RegressionLoss::SquaredLogarithmic, 1.0, -2.0), None);
    // sklearn.metrics.mean_squared_log_error([3], [1]) is ln(2)².
    let log = of(RegressionLoss::SquaredLogarithmic, 1.0, 3.0).unwrap();
    assert!((log - std::f64::consts::LN_2.powi(2)).abs() < 1e-15);
    let root = of(RegressionLoss::RootSquaredLogarithmic, 1.0, 3.0).unwrap();
    assert!((root - std::f64::consts::LN_2).abs() < 1e-15);
}

#[test]
fn a_perfect_model_has_no_loss() {
    let features = Matrix::from_columns(vec![(0..100).map(f64::from).collect()]).unwrap();
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let fit = LossEstimator::fit(
        &features,
        &values,
        &values,
        RegressionLoss::Squared,
        quick(),
    );
    let found = fit.unwrap().estimate(&features, &values).unwrap();
    assert_eq!(
        (found.value(), found.lower(), found.upper()),
        (0.0, 0.0, 0.0)
    );
}

#[test]
fn a_stored_estimator_goes_on_exactly_and_a_damaged_one_is_refused() {
    let mut random = SplitMix64(24);
    let reference = rows(&mut random, 300, 0.5);
    let estimator = LossEstimator::fit(
        &reference.features,
        &reference.predictions,
        &reference.targets,
        RegressionLoss::Absolute,
        quick(),
    )
    .unwrap();
    let text = serde_json::to_string(&estimator).unwrap();
    assert_eq!(
        serde_json::from_str::<LossEstimator>(&text).unwrap(),
        estimator
    );
    for (sound, damaged) in [
        ("\"folds\":5", "\"folds\":4"),
        ("\"scale\":", "\"scale\":-"),
    ] {
        assert!(text.contains(sound));
        assert!(serde_json::from_str::<LossEstimator>(&text.replace(sound, damaged)).is_err());
    }
}

#[test]
fn bad_input_is_named() {
    let features = Matrix::from_columns(vec![vec![1.0; 60]]).unwrap();
    let tried = |predictions: &[f64], targets: &[f64], loss| {
        LossEstimator::fit(&features, predictions, targets, loss, quick())
            .unwrap_err()
            .to_string()
    };
    let (ones, zeros) = (vec![1.0; 60], vec![0.0; 60]);
    assert!(tried(&[1.0], &ones, RegressionLoss::Absolute).contains("`predictions`"));
    assert!(tried(&ones, &[f64::NAN; 60], RegressionLoss::Absolute).contains("`targets`"));
    assert!(tried(&ones, &zeros, RegressionLoss::AbsolutePercentage).contains("row `0`"));
    let estimator =
        LossEstimator::fit(&features, &ones, &zeros, RegressionLoss::Absolute, quick()).unwrap();
    let none = Matrix::from_columns(vec![vec![]]).unwrap();
    assert!(estimator.estimate(&none, &[]).is_err());
    let wide = Matrix::from_columns(vec![vec![1.0], vec![1.0]]).unwrap();
    assert!(estimator.estimate(&wide, &[1.0]).is_err());
    assert!(estimator.estimate(&features, &[f64::INFINITY; 60]).is_err());
    let few = Matrix::from_columns(vec![vec![1.0; 9]]).unwrap();
    let settings = quick();
    assert!(
        LossEstimator::fit(
            &few,
            &[1.0; 9],
            &[1.0; 9],
            RegressionLoss::Absolute,
            settings
        )
        .is_err()
    );
}
