use super::*;
use crate::testing::{Draws as _, SplitMix64};

struct Rows {
    features: Matrix,
    scores: Vec<f64>,
    labels: Vec<bool>,
    predicted: Vec<bool>,
}

/// The model scores by x alone, while the label also depends on z, whose centre may move.
fn rows(random: &mut SplitMix64, n: usize, centre: f64) -> Rows {
    let (mut xs, mut zs) = (Vec::new(), Vec::new());
    let (mut scores, mut labels, mut predicted) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..n {
        let x = random.bell();
        let z = centre + random.bell();
        let score = 1.0 / (1.0 + (-x).exp());
        let truth = 1.0 / (1.0 + (-x - 1.5 * z).exp());
        xs.push(x);
        zs.push(z);
        scores.push(score);
        // A cautious threshold, so that more positives make the model right more often.
        predicted.push(score > 0.25);
        labels.push(random.unit() < truth);
    }
    let features = Matrix::from_columns(vec![xs, zs]).unwrap();
    Rows {
        features,
        scores,
        labels,
        predicted,
    }
}

fn accuracy(rows: &Rows) -> f64 {
    let right = rows
        .labels
        .iter()
        .zip(&rows.predicted)
        .filter(|(label, guess)| label == guess);
    right.count() as f64 / rows.labels.len() as f64
}

fn fit(reference: &Rows, current: &Rows) -> Pape {
    Pape::fit(
        &reference.features,
        &reference.scores,
        &reference.labels,
        &current.features,
        DensityRatioSettings::default(),
        CbpeSettings::default(),
    )
    .unwrap()
}

#[test]
fn after_a_shift_of_what_the_score_does_not_see_it_is_closer_to_the_truth() {
    let mut random = SplitMix64(41);
    let (mut ours, mut plain) = (0.0, 0.0);
    for _ in 0..4 {
        let reference = rows(&mut random, 6_000, 0.0);
        let current = rows(&mut random, 3_000, 0.9);
        let truth = accuracy(&current);
        let pape = fit(&reference, &current);
        let cbpe = Cbpe::fit(
            &reference.scores,
            &reference.labels,
            CbpeSettings::default(),
        )
        .unwrap();
        let of = |estimate: BinaryEstimate| (estimate.accuracy().unwrap().value() - truth).abs();
        ours += of(pape.estimate(&current.scores, &current.predicted).unwrap());
        plain += of(cbpe.estimate(&current.scores, &current.predicted).unwrap());
        assert!(pape.effective_rows() > 500.0, "{}", pape.effective_rows());
    }
    assert!(plain / 4.0 > 0.05, "{}", plain / 4.0);
    assert!(ours < plain / 3.0, "{ours} against {plain}");
}

#[test]
fn without_shift_it_agrees_with_the_truth() {
    let mut random = SplitMix64(42);
    let reference = rows(&mut random, 6_000, 0.0);
    let current = rows(&mut random, 3_000, 0.0);
    let pape = fit(&reference, &current);
    let found = pape.estimate(&current.scores, &current.predicted).unwrap();
    let found = found.accuracy().unwrap().value();
    assert!((found - accuracy(&current)).abs() < 0.04, "{found}");
    assert!((0.0..=1.0).contains(&pape.probability(f64::NAN)));
}

#[test]
fn bad_input_is_refused_and_a_stored_one_is_the_same() {
    let mut random = SplitMix64(43);
    let reference = rows(&mut random, 200, 0.0);
    let current = rows(&mut random, 100, 0.0);
    let tried = |scores: &[f64], labels: &[bool]| {
        let (ratio, settings) = (DensityRatioSettings::default(), CbpeSettings::default());
        Pape::fit(
            &reference.features,
            scores,
            labels,
            &current.features,
            ratio,
            settings,
        )
    };
    assert!(tried(&reference.scores[1..], &reference.labels).is_err());
    assert!(tried(&reference.scores, &reference.labels[1..]).is_err());
    assert!(tried(&[f64::NAN; 200], &reference.labels).is_err());
    let pape = tried(&reference.scores, &reference.labels).unwrap();
    let text = serde_json::to_string(&pape).unwrap();
    assert_eq!(serde_json::from_str::<Pape>(&text).unwrap(), pape);
    assert!(serde_json::from_str::<Pape>(&text.replace("\"folds\":5", "\"folds\":7")).is_err());
}
